//! Finding the variants that order lines are of.

use std::collections::{BTreeSet, HashMap};

use domain::{
    ids::AccountId,
    matching::{self, Clue},
};
use sea_orm::{
    ColumnTrait as _, EntityTrait as _, QueryFilter as _, QueryOrder as _, QuerySelect as _, sea_query::Expr,
};
use uuid::Uuid;

use super::window::recount;
use crate::{
    catalogue::{self, CHUNK},
    db::{TenantTx, WriteTx},
    entity::order_line,
    error::Error,
};

/// The candidates of some order lines, found with a few queries for all of them.
pub(super) struct Matcher {
    candidates: Vec<matching::Candidate<catalogue::Placed>>,
    by_barcode: HashMap<String, Vec<usize>>,
    by_product: HashMap<String, Vec<usize>>,
    by_external_id: HashMap<String, usize>,
}

impl Matcher {
    pub(super) async fn load<M>(
        tx: &TenantTx<M>,
        account: AccountId,
        clues: &[Clue<'_>],
    ) -> Result<Self, Error> {
        let candidates = catalogue::candidates(tx, account, clues).await?;
        let mut by_barcode: HashMap<String, Vec<usize>> = HashMap::new();
        let mut by_product: HashMap<String, Vec<usize>> = HashMap::new();
        let mut by_external_id = HashMap::new();
        for (i, candidate) in candidates.iter().enumerate() {
            for barcode in &candidate.barcodes {
                by_barcode.entry(barcode.clone()).or_default().push(i);
            }
            by_product.entry(candidate.product_external_id.clone()).or_default().push(i);
            by_external_id.insert(candidate.external_id.clone(), i);
        }
        Ok(Self { candidates, by_barcode, by_product, by_external_id })
    }

    pub(super) fn find(&self, clue: Clue<'_>) -> Option<&matching::Candidate<catalogue::Placed>> {
        let mut near: Vec<usize> = Vec::new();
        near.extend(clue.barcode.and_then(|b| self.by_barcode.get(b)).into_iter().flatten());
        near.extend(clue.product_external_id.and_then(|p| self.by_product.get(p)).into_iter().flatten());
        near.extend(clue.variant_external_id.and_then(|v| self.by_external_id.get(v)));
        near.sort_unstable();
        near.dedup();
        matching::find_variant(clue, near.iter().map(|i| &self.candidates[*i]))
    }
}

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
