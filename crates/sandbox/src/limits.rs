//! Rate limits of the marketplace as token buckets per seller and method group. Pure: time comes in as an
//! argument.
//!
//! A bucket is kept as the moment at which it will be full again, so that it needs neither a timer nor
//! fractions.

use std::collections::HashMap;
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};

/// Methods that share one limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Group {
    Ping,
    SellerInfo,
    Content,
    SellerWarehouses,
    SellerStocks,
    AssemblyOrders,
    WbStocksReport,
    SellerStocksReport,
    Orders,
}

/// One line of the published tables: a request is granted every `interval`, `burst` may be saved up.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Rule {
    pub(crate) interval: Duration,
    pub(crate) burst: i32,
}

impl Group {
    /// The limit of this group. Basic tokens have limits of their own for the statistics and the seller's
    /// data.
    pub(crate) fn rule(self, basic_token: bool) -> Rule {
        const MINUTE: u64 = 60_000;
        const HOUR: u64 = 60 * MINUTE;
        let (interval_ms, burst) = match self {
            Self::Ping => (10_000, 99),
            Self::SellerInfo if basic_token => (24 * HOUR, 1),
            Self::Orders if basic_token => (3 * HOUR, 1),
            Self::SellerInfo | Self::Orders => (MINUTE, 10),
            Self::Content => (600, 5),
            Self::SellerWarehouses | Self::SellerStocks | Self::AssemblyOrders => (200, 20),
            Self::WbStocksReport | Self::SellerStocksReport => (20_000, 1),
        };
        Rule { interval: Duration::from_millis(interval_ms), burst }
    }

    /// How many requests an answer with a client error (4xx) counts for.
    pub(crate) fn error_cost(self) -> i32 {
        match self {
            Self::SellerWarehouses | Self::SellerStocks | Self::AssemblyOrders => 10,
            _ => 1,
        }
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
    full_at: HashMap<(usize, Group), DateTime<Utc>>,
}

impl Limits {
    /// `scale` multiplies every interval; at 0 or below nothing is limited. What is no number counts as 1.
    pub(crate) fn new(scale: f64) -> Self {
        let scale = if scale.is_finite() { scale.clamp(0.0, 1e6) } else { 1.0 };
        Self { scale, full_at: HashMap::new() }
    }

    /// Takes one request from the bucket, if there is one.
    pub(crate) fn take(&mut self, seller: usize, group: Group, rule: Rule, now: DateTime<Utc>) -> Verdict {
        let interval = self.interval(rule);
        let full_at = self.full_at.entry((seller, group)).or_insert(now);
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
    pub(crate) fn charge(&mut self, seller: usize, group: Group, rule: Rule, extra: i32, now: DateTime<Utc>) {
        let interval = self.interval(rule);
        let full_at = self.full_at.entry((seller, group)).or_insert(now);
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

    #[test]
    fn a_burst_is_granted_and_then_one_request_per_interval() {
        let mut limits = Limits::new(1.0);
        let rule = Group::Content.rule(false);
        for remaining in (0..5).rev() {
            assert_eq!(limits.take(0, Group::Content, rule, at(0)), Verdict::Granted { remaining });
        }
        let refused = Verdict::Refused { retry: 1, reset: 3, limit: 5 };
        assert_eq!(limits.take(0, Group::Content, rule, at(0)), refused);
        assert_eq!(limits.take(0, Group::Content, rule, at(600)), Verdict::Granted { remaining: 0 });
    }

    #[test]
    fn sellers_and_groups_do_not_share_a_bucket() {
        let mut limits = Limits::new(1.0);
        let rule = Group::WbStocksReport.rule(false);
        for (seller, group) in
            [(0, Group::WbStocksReport), (1, Group::WbStocksReport), (0, Group::SellerStocksReport)]
        {
            assert_eq!(limits.take(seller, group, rule, at(0)), Verdict::Granted { remaining: 0 });
        }
        assert!(matches!(
            limits.take(0, Group::WbStocksReport, rule, at(0)),
            Verdict::Refused { retry: 20, .. }
        ));
    }

    #[test]
    fn an_error_of_the_marketplace_group_counts_ten_times() {
        let mut limits = Limits::new(1.0);
        let group = Group::SellerStocks;
        let rule = group.rule(false);
        assert_eq!(limits.take(0, group, rule, at(0)), Verdict::Granted { remaining: 19 });
        limits.charge(0, group, rule, group.error_cost() - 1, at(0));
        assert_eq!(limits.take(0, group, rule, at(0)), Verdict::Granted { remaining: 9 });
    }

    #[test]
    fn scale_stretches_periods_and_zero_lifts_them() {
        let rule = Group::WbStocksReport.rule(false);
        let mut slow = Limits::new(3.0);
        slow.take(0, Group::WbStocksReport, rule, at(0));
        let verdict = slow.take(0, Group::WbStocksReport, rule, at(0));
        assert_eq!(verdict, Verdict::Refused { retry: 60, reset: 60, limit: 1 });
        let mut free = Limits::new(0.0);
        for _ in 0..50 {
            let verdict = free.take(0, Group::WbStocksReport, rule, at(0));
            assert_eq!(verdict, Verdict::Granted { remaining: 1 });
        }
    }

    proptest! {
        #[test]
        fn no_window_grants_more_than_burst_and_refill(gaps in prop::collection::vec(0_i64..900, 1..200)) {
            let mut limits = Limits::new(1.0);
            let rule = Group::Content.rule(false);
            let (mut clock, mut granted) = (0, 0_i64);
            for gap in gaps {
                clock += gap;
                if matches!(limits.take(0, Group::Content, rule, at(clock)), Verdict::Granted { .. }) {
                    granted += 1;
                }
                prop_assert!(granted <= 5 + clock / 600);
            }
        }
    }
}
