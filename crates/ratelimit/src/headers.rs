//! What clients are told in headers, in both families: `X-RateLimit-*`, which are widely read, and the `RateLimit` and
//! `RateLimit-Policy` lists of the IETF draft (draft-ietf-httpapi-ratelimit-headers), with an item for each policy.
//!
//! Only policies that are advertised are told of, by the names they have here.

use std::fmt::Write as _;
use std::time::Duration;

use crate::{PolicyState, Report};

/// The headers that [`headers`] and a refusal may add, in lower case; a page of another origin sees them only if
/// `Access-Control-Expose-Headers` lists them.
pub const HEADERS: [&str; 6] = [
    "x-ratelimit-limit",
    "x-ratelimit-remaining",
    "x-ratelimit-reset",
    "ratelimit",
    "ratelimit-policy",
    "retry-after",
];

/// A header's name, in lower case, and its value, plain ASCII.
pub type Header = (&'static str, String);

/// The headers for a request that was decided once or several times, such as by the middleware and by its handler.
/// Empty when no policy is advertised.
///
/// `X-RateLimit-*` tell of the policy that leaves the least: one that refuses the request, else the one with the
/// smallest part of its limit left. `X-RateLimit-Reset` is when that policy will have more left, in whole seconds
/// since 1970. `Retry-After` is there when the request was refused and waiting helps: after so many whole seconds all
/// policies have room, if nothing more is admitted.
pub fn headers<'r>(reports: impl IntoIterator<Item = &'r Report>) -> Vec<Header> {
    let reports: Vec<&Report> = reports.into_iter().collect();
    let told = || {
        reports.iter().flat_map(|report| {
            let states = report.states().iter().filter(|state| state.is_advertised());
            states.map(|state| (*report, state))
        })
    };
    let Some((report, tightest)) = told().min_by(|one, other| tightness(*one).total_cmp(&tightness(*other)))
    else {
        return retry_after(&reports).into_iter().collect();
    };
    // What refuses may be a policy that nobody is told of: then too nothing is left before it has room.
    let wait = reports.iter().filter_map(|report| report.retry_after()).max();
    let remaining = if reports.iter().all(|report| report.is_admitted()) { tightest.remaining() } else { 0 };
    let reset = report.now() + wait.unwrap_or_else(|| tightest.next_free());
    let mut headers = vec![
        ("x-ratelimit-limit", tightest.limit().to_string()),
        ("x-ratelimit-remaining", remaining.to_string()),
        ("x-ratelimit-reset", seconds(reset).to_string()),
    ];
    let (mut left, mut policies) = (String::new(), String::new());
    for (_, state) in told() {
        let comma = if left.is_empty() { "" } else { ", " };
        let (name, rule) = (state.policy(), state.rule());
        let (remaining, free) = (state.remaining(), seconds(state.next_free()));
        // Names are plain: nothing in them needs escaping. Writing to a string cannot fail.
        let _ = write!(left, "{comma}\"{name}\";r={remaining};t={free}");
        let _ = write!(policies, "{comma}\"{name}\";q={};w={}", rule.limit(), seconds(rule.window()));
    }
    headers.extend([("ratelimit", left), ("ratelimit-policy", policies)]);
    headers.extend(retry_after(&reports));
    headers
}

fn retry_after(reports: &[&Report]) -> Option<Header> {
    let wait = reports.iter().filter_map(|report| report.retry_after()).max()?;
    Some(("retry-after", seconds(wait).max(1).to_string()))
}

/// The part of its limit that a policy leaves; less than any for one that refuses.
fn tightness((report, state): (&Report, &PolicyState)) -> f64 {
    if !report.is_admitted() && state.is_exceeded() {
        return -1.0;
    }
    f64::from(state.remaining()) / f64::from(state.limit())
}

