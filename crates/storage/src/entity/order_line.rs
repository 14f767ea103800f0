//! Table `order_line`.

use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "order_line")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub tenant_id: Uuid,
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    pub account_id: Uuid,
    pub marketplace: String,
    pub external_id: String,
    pub basket_id: Option<String>,
    pub product_id: Option<Uuid>,
    pub variant_id: Option<Uuid>,
    pub warehouse_id: Option<Uuid>,
    pub product_external_id: Option<String>,
    pub variant_external_id: Option<String>,
    pub barcode: Option<String>,
    pub size: Option<String>,
    pub quantity: i64,
    pub price_minor: Option<i64>,
    pub list_price_minor: Option<i64>,
    pub paid_price_minor: Option<i64>,
    pub currency: Option<String>,
    pub ordered_at: DateTimeUtc,
    pub ordered_on: Date,
    pub changed_at: DateTimeUtc,
    pub cancelled_at: Option<DateTimeUtc>,
    pub status: String,
}

#[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
