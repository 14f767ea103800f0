//! The stock picture, as told by one side or the other, in the few words that both must agree on.
//!
//! Things go by the ids of the marketplace.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Debug;

use anyhow::{Context as _, Result};
use chrono::{DateTime, Utc};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::client::Client;

/// Everything that is compared.
#[derive(Debug, Default)]
pub(super) struct Picture {
    /// By product.
    pub(super) products: BTreeMap<String, Product>,
    /// By variant.
    pub(super) variants: BTreeMap<String, Variant>,
    /// By warehouse.
    pub(super) warehouses: BTreeMap<String, Warehouse>,
    /// By variant and warehouse.
    pub(super) levels: BTreeMap<(String, String), Level>,
    /// By variant and moment.
    pub(super) orders: BTreeMap<(String, DateTime<Utc>), Ordered>,
    /// Of all products together.
    pub(super) totals: Totals,
}

/// What is told of a product, and of a variant.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
pub(super) struct Figures {
    pub(super) total_stock: Option<i64>,
    pub(super) fbo_stock: Option<i64>,
    pub(super) fbs_stock: Option<i64>,
    pub(super) incomplete: bool,
    pub(super) ordered_units: Option<i64>,
    pub(super) cancelled_units: Option<i64>,
    pub(super) ordered_today: Option<i64>,
    pub(super) revenue: Option<Money>,
}

#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub(super) struct Money {
    pub(super) amount: String,
    pub(super) currency: String,
}

#[derive(Debug, PartialEq, Eq, Deserialize)]
pub(super) struct Product {
    pub(super) name: String,
    pub(super) status: String,
    #[serde(flatten)]
    pub(super) figures: Figures,
}

#[derive(Debug, PartialEq, Eq)]
pub(super) struct Variant {
    pub(super) product: String,
    pub(super) sku: String,
    pub(super) figures: Figures,
}

#[derive(Debug, PartialEq, Eq, Deserialize)]
pub(super) struct Warehouse {
    pub(super) name: String,
    pub(super) kind: String,
    pub(super) total_stock: Option<i64>,
}

#[derive(Debug, PartialEq, Eq, Deserialize)]
pub(super) struct Level {
    pub(super) available: Option<i64>,
    pub(super) reserved: Option<i64>,
    pub(super) on_hand: Option<i64>,
}

/// Units of order lines.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Ordered {
    pub(super) sold: i64,
    pub(super) cancelled: i64,
}

#[derive(Debug, Default, PartialEq, Eq, Deserialize)]
pub(super) struct Totals {
    #[serde(rename = "total_products")]
    pub(super) products: usize,
    #[serde(rename = "total_stock")]
    pub(super) stock: i64,
    #[serde(rename = "total_orders")]
    pub(super) orders: i64,
}

impl Picture {
    /// The picture as the product shows it.
    pub(super) fn shown(client: &Client) -> Result<Self> {
        let mut picture =
            Self { totals: read(client.get("/api/v1/analytics/dashboard")?)?, ..Self::default() };
        for item in client.all("/api/v1/products")? {
            let external_id = text(&item, "external_id")?;
            let detail = client.get(&format!("/api/v1/products/{}", text(&item, "id")?))?;
            for variant in detail["variants"].as_array().context("a product has variants")? {
                let shown = Variant {
                    product: external_id.clone(),
                    sku: text(variant, "sku")?,
                    figures: read(variant.clone())?,
                };
                picture.variants.insert(text(variant, "external_id")?, shown);
            }
            picture.products.insert(external_id, read(item)?);
        }
        for item in client.all("/api/v1/warehouses")? {
            picture.warehouses.insert(text(&item, "external_id")?, read(item)?);
        }
        for item in client.all("/api/v1/stocks")? {
            let place = (text(&item, "external_variant_id")?, text(&item, "warehouse_external_id")?);
            picture.levels.insert(place, read(item)?);
        }
        for item in client.all("/api/v1/orders")? {
            let line: OrderLine = read(item)?;
            let units = picture.orders.entry((line.external_variant_id, line.ordered_at)).or_default();
            let units = if line.cancelled_at.is_some() { &mut units.cancelled } else { &mut units.sold };
            *units += line.quantity;
        }
        Ok(picture)
    }

    /// How much there is to compare, in words.
    pub(super) fn size(&self) -> String {
        let (products, variants) = (self.products.len(), self.variants.len());
        let (levels, orders) = (self.levels.len(), self.orders.len());
        format!("{products} products, {variants} variants, {levels} stock levels, {orders} order lines")
    }

    /// In what another picture differs from this one, a line for each.
    pub(super) fn differences(&self, other: &Self) -> Vec<String> {
        let mut found = Vec::new();
        compare("product", &self.products, &other.products, &mut found);
        compare("variant", &self.variants, &other.variants, &mut found);
        compare("warehouse", &self.warehouses, &other.warehouses, &mut found);
        compare("level", &self.levels, &other.levels, &mut found);
        compare("order", &self.orders, &other.orders, &mut found);
        if self.totals != other.totals {
            found.push(format!("totals: {:?} and not {:?}", other.totals, self.totals));
        }
        found
    }
}

#[derive(Deserialize)]
struct OrderLine {
    external_variant_id: String,
    quantity: i64,
    ordered_at: DateTime<Utc>,
    cancelled_at: Option<DateTime<Utc>>,
}

fn compare<K: Ord + Debug, T: PartialEq + Debug>(
    what: &str,
    wanted: &BTreeMap<K, T>,
    shown: &BTreeMap<K, T>,
    found: &mut Vec<String>,
) {
    for key in wanted.keys().chain(shown.keys()).collect::<BTreeSet<_>>() {
        match (wanted.get(key), shown.get(key)) {
            (Some(wanted), Some(shown)) if wanted == shown => {}
            (Some(wanted), Some(shown)) => {
                found.push(format!("{what} {key:?}: {shown:?} and not {wanted:?}"));
            }
            (wanted, None) => found.push(format!("{what} {key:?} is missing: {wanted:?}")),
            (None, shown) => found.push(format!("{what} {key:?} should not be there: {shown:?}")),
        }
    }
}

fn read<T: DeserializeOwned>(item: Value) -> Result<T> {
    let shown = item.to_string();
    serde_json::from_value(item).with_context(|| format!("reading {shown}"))
}

fn text(item: &Value, field: &str) -> Result<String> {
    Ok(item[field].as_str().with_context(|| format!("no {field} in {item}"))?.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn picture(available: Option<i64>) -> Picture {
        let level = Level { available, reserved: Some(0), on_hand: Some(0) };
        Picture { levels: [(("1".into(), "2".into()), level)].into(), ..Picture::default() }
    }

    #[test]
    fn unknown_is_not_zero() {
        assert_eq!(picture(Some(0)).differences(&picture(Some(0))), Vec::<String>::new());
        assert_eq!(picture(Some(0)).differences(&picture(None)).len(), 1);
    }

    #[test]
    fn what_is_missing_or_too_much_is_a_difference() {
        let nothing = Picture::default();
        assert!(picture(Some(1)).differences(&nothing)[0].contains("is missing"));
        assert!(nothing.differences(&picture(Some(1)))[0].contains("should not be there"));
    }
}
