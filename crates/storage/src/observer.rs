//! Who hears of statements.

use std::{fmt, time::Duration};

/// Hears of every statement of a [`Db`](crate::Db), when it has ended. Called on its way: it must be quick.
pub trait StatementObserver: Send + Sync {
    /// A statement, or the beginning of a transaction (`BEGIN`), which takes a connection first. `sql` holds no values.
    fn ended(&self, sql: &str, elapsed: Duration, failed: bool);
}

impl fmt::Debug for dyn StatementObserver {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("StatementObserver(..)")
    }
}
