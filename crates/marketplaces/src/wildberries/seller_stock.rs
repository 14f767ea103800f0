//! Stock in the seller's warehouses, asked for size by size in each of them: it is exact, and of this moment.

use domain::reading::{Location, Position, ReadPage, StockRow};
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::{
    api::{Api, parse_position, position},
    endpoints::SELLER_STOCK,
};
use crate::{
    connector::KnownCatalogue,
    decode::{self, Id, RawRows, Units},
    error::Error,
};

/// Sizes in one question about a warehouse; the most that is allowed.
const CHUNK: usize = 1000;

/// The last size that was asked for in a warehouse; none at the beginning of one.
#[derive(Serialize, Deserialize)]
struct Place {
    warehouse: String,
    after: Option<String>,
}

#[derive(Deserialize)]
struct Answer<'a> {
    #[serde(borrow)]
    stocks: RawRows<'a>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Row {
    chrt_id: Id,
    amount: Units,
}

/// Asks for the next known sizes in the next of the seller's warehouses. Sizes without stock are not in the answer.
pub(super) async fn read(
    api: &Api,
    known: &dyn KnownCatalogue,
    at: Option<&Position>,
) -> Result<ReadPage<StockRow>, Error> {
    let endpoint = SELLER_STOCK.operation;
    let done = ReadPage::last(Vec::new());
    let mut place = match at {
        Some(at) => parse_position(&SELLER_STOCK, at)?,
        None => Place { warehouse: String::new(), after: None },
    };
    let warehouses = known.seller_warehouses().await?;
    let (location, id, sizes) = loop {
        let Some((location, id)) = warehouse_from(&warehouses, &place.warehouse) else {
            return Ok(done);
        };
        if id != place.warehouse {
            place = Place { warehouse: id.to_owned(), after: None };
        }
        let sizes = known.variants_after(place.after.as_deref(), CHUNK).await?;
        match (sizes.is_empty(), &place.after) {
            (false, _) => break (location, id, sizes),
            (true, None) => return Ok(done),
            (true, Some(_)) => place = Place { warehouse: following(id), after: None },
        }
    };
    let next = if sizes.len() == CHUNK {
        Some(Place { warehouse: id.to_owned(), after: sizes.last().cloned() })
    } else {
        warehouse_from(&warehouses, &following(id))
            .map(|(_, id)| Place { warehouse: id.to_owned(), after: None })
    };
    let next = next.as_ref().map(position);
    // A size that is known by its barcode alone has no number to ask for.
    let ids: Vec<i64> = sizes.iter().filter_map(|size| size.parse().ok()).collect();
    if ids.is_empty() {
        return Ok(ReadPage { next, ..done });
    }
    let answer = api
        .post(&SELLER_STOCK, &format!("/api/v3/stocks/{id}"), &json!({ "chrtIds": ids }), |body| {
            let stock: Answer<'_> = decode::page(endpoint, body)?;
            Ok(decode::rows(endpoint, stock.stocks, |row| Some(stock_row(row, location))))
        })
        .await?;
    let (rows, failed) =
        answer.ok_or_else(|| Error::ContractChanged { endpoint, what: "status 204".to_owned() })?;
    Ok(ReadPage { failed, next, ..ReadPage::last(rows) })
}

/// The first warehouse whose id is not before the given one.
fn warehouse_from<'a>(warehouses: &'a [Location], from: &str) -> Option<(&'a Location, &'a str)> {
    warehouses
        .iter()
        .filter_map(|location| Some((location, location.external_id.as_deref()?)))
        .filter(|(_, id)| *id >= from)
        .min_by_key(|(_, id)| *id)
}

/// The smallest text after an id.
fn following(id: &str) -> String {
    format!("{id}\0")
}

fn stock_row(row: Row, location: &Location) -> StockRow {
    StockRow {
        variant_external_id: Some(row.chrt_id.0),
        product_external_id: None,
        barcode: None,
        size: None,
        location: Some(location.clone()),
        available: Some(row.amount.0),
        reserved: None,
        on_hand: None,
        in_transit_to_customer: None,
        in_transit_returns: None,
    }
}
