//! How much memory a log takes.

use std::time::Duration;

use deadpool_redis::redis::cmd;
use futures::future::try_join_all;
use ratelimit::{Algorithm, Store as _};
use serde_json::json;

use crate::setting::{PATIENCE, Setting, plan, policy, tell};

const ENTRIES: [u32; 4] = [100, 128, 1_000, 10_000];

pub(crate) async fn measure(setting: &Setting) {
    let store = setting.store(1, PATIENCE);
    for (name, algorithm) in [("log", Algorithm::SlidingLog), ("compact", Algorithm::CompactLog)] {
        for entries in ENTRIES {
            let policy = policy(name, algorithm, entries, Duration::from_hours(1));
            // A client of its own: another limit does not make another key.
            let plan = plan(&[policy], entries as usize, 1);
            for _ in 0..entries / 100 {
                let reports = try_join_all((0..100).map(|_| store.admit(&plan))).await.unwrap();
                assert!(reports.iter().all(ratelimit::Report::is_admitted));
            }
            for _ in 0..entries % 100 {
                assert!(store.admit(&plan).await.unwrap().is_admitted());
            }
            let key = plan.asks()[0].key().to_string();
            let usage = cmd("MEMORY").arg("USAGE").arg(key).arg("SAMPLES").arg(0).to_owned();
            let bytes: f64 = usage.query_async(&mut setting.aside.clone()).await.unwrap();
            tell(&json!({
                "what": "memory", "algorithm": name, "entries": entries, "bytes": bytes,
                "bytes_per_entry": bytes / f64::from(entries),
            }));
        }
    }
}
