//! Decisions per second and what each costs the server, beside `INCR`.
//!
//! Samples of `INCR` go before and after each other sample, so that a machine that is slower for a while is slower for
//! both: what is told is the median of the ratios. Two ways to connect: `shared` as a [`RedisStore`] does it unless told
//! otherwise, where the client sends many requests in one packet, and `own`, as many connections as tasks, in turn.

use std::slice::from_ref;
use std::sync::Arc;
use std::time::{Duration, Instant};

use deadpool_redis::redis::Cmd;
use deadpool_redis::redis::aio::MultiplexedConnection;
use futures::future::join_all;
use ratelimit::{Algorithm, Plan, RedisStore, Store as _};
use serde_json::json;

use crate::setting::{PATIENCE, Setting, median, plan, policy, tell};

const TASKS: usize = 50;
const ROUNDS: usize = 3;
const SAMPLE: Duration = Duration::from_secs(1);
const INCR_SAMPLE: Duration = Duration::from_millis(500);
const WARM_UP: Duration = Duration::from_millis(200);
const CLIENTS: usize = 1_000;
/// Never reached, and short enough that each decision has something to remove.
const AMPLE: (u32, Duration) = (1_000, Duration::from_millis(500));
/// Used up before the first sample.
const SCARCE: (u32, Duration) = (10, Duration::from_hours(1));
/// Connections of a shared store.
const SHARED: usize = 2;

/// What one request does.
struct Work {
    name: &'static str,
    /// For each client, what is asked one after the other; nothing for `INCR`.
    plans: Vec<Vec<Plan>>,
    admitted: bool,
}

/// Whom a task asks: its own, or one of few.
struct Way {
    name: &'static str,
    store: RedisStore,
    connections: Vec<MultiplexedConnection>,
}

#[derive(Clone, Copy)]
struct Sample {
    per_second: f64,
    /// Microseconds of the server's main thread for each request.
    busy: f64,
}

pub(crate) async fn measure(setting: &Setting) {
    let incr = Arc::new(Work { name: "incr", plans: Vec::new(), admitted: true });
    let works: Vec<_> = works().into_iter().map(Arc::new).collect();
    let log: Vec<_> = works.iter().filter(|work| work.name == "log_admitted").cloned().collect();
    let store = setting.store(1, PATIENCE);
    for client in 0..CLIENTS {
        store.admit(&plan(&scarce(), client, SCARCE.0)).await.unwrap();
    }
    calls(setting, &store, &works).await;
    for own in [true, false] {
        let way = Arc::new(Way::new(setting, own).await);
        compare(setting, &way, 1, &incr, &works).await;
        compare(setting, &way, 16, &incr, &log).await;
    }
}

/// Three policies of which the last has no room.
fn scarce() -> [ratelimit::Policy; 3] {
    let roomy = |name| policy(name, Algorithm::SlidingLog, 1_000, SCARCE.1);
    [roomy("scarce-a"), roomy("scarce-b"), policy("scarce-c", Algorithm::SlidingLog, SCARCE.0, SCARCE.1)]
}

fn works() -> Vec<Work> {
    let ample = |name, algorithm| policy(name, algorithm, AMPLE.0, AMPLE.1);
    let log = ample("log", Algorithm::SlidingLog);
    let three = ["a", "b", "c"].map(|name| ample(name, Algorithm::SlidingLog));
    let together = |name, policies: &[ratelimit::Policy], admitted| {
        let plans = (0..CLIENTS).map(|client| vec![plan(policies, client, 1)]).collect();
        Work { name, plans, admitted }
    };
    let apart = (0..CLIENTS).map(|client| three.iter().map(|one| plan(from_ref(one), client, 1)).collect());
    vec![
        together("log_admitted", &[log], true),
        together("log_refused", &scarce()[2..], false),
        together("three_admitted", &three, true),
        together("three_refused", &scarce(), false),
        Work { name: "three_apart", plans: apart.collect(), admitted: true },
        together("gcra_admitted", &[ample("gcra", Algorithm::Gcra { burst: AMPLE.0 })], true),
        together("compact_admitted", &[ample("compact", Algorithm::CompactLog)], true),
    ]
}

