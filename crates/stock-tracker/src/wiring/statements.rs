//! Statements become metrics, and parts of traces.

use std::time::Duration;

use monitoring::{
    error_reports,
    metrics::{Metrics, labels::DbOperation},
};
use storage::{Db, StatementObserver};

/// Counts every statement.
struct MeasuredStatements(Metrics);

impl StatementObserver for MeasuredStatements {
    fn ended(&self, sql: &str, elapsed: Duration, failed: bool) {
        self.0.database().finished(DbOperation::of(sql), elapsed, failed);
        error_reports::span("db.query", sql, elapsed, failed);
    }
}

/// Measures what is asked of the database, and who works with its connections.
pub(super) fn measured(db: Db, metrics: &Metrics) -> Db {
    let db = db.observed_by(std::sync::Arc::new(MeasuredStatements(metrics.clone())));
    let pool = db.clone();
    metrics.at_scrape(move |metrics| {
        let storage::Connections { in_use, idle, max } = pool.connections();
        metrics.database().connections(in_use, idle, max);
    });
    db
}
