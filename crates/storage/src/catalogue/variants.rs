//! Variants of products, and the barcodes they are found by.

use std::{
    collections::{HashMap, HashSet},
    hash::BuildHasher,
};

use domain::{
    ids::{AccountId, ProductId, VariantId},
    reading::{ProductRow, VariantRow},
};
use sea_orm::{
    ActiveModelTrait as _,
    ActiveValue::Set,
    ColumnTrait as _, EntityTrait as _, ExprTrait as _, IntoActiveModel as _, QueryFilter as _,
    QueryOrder as _, QuerySelect as _,
    sea_query::{Expr, OnConflict},
};
use uuid::Uuid;

use super::{CHUNK, Reader, products_by_external_id, unknown_product, upsert_products};
use crate::{
    codec,
    db::{TenantTx, WriteTx},
    entity::{variant, variant_barcode},
    error::Error,
};

pub(super) async fn write(
    tx: &WriteTx,
    reader: Reader,
    rows: &HashMap<&str, &ProductRow>,
    product_ids: &HashMap<String, Uuid>,
) -> Result<(), Error> {
    let mut wanted: HashMap<&str, (&VariantRow, Uuid, bool)> = HashMap::new();
    for row in rows.values() {
        let Some(product_id) = product_ids.get(&row.external_id) else {
            continue;
        };
        for variant in &row.variants {
            wanted.insert(&variant.external_id, (variant, *product_id, !row.removed && !row.hidden));
        }
    }
    let known = variants_by_external_id(tx, reader.account, wanted.keys().copied()).await?;
    let mut models = Vec::with_capacity(wanted.len());
    let mut barcodes_changed = Vec::new();
    let mut moved = Vec::new();
    for (external_id, (row, product_id, active)) in wanted {
        let old = known.get(external_id);
        let mut new =
            old.cloned().unwrap_or_else(|| unknown_variant(tx.tenant(), reader, external_id, product_id));
        if let Some(old) = old.filter(|old| old.product_id != product_id) {
            moved.push((old.id, old.product_id, product_id));
        }
        new.product_id = product_id;
        new.sku.clone_from(&row.sku);
        new.name.clone_from(&row.name);
        new.active = active;
        new.seen_by = Some(reader.pass.into());
        let barcodes = codec::to_json(&row.barcodes);
        if old.is_none_or(|old| old.barcodes != barcodes) {
            barcodes_changed.push((new.id, row.barcodes.clone()));
            new.barcodes = barcodes;
        }
        models.push(new);
    }
    upsert_variants(tx, models).await?;
    write_barcodes(tx, reader.account, &barcodes_changed).await?;
    move_along(tx, &moved).await?;
    // A card names all its sizes: one that it no longer names is gone.
    for chunk in product_ids.values().copied().collect::<Vec<_>>().chunks(CHUNK) {
        variant::Entity::update_many()
            .col_expr(variant::Column::Active, Expr::value(false))
            .filter(variant::Column::TenantId.eq(tx.tenant()))
            .filter(variant::Column::ProductId.is_in(chunk.iter().copied()))
            .filter(variant::Column::SeenBy.is_null().or(variant::Column::SeenBy.ne(reader.pass.as_uuid())))
            .exec(tx.inner())
            .await?;
    }
    Ok(())
}

async fn upsert_variants(tx: &WriteTx, models: Vec<variant::Model>) -> Result<(), Error> {
    use variant::Column;
    let written =
        [Column::ProductId, Column::Sku, Column::Name, Column::Barcodes, Column::Active, Column::SeenBy];
    for chunk in models.chunks(CHUNK) {
        let rows = chunk.iter().map(|model| model.clone().into_active_model().reset_all());
        variant::Entity::insert_many(rows)
            .on_conflict(
                OnConflict::columns([Column::TenantId, Column::AccountId, Column::ExternalId])
                    .update_columns(written)
                    .to_owned(),
            )
            .exec_without_returning(tx.inner())
            .await?;
    }
    Ok(())
}

/// Moves levels and order lines of variants from the product they were of to the one they are of now. The ledger stays:
/// it tells what was.
async fn move_along(tx: &WriteTx, moved: &[(Uuid, Uuid, Uuid)]) -> Result<(), Error> {
    for (variant, from, to) in moved {
        for table in ["stock_level", "order_line"] {
            let sql = format!(
                "UPDATE {table} SET product_id = $4 WHERE tenant_id = $1 AND product_id = $2 AND variant_id = $3"
            );
            tx.execute(&sql, [tx.tenant().into(), (*from).into(), (*variant).into(), (*to).into()]).await?;
        }
    }
    Ok(())
}

