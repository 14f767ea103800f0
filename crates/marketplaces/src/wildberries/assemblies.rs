//! Assembly orders: which of the seller's warehouses sends an order line.

use chrono::TimeDelta;
use domain::{
    clock::Timestamp,
    reading::{Assembly, Position, ReadPage},
    sync::is_contract_drift,
};
use serde::{Deserialize, Serialize};

use super::{
    api::{Api, parse_position, position},
    endpoints::ASSEMBLIES,
};
use crate::{
    decode::{self, Id, RawRows, Whole},
    error::Error,
};

/// Rows of one answer; the most that is allowed.
const LIMIT: &str = "1000";

/// Longest stretch of one question. 30 calendar days are allowed; a day less is sure to be no more.
const STRETCH: TimeDelta = TimeDelta::days(29);

/// How far back the marketplace answers: three months, of which the shortest have 89 days.
const REACH: TimeDelta = TimeDelta::days(89);

/// Where in which stretch; Unix seconds.
#[derive(Serialize, Deserialize)]
struct Place {
    from: i64,
    until: i64,
    next: i64,
}

#[derive(Deserialize)]
struct Page<'a> {
    next: Whole,
    #[serde(borrow)]
    orders: RawRows<'a>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Order {
    /// The id of an order line, which is never a number.
    rid: String,
    warehouse_id: Id,
}

/// Reads the next page, from `from` or as far back as the marketplace answers until the moment the reading began.
pub(super) async fn read(
    api: &Api,
    from: Timestamp,
    at: Option<&Position>,
) -> Result<ReadPage<Assembly>, Error> {
    let endpoint = ASSEMBLIES.operation;
    let place = if let Some(at) = at {
        parse_position(&ASSEMBLIES, at)?
    } else {
        let now = api.now();
        Place { from: from.max(now - REACH).timestamp(), until: now.timestamp(), next: 0 }
    };
    let end = place.until.min(place.from + STRETCH.num_seconds());
    let (next, date_from, date_to) = (place.next.to_string(), place.from.to_string(), end.to_string());
    let query = [("limit", LIMIT), ("next", &next), ("dateFrom", &date_from), ("dateTo", &date_to)];
    let (rows, failed, count, next) = api
        .get(&ASSEMBLIES, "/api/v3/orders", &query, |body| {
            let Page { next: Whole(next), orders } = decode::page(endpoint, body)?;
            let count = orders.len();
            let (rows, failed) = decode::rows(endpoint, orders, assembly);
            if is_contract_drift(rows.len() as u64, failed) {
                let what = format!("orders: {failed} of {count} rows cannot be read");
                return Err(Error::ContractChanged { endpoint, what });
            }
            Ok((rows, failed, count, next))
        })
        .await?;
    let next = if next != 0 && count > 0 {
        if next == place.next {
            return Err(Error::ContractChanged { endpoint, what: "next: does not move on".to_owned() });
        }
        Some(Place { next, ..place })
    } else if end < place.until {
        Some(Place { from: end, until: place.until, next: 0 })
    } else {
        None
    };
    Ok(ReadPage { failed, next: next.as_ref().map(position), ..ReadPage::last(rows) })
}

fn assembly(order: Order) -> Option<Assembly> {
    let line_external_id = Some(order.rid).filter(|id| decode::tells_apart(id))?;
    Some(Assembly { line_external_id, warehouse_external_id: order.warehouse_id.0 })
}
