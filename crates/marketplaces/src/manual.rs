//! Accounts without a marketplace behind them: the tenant brings catalogue and stock in files.

use domain::marketplace::{Capability, Descriptor, MarketplaceCode};

/// What is said of such accounts.
pub(crate) static DESCRIPTOR: Descriptor = Descriptor {
    code: MarketplaceCode::Manual,
    title: "Own warehouse",
    docs_url: "https://en.wikipedia.org/wiki/Comma-separated_values",
    capabilities: &[Capability::Products, Capability::StockSeller],
    credential_fields: &[],
    notes: "There is nothing to connect to: import your catalogue and the stock of your own warehouses as CSV or XLSX \
            files.",
};
