//! Writing the catalogue: products and variants as a marketplace lists them.

mod candidates;
mod variants;

use std::collections::HashMap;

use domain::{
    clock::Timestamp,
    ids::{AccountId, PassId, ProductId},
    marketplace::MarketplaceCode,
    reading::ProductRow,
    search,
};
use sea_orm::{
    ActiveModelTrait as _, ColumnTrait as _, EntityTrait as _, IntoActiveModel as _, PaginatorTrait as _,
    QueryFilter as _, sea_query::OnConflict,
};
use uuid::Uuid;

pub(crate) use self::variants::variants_by_external_id;
pub use self::{
    candidates::Matcher,
    variants::{Placed, ensure_variants, variant_external_ids},
};
use crate::{
    db::{TenantTx, WriteTx},
    entity::product,
    error::Error,
};

/// Rows per statement. More bring no speed, and a prepared statement holds memory for each of its values; the widest row
/// here has 25 of the 32,766 that SQLite binds at most.
pub(crate) const CHUNK: usize = 250;

/// The account and the pass that a page of the catalogue belongs to.
#[derive(Debug, Clone, Copy)]
pub struct Reader {
    /// The account.
    pub account: AccountId,
    /// Its marketplace.
    pub marketplace: MarketplaceCode,
    /// The pass that reads.
    pub pass: PassId,
    /// Now.
    pub at: Timestamp,
}

/// Writes a page of products with their variants. What the marketplace says replaces what was there; figures stay.
pub async fn write(tx: &WriteTx, reader: Reader, rows: &[ProductRow]) -> Result<(), Error> {
    // Of a product that a page carries twice, the later row is the newer one.
    let rows: HashMap<&str, &ProductRow> = rows.iter().map(|row| (row.external_id.as_str(), row)).collect();
    let ids = write_products(tx, reader, &rows).await?;
    variants::write(tx, reader, &rows, &ids).await
}

async fn write_products(
    tx: &WriteTx,
    reader: Reader,
    rows: &HashMap<&str, &ProductRow>,
) -> Result<HashMap<String, Uuid>, Error> {
    let known = products_by_external_id(tx, reader.account, rows.keys().copied()).await?;
    let mut ids = HashMap::with_capacity(rows.len());
    let mut models = Vec::with_capacity(rows.len());
    for (external_id, row) in rows {
        let old = known.get(*external_id);
        // What is gone and was never here is nothing to keep.
        if row.removed && old.is_none() {
            continue;
        }
        let mut new = old.cloned().unwrap_or_else(|| unknown_product(tx.tenant(), reader, external_id));
        new.active = !row.removed && !row.hidden;
        new.seen_by = Some(reader.pass.into());
        if !row.removed {
            new.seller_article = row.seller_article.clone().unwrap_or_default();
            new.name = row.name.clone().unwrap_or_default();
            new.brand.clone_from(&row.brand);
            new.category.clone_from(&row.category);
            new.search_text = search_text(row);
        }
        let changed = old.is_none_or(|old| product::Model { seen_by: old.seen_by, ..new.clone() } != *old);
        if changed {
            new.updated_at = reader.at;
        }
        ids.insert(new.external_id.clone(), new.id);
        models.push(new);
    }
    upsert_products(tx, models).await?;
    Ok(ids)
}

async fn upsert_products(tx: &WriteTx, models: Vec<product::Model>) -> Result<(), Error> {
    use product::Column;
    let written = [
        Column::SellerArticle,
        Column::Name,
        Column::Brand,
        Column::Category,
        Column::Active,
        Column::SearchText,
        Column::SeenBy,
        Column::UpdatedAt,
    ];
    for chunk in models.chunks(CHUNK) {
        let rows = chunk.iter().map(|model| model.clone().into_active_model().reset_all());
        product::Entity::insert_many(rows)
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

/// Marks as inactive what a complete reading of the whole catalogue did not carry.
pub async fn close_unseen(
    tx: &WriteTx,
    account: AccountId,
    pass: impl Into<PassId>,
    at: Timestamp,
) -> Result<(), Error> {
    let pass = pass.into();
    let sql = "UPDATE product SET active = FALSE, updated_at = $4 WHERE tenant_id = $1 AND account_id = $2 \
               AND active = TRUE AND (seen_by IS NULL OR seen_by <> $3)";
    tx.execute(sql, [tx.tenant().into(), account.as_uuid().into(), pass.as_uuid().into(), at.into()]).await?;
    let sql = "UPDATE variant SET active = FALSE WHERE tenant_id = $1 AND account_id = $2 \
               AND active = TRUE AND (seen_by IS NULL OR seen_by <> $3)";
    tx.execute(sql, [tx.tenant().into(), account.as_uuid().into(), pass.as_uuid().into()]).await?;
    Ok(())
}

/// How many products an account has in its catalogue.
pub async fn count_active<M>(tx: &TenantTx<M>, account: AccountId) -> Result<u64, Error> {
    Ok(product::Entity::find()
        .filter(product::Column::TenantId.eq(tx.tenant()))
        .filter(product::Column::AccountId.eq(account.as_uuid()))
        .filter(product::Column::Active.eq(true))
        .count(tx.inner())
        .await?)
}

fn unknown_product(tenant: Uuid, reader: Reader, external_id: &str) -> product::Model {
    product::Model {
        tenant_id: tenant,
        id: ProductId::generate().into(),
        account_id: reader.account.into(),
        marketplace: reader.marketplace.name().to_owned(),
        external_id: external_id.to_owned(),
        seller_article: String::new(),
        name: String::new(),
        brand: None,
        category: None,
        active: false,
        search_text: search::fold(external_id),
        seen_by: None,
        total_stock: -1,
        fbo_stock: -1,
        fbs_stock: -1,
        in_transit_to_customer: -1,
        in_transit_returns: -1,
        ordered_units: -1,
        cancelled_units: -1,
        ordered_today: -1,
        revenue_minor: -1,
        currency: None,
        cover_rank: -1,
        partly_measured: false,
        created_at: reader.at,
        updated_at: reader.at,
    }
}

/// Everything a seller may look a product up by, folded.
fn search_text(row: &ProductRow) -> String {
    let mut parts: Vec<&str> = vec![&row.external_id];
    parts.extend(row.seller_article.as_deref());
    parts.extend(row.name.as_deref());
    parts.extend(row.brand.as_deref());
    for variant in &row.variants {
        parts.extend(variant.barcodes.iter().map(String::as_str));
        parts.extend(variant.sku.as_deref().filter(|sku| !variant.barcodes.iter().any(|b| b == sku)));
    }
    search::fold(&parts.join("\n"))
}

pub(crate) async fn products_by_external_id<M>(
    tx: &TenantTx<M>,
    account: AccountId,
    ids: impl Iterator<Item = &str>,
) -> Result<HashMap<String, product::Model>, Error> {
    let mut found = HashMap::new();
    for chunk in ids.collect::<Vec<_>>().chunks(CHUNK) {
        let rows = product::Entity::find()
            .filter(product::Column::TenantId.eq(tx.tenant()))
            .filter(product::Column::AccountId.eq(account.as_uuid()))
            .filter(product::Column::ExternalId.is_in(chunk.iter().copied()))
            .all(tx.inner())
            .await?;
        found.extend(rows.into_iter().map(|row| (row.external_id.clone(), row)));
    }
    Ok(found)
}