async fn write_barcodes(
    tx: &WriteTx,
    account: AccountId,
    changed: &[(Uuid, Vec<String>)],
) -> Result<(), Error> {
    for chunk in changed.chunks(CHUNK) {
        variant_barcode::Entity::delete_many()
            .filter(variant_barcode::Column::TenantId.eq(tx.tenant()))
            .filter(variant_barcode::Column::VariantId.is_in(chunk.iter().map(|(id, _)| *id)))
            .exec(tx.inner())
            .await?;
    }
    let rows: Vec<_> = changed
        .iter()
        .flat_map(|(id, barcodes)| {
            let unique: HashSet<&String> = barcodes.iter().collect();
            unique.into_iter().map(|barcode| variant_barcode::ActiveModel {
                tenant_id: Set(tx.tenant()),
                account_id: Set(account.into()),
                barcode: Set(barcode.clone()),
                variant_id: Set(*id),
            })
        })
        .collect();
    for chunk in rows.chunks(CHUNK) {
        variant_barcode::Entity::insert_many(chunk.to_vec()).exec_without_returning(tx.inner()).await?;
    }
    Ok(())
}

/// Where a variant stands in the store.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Placed {
    /// The variant.
    pub variant: VariantId,
    /// Its product.
    pub product: ProductId,
}

/// Finds variants by the marketplace's ids. Those that the catalogue does not hold, but whose product is named, are
/// added as inactive: stock of a card in the bin is stock all the same.
pub async fn ensure_variants(
    tx: &WriteTx,
    reader: Reader,
    wanted: &HashMap<&str, Option<&str>, impl BuildHasher + Sync>,
) -> Result<HashMap<String, Placed>, Error> {
    let known = variants_by_external_id(tx, reader.account, wanted.keys().copied()).await?;
    let missing: Vec<(&str, &str)> = wanted
        .iter()
        .filter(|(external_id, _)| !known.contains_key(**external_id))
        .filter_map(|(variant, product)| Some((*variant, (*product)?)))
        .collect();
    let mut placed: HashMap<String, Placed> = known
        .into_iter()
        .map(|(external_id, row)| {
            (external_id, Placed { variant: row.id.into(), product: row.product_id.into() })
        })
        .collect();
    if missing.is_empty() {
        return Ok(placed);
    }
    let parents =
        products_by_external_id(tx, reader.account, missing.iter().map(|(_, product)| *product)).await?;
    let mut product_ids: HashMap<&str, Uuid> = HashMap::new();
    let mut new_products = Vec::new();
    let mut new_variants = Vec::new();
    for (external_id, product_external_id) in missing {
        let product_id = *product_ids.entry(product_external_id).or_insert_with(|| {
            parents.get(product_external_id).map_or_else(
                || {
                    let new = unknown_product(tx.tenant(), reader, product_external_id);
                    let id = new.id;
                    new_products.push(new);
                    id
                },
                |known| known.id,
            )
        });
        let new = unknown_variant(tx.tenant(), reader, external_id, product_id);
        placed.insert(external_id.to_owned(), Placed { variant: new.id.into(), product: product_id.into() });
        new_variants.push(new);
    }
    upsert_products(tx, new_products).await?;
    upsert_variants(tx, new_variants).await?;
    Ok(placed)
}

/// Ids of the variants that a reading of stock asks for, ascending, after one.
pub async fn variant_external_ids<M>(
    tx: &TenantTx<M>,
    account: AccountId,
    after: Option<&str>,
    limit: u64,
) -> Result<Vec<String>, Error> {
    let mut query = variant::Entity::find()
        .select_only()
        .column(variant::Column::ExternalId)
        .filter(variant::Column::TenantId.eq(tx.tenant()))
        .filter(variant::Column::AccountId.eq(account.as_uuid()))
        .order_by_asc(variant::Column::ExternalId)
        .limit(limit);
    if let Some(after) = after {
        query = query.filter(variant::Column::ExternalId.gt(after));
    }
    Ok(query.into_tuple().all(tx.inner()).await?)
}

fn unknown_variant(tenant: Uuid, reader: Reader, external_id: &str, product_id: Uuid) -> variant::Model {
    variant::Model {
        tenant_id: tenant,
        id: VariantId::generate().into(),
        account_id: reader.account.into(),
        product_id,
        external_id: external_id.to_owned(),
        sku: None,
        name: None,
        barcodes: "[]".to_owned(),
        active: false,
        seen_by: None,
        first_seen_at: reader.at,
        fbo_stock: None,
        fbs_stock: None,
        in_transit_to_customer: None,
        in_transit_returns: None,
        ordered_units: None,
        cancelled_units: None,
        ordered_today: None,
        revenue_minor: None,
        currency: None,
    }
}

pub(crate) async fn variants_by_external_id<M>(
    tx: &TenantTx<M>,
    account: AccountId,
    ids: impl Iterator<Item = &str>,
) -> Result<HashMap<String, variant::Model>, Error> {
    let mut found = HashMap::new();
    for chunk in ids.collect::<Vec<_>>().chunks(CHUNK) {
        let rows = variant::Entity::find()
            .filter(variant::Column::TenantId.eq(tx.tenant()))
            .filter(variant::Column::AccountId.eq(account.as_uuid()))
            .filter(variant::Column::ExternalId.is_in(chunk.iter().copied()))
            .all(tx.inner())
            .await?;
        found.extend(rows.into_iter().map(|row| (row.external_id.clone(), row)));
    }
    Ok(found)
}
