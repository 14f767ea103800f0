//! The one place where a metric's name, help, labels and buckets are spelled. Dashboards and alert rules may only use
//! what is listed here.

use prometheus::{GaugeVec, HistogramOpts, HistogramVec, IntCounterVec, IntGaugeVec, Opts};

/// Seconds: an HTTP request of ours.
const REQUEST_BUCKETS: &[f64] = &[0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0];
/// Seconds: a whole sync of an account.
const SYNC_BUCKETS: &[f64] = &[1.0, 5.0, 10.0, 30.0, 60.0, 120.0, 300.0, 600.0];
/// Seconds: a background task, from an instant clean-up to a sync of a large catalogue.
const TASK_BUCKETS: &[f64] = &[0.01, 0.05, 0.25, 1.0, 5.0, 10.0, 30.0, 60.0, 120.0, 300.0, 600.0];
/// Seconds: one call to a marketplace, up to its time-out.
const MARKETPLACE_BUCKETS: &[f64] = &[0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0];

/// Seconds: one decision in the store of rate limits, up to the time it may take.
const STORE_BUCKETS: &[f64] = &[0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025];
/// Seconds: one statement, from a look-up by key to a report over a whole catalogue.
const STATEMENT_BUCKETS: &[f64] =
    &[0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0];

/// One family of series.
#[derive(Debug)]
pub struct Family {
    /// The full name.
    pub name: &'static str,
    /// What a reader of `/metrics` is told.
    pub help: &'static str,
    /// The label names, in the order in which values are given.
    pub labels: &'static [&'static str],
    /// Upper bounds of a histogram's buckets; empty for counters and gauges.
    pub buckets: &'static [f64],
}

macro_rules! families {
    ($($constant:ident = $name:literal [$($label:literal),*] $($buckets:ident)?: $help:literal;)*) => {
        $(
            #[doc = $help]
            pub const $constant: Family = Family {
                name: concat!("stock_tracker_", $name),
                help: $help,
                labels: &[$($label),*],
                buckets: families!(@ $($buckets)?),
            };
        )*

        /// Every family of this crate, in the order of this file.
        pub const FAMILIES: &[&Family] = &[$(&$constant),*];
    };
    (@) => { &[] };
    (@ $buckets:ident) => { $buckets };
}

