//! The rows beneath the figures of one product, grouped by what matters for counting them.
//!
//! Nothing is decided here: which rows count is said in [`domain::explain`]. The database adds them up, so that the work
//! is bounded for products of many variants and orders.

mod levels;
mod lines;
mod readings;

use chrono::NaiveDate;
use domain::{
    clock::Timestamp,
    explain::{Evidence, lines_since},
    ids::ProductId,
    marketplace::Side,
    money::Currency,
};

use crate::{
    accounts,
    db::TenantTx,
    error::Error,
    products,
    readings::{Subject, last},
};

/// The evidence of a product as it is now; none if the tenant has no such product.
pub async fn evidence<M>(tx: &TenantTx<M>, id: ProductId, now: Timestamp) -> Result<Option<Evidence>, Error> {
    let freshness = products::freshness(tx, now).await?;
    let Some(product) = products::find(tx, id, &freshness).await? else { return Ok(None) };
    let account = accounts::get(tx, product.account_id).await?.ok_or(Error::MissingReference)?.account;
    let reading = async |subject| readings::of(tx, account.id, subject).await;
    let orders_as_of = last(tx, account.id, Subject::Orders).await?.completed_at;
    let since: NaiveDate = lines_since(now, account.zone, orders_as_of);
    let (variants, currency) = levels::variants(tx, id).await?;
    let mut lines = lines::matched(tx, id, since).await?;
    lines.extend(lines::unmatched(tx, account.id, &product.external_id, since).await?);
    Ok(Some(Evidence {
        zone: account.zone,
        sync_interval_minutes: account.sync_interval_minutes,
        running_sync: readings::running_sync(tx, account.id).await?,
        fbo: reading(Subject::Stock(Side::Fbo)).await?,
        fbs: reading(Subject::Stock(Side::Fbs)).await?,
        orders: reading(Subject::Orders).await?,
        variants,
        levels: levels::levels(tx, id).await?,
        lines,
        currency: currency
            .as_deref()
            .map(Currency::parse)
            .transpose()
            .map_err(|e| Error::damaged("currency", &e))?,
        capabilities: account.capabilities,
        product,
    }))
}
