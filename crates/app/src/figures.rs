//! Counting the order figures of an account anew: at the end of a sync and when the day turns.

use domain::{
    calendar::Window,
    clock::Timestamp,
    ids::AccountId,
    marketplace::{Account, Capability, Side},
};
use storage::{
    TenantScope, WriteTx, accounts, figures,
    orders::{self, Book},
    readings::{self, Subject},
    schedule, tenants,
};

use crate::{error::Error, schedule::next_midnight, sync::SyncEngine};

/// Writes the window of the running day into every order figure of an account, in the caller's transaction. Says how
/// many ordered units belong to no known variant.
pub(crate) async fn count_window(tx: &WriteTx, account: &Account, now: Timestamp) -> Result<i64, Error> {
    let window = Window::ending_before(now, account.zone);
    let currency = orders::currency(tx, account.id).await?;
    let unmatched = orders::write_window(tx, account.id, window, currency.as_deref()).await?;
    figures::write(tx, account.id, now).await?;
    schedule::set_next_turn(tx, account.id, Some(next_midnight(account.zone, now))).await?;
    tenants::bump_catalogue_version(tx).await?;
    Ok(unmatched)
}

/// Makes unknown what can no longer be read because a credential has lost capabilities, in the caller's transaction.
pub(crate) async fn forget_lost(
    tx: &WriteTx,
    account: AccountId,
    lost: impl IntoIterator<Item = &Capability>,
    now: Timestamp,
) -> Result<(), Error> {
    for capability in lost {
        let subjects: &[Subject] = match capability {
            Capability::StockMarketplace => &[Subject::Stock(Side::Fbo)],
            // Without the list of the seller's warehouses, nobody knows what to ask for.
            Capability::StockSeller | Capability::Locations => &[Subject::Stock(Side::Fbs)],
            Capability::Orders => &[Subject::Orders],
            Capability::Products => &[],
        };
        for subject in subjects {
            figures::forget(tx, account, *subject, now).await?;
        }
    }
    tenants::bump_catalogue_version(tx).await?;
    Ok(())
}

/// Whether the orders of an account are known well enough to count a window that ends before `now`: they may be read,
/// and have been read completely since the day before. Older ones lack days, and would look like falling demand.
pub(crate) async fn can_count(tx: &WriteTx, account: &Account, now: Timestamp) -> Result<bool, Error> {
    let zone = account.zone;
    let yesterday = Window::ending_before(now, zone).last;
    let read_at = readings::last(tx, account.id, Subject::Orders).await?.completed_at;
    let is_granted = account.capabilities.contains(&Capability::Orders);
    Ok(is_granted && read_at.is_some_and(|at| zone.day_of(at) >= yesterday))
}

/// An account whose order lines nobody else writes, and whose zone does not change, until the transaction ends.
pub(crate) async fn with_orders(tx: &WriteTx, id: AccountId) -> Result<Option<Account>, Error> {
    if Book::open(tx, id).await?.is_none() {
        return Ok(None);
    }
    Ok(accounts::get(tx, id).await?.map(|found| found.account))
}

impl SyncEngine<'_> {
    /// Counts the window anew because the day has turned. Does nothing for an account that is gone or whose orders
    /// have not been read lately. May be repeated.
    pub async fn turn_day(self, scope: &TenantScope, id: AccountId) -> Result<(), Error> {
        let tx = self.0.db.write(scope).await?;
        let Some(account) = with_orders(&tx, id).await? else { return Ok(()) };
        if can_count(&tx, &account, self.0.clock.now()).await? {
            count_window(&tx, &account, self.0.clock.now()).await?;
        }
        Ok(tx.commit().await?)
    }

    /// Puts the orders of an account on the days of the zone that it counts in now, page by page, and counts the window
    /// anew. Does nothing for an account that is gone. May be repeated, and stopped after any page.
    pub async fn move_days(self, scope: &TenantScope, id: AccountId) -> Result<(), Error> {
        let mut looked_at = None;
        loop {
            let tx = self.0.db.write(scope).await?;
            let Some(book) = Book::open(&tx, id).await? else { return Ok(()) };
            looked_at = orders::move_days(&tx, book, looked_at).await?;
            tx.commit().await?;
            if looked_at.is_none() {
                break;
            }
        }
        let now = self.0.clock.now();
        let tx = self.0.db.write(scope).await?;
        let Some(account) = with_orders(&tx, id).await? else { return Ok(()) };
        if can_count(&tx, &account, now).await? {
            count_window(&tx, &account, now).await?;
        } else if account.capabilities.contains(&Capability::Orders) {
            schedule::set_next_turn(&tx, id, Some(next_midnight(account.zone, now))).await?;
        }
        Ok(tx.commit().await?)
    }
}
