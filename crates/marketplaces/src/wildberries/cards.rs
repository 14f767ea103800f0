//! Product cards: the list in the order of change, and the trash.

use domain::reading::{Position, ProductRow, ReadPage, VariantRow};
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::{
    api::{Api, parse_position, position},
    endpoints::{CARDS, Endpoint, TRASH},
};
use crate::{
    connector::CatalogueScope,
    decode::{self, Id, RawRows, Text, Whole},
    error::Error,
};

/// Cards of one answer; the most that is allowed.
const LIMIT: i64 = 100;

/// The place after a card in one of the two lists, in the marketplace's own words.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Cursor {
    /// `updatedAt` of the list, `trashedAt` of the trash.
    moment: String,
    nm_id: i64,
}

/// Up to where each list has been read.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
struct Place {
    list: Option<Cursor>,
    trash: Option<Cursor>,
    /// Whether the list is done and the trash is being read.
    #[serde(default)]
    in_trash: bool,
}

#[derive(Deserialize)]
struct Page<'a> {
    #[serde(borrow)]
    cards: Option<RawRows<'a>>,
    cursor: WireCursor,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct WireCursor {
    updated_at: Option<String>,
    trashed_at: Option<String>,
    #[serde(rename = "nmID")]
    nm_id: Option<Whole>,
    total: Whole,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Card {
    #[serde(rename = "nmID")]
    nm_id: Id,
    vendor_code: Option<Text>,
    title: Option<Text>,
    brand: Option<Text>,
    subject_name: Option<Text>,
    sizes: Option<Vec<Size>>,
}

/// Size and barcodes are what order lines and some stock rows are matched by.
#[derive(Deserialize)]
struct Size {
    #[serde(rename = "chrtID")]
    chrt_id: Id,
    #[serde(rename = "techSize", deserialize_with = "decode::nullable")]
    name: Option<Text>,
    #[serde(deserialize_with = "decode::nullable")]
    skus: Option<Vec<Text>>,
}

/// One answer of either list.
struct Answer {
    rows: Vec<ProductRow>,
    failed: u64,
    cursor: Option<Cursor>,
    is_last: bool,
}

/// Reads the next page. The full reading is the list alone; one since a watermark goes on into the trash.
pub(super) async fn read(
    api: &Api,
    scope: &CatalogueScope,
    at: Option<&Position>,
) -> Result<ReadPage<ProductRow>, Error> {
    let (start, with_trash) = match scope {
        CatalogueScope::Full => (None, false),
        CatalogueScope::Since(watermark) => (Some(watermark), true),
    };
    let mut place: Place =
        at.or(start).map(|position| parse_position(&CARDS, position)).transpose()?.unwrap_or_default();
    let Answer { rows, failed, cursor, is_last } = if place.in_trash {
        list(api, &TRASH, "/content/v2/get/cards/trash", place.trash.as_ref()).await?
    } else {
        list(api, &CARDS, "/content/v2/get/cards/list", place.list.as_ref()).await?
    };
    let reached = if place.in_trash { &mut place.trash } else { &mut place.list };
    *reached = cursor.or(reached.take());
    let watermark = Place { in_trash: false, ..place.clone() };
    let next = match (is_last, place.in_trash, with_trash) {
        (false, ..) => Some(place),
        (true, false, true) => Some(Place { in_trash: true, ..place }),
        (true, ..) => None,
    };
    Ok(ReadPage {
        rows,
        failed,
        next: next.as_ref().map(position),
        watermark: Some(position(&watermark)),
        expected_total: None,
        pause: None,
    })
}

async fn list(api: &Api, endpoint: &Endpoint, path: &str, after: Option<&Cursor>) -> Result<Answer, Error> {
    let is_trash = endpoint.operation == TRASH.operation;
    let moment_name = if is_trash { "trashedAt" } else { "updatedAt" };
    let mut cursor = json!({ "limit": LIMIT });
    if let Some(after) = after {
        cursor[moment_name] = json!(after.moment);
        cursor["nmID"] = json!(after.nm_id);
    }
    let mut settings = json!({ "sort": { "ascending": true }, "cursor": cursor });
    if !is_trash {
        settings["filter"] = json!({ "withPhoto": -1 });
    }
    let body = json!({ "settings": settings });
    let changed = |what: String| Error::ContractChanged { endpoint: endpoint.operation, what };
    let answer = api
        .post(endpoint, &format!("{path}?locale=ru"), &body, |body| {
            let page: Page<'_> = decode::page(endpoint.operation, body)?;
            let total = page.cursor.total.0;
            let moment = if is_trash { page.cursor.trashed_at } else { page.cursor.updated_at };
            let cursor = moment
                .filter(|moment| !moment.is_empty())
                .zip(page.cursor.nm_id)
                .map(|(moment, Whole(nm_id))| Cursor { moment, nm_id });
            let raw = match page.cards {
                Some(raw) => raw,
                None if total == 0 => Vec::new(),
                None => return Err(changed(format!("cards: null, but cursor.total is {total}"))),
            };
            if total >= LIMIT && (raw.is_empty() || cursor.is_none() || cursor.as_ref() == after) {
                return Err(changed(format!("cursor: {total} cards and no way to go on")));
            }
            let (rows, failed) = decode::rows(endpoint.operation, raw, |card: Card| product(card, is_trash));
            // An empty answer has no last card, whatever its cursor says.
            let cursor = cursor.filter(|_| total > 0);
            Ok(Answer { rows, failed, cursor, is_last: total < LIMIT })
        })
        .await?;
    answer.ok_or_else(|| changed("status 204".to_owned()))
}

/// A card that is still on sale must have sizes, or its stock could never be read; one in the trash need not.
fn product(card: Card, removed: bool) -> Option<ProductRow> {
    let variants: Vec<_> = card.sizes.unwrap_or_default().into_iter().map(variant).collect();
    if variants.is_empty() && !removed {
        return None;
    }
    Some(ProductRow {
        external_id: card.nm_id.0,
        seller_article: Text::filled(card.vendor_code),
        name: Text::filled(card.title),
        brand: Text::filled(card.brand),
        category: Text::filled(card.subject_name),
        removed,
        hidden: false,
        variants,
    })
}

fn variant(size: Size) -> VariantRow {
    let barcodes: Vec<_> =
        size.skus.unwrap_or_default().into_iter().filter_map(|sku| Text::filled(Some(sku))).collect();
    VariantRow {
        external_id: size.chrt_id.0,
        sku: barcodes.first().cloned(),
        name: size_name(size.name),
        barcodes,
    }
}

/// A product without sizes has one that is called `0` or nothing.
pub(super) fn size_name(tech_size: Option<Text>) -> Option<String> {
    Text::filled(tech_size).filter(|name| name != "0")
}