/// Whole seconds, rounded up.
pub(crate) fn seconds(duration: Duration) -> u64 {
    duration.as_secs() + u64::from(duration.subsec_nanos() > 0)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::clock::ManualClock;
    use crate::{Dim, Keys, LocalOptions, LocalStore, Mode, Plan, Policy, Subject};

    const START: u64 = 1_800_000_000;

    struct Case {
        clock: Arc<ManualClock>,
        store: LocalStore,
    }

    impl Case {
        fn new() -> Self {
            let clock = Arc::new(ManualClock::at(Duration::from_secs(START)));
            let options = LocalOptions { clock: Arc::clone(&clock) as _, ..LocalOptions::default() };
            Self { clock, store: LocalStore::new(options) }
        }

        fn admit(&self, policies: &[&Policy]) -> Report {
            let subject = Subject::new().with(Dim::User, "7");
            let mut plan = Plan::new();
            for policy in policies {
                plan.ask(policy, Keys::new([1; 16]).key(policy, &subject).unwrap(), 1).unwrap();
            }
            self.store.admit_now(&plan)
        }
    }

    fn policy(name: &str, limit: u32, seconds: u64) -> Policy {
        Policy::builder(name, limit, Duration::from_secs(seconds)).scope([Dim::User]).build().unwrap()
    }

    fn shown(headers: &[Header]) -> Vec<String> {
        headers.iter().map(|(name, value)| format!("{name}: {value}")).collect()
    }

    #[test]
    fn the_tightest_policy_is_told_and_all_are_listed() {
        let case = Case::new();
        let all = Policy::builder("all", 1, Duration::from_secs(1)).build().unwrap();
        let watching =
            Policy::builder("watching", 1, Duration::from_secs(1)).scope([Dim::User]).mode(Mode::Shadow);
        let report = case.admit(&[
            &all,
            &policy("minute", 4, 60),
            &watching.build().unwrap(),
            &policy("day", 2, 86_400),
        ]);
        assert_eq!(
            shown(&headers([&report])),
            [
                "x-ratelimit-limit: 2",
                "x-ratelimit-remaining: 1",
                "x-ratelimit-reset: 1800086400",
                "ratelimit: \"minute\";r=3;t=60, \"day\";r=1;t=86400",
                "ratelimit-policy: \"minute\";q=4;w=60, \"day\";q=2;w=86400",
            ]
        );
    }

    #[test]
    fn a_refusal_tells_when_to_come_again_and_that_moment_does_not_move() {
        let case = Case::new();
        let policies = [&policy("minute", 1, 60), &policy("hour", 100, 3_600)];
        case.admit(&policies);
        let mut resets = Vec::new();
        for wait in [60_u64, 60, 59, 1] {
            let headers = headers([&case.admit(&policies)]);
            assert_eq!(headers[0], ("x-ratelimit-limit", "1".to_owned()));
            assert_eq!(headers.last().unwrap(), &("retry-after", wait.to_string()));
            resets.push(headers[2].1.clone());
            let step = match wait {
                60 => Duration::from_millis(500),
                59 => Duration::from_millis(58_500),
                _ => Duration::ZERO,
            };
            case.clock.advance(step);
        }
        assert!(resets.iter().all(|reset| reset == "1800000060"), "{resets:?}");
        case.clock.advance(Duration::from_secs(1));
        assert!(case.admit(&policies).is_admitted(), "waiting so long was enough");
    }

    #[test]
    fn several_decisions_are_told_as_one() {
        let case = Case::new();
        let first = case.admit(&[&policy("api", 10, 60)]);
        case.admit(&[&policy("attempts", 1, 60)]);
        let refused = case.admit(&[&policy("attempts", 1, 60)]);
        let headers = shown(&headers([&first, &refused]));
        assert_eq!(headers[0], "x-ratelimit-limit: 1");
        assert!(
            headers.contains(&"ratelimit: \"api\";r=9;t=60, \"attempts\";r=0;t=60".to_owned()),
            "{headers:?}"
        );
        assert!(headers.contains(&"retry-after: 60".to_owned()));
    }

    #[test]
    fn nothing_is_told_of_what_is_not_advertised() {
        let case = Case::new();
        let all = Policy::builder("all", 1, Duration::from_secs(9)).build().unwrap();
        assert_eq!(headers([&case.admit(&[&all])]), []);
        assert_eq!(shown(&headers([&case.admit(&[&all])])), ["retry-after: 9"], "but when to come again is");
        assert_eq!(headers([]), []);
    }
}
