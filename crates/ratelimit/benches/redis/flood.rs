//! How often Redis is asked when a client sends a hundred times what it may.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use futures::future::join_all;
use ratelimit::{Algorithm, DenyCache, Store as _};
use serde_json::json;
use tokio::time::{MissedTickBehavior, interval};

use crate::setting::{PATIENCE, Setting, plan, policy, tell};

const LIMIT: u32 = 50;
const WINDOW: Duration = Duration::from_millis(500);
const TASKS: u32 = 4;
const LASTS: Duration = Duration::from_secs(4);
/// A hundred times the limit, from each task its part.
const TICK: Duration = Duration::from_millis(10);
const EACH_TICK: u32 = 100 * LIMIT / 50 / TASKS;

pub(crate) async fn measure(setting: &Setting) {
    let cache = Arc::new(DenyCache::new(Arc::new(setting.store(2, PATIENCE))));
    let plan = Arc::new(plan(&[policy("flood", Algorithm::SlidingLog, LIMIT, WINDOW)], 0, 1));
    let [admitted, refused] = [(); 2].map(|()| Arc::new(AtomicU64::new(0)));
    let (before, _) = setting.scripts().await;
    let tasks = (0..TASKS).map(|_| {
        let (cache, plan) = (Arc::clone(&cache), Arc::clone(&plan));
        let (admitted, refused) = (Arc::clone(&admitted), Arc::clone(&refused));
        tokio::spawn(async move {
            let mut ticks = interval(TICK);
            ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
            for _ in 0..LASTS.as_millis() / TICK.as_millis() {
                ticks.tick().await;
                for _ in 0..EACH_TICK {
                    let report = cache.admit(&plan).await.unwrap();
                    let count = if report.is_admitted() { &admitted } else { &refused };
                    count.fetch_add(1, Ordering::Relaxed);
                }
            }
        })
    });
    join_all(tasks.collect::<Vec<_>>()).await.into_iter().for_each(Result::unwrap);
    let (after, _) = setting.scripts().await;
    let (admitted, refused) = (admitted.load(Ordering::Relaxed), refused.load(Ordering::Relaxed));
    #[expect(clippy::cast_precision_loss, reason = "some thousands")]
    let per_refused = |asked: u64| asked as f64 / refused as f64;
    tell(&json!({
        "what": "flood", "admitted": admitted, "refused": refused, "asked": after - before,
        "asked_per_refused": per_refused(after - before),
        "asked_for_refusals_per_refused": per_refused(after - before - admitted),
    }));
}
