//! Counting the order figures of an account anew: at the end of a sync and when the day turns.

use domain::{calendar::Window, clock::Timestamp, ids::AccountId, marketplace::Account};
use storage::{
    TenantScope, WriteTx, accounts, figures, orders,
    readings::{self, Subject},
    schedule, tenants,
};

use crate::{error::Error, schedule::next_midnight, sync::SyncEngine};

/// Writes the window of the running day into every order figure of an account, in the caller's transaction. Says how
/// many ordered units belong to no known variant.
pub(crate) async fn count_window(tx: &WriteTx, account: &Account, now: Timestamp) -> Result<i64, Error> {
    let window = Window::ending_before(now, account.marketplace.zone());
    let currency = orders::currency(tx, account.id).await?;
    let unmatched = orders::write_window(tx, account.id, window, currency.as_deref()).await?;
    figures::write(tx, account.id, now).await?;
    schedule::set_next_turn(tx, account.id, Some(next_midnight(account.marketplace, now))).await?;
    tenants::bump_catalogue_version(tx).await?;
    Ok(unmatched)
}

impl SyncEngine<'_> {
    /// Counts the window anew because the day has turned. Does nothing for an account that is gone or whose orders
    /// have never been read. May be repeated.
    pub async fn turn_day(self, scope: &TenantScope, id: AccountId) -> Result<(), Error> {
        let tx = self.0.db.write(scope).await?;
        let Some(found) = accounts::get(&tx, id).await? else { return Ok(()) };
        if readings::last(&tx, id, Subject::Orders).await?.completed_at.is_some() {
            count_window(&tx, &found.account, self.0.clock.now()).await?;
        }
        Ok(tx.commit().await?)
    }
}
