//! Table `sync_run`.

use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "sync_run")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub tenant_id: Uuid,
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    pub account_id: Uuid,
    pub marketplace: String,
    pub state: String,
    pub cause: String,
    pub phase: Option<String>,
    pub waiting_until: Option<DateTimeUtc>,
    pub rows_done: i64,
    pub rows_total: Option<i64>,
    pub products: i64,
    pub variants: i64,
    pub stock_rows: i64,
    pub movements: i64,
    pub order_lines: i64,
    pub failed: i64,
    pub unmatched_units: i64,
    pub job_id: Option<Uuid>,
    pub fence: i64,
    pub cancel_requested: bool,
    pub requested_at: DateTimeUtc,
    pub started_at: Option<DateTimeUtc>,
    pub finished_at: Option<DateTimeUtc>,
    pub error_code: Option<String>,
    pub error_message: Option<String>,
}

#[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
