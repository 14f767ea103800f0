//! What Vendure itself says, and the picture that follows from it.

use std::collections::BTreeMap;
use std::ops::RangeInclusive;

use chrono::{DateTime, Utc};
use serde::Deserialize;

use crate::e2e::picture::{Figures, Level, Money, Ordered, Picture, Product, Totals, Variant, Warehouse};

/// The output of `truth.js`; the names are Vendure's.
#[derive(Debug, Deserialize)]
pub(super) struct Truth {
    /// The day it was in Moscow.
    pub(super) today: String,
    locations: Vec<Named>,
    variants: Vec<VariantTruth>,
    /// Those that were placed.
    orders: Vec<Order>,
}

#[derive(Debug, Deserialize)]
struct Named {
    id: String,
    name: String,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct VariantTruth {
    id: String,
    sku: String,
    track_inventory: bool,
    product: Named,
    stock_levels: Vec<StockLevel>,
}

#[derive(Debug, Deserialize)]
struct StockLevel {
    #[serde(rename = "stockOnHand")]
    on_hand: i64,
    #[serde(rename = "stockAllocated")]
    allocated: i64,
    #[serde(rename = "stockLocation")]
    location: Named,
}

#[derive(Debug, Deserialize)]
struct Order {
    #[serde(rename = "currencyCode")]
    currency: String,
    #[serde(rename = "orderPlacedAt")]
    placed_at: DateTime<Utc>,
    /// Of Moscow; 0 is today.
    #[serde(rename = "daysAgo")]
    days_ago: u32,
    lines: Vec<Line>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Line {
    quantity: i64,
    order_placed_quantity: i64,
    /// In minor units, with taxes and after all discounts.
    prorated_unit_price_with_tax: i64,
    product_variant: Reference,
}

#[derive(Debug, Deserialize)]
struct Reference {
    id: String,
}

impl Truth {
    /// The picture that has to be shown.
    pub(super) fn picture(&self) -> Picture {
        let mut picture = Picture::default();
        for location in &self.locations {
            let warehouse =
                Warehouse { name: location.name.clone(), kind: "seller".to_owned(), total_stock: None };
            picture.warehouses.insert(location.id.clone(), warehouse);
        }
        let mut variants_of: BTreeMap<&str, Vec<&VariantTruth>> = BTreeMap::new();
        for variant in &self.variants {
            variant.put_levels(&mut picture);
            variants_of.entry(&variant.product.id).or_default().push(variant);
            let (product, sku) = (variant.product.id.clone(), variant.sku.clone());
            let told = Variant { product, sku, figures: self.figures(&[variant]) };
            picture.variants.insert(variant.id.clone(), told);
        }
        for (id, variants) in variants_of {
            let name = variants.iter().map(|variant| variant.product.name.clone()).next().unwrap_or_default();
            let told = Product { name, status: "active".to_owned(), figures: self.figures(&variants) };
            picture.products.insert(id.to_owned(), told);
        }
        for order in &self.orders {
            for line in &order.lines {
                let place = (line.product_variant.id.clone(), order.placed_at);
                let ordered: &mut Ordered = picture.orders.entry(place).or_default();
                ordered.sold += line.quantity;
                ordered.cancelled += line.cancelled();
            }
        }
        let products = picture.products.values().map(|product| &product.figures);
        picture.totals = Totals {
            products: picture.products.len(),
            stock: products.clone().filter_map(|figures| figures.total_stock).sum(),
            orders: products.filter_map(|figures| figures.ordered_units).sum(),
        };
        picture
    }

    /// Units that can be sold of a variant in a location.
    pub(super) fn available(&self, sku: &str, location: &str) -> Option<i64> {
        let variant = self.variants.iter().find(|variant| variant.sku == sku)?;
        let level = variant.stock_levels.iter().find(|level| level.location.name == location)?;
        variant.track_inventory.then(|| level.available())
    }

    /// An amount in the one currency of all orders, which has a hundred minor units.
    fn money(&self, minor: i64) -> Option<Money> {
        let currency = self.orders.first()?.currency.clone();
        Some(Money { amount: format!("{}.{:02}", minor / 100, minor % 100), currency })
    }

