//! What requests feel when Redis says nothing any more, and when it speaks again.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use futures::future::join_all;
use ratelimit::{
    Algorithm, FailoverOptions, FailoverStore, LocalOptions, LocalStore, Plan, RedisOptions, Source,
    Store as _,
};
use serde_json::json;
use tokio::time::sleep;

use crate::setting::{Setting, median, plan, policy, tell};

/// So many requests are under way at once.
const TASKS: usize = 16;
const CLIENTS: usize = 1_000;
const ROUNDS: usize = 3;
const BEFORE: Duration = Duration::from_millis(500);
const SILENT: Duration = Duration::from_secs(1);
/// When it is not back by then, it does not come back.
const PATIENCE: Duration = Duration::from_secs(10);

/// One request.
#[derive(Clone, Copy)]
struct Seen {
    began: Instant,
    took: Duration,
    source: Source,
    /// Whether nobody was to wait any more when it began.
    degraded: bool,
}

pub(crate) async fn measure(setting: &Setting) {
    let policies = [policy("outage", Algorithm::SlidingLog, 1_000, Duration::from_secs(1))];
    let plans: Arc<[Plan]> = (0..CLIENTS).map(|client| plan(&policies, client, 1)).collect();
    let (mut waiting, mut alone, mut waited, mut back) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        let store = Arc::new(setting.store(2, RedisOptions::default().within));
        let local = LocalStore::new(LocalOptions::default());
        let store = Arc::new(FailoverStore::new(store, local, FailoverOptions::default()));
        let over = Arc::new(AtomicBool::new(false));
        let tasks: Vec<_> = (0..TASKS)
            .map(|task| tokio::spawn(ask(Arc::clone(&store), Arc::clone(&plans), task, Arc::clone(&over))))
            .collect();
        sleep(BEFORE).await;
        setting.server.pause().unwrap();
        let paused = Instant::now();
        sleep(SILENT).await;
        let resumed = Instant::now();
        setting.server.resume().unwrap();
        while store.is_degraded() && resumed.elapsed() < PATIENCE {
            sleep(Duration::from_millis(1)).await;
        }
        sleep(BEFORE).await;
        over.store(true, Ordering::Relaxed);
        let seen: Vec<Seen> = join_all(tasks).await.into_iter().flat_map(Result::unwrap).collect();

        // Those under way at that moment wait as well.
        let silent = |seen: &&Seen| seen.began + seen.took > paused && seen.began < resumed;
        let fallen: Vec<&Seen> =
            seen.iter().filter(silent).filter(|seen| seen.source == Source::Fallback).collect();
        let before = fallen.iter().filter(|seen| !seen.degraded).map(|seen| micros(seen.took));
        let before: Vec<f64> = before.collect();
        waited.push(f64::from(u32::try_from(before.len()).unwrap()));
        waiting.extend(before);
        alone.extend(fallen.iter().filter(|seen| seen.degraded).map(|seen| micros(seen.took)));
        let first = seen.iter().filter(|seen| seen.began >= resumed && seen.source == Source::Store);
        let first = first.map(|seen| seen.began + seen.took).min().expect("it is never back");
        back.push(micros(first - resumed) / 1e3);
    }
    tell(&json!({
        "what": "outage", "under_way": TASKS, "rounds": ROUNDS,
        "waited": median(waited.clone()), "waited_most": quantile(&mut waited, 1.0),
        "waiting_p50_us": quantile(&mut waiting, 0.5), "waiting_p99_us": quantile(&mut waiting, 0.99),
        "waiting_most_us": quantile(&mut waiting, 1.0),
        "alone": alone.len(), "alone_p50_us": quantile(&mut alone, 0.5), "alone_p99_us": quantile(&mut alone, 0.99),
        "back_ms": median(back.clone()), "back_most_ms": quantile(&mut back, 1.0),
    }));
}

/// Asks again and again. Of what was decided by the store before it fell silent, little is of interest, and it is
/// much: all the same it is kept, so that nothing is to be decided while it is measured.
async fn ask(store: Arc<FailoverStore>, plans: Arc<[Plan]>, task: usize, over: Arc<AtomicBool>) -> Vec<Seen> {
    // Grows seldom, and outside of what is measured.
    let mut seen = Vec::with_capacity(1 << 18);
    let mut turn = task;
    while !over.load(Ordering::Relaxed) {
        let degraded = store.is_degraded();
        let began = Instant::now();
        let report = store.admit(&plans[turn % CLIENTS]).await.unwrap();
        let took = began.elapsed();
        seen.push(Seen { began, took, source: report.source(), degraded });
        turn += TASKS;
        // One that does not wait leaves the core to others all the same.
        tokio::task::yield_now().await;
    }
    seen
}

fn micros(time: Duration) -> f64 {
    time.as_secs_f64() * 1e6
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_precision_loss,
    clippy::cast_sign_loss,
    reason = "a place among some millions"
)]
fn quantile(values: &mut [f64], part: f64) -> f64 {
    values.sort_by(f64::total_cmp);
    let place = (values.len() as f64 * part).ceil() as usize;
    values[place.clamp(1, values.len()) - 1]
}
