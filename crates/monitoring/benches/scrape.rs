//! What a scrape costs a process that 10,000 tenants use: with series for as many tenants as usual, and, as the worst that
//! `METRICS_TENANT_LIMIT` can ask for, with series for each of them.

#![expect(clippy::unwrap_used, reason = "a measurement may stop here")]

use std::{hint::black_box, sync::Arc, time::Duration};

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use monitoring::metrics::{
    Build, DEFAULT_TENANT_LIMIT, KnownLabels, Metrics, MetricsSettings,
    labels::{LimitSource, LimitVerdict, Method, Role, SyncOutcome},
};
use uuid::Uuid;

const TENANTS: u128 = 10_000;
/// About as many as the API has.
const ROUTES: usize = 80;

/// A process that has served requests and synced an account of each tenant.
fn used(tenant_limit: usize) -> Metrics {
    let metrics = Metrics::new(&MetricsSettings {
        build: Build { version: "1.2.3", commit: "abc1234", role: Role::All },
        tenant_limit,
        known: KnownLabels { marketplaces: vec!["wildberries"], ..KnownLabels::default() },
        clock: Arc::new(|| chrono::DateTime::UNIX_EPOCH),
    })
    .unwrap();
    for route in 0..ROUTES {
        let template = format!("/api/v1/resource-{route}/{{id}}");
        metrics.http().announce(Method::Get, &template, &[200, 401, 404, 422, 429, 500]);
        metrics.http().finished(Method::Get, Some(&template), 200, Duration::from_millis(7));
    }
    for tenant in 0..TENANTS {
        let tenant = Uuid::from_u128(0x0199_c0de_0000_7000_8000_0000_0000_0000 + tenant);
        metrics.tenants().requested(tenant);
        let (outcome, took) = (SyncOutcome::Completed, Duration::from_secs(40));
        metrics.sync().finished(tenant, "wildberries", outcome, took, 130, 1);
        metrics.rate_limits().decided("tenant", LimitVerdict::Allowed, LimitSource::Store);
        metrics.rate_limits().used(tenant, 80.0, Duration::from_hours(1));
    }
    metrics
}

fn scrape(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("scrape");
    for series_for in [DEFAULT_TENANT_LIMIT, TENANTS.try_into().unwrap()] {
        let metrics = used(series_for);
        let page = metrics.render().unwrap();
        let lines = page.lines().filter(|line| !line.starts_with('#')).count();
        eprintln!("scrape: series for {series_for} tenants: {lines} lines, {} bytes", page.len());
        group.throughput(Throughput::Bytes(page.len().try_into().unwrap()));
        group.bench_function(BenchmarkId::new("tenants", series_for), |bencher| {
            bencher.iter(|| black_box(metrics.render().unwrap()));
        });
    }
    group.finish();
}

criterion_group!(benches, scrape);
criterion_main!(benches);
