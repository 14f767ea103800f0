//! What a list of products can be asked for.

use app::ProductQuery;
use domain::{
    ids::{AccountId, VariantId, WarehouseId},
    page::PageRequest,
    picture::{self, MovementFilter, ProductFilter},
};
use serde::Deserialize;
use utoipa::{IntoParams, ToSchema};

use crate::{
    extract::{Moment, QueryFlag, QueryNumber, Text, page_request},
    problem::Problem,
    view::{Cause, Marketplace},
};

/// Rows of a numbered page unless the client says otherwise.
const DEFAULT_PAGE_SIZE: u64 = 50;

/// Which products, in which order, and which part of them.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct ProductsQuery {
    /// Text in the title, the articles, the SKUs or the barcodes; case does not matter.
    #[param(value_type = Option<String>, min_length = 1, max_length = 200, example = "shirt")]
    search: Option<Text<1, 200>>,
    /// Of one marketplace.
    #[param(inline)]
    marketplace: Option<Marketplace>,
    /// Of one marketplace account.
    #[param(value_type = Option<uuid::Uuid>)]
    account_id: Option<AccountId>,
    /// With stock in one warehouse, or orders from it.
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
    /// Most rows to give.
    #[param(value_type = Option<i64>, minimum = 1, maximum = 200, default = 50)]
    limit: Option<QueryNumber<1, 200>>,
    /// `page.next_cursor` of the part before.
    #[param(value_type = Option<String>, max_length = 512)]
    cursor: Option<Text<1, 512>>,
    /// Number of a page, from 1; instead of `limit` and `cursor`.
    #[param(value_type = Option<i64>, minimum = 1, maximum = 1_000_000)]
    page: Option<QueryNumber<1, 1_000_000>>,
    /// Rows of a numbered page.
    #[param(value_type = Option<i64>, minimum = 1, maximum = 200, default = 50)]
    page_size: Option<QueryNumber<1, 200>>,
}

/// Which part of the list.
pub(super) enum Part {
    /// From a cursor on.
    Keyset(PageRequest),
    /// By number.
    Numbered {
        /// From 1.
        page: u64,
        /// Rows of a page.
        page_size: u64,
    },
}

/// Whether a product is in the catalogue.
#[derive(Clone, Copy, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(in crate::resources) enum StatusWanted {
    /// It is.
    Active,
    /// It is not any more.
    Inactive,
    /// Either.
    All,
}

/// By what products are sorted.
#[derive(Clone, Copy, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(in crate::resources) enum SortBy {
    /// Title.
    Name,
    /// The seller's article.
    SellerArticle,
    /// Total stock.
    TotalStock,
    /// Units ordered in the window.
    OrderedUnits,
    /// Days of cover.
    DaysOfCover,
    /// Value of the units ordered in the window.
    Revenue,
    /// Units on their way to customers.
    InTransitToCustomer,
    /// The last change.
    UpdatedAt,
}

/// Which way a list runs.
#[derive(Clone, Copy, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(in crate::resources) enum SortOrder {
    /// Smallest first.
    Asc,
    /// Largest first.
    Desc,
}

impl ProductsQuery {
    /// Splits the query; the two ways of paging cannot be mixed.
    pub(super) fn split(self) -> Result<(ProductQuery, Part), Problem> {
        let filter = ProductFilter {
            search: self.search.map(|text| text.0),
            marketplace: self.marketplace.map(Into::into),
            account_id: self.account_id,
            warehouse_id: self.warehouse_id,
            min_stock: self.min_stock.map(|units| units.0),
            max_stock: self.max_stock.map(|units| units.0),
            low_stock_only: self.low_stock_only.is_some_and(|flag| flag.0),
            ordered_only: false,
            status: StatusWanted::filter(self.status),
        };
        let query = ProductQuery {
            filter,
            sort: self.sort_by.map(Into::into).unwrap_or_default(),
            order: self.sort_order.map(Into::into).unwrap_or_default(),
        };
        let numbered = self.page.is_some() || self.page_size.is_some();
        let mixed = if self.cursor.is_some() { "/query/cursor" } else { "/query/limit" };
        match (numbered, self.cursor.is_some() || self.limit.is_some()) {
            (true, true) => Err(Problem::invalid(mixed, "cannot be used together with page or page_size")),
            (true, false) => {
                let page = self.page.map_or(1, QueryNumber::count);
                let page_size = self.page_size.map_or(DEFAULT_PAGE_SIZE, QueryNumber::count);
                Ok((query, Part::Numbered { page, page_size }))
            }
            (false, _) => Ok((query, Part::Keyset(page_request(self.limit, self.cursor)))),
        }
    }
}

impl StatusWanted {
    /// What to look for; active products unless said.
    pub(in crate::resources) const fn filter(wanted: Option<Self>) -> Option<picture::ProductStatus> {
        match wanted {
            None | Some(Self::Active) => Some(picture::ProductStatus::Active),
            Some(Self::Inactive) => Some(picture::ProductStatus::Inactive),
            Some(Self::All) => None,
        }
    }
}

impl From<SortOrder> for picture::SortOrder {
    fn from(order: SortOrder) -> Self {
        match order {
            SortOrder::Asc => Self::Ascending,
            SortOrder::Desc => Self::Descending,
        }
    }
}

impl From<SortBy> for picture::ProductSort {
    fn from(sort: SortBy) -> Self {
        match sort {
            SortBy::Name => Self::Name,
            SortBy::SellerArticle => Self::SellerArticle,
            SortBy::TotalStock => Self::TotalStock,
            SortBy::OrderedUnits => Self::OrderedUnits,
            SortBy::DaysOfCover => Self::DaysOfCover,
            SortBy::Revenue => Self::Revenue,
            SortBy::InTransitToCustomer => Self::InTransitToCustomer,
            SortBy::UpdatedAt => Self::UpdatedAt,
        }
    }
}

/// Which changes of a product's stock.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct HistoryQuery {
    /// Of one variant.
    #[param(value_type = Option<uuid::Uuid>)]
    variant_id: Option<VariantId>,
    /// In one warehouse.
    #[param(value_type = Option<uuid::Uuid>)]
    warehouse_id: Option<WarehouseId>,
    /// At this moment or later.
    #[param(value_type = Option<String>, format = DateTime, example = "2026-01-31T00:00:00Z")]
    from: Option<Moment>,
    /// Before this moment.
    #[param(value_type = Option<String>, format = DateTime, example = "2026-02-07T00:00:00Z")]
    to: Option<Moment>,
    /// By what it was changed.
    #[param(inline)]
    cause: Option<Cause>,
    /// Most rows to give.
    #[param(value_type = Option<i64>, minimum = 1, maximum = 200, default = 50)]
    limit: Option<QueryNumber<1, 200>>,
    /// `page.next_cursor` of the part before.
    #[param(value_type = Option<String>, max_length = 512)]
    cursor: Option<Text<1, 512>>,
}

impl HistoryQuery {
    pub(super) fn split(self) -> (MovementFilter, PageRequest) {
        let Self { variant_id, warehouse_id, from, to, cause, limit, cursor } = self;
        let filter = MovementFilter {
            variant_id,
            warehouse_id,
            from: from.map(|moment| moment.0),
            to: to.map(|moment| moment.0),
            cause: cause.map(Into::into),
        };
        (filter, page_request(limit, cursor))
    }
}
