//! What is stored of the products and variants that a file names.

use std::collections::HashMap;

use domain::{
    ids::AccountId,
    import::Known,
    reading::{ProductRow, VariantRow},
};
use sea_orm::{ColumnTrait as _, EntityTrait as _, QueryFilter as _, QueryOrder as _};
use uuid::Uuid;

use crate::{
    catalogue::{CHUNK, products_by_external_id, variants_by_external_id},
    codec,
    db::TenantTx,
    entity::{product, variant},
    error::Error,
};

/// Products and variants of an account by their ids, with every variant of these products that is in the catalogue.
pub async fn known<M>(
    tx: &TenantTx<M>,
    account: AccountId,
    products: &[&str],
    variants: &[&str],
) -> Result<Known, Error> {
    let rows = products_by_external_id(tx, account, products.iter().copied()).await?;
    let ids: Vec<Uuid> = rows.values().map(|row| row.id).collect();
    let mut siblings: HashMap<Uuid, Vec<VariantRow>> = HashMap::new();
    for chunk in ids.chunks(CHUNK) {
        let found = variant::Entity::find()
            .filter(variant::Column::TenantId.eq(tx.tenant()))
            .filter(variant::Column::ProductId.is_in(chunk.iter().copied()))
            .filter(variant::Column::Active.eq(true))
            .order_by_asc(variant::Column::ExternalId)
            .all(tx.inner())
            .await?;
        for row in found {
            siblings.entry(row.product_id).or_default().push(variant_row(row)?);
        }
    }
    let named = variants_by_external_id(tx, account, variants.iter().copied()).await?;
    Ok(Known {
        products: rows
            .into_iter()
            .map(|(id, row)| {
                let variants = siblings.remove(&row.id).unwrap_or_default();
                (id, product_row(row, variants))
            })
            .collect(),
        variants: named
            .into_iter()
            .map(|(id, row)| Ok((id, variant_row(row)?)))
            .collect::<Result<_, Error>>()?,
    })
}

fn product_row(row: product::Model, variants: Vec<VariantRow>) -> ProductRow {
    ProductRow {
        external_id: row.external_id,
        seller_article: codec::non_empty(row.seller_article),
        name: codec::non_empty(row.name),
        brand: row.brand,
        category: row.category,
        removed: false,
        hidden: false,
        variants,
    }
}

fn variant_row(row: variant::Model) -> Result<VariantRow, Error> {
    Ok(VariantRow {
        external_id: row.external_id,
        sku: row.sku,
        name: row.name,
        barcodes: codec::from_json("barcodes", &row.barcodes)?,
    })
}
