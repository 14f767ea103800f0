//! Stock locations: the seller's warehouses.

use domain::{
    marketplace::{Capability, WarehouseKind},
    reading::{Location, Position, ReadPage},
};
use serde::{Deserialize, de::IgnoredAny};

use super::{
    api::{Api, Query},
    list::{self, Place, Standing, parse_position, position},
};
use crate::{decode::Id, error::Error};

pub(super) const LOCATIONS: Query = Query {
    operation: "locations",
    capability: Some(Capability::Locations),
    text: "query($take: Int!, $skip: Int!) {
        list: stockLocations(options: { take: $take, skip: $skip, sort: { id: ASC } }) {
            totalItems
            items { id name }
        }
    }",
};

/// A stock location, wherever it is named.
#[derive(Deserialize)]
pub(super) struct StockLocation {
    id: Id,
    name: String,
}

impl StockLocation {
    /// The same in our own terms. Names may repeat; ids do not.
    pub(super) fn into_location(self) -> Location {
        Location { kind: WarehouseKind::Seller, external_id: Some(self.id.0), name: self.name }
    }
}

/// Reads the next page.
pub(super) async fn read(api: &Api, at: Option<&Position>) -> Result<ReadPage<Location>, Error> {
    let place = match at {
        Some(at) => parse_position(&LOCATIONS, at)?,
        None => Place::beginning(),
    };
    let row = |_: &Option<IgnoredAny>, location: StockLocation| Some(location.into_location());
    let part = list::next(api, &LOCATIONS, place.clone(), row).await?;
    let next = match part.standing {
        Standing::More(place) => Some(place),
        Standing::Whole => None,
        Standing::Shifted(_) => Some(place.again(&LOCATIONS)?),
    };
    Ok(ReadPage { failed: part.failed, next: next.as_ref().map(position), ..ReadPage::last(part.rows) })
}
