//! The simple face: one key, one limit, one window.

use std::time::{Duration, SystemTime};

use crate::{
    Dim, LimitKey, Limiter, Plan, PlanError, Policy, PolicyError, PolicyState, Report, StoreError, Subject,
};

/// How a key stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Standing {
    /// Whether the request is allowed; of [`Limiter::get_rate_limit_info`], whether one would be.
    pub allowed: bool,
    /// How many are left.
    pub remaining: u32,
    /// When more will be left, by the store's clock, rounded up to a whole second.
    pub reset: SystemTime,
    /// How long to wait until a request is allowed, when this one is not.
    pub retry_after: Option<Duration>,
}

/// Why a limit could not be checked.
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SimpleError {
    /// The limit or the window makes no sense.
    #[error(transparent)]
    Policy(#[from] PolicyError),
    /// The request makes no sense.
    #[error(transparent)]
    Plan(#[from] PlanError),
    /// The store gave no answer.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Under what the keys of the simple face are told apart.
const DIM: Dim = Dim::Custom("key");

/// A key, a limit and a window, said anew each time. The same key counts by itself for each window.
///
/// ```
/// # use std::{sync::Arc, time::Duration};
/// # use ratelimit::{Keys, Limiter, LocalOptions, LocalStore};
/// # let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
/// # runtime.block_on(async {
/// let limiter = Limiter::new(Arc::new(LocalStore::new(LocalOptions::default())), Keys::new(*b"sixteen secrets!"));
/// let standing = limiter.check_rate_limit("user:7", 2, Duration::from_secs(60)).await.unwrap();
/// assert!(standing.allowed);
/// assert_eq!(standing.remaining, 1);
/// # });
/// ```
impl Limiter {
    /// Counts one request under `key` if fewer than `limit` were allowed within the last `window`.
    pub async fn check_rate_limit(
        &self,
        key: &str,
        limit: u32,
        window: Duration,
    ) -> Result<Standing, SimpleError> {
        let report = self.store.admit(&self.keyed(key, limit, window)?).await?;
        Ok(Standing::new(&report))
    }

    /// Tells how `key` stands, and counts nothing.
    pub async fn get_rate_limit_info(
        &self,
        key: &str,
        limit: u32,
        window: Duration,
    ) -> Result<Standing, SimpleError> {
        let report = self.store.peek(&self.keyed(key, limit, window)?).await?;
        Ok(Standing::new(&report))
    }

    /// Forgets what was counted under `key` within `window`. Returns whether anything was.
    pub async fn reset_rate_limit(&self, key: &str, window: Duration) -> Result<bool, SimpleError> {
        // Whatever the limit: it is no part of the key.
        let policy = simple(1, window)?;
        Ok(self.store.reset(&[self.simple_key(&policy, key)]).await? > 0)
    }

    /// One plan of one policy, made anew: its limit is the caller's to choose each time.
    fn keyed(&self, key: &str, limit: u32, window: Duration) -> Result<Plan, SimpleError> {
        let policy = simple(limit, window)?;
        let mut plan = Plan::new();
        plan.ask(&policy, self.simple_key(&policy, key), 1)?;
        Ok(plan)
    }

    fn simple_key(&self, policy: &Policy, key: &str) -> LimitKey {
        let key = self.keys.key(policy, &Subject::new().with(DIM, key));
        key.unwrap_or_else(|missing| unreachable!("the subject was given it: {missing}"))
    }
}

fn simple(limit: u32, window: Duration) -> Result<Policy, PolicyError> {
    Policy::builder("simple", limit, window).scope([DIM]).build()
}

impl Standing {
    fn new(report: &Report) -> Self {
        let state = report.states().first();
        let free = report.now() + state.map_or(Duration::ZERO, PolicyState::next_free);
        let seconds = free.as_secs() + u64::from(free.subsec_nanos() > 0);
        Self {
            allowed: report.is_admitted(),
            remaining: state.map_or(0, PolicyState::remaining),
            reset: SystemTime::UNIX_EPOCH + Duration::from_secs(seconds),
            retry_after: report.retry_after(),
        }
    }
}
