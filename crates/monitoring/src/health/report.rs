//! What the probes found, ready to be shown: no text of third parties in it.

use std::time::Duration;

use chrono::{DateTime, Utc};
use serde::Serialize;

use super::{
    probe::ProbeError,
    resources::{DiskReport, Level, MemoryReport},
    work::WorkReport,
};

/// The verdict over everything.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// All is well.
    Healthy,
    /// It serves, with something missing or running out.
    Degraded,
    /// It cannot serve.
    Unhealthy,
}

/// Whether the process can serve without a component.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Need {
    /// It cannot.
    Required,
    /// It can, with less.
    Optional,
}

/// The state of a component.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum ComponentStatus {
    /// It answered in time.
    Connected,
    /// It did not, or not well.
    Disconnected,
    /// This deployment goes without it.
    NotConfigured,
}

/// One component.
#[derive(Debug, Clone, Serialize)]
pub struct ComponentReport {
    /// Its name.
    pub name: &'static str,
    /// Whether the process can serve without it.
    pub need: Need,
    /// Its state.
    pub status: ComponentStatus,
    /// How long the answer took, in milliseconds; null where nothing was asked.
    pub response_time_ms: Option<f64>,
    /// Why it is disconnected, in one word.
    pub reason: Option<&'static str>,
}

impl ComponentReport {
    pub(super) fn not_configured(name: &'static str, need: Need) -> Self {
        Self { name, need, status: ComponentStatus::NotConfigured, response_time_ms: None, reason: None }
    }

    pub(super) fn measured(
        name: &'static str,
        need: Need,
        outcome: &Result<(), ProbeError>,
        elapsed: Duration,
    ) -> Self {
        let status = if outcome.is_ok() { ComponentStatus::Connected } else { ComponentStatus::Disconnected };
        Self {
            name,
            need,
            status,
            response_time_ms: Some(elapsed.as_secs_f64() * 1000.0),
            reason: outcome.as_ref().err().map(ProbeError::reason),
        }
    }
}

/// Every component at one moment.
#[derive(Debug, Clone, Serialize)]
pub struct Report {
    /// The verdict.
    pub status: Status,
    /// When the probes ended.
    pub checked_at: DateTime<Utc>,
    /// In the order of declaration.
    pub components: Vec<ComponentReport>,
}

impl Report {
    pub(super) fn new(checked_at: DateTime<Utc>, components: Vec<ComponentReport>) -> Self {
        let down = |need| {
            components
                .iter()
                .any(|component| component.need == need && component.status == ComponentStatus::Disconnected)
        };
        let status = if down(Need::Required) {
            Status::Unhealthy
        } else if down(Need::Optional) {
            Status::Degraded
        } else {
            Status::Healthy
        };
        Self { status, checked_at, components }
    }

    /// Whether every required component is up.
    pub fn serves(&self) -> bool {
        self.status != Status::Unhealthy
    }

    /// The component of that name.
    pub fn component(&self, name: &str) -> Option<&ComponentReport> {
        self.components.iter().find(|component| component.name == name)
    }
}

/// Components, disk, memory and work.
#[derive(Debug, Clone, Serialize)]
pub struct DetailedReport {
    /// The verdict, disk, memory and schedule included.
    pub status: Status,
    /// When the probes ended.
    pub checked_at: DateTime<Utc>,
    /// In the order of declaration.
    pub components: Vec<ComponentReport>,
    /// The disk of the data; null where it could not be measured.
    pub disk: Option<DiskReport>,
    /// The machine's memory; null where it could not be measured.
    pub memory: Option<MemoryReport>,
    /// Queues and schedule; null where they could not be asked.
    pub work: Option<WorkReport>,
}

impl DetailedReport {
    pub(super) fn new(
        report: Report,
        disk: Option<DiskReport>,
        memory: Option<MemoryReport>,
        work: Option<WorkReport>,
    ) -> Self {
        let levels = [disk.map(|disk| disk.level), memory.map(|memory| memory.level)];
        let is_low =
            levels.contains(&Some(Level::Low)) || work.as_ref().is_some_and(|work| work.schedule_late);
        let status = match report.status {
            Status::Healthy if is_low => Status::Degraded,
            status => status,
        };
        Self { status, checked_at: report.checked_at, components: report.components, disk, memory, work }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn component(need: Need, status: ComponentStatus) -> ComponentReport {
        ComponentReport { status, ..ComponentReport::not_configured("thing", need) }
    }

    fn disk(level: Level) -> DiskReport {
        DiskReport { total_bytes: 100, available_bytes: 1, available_percent: 1.0, level }
    }

    #[test]
    fn the_verdict_is_the_worst_that_matters() {
        use ComponentStatus::{Connected, Disconnected, NotConfigured};
        use Need::{Optional, Required};
        let verdict = |components: &[(Need, ComponentStatus)]| {
            let components = components.iter().map(|(need, status)| component(*need, *status)).collect();
            Report::new(DateTime::UNIX_EPOCH, components).status
        };
        assert_eq!(verdict(&[]), Status::Healthy);
        assert_eq!(verdict(&[(Required, Connected), (Optional, NotConfigured)]), Status::Healthy);
        assert_eq!(verdict(&[(Required, Connected), (Optional, Disconnected)]), Status::Degraded);
        assert_eq!(verdict(&[(Required, Disconnected), (Optional, Connected)]), Status::Unhealthy);
        assert_eq!(verdict(&[(Optional, Disconnected), (Required, Disconnected)]), Status::Unhealthy);
    }

    #[test]
    fn a_full_disk_degrades_and_never_hides_a_dead_component() {
        let verdict = |status, level| {
            let components = vec![component(Need::Required, status)];
            DetailedReport::new(Report::new(DateTime::UNIX_EPOCH, components), Some(disk(level)), None, None)
                .status
        };
        assert_eq!(verdict(ComponentStatus::Connected, Level::Ok), Status::Healthy);
        assert_eq!(verdict(ComponentStatus::Connected, Level::Low), Status::Degraded);
        assert_eq!(verdict(ComponentStatus::Disconnected, Level::Low), Status::Unhealthy);
    }
}
