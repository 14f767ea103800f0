//! The page that Prometheus reads.

use std::{
    collections::BTreeSet,
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
    thread,
    time::Duration,
};

use chrono::DateTime;
use monitoring::metrics::{
    Build, DEFAULT_TENANT_LIMIT, KnownLabels, Metrics, MetricsSettings,
    labels::{DbOperation, LimitSource, LimitVerdict, MarketplaceOutcome, Role, SyncOutcome, TaskStatus},
    names,
};
use uuid::Uuid;

fn settings(tenant_limit: usize) -> MetricsSettings {
    MetricsSettings {
        build: Build { version: "1.2.3", commit: "abc1234", role: Role::Worker },
        tenant_limit,
        known: KnownLabels {
            marketplaces: vec!["ozon"],
            operations: vec![("ozon", "stocks")],
            tasks: vec!["sync_account"],
            policies: vec!["tenant".to_owned()],
            limit_store_errors: vec!["timeout"],
            redis_operations: vec!["admit"],
        },
        clock: Arc::new(|| DateTime::UNIX_EPOCH),
    }
}

fn tenant(number: u64) -> Uuid {
    Uuid::from_u128(u128::from(number))
}

/// The value of one series, spelled as on the page.
fn value(metrics: &Metrics, series: &str) -> Option<f64> {
    let page = metrics.render().unwrap();
    page.lines().find_map(|line| line.strip_prefix(series)?.strip_prefix(' ')?.parse().ok())
}

fn tenants_on(page: &str) -> BTreeSet<String> {
    let after =
        page.lines().filter(|line| !line.starts_with('#')).filter_map(|line| line.split_once("tenant_id=\""));
    after.filter_map(|(_, rest)| rest.split_once('"')).map(|(tenant, _)| tenant.to_owned()).collect()
}

fn touch_everything(metrics: &Metrics) {
    let second = Duration::from_secs(1);
    metrics.http().finished("GET", Some("/api/v1/products"), 200, second);
    metrics.errors().record("internal", None);
    metrics.sync().finished(tenant(1), "ozon", SyncOutcome::Completed, second, 3, 1);
    drop(metrics.tasks().started("sync_account"));
    metrics.tasks().finished("sync_account", TaskStatus::Success, second);
    metrics.marketplace().request("ozon", "stocks", MarketplaceOutcome::Ok, second);
    metrics.queue().set("sync", 2, 1.5);
    metrics.dependencies().set("database", true);
    metrics.tenants().requested(tenant(1));
    metrics.rate_limits().decided("tenant", LimitVerdict::Denied, LimitSource::DenyCache);
    metrics.rate_limits().used(tenant(1), 75.0, second);
    metrics.rate_limits().store_answered(second);
    metrics.rate_limits().store_failed("timeout");
    metrics.rate_limits().degraded(true);
    metrics.sync().late(&[("left", second)]);
    metrics.sync().late(&[("ozon", second)]);
    metrics.database().finished(DbOperation::Update, second, true);
    metrics.at_scrape(|metrics| metrics.database().connections(3, 2, 20));
    metrics.redis().answered("admit", second);
    metrics.business().set(7, 70, 1);
}

#[test]
fn the_page_holds_exactly_the_listed_names_each_with_help() {
    let metrics = Metrics::new(&settings(10)).unwrap();
    touch_everything(&metrics);
    let page = metrics.render().unwrap();
    let told = |kind: &str| -> BTreeSet<&str> {
        let lines =
            page.lines().filter_map(|line| line.strip_prefix("# ")?.strip_prefix(kind)?.strip_prefix(' '));
        lines
            .filter_map(|line| line.split_once(' '))
            .filter(|(_, text)| !text.is_empty())
            .map(|(name, _)| name)
            .collect()
    };
    let listed: BTreeSet<&str> = if cfg!(target_os = "linux") {
        Metrics::names().collect()
    } else {
        names::FAMILIES.iter().map(|family| family.name).collect()
    };
    assert_eq!(told("TYPE"), listed);
    assert_eq!(told("HELP"), listed);
    assert!(names::FAMILIES.iter().all(|family| family.name.starts_with("stock_tracker_")));
}

