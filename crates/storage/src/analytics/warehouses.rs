//! What lies in warehouses: the stock and the orders of active products, place by place.

use std::collections::HashMap;

use domain::{
    analytics::Population,
    ids::AccountId,
    marketplace::{MarketplaceCode, Side, WarehouseKind},
    page::{Page, PageRequest},
    picture::Warehouse,
};
use sea_orm::{ColumnTrait as _, EntityTrait as _, FromQueryResult, QueryFilter as _};
use uuid::Uuid;

use super::of_population;
use crate::{codec, db::TenantTx, entity::warehouse, error::Error, keyset, readings::Ages};

const LIST: &str = "warehouses by stock";

/// Warehouses with what lies in them, most stock first; those whose stock is not known come last.
///
/// A company has few warehouses, however many products lie in them: they are put in order here.
pub async fn warehouses<M>(
    tx: &TenantTx<M>,
    of: Population,
    page: &PageRequest,
    ages: &Ages,
) -> Result<Page<Warehouse>, Error> {
    let after = keyset::after::<(i64, Uuid)>(LIST, page)?;
    let accounts = accounts(tx, of).await?;
    let known = warehouse::Entity::find()
        .filter(warehouse::Column::TenantId.eq(tx.tenant()))
        .filter(warehouse::Column::AccountId.is_in(accounts.keys().copied()))
        .all(tx.inner())
        .await?;
    let shelves = Shelves { accounts, sums: sums(tx, of.account_id).await? };
    let mut found: Vec<Warehouse> =
        known.into_iter().map(|row| shelves.warehouse(row, ages)).collect::<Result<_, _>>()?;
    found.sort_by_key(key);
    let rest = found.into_iter().filter(|warehouse| after.is_none_or(|after| key(warehouse) > after));
    let limit = usize::try_from(page.limit).unwrap_or(usize::MAX).saturating_add(1);
    keyset::page(LIST, page, rest.take(limit).collect(), key, Ok)
}

/// Most stock first, then the oldest.
fn key(warehouse: &Warehouse) -> (i64, Uuid) {
    (-warehouse.total_stock.unwrap_or(-1), warehouse.id.as_uuid())
}

/// What lies in warehouses.
pub(crate) struct Shelves {
    accounts: HashMap<Uuid, Known>,
    sums: HashMap<Uuid, Sums>,
}

impl Shelves {
    /// What lies in the warehouses of the tenant or of one account.
    pub(crate) async fn of<M>(tx: &TenantTx<M>, account: Option<AccountId>) -> Result<Self, Error> {
        let of = Population { account_id: account, ..Population::default() };
        Ok(Self { accounts: accounts(tx, of).await?, sums: sums(tx, account).await? })
    }

    /// A warehouse with what lies in it.
    pub(crate) fn warehouse(&self, row: warehouse::Model, ages: &Ages) -> Result<Warehouse, Error> {
        let missing = || Error::damaged("warehouse", &"its account is not there");
        let account = self.accounts.get(&row.account_id).ok_or_else(missing)?;
        let kind: WarehouseKind = codec::word("kind of warehouse", &row.kind)?;
        let account_id = AccountId::from(row.account_id);
        let sums = self.sums.get(&row.id);
        let as_of = ages.stock(account_id, kind.side());
        let total_stock = match sums {
            Some(sums) if sums.measured > 0 => Some(sums.stock),
            Some(sums) if sums.unmeasured > 0 => None,
            // Nothing lies there: a measurement, once the side has been read. Of a marketplace's place with a name
            // only its orders may be known, where its stock is told of all places together.
            _ => (as_of.is_some() && kind != WarehouseKind::Marketplace && account.tells(kind.side()))
                .then_some(0),
        };
        let has_orders = ages.orders(account_id).is_some() && account.tells_orders();
        Ok(Warehouse {
            id: row.id.into(),
            account_id,
            marketplace: account.marketplace,
            external_id: row.external_id,
            name: row.name,
            kind,
            total_stock,
            ordered_units: has_orders.then(|| sums.map_or(0, |sums| sums.orders)),
            product_count: sums.map_or(0, |sums| sums.products),
            as_of: total_stock.and(as_of),
        })
    }
}

/// Sums over the levels in a warehouse.
#[derive(FromQueryResult)]
struct Sums {
    warehouse_id: Uuid,
    /// Levels that were measured, of variants whose side is known.
    measured: i64,
    /// Levels of variants whose side is not known.
    unmeasured: i64,
    /// Units of active products; only what their own totals count, so that the parts add up to the totals.
    stock: i64,
    /// Units of active products ordered from there.
    orders: i64,
    /// Active products with stock there.
    products: i64,
}

