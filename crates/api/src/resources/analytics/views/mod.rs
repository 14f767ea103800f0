//! Figures over many things on the wire.

mod dashboard;
mod products;
mod stock;
mod sync_history;

pub(super) use dashboard::DashboardView;
pub(super) use products::{LowStockView, TopProductView, TurnoverView};
pub(super) use stock::{DistributionView, PlaceView};
pub(super) use sync_history::SyncHistoryView;
