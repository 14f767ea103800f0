//! Health on the wire.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use monitoring::health::{self, DetailedReport, Report};
use serde::Serialize;
use utoipa::ToSchema;

use crate::settings::Settings;

/// The components that are always named, whether this deployment has them or not.
const NAMED: [&str; 2] = ["database", "redis"];

/// Whether all is well.
#[derive(Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(super) enum Status {
    /// All is well.
    Healthy,
    /// Something is missing.
    Degraded,
}

impl From<health::Status> for Status {
    fn from(status: health::Status) -> Self {
        match status {
            health::Status::Healthy => Self::Healthy,
            health::Status::Degraded | health::Status::Unhealthy => Self::Degraded,
        }
    }
}

/// The state of a component.
#[derive(Clone, Copy, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(super) enum ComponentStatus {
    /// It answers.
    Connected,
    /// It does not.
    Disconnected,
    /// This deployment goes without it.
    NotConfigured,
}

impl From<health::ComponentStatus> for ComponentStatus {
    fn from(status: health::ComponentStatus) -> Self {
        match status {
            health::ComponentStatus::Connected => Self::Connected,
            health::ComponentStatus::Disconnected => Self::Disconnected,
            health::ComponentStatus::NotConfigured => Self::NotConfigured,
        }
    }
}

/// Health in short.
#[derive(Serialize, ToSchema)]
#[schema(as = Health)]
pub(super) struct Overview {
    status: Status,
    /// Version of the service.
    #[schema(example = "0.1.0")]
    version: &'static str,
    /// Where it runs.
    #[schema(example = "production")]
    environment: &'static str,
    database: ComponentStatus,
    redis: ComponentStatus,
}

impl Overview {
    pub(super) fn new(report: &Report, settings: &Settings) -> Self {
        let status = |name| {
            report.component(name).map_or(ComponentStatus::NotConfigured, |component| component.status.into())
        };
        Self {
            status: report.status.into(),
            version: settings.version,
            environment: settings.environment.name(),
            database: status("database"),
            redis: status("redis"),
        }
    }
}

/// One component.
#[derive(Serialize, ToSchema)]
#[schema(as = ComponentHealth)]
pub(super) struct Component {
    status: ComponentStatus,
    /// How long its answer took; null where nothing was asked.
    #[schema(example = 0.8)]
    response_time_ms: Option<f64>,
    /// Why it is disconnected, in one word.
    #[schema(example = "timed_out")]
    reason: Option<&'static str>,
}

impl From<&health::ComponentReport> for Component {
    fn from(report: &health::ComponentReport) -> Self {
        Self {
            status: report.status.into(),
            response_time_ms: report.response_time_ms.map(|ms| (ms * 1000.0).round() / 1000.0),
            reason: report.reason,
        }
    }
}

fn components(reports: &[health::ComponentReport]) -> BTreeMap<&'static str, Component> {
    let absent =
        || Component { status: ComponentStatus::NotConfigured, response_time_ms: None, reason: None };
    let mut components: BTreeMap<_, _> = NAMED.into_iter().map(|name| (name, absent())).collect();
    components.extend(reports.iter().map(|report| (report.name, report.into())));
    components
}

/// How much of something is left.
#[derive(Serialize, ToSchema)]
pub(super) struct Space {
    /// All of it, in bytes.
    total_bytes: u64,
    /// What is left, in bytes.
    available_bytes: u64,
    /// What is left, in percent.
    #[schema(example = 61.5)]
    available_percent: f64,
    /// Whether that is too little.
    low: bool,
}

/// What waits in a queue of jobs.
#[derive(Serialize, ToSchema)]
pub(super) struct QueueHealth {
    /// Jobs that could run now.
    #[schema(example = 0)]
    waiting: u64,
    /// How long the oldest of them could have run, in seconds.
    #[schema(example = 0.0)]
    oldest_seconds: f64,
}

