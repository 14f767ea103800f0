//! A service with limits: by client, by tenant, and for signing in. Counts in Redis if it is told of
//! one, else in process.
//!
//! ```console
//! $ cargo run -p ratelimit --features actix --example service -- redis://127.0.0.1:6379
//! $ for turn in 1 2 3 4 5 6; do curl -si http://127.0.0.1:8080/login -X POST | head -1; done
//! ```

use std::sync::Arc;
use std::time::Duration;

use actix_web::http::{Method, StatusCode};
use actix_web::{App, HttpResponse, HttpServer, web};
use deadpool_redis::{Config, Runtime};
use ratelimit::actix::{RateLimit, RouteLimits};
use ratelimit::{
    Connections, DenyCache, Dim, FailoverOptions, FailoverStore, Keys, Limiter, LocalOptions, LocalStore,
    Policy, RedisOptions, RedisStore, Store,
};

/// Redis, behind what goes on without it and what remembers refusals.
fn store() -> Result<Arc<dyn Store>, Box<dyn std::error::Error>> {
    let local = LocalStore::new(LocalOptions::default());
    let Some(url) = std::env::args().nth(1) else {
        return Ok(Arc::new(local));
    };
    let pool = Config::from_url(url).create_pool(Some(Runtime::Tokio1))?;
    let redis = RedisStore::new(Connections::Single(pool), RedisOptions::default())?;
    let failover = FailoverStore::new(Arc::new(redis), local, FailoverOptions::default());
    Ok(Arc::new(DenyCache::new(Arc::new(failover))))
}

fn limits() -> Result<RateLimit, Box<dyn std::error::Error>> {
    let minute = Duration::from_mins(1);
    let limiter = Limiter::new(store()?, Keys::new(*b"sixteen secrets!"));
    let strangers = Policy::builder("client", 60, minute).scope([Dim::Ip]).unless([Dim::Tenant]).build()?;
    let tenant = Policy::builder("tenant", 100, minute).scope([Dim::Tenant]).build()?;
    let failures = Policy::builder("login", 5, 5 * minute).scope([Dim::Ip]).build()?;
    Ok(RateLimit::builder(limiter)
        // A service would take the tenant from a token whose signature it has checked.
        .identify(|request, identity| {
            if let Some(tenant) = request.headers().get("x-tenant") {
                identity.set(Dim::Tenant, tenant.as_bytes());
            }
        })
        .everywhere(strangers)
        .everywhere(tenant)
        .route(
            RouteLimits::new(Method::POST, "/login")
                .policy_counting(failures, |status| status == StatusCode::UNAUTHORIZED),
        )
        .route(RouteLimits::any_method("/health").exempt())
        .build())
}

#[actix_web::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let limits = limits()?;
    let app = move || {
        App::new()
            .route("/", web::get().to(async || "hello\n"))
            .route("/health", web::get().to(async || "fine\n"))
            .route("/login", web::post().to(HttpResponse::Unauthorized))
            .wrap(limits.clone())
    };
    Ok(HttpServer::new(app).bind(("127.0.0.1", 8080))?.run().await?)
}
