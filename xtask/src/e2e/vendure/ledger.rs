//! The ledger of every product, as the product tells it.

use std::collections::BTreeMap;

use anyhow::{Context as _, Result, ensure};
use serde_json::{Value, json};

use crate::e2e::client::Client;

/// Every change of every level, the first readings included.
pub(super) struct Ledger(Vec<Value>);

impl Ledger {
    /// Reads all of it; variants and warehouses by the names that people give them.
    pub(super) fn read(client: &Client) -> Result<Self> {
        let warehouses = names(&client.all("/api/v1/warehouses")?, "name")?;
        let mut changes = Vec::new();
        for product in client.all("/api/v1/products")? {
            let path = format!("/api/v1/products/{}", product["id"].as_str().context("a product has an id")?);
            let detail = client.get(&path)?;
            let variants = names(detail["variants"].as_array().context("a product has variants")?, "sku")?;
            for row in client.all(&format!("{path}/history"))? {
                let name = |of: &BTreeMap<String, Value>, id: &str| {
                    row[id]
                        .as_str()
                        .and_then(|id| of.get(id))
                        .cloned()
                        .with_context(|| format!("{id} of {row}"))
                };
                changes.push(json!({
                    "sku": name(&variants, "variant_id")?,
                    "warehouse": name(&warehouses, "warehouse_id")?,
                    "from": row["from"], "to": row["to"], "cause": row["cause"], "sync_id": row["sync_id"],
                }));
            }
        }
        Ok(Self(changes))
    }

    /// What has been added since it was `earlier`; an error if anything has been taken out.
    pub(super) fn since(mut self, earlier: &Self) -> Result<Vec<Value>> {
        for change in &earlier.0 {
            let place = self.0.iter().position(|other| other == change);
            ensure!(place.is_some(), "{change} is in the ledger no more");
            place.map(|place| self.0.swap_remove(place));
        }
        Ok(self.0)
    }
}

/// A field of each item, by the item's id.
fn names(items: &[Value], field: &str) -> Result<BTreeMap<String, Value>> {
    let named = |item: &Value| Some((item["id"].as_str()?.to_owned(), item[field].clone()));
    items.iter().map(|item| named(item).context("an item has an id")).collect()
}
