//! Lines of orders that were placed.
//!
//! A line holds the units that were ordered and not cancelled. Where only some of its units are cancelled, those are a
//! line of their own beside it, since a line of ours is either cancelled or not; once all are, the line itself is
//! cancelled, and the other one is told to hold nothing any more. Vendure tells no time of a cancellation: the last
//! change of the order stands for it. A refund changes what was paid, not what was ordered, and changes no line.
//!
//! Prices are of one unit with taxes: before discounts, and after those of the line and the line's share of those of
//! the order, which is what Vendure calls its true economic value.

use chrono::{DateTime, SecondsFormat, SubsecRound as _, TimeDelta};
use domain::{
    clock::Timestamp,
    marketplace::Capability,
    money::{Currency, Money},
    reading::{OrderRow, Position, ReadPage},
};
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::{
    api::{Api, Query},
    list::{self, Page, parse_position, position},
};
use crate::{
    decode::{Id, Units, Whole},
    error::Error,
};

pub(super) const ORDERS: Query = Query {
    operation: "orders",
    capability: Some(Capability::Orders),
    text: "query($take: Int!, $skip: Int!, $after: DateTime!) {
        settings: globalSettings { serverConfig { moneyStrategyPrecision } }
        list: orders(options: {
            take: $take, skip: $skip, sort: { updatedAt: ASC, id: ASC },
            filter: { updatedAt: { after: $after }, orderPlacedAt: { isNull: false } }
        }) {
            totalItems
            items {
                id code type state orderPlacedAt updatedAt currencyCode
                lines {
                    id quantity orderPlacedQuantity unitPriceWithTax proratedUnitPriceWithTax
                    productVariant { id product { id } }
                }
            }
        }
    }",
};

/// How far back the first reading goes.
const REACH: TimeDelta = TimeDelta::days(90);

/// How far before the last change that was read the next reading starts: a change is dated when it is made, and seen
/// when its transaction ends.
const OVERLAP: TimeDelta = TimeDelta::hours(1);

/// The shop keeps finer times than it shows: from a moment on is after the millisecond before it.
const STEP_BACK: TimeDelta = TimeDelta::milliseconds(1);

/// Orders of one moment that are read again with the next page, in case that some have left it.
const SEEN_AGAIN: u64 = 10;

/// Orders that are asked for at once; fewer where a shop allows fewer.
const TAKE: u64 = 100;

/// What a marketplace of many sellers calls an order that it has split up by seller. The parts are in the list too.
const SPLIT_UP: &str = "Aggregate";

/// Our word for a line none of which is wanted any more; Vendure's for such an order.
const CANCELLED: &str = "Cancelled";

/// Most minor units that a price can be; the sums over a window stay far from overflow.
const MOST_MINOR: i64 = 10_000_000_000_000;

/// Where the next reading starts.
#[derive(Serialize, Deserialize)]
struct Watermark {
    /// Latest change that has been read.
    changed: Timestamp,
}

