//! Reading products: lists in a chosen order, and one product whole.

mod among;
mod count;
mod detail;
mod filter;
mod gather;
mod list;
mod order;
mod places;
mod walk;
mod way;

use std::collections::HashMap;

use domain::{
    clock::Timestamp,
    figures::Staleness,
    ids::AccountId,
    marketplace::{MarketplaceCode, Side},
};

pub(crate) use self::filter::low;
pub use self::{
    count::count,
    detail::{exists, find, get},
    list::{list, numbered},
    places::{by_warehouse, warehouses},
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
    /// The oldest reading behind the known sides, and whether it is too old: two sync intervals have passed since, or
    /// the marketplace has changed its answers, so that there is no newer one.
    fn of(&self, account: AccountId, fbo: Option<i64>, fbs: Option<i64>) -> (Option<Timestamp>, bool) {
        let known = [(Side::Fbo, fbo), (Side::Fbs, fbs)].into_iter().filter(|(_, figure)| figure.is_some());
        let as_of = known.clone().filter_map(|(side, _)| self.ages.stock(account, side)).min();
        let has_drifted = known.clone().any(|(side, _)| self.ages.has_drifted(account, side));
        let patience = self.intervals.get(&account).copied().unwrap_or_default();
        (as_of, Staleness::of(as_of, has_drifted, patience, self.now).is_some())
    }
}

/// Whether a side that the marketplace has is missing from a total.
fn is_incomplete(marketplace: MarketplaceCode, fbo: Option<i64>, fbs: Option<i64>) -> bool {
    marketplace.sides().iter().any(|side| match side {
        Side::Fbo => fbo.is_none(),
        Side::Fbs => fbs.is_none(),
    })
}

/// Reads what [`Freshness`] needs.
pub async fn freshness<M>(tx: &TenantTx<M>, now: Timestamp) -> Result<Freshness, Error> {
    let accounts = crate::accounts::all(tx).await?;
    let intervals = accounts.into_iter().map(|a| (a.id, a.sync_interval_minutes)).collect();
    Ok(Freshness { ages: crate::readings::ages(tx).await?, intervals, now })
}
