//! Stock by variant and location.
//!
//! What can be sold is on hand less allocated, location by location, and never less than nothing: Vendure may allocate
//! more than there is. The out-of-stock threshold is the variant's, for all locations together, and is not taken off.
//! What Vendure does not track has no figure, whatever numbers stand in its levels.

use domain::{
    marketplace::{Capability, Side},
    reading::{Location, Position, ReadPage, StockRow},
};
use serde::{Deserialize, Serialize};

use super::{
    api::{Api, Query},
    list::{self, Place, Standing, parse_position, position},
    locations::StockLocation,
};
use crate::{
    connector::KnownCatalogue,
    decode::{Id, Whole},
    error::Error,
};

pub(super) const STOCK: Query = Query {
    operation: "stock",
    capability: Some(Capability::StockSeller),
    text: "query($take: Int!, $skip: Int!) {
        settings: globalSettings { trackInventory }
        list: productVariants(options: { take: $take, skip: $skip, sort: { id: ASC } }) {
            totalItems
            items {
                id trackInventory product { id }
                stockLevels { stockOnHand stockAllocated stockLocation { id name } }
            }
        }
    }",
};

/// More units of one thing in one place than anybody has; the sums over a catalogue stay far from overflow.
const MOST_UNITS: i64 = 1_000_000_000;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Settings {
    track_inventory: bool,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Variant {
    id: Id,
    track_inventory: String,
    product: Product,
    stock_levels: Vec<Level>,
}

#[derive(Deserialize)]
struct Product {
    id: Id,
}

#[derive(Deserialize)]
struct Level {
    #[serde(rename = "stockOnHand")]
    on_hand: Whole,
    #[serde(rename = "stockAllocated")]
    allocated: Whole,
    #[serde(rename = "stockLocation")]
    location: StockLocation,
}

/// Where this reading goes on.
#[derive(Serialize, Deserialize)]
struct Here {
    list: Place,
    /// Rows that were given, those that could not be read included.
    given: u64,
}

/// What a variant is told to have.
enum Told {
    /// By location; nothing at all is none.
    Levels(Vec<StockRow>),
    /// Nobody counts it, and no location is named.
    Uncounted { variant: String, product: String },
}

/// Reads the next page.
pub(super) async fn read(
    api: &Api,
    side: Side,
    known: &dyn KnownCatalogue,
    at: Option<&Position>,
) -> Result<ReadPage<StockRow>, Error> {
    if side != Side::Fbs {
        let what = "a shop has no warehouses but its own".to_owned();
        return Err(Error::InvalidRequest { endpoint: STOCK.operation, what });
    }
    let Here { list, given } = match at {
        Some(at) => parse_position(&STOCK, at)?,
        None => Here { list: Place::beginning(), given: 0 },
    };
    let part = list::next(api, &STOCK, list, told).await?;
    let rows = place(part.rows, known).await?;
    let given = given + rows.len() as u64 + part.failed;
    let (next, expected_total) = match part.standing {
        Standing::More(list) => (Some(Here { list, given }), None),
        Standing::Whole => (None, None),
        // Each variant that has come or gone would have had a row, or more: what was read is not what there is.
        Standing::Shifted(variants) => (None, Some(given + variants)),
    };
    Ok(ReadPage {
        failed: part.failed,
        next: next.as_ref().map(position),
        expected_total,
        ..ReadPage::last(rows)
    })
}

fn told(settings: &Settings, variant: Variant) -> Option<Told> {
    let is_tracked = match variant.track_inventory.as_str() {
        "TRUE" => true,
        "FALSE" => false,
        "INHERIT" => settings.track_inventory,
        _ => return None,
    };
    let (id, product) = (variant.id.0, variant.product.id.0);
    if !is_tracked && variant.stock_levels.is_empty() {
        return Some(Told::Uncounted { variant: id, product });
    }
    let rows = variant.stock_levels.into_iter().map(|level| {
        let (on_hand, reserved) = (level.on_hand.0, level.allocated.0);
        if [on_hand, reserved].iter().any(|units| !(-MOST_UNITS..=MOST_UNITS).contains(units)) {
            return None;
        }
        let location = Some(level.location.into_location());
        let row = StockRow { location, ..nowhere(id.clone(), product.clone()) };
        if !is_tracked {
            return Some(row);
        }
        let available = Some((on_hand - reserved).max(0));
        Some(StockRow { available, reserved: Some(reserved), on_hand: Some(on_hand), ..row })
    });
    rows.collect::<Option<Vec<_>>>().map(Told::Levels)
}

/// A variant that nobody counts and that lies nowhere is unknown in the first warehouse there is, or it would look like
/// one that has none.
async fn place(told: Vec<Told>, known: &dyn KnownCatalogue) -> Result<Vec<StockRow>, Error> {
    let mut rows = Vec::with_capacity(told.len());
    let mut first: Option<Option<Location>> = None;
    for told in told {
        match told {
            Told::Levels(levels) => rows.extend(levels),
            Told::Uncounted { variant, product } => {
                let anywhere = match &first {
                    Some(anywhere) => anywhere.clone(),
                    None => first.insert(known.seller_warehouses().await?.into_iter().next()).clone(),
                };
                if anywhere.is_some() {
                    rows.push(StockRow { location: anywhere, ..nowhere(variant, product) });
                }
            }
        }
    }
    Ok(rows)
}

fn nowhere(variant: String, product: String) -> StockRow {
    StockRow {
        variant_external_id: Some(variant),
        product_external_id: Some(product),
        barcode: None,
        size: None,
        location: None,
        available: None,
        reserved: None,
        on_hand: None,
        in_transit_to_customer: None,
        in_transit_returns: None,
    }
}
