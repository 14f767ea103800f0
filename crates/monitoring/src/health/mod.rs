//! Can this process serve? Probes of what it needs, run at once and never longer than each one's own limit.
//!
//! Liveness asks nothing and is not here: a process that can answer is alive.

mod cached;
mod drain;
mod probe;
mod report;
mod resources;
mod work;

use std::{
    path::PathBuf,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use futures::future::join_all;
use tokio::{task::JoinSet, time::Instant};

use self::{cached::Cached, resources::Resources};
pub use self::{
    drain::Drain,
    probe::{Probe, ProbeError},
    report::{ComponentReport, ComponentStatus, DetailedReport, Need, Report, Status},
    resources::{DiskReport, Level, MemoryReport},
    work::{QueueReport, Work, WorkProbe, WorkReport},
};
use crate::{clock::Clock, metrics::Metrics};

/// How long a report stands. Health checks are exempt from rate limits, so they must not reach the database each.
const REPORT_FRESH: Duration = Duration::from_secs(1);
/// How long a detailed report stands.
const DETAILED_FRESH: Duration = Duration::from_secs(10);

/// The health of a process. Clones share probes and cached reports.
#[derive(Clone)]
pub struct Health(Arc<Inner>);

struct Inner {
    components: Vec<Component>,
    resources: Resources,
    work: Option<Arc<dyn WorkProbe>>,
    clock: Clock,
    drain: Drain,
    metrics: Option<Metrics>,
    report: Cached<Report>,
    detailed: Cached<DetailedReport>,
}

struct Component {
    name: &'static str,
    need: Need,
    /// `None`: not configured.
    probe: Option<Arc<dyn Probe>>,
    /// Whether the last check failed: only changes are logged.
    down: AtomicBool,
}

/// Collects what a process depends on.
pub struct HealthBuilder(Inner);

impl HealthBuilder {
    /// Without this the process cannot serve.
    #[must_use]
    pub fn required(self, probe: impl Probe + 'static) -> Self {
        self.component(probe.name(), Need::Required, Some(Arc::new(probe)))
    }

    /// Without this the process serves with less.
    #[must_use]
    pub fn optional(self, probe: impl Probe + 'static) -> Self {
        self.component(probe.name(), Need::Optional, Some(Arc::new(probe)))
    }

    /// Something optional that this deployment goes without; it is reported as such.
    #[must_use]
    pub fn not_configured(self, name: &'static str) -> Self {
        self.component(name, Need::Optional, None)
    }

    /// Detailed reports also tell how the work goes.
    #[must_use]
    pub fn work(mut self, probe: impl WorkProbe + 'static) -> Self {
        self.0.work = Some(Arc::new(probe));
        self
    }

    /// Each outcome also goes to the `dependency_up` metric.
    #[must_use]
    pub fn measured_by(mut self, metrics: Metrics) -> Self {
        self.0.metrics = Some(metrics);
        self
    }

    /// The finished set.
    pub fn build(self) -> Health {
        Health(Arc::new(self.0))
    }

    fn component(mut self, name: &'static str, need: Need, probe: Option<Arc<dyn Probe>>) -> Self {
        self.0.components.push(Component { name, need, probe, down: AtomicBool::new(false) });
        self
    }
}

impl Health {
    /// Begins a set without components. `disk_path` lies on the disk to watch; `drain` is what the shutdown raises.
    pub fn builder(clock: Clock, drain: Drain, disk_path: impl Into<PathBuf>) -> HealthBuilder {
        HealthBuilder(Inner {
            components: Vec::new(),
            resources: Resources::new(disk_path.into()),
            work: None,
            clock,
            drain,
            metrics: None,
            report: Cached::new(REPORT_FRESH),
            detailed: Cached::new(DETAILED_FRESH),
        })
    }

    /// Every component's state, at most one second old. Callers at the same time share one run of the probes; it takes
    /// as long as the slowest probe, which is never longer than that probe's limit.
    pub async fn report(&self) -> Arc<Report> {
        self.0.report.get(|| self.check()).await
    }

    /// Whether traffic may be sent here: every required component is up, and the process is not draining.
    /// Draining is seen at once, without probing, and also when it began while the probes ran.
    pub async fn ready(&self) -> bool {
        !self.is_draining() && self.report().await.serves() && !self.is_draining()
    }

    /// Whether the process has been told to stop.
    pub fn is_draining(&self) -> bool {
        self.0.drain.is_draining()
    }

    /// Components, disk, memory and work, at most ten seconds old.
    pub async fn detailed(&self) -> Arc<DetailedReport> {
        self.0
            .detailed
            .get(async || {
                let (report, (disk, memory), work) =
                    tokio::join!(self.report(), self.0.resources.measure(), self.look_at_work());
                DetailedReport::new(Report::clone(&report), disk, memory, work)
            })
            .await
    }

    async fn look_at_work(&self) -> Option<WorkReport> {
        work::look(self.0.work.as_ref()?, || (self.0.clock)()).await
    }

    async fn check(&self) -> Report {
        let components = join_all(self.0.components.iter().map(Component::check)).await;
        if let Some(metrics) = &self.0.metrics {
            for component in
                components.iter().filter(|component| component.status != ComponentStatus::NotConfigured)
            {
                metrics.dependencies().set(component.name, component.status == ComponentStatus::Connected);
            }
        }
        Report::new((self.0.clock)(), components)
    }
}

impl Component {
    async fn check(&self) -> ComponentReport {
        let Some(probe) = &self.probe else {
            return ComponentReport::not_configured(self.name, self.need);
        };
        let (started, limit) = (Instant::now(), probe.timeout());
        // A task of its own: a probe that blocks or panics takes nobody with it, and the set aborts it when dropped.
        let mut run = JoinSet::new();
        let checked = Arc::clone(probe);
        run.spawn(async move { checked.check().await });
        let outcome = match tokio::time::timeout(limit, run.join_next()).await {
            Err(_) => Err(ProbeError::because("timed_out")),
            Ok(Some(Ok(outcome))) => outcome,
            Ok(Some(Err(panic))) => Err(ProbeError::caused_by("probe_failed", panic)),
            Ok(None) => Err(ProbeError::because("probe_failed")),
        };
        self.log_change(&outcome);
        ComponentReport::measured(self.name, self.need, &outcome, started.elapsed())
    }

    fn log_change(&self, outcome: &Result<(), ProbeError>) {
        let was_down = self.down.swap(outcome.is_err(), Ordering::Relaxed);
        match outcome {
            Err(error) if !was_down => {
                let cause = error.cause().map(tracing::field::display);
                tracing::warn!(component = self.name, reason = error.reason(), cause, "a component is down");
            }
            Ok(()) if was_down => tracing::info!(component = self.name, "a component is up again"),
            _ => {}
        }
    }
}
