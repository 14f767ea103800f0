//! A store to test, policies, and plans.

use std::sync::Arc;
use std::time::Duration;

use deadpool_redis::redis::AsyncConnectionConfig;
use deadpool_redis::redis::aio::MultiplexedConnection;
use deadpool_redis::sentinel::{self, SentinelServerType};
use deadpool_redis::{Manager, Pool, Runtime};
use ratelimit::{
    Algorithm, Cluster, Connections, DenyCache, Dim, Keys, LimitKey, LocalOptions, LocalStore, Mode, Plan,
    Policy, RedisOptions, RedisStore, Store, Subject,
};
use test_support::redis_sentinel::RedisSentinel;

pub(crate) const ALL: [Algorithm; 4] =
    [Algorithm::SlidingLog, Algorithm::CompactLog, Algorithm::Gcra { burst: 5 }, Algorithm::FixedWindow];
pub(crate) const MINUTE: Duration = Duration::from_mins(1);

/// Runs each body on a store of each kind.
macro_rules! on_each_store {
    ($($(#[$attribute:meta])* async fn $name:ident($fixture:ident) $body:block)*) => {
        $(
            $(#[$attribute])*
            mod $name {
                use super::*;

                pub(super) async fn body($fixture: &crate::fixture::Fixture) $body

                #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
                async fn local() {
                    body(&crate::fixture::Fixture::local()).await;
                }

                #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
                async fn cached() {
                    body(&crate::fixture::Fixture::cached()).await;
                }

                #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
                async fn redis() {
                    body(&crate::fixture::Fixture::redis()).await;
                }
            }
        )*

        /// All of them in one process: without a runner that starts a cluster for all, each process starts one.
        #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
        async fn each_on_a_cluster() {
            $($name::body(&crate::fixture::Fixture::cluster()).await;)*
        }
    };
}
pub(crate) use on_each_store;

pub(crate) struct Fixture {
    pub(crate) store: Arc<dyn Store>,
    /// Before every key of this test, and where they are.
    pub(crate) prefix: String,
    pub(crate) url: String,
}

impl Fixture {
    pub(crate) fn local() -> Self {
        let store = Arc::new(LocalStore::new(LocalOptions::default()));
        Self { store, prefix: String::new(), url: String::new() }
    }

    /// In process, behind a memory of refusals.
    pub(crate) fn cached() -> Self {
        let local = Self::local();
        Self { store: Arc::new(DenyCache::new(Arc::clone(&local.store))), ..local }
    }

    /// On the server that tests share, with keys of its own.
    pub(crate) fn redis() -> Self {
        Self::redis_at(&test_support::redis::shared_url().unwrap())
    }

    pub(crate) fn redis_at(url: &str) -> Self {
        let prefix = format!("t{:08x}:", rand::random::<u32>());
        let store = Arc::new(redis_store(url, &prefix, Duration::from_secs(20)));
        Self { store, prefix, url: url.to_owned() }
    }

    /// On the three masters that tests share, with keys of its own.
    pub(crate) fn cluster() -> Self {
        let prefix = format!("t{:08x}:", rand::random::<u32>());
        let urls = test_support::redis_cluster::shared_urls().unwrap();
        Self {
            store: Arc::new(cluster_store(&urls, &prefix, Duration::from_secs(20))),
            prefix,
            url: String::new(),
        }
    }

    /// On whatever server sentinels call the master, with keys of its own.
    pub(crate) fn sentinel(watched: &RedisSentinel, within: Duration) -> Self {
        let prefix = format!("t{:08x}:", rand::random::<u32>());
        let master = RedisSentinel::MASTER.to_owned();
        let pool = sentinel::Config::from_urls(watched.urls(), master, SentinelServerType::Master);
        let pool = Connections::Sentinel(pool.create_pool(Some(Runtime::Tokio1)).unwrap());
        let options = RedisOptions { prefix: prefix.clone(), within, ..RedisOptions::default() };
        let url = watched.first().url();
        Self { store: Arc::new(RedisStore::new(pool, options).unwrap()), prefix, url }
    }

    /// A connection beside the store's.
    pub(crate) async fn connection(&self) -> MultiplexedConnection {
        connection(&self.url).await
    }

    /// A key as Redis knows it.
    pub(crate) fn name(&self, key: LimitKey) -> String {
        format!("{}{key}", self.prefix)
    }
}

/// The machine may be busy with other tests.
fn patient() -> AsyncConnectionConfig {
    let long = Some(Duration::from_secs(20));
    AsyncConnectionConfig::new().set_connection_timeout(long).set_response_timeout(long)
}

/// A connection to the server at `url`, with as much time as a busy machine takes.
pub(crate) async fn connection(url: &str) -> MultiplexedConnection {
    let client = deadpool_redis::redis::Client::open(url).unwrap();
    client.get_multiplexed_async_connection_with_config(&patient()).await.unwrap()
}

/// A store on the server at `url`.
pub(crate) fn redis_store(url: &str, prefix: &str, within: Duration) -> RedisStore {
    let manager = Manager::new_with_config(url, patient()).unwrap();
    let pool = Pool::builder(manager).runtime(Runtime::Tokio1).build().unwrap();
    RedisStore::new(pool, RedisOptions { prefix: prefix.to_owned(), within, connections: 2 }).unwrap()
}

/// A store on the cluster of these nodes.
pub(crate) fn cluster_store(urls: &[String], prefix: &str, within: Duration) -> RedisStore {
    let cluster = Cluster::new(urls.iter().map(String::as_str)).unwrap();
    let options = RedisOptions { prefix: prefix.to_owned(), within, ..RedisOptions::default() };
    RedisStore::new(Connections::Cluster(cluster), options).unwrap()
}

/// A policy for users.
pub(crate) fn policy(name: &str, algorithm: Algorithm, limit: u32, window: Duration) -> Policy {
    Policy::builder(name, limit, window).scope([Dim::User]).algorithm(algorithm).build().unwrap()
}

pub(crate) fn shadow(name: &str, limit: u32, window: Duration) -> Policy {
    Policy::builder(name, limit, window).scope([Dim::User]).mode(Mode::Shadow).build().unwrap()
}

/// The key of a user under a policy.
pub(crate) fn key(policy: &Policy, user: &str) -> LimitKey {
    Keys::new(*b"a secret of test").key(policy, &Subject::new().with(Dim::User, user)).unwrap()
}

/// What one user asks of several policies at a cost for each.
pub(crate) fn plan(asks: &[(&Policy, u32)]) -> Plan {
    let mut plan = Plan::new();
    for (policy, cost) in asks {
        plan.ask(policy, key(policy, "somebody"), *cost).unwrap();
    }
    plan
}
