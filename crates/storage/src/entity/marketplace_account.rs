//! Table `marketplace_account`.

use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "marketplace_account")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub tenant_id: Uuid,
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    pub marketplace: String,
    pub name: String,
    pub state: String,
    pub seller_external_id: String,
    pub seller_name: String,
    pub capabilities: String,
    pub credential_sealed: String,
    pub credential_masked: String,
    pub credential_expires_at: Option<DateTimeUtc>,
    pub credential_scopes: String,
    pub credential_kind: Option<String>,
    pub credential_notes: String,
    pub sync_interval_minutes: Option<i32>,
    pub last_sync_state: Option<String>,
    pub last_sync_at: Option<DateTimeUtc>,
    pub created_at: DateTimeUtc,
    pub updated_at: DateTimeUtc,
}

#[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
