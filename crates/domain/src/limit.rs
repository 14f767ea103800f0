//! A marketplace's limits on calls, as token buckets shared by every process that calls for one seller.
//!
//! The rule is here; keeping the buckets where all processes see them is `storage`'s.

use std::time::Duration;

use async_trait::async_trait;
use serde::{Deserialize, Serialize};

use crate::marketplace::MarketplaceCode;

/// Whose budget and for which methods.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct BucketKey {
    /// The marketplace.
    pub marketplace: MarketplaceCode,
    /// The seller by the marketplace's word, or the hash of a credential that has not proven itself yet.
    pub seller: String,
    /// The group of methods that share the budget.
    pub group: String,
}

/// How fast a bucket may be emptied.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rate {
    /// Time in which one call is earned back.
    pub interval: Duration,
    /// Calls that may be made at once after a rest; at least 1.
    pub burst: u32,
}

/// One call's claim on one bucket.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Claim {
    /// Which bucket.
    pub key: BucketKey,
    /// Its rate.
    pub rate: Rate,
}

/// Whether a call may be made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Grant {
    /// Now; every bucket has been charged.
    Now,
    /// Not before this has passed; nothing has been charged.
    After(Duration),
}

/// The state of a bucket: the moment at which it will be full again, in milliseconds since 1970.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Bucket {
    /// The moment at which the bucket will be full again.
    pub full_at_ms: i64,
}

impl Bucket {
    /// How long to wait before one call may be made.
    pub fn wait(self, rate: Rate, now_ms: i64) -> Duration {
        let room = millis(rate.interval).saturating_mul(i64::from(rate.burst.max(1)) - 1);
        let earliest = self.full_at_ms.saturating_sub(room);
        Duration::from_millis(u64::try_from(earliest.saturating_sub(now_ms)).unwrap_or(0))
    }

    /// The bucket after calls worth `cost` were made.
    #[must_use]
    pub fn charged(self, rate: Rate, cost: u32, now_ms: i64) -> Self {
        let spent = millis(rate.interval).saturating_mul(i64::from(cost));
        Self { full_at_ms: self.full_at_ms.max(now_ms).saturating_add(spent) }
    }

    /// The bucket after the marketplace said that no call may be made before `wait` has passed.
    #[must_use]
    pub fn blocked(self, rate: Rate, wait: Duration, now_ms: i64) -> Self {
        let room = millis(rate.interval).saturating_mul(i64::from(rate.burst.max(1)) - 1);
        let full_at_ms = now_ms.saturating_add(millis(wait)).saturating_add(room);
        Self { full_at_ms: self.full_at_ms.max(full_at_ms) }
    }
}

/// Milliseconds, rounded up: a marketplace counts from the whole interval.
fn millis(duration: Duration) -> i64 {
    i64::try_from(duration.as_nanos().div_ceil(1_000_000)).unwrap_or(i64::MAX)
}

/// The place where the buckets are kept cannot be reached.
#[derive(Debug, thiserror::Error)]
#[error("the limits of sellers cannot be read: {0}")]
pub struct LimiterUnavailable(pub String);

/// Keeps the buckets of every seller for every process.
#[async_trait]
pub trait SellerLimiter: Send + Sync {
    /// Asks for one call that counts in every given bucket: all are charged, or none.
    async fn acquire(&self, claims: &[Claim]) -> Result<Grant, LimiterUnavailable>;

    /// Charges more for a call already made (a marketplace that makes errors dear).
    async fn charge(&self, claim: &Claim, cost: u32) -> Result<(), LimiterUnavailable>;

    /// Notes that the marketplace refuses calls until `wait` has passed.
    async fn block(&self, claim: &Claim, wait: Duration) -> Result<(), LimiterUnavailable>;
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const RATE: Rate = Rate { interval: Duration::from_millis(200), burst: 20 };

    proptest! {
        /// However calls are spread, no stretch of time sees more of them than the burst and what it earned back.
        #[test]
        fn never_more_than_burst_plus_earned(
            gaps in prop::collection::vec(0_i64..500, 1..200), burst in 1_u32..30, interval in 1_u64..400,
        ) {
            let rate = Rate { interval: Duration::from_millis(interval), burst };
            let (mut bucket, mut now, mut calls) = (Bucket::default(), 0_i64, Vec::new());
            for gap in gaps {
                now += gap;
                let wait = bucket.wait(rate, now);
                if wait.is_zero() {
                    bucket = bucket.charged(rate, 1, now);
                    calls.push(now);
                }
            }
            for (i, start) in calls.iter().enumerate() {
                for (j, end) in calls.iter().enumerate().skip(i) {
                    let made = i64::try_from(j - i + 1).unwrap();
                    let allowed = i64::from(burst) + (end - start) / i64::try_from(interval).unwrap();
                    prop_assert!(made <= allowed, "{made} calls in {} ms", end - start);
                }
            }
        }

        #[test]
        fn waiting_as_told_is_enough(full_at_ms in 0_i64..1_000_000, now in 0_i64..1_000_000) {
            let bucket = Bucket { full_at_ms };
            let wait = i64::try_from(bucket.wait(RATE, now).as_millis()).unwrap();
            prop_assert!(bucket.wait(RATE, now + wait).is_zero());
            prop_assert!(wait == 0 || !bucket.wait(RATE, now + wait - 1).is_zero());
        }

        #[test]
        fn a_block_lasts_as_long_as_told(full_at_ms in 0_i64..100_000, now in 0_i64..100_000, seconds in 0_u64..600) {
            let bucket = Bucket { full_at_ms }.blocked(RATE, Duration::from_secs(seconds), now);
            prop_assert!(bucket.wait(RATE, now) >= Duration::from_secs(seconds));
        }
    }
}
