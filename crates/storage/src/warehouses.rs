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
    ActiveValue::Set, ColumnTrait as _, EntityTrait as _, QueryFilter as _, QueryOrder as _,
    QuerySelect as _, sea_query::Expr,
};
use uuid::Uuid;

use crate::{
    analytics::Shelves,
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
    use warehouse::Column;
    let mut query = warehouse::Entity::find().filter(Column::TenantId.eq(tx.tenant()));
    if let Some(id) = account {
        query = query.filter(Column::AccountId.eq(id.as_uuid()));
    }
    if let Some(after) = keyset::after::<Uuid>(LIST, page)? {
        query = query.filter(Column::Id.gt(after));
    }
    let rows = query.order_by_asc(Column::Id).limit(page.limit + 1).all(tx.inner()).await?;
    let shelves = Shelves::of(tx, account).await?;
    keyset::page(LIST, page, rows, |row| row.id, |row| shelves.warehouse(row, ages))
}
