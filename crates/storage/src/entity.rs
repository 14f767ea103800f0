//! Tables as sea-orm sees them. Private to this crate: nobody else can name a table.
//!
//! `job` and `order_day` are absent: they are only ever written set by set, in SQL.

#![expect(unreachable_pub, reason = "sea-orm's derives want their types public; the module is not")]

pub(crate) mod account_reading;
pub(crate) mod account_schedule;
pub(crate) mod event;
pub(crate) mod idempotent_request;
pub(crate) mod identity;
pub(crate) mod marketplace_account;
pub(crate) mod membership;
pub(crate) mod order_line;
pub(crate) mod product;
pub(crate) mod refresh_token;
pub(crate) mod seller_limit;
pub(crate) mod session;
pub(crate) mod stock_level;
pub(crate) mod stock_movement;
pub(crate) mod stock_reading;
pub(crate) mod sync_run;
pub(crate) mod sync_step;
pub(crate) mod tenant;
pub(crate) mod variant;
pub(crate) mod variant_barcode;
pub(crate) mod warehouse;