    /// The figures of a product, or of one of its variants.
    fn figures(&self, variants: &[&VariantTruth]) -> Figures {
        let tracked = variants.iter().filter(|variant| variant.track_inventory);
        let stock =
            tracked.map(|variant| variant.stock_levels.iter().map(StockLevel::available).sum::<i64>());
        let stock = stock.reduce(|a, b| a + b);
        let lines = |days: RangeInclusive<u32>| {
            let orders = self.orders.iter().filter(move |order| days.contains(&order.days_ago));
            let of_these =
                |line: &&Line| variants.iter().any(|variant| variant.id == line.product_variant.id);
            orders.flat_map(|order| &order.lines).filter(of_these)
        };
        // Seven whole days; today is not one yet.
        let window = || lines(1..=7);
        Figures {
            total_stock: stock,
            // A shop has one side, and it is the seller's.
            fbo_stock: None,
            fbs_stock: stock,
            incomplete: variants.iter().any(|variant| !variant.track_inventory),
            ordered_units: Some(window().map(|line| line.quantity).sum()),
            cancelled_units: Some(window().map(Line::cancelled).sum()),
            ordered_today: Some(lines(0..=0).map(|line| line.quantity).sum()),
            revenue: self.money(window().map(Line::value).sum()),
        }
    }
}

impl VariantTruth {
    /// Puts its levels into the picture. What Vendure keeps for a variant that it does not track means nothing, and is
    /// nowhere to be seen.
    fn put_levels(&self, picture: &mut Picture) {
        for level in self.stock_levels.iter().filter(|_| self.track_inventory) {
            let available = level.available();
            let warehouse = picture.warehouses.get_mut(&level.location.id);
            if let Some(total) = warehouse.map(|warehouse| &mut warehouse.total_stock) {
                *total = Some(total.unwrap_or(0) + available);
            }
            let told = Level {
                available: Some(available),
                reserved: Some(level.allocated),
                on_hand: Some(level.on_hand),
            };
            picture.levels.insert((self.id.clone(), level.location.id.clone()), told);
        }
    }
}

impl StockLevel {
    /// Orders may be taken for more than there is.
    fn available(&self) -> i64 {
        (self.on_hand - self.allocated).max(0)
    }
}

impl Line {
    const fn value(&self) -> i64 {
        self.quantity * self.prorated_unit_price_with_tax
    }

    const fn cancelled(&self) -> i64 {
        self.order_placed_quantity - self.quantity
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    /// One product: a variant sold beyond what is there, and one that is not tracked.
    fn picture() -> Picture {
        let level = |on_hand: i64, allocated: i64, location: &str| {
            let location = json!({ "id": location, "name": "" });
            json!({ "stockOnHand": on_hand, "stockAllocated": allocated, "stockLocation": location })
        };
        let variant = |id: &str, tracked: bool, levels: serde_json::Value| {
            let product = json!({ "id": "9", "name": "Shirt" });
            json!({ "id": id, "sku": id, "trackInventory": tracked, "product": product, "stockLevels": levels })
        };
        let order = |days_ago: u32, quantity: i64, placed: i64| {
            let line = json!({
                "quantity": quantity, "orderPlacedQuantity": placed, "proratedUnitPriceWithTax": 1050,
                "productVariant": { "id": "1" },
            });
            let placed_at = format!("2026-11-{:02}T10:00:00.000Z", 20 - days_ago);
            json!({ "currencyCode": "RUB", "orderPlacedAt": placed_at, "daysAgo": days_ago, "lines": [line] })
        };
        let truth: Truth = serde_json::from_value(json!({
            "today": "2026-11-20",
            "locations": [{ "id": "a", "name": "A" }, { "id": "b", "name": "B" }],
            "variants": [
                variant("1", true, json!([level(2, 4, "a"), level(7, 1, "b")])),
                variant("2", false, json!([level(5, 0, "a")])),
            ],
            "orders": [order(0, 1, 1), order(1, 2, 2), order(7, 4, 5), order(8, 8, 8)],
        }))
        .unwrap();
        truth.picture()
    }

    #[test]
    fn stock_is_what_is_not_allocated_and_never_below_nothing() {
        let picture = picture();
        let level = |location: &str| picture.levels[&("1".to_owned(), location.to_owned())].available;
        assert_eq!((level("a"), level("b")), (Some(0), Some(6)));
        assert_eq!(picture.products["9"].figures.total_stock, Some(6));
        assert_eq!(picture.totals.stock, 6);
    }

    #[test]
    fn what_is_not_tracked_is_unknown() {
        let picture = picture();
        assert_eq!(picture.variants["2"].figures.total_stock, None);
        assert!(picture.products["9"].figures.incomplete && !picture.variants["1"].figures.incomplete);
        assert_eq!(picture.levels.len(), 2, "no level of it is told");
    }

    #[test]
    fn the_window_has_seven_days_and_today_is_none_of_them() {
        let figures = picture().products["9"].figures.clone();
        assert_eq!((figures.ordered_units, figures.cancelled_units), (Some(6), Some(1)));
        assert_eq!(figures.ordered_today, Some(1));
        assert_eq!(figures.revenue, Some(Money { amount: "63.00".to_owned(), currency: "RUB".to_owned() }));
    }
}
