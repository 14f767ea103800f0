//! A company on the wire.

use chrono::{DateTime, Utc};
use domain::tenant::Tenant;
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

/// A company and its settings.
#[derive(Serialize, ToSchema)]
#[schema(as = Tenant)]
pub(crate) struct TenantView {
    #[schema(example = "0199c0de-0000-7000-8000-000000000001")]
    id: Uuid,
    /// The company's name.
    #[schema(example = "Anna's Shop")]
    name: String,
    /// Unique lower-case name.
    #[schema(example = "annas-shop")]
    slug: String,
    /// IANA zone in which the days of shops are counted that have no zone of their own.
    #[schema(example = "Europe/Moscow")]
    time_zone: &'static str,
    /// Language of messages.
    #[schema(example = "ru")]
    locale: String,
    low_stock: LowStockView,
    /// Minutes between two syncs of an account.
    #[schema(example = 30)]
    sync_interval_minutes: i32,
    /// Registration.
    created_at: DateTime<Utc>,
}

/// When a product counts as low: below either threshold, if it has any stock at all.
#[derive(Serialize, ToSchema)]
#[schema(as = LowStock)]
struct LowStockView {
    /// Units below which it is low.
    #[schema(example = 10)]
    units: i64,
    /// Days of cover below which it is low; null where that does not matter.
    #[schema(example = 7)]
    days_of_cover: Option<i64>,
}

impl From<Tenant> for TenantView {
    fn from(tenant: Tenant) -> Self {
        Self {
            id: tenant.id.into(),
            name: tenant.name,
            slug: tenant.slug,
            time_zone: tenant.zone.name(),
            locale: tenant.locale,
            low_stock: LowStockView {
                units: tenant.low_stock.units,
                days_of_cover: tenant.low_stock.days_of_cover,
            },
            sync_interval_minutes: tenant.sync_interval_minutes,
            created_at: tenant.created_at,
        }
    }
}
