//! What the service holds for all tenants together. Measured from time to time; no series before the first measurement.

use prometheus::{IntGaugeVec, Registry};

use super::{filed, names};

/// Products and their stock.
pub struct Business {
    products: IntGaugeVec,
    stock_units: IntGaugeVec,
    low_stock: IntGaugeVec,
}

impl Business {
    pub(super) fn new(registry: &Registry) -> prometheus::Result<Self> {
        Ok(Self {
            products: filed(registry, names::PRODUCTS.int_gauge()?)?,
            stock_units: filed(registry, names::STOCK_UNITS.int_gauge()?)?,
            low_stock: filed(registry, names::LOW_STOCK_PRODUCTS.int_gauge()?)?,
        })
    }

    /// States how many products there are, how many units of them in stock, and how many products are low.
    pub fn set(&self, products: i64, stock_units: i64, low_stock: i64) {
        let families =
            [(&self.products, products), (&self.stock_units, stock_units), (&self.low_stock, low_stock)];
        for (family, number) in families {
            family.with_label_values::<&str>(&[]).set(number);
        }
    }
}
