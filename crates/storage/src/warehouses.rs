//! Warehouses: identified by kind and the marketplace's id, or by kind and exact name where there is no id.

use std::collections::{HashMap, HashSet};

use domain::{
    clock::Timestamp,
    ids::{AccountId, WarehouseId},
    marketplace::WarehouseKind,
    page::{Page, PageRequest},
    picture::Warehouse,
    reading::Location,
};
use sea_orm::{
    ActiveValue::Set, ColumnTrait as _, EntityTrait as _, FromQueryResult, QueryFilter as _, sea_query::Expr,
};
use uuid::Uuid;

use crate::{
    codec,
    db::{TenantTx, WriteTx},
    entity::warehouse,
    error::Error,
    keyset,
    readings::Ages,
};

const LIST: &str = "warehouses";

/// Where a reading's locations are kept.
#[derive(Debug, Clone, Default)]
pub struct Places(HashMap<Location, WarehouseId>);

impl Places {
    /// The warehouse of a location; none where its name alone does not tell which of several it is.
    pub fn of(&self, location: &Location) -> Option<WarehouseId> {
        self.0.get(location).copied()
    }
}

/// Finds the warehouse of every location, making those that are new. A place first known by its name alone is the
/// same place when its id becomes known.
pub async fn ensure(
    tx: &WriteTx,
    account: AccountId,
    locations: impl IntoIterator<Item = &Location>,
    at: Timestamp,
) -> Result<Places, Error> {
    let wanted: HashSet<&Location> = locations.into_iter().collect();
    if wanted.is_empty() {
        return Ok(Places::default());
    }
    let mut known = of_account(tx, account).await?;
    let mut places = HashMap::with_capacity(wanted.len());
    // Those with an id first: a name is then matched against all that are known.
    let mut wanted: Vec<_> = wanted.into_iter().collect();
    wanted.sort_by_key(|l| (l.external_id.is_none(), *l));
    for location in wanted {
        let id = match find(&known, location) {
            Found::Same(i) => {
                let row = &mut known[i];
                if row.name != location.name {
                    update(tx, row.id, warehouse::Column::Name, &location.name).await?;
                    row.name.clone_from(&location.name);
                }
                if let (None, Some(external)) = (&row.external_id, &location.external_id) {
                    update(tx, row.id, warehouse::Column::ExternalId, external).await?;
                    row.external_id = Some(external.clone());
                }
                row.id
            }
            Found::New => {
                known.push(insert(tx, account, location, at).await?);
                known[known.len() - 1].id
            }
            Found::Ambiguous => continue,
        };
        places.insert(location.clone(), id.into());
    }
    Ok(Places(places))
}

/// What is known of a location.
#[derive(Debug, PartialEq, Eq)]
enum Found {
    /// It is the warehouse at this index.
    Same(usize),
    /// It is not known.
    New,
    /// It has no id, and several warehouses share its name.
    Ambiguous,
}

fn find(known: &[warehouse::Model], location: &Location) -> Found {
    let mut of_kind = known.iter().enumerate().filter(|(_, w)| w.kind == location.kind.name());
    let mut named = of_kind.clone().filter(|(_, w)| w.name == location.name);
    let same = match &location.external_id {
        Some(id) => of_kind
            .find(|(_, w)| w.external_id.as_ref() == Some(id))
            .or_else(|| named.find(|(_, w)| w.external_id.is_none())),
        None => match (named.next(), named.next()) {
            (Some(_), Some(_)) => return Found::Ambiguous,
            (only, _) => only,
        },
    };
    same.map_or(Found::New, |(i, _)| Found::Same(i))
}

/// Names that several seller warehouses of an account share.
pub async fn shared_seller_names<M>(tx: &TenantTx<M>, account: AccountId) -> Result<HashSet<String>, Error> {
    let mut seen = HashSet::new();
    let rows = of_account(tx, account).await?;
    let sellers = rows.into_iter().filter(|w| w.kind == WarehouseKind::Seller.name());
    Ok(sellers.filter_map(|w| (!seen.insert(w.name.clone())).then_some(w.name)).collect())
}

/// The seller's warehouses that have an id, in the order of their ids.
pub async fn seller_locations<M>(tx: &TenantTx<M>, account: AccountId) -> Result<Vec<Location>, Error> {
    let rows = of_account(tx, account).await?;
    let mut found: Vec<_> = rows
        .into_iter()
        .filter(|w| w.kind == WarehouseKind::Seller.name() && w.external_id.is_some())
        .map(|w| Location { kind: WarehouseKind::Seller, external_id: w.external_id, name: w.name })
        .collect();
    found.sort_by(|a, b| a.external_id.cmp(&b.external_id));
    Ok(found)
}

