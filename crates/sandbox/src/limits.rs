//! Rate limits of the marketplace as token buckets per seller, method group and profile of the token. Pure: time
//! comes in as an argument.
//!
//! A bucket is kept as the moment at which it will be full again, so that it needs neither a timer nor
//! fractions.

use std::collections::HashMap;

use chrono::{DateTime, TimeDelta, Utc};

use crate::wildberries::groups::{Group, Profile, Rule};

/// Whose requests count together.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Bucket {
    seller: usize,
    group: Group,
    profile: Profile,
}

impl Bucket {
    pub(crate) fn new(seller: usize, group: Group, profile: Profile) -> Self {
        Self { seller, group: group.counted_under(profile), profile }
    }

    /// How many requests an answer with a client error counts for beyond the one that it was.
    pub(crate) fn extra_cost_of_an_error(self) -> i32 {
        self.group.error_cost(self.profile) - 1
    }

    fn rule(self) -> Rule {
        self.group.rule(self.profile)
    }
}

/// What a bucket says about one request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    Granted {
        remaining: i64,
    },
    /// `retry`: seconds until the next request is granted; `reset`: until the bucket is full; both rounded
    /// up.
    Refused {
        retry: i64,
        reset: i64,
        limit: i32,
    },
}

/// All buckets of the marketplace.
#[derive(Debug)]
pub(crate) struct Limits {
    scale: f64,
    full_at: HashMap<Bucket, DateTime<Utc>>,
}

impl Limits {
    /// `scale` multiplies every interval; at 0 or below nothing is limited. What is no number counts as 1.
    pub(crate) fn new(scale: f64) -> Self {
        let scale = if scale.is_finite() { scale.clamp(0.0, 1e6) } else { 1.0 };
        Self { scale, full_at: HashMap::new() }
    }

    /// Takes one request from the bucket, if there is one.
    pub(crate) fn take(&mut self, bucket: Bucket, now: DateTime<Utc>) -> Verdict {
        let rule = bucket.rule();
        let interval = self.interval(rule);
        let full_at = self.full_at.entry(bucket).or_insert(now);
        let missing = (*full_at - now).max(TimeDelta::zero());
        let capacity = interval * rule.burst;
        if missing + interval > capacity {
            let retry = missing + interval - capacity;
            return Verdict::Refused {
                retry: whole_seconds(retry),
                reset: whole_seconds(missing),
                limit: rule.burst,
            };
        }
        *full_at = now + missing + interval;
        let left = (capacity - missing - interval).num_microseconds().unwrap_or(i64::MAX);
        let remaining = match interval.num_microseconds() {
            Some(each) if each > 0 => left / each,
            _ => i64::from(rule.burst),
        };
        Verdict::Granted { remaining }
    }

    /// Charges `extra` further requests for an answer that counts for more than one; the bucket may go into
    /// debt.
    pub(crate) fn charge(&mut self, bucket: Bucket, extra: i32, now: DateTime<Utc>) {
        let interval = self.interval(bucket.rule());
        let full_at = self.full_at.entry(bucket).or_insert(now);
        *full_at = (*full_at).max(now) + interval * extra;
    }

    fn interval(&self, rule: Rule) -> TimeDelta {
        TimeDelta::from_std(rule.interval.mul_f64(self.scale)).unwrap_or(TimeDelta::MAX)
    }
}

