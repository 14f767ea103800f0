//! Order lines, day by day.

use chrono::{Days, NaiveDate, NaiveTime};
use domain::{
    explain::{LineGroup, Rows},
    ids::{AccountId, ProductId},
    money::Currency,
};
use sea_orm::FromQueryResult;

use crate::{db::TenantTx, error::Error};

/// What groups of lines are told by.
const GROUP: &str = "o.ordered_on AS day, o.cancelled_at IS NOT NULL AS is_cancelled, \
    CASE WHEN o.price_minor IS NOT NULL THEN o.currency END AS currency, COUNT(*) AS line_rows, \
    CAST(COALESCE(SUM(o.quantity), 0) AS BIGINT) AS units, \
    CAST(COALESCE(SUM(o.price_minor * o.quantity), 0) AS BIGINT) AS value_minor";

/// Unmatched lines of an account, newest first, among which those of a product are looked for. There are few, unless
/// the catalogue cannot be read at all.
const UNMATCHED: u32 = 10_000;

#[derive(FromQueryResult)]
struct Row {
    day: NaiveDate,
    is_cancelled: bool,
    currency: Option<String>,
    line_rows: i64,
    units: i64,
    value_minor: i64,
}

impl Row {
    fn group(self, is_matched: bool) -> Result<LineGroup, Error> {
        let currency = self.currency.as_deref().map(Currency::parse).transpose();
        Ok(LineGroup {
            is_matched,
            day: self.day,
            is_cancelled: self.is_cancelled,
            currency: currency.map_err(|e| Error::damaged("currency", &e))?,
            rows: Rows { rows: self.line_rows, units: self.units },
            value_minor: self.value_minor,
        })
    }
}

/// The lines of a product that were ordered on a day or later.
pub(super) async fn matched<M>(
    tx: &TenantTx<M>,
    id: ProductId,
    since: NaiveDate,
) -> Result<Vec<LineGroup>, Error> {
    // The index is by moment, and a day begins in every zone within a day of its midnight in UTC.
    let from = since.checked_sub_days(Days::new(1)).unwrap_or(since).and_time(NaiveTime::MIN).and_utc();
    let sql = format!(
        "SELECT {GROUP} FROM order_line o WHERE o.tenant_id = $1 AND o.product_id = $2 AND o.ordered_at >= $3 \
         AND o.ordered_on >= $4 GROUP BY 1, 2, 3 ORDER BY 1, 2, 3"
    );
    let values = [tx.tenant().into(), id.as_uuid().into(), from.into(), since.into()];
    tx.rows::<Row>(&sql, values).await?.into_iter().map(|row| row.group(true)).collect()
}

/// Lines that name a product and none of its variants.
pub(super) async fn unmatched<M>(
    tx: &TenantTx<M>,
    account: AccountId,
    product: &str,
    since: NaiveDate,
) -> Result<Vec<LineGroup>, Error> {
    let sql = format!(
        "SELECT {GROUP} FROM (SELECT * FROM order_line x WHERE x.tenant_id = $1 AND x.account_id = $2 \
           AND x.variant_id IS NULL ORDER BY x.id DESC LIMIT {UNMATCHED}) o \
         WHERE o.product_external_id = $3 AND o.ordered_on >= $4 GROUP BY 1, 2, 3 ORDER BY 1, 2, 3"
    );
    let values = [tx.tenant().into(), account.as_uuid().into(), product.into(), since.into()];
    tx.rows::<Row>(&sql, values).await?.into_iter().map(|row| row.group(false)).collect()
}
