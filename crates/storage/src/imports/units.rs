//! Finding the variants that lines of stock are of.

use std::collections::{BTreeSet, HashMap};

use domain::{ids::AccountId, import::Unit};
use sea_orm::FromQueryResult;
use uuid::Uuid;

use super::listed;
use crate::{catalogue::Placed, codec, db::TenantTx, error::Error};

/// What a unit of a line is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Found {
    /// This variant.
    One(Placed),
    /// Nobody knows which of several.
    Several,
}

#[derive(FromQueryResult)]
struct Row {
    text: String,
    variant: Uuid,
    product: Uuid,
    active: bool,
}

/// The tables and the column in which a kind of unit is looked for.
const fn place(unit: &Unit) -> (&'static str, &'static str) {
    match unit {
        Unit::VariantId(_) => ("variant v", "v.external_id"),
        Unit::Sku(_) => ("variant v", "v.sku"),
        Unit::Barcode(_) => (
            "variant v JOIN variant_barcode b ON b.tenant_id = v.tenant_id AND b.variant_id = v.id",
            "b.barcode",
        ),
        Unit::Article(_) => (
            "variant v JOIN product p ON p.tenant_id = v.tenant_id AND p.id = v.product_id",
            "p.seller_article",
        ),
    }
}

const fn text(unit: &Unit) -> &String {
    match unit {
        Unit::VariantId(text) | Unit::Sku(text) | Unit::Barcode(text) | Unit::Article(text) => text,
    }
}

/// Finds variants by what lines call them; those that are not known are left out. Where several are called the same,
/// the one in the catalogue is meant, if it is one.
pub async fn find_units<M>(
    tx: &TenantTx<M>,
    account: AccountId,
    units: &BTreeSet<&Unit>,
) -> Result<HashMap<Unit, Found>, Error> {
    let kinds: [fn(String) -> Unit; 4] = [Unit::VariantId, Unit::Sku, Unit::Barcode, Unit::Article];
    let mut found = HashMap::new();
    for kind in kinds {
        let sample = kind(String::new());
        let texts: Vec<&String> =
            units.iter().filter(|u| u.column() == sample.column()).map(|u| text(u)).collect();
        if texts.is_empty() {
            continue;
        }
        let (tables, column) = place(&sample);
        let sql = format!(
            "SELECT {column} AS text, v.id AS variant, v.product_id AS product, v.active FROM {tables} \
             WHERE v.tenant_id = $1 AND v.account_id = $2 AND {column} IN ({})",
            listed(tx.backend())
        );
        let values = [tx.tenant().into(), account.as_uuid().into(), codec::to_json(&texts).into()];
        let mut rows: HashMap<String, Vec<Row>> = HashMap::new();
        for row in tx.rows::<Row>(&sql, values).await? {
            rows.entry(row.text.clone()).or_default().push(row);
        }
        found.extend(rows.into_iter().map(|(text, rows)| (kind(text), only(&rows))));
    }
    Ok(found)
}

fn only(rows: &[Row]) -> Found {
    let one = |mut rows: Box<dyn Iterator<Item = &Row> + '_>| match (rows.next(), rows.next()) {
        (Some(row), None) => {
            Some(Found::One(Placed { variant: row.variant.into(), product: row.product.into() }))
        }
        _ => None,
    };
    one(Box::new(rows.iter()))
        .or_else(|| one(Box::new(rows.iter().filter(|row| row.active))))
        .unwrap_or(Found::Several)
}
