//! Finding the variants that order lines are of.

use std::collections::BTreeSet;

use domain::{ids::AccountId, matching::Clue};
use sea_orm::{
    ColumnTrait as _, EntityTrait as _, QueryFilter as _, QueryOrder as _, QuerySelect as _, sea_query::Expr,
};
use uuid::Uuid;

use super::window::recount;
use crate::{
    catalogue::{CHUNK, Matcher},
    db::WriteTx,
    entity::order_line,
    error::Error,
};

/// Tries again to find the variants of lines that had none: the catalogue may know them by now.
pub async fn match_again(tx: &WriteTx, account: AccountId) -> Result<(), Error> {
    let mut days = BTreeSet::new();
    let mut after = Uuid::nil();
    loop {
        let rows = order_line::Entity::find()
            .filter(order_line::Column::TenantId.eq(tx.tenant()))
            .filter(order_line::Column::AccountId.eq(account.as_uuid()))
            .filter(order_line::Column::VariantId.is_null())
            .filter(order_line::Column::Id.gt(after))
            .order_by_asc(order_line::Column::Id)
            .limit(CHUNK as u64)
            .all(tx.inner())
            .await?;
        let Some(last) = rows.last() else { break };
        after = last.id;
        let clues: Vec<Clue<'_>> = rows.iter().map(clue_of).collect();
        let matcher = Matcher::load(tx, account, &clues).await?;
        for row in &rows {
            let Some(found) = matcher.find(clue_of(row)) else {
                continue;
            };
            order_line::Entity::update_many()
                .col_expr(order_line::Column::VariantId, Expr::value(found.id.variant.as_uuid()))
                .col_expr(order_line::Column::ProductId, Expr::value(found.id.product.as_uuid()))
                .col_expr(order_line::Column::VariantExternalId, Expr::value(found.external_id.as_str()))
                .filter(order_line::Column::TenantId.eq(tx.tenant()))
                .filter(order_line::Column::Id.eq(row.id))
                .exec(tx.inner())
                .await?;
            days.insert(row.ordered_on);
        }
    }
    recount(tx, account, &days).await
}

fn clue_of(row: &order_line::Model) -> Clue<'_> {
    Clue {
        variant_external_id: row.variant_external_id.as_deref(),
        product_external_id: row.product_external_id.as_deref(),
        barcode: row.barcode.as_deref(),
        size: row.size.as_deref(),
    }
}
