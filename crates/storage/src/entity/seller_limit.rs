//! Table `seller_limit`.

use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "seller_limit")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub marketplace: String,
    #[sea_orm(primary_key, auto_increment = false)]
    pub seller: String,
    #[sea_orm(primary_key, auto_increment = false)]
    pub method_group: String,
    pub full_at_ms: i64,
}

#[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