/// Sums over the levels of the tenant or of one account, warehouse by warehouse.
async fn sums<M>(tx: &TenantTx<M>, of: Option<AccountId>) -> Result<HashMap<Uuid, Sums>, Error> {
    tx.join_as_sets().await?;
    let side = "CASE w.kind WHEN 'seller' THEN v.fbs_stock ELSE v.fbo_stock END";
    let counted = format!("CASE WHEN p.active AND {side} IS NOT NULL THEN l.available END");
    let mut values = vec![tx.tenant().into()];
    values.extend(of.map(|account| account.as_uuid().into()));
    let account = if of.is_some() { " AND p.account_id = $2" } else { "" };
    // SQLite takes crossed tables in the order they are written in: one look for each product, not for each of its
    // levels. PostgreSQL takes its own.
    let sql = format!(
        "SELECT l.warehouse_id, COUNT(CASE WHEN {side} IS NOT NULL THEN l.available END) AS measured, \
           COUNT(CASE WHEN {side} IS NULL THEN 1 END) AS unmeasured, \
           CAST(COALESCE(SUM({counted}), 0) AS BIGINT) AS stock, \
           CAST(COALESCE(SUM(CASE WHEN p.active THEN l.ordered_units END), 0) AS BIGINT) AS orders, \
           COUNT(DISTINCT CASE WHEN {counted} > 0 THEN p.id END) AS products \
         FROM product p CROSS JOIN variant v CROSS JOIN stock_level l CROSS JOIN warehouse w \
         WHERE p.tenant_id = $1{account} \
           AND v.tenant_id = p.tenant_id AND v.product_id = p.id \
           AND l.tenant_id = v.tenant_id AND l.variant_id = v.id \
           AND w.tenant_id = l.tenant_id AND w.id = l.warehouse_id GROUP BY l.warehouse_id"
    );
    let rows = tx.rows::<Sums>(&sql, values).await?;
    Ok(rows.into_iter().map(|row| (row.warehouse_id, row)).collect())
}

/// What is known of an account at all. Figures that nobody may read any more are unknown of every product.
#[expect(clippy::struct_excessive_bools, reason = "each is a fact of its own")]
struct Known {
    marketplace: MarketplaceCode,
    products: bool,
    fbo: bool,
    fbs: bool,
    orders: bool,
}

impl Known {
    /// Whether the stock of a side is known of any product, where there are products.
    const fn tells(&self, side: Side) -> bool {
        !self.products
            || match side {
                Side::Fbo => self.fbo,
                Side::Fbs => self.fbs,
            }
    }

    /// Whether the orders are known of any product, where there are products.
    const fn tells_orders(&self) -> bool {
        !self.products || self.orders
    }
}

/// What is known of the accounts of a population.
async fn accounts<M>(tx: &TenantTx<M>, of: Population) -> Result<HashMap<Uuid, Known>, Error> {
    #[derive(FromQueryResult)]
    struct Row {
        id: Uuid,
        marketplace: String,
        products: i64,
        fbo: i64,
        fbs: i64,
        orders: i64,
    }
    let any = |condition: &str, name: &str| {
        format!(
            "CAST(CASE WHEN EXISTS (SELECT 1 FROM product p WHERE p.tenant_id = a.tenant_id \
             AND p.account_id = a.id AND {condition}) THEN 1 ELSE 0 END AS BIGINT) AS {name}"
        )
    };
    let (population, values) = of_population(tx, of);
    let sql = format!(
        "SELECT a.id, a.marketplace, {}, {}, {}, {} \
         FROM (SELECT x.*, x.id AS account_id FROM marketplace_account x) a WHERE {population}",
        any("1 = 1", "products"),
        any("p.fbo_stock >= 0", "fbo"),
        any("p.fbs_stock >= 0", "fbs"),
        any("p.ordered_units >= 0", "orders"),
    );
    let rows = tx.rows::<Row>(&sql, values).await?;
    rows.into_iter()
        .map(|row| {
            let known = Known {
                marketplace: codec::marketplace(&row.marketplace)?,
                products: row.products > 0,
                fbo: row.fbo > 0,
                fbs: row.fbs > 0,
                orders: row.orders > 0,
            };
            Ok((row.id, known))
        })
        .collect()
}