#[test]
fn each_event_arrives_under_its_labels() {
    let metrics = Metrics::new(&settings(10)).unwrap();
    touch_everything(&metrics);
    let id = tenant(1);
    for (series, expected) in [
        (r#"requests_total{endpoint="/api/v1/products",method="GET",status_code="200"}"#.to_owned(), 1.0),
        (r#"request_duration_seconds_sum{endpoint="/api/v1/products",method="GET"}"#.to_owned(), 1.0),
        (r#"errors_total{endpoint="unmatched",error_type="internal"}"#.to_owned(), 1.0),
        (format!(r#"sync_duration_seconds_count{{marketplace="ozon",tenant_id="{id}"}}"#), 1.0),
        (format!(r#"sync_products_total{{marketplace="ozon",status="success",tenant_id="{id}"}}"#), 3.0),
        (format!(r#"sync_products_total{{marketplace="ozon",status="failed",tenant_id="{id}"}}"#), 1.0),
        (r#"sync_runs_total{marketplace="ozon",status="completed"}"#.to_owned(), 1.0),
        (r#"tasks_total{status="success",task_name="sync_account"}"#.to_owned(), 1.0),
        (r#"task_duration_seconds_count{task_name="sync_account"}"#.to_owned(), 1.0),
        (r#"marketplace_requests_total{marketplace="ozon",operation="stocks",outcome="ok"}"#.to_owned(), 1.0),
        (r#"queue_depth{queue="sync"}"#.to_owned(), 2.0),
        (r#"queue_oldest_seconds{queue="sync"}"#.to_owned(), 1.5),
        (r#"dependency_up{dependency="database"}"#.to_owned(), 1.0),
        (r#"sync_staleness_seconds{marketplace="ozon"}"#.to_owned(), 1.0),
        (r#"db_query_duration_seconds_count{operation="update"}"#.to_owned(), 1.0),
        (r#"db_query_duration_seconds_count{operation="select"}"#.to_owned(), 0.0),
        (r#"db_errors_total{operation="update"}"#.to_owned(), 1.0),
        (r#"db_pool_connections{state="in_use"}"#.to_owned(), 3.0),
        (r#"db_pool_connections{state="max"}"#.to_owned(), 20.0),
        (r#"redis_operation_duration_seconds_sum{operation="admit"}"#.to_owned(), 1.0),
        ("products".to_owned(), 7.0),
        ("stock_units".to_owned(), 70.0),
        ("low_stock_products".to_owned(), 1.0),
        (r#"build_info{commit="abc1234",role="worker",version="1.2.3"}"#.to_owned(), 1.0),
        (format!(r#"tenant_requests_total{{tenant_id="{id}"}}"#), 1.0),
        ("active_tenants".to_owned(), 1.0),
        (
            r#"rate_limit_decisions_total{policy="tenant",source="deny_cache",verdict="denied"}"#.to_owned(),
            1.0,
        ),
        (format!(r#"rate_limit_usage_percent{{tenant_id="{id}"}}"#), 75.0),
        ("rate_limit_store_seconds_count".to_owned(), 1.0),
        (r#"rate_limit_store_errors_total{kind="timeout"}"#.to_owned(), 1.0),
        ("rate_limit_breaker_open".to_owned(), 1.0),
    ] {
        assert_eq!(value(&metrics, &format!("stock_tracker_{series}")), Some(expected), "{series}");
    }
}

#[test]
fn known_label_sets_start_at_zero_and_foreign_measurements_do_not() {
    let metrics = Metrics::new(&settings(10)).unwrap();
    metrics.http().announce("POST", "/api/v1/auth/login", &[200, 500]);
    metrics.errors().announce("internal", "/api/v1/auth/login");
    for series in [
        r#"requests_total{endpoint="/api/v1/auth/login",method="POST",status_code="500"}"#,
        r#"request_duration_seconds_count{endpoint="/api/v1/auth/login",method="POST"}"#,
        r#"errors_total{endpoint="/api/v1/auth/login",error_type="internal"}"#,
        "requests_in_progress",
        r#"sync_runs_total{marketplace="ozon",status="failed"}"#,
        r#"sync_products_total{marketplace="ozon",status="failed",tenant_id="other"}"#,
        r#"sync_duration_seconds_count{marketplace="ozon",tenant_id="other"}"#,
        r#"tasks_total{status="dead",task_name="sync_account"}"#,
        r#"tasks_in_progress{task_name="sync_account"}"#,
        r#"marketplace_requests_total{marketplace="ozon",operation="stocks",outcome="contract_changed"}"#,
        r#"tenant_requests_total{tenant_id="other"}"#,
        "active_tenants",
    ] {
        assert_eq!(value(&metrics, &format!("stock_tracker_{series}")), Some(0.0), "{series}");
    }
    let page = metrics.render().unwrap();
    assert!(!page.contains("stock_tracker_dependency_up") && !page.contains("stock_tracker_queue_depth"));
}

#[test]
fn buckets_are_the_promised_ones() {
    let metrics = Metrics::new(&settings(10)).unwrap();
    touch_everything(&metrics);
    let page = metrics.render().unwrap();
    let bounds = |family: &str| -> Vec<&str> {
        let buckets = page.lines().filter(|line| line.starts_with(family) && !line.contains("other"));
        buckets
            .filter_map(|line| line.split_once("le=\"")?.1.split_once('"'))
            .map(|(bound, _)| bound)
            .collect()
    };
    assert_eq!(
        bounds("stock_tracker_request_duration_seconds_bucket"),
        ["0.005", "0.01", "0.025", "0.05", "0.1", "0.25", "0.5", "1", "2.5", "5", "10", "+Inf"]
    );
    assert_eq!(
        bounds("stock_tracker_sync_duration_seconds_bucket"),
        ["1", "5", "10", "30", "60", "120", "300", "600", "+Inf"]
    );
}

#[test]
fn what_is_abandoned_is_no_longer_in_progress() {
    let metrics = Metrics::new(&settings(10)).unwrap();
    let (requests, tasks) = (
        "stock_tracker_requests_in_progress",
        r#"stock_tracker_tasks_in_progress{task_name="sync_account"}"#,
    );
    let (request, task) = (metrics.http().started(), metrics.tasks().started("sync_account"));
    assert_eq!((value(&metrics, requests), value(&metrics, tasks)), (Some(1.0), Some(1.0)));
    drop((request, task));
    assert_eq!((value(&metrics, requests), value(&metrics, tasks)), (Some(0.0), Some(0.0)));
}

#[test]
fn a_skipped_sync_says_nothing_about_durations() {
    let metrics = Metrics::new(&settings(10)).unwrap();
    metrics.sync().finished(tenant(1), "ozon", SyncOutcome::Skipped, Duration::ZERO, 0, 0);
    assert_eq!(
        value(&metrics, r#"stock_tracker_sync_runs_total{marketplace="ozon",status="skipped"}"#),
        Some(1.0)
    );
    assert_eq!(tenants_on(&metrics.render().unwrap()), BTreeSet::from(["other".to_owned()]));
}

#[test]
fn ten_thousand_tenants_leave_the_page_small() {
    let metrics = Metrics::new(&settings(DEFAULT_TENANT_LIMIT)).unwrap();
    for number in 0..10_000 {
        metrics.tenants().requested(tenant(number));
        metrics.sync().finished(tenant(number), "ozon", SyncOutcome::Completed, Duration::from_secs(2), 5, 0);
    }
    let page = metrics.render().unwrap();
    assert_eq!(tenants_on(&page).len(), DEFAULT_TENANT_LIMIT + 1);
    assert!(page.lines().count() < DEFAULT_TENANT_LIMIT * 20, "{} lines", page.lines().count());
    assert_eq!(value(&metrics, r#"stock_tracker_tenant_requests_total{tenant_id="other"}"#), Some(9_800.0));
    assert_eq!(value(&metrics, "stock_tracker_active_tenants"), Some(10_000.0));
}

#[test]
fn a_tenant_that_loses_its_place_takes_all_its_series_along() {
    let metrics = Metrics::new(&settings(1)).unwrap();
    metrics.sync().finished(tenant(1), "ozon", SyncOutcome::Completed, Duration::from_secs(2), 5, 0);
    metrics.sync().finished(tenant(1), "shopify", SyncOutcome::Partial, Duration::from_secs(2), 5, 2);
    metrics.tenants().requested(tenant(1));
    assert!(tenants_on(&metrics.render().unwrap()).contains(&tenant(1).to_string()));
    for _ in 0..100 {
        metrics.tenants().requested(tenant(2));
    }
    let expected = BTreeSet::from([tenant(2).to_string(), "other".to_owned()]);
    assert_eq!(tenants_on(&metrics.render().unwrap()), expected);
}

#[test]
fn no_series_outlives_its_tenant_under_concurrency() {
    let limit = 3;
    let metrics = Metrics::new(&settings(limit)).unwrap();
    thread::scope(|scope| {
        for thread in 0..4_u64 {
            let metrics = metrics.clone();
            scope.spawn(move || {
                for round in 0..5_000_u64 {
                    // Each tenant has its busy time, so places change hands all along.
                    metrics.tenants().requested(tenant((round / 200 + thread) % 17));
                    let (id, elapsed) = (tenant((round / 150) % 11), Duration::from_secs(1));
                    metrics.sync().finished(id, "ozon", SyncOutcome::Completed, elapsed, 1, 0);
                }
            });
        }
    });
    let tenants = tenants_on(&metrics.render().unwrap());
    assert!(tenants.len() <= limit + 1, "{tenants:?}");
    assert!(tenants.contains("other"));
}

#[test]
fn a_tenant_is_active_for_a_day() {
    let hours = Arc::new(AtomicI64::new(0));
    let clock = Arc::clone(&hours);
    let mut settings = settings(1);
    settings.clock =
        Arc::new(move || DateTime::UNIX_EPOCH + chrono::TimeDelta::hours(clock.load(Ordering::Relaxed)));
    let metrics = Metrics::new(&settings).unwrap();
    let active = || value(&metrics, "stock_tracker_active_tenants");
    metrics.tenants().requested(tenant(1));
    hours.store(23, Ordering::Relaxed);
    metrics.sync().finished(tenant(2), "ozon", SyncOutcome::Failed, Duration::ZERO, 0, 1);
    assert_eq!(active(), Some(2.0));
    hours.store(24, Ordering::Relaxed);
    assert_eq!(active(), Some(1.0));
    hours.store(47, Ordering::Relaxed);
    assert_eq!(active(), Some(0.0));
}

#[test]
fn usage_is_told_of_the_fullest_tenants_and_falls_by_time() {
    let now = Arc::new(AtomicI64::new(0));
    let clock = Arc::clone(&now);
    let metrics = Metrics::new(&MetricsSettings {
        clock: Arc::new(move || DateTime::from_timestamp(clock.load(Ordering::SeqCst), 0).unwrap()),
        ..settings(10)
    })
    .unwrap();
    let used = |number, percent| metrics.rate_limits().used(tenant(number), percent, Duration::from_mins(1));
    let shown = || -> BTreeSet<String> {
        let page = metrics.render().unwrap();
        let lines = page.lines().filter(|line| line.starts_with("stock_tracker_rate_limit_usage_percent{"));
        lines.map(str::to_owned).collect()
    };
    used(1, 50.0);
    assert_eq!(shown().len(), 0, "a half is nothing to tell");
    used(1, 51.0);
    used(1, 49.0);
    assert_eq!(shown().len(), 0, "it fell");
    for number in 0..150 {
        used(number, 60.0);
    }
    assert_eq!(shown().len(), 100);
    used(200, 90.0);
    assert_eq!(shown().len(), 100);
    assert!(shown().iter().any(|line| line.contains(&tenant(200).to_string()) && line.ends_with(" 90")));
    now.store(61, Ordering::SeqCst);
    assert_eq!(shown().len(), 0, "nothing of it counts any more");
}