/// Whether anybody looks at the schedule of syncs.
#[derive(Serialize, ToSchema)]
pub(super) struct ScheduleHealth {
    /// How long ago somebody did, in seconds, to ten seconds; null where nobody ever did.
    #[schema(example = 4.2)]
    last_tick_seconds: Option<f64>,
    /// Whether that is too long ago: no worker runs, or none can look.
    late: bool,
}

/// Health in detail.
#[derive(Serialize, ToSchema)]
#[schema(as = HealthDetailed)]
pub(super) struct Detailed {
    status: Status,
    /// When it was looked at.
    timestamp: DateTime<Utc>,
    /// Version of the service.
    #[schema(example = "0.1.0")]
    version: &'static str,
    /// Where it runs.
    #[schema(example = "production")]
    environment: &'static str,
    /// Every component by its name.
    components: BTreeMap<&'static str, Component>,
    /// The disk of the data; null where it cannot be told.
    disk: Option<Space>,
    /// The memory of the machine; null where it cannot be told.
    memory: Option<Space>,
    /// Every queue of jobs by its name; null where they cannot be asked.
    queues: Option<BTreeMap<&'static str, QueueHealth>>,
    /// The schedule of syncs; null where it cannot be asked.
    schedule: Option<ScheduleHealth>,
}

impl Detailed {
    pub(super) fn new(report: &DetailedReport, settings: &Settings) -> Self {
        Self {
            status: report.status.into(),
            timestamp: report.checked_at,
            version: settings.version,
            environment: settings.environment.name(),
            components: components(&report.components),
            disk: report.disk.map(|disk| Space {
                total_bytes: disk.total_bytes,
                available_bytes: disk.available_bytes,
                available_percent: disk.available_percent,
                low: disk.level == health::Level::Low,
            }),
            memory: report.memory.map(|memory| Space {
                total_bytes: memory.total_bytes,
                available_bytes: memory.available_bytes,
                available_percent: memory.available_percent,
                low: memory.level == health::Level::Low,
            }),
            queues: report.work.as_ref().map(|work| work.queues.iter().map(queue).collect()),
            schedule: report.work.as_ref().map(|work| ScheduleHealth {
                last_tick_seconds: work.last_tick_seconds,
                late: work.schedule_late,
            }),
        }
    }

    pub(super) fn is_healthy(&self) -> bool {
        self.status == Status::Healthy
    }
}

fn queue(report: &health::QueueReport) -> (&'static str, QueueHealth) {
    let health::QueueReport { name, waiting, oldest_seconds } = *report;
    (name, QueueHealth { waiting, oldest_seconds })
}

/// That the service answers.
#[derive(Serialize, ToSchema)]
pub(super) struct ServiceStatus {
    status: Status,
    /// Now.
    timestamp: DateTime<Utc>,
    /// Which service.
    #[schema(example = "stock-tracker")]
    service: &'static str,
}

impl ServiceStatus {
    pub(super) const fn at(timestamp: DateTime<Utc>) -> Self {
        Self { status: Status::Healthy, timestamp, service: "stock-tracker" }
    }
}

/// Readiness.
#[derive(Serialize, ToSchema)]
#[schema(as = Readiness)]
pub(super) struct Ready {
    /// `ready` or `not_ready`.
    #[schema(example = "ready")]
    status: &'static str,
    /// Now.
    timestamp: DateTime<Utc>,
    /// Every component by its name.
    checks: BTreeMap<&'static str, Component>,
}

impl Ready {
    pub(super) fn new(ready: bool, timestamp: DateTime<Utc>, report: &Report) -> Self {
        let status = if ready { "ready" } else { "not_ready" };
        Self { status, timestamp, checks: components(&report.components) }
    }
}

/// Liveness.
#[derive(Serialize, ToSchema)]
#[schema(as = Liveness)]
pub(super) struct Alive {
    /// `alive`.
    #[schema(example = "alive")]
    status: &'static str,
    /// Now.
    timestamp: DateTime<Utc>,
}

impl Alive {
    pub(super) const fn at(timestamp: DateTime<Utc>) -> Self {
        Self { status: "alive", timestamp }
    }
}
