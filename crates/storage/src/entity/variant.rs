//! Table `variant`.

use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "variant")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub tenant_id: Uuid,
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    pub account_id: Uuid,
    pub product_id: Uuid,
    pub external_id: String,
    pub sku: Option<String>,
    pub name: Option<String>,
    pub barcodes: String,
    pub active: bool,
    pub seen_by: Option<Uuid>,
    pub first_seen_at: DateTimeUtc,
    pub fbo_stock: Option<i64>,
    pub fbs_stock: Option<i64>,
    pub in_transit_to_customer: Option<i64>,
    pub in_transit_returns: Option<i64>,
    pub ordered_units: Option<i64>,
    pub cancelled_units: Option<i64>,
    pub ordered_today: Option<i64>,
    pub revenue_minor: Option<i64>,
    pub currency: Option<String>,
}

#[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
