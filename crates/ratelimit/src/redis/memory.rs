//! What a server does when its memory is full.

use deadpool_redis::redis::{RedisError, RedisResult, Value, from_redis_value};

use super::failure::to_store_error;
use crate::{StoreError, StoreErrorKind};

/// What a Redis does when its memory is full. A key that is dropped to make room is a limit forgotten: as much again is
/// admitted under it.
///
/// Under `noeviction` nothing is dropped; requests get an error of [`StoreErrorKind::OutOfMemory`] instead. All other
/// policies drop keys of limits: `allkeys-*` whichever it takes, and `volatile-*`, which spares keys that never expire,
/// those of limits before any others, since all of them expire.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MemoryPolicy {
    limit: Option<u64>,
    eviction: String,
}

impl MemoryPolicy {
    /// How many bytes its data may take (`maxmemory`); `None` when there is no limit.
    pub fn limit(&self) -> Option<u64> {
        self.limit
    }

    /// The name Redis has for how it makes room (`maxmemory-policy`), such as `noeviction` or `volatile-lru`.
    pub fn eviction(&self) -> &str {
        &self.eviction
    }

    /// Whether limits may be forgotten before their time. One that Redis has a new name for counts as if they may.
    pub fn may_forget_limits(&self) -> bool {
        self.limit.is_some() && self.eviction != "noeviction"
    }

    /// Reads the answer to `INFO memory`: a text, or one of each master of a cluster. Of several it is that of the first
    /// that may forget limits, or else of the first.
    pub(super) fn read(answer: Value) -> Result<Self, StoreError> {
        let texts: Vec<Value> = match answer {
            Value::Map(of_each) => of_each.into_iter().map(|(_, text)| text).collect(),
            text => vec![text],
        };
        let policies = texts.into_iter().map(Self::of_one).collect::<Result<Vec<_>, _>>()?;
        let worst = policies.iter().position(Self::may_forget_limits).unwrap_or(0);
        policies.into_iter().nth(worst).ok_or_else(|| unreadable("no server answered"))
    }

    fn of_one(answer: Value) -> Result<Self, StoreError> {
        let text = || -> RedisResult<String> {
            match answer {
                Value::ServerError(error) => Err(RedisError::from(error)),
                text => Ok(from_redis_value(text)?),
            }
        };
        let text = text().map_err(|error| to_store_error(&error))?;
        let field = |name: &str| {
            let mut fields = text.lines().filter_map(|line| line.trim_end().split_once(':'));
            fields.find(|(found, _)| *found == name).map(|(_, value)| value)
        };
        let limit: Option<u64> = field("maxmemory").and_then(|bytes| bytes.parse().ok());
        let (Some(limit), Some(eviction)) = (limit, field("maxmemory_policy")) else {
            return Err(unreadable("`INFO memory` tells no maxmemory and no maxmemory_policy"));
        };
        Ok(Self { limit: (limit > 0).then_some(limit), eviction: eviction.to_owned() })
    }
}

fn unreadable(what: &str) -> StoreError {
    StoreError::new(StoreErrorKind::Unreadable, what)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(limit: u64, eviction: &str) -> Value {
        let text = format!(
            "# Memory\r\nused_memory:7\r\nmaxmemory:{limit}\r\nmaxmemory_human:1M\r\nmaxmemory_policy:{eviction}\r\n"
        );
        Value::BulkString(text.into_bytes())
    }

    #[test]
    fn limits_are_safe_without_a_limit_of_memory_or_without_eviction() {
        let may = |limit, eviction| MemoryPolicy::read(text(limit, eviction)).unwrap().may_forget_limits();
        assert!(!may(0, "allkeys-lru"));
        assert!(!may(1, "noeviction"));
        for eviction in ["allkeys-lru", "volatile-lru", "volatile-ttl", "volatile-random", "of-tomorrow"] {
            assert!(may(1, eviction), "{eviction}");
        }
    }

    #[test]
    fn of_a_cluster_the_node_that_forgets_is_told() {
        let node = |name: &str, text| (Value::BulkString(name.into()), text);
        let all = Value::Map(vec![
            node("a", text(1, "noeviction")),
            node("b", text(2, "volatile-ttl")),
            node("c", text(3, "noeviction")),
        ]);
        let worst = MemoryPolicy::read(all).unwrap();
        assert_eq!((worst.limit(), worst.eviction()), (Some(2), "volatile-ttl"));
    }

    #[test]
    fn what_is_not_told_is_an_error() {
        for answer in [Value::Nil, Value::Map(Vec::new()), Value::BulkString("maxmemory:5\r\n".into())] {
            let error = MemoryPolicy::read(answer).unwrap_err();
            assert_eq!(error.kind(), StoreErrorKind::Unreadable);
        }
    }
}
