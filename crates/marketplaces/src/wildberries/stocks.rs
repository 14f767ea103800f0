//! Stock on both sides: one report of all of the marketplace's warehouses, and one question for each of the seller's.

use domain::{
    marketplace::WarehouseKind,
    reading::{Location, Position, ReadPage, StockRow},
};
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::{
    api::{Api, parse_position, position},
    endpoints::{MARKETPLACE_STOCK, SELLER_STOCK},
};
use crate::{
    connector::KnownCatalogue,
    decode::{self, Id, RawRows, Units},
    error::Error,
};

/// Rows of one answer of the report. It allows more; a page this size is held in memory without harm.
const REPORT_LIMIT: u64 = 50_000;

/// Sizes in one question about a seller's warehouse; the most that is allowed.
const CHUNK: usize = 1000;

/// The id of the row that stands for all of the marketplace's warehouses while it does not name them.
const ALL_WAREHOUSES: &str = "-999999";

#[derive(Serialize, Deserialize)]
struct ReportPlace {
    offset: u64,
    /// Where the page before began, to tell a marketplace that gives the same page for ever from one with more.
    first_row: String,
}

#[derive(Deserialize)]
struct Report<'a> {
    #[serde(borrow)]
    data: ReportData<'a>,
}

#[derive(Deserialize)]
struct ReportData<'a> {
    #[serde(borrow)]
    items: RawRows<'a>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct ReportRow {
    nm_id: Option<Id>,
    chrt_id: Id,
    warehouse_id: Id,
    warehouse_name: String,
    quantity: Units,
    in_way_to_client: Option<Units>,
    in_way_from_client: Option<Units>,
}

/// Rows that are no place: what is on its way, and the sum of the real ones. They belong to another report, and the
/// columns of this one say the same; by their exact names, so that no real place is mistaken for one.
const NO_PLACES: [&str; 3] =
    ["В пути до получателей", "В пути возвраты на склад WB", "Всего находится на складах"];

/// Reads the next part of the report on the marketplace's warehouses. It ends with an empty page, or with 204: there
/// is no total to compare with, and a page cut short by the marketplace would look like stock that has vanished.
pub(super) async fn read_marketplace(api: &Api, at: Option<&Position>) -> Result<ReadPage<StockRow>, Error> {
    let endpoint = MARKETPLACE_STOCK.operation;
    let place = match at {
        Some(at) => parse_position(&MARKETPLACE_STOCK, at)?,
        None => ReportPlace { offset: 0, first_row: String::new() },
    };
    let offset = place.offset;
    let question = json!({ "nmIds": [], "chrtIds": [], "limit": REPORT_LIMIT, "offset": offset });
    let path = "/api/analytics/v1/stocks-report/wb-warehouses";
    let answer = api
        .post(&MARKETPLACE_STOCK, path, &question, |body| {
            let report: Report<'_> = decode::page(endpoint, body)?;
            let count = report.data.items.len() as u64;
            let first_row = report.data.items.first().map(|row| row.get().to_owned());
            Ok((decode::rows(endpoint, report.data.items, |row| Some(report_row(row))), count, first_row))
        })
        .await?;
    let end = ReadPage { rows: Vec::new(), failed: 0, next: None, watermark: None, expected_total: None };
    let Some(((mut rows, failed), count, Some(first_row))) = answer else { return Ok(end) };
    if first_row == place.first_row {
        return Ok(end);
    }
    rows.retain(|row: &StockRow| !NO_PLACES.contains(&row.location.name.as_str()));
    let next = Some(position(&ReportPlace { offset: offset + count, first_row }));
    Ok(ReadPage { rows, failed, next, ..end })
}

fn report_row(row: ReportRow) -> StockRow {
    let kind = if row.warehouse_id.0 == ALL_WAREHOUSES {
        WarehouseKind::Aggregate
    } else {
        WarehouseKind::Marketplace
    };
    StockRow {
        variant_external_id: row.chrt_id.0,
        product_external_id: row.nm_id.map(|id| id.0),
        location: Location { kind, external_id: Some(row.warehouse_id.0), name: row.warehouse_name },
        available: row.quantity.0,
        reserved: None,
        on_hand: None,
        in_transit_to_customer: row.in_way_to_client.map(|units| units.0),
        in_transit_returns: row.in_way_from_client.map(|units| units.0),
    }
}

/// The last size that was asked for in a warehouse; none at the beginning of one.
#[derive(Serialize, Deserialize)]
struct SellerPlace {
    warehouse: String,
    after: Option<String>,
}

#[derive(Deserialize)]
struct SellerStock<'a> {
    #[serde(borrow)]
    stocks: RawRows<'a>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct SellerRow {
    chrt_id: Id,
    amount: Units,
}

/// Asks for the next known sizes in the next of the seller's warehouses. Sizes without stock are not in the answer.
pub(super) async fn read_seller(
    api: &Api,
    known: &dyn KnownCatalogue,
    at: Option<&Position>,
) -> Result<ReadPage<StockRow>, Error> {
    let endpoint = SELLER_STOCK.operation;
    let done = ReadPage { rows: Vec::new(), failed: 0, next: None, watermark: None, expected_total: None };
    let mut place = match at {
        Some(at) => parse_position(&SELLER_STOCK, at)?,
        None => SellerPlace { warehouse: String::new(), after: None },
    };
    let warehouses = known.seller_warehouses().await?;
    let (location, id, sizes) = loop {
        let Some((location, id)) = warehouse_from(&warehouses, &place.warehouse) else {
            return Ok(done);
        };
        if id != place.warehouse {
            place = SellerPlace { warehouse: id.to_owned(), after: None };
        }
        let sizes = known.variants_after(place.after.as_deref(), CHUNK).await?;
        match (sizes.is_empty(), &place.after) {
            (false, _) => break (location, id, sizes),
            (true, None) => return Ok(done),
            (true, Some(_)) => place = SellerPlace { warehouse: following(id), after: None },
        }
    };
    let ids = sizes.iter().map(|size| number(size)).collect::<Result<Vec<_>, _>>()?;
    let answer = api
        .post(&SELLER_STOCK, &format!("/api/v3/stocks/{id}"), &json!({ "chrtIds": ids }), |body| {
            let stock: SellerStock<'_> = decode::page(endpoint, body)?;
            Ok(decode::rows(endpoint, stock.stocks, |row| Some(seller_row(row, location))))
        })
        .await?;
    let (rows, failed) =
        answer.ok_or_else(|| Error::ContractChanged { endpoint, what: "status 204".to_owned() })?;
    let next = if sizes.len() == CHUNK {
        Some(SellerPlace { warehouse: id.to_owned(), after: sizes.last().cloned() })
    } else {
        warehouse_from(&warehouses, &following(id))
            .map(|(_, id)| SellerPlace { warehouse: id.to_owned(), after: None })
    };
    Ok(ReadPage { rows, failed, next: next.as_ref().map(position), ..done })
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

fn number(size: &str) -> Result<i64, Error> {
    size.parse().map_err(|_| Error::InvalidRequest {
        endpoint: SELLER_STOCK.operation,
        what: "the id of a size is not a number".to_owned(),
    })
}

fn seller_row(row: SellerRow, location: &Location) -> StockRow {
    StockRow {
        variant_external_id: row.chrt_id.0,
        product_external_id: None,
        location: location.clone(),
        available: row.amount.0,
        reserved: None,
        on_hand: None,
        in_transit_to_customer: None,
        in_transit_returns: None,
    }
}
