//! What exports can be asked for: what their lists can, without pages.

use app::ProductQuery;
use domain::{
    clock::Timestamp,
    ids::{AccountId, ProductId, WarehouseId},
    picture::{ProductFilter, StockFilter},
};
use serde::Deserialize;
use utoipa::{IntoParams, ToSchema};

use crate::{
    extract::{Moment, QueryFlag, QueryNumber, Text},
    resources::products::{SortBy, SortOrder, StatusWanted},
    view::Marketplace,
};

/// Which rows, and how to write them.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct StocksCsvQuery {
    /// Of one marketplace account.
    #[param(value_type = Option<uuid::Uuid>)]
    account_id: Option<AccountId>,
    /// Of one product.
    #[param(value_type = Option<uuid::Uuid>)]
    product_id: Option<ProductId>,
    /// In one warehouse.
    #[param(value_type = Option<uuid::Uuid>)]
    warehouse_id: Option<WarehouseId>,
    /// As of this moment, which must have passed; as of now unless said.
    #[param(value_type = Option<String>, format = DateTime, example = "2026-01-31T12:00:00Z")]
    at: Option<Moment>,
    /// What stands between cells. Unless said, what spreadsheets in your company's language expect: a semicolon in
    /// Russian, else a comma.
    #[param(inline)]
    pub(super) separator: Option<Separator>,
    /// How text is written: `guarded` unless said.
    #[param(inline)]
    pub(super) text: Option<TextStyle>,
}

/// Which rows.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct StocksNdjsonQuery {
    /// Of one marketplace account.
    #[param(value_type = Option<uuid::Uuid>)]
    account_id: Option<AccountId>,
    /// Of one product.
    #[param(value_type = Option<uuid::Uuid>)]
    product_id: Option<ProductId>,
    /// In one warehouse.
    #[param(value_type = Option<uuid::Uuid>)]
    warehouse_id: Option<WarehouseId>,
    /// As of this moment, which must have passed; as of now unless said.
    #[param(value_type = Option<String>, format = DateTime, example = "2026-01-31T12:00:00Z")]
    at: Option<Moment>,
}

impl StocksCsvQuery {
    pub(super) fn rows(&self) -> (StockFilter, Option<Timestamp>) {
        let Self { account_id, product_id, warehouse_id, at, .. } = self;
        let filter =
            StockFilter { account_id: *account_id, product_id: *product_id, warehouse_id: *warehouse_id };
        (filter, at.map(|moment| moment.0))
    }
}

impl StocksNdjsonQuery {
    pub(super) fn rows(&self) -> (StockFilter, Option<Timestamp>) {
        let Self { account_id, product_id, warehouse_id, at } = *self;
        (StockFilter { account_id, product_id, warehouse_id }, at.map(|moment| moment.0))
    }
}

/// What stands between the cells of a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(super) enum Separator {
    /// `,`
    Comma,
    /// `;`
    Semicolon,
    /// A tab.
    Tab,
}

impl Separator {
    /// What spreadsheets expect in a language.
    pub(super) fn usual_in(locale: &str) -> Self {
        if locale == "ru" { Self::Semicolon } else { Self::Comma }
    }

    pub(super) const fn byte(self) -> u8 {
        match self {
            Self::Comma => b',',
            Self::Semicolon => b';',
            Self::Tab => b'\t',
        }
    }
}

/// How text is written.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(super) enum TextStyle {
    /// With an apostrophe in front where a spreadsheet would take the text for a formula, a number or a date.
    #[default]
    Guarded,
    /// As it is; for programs.
    Exact,
}

/// Which products, in which order.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct ProductsXlsxQuery {
    /// Text in the title, the articles, the SKUs or the barcodes; case does not matter.
    #[param(value_type = Option<String>, min_length = 1, max_length = 200, example = "shirt")]
    search: Option<Text<1, 200>>,
    /// Of one marketplace.
    #[param(inline)]
    marketplace: Option<Marketplace>,
    /// Of one marketplace account.
    #[param(value_type = Option<uuid::Uuid>)]
    account_id: Option<AccountId>,
    /// With stock in one warehouse, or orders from it; the table then has the columns of this one alone.
    #[param(value_type = Option<uuid::Uuid>)]
    warehouse_id: Option<WarehouseId>,
    /// With at least this many units.
    #[param(value_type = Option<i64>, minimum = 0, maximum = 1_000_000_000)]
    min_stock: Option<QueryNumber<0, 1_000_000_000>>,
    /// With at most this many units.
    #[param(value_type = Option<i64>, minimum = 0, maximum = 1_000_000_000)]
    max_stock: Option<QueryNumber<0, 1_000_000_000>>,
    /// Only what is low or out.
    #[param(value_type = Option<bool>, default = false)]
    low_stock_only: Option<QueryFlag>,
    /// In the marketplace's catalogue, or not any more; `active` unless said.
    #[param(inline)]
    status: Option<StatusWanted>,
    /// By what to sort; `name` unless said. Unknown figures sort below all known ones, days of cover without sales above all numbers.
    #[param(inline)]
    sort_by: Option<SortBy>,
    /// Which way to sort; `asc` unless said.
    #[param(inline)]
    sort_order: Option<SortOrder>,
}

impl From<ProductsXlsxQuery> for ProductQuery {
    fn from(query: ProductsXlsxQuery) -> Self {
        let filter = ProductFilter {
            search: query.search.map(|text| text.0),
            marketplace: query.marketplace.map(Into::into),
            account_id: query.account_id,
            warehouse_id: query.warehouse_id,
            min_stock: query.min_stock.map(|units| units.0),
            max_stock: query.max_stock.map(|units| units.0),
            low_stock_only: query.low_stock_only.is_some_and(|flag| flag.0),
            ordered_only: false,
            status: StatusWanted::filter(query.status),
        };
        Self {
            filter,
            sort: query.sort_by.map(Into::into).unwrap_or_default(),
            order: query.sort_order.map(Into::into).unwrap_or_default(),
        }
    }
}
