//! Reading products: lists in a chosen order, one product whole, and the sums over all.

mod dashboard;
mod detail;
mod list;

use std::collections::HashMap;

use domain::{clock::Timestamp, ids::AccountId, marketplace::Side};

pub use self::{
    dashboard::dashboard,
    detail::{exists, get},
    list::{list, numbered},
};
use crate::{db::TenantTx, error::Error, readings::Ages};

/// What is needed to say how old figures are, and when that is too old.
#[derive(Debug, Clone)]
pub struct Freshness {
    /// When each side was last read.
    pub ages: Ages,
    /// Minutes between two syncs, by account.
    pub intervals: HashMap<AccountId, i32>,
    /// Now.
    pub now: Timestamp,
}

impl Freshness {
    /// The oldest reading behind the known sides, and whether two sync intervals have passed since.
    fn of(&self, account: AccountId, fbo: Option<i64>, fbs: Option<i64>) -> (Option<Timestamp>, bool) {
        let known = [(Side::Fbo, fbo), (Side::Fbs, fbs)].into_iter().filter(|(_, figure)| figure.is_some());
        let as_of = known.filter_map(|(side, _)| self.ages.stock(account, side)).min();
        let patience = self.intervals.get(&account).copied().unwrap_or_default();
        let limit = chrono::TimeDelta::minutes(i64::from(patience) * 2);
        (as_of, as_of.is_some_and(|at| self.now - at > limit))
    }
}

/// Reads what [`Freshness`] needs.
pub async fn freshness<M>(tx: &TenantTx<M>, now: Timestamp) -> Result<Freshness, Error> {
    let accounts = crate::accounts::all(tx).await?;
    let intervals = accounts.into_iter().map(|a| (a.id, a.sync_interval_minutes)).collect();
    Ok(Freshness { ages: crate::readings::ages(tx).await?, intervals, now })
}
