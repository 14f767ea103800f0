//! Stock by the reports that are there at once: of the marketplace's warehouses, and of the seller's.

use domain::{
    marketplace::WarehouseKind,
    reading::{Location, Position, ReadPage, StockRow},
};
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use serde_json::json;

use super::{
    api::{Api, parse_position, position},
    endpoints::{Endpoint, MARKETPLACE_STOCK, SELLER_STOCK_REPORT},
    shelves::{RETURNS, TO_CUSTOMERS, TOTAL},
};
use crate::{
    decode::{self, Id, RawRows, Units},
    error::Error,
};

/// Rows of one answer. The marketplace allows more; a page this size is held in memory without harm.
const LIMIT: u64 = 50_000;

/// The id of the row that stands for all of the marketplace's warehouses while it does not name them.
const ALL_WAREHOUSES: &str = "-999999";

#[derive(Serialize, Deserialize)]
struct Place {
    offset: u64,
    /// Where the page before began, to tell a marketplace that gives the same page for ever from one with more.
    first_row: String,
}

#[derive(Deserialize)]
struct Answer<'a> {
    #[serde(borrow)]
    data: Data<'a>,
}

#[derive(Deserialize)]
struct Data<'a> {
    #[serde(borrow)]
    items: RawRows<'a>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct MarketplaceRow {
    nm_id: Id,
    chrt_id: Id,
    warehouse_id: Id,
    warehouse_name: String,
    quantity: Units,
    in_way_to_client: Units,
    in_way_from_client: Units,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct SellerRow {
    nm_id: Id,
    chrt_id: Id,
    warehouse_id: Id,
    warehouse_name: String,
    quantity: Units,
}

/// A row of a report, which says what report that is.
trait Row: DeserializeOwned + Send + 'static {
    const REPORT: &Endpoint;
    const PATH: &str;

    /// The row in our terms; none if its warehouse has no name.
    fn read(self) -> Option<StockRow>;
}

fn location(kind: WarehouseKind, id: Id, name: String) -> Option<Location> {
    (!name.trim().is_empty()).then_some(Location { kind, external_id: Some(id.0), name })
}

impl Row for MarketplaceRow {
    const REPORT: &Endpoint = &MARKETPLACE_STOCK;
    const PATH: &str = "/api/analytics/v1/stocks-report/wb-warehouses";

    fn read(self) -> Option<StockRow> {
        let is_all = self.warehouse_id.0 == ALL_WAREHOUSES;
        let kind = if is_all { WarehouseKind::Aggregate } else { WarehouseKind::Marketplace };
        Some(StockRow {
            variant_external_id: Some(self.chrt_id.0),
            product_external_id: Some(self.nm_id.0),
            barcode: None,
            size: None,
            location: Some(location(kind, self.warehouse_id, self.warehouse_name)?),
            available: Some(self.quantity.0),
            reserved: None,
            on_hand: None,
            in_transit_to_customer: Some(self.in_way_to_client.0),
            in_transit_returns: Some(self.in_way_from_client.0),
        })
    }
}

impl Row for SellerRow {
    const REPORT: &Endpoint = &SELLER_STOCK_REPORT;
    const PATH: &str = "/api/analytics/v1/stocks-report/seller-warehouses";

    fn read(self) -> Option<StockRow> {
        Some(StockRow {
            variant_external_id: Some(self.chrt_id.0),
            product_external_id: Some(self.nm_id.0),
            barcode: None,
            size: None,
            location: Some(location(WarehouseKind::Seller, self.warehouse_id, self.warehouse_name)?),
            available: Some(self.quantity.0),
            reserved: None,
            on_hand: None,
            in_transit_to_customer: None,
            in_transit_returns: None,
        })
    }
}

/// Reads the next part of the report on the marketplace's warehouses.
pub(super) async fn read_marketplace(api: &Api, at: Option<&Position>) -> Result<ReadPage<StockRow>, Error> {
    let mut page = read::<MarketplaceRow>(api, at).await?;
    // Rows that are no places belong to another report, and the columns of this one say the same.
    page.rows.retain(|row| {
        let name = row.location.as_ref().map(|location| location.name.as_str());
        !name.is_some_and(|name| [TO_CUSTOMERS, RETURNS, TOTAL].contains(&name))
    });
    Ok(page)
}

/// Reads the next part of the report on the seller's warehouses, for tokens that may not ask for each of them.
pub(super) async fn read_seller(api: &Api, at: Option<&Position>) -> Result<ReadPage<StockRow>, Error> {
    read::<SellerRow>(api, at).await
}

/// A report ends with an empty page, or with 204: there is no total to compare with, and a page cut short by the
/// marketplace would look like stock that has vanished.
async fn read<R: Row>(api: &Api, at: Option<&Position>) -> Result<ReadPage<StockRow>, Error> {
    let place = match at {
        Some(at) => parse_position(R::REPORT, at)?,
        None => Place { offset: 0, first_row: String::new() },
    };
    let endpoint = R::REPORT.operation;
    let question = json!({ "nmIds": [], "chrtIds": [], "limit": LIMIT, "offset": place.offset });
    let answer = api
        .post(R::REPORT, R::PATH, &question, |body| {
            let Answer { data: Data { items } } = decode::page(endpoint, body)?;
            let (count, first_row) = (items.len() as u64, items.first().map(|row| row.get().to_owned()));
            Ok((decode::rows(endpoint, items, R::read), count, first_row))
        })
        .await?;
    let end = ReadPage::last(Vec::new());
    let Some(((rows, failed), count, Some(first_row))) = answer else { return Ok(end) };
    if first_row == place.first_row {
        return Ok(end);
    }
    let next = position(&Place { offset: place.offset + count, first_row });
    Ok(ReadPage { failed, next: Some(next), ..ReadPage::last(rows) })
}
