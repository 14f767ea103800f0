//! Finding the variants that order lines and stock rows are of.

use std::collections::{HashMap, HashSet};

use domain::{
    ids::AccountId,
    matching::{Candidate, Clue, find_variant},
};
use sea_orm::{ColumnTrait as _, EntityTrait as _, QueryFilter as _, QuerySelect as _};
use uuid::Uuid;

use super::{CHUNK, Placed, products_by_external_id, variants::variants_by_external_id};
use crate::{
    codec,
    db::TenantTx,
    entity::{product, variant, variant_barcode},
    error::Error,
};

/// The variants that some rows may be of, found with a few queries for all of them.
#[derive(Debug)]
pub struct Matcher {
    candidates: Vec<Candidate<Placed>>,
    by_barcode: HashMap<String, Vec<usize>>,
    by_product: HashMap<String, Vec<usize>>,
    by_external_id: HashMap<String, usize>,
}

impl Matcher {
    /// Loads the candidates of rows with these clues.
    pub async fn load<M>(tx: &TenantTx<M>, account: AccountId, clues: &[Clue<'_>]) -> Result<Self, Error> {
        let candidates = candidates(tx, account, clues).await?;
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

    /// The variant of a row whose clue was loaded.
    pub fn find(&self, clue: Clue<'_>) -> Option<&Candidate<Placed>> {
        let mut near: Vec<usize> = Vec::new();
        near.extend(clue.barcode.and_then(|b| self.by_barcode.get(b)).into_iter().flatten());
        near.extend(clue.product_external_id.and_then(|p| self.by_product.get(p)).into_iter().flatten());
        near.extend(clue.variant_external_id.and_then(|v| self.by_external_id.get(v)));
        near.sort_unstable();
        near.dedup();
        find_variant(clue, near.iter().map(|i| &self.candidates[*i]))
    }
}

/// Variants that rows with these clues may be of, with their products.
async fn candidates<M>(
    tx: &TenantTx<M>,
    account: AccountId,
    clues: &[Clue<'_>],
) -> Result<Vec<Candidate<Placed>>, Error> {
    let barcodes = distinct(clues.iter().filter_map(|clue| clue.barcode));
    let products = distinct(clues.iter().filter_map(|clue| clue.product_external_id));
    let named = distinct(clues.iter().filter_map(|clue| clue.variant_external_id));
    let mut owners: HashMap<Uuid, String> = HashMap::new();
    let mut variants: HashMap<Uuid, variant::Model> = variants_by_external_id(tx, account, named.into_iter())
        .await?
        .into_values()
        .map(|found| (found.id, found))
        .collect();
    for found in products_by_external_id(tx, account, products.into_iter()).await?.into_values() {
        owners.insert(found.id, found.external_id);
    }
    for chunk in owners.keys().copied().collect::<Vec<_>>().chunks(CHUNK) {
        let children = variant::Entity::find()
            .filter(variant::Column::TenantId.eq(tx.tenant()))
            .filter(variant::Column::ProductId.is_in(chunk.iter().copied()))
            .all(tx.inner())
            .await?;
        variants.extend(children.into_iter().map(|v| (v.id, v)));
    }
    for chunk in barcodes.chunks(CHUNK) {
        let ids: Vec<Uuid> = variant_barcode::Entity::find()
            .select_only()
            .column(variant_barcode::Column::VariantId)
            .filter(variant_barcode::Column::TenantId.eq(tx.tenant()))
            .filter(variant_barcode::Column::AccountId.eq(account.as_uuid()))
            .filter(variant_barcode::Column::Barcode.is_in(chunk.iter().copied()))
            .into_tuple()
            .all(tx.inner())
            .await?;
        let unseen: HashSet<Uuid> = ids.into_iter().filter(|id| !variants.contains_key(id)).collect();
        for ids in unseen.into_iter().collect::<Vec<_>>().chunks(CHUNK) {
            let found = variant::Entity::find()
                .filter(variant::Column::TenantId.eq(tx.tenant()))
                .filter(variant::Column::Id.is_in(ids.iter().copied()))
                .all(tx.inner())
                .await?;
            variants.extend(found.into_iter().map(|v| (v.id, v)));
        }
    }
    let unknown: HashSet<Uuid> =
        variants.values().map(|v| v.product_id).filter(|id| !owners.contains_key(id)).collect();
    for ids in unknown.into_iter().collect::<Vec<_>>().chunks(CHUNK) {
        let found = product::Entity::find()
            .filter(product::Column::TenantId.eq(tx.tenant()))
            .filter(product::Column::Id.is_in(ids.iter().copied()))
            .all(tx.inner())
            .await?;
        owners.extend(found.into_iter().map(|p| (p.id, p.external_id)));
    }
    variants
        .into_values()
        .map(|v| {
            Ok(Candidate {
                id: Placed { variant: v.id.into(), product: v.product_id.into() },
                external_id: v.external_id,
                product_external_id: owners.get(&v.product_id).cloned().unwrap_or_default(),
                name: v.name,
                barcodes: codec::from_json("barcodes", &v.barcodes)?,
                is_active: v.active,
            })
        })
        .collect()
}

fn distinct<'a>(texts: impl Iterator<Item = &'a str>) -> Vec<&'a str> {
    texts.collect::<HashSet<_>>().into_iter().collect()
}
