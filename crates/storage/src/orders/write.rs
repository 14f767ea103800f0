//! Keeping order lines as a marketplace tells them.

use std::collections::{BTreeSet, HashMap};

use chrono::NaiveDate;
use domain::{
    ids::{AccountId, OrderLineId, WarehouseId},
    marketplace::WarehouseKind,
    matching::Clue,
    reading::{Assembly, OrderRow},
};
use sea_orm::{
    ActiveModelTrait as _, ColumnTrait as _, EntityTrait as _, IntoActiveModel as _, QueryFilter as _,
    sea_query::{Expr, OnConflict},
};
use uuid::Uuid;

use super::{Book, window::recount};
use crate::{
    catalogue::{CHUNK, Matcher},
    db::{TenantTx, WriteTx},
    entity::{order_line, warehouse},
    error::Error,
    warehouses::Places,
};

/// Writes order lines: a line that is known is replaced, unless the row is older than what is kept.
pub async fn write(tx: &WriteTx, book: Book, rows: &[OrderRow], places: &Places) -> Result<(), Error> {
    // Of a line that a page carries twice, the later change is the truth.
    let mut latest: HashMap<&str, &OrderRow> = HashMap::new();
    for row in rows {
        let kept = latest.entry(&row.external_id).or_insert(row);
        if row.changed_at >= kept.changed_at {
            *kept = row;
        }
    }
    let rows: Vec<&OrderRow> = latest.into_values().collect();
    let mut days = BTreeSet::new();
    for chunk in rows.chunks(CHUNK) {
        days.extend(write_chunk(tx, book, chunk, places).await?);
    }
    recount(tx, book.account, &days).await
}

async fn write_chunk(
    tx: &WriteTx,
    book: Book,
    rows: &[&OrderRow],
    places: &Places,
) -> Result<BTreeSet<NaiveDate>, Error> {
    let known = lines(tx, book.account, rows.iter().map(|r| r.external_id.as_str())).await?;
    let clues: Vec<Clue<'_>> = rows.iter().map(|row| Clue::from(*row)).collect();
    let matcher = Matcher::load(tx, book.account, &clues).await?;
    let mut days = BTreeSet::new();
    let mut models = Vec::with_capacity(rows.len());
    for row in rows {
        let old = known.get(&row.external_id);
        if old.is_some_and(|old| old.changed_at > row.changed_at) {
            continue;
        }
        // A line that holds nothing and never did is nothing to keep.
        if old.is_none() && row.quantity == 0 {
            continue;
        }
        let mut new = line(tx.tenant(), book, row, places);
        if let Some(old) = old {
            new.id = old.id;
            // What an assembly order told of the warehouse, the row itself cannot tell; and what it was matched by once,
            // the catalogue may have forgotten.
            new.warehouse_id = new.warehouse_id.or(old.warehouse_id);
            if old.variant_id.is_some() {
                new.variant_id = old.variant_id;
                new.product_id = old.product_id;
                new.variant_external_id.clone_from(&old.variant_external_id);
            }
            days.insert(old.ordered_on);
        }
        if let Some(found) = matcher.find(Clue::from(*row)) {
            new.variant_id = Some(found.id.variant.into());
            new.product_id = Some(found.id.product.into());
            new.variant_external_id = Some(found.external_id.clone());
        }
        days.insert(new.ordered_on);
        models.push(new.into_active_model().reset_all());
    }
    if !models.is_empty() {
        use order_line::Column;
        let key = [Column::TenantId, Column::AccountId, Column::ExternalId];
        let written = [
            Column::BasketId,
            Column::ProductId,
            Column::VariantId,
            Column::WarehouseId,
            Column::ProductExternalId,
            Column::VariantExternalId,
            Column::Barcode,
            Column::Size,
            Column::Quantity,
            Column::PriceMinor,
            Column::ListPriceMinor,
            Column::PaidPriceMinor,
            Column::Currency,
            Column::OrderedAt,
            Column::OrderedOn,
            Column::ChangedAt,
            Column::CancelledAt,
            Column::Status,
        ];
        order_line::Entity::insert_many(models)
            .on_conflict(OnConflict::columns(key).update_columns(written).to_owned())
            .exec_without_returning(tx.inner())
            .await?;
    }
    Ok(days)
}

