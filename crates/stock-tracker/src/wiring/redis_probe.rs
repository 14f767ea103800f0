//! Whether Redis answers.

use std::{sync::Arc, time::Instant};

use async_trait::async_trait;
use monitoring::{
    health::{Probe, ProbeError},
    metrics::Metrics,
};
use ratelimit::{RedisStore, Store as _, StoreOperation};

/// Asks Redis whether it takes writes.
pub(super) struct RedisProbe {
    pub(super) redis: Arc<RedisStore>,
    pub(super) metrics: Metrics,
}

#[async_trait]
impl Probe for RedisProbe {
    fn name(&self) -> &'static str {
        "redis"
    }

    async fn check(&self) -> Result<(), ProbeError> {
        let began = Instant::now();
        self.redis.probe().await.map_err(ProbeError::unreachable)?;
        self.metrics.redis().answered(StoreOperation::Probe.as_str(), began.elapsed());
        Ok(())
    }
}
