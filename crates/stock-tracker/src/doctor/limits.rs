//! Where requests are counted.

use ratelimit::Store as _;

use super::finding::Finding;
use crate::{config::Config, wiring};

pub(super) async fn examine(config: &Config) -> Vec<Finding> {
    if config.rate_limits.settings.is_none() {
        let fix = "set RATE_LIMIT_ENABLED=true unless something before the API limits requests";
        return vec![Finding::warning("rate limits", "switched off", fix)];
    }
    let Some(url) = &config.redis else {
        let told = "counted by each process of the API for itself";
        return vec![if config.rate_limits.replicas.get() > 1 {
            Finding::warning("rate limits", told, "set REDIS_URL, so that all processes count together")
        } else {
            Finding::well("rate limits", told)
        }];
    };
    let redis = match wiring::redis_store(url) {
        Ok(redis) => redis,
        Err(error) => {
            return vec![Finding::failure("redis", format!("{url}: {error:#}"), "correct REDIS_URL")];
        }
    };
    // First of all this: it opens connections, which takes longer than a request may.
    let memory = redis.memory_policy().await;
    let mut findings = vec![match redis.probe().await {
        Ok(()) => Finding::well("redis", format!("{url} takes writes")),
        Err(error) => {
            let fix = "see whether it runs, and that host, port and password of REDIS_URL are right; until then each \
                       process of the API counts for itself";
            Finding::failure("redis", format!("{url}: {error}"), fix)
        }
    }];
    findings.extend(memory.ok().map(|memory| {
        let told = format!("maxmemory-policy is {}", memory.eviction());
        if memory.may_forget_limits() {
            let fix = "CONFIG SET maxmemory-policy noeviction, and the same in its configuration: when its memory is full \
                       it forgets limits, and clients may ask for more than they should";
            Finding::failure("eviction", told, fix)
        } else {
            Finding::well("eviction", told)
        }
    }));
    findings
}