fn line(tenant: Uuid, book: Book, row: &OrderRow, places: &Places) -> order_line::Model {
    let prices = [row.price, row.list_price, row.paid_price];
    order_line::Model {
        tenant_id: tenant,
        id: OrderLineId::generate().into(),
        account_id: book.account.into(),
        marketplace: book.marketplace.name().to_owned(),
        external_id: row.external_id.clone(),
        basket_id: row.basket_id.clone(),
        product_id: None,
        variant_id: None,
        warehouse_id: row.location.as_ref().and_then(|l| places.of(l)).map(WarehouseId::as_uuid),
        product_external_id: row.product_external_id.clone(),
        variant_external_id: row.variant_external_id.clone(),
        barcode: row.barcode.clone(),
        size: row.size.clone(),
        quantity: row.quantity,
        price_minor: row.price.map(|m| m.minor),
        list_price_minor: row.list_price.map(|m| m.minor),
        paid_price_minor: row.paid_price.map(|m| m.minor),
        currency: prices.into_iter().flatten().next().map(|m| m.currency.code().to_owned()),
        ordered_at: row.ordered_at,
        ordered_on: book.zone.day_of(row.ordered_at),
        changed_at: row.changed_at,
        cancelled_at: row.cancelled_at,
        status: row.status.clone(),
    }
}

async fn lines<M>(
    tx: &TenantTx<M>,
    account: AccountId,
    ids: impl Iterator<Item = &str>,
) -> Result<HashMap<String, order_line::Model>, Error> {
    let rows = order_line::Entity::find()
        .filter(order_line::Column::TenantId.eq(tx.tenant()))
        .filter(order_line::Column::AccountId.eq(account.as_uuid()))
        .filter(order_line::Column::ExternalId.is_in(ids))
        .all(tx.inner())
        .await?;
    Ok(rows.into_iter().map(|row| (row.external_id.clone(), row)).collect())
}

/// Writes down the warehouses that assembly orders name, on lines whose own row could not tell.
pub async fn assign_warehouses(tx: &WriteTx, account: AccountId, rows: &[Assembly]) -> Result<(), Error> {
    let places: HashMap<String, Uuid> = warehouse::Entity::find()
        .filter(warehouse::Column::TenantId.eq(tx.tenant()))
        .filter(warehouse::Column::AccountId.eq(account.as_uuid()))
        .filter(warehouse::Column::Kind.eq(WarehouseKind::Seller.name()))
        .all(tx.inner())
        .await?
        .into_iter()
        .filter_map(|w| Some((w.external_id?, w.id)))
        .collect();
    let mut days = BTreeSet::new();
    for chunk in rows.chunks(CHUNK) {
        let known = lines(tx, account, chunk.iter().map(|a| a.line_external_id.as_str())).await?;
        let mut moved: HashMap<Uuid, Vec<Uuid>> = HashMap::new();
        for assembly in chunk {
            let line = known.get(&assembly.line_external_id);
            let place = places.get(&assembly.warehouse_external_id);
            let (Some(line), Some(place)) = (line, place) else { continue };
            if line.warehouse_id != Some(*place) {
                moved.entry(*place).or_default().push(line.id);
                days.insert(line.ordered_on);
            }
        }
        for (place, lines) in moved {
            order_line::Entity::update_many()
                .col_expr(order_line::Column::WarehouseId, Expr::value(place))
                .filter(order_line::Column::TenantId.eq(tx.tenant()))
                .filter(order_line::Column::Id.is_in(lines))
                .exec(tx.inner())
                .await?;
        }
    }
    recount(tx, account, &days).await
}
