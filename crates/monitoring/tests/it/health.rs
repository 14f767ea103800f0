//! Verdicts, limits and sharing of health checks. Time is tokio's paused clock, so nothing here waits for real.

use std::{
    future::pending,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::Duration,
};

use async_trait::async_trait;
use chrono::DateTime;
use futures::future::join_all;
use monitoring::{
    clock::Clock,
    health::{ComponentStatus, Drain, Health, HealthBuilder, Probe, ProbeError, Status},
    metrics::{Build, KnownLabels, Metrics, MetricsSettings, labels::Role},
};
use tokio::time::{Instant, advance};

#[derive(Clone)]
enum Behaviour {
    Answers,
    Refuses,
    Hangs,
    Panics,
    Follows(Arc<AtomicBool>),
}

struct Component {
    name: &'static str,
    behaviour: Behaviour,
    limit: Duration,
    asked: Arc<AtomicUsize>,
}

impl Component {
    fn new(name: &'static str, behaviour: Behaviour) -> Self {
        Self { name, behaviour, limit: Duration::from_millis(500), asked: Arc::default() }
    }

    fn within(self, limit: Duration) -> Self {
        Self { limit, ..self }
    }
}

#[async_trait]
impl Probe for Component {
    fn name(&self) -> &'static str {
        self.name
    }

    fn timeout(&self) -> Duration {
        self.limit
    }

    async fn check(&self) -> Result<(), ProbeError> {
        self.asked.fetch_add(1, Ordering::Relaxed);
        match &self.behaviour {
            Behaviour::Answers => Ok(()),
            Behaviour::Refuses => Err(ProbeError::unreachable("postgres://app:hunter2@db refused")),
            Behaviour::Hangs => pending().await,
            Behaviour::Panics => panic!("a probe went wrong"),
            Behaviour::Follows(up) if up.load(Ordering::Relaxed) => Ok(()),
            Behaviour::Follows(_) => Err(ProbeError::because("schema_outdated")),
        }
    }
}

fn clock() -> Clock {
    Arc::new(|| DateTime::UNIX_EPOCH)
}

fn builder() -> HealthBuilder {
    Health::builder(clock(), Drain::default(), "/")
}

#[tokio::test(start_paused = true)]
async fn readiness_needs_the_required_components_only() {
    let serving = builder()
        .required(Component::new("database", Behaviour::Answers))
        .optional(Component::new("redis", Behaviour::Refuses))
        .build();
    assert_eq!(serving.report().await.status, Status::Degraded);
    assert!(serving.ready().await);

    let broken = builder()
        .required(Component::new("database", Behaviour::Refuses))
        .optional(Component::new("redis", Behaviour::Answers))
        .build();
    assert_eq!(broken.report().await.status, Status::Unhealthy);
    assert!(!broken.ready().await);

    let embedded =
        builder().required(Component::new("database", Behaviour::Answers)).not_configured("redis").build();
    let report = embedded.report().await;
    assert_eq!(report.status, Status::Healthy);
    assert_eq!(report.component("redis").unwrap().status, ComponentStatus::NotConfigured);
}

#[tokio::test(start_paused = true)]
async fn hanging_components_answer_together_within_their_own_limits() {
    let health = builder()
        .required(Component::new("database", Behaviour::Hangs).within(Duration::from_millis(300)))
        .optional(Component::new("redis", Behaviour::Hangs).within(Duration::from_millis(700)))
        .optional(Component::new("ozon", Behaviour::Answers))
        .build();
    let started = Instant::now();
    let report = health.report().await;
    let elapsed = started.elapsed();
    assert!((700..800).contains(&elapsed.as_millis()), "{elapsed:?}");
    for (name, at_least) in [("database", 300.0), ("redis", 700.0)] {
        let component = report.component(name).unwrap();
        assert_eq!((component.status, component.reason), (ComponentStatus::Disconnected, Some("timed_out")));
        let took = component.response_time_ms.unwrap();
        assert!(took >= at_least && took < at_least + 50.0, "{name} took {took} ms");
    }
    assert_eq!(report.component("ozon").unwrap().status, ComponentStatus::Connected);
}

#[tokio::test(start_paused = true)]
async fn a_panicking_probe_takes_nobody_with_it() {
    let health = builder()
        .optional(Component::new("redis", Behaviour::Panics))
        .required(Component::new("database", Behaviour::Answers))
        .build();
    let report = health.report().await;
    assert_eq!(report.component("redis").unwrap().reason, Some("probe_failed"));
    assert_eq!(report.status, Status::Degraded);
}

#[tokio::test(start_paused = true)]
async fn draining_turns_readiness_red_and_nothing_else() {
    let drain = Drain::default();
    let health = Health::builder(clock(), drain.clone(), "/")
        .required(Component::new("database", Behaviour::Answers))
        .build();
    assert!(health.ready().await);
    drain.start();
    assert!(!health.ready().await && health.is_draining());
    assert_eq!(health.report().await.status, Status::Healthy);
}

