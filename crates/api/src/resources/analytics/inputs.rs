//! What figures over many things can be asked for.

use domain::{
    analytics::Population,
    ids::AccountId,
    page::PageRequest,
    picture::{self, ProductSort},
};
use serde::Deserialize;
use utoipa::{IntoParams, ToSchema};

use crate::{
    extract::{QueryFlag, QueryNumber, Text, page_request},
    resources::products::SortOrder,
    view::Marketplace,
};

/// Days of a history unless the client says otherwise.
const DEFAULT_DAYS: u32 = 30;

/// Of what.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct PopulationQuery {
    /// Of one marketplace account.
    #[param(value_type = Option<uuid::Uuid>)]
    account_id: Option<AccountId>,
    /// Of one marketplace.
    #[param(inline)]
    marketplace: Option<Marketplace>,
}

impl PopulationQuery {
    pub(super) fn population(&self) -> Population {
        population(self.account_id, self.marketplace)
    }
}

/// Of what, and which part of the list.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct ListQuery {
    /// Of one marketplace account.
    #[param(value_type = Option<uuid::Uuid>)]
    account_id: Option<AccountId>,
    /// Of one marketplace.
    #[param(inline)]
    marketplace: Option<Marketplace>,
    /// Most rows to give.
    #[param(value_type = Option<i64>, minimum = 1, maximum = 200, default = 50)]
    limit: Option<QueryNumber<1, 200>>,
    /// `page.next_cursor` of the part before.
    #[param(value_type = Option<String>, max_length = 512)]
    cursor: Option<Text<1, 512>>,
}

impl ListQuery {
    pub(super) fn split(self) -> (Population, PageRequest) {
        (population(self.account_id, self.marketplace), page_request(self.limit, self.cursor))
    }
}

/// What counts as low, of what, and which part of the list.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct LowStockQuery {
    /// Units below which a product is low, in place of your company's whole rule.
    #[param(value_type = Option<i64>, minimum = 0, maximum = 1_000_000)]
    threshold: Option<QueryNumber<0, 1_000_000>>,
    /// Whether products that are out are listed too.
    #[param(value_type = Option<bool>, default = true)]
    include_out_of_stock: Option<QueryFlag>,
    /// Of one marketplace account.
    #[param(value_type = Option<uuid::Uuid>)]
    account_id: Option<AccountId>,
    /// Of one marketplace.
    #[param(inline)]
    marketplace: Option<Marketplace>,
    /// Most rows to give.
    #[param(value_type = Option<i64>, minimum = 1, maximum = 200, default = 50)]
    limit: Option<QueryNumber<1, 200>>,
    /// `page.next_cursor` of the part before.
    #[param(value_type = Option<String>, max_length = 512)]
    cursor: Option<Text<1, 512>>,
}

/// What is wanted of low stock.
pub(super) struct LowStockWanted {
    pub(super) of: Population,
    pub(super) units: Option<i64>,
    pub(super) with_out: bool,
    pub(super) page: PageRequest,
}

impl LowStockQuery {
    pub(super) fn split(self) -> LowStockWanted {
        LowStockWanted {
            of: population(self.account_id, self.marketplace),
            units: self.threshold.map(|units| units.0),
            with_out: self.include_out_of_stock.is_none_or(|flag| flag.0),
            page: page_request(self.limit, self.cursor),
        }
    }
}

/// Of what, in which order, and which part of the list.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct TurnoverQuery {
    /// By what to sort; `velocity` unless said. Unknown figures sort below all known ones, days of cover without sales above all numbers.
    #[param(inline)]
    sort_by: Option<TurnoverSort>,
    /// Which way to sort; unless said, `desc` for `velocity` and `asc` for `days_of_cover`: first what asks for attention.
    #[param(inline)]
    sort_order: Option<SortOrder>,
    /// Of one marketplace account.
    #[param(value_type = Option<uuid::Uuid>)]
    account_id: Option<AccountId>,
    /// Of one marketplace.
    #[param(inline)]
    marketplace: Option<Marketplace>,
    /// Most rows to give.
    #[param(value_type = Option<i64>, minimum = 1, maximum = 200, default = 50)]
    limit: Option<QueryNumber<1, 200>>,
    /// `page.next_cursor` of the part before.
    #[param(value_type = Option<String>, max_length = 512)]
    cursor: Option<Text<1, 512>>,
}

/// By what turnover is sorted.
#[derive(Clone, Copy, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
enum TurnoverSort {
    /// Ordered units per day.
    Velocity,
    /// How long the stock lasts.
    DaysOfCover,
}

impl TurnoverQuery {
    pub(super) fn split(self) -> (Population, (ProductSort, picture::SortOrder), PageRequest) {
        let (sort, usual) = match self.sort_by {
            // Velocity is ordered units over days that are the same for all.
            None | Some(TurnoverSort::Velocity) => {
                (ProductSort::OrderedUnits, picture::SortOrder::Descending)
            }
            Some(TurnoverSort::DaysOfCover) => (ProductSort::DaysOfCover, picture::SortOrder::Ascending),
        };
        let order = self.sort_order.map_or(usual, Into::into);
        let of = population(self.account_id, self.marketplace);
        (of, (sort, order), page_request(self.limit, self.cursor))
    }
}

/// Of what, and how far back.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct SyncHistoryQuery {
    /// Calendar days in your company's time zone, today the last of them.
    #[param(value_type = Option<i64>, minimum = 1, maximum = 90, default = 30)]
    days: Option<QueryNumber<1, 90>>,
    /// Of one marketplace account.
    #[param(value_type = Option<uuid::Uuid>)]
    account_id: Option<AccountId>,
    /// Of one marketplace.
    #[param(inline)]
    marketplace: Option<Marketplace>,
}

impl SyncHistoryQuery {
    pub(super) fn split(self) -> (Population, u32) {
        let days = self.days.and_then(|days| u32::try_from(days.0).ok()).unwrap_or(DEFAULT_DAYS);
        (population(self.account_id, self.marketplace), days)
    }
}

fn population(account_id: Option<AccountId>, marketplace: Option<Marketplace>) -> Population {
    Population { account_id, marketplace: marketplace.map(Into::into) }
}
