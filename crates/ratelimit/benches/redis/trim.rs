//! How long one script holds the server up that finds a long log out of its window.
//!
//! The time is the server's own. It does not know of other processes that took the core meanwhile: the least of several
//! is the script's, the median what was felt.

use std::time::Duration;

use futures::future::join_all;
use ratelimit::{Algorithm, Plan, Store as _};
use serde_json::json;
use tokio::time::{Instant, sleep_until};

use crate::setting::{PATIENCE, Setting, median, plan, policy, tell};

/// How many, and the window: time enough to write those of all samples.
const ENTRIES: [(u32, Duration); 2] = [(10_000, Duration::from_secs(2)), (100_000, Duration::from_secs(8))];
/// As many as one request writes into a log at most.
const AT_ONCE: u32 = Plan::LARGEST_LOG_COST;
const SAMPLES: usize = 5;

pub(crate) async fn measure(setting: &Setting) {
    for (name, algorithm) in [("log", Algorithm::SlidingLog), ("compact", Algorithm::CompactLog)] {
        for (entries, window) in ENTRIES {
            for one_is_left in [false, true] {
                let times = times(setting, algorithm, (entries, window), one_is_left).await;
                tell(&json!({
                    "what": "trim", "algorithm": name, "entries": entries, "expired": entries - AT_ONCE, "one_is_left": one_is_left,
                    "least_us": times.iter().copied().fold(f64::MAX, f64::min), "median_us": median(times),
                }));
            }
        }
    }
}

async fn times(
    setting: &Setting,
    algorithm: Algorithm,
    (entries, window): (u32, Duration),
    one_is_left: bool,
) -> Vec<f64> {
    let store = setting.store(2, PATIENCE);
    // One place less, for the one that is left: the limit is the longest that a log may be.
    let filled = entries - AT_ONCE;
    let policies = [policy("trim", algorithm, entries, window)];
    let client = |sample: usize| 10_000_000 + entries as usize + usize::from(one_is_left) + 10 * sample;
    let began = Instant::now();
    for sample in 0..SAMPLES {
        let plan = plan(&policies, client(sample), AT_ONCE);
        let fill = (0..filled / AT_ONCE).map(|_| store.admit(&plan));
        let reports = join_all(fill).await;
        assert!(reports.into_iter().all(|report| report.unwrap().is_admitted()));
    }
    let took = began.elapsed();
    assert!(took < window / 2, "too slow a machine: entries expire in {window:?}, and writing took {took:?}");
    if one_is_left {
        sleep_until(began + window - window / 4).await;
        for sample in 0..SAMPLES {
            assert!(store.admit(&plan(&policies, client(sample), 1)).await.unwrap().is_admitted());
        }
    }
    // All others are out of the window now, and the key, which is kept for two, is there.
    sleep_until(began + took + window + Duration::from_millis(50)).await;
    let mut times = Vec::new();
    for sample in 0..SAMPLES {
        setting.forget_statistics().await;
        let report = store.admit(&plan(&policies, client(sample), 1)).await.unwrap();
        let used = if one_is_left { 2 } else { 1 };
        assert_eq!((report.is_admitted(), report.states()[0].used()), (true, used));
        let (calls, micros) = setting.scripts().await;
        assert_eq!(calls, 1);
        times.push(f64::from(u32::try_from(micros).unwrap()));
    }
    assert!(began.elapsed() < 2 * window, "too slow a machine: keys expire after two windows");
    times
}
