//! One question to one component.

use std::{error::Error, time::Duration};

use async_trait::async_trait;

/// Asks a component whether it is there.
#[async_trait]
pub trait Probe: Send + Sync {
    /// The component's name in reports and metrics.
    fn name(&self) -> &'static str;

    /// After how long the component counts as down. Balancers give up soon, so this is short.
    fn timeout(&self) -> Duration {
        Duration::from_secs(1)
    }

    /// Asks. Dropped when the time is over.
    async fn check(&self) -> Result<(), ProbeError>;
}

/// Why a component is not usable.
#[derive(Debug, thiserror::Error)]
#[error("{reason}")]
pub struct ProbeError {
    reason: &'static str,
    source: Option<Box<dyn Error + Send + Sync>>,
}

impl ProbeError {
    /// A reason in one `snake_case` word. It is shown to callers, so it is fixed text.
    pub const fn because(reason: &'static str) -> Self {
        Self { reason, source: None }
    }

    /// The same with a cause, which is logged and never shown.
    pub fn caused_by(reason: &'static str, cause: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self { reason, source: Some(cause.into()) }
    }

    /// The component did not answer, or not as expected.
    pub fn unreachable(cause: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self::caused_by("unreachable", cause)
    }

    /// What callers are told.
    pub fn reason(&self) -> &'static str {
        self.reason
    }

    pub(super) fn cause(&self) -> Option<&(dyn Error + Send + Sync)> {
        self.source.as_deref()
    }
}