#[tokio::test(start_paused = true)]
async fn many_callers_share_one_run() {
    let database = Component::new("database", Behaviour::Answers);
    let asked = Arc::clone(&database.asked);
    let health = builder().required(database).build();
    let all = join_all((0..100).map(|_| health.detailed())).await;
    assert_eq!((all.len(), asked.load(Ordering::Relaxed)), (100, 1));
    advance(Duration::from_millis(9_900)).await;
    health.detailed().await;
    assert_eq!(asked.load(Ordering::Relaxed), 1, "still fresh");
    advance(Duration::from_millis(200)).await;
    join_all((0..100).map(|_| health.detailed())).await;
    assert_eq!(asked.load(Ordering::Relaxed), 2);
}

#[tokio::test(start_paused = true)]
async fn callers_of_a_slow_run_do_not_repeat_it() {
    let database = Component::new("database", Behaviour::Hangs).within(Duration::from_secs(30));
    let asked = Arc::clone(&database.asked);
    let health = builder().required(database).build();
    join_all((0..100).map(|_| health.detailed())).await;
    assert_eq!(asked.load(Ordering::Relaxed), 1, "the run took longer than a report stays fresh");
}

#[tokio::test(start_paused = true)]
async fn when_the_first_caller_goes_away_the_next_takes_over() {
    let up = Arc::new(AtomicBool::new(true));
    let database = Component::new("database", Behaviour::Hangs);
    let asked = Arc::clone(&database.asked);
    let health =
        builder().required(database).optional(Component::new("redis", Behaviour::Follows(up))).build();
    let first = health.clone();
    let first = tokio::spawn(async move { first.detailed().await });
    while asked.load(Ordering::Relaxed) == 0 {
        tokio::task::yield_now().await;
    }
    let second = health.clone();
    let second = tokio::spawn(async move { second.detailed().await });
    tokio::task::yield_now().await;
    first.abort();
    assert!(first.await.unwrap_err().is_cancelled());
    let report = second.await.unwrap();
    assert_eq!(report.components.len(), 2);
    assert_eq!(asked.load(Ordering::Relaxed), 2);
}

#[tokio::test(start_paused = true)]
async fn a_component_that_comes_back_is_seen_after_a_second() {
    let up = Arc::new(AtomicBool::new(false));
    let health = builder().required(Component::new("database", Behaviour::Follows(Arc::clone(&up)))).build();
    assert_eq!(health.report().await.component("database").unwrap().reason, Some("schema_outdated"));
    up.store(true, Ordering::Relaxed);
    assert!(!health.ready().await, "one second is not over");
    advance(Duration::from_secs(1)).await;
    assert!(health.ready().await);
}

#[tokio::test(start_paused = true)]
async fn what_a_component_says_in_its_error_is_not_shown() {
    let health = builder().required(Component::new("database", Behaviour::Refuses)).build();
    let shown = serde_json::to_value(&*health.detailed().await).unwrap();
    assert!(!shown.to_string().contains("hunter2"), "{shown}");
    let database = &shown["components"][0];
    assert_eq!(shown["status"], "unhealthy");
    assert_eq!(shown["checked_at"], "1970-01-01T00:00:00Z");
    assert_eq!(database["need"], "required");
    assert_eq!(database["status"], "disconnected");
    assert_eq!(database["reason"], "unreachable");
    assert!(database["response_time_ms"].is_number());
    assert!(shown["disk"]["total_bytes"].as_u64() > Some(0), "{shown}");
    assert_eq!(shown["memory"].is_null(), !cfg!(target_os = "linux"));
}

#[tokio::test(start_paused = true)]
async fn a_disk_that_cannot_be_measured_is_unknown() {
    let health = Health::builder(clock(), Drain::default(), "/nowhere/at/all").build();
    assert!(health.detailed().await.disk.is_none());
}

#[tokio::test(start_paused = true)]
async fn outcomes_reach_the_metrics() {
    let metrics = Metrics::new(&MetricsSettings {
        build: Build { version: "1.2.3", commit: "abc1234", role: Role::Api },
        tenant_limit: 1,
        known: KnownLabels::default(),
        clock: clock(),
    })
    .unwrap();
    let up = Arc::new(AtomicBool::new(true));
    let health = builder()
        .required(Component::new("database", Behaviour::Follows(Arc::clone(&up))))
        .not_configured("redis")
        .measured_by(metrics.clone())
        .build();
    health.report().await;
    assert!(metrics.render().unwrap().contains("stock_tracker_dependency_up{dependency=\"database\"} 1\n"));
    up.store(false, Ordering::Relaxed);
    advance(Duration::from_secs(1)).await;
    health.report().await;
    let page = metrics.render().unwrap();
    assert!(page.contains("stock_tracker_dependency_up{dependency=\"database\"} 0\n"));
    assert!(!page.contains("dependency=\"redis\""), "what is not configured is not down");
}
