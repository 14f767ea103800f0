//! The seller's own warehouses.

use domain::{
    marketplace::WarehouseKind,
    reading::{Location, ReadPage},
};
use serde::Deserialize;

use super::{api::Api, endpoints::WAREHOUSES};
use crate::{
    decode::{self, Id, RawRows},
    error::Error,
};

#[derive(Deserialize)]
struct Warehouse {
    id: Id,
    name: String,
}

/// Reads all of them at once. One that is being deleted may still hold stock, so none is left out.
pub(super) async fn read(api: &Api) -> Result<ReadPage<Location>, Error> {
    let endpoint = WAREHOUSES.operation;
    let (rows, failed) = api
        .get(&WAREHOUSES, "/api/v3/warehouses", &[], |body| {
            let raw: RawRows<'_> = decode::page(endpoint, body)?;
            Ok(decode::rows(endpoint, raw, location))
        })
        .await?;
    Ok(ReadPage { failed, ..ReadPage::last(rows) })
}

fn location(warehouse: Warehouse) -> Option<Location> {
    let name = Some(warehouse.name).filter(|name| !name.trim().is_empty())?;
    Some(Location { kind: WarehouseKind::Seller, external_id: Some(warehouse.id.0), name })
}
