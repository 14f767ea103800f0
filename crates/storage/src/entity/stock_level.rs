//! Table `stock_level`.

use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "stock_level")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub tenant_id: Uuid,
    #[sea_orm(primary_key, auto_increment = false)]
    pub variant_id: Uuid,
    #[sea_orm(primary_key, auto_increment = false)]
    pub warehouse_id: Uuid,
    pub account_id: Uuid,
    pub product_id: Uuid,
    pub available: Option<i64>,
    pub reserved: Option<i64>,
    pub on_hand: Option<i64>,
    pub in_transit_to_customer: Option<i64>,
    pub in_transit_returns: Option<i64>,
    pub written_by: Option<Uuid>,
    pub ordered_units: Option<i64>,
    pub cancelled_units: Option<i64>,
    pub ordered_today: Option<i64>,
    pub revenue_minor: Option<i64>,
}

#[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
