//! Variants and levels.

use domain::{
    explain::{LevelGroup, Place, Rows, Variants},
    ids::ProductId,
};
use sea_orm::FromQueryResult;
use uuid::Uuid;

use crate::{codec, db::TenantTx, error::Error};

/// How many variants a product has, of how many each subject is known, and the currency of its revenue.
pub(super) async fn variants<M>(
    tx: &TenantTx<M>,
    id: ProductId,
) -> Result<(Variants, Option<String>), Error> {
    #[derive(FromQueryResult)]
    struct Row {
        total: i64,
        active: i64,
        fbo_known: i64,
        fbs_known: i64,
        orders_known: i64,
        to_customer_rows: i64,
        to_customer_units: i64,
        returns_rows: i64,
        returns_units: i64,
        currency: Option<String>,
    }
    let sql = "SELECT COUNT(*) AS total, COUNT(CASE WHEN v.active THEN 1 END) AS active, \
               COUNT(v.fbo_stock) AS fbo_known, COUNT(v.fbs_stock) AS fbs_known, \
               COUNT(v.ordered_units) AS orders_known, COUNT(v.in_transit_to_customer) AS to_customer_rows, \
               CAST(COALESCE(SUM(v.in_transit_to_customer), 0) AS BIGINT) AS to_customer_units, \
               COUNT(v.in_transit_returns) AS returns_rows, \
               CAST(COALESCE(SUM(v.in_transit_returns), 0) AS BIGINT) AS returns_units, \
               MAX(v.currency) AS currency \
               FROM variant v WHERE v.tenant_id = $1 AND v.product_id = $2";
    let row = tx.row::<Row>(sql, [tx.tenant().into(), id.as_uuid().into()]).await?;
    let Some(row) = row else { return Ok((Variants::default(), None)) };
    let variants = Variants {
        active: row.active,
        inactive: row.total - row.active,
        fbo_known: row.fbo_known,
        fbs_known: row.fbs_known,
        orders_known: row.orders_known,
        to_customer: Rows { rows: row.to_customer_rows, units: row.to_customer_units },
        returns: Rows { rows: row.returns_rows, units: row.returns_units },
    };
    Ok((variants, row.currency))
}

/// The levels of a product, warehouse by warehouse and by how they stand.
pub(super) async fn levels<M>(tx: &TenantTx<M>, id: ProductId) -> Result<Vec<LevelGroup>, Error> {
    #[expect(clippy::struct_excessive_bools, reason = "each is a column of its own")]
    #[derive(FromQueryResult)]
    struct Row {
        id: Uuid,
        external_id: Option<String>,
        name: String,
        kind: String,
        is_active: bool,
        is_measured: bool,
        is_read: bool,
        is_known: bool,
        stock_rows: i64,
        stock_units: i64,
        to_customer_rows: i64,
        to_customer_units: i64,
        returns_rows: i64,
        returns_units: i64,
    }
    let sql = "SELECT w.id, w.external_id, w.name, w.kind, v.active AS is_active, \
               l.available IS NOT NULL AS is_measured, l.written_by IS NOT NULL AS is_read, \
               CASE w.kind WHEN 'seller' THEN v.fbs_stock ELSE v.fbo_stock END IS NOT NULL AS is_known, \
               COUNT(*) AS stock_rows, CAST(COALESCE(SUM(l.available), 0) AS BIGINT) AS stock_units, \
               COUNT(l.in_transit_to_customer) AS to_customer_rows, \
               CAST(COALESCE(SUM(l.in_transit_to_customer), 0) AS BIGINT) AS to_customer_units, \
               COUNT(l.in_transit_returns) AS returns_rows, \
               CAST(COALESCE(SUM(l.in_transit_returns), 0) AS BIGINT) AS returns_units \
               FROM stock_level l \
               JOIN variant v ON v.tenant_id = l.tenant_id AND v.id = l.variant_id \
               JOIN warehouse w ON w.tenant_id = l.tenant_id AND w.id = l.warehouse_id \
               WHERE l.tenant_id = $1 AND l.product_id = $2 \
               GROUP BY w.id, w.external_id, w.name, w.kind, 5, 6, 7, 8 ORDER BY w.name, w.id, 5, 6, 7, 8";
    let rows = tx.rows::<Row>(sql, [tx.tenant().into(), id.as_uuid().into()]).await?;
    rows.into_iter()
        .map(|row| {
            Ok(LevelGroup {
                place: Place {
                    id: row.id.into(),
                    external_id: row.external_id,
                    name: row.name,
                    kind: codec::word("kind of warehouse", &row.kind)?,
                },
                is_active: row.is_active,
                is_measured: row.is_measured,
                is_read: row.is_read,
                is_known: row.is_known,
                stock: Rows { rows: row.stock_rows, units: row.stock_units },
                to_customer: Rows { rows: row.to_customer_rows, units: row.to_customer_units },
                returns: Rows { rows: row.returns_rows, units: row.returns_units },
            })
        })
        .collect()
}