/// Where this reading goes on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Place {
    /// The change after which to ask.
    after: Timestamp,
    /// Orders to leave out there: only where more changed in one moment than are given at once.
    skip: u64,
    take: u64,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Settings {
    server_config: ServerConfig,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct ServerConfig {
    /// Digits after the point of every amount of money, whatever its currency.
    money_strategy_precision: u8,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Order {
    id: Id,
    code: Id,
    #[serde(rename = "type")]
    kind: String,
    state: String,
    #[serde(rename = "orderPlacedAt")]
    placed_at: String,
    updated_at: String,
    currency_code: Currency,
    lines: Vec<Line>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Line {
    id: Id,
    quantity: Units,
    order_placed_quantity: Units,
    unit_price_with_tax: Whole,
    prorated_unit_price_with_tax: Whole,
    product_variant: Variant,
}

#[derive(Deserialize)]
struct Variant {
    id: Id,
    product: Product,
}

#[derive(Deserialize)]
struct Product {
    id: Id,
}

/// An order's lines, and the time of its last change.
struct Changed {
    at: Timestamp,
    lines: Vec<OrderRow>,
}

/// Reads the next page.
pub(super) async fn read(
    api: &Api,
    since: Option<&Position>,
    at: Option<&Position>,
) -> Result<ReadPage<OrderRow>, Error> {
    let beginning = |after| Place { after, skip: 0, take: TAKE };
    let mut place = match (at, since) {
        (Some(at), _) => parse_position(&ORDERS, at)?,
        (None, Some(since)) => {
            let watermark: Watermark = parse_position(&ORDERS, since)?;
            beginning(watermark.changed - OVERLAP)
        }
        (None, None) => beginning(api.now() - REACH),
    };
    let (after, skip) = (place.after.to_rfc3339_opts(SecondsFormat::Millis, true), place.skip);
    let question = |take| json!({ "take": take, "skip": skip, "after": after });
    let page = list::page(api, &ORDERS, &mut place.take, question, |_| Some(0), changed).await?;
    let latest = page.rows.iter().map(|order| order.at).max();
    let next = place.following(&page, latest)?;
    // No change is later than now. An order that says so must not take the reading past what is still to come.
    let watermark = latest.map(|latest| position(&Watermark { changed: latest.min(api.now()) }));
    Ok(ReadPage {
        failed: page.failed,
        next: next.as_ref().map(position),
        watermark,
        ..ReadPage::last(page.rows.into_iter().flat_map(|order| order.lines).collect())
    })
}

impl Place {
    /// Where to go on after a page; nowhere if it was the last one.
    fn following(&self, page: &Page<Changed>, latest: Option<Timestamp>) -> Result<Option<Self>, Error> {
        let count = page.ids.len() as u64;
        if self.skip + count >= page.total {
            return Ok(None);
        }
        if count == 0 {
            let what = format!("list.items: nothing after {} of {} rows", self.skip, page.total);
            return Err(Error::ContractChanged { endpoint: ORDERS.operation, what });
        }
        let after = latest.map_or(self.after, |latest| latest.trunc_subsecs(3) - STEP_BACK);
        if after > self.after {
            return Ok(Some(Self { after, skip: 0, ..self.clone() }));
        }
        let again = SEEN_AGAIN.min(count - 1);
        Ok(Some(Self { skip: self.skip + count - again, ..self.clone() }))
    }
}

fn changed(settings: &Settings, order: Order) -> Option<Changed> {
    let at = moment(&order.updated_at)?;
    let shared = Shared {
        precision: settings.server_config.money_strategy_precision,
        ordered_at: moment(&order.placed_at)?,
        changed_at: at,
        currency: order.currency_code,
        order: order.id.0,
        code: order.code.0,
        state: order.state,
    };
    if order.kind == SPLIT_UP {
        return Some(Changed { at, lines: Vec::new() });
    }
    let lines = order.lines.into_iter().map(|line| shared.lines(line)).collect::<Option<Vec<_>>>()?;
    Some(Changed { at, lines: lines.into_iter().flatten().collect() })
}

/// What all lines of an order share.
struct Shared {
    precision: u8,
    ordered_at: Timestamp,
    changed_at: Timestamp,
    currency: Currency,
    order: String,
    code: String,
    state: String,
}

impl Shared {
    /// The units that are wanted, and those that are not any more.
    fn lines(&self, line: Line) -> Option<Vec<OrderRow>> {
        let (wanted, ordered) = (line.quantity.0, line.order_placed_quantity.0);
        let cancelled = (ordered - wanted).max(0);
        let paid = self.money(line.prorated_unit_price_with_tax)?;
        let row = OrderRow {
            external_id: format!("{}:{}", self.order, line.id.0),
            basket_id: Some(self.code.clone()),
            product_external_id: Some(line.product_variant.product.id.0),
            variant_external_id: Some(line.product_variant.id.0),
            barcode: None,
            size: None,
            location: None,
            quantity: wanted,
            price: Some(paid),
            list_price: Some(self.money(line.unit_price_with_tax)?),
            paid_price: Some(paid),
            ordered_at: self.ordered_at,
            changed_at: self.changed_at,
            cancelled_at: None,
            status: self.state.clone(),
        };
        let off = |units, row: &OrderRow| OrderRow {
            quantity: units,
            cancelled_at: Some(self.changed_at),
            status: CANCELLED.to_owned(),
            ..row.clone()
        };
        let part = |units, row: &OrderRow| OrderRow {
            external_id: format!("{}:cancelled", row.external_id),
            ..off(units, row)
        };
        Some(match (wanted, cancelled) {
            (0, _) => vec![off(cancelled, &row), part(0, &row)],
            (_, 0) => vec![row],
            (_, _) => vec![part(cancelled, &row), row],
        })
    }

    /// An amount as Vendure writes it, in the currency's own minor units.
    fn money(&self, amount: Whole) -> Option<Money> {
        let money = Money::parse_decimal(&format!("{}e-{}", amount.0, self.precision), self.currency).ok()?;
        (money.minor.unsigned_abs() <= MOST_MINOR.unsigned_abs()).then_some(money)
    }
}

fn moment(text: &str) -> Option<Timestamp> {
    DateTime::parse_from_rfc3339(text).ok().map(|at| at.to_utc().trunc_subsecs(6))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn page(total: u64, times: &[&str]) -> Page<Changed> {
        let rows: Vec<_> =
            times.iter().map(|at| Changed { at: moment(at).unwrap(), lines: vec![] }).collect();
        Page { total, from: Some(0), ids: vec![String::new(); rows.len()], rows, failed: 0 }
    }

    fn following(place: &Place, page: &Page<Changed>) -> Option<Place> {
        place.following(page, page.rows.iter().map(|order| order.at).max()).unwrap()
    }

    #[test]
    fn a_reading_goes_on_from_the_last_change_and_stands_still_nowhere() {
        let after = moment("2026-11-20T09:00:00Z").unwrap();
        let place = Place { after, skip: 0, take: 100 };
        let next = following(&place, &page(9, &["2026-11-20T09:00:01.5Z"; 4])).unwrap();
        assert_eq!(next, Place { after: moment("2026-11-20T09:00:01.499Z").unwrap(), skip: 0, take: 100 });
        // All of one moment, and more to come: it is the offset that moves, by one at least.
        let further = following(&next, &page(30, &["2026-11-20T09:00:01.5Z"; 20])).unwrap();
        assert_eq!((further.after, further.skip), (next.after, 10));
        let further = following(&next, &page(30, &["2026-11-20T09:00:01.5Z"; 2])).unwrap();
        assert_eq!(further.skip, 1);
        assert_eq!(following(&further, &page(3, &["2026-11-20T09:00:01.5Z"; 2])), None);
        assert!(next.following(&page(3, &[]), None).is_err(), "a list that hides its rows");
    }

    #[test]
    fn amounts_have_the_digits_of_their_currency() {
        let shared = |currency: &str, precision| Shared {
            precision,
            ordered_at: Timestamp::UNIX_EPOCH,
            changed_at: Timestamp::UNIX_EPOCH,
            currency: Currency::parse(currency).unwrap(),
            order: String::new(),
            code: String::new(),
            state: String::new(),
        };
        for (currency, precision, amount, minor) in [
            ("RUB", 2, 13_068, Some(13_068)),
            ("JPY", 2, 50_000, Some(500)),
            ("JPY", 0, 500, Some(500)),
            ("KWD", 2, 125, Some(1_250)),
            ("RUB", 3, 10_005, Some(1_001)),
            ("RUB", 2, i64::MAX, None),
        ] {
            let money = shared(currency, precision).money(Whole(amount)).map(|money| money.minor);
            assert_eq!(money, minor, "{amount} {currency} with {precision} digits");
        }
    }
}
