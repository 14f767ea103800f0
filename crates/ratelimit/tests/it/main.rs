//! All stores keep the same promises, and those on Redis a few more. On real servers.

#![expect(clippy::unwrap_used, reason = "a test may stop here")]

mod fixture;

#[cfg(feature = "actix")]
mod actix;
mod admission;
mod cluster;
mod concurrency;
mod deny_cache;
mod failover;
mod failures;
mod giving_back;
mod million;
mod redis_agrees;
mod redis_keys;
mod sentinel;
mod several;
mod simple;