fn whole_seconds(delta: TimeDelta) -> i64 {
    let seconds = delta.num_seconds();
    if TimeDelta::seconds(seconds) < delta { seconds + 1 } else { seconds }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn at(milliseconds: i64) -> DateTime<Utc> {
        DateTime::UNIX_EPOCH + TimeDelta::milliseconds(milliseconds)
    }

    fn bucket(seller: usize, group: Group) -> Bucket {
        Bucket::new(seller, group, Profile::Full)
    }

    #[test]
    fn a_burst_is_granted_and_then_one_request_per_interval() {
        let mut limits = Limits::new(1.0);
        for remaining in (0..5).rev() {
            assert_eq!(limits.take(bucket(0, Group::Content), at(0)), Verdict::Granted { remaining });
        }
        let refused = Verdict::Refused { retry: 1, reset: 3, limit: 5 };
        assert_eq!(limits.take(bucket(0, Group::Content), at(0)), refused);
        assert_eq!(limits.take(bucket(0, Group::Content), at(600)), Verdict::Granted { remaining: 0 });
    }

    #[test]
    fn sellers_and_groups_do_not_share_a_bucket() {
        let mut limits = Limits::new(1.0);
        for (seller, group) in
            [(0, Group::WbStocksReport), (1, Group::WbStocksReport), (0, Group::SellerStocksReport)]
        {
            assert_eq!(limits.take(bucket(seller, group), at(0)), Verdict::Granted { remaining: 0 });
        }
        assert!(matches!(
            limits.take(bucket(0, Group::WbStocksReport), at(0)),
            Verdict::Refused { retry: 20, .. }
        ));
    }

    #[test]
    fn an_error_of_the_marketplace_group_counts_ten_times() {
        let mut limits = Limits::new(1.0);
        let stocks = bucket(0, Group::SellerStocks);
        assert_eq!(limits.take(stocks, at(0)), Verdict::Granted { remaining: 19 });
        limits.charge(stocks, stocks.extra_cost_of_an_error(), at(0));
        assert_eq!(limits.take(stocks, at(0)), Verdict::Granted { remaining: 9 });
    }

    #[test]
    fn a_slow_profile_does_not_hold_up_another_of_the_same_seller() {
        let mut limits = Limits::new(1.0);
        let basic = Bucket::new(0, Group::Orders, Profile::Basic);
        assert_eq!(limits.take(basic, at(0)), Verdict::Granted { remaining: 0 });
        assert_eq!(limits.take(basic, at(0)), Verdict::Refused { retry: 10_800, reset: 10_800, limit: 1 });
        assert_eq!(limits.take(bucket(0, Group::Orders), at(0)), Verdict::Granted { remaining: 9 });
    }

    #[test]
    fn a_test_token_has_one_limit_for_a_category() {
        let mut limits = Limits::new(1.0);
        let test = |group| Bucket::new(0, group, Profile::Test);
        assert_eq!(limits.take(test(Group::SellerStocks), at(0)), Verdict::Granted { remaining: 0 });
        for group in [Group::SellerWarehouses, Group::AssemblyOrders] {
            assert!(matches!(limits.take(test(group), at(0)), Verdict::Refused { retry: 1, .. }));
        }
        assert_eq!(limits.take(test(Group::Content), at(0)), Verdict::Granted { remaining: 0 });
        assert_eq!(limits.take(test(Group::AssemblyOrders), at(1000)), Verdict::Granted { remaining: 0 });
    }

    #[test]
    fn scale_stretches_periods_and_zero_lifts_them() {
        let mut slow = Limits::new(3.0);
        slow.take(bucket(0, Group::WbStocksReport), at(0));
        let verdict = slow.take(bucket(0, Group::WbStocksReport), at(0));
        assert_eq!(verdict, Verdict::Refused { retry: 60, reset: 60, limit: 1 });
        let mut free = Limits::new(0.0);
        for _ in 0..50 {
            let verdict = free.take(bucket(0, Group::WbStocksReport), at(0));
            assert_eq!(verdict, Verdict::Granted { remaining: 1 });
        }
    }

    proptest! {
        #[test]
        fn no_window_grants_more_than_burst_and_refill(gaps in prop::collection::vec(0_i64..900, 1..200)) {
            let mut limits = Limits::new(1.0);
                let (mut clock, mut granted) = (0, 0_i64);
            for gap in gaps {
                clock += gap;
                if matches!(limits.take(bucket(0, Group::Content), at(clock)), Verdict::Granted { .. }) {
                    granted += 1;
                }
                prop_assert!(granted <= 5 + clock / 600);
            }
        }
    }
}
