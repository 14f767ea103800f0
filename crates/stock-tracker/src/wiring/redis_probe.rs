//! Whether Redis answers.

use std::sync::Arc;

use async_trait::async_trait;
use monitoring::health::{Probe, ProbeError};
use ratelimit::{RedisStore, Store as _};

/// Asks Redis whether it takes writes.
pub(super) struct RedisProbe(pub(super) Arc<RedisStore>);

#[async_trait]
impl Probe for RedisProbe {
    fn name(&self) -> &'static str {
        "redis"
    }

    async fn check(&self) -> Result<(), ProbeError> {
        self.0.probe().await.map_err(ProbeError::unreachable)
    }
}