/// How many scripts a decision calls.
async fn calls(setting: &Setting, store: &RedisStore, works: &[Arc<Work>]) {
    for work in works {
        let (before, _) = setting.scripts().await;
        for plans in &work.plans {
            for plan in plans {
                store.admit(plan).await.unwrap();
            }
        }
        let (after, _) = setting.scripts().await;
        #[expect(clippy::cast_precision_loss, reason = "some thousands")]
        let calls = (after - before) as f64 / work.plans.len() as f64;
        tell(&json!({ "what": "calls", "work": work.name, "calls": calls }));
    }
}

async fn compare(setting: &Setting, way: &Arc<Way>, depth: usize, incr: &Arc<Work>, works: &[Arc<Work>]) {
    let mut seen: Vec<Vec<(Sample, Sample)>> = vec![Vec::new(); works.len()];
    for _ in 0..ROUNDS {
        let mut before = sample(setting, way, depth, incr, INCR_SAMPLE).await;
        for (work, seen) in works.iter().zip(&mut seen) {
            let taken = sample(setting, way, depth, work, SAMPLE).await;
            let after = sample(setting, way, depth, incr, INCR_SAMPLE).await;
            let between = Sample {
                per_second: f64::midpoint(before.per_second, after.per_second),
                busy: f64::midpoint(before.busy, after.busy),
            };
            seen.push((taken, between));
            before = after;
        }
    }
    for (work, seen) in works.iter().zip(&seen) {
        let median = |figure: fn(&(Sample, Sample)) -> f64| median(seen.iter().map(figure).collect());
        tell(&json!({
            "what": "load", "work": work.name, "way": way.name, "depth": depth,
            "per_second": median(|(taken, _)| taken.per_second),
            "busy_us": median(|(taken, _)| taken.busy),
            "per_second_to_incr": median(|(taken, incr)| taken.per_second / incr.per_second),
            "busy_to_incr": median(|(taken, incr)| taken.busy / incr.busy),
            "incr_per_second": median(|(_, incr)| incr.per_second),
            "incr_busy_us": median(|(_, incr)| incr.busy),
        }));
    }
}

async fn sample(setting: &Setting, way: &Arc<Way>, depth: usize, work: &Arc<Work>, time: Duration) -> Sample {
    drive(way, depth, work, WARM_UP).await;
    let busy = setting.busy().await;
    let began = Instant::now();
    let requests = drive(way, depth, work, time).await;
    let took = began.elapsed();
    let busy = setting.busy().await - busy;
    Sample { per_second: requests / took.as_secs_f64(), busy: busy / requests }
}

/// Lets all tasks ask for a while. Returns how many requests that were.
async fn drive(way: &Arc<Way>, depth: usize, work: &Arc<Work>, time: Duration) -> f64 {
    let until = Instant::now() + time;
    let tasks = (0..TASKS).map(|task| {
        let (way, work) = (Arc::clone(way), Arc::clone(work));
        tokio::spawn(async move {
            let asker = async |place: usize| {
                let mut requests = 0_u32;
                let mut client = task * depth + place;
                while Instant::now() < until {
                    way.ask(&work, task, client % CLIENTS).await;
                    client += TASKS * depth;
                    requests += 1;
                }
                requests
            };
            join_all((0..depth).map(asker)).await.into_iter().map(f64::from).sum::<f64>()
        })
    });
    join_all(tasks.collect::<Vec<_>>()).await.into_iter().map(Result::unwrap).sum()
}

impl Way {
    async fn new(setting: &Setting, own: bool) -> Self {
        let (name, connections) = if own { ("own", TASKS) } else { ("shared", SHARED) };
        let store = setting.store(connections, PATIENCE);
        Self { name, store, connections: join_all((0..connections).map(|_| setting.connection())).await }
    }

    async fn ask(&self, work: &Work, task: usize, client: usize) {
        let Some(plans) = work.plans.get(client) else {
            let mut connection = self.connections[task % self.connections.len()].clone();
            let mut incr = Cmd::new();
            incr.arg("INCR").arg(format!("plain:{client}"));
            incr.exec_async(&mut connection).await.unwrap();
            return;
        };
        for plan in plans {
            let report = self.store.admit(plan).await.unwrap();
            assert_eq!(report.is_admitted(), work.admitted, "{}: {report:?}", work.name);
        }
    }
}