families! {
    REQUESTS = "requests_total" ["method", "endpoint", "status_code"]:
        "HTTP requests answered, by route template.";
    REQUEST_DURATION = "request_duration_seconds" ["method", "endpoint"] REQUEST_BUCKETS:
        "Time to answer an HTTP request.";
    REQUESTS_IN_PROGRESS = "requests_in_progress" []:
        "HTTP requests being answered now.";
    ERRORS = "errors_total" ["error_type", "endpoint"]:
        "Errors by problem code: 5xx answers and failed marketplace calls.";
    SYNC_DURATION = "sync_duration_seconds" ["tenant_id", "marketplace"] SYNC_BUCKETS:
        "Duration of an account's sync.";
    SYNC_PRODUCTS = "sync_products_total" ["tenant_id", "marketplace", "status"]:
        "Products synced, and products that could not be.";
    SYNC_RUNS = "sync_runs_total" ["marketplace", "status"]:
        "Syncs ended, by their final state.";
    SYNC_STALENESS = "sync_staleness_seconds" ["marketplace"]:
        "How long ago the account that waits longest should have been read; 0 when none is late.";
    TASKS = "tasks_total" ["task_name", "status"]:
        "Background tasks ended, by outcome of the attempt.";
    TASK_DURATION = "task_duration_seconds" ["task_name"] TASK_BUCKETS:
        "Duration of one attempt of a background task.";
    TASKS_IN_PROGRESS = "tasks_in_progress" ["task_name"]:
        "Background tasks running in this process now.";
    QUEUE_DEPTH = "queue_depth" ["queue"]:
        "Jobs that are due and wait for a worker.";
    QUEUE_OLDEST = "queue_oldest_seconds" ["queue"]:
        "How long the oldest due job has been waiting.";
    MARKETPLACE_REQUESTS = "marketplace_requests_total" ["marketplace", "operation", "outcome"]:
        "Calls to marketplaces.";
    MARKETPLACE_REQUEST_DURATION = "marketplace_request_duration_seconds" ["marketplace", "operation", "outcome"]
        MARKETPLACE_BUCKETS: "Duration of a call to a marketplace.";
    RATE_LIMIT_DECISIONS = "rate_limit_decisions_total" ["policy", "verdict", "source"]:
        "What each limit said of requests, and who decided: the store, a remembered refusal, or this process alone.";
    RATE_LIMIT_USAGE = "rate_limit_usage_percent" ["tenant_id"]:
        "How much of its limit a tenant has used; only of tenants above a half.";
    RATE_LIMIT_STORE = "rate_limit_store_seconds" [] STORE_BUCKETS:
        "Time to decide in the store of rate limits.";
    RATE_LIMIT_STORE_ERRORS = "rate_limit_store_errors_total" ["kind"]:
        "Failures of the store of rate limits.";
    RATE_LIMIT_BREAKER_OPEN = "rate_limit_breaker_open" []:
        "1 while rate limits are counted in this process alone because their store fails.";
    REDIS_OPERATION_DURATION = "redis_operation_duration_seconds" ["operation"] STORE_BUCKETS:
        "Time until Redis answered, by what it was asked to do.";
    DB_POOL_CONNECTIONS = "db_pool_connections" ["state"]:
        "Connections of this process to the database: in use, idle, and how many there can be (`max`).";
    DB_QUERY_DURATION = "db_query_duration_seconds" ["operation"] STATEMENT_BUCKETS:
        "Time for a statement; for `begin`, until there was a connection and its transaction.";
    DB_ERRORS = "db_errors_total" ["operation"]:
        "Statements that failed, those among them that the code expects, such as a second row of one key.";
    BUILD_INFO = "build_info" ["version", "commit", "role"]:
        "Always 1; the labels say what runs.";
    DEPENDENCY_UP = "dependency_up" ["dependency"]:
        "1 if the dependency answered its last check, else 0; absent before the first.";
    TENANT_REQUESTS = "tenant_requests_total" ["tenant_id"]:
        "Requests of a tenant; tenants beyond the most active ones are counted as `other`.";
    ACTIVE_TENANTS = "active_tenants" []:
        "Tenants with a request or a sync in this process within 24 hours.";
    PRODUCTS = "products" []:
        "Products on sale, of all tenants.";
    STOCK_UNITS = "stock_units" []:
        "Units in stock, of all tenants, where stock is known.";
    LOW_STOCK_PRODUCTS = "low_stock_products" []:
        "Products that are low as their tenants say.";
}

/// What the `prometheus` crate tells about the process itself. Linux only.
pub const PROCESS: &[&str] = &[
    "process_cpu_seconds_total",
    "process_max_fds",
    "process_open_fds",
    "process_resident_memory_bytes",
    "process_start_time_seconds",
    "process_threads",
    "process_virtual_memory_bytes",
];

impl Family {
    pub(crate) fn counter(&self) -> prometheus::Result<IntCounterVec> {
        IntCounterVec::new(Opts::new(self.name, self.help), self.labels)
    }

    pub(crate) fn int_gauge(&self) -> prometheus::Result<IntGaugeVec> {
        IntGaugeVec::new(Opts::new(self.name, self.help), self.labels)
    }

    pub(crate) fn gauge(&self) -> prometheus::Result<GaugeVec> {
        GaugeVec::new(Opts::new(self.name, self.help), self.labels)
    }

    pub(crate) fn histogram(&self) -> prometheus::Result<HistogramVec> {
        let options = HistogramOpts::new(self.name, self.help).buckets(self.buckets.to_vec());
        HistogramVec::new(options, self.labels)
    }
}