async fn of_account<M>(tx: &TenantTx<M>, account: AccountId) -> Result<Vec<warehouse::Model>, Error> {
    Ok(warehouse::Entity::find()
        .filter(warehouse::Column::TenantId.eq(tx.tenant()))
        .filter(warehouse::Column::AccountId.eq(account.as_uuid()))
        .all(tx.inner())
        .await?)
}

async fn update(tx: &WriteTx, id: Uuid, column: warehouse::Column, value: &str) -> Result<(), Error> {
    warehouse::Entity::update_many()
        .col_expr(column, Expr::value(value))
        .filter(warehouse::Column::TenantId.eq(tx.tenant()))
        .filter(warehouse::Column::Id.eq(id))
        .exec(tx.inner())
        .await?;
    Ok(())
}

async fn insert(
    tx: &WriteTx,
    account: AccountId,
    location: &Location,
    at: Timestamp,
) -> Result<warehouse::Model, Error> {
    let row = warehouse::Model {
        tenant_id: tx.tenant(),
        id: WarehouseId::generate().into(),
        account_id: account.into(),
        kind: location.kind.name().to_owned(),
        external_id: location.external_id.clone(),
        name: location.name.clone(),
        created_at: at,
    };
    let new = warehouse::ActiveModel {
        tenant_id: Set(row.tenant_id),
        id: Set(row.id),
        account_id: Set(row.account_id),
        kind: Set(row.kind.clone()),
        external_id: Set(row.external_id.clone()),
        name: Set(row.name.clone()),
        created_at: Set(row.created_at),
    };
    warehouse::Entity::insert(new).exec_without_returning(tx.inner()).await?;
    Ok(row)
}

/// Warehouses with what lies in them, oldest first.
pub async fn list<M>(
    tx: &TenantTx<M>,
    account: Option<AccountId>,
    page: &PageRequest,
    ages: &Ages,
) -> Result<Page<Warehouse>, Error> {
    #[derive(FromQueryResult)]
    struct Row {
        id: Uuid,
        account_id: Uuid,
        marketplace: String,
        external_id: Option<String>,
        name: String,
        kind: String,
        total_stock: Option<i64>,
        ordered_units: Option<i64>,
        product_count: i64,
    }
    let after = keyset::after::<Uuid>(LIST, page)?;
    // The figures of a place without any level are known too, once its side or the orders have been read: zero.
    let sql = "SELECT w.id, w.account_id, a.marketplace, w.external_id, w.name, w.kind, \
               CASE WHEN COUNT(l.available) > 0 OR (MAX(s.completed_at) IS NOT NULL AND w.kind <> 'marketplace') \
                    THEN CAST(COALESCE(SUM(l.available), 0) AS BIGINT) END AS total_stock, \
               CASE WHEN MAX(o.completed_at) IS NOT NULL \
                    THEN CAST(COALESCE(SUM(l.ordered_units), 0) AS BIGINT) END AS ordered_units, \
               CAST(COUNT(DISTINCT CASE WHEN l.available > 0 THEN l.product_id END) AS BIGINT) AS product_count \
               FROM warehouse w \
               JOIN marketplace_account a ON a.tenant_id = w.tenant_id AND a.id = w.account_id \
               LEFT JOIN account_reading s ON s.tenant_id = w.tenant_id AND s.account_id = w.account_id \
                    AND s.subject = CASE w.kind WHEN 'seller' THEN 'fbs' ELSE 'fbo' END \
               LEFT JOIN account_reading o ON o.tenant_id = w.tenant_id AND o.account_id = w.account_id \
                    AND o.subject = 'orders' \
               LEFT JOIN stock_level l ON l.tenant_id = w.tenant_id AND l.warehouse_id = w.id \
               WHERE w.tenant_id = $1 AND ($2 IS NULL OR w.account_id = $2) AND ($3 IS NULL OR w.id > $3) \
               GROUP BY w.id, w.account_id, a.marketplace, w.external_id, w.name, w.kind \
               ORDER BY w.id LIMIT $4";
    let limit = i64::try_from(page.limit + 1).unwrap_or(i64::MAX);
    let values = [tx.tenant().into(), account.map(AccountId::as_uuid).into(), after.into(), limit.into()];
    let rows = tx.rows::<Row>(sql, values).await?;
    keyset::page(
        LIST,
        page,
        rows,
        |row| row.id,
        |row| {
            let kind: WarehouseKind = codec::word("kind of warehouse", &row.kind)?;
            let account_id = row.account_id.into();
            Ok(Warehouse {
                id: row.id.into(),
                account_id,
                marketplace: codec::marketplace(&row.marketplace)?,
                external_id: row.external_id,
                name: row.name,
                kind,
                total_stock: row.total_stock,
                ordered_units: row.ordered_units,
                product_count: row.product_count,
                as_of: row.total_stock.and_then(|_| ages.stock(account_id, kind.side())),
            })
        },
    )
}
