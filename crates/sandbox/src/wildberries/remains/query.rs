//! What the report is asked for: which goods, and told apart by what.

use actix_web::Error;
use actix_web::http::StatusCode;
use serde::Deserialize;

use crate::wildberries::errors;
use crate::world::catalogue::Card;

/// Hundredths of a litre above which goods are large.
const LARGE: u32 = 300;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct RemainsQuery {
    locale: Option<String>,
    group_by_brand: Option<String>,
    group_by_subject: Option<String>,
    group_by_sa: Option<String>,
    group_by_nm: Option<String>,
    group_by_barcode: Option<String>,
    group_by_size: Option<String>,
    filter_pics: Option<String>,
    filter_volume: Option<String>,
}

/// What the rows tell apart, and which goods are in them.
#[expect(clippy::struct_excessive_bools, reason = "they are independent of each other in the contract")]
pub(super) struct Wanted {
    pub(super) is_english: bool,
    pub(super) brand: bool,
    pub(super) subject: bool,
    pub(super) vendor_code: bool,
    pub(super) nm: bool,
    pub(super) barcode: bool,
    pub(super) size: bool,
    photos: i32,
    volume: i32,
}

impl RemainsQuery {
    pub(super) fn wanted(&self) -> Result<Wanted, Error> {
        Ok(Wanted {
            is_english: self.locale.as_deref().is_some_and(|locale| locale == "en"),
            brand: switch("groupByBrand", self.group_by_brand.as_deref())?,
            subject: switch("groupBySubject", self.group_by_subject.as_deref())?,
            vendor_code: switch("groupBySa", self.group_by_sa.as_deref())?,
            nm: switch("groupByNm", self.group_by_nm.as_deref())?,
            barcode: switch("groupByBarcode", self.group_by_barcode.as_deref())?,
            size: switch("groupBySize", self.group_by_size.as_deref())?,
            photos: choice("filterPics", self.filter_pics.as_deref(), &[-1, 0, 1])?,
            volume: choice("filterVolume", self.filter_volume.as_deref(), &[-1, 0, 3])?,
        })
    }
}

fn bad_parameter(name: &str, what: &str) -> Error {
    let detail = format!("parameter \"{name}\" in query has an error: {what}");
    errors::refusal(errors::reports(StatusCode::BAD_REQUEST, "Bad Request", &detail))
}

fn switch(name: &str, text: Option<&str>) -> Result<bool, Error> {
    match text.map(str::to_lowercase).as_deref() {
        None | Some("false" | "f" | "0") => Ok(false),
        Some("true" | "t" | "1") => Ok(true),
        Some("") => Err(bad_parameter(name, "empty value is not allowed")),
        Some(_) => Err(bad_parameter(name, "an invalid boolean")),
    }
}

fn choice(name: &str, text: Option<&str>, allowed: &[i32]) -> Result<i32, Error> {
    let Some(text) = text else { return Ok(0) };
    let number = text.parse().map_err(|_| bad_parameter(name, "an invalid integer"))?;
    if allowed.contains(&number) { Ok(number) } else { Err(bad_parameter(name, "value is not allowed")) }
}

impl Wanted {
    pub(super) fn lets_through(&self, card: &Card) -> bool {
        let photos = match self.photos {
            -1 => !card.has_photo,
            1 => card.has_photo,
            _ => true,
        };
        let volume = match self.volume {
            -1 => card.volume().is_none(),
            3 => card.volume().is_some_and(|volume| volume > LARGE),
            _ => true,
        };
        photos && volume
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn switches_are_read_as_clients_write_them() {
        for (text, expected) in
            [(None, false), (Some("true"), true), (Some("True"), true), (Some("0"), false)]
        {
            assert_eq!(switch("groupByNm", text).ok(), Some(expected), "{text:?}");
        }
        assert!(switch("groupByNm", Some("")).is_err() && switch("groupByNm", Some("yes")).is_err());
    }
}
