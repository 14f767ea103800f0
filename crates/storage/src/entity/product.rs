//! Table `product`.

use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "product")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub tenant_id: Uuid,
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    pub account_id: Uuid,
    pub marketplace: String,
    pub external_id: String,
    pub seller_article: String,
    pub name: String,
    pub brand: Option<String>,
    pub category: Option<String>,
    pub active: bool,
    pub search_text: String,
    pub seen_by: Option<Uuid>,
    pub total_stock: i64,
    pub fbo_stock: i64,
    pub fbs_stock: i64,
    pub in_transit_to_customer: i64,
    pub in_transit_returns: i64,
    pub ordered_units: i64,
    pub cancelled_units: i64,
    pub ordered_today: i64,
    pub revenue_minor: i64,
    pub currency: Option<String>,
    pub cover_rank: i64,
    pub partly_measured: bool,
    pub created_at: DateTimeUtc,
    pub updated_at: DateTimeUtc,
}

#[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
