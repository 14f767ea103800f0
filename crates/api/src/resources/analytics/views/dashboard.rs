//! The dashboard on the wire.

use chrono::{DateTime, Utc};
use domain::{
    analytics::{Dashboard, DashboardSync},
    figures::health_score_tenths,
};
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::view::{SyncState, ratio_tenths, tenths};

/// The company at a glance; active products only.
#[derive(Serialize, ToSchema)]
#[schema(as = Dashboard)]
pub(in crate::resources::analytics) struct DashboardView {
    /// Products in catalogues.
    #[schema(example = 130)]
    total_products: i64,
    /// Units that can be sold.
    #[schema(example = 5400)]
    total_stock: i64,
    /// Units ordered in the window.
    #[schema(example = 320)]
    total_orders: i64,
    /// Products that are low.
    #[schema(example = 12)]
    low_stock_count: i64,
    /// Products that are out.
    #[schema(example = 4)]
    out_of_stock_count: i64,
    /// Units for each product, one decimal; 0.0 without products.
    #[schema(example = 41.5)]
    average_stock_per_product: f64,
    /// The latest sync that ended, of any account.
    last_sync: Option<LastSyncView>,
    /// 100 less the percentage of products that are low or out, one decimal.
    #[schema(example = 87.7)]
    health_score: f64,
}

/// The latest sync, in short.
#[derive(Serialize, ToSchema)]
#[schema(as = DashboardLastSync)]
struct LastSyncView {
    sync_id: Uuid,
    account_id: Uuid,
    state: SyncState,
    finished_at: DateTime<Utc>,
}

impl From<Dashboard> for DashboardView {
    fn from(dashboard: Dashboard) -> Self {
        let Dashboard {
            total_products,
            total_stock,
            total_orders,
            low_stock_count,
            out_of_stock_count,
            last_sync,
        } = dashboard;
        Self {
            total_products,
            total_stock,
            total_orders,
            low_stock_count,
            out_of_stock_count,
            average_stock_per_product: ratio_tenths(total_stock, total_products),
            last_sync: last_sync.map(LastSyncView::from),
            health_score: tenths(health_score_tenths(total_products, low_stock_count, out_of_stock_count)),
        }
    }
}

impl From<DashboardSync> for LastSyncView {
    fn from(sync: DashboardSync) -> Self {
        Self {
            sync_id: sync.id.into(),
            account_id: sync.account_id.into(),
            state: sync.state.into(),
            finished_at: sync.finished_at,
        }
    }
}
