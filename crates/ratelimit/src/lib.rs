//! Exact rate limits, decided for several policies at once, on Redis or in process.
//!
//! A [`Policy`] says how much of what may happen in which time. A request is checked against several of them at
//! once: a [`Plan`] lists the policies and the keys the request counts under, and a [`Store`] admits it under all of
//! them or under none. A refused request costs nothing, and nothing is ever admitted above a limit.
//!
//! Two stores keep the same promises and pass the same tests: [`RedisStore`] shares its counts between processes, one
//! script and one round trip per decision, and [`LocalStore`] counts within one process. Both measure by the rules of
//! [`algorithm`]. Around the first go a [`FailoverStore`], which goes on by the second when Redis fails, and a
//! [`DenyCache`], which answers floods of refused requests by itself. [`Limiter`] makes decisions of policies and what is
//! known of a request; the feature `actix` brings a layer for applications.
//!
//! This crate knows nothing of a product: no tenants of anybody, no routes, no configuration files. It never stores
//! or logs what identifies a client; keys are keyed hashes (see [`Keys`]). Its README shows how to use it.

#[cfg(feature = "actix")]
pub mod actix;
pub mod algorithm;
pub mod clock;

mod address;
mod deny_cache;
mod failover;
mod headers;
mod key;
mod limiter;
mod local;
mod name;
mod observer;
mod plan;
mod policy;
mod redis;
mod report;
mod rule;
mod scope;
mod simple;
mod store;

/// The README, whose example is compiled as a test.
#[cfg(all(doctest, feature = "actix"))]
#[doc = include_str!("../README.md")]
struct Readme;

pub use crate::{
    address::{Prefixes, Proxies},
    deny_cache::DenyCache,
    failover::{FailoverOptions, FailoverStore},
    headers::{HEADERS, Header, headers},
    key::{Keys, LimitKey},
    limiter::{CheckError, Decision, Exception, Exceptions, Limiter},
    local::{LocalOptions, LocalStore},
    name::{NameError, PolicyName},
    observer::{Observer, StoreOperation, Unobserved},
    plan::{Ask, Plan, PlanError},
    policy::{Mode, OnStoreError, Policy, PolicyBuilder, PolicyError},
    redis::{Cluster, Connections, MemoryPolicy, RedisOptions, RedisOptionsError, RedisStore},
    report::{PolicyState, Receipt, Report, Source},
    rule::{Algorithm, Rule, RuleError},
    scope::{Dim, MissingDim, Scope, ScopeError, Subject},
    simple::{SimpleError, Standing},
    store::{Store, StoreError, StoreErrorKind},
};
