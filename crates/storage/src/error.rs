//! What can go wrong with the database, in terms the use cases can act on.

use sea_orm::{DbErr, RuntimeErr, SqlErr};

/// A failed query or transaction.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Another row already has this key.
    #[error("already there")]
    Duplicate,
    /// What the row refers to is not there.
    #[error("what the row refers to is not there")]
    MissingReference,
    /// A cursor that this list did not make.
    #[error("not a cursor of this list")]
    InvalidCursor,
    /// A stored value does not decode: written by a newer version, or damaged.
    #[error("stored {what} does not decode: {reason}")]
    Damaged {
        /// Which value.
        what: &'static str,
        /// Why.
        reason: String,
    },
    /// Somebody else has taken over what this transaction was writing.
    #[error("overtaken by another run")]
    Overtaken,
    /// The database refused or could not be reached.
    #[error("database: {0}")]
    Database(#[source] DbErr),
}

impl Error {
    pub(crate) fn damaged(what: &'static str, reason: &impl ToString) -> Self {
        Self::Damaged { what, reason: reason.to_string() }
    }

    /// Whether PostgreSQL refused it for want of a right, or by a policy.
    pub(crate) fn is_refusal(&self) -> bool {
        let Self::Database(DbErr::Exec(RuntimeErr::SqlxError(e)) | DbErr::Query(RuntimeErr::SqlxError(e))) =
            self
        else {
            return false;
        };
        matches!(e.as_ref(), sqlx::Error::Database(e) if e.code().as_deref() == Some("42501"))
    }

    /// Whether the same call may succeed later without any change: the connection failed, or the database was busy.
    pub fn is_transient(&self) -> bool {
        let Self::Database(error) = self else { return false };
        match error {
            DbErr::ConnectionAcquire(_) | DbErr::Conn(_) => true,
            DbErr::Exec(RuntimeErr::SqlxError(e)) | DbErr::Query(RuntimeErr::SqlxError(e)) => {
                match e.as_ref() {
                    sqlx::Error::Io(_) | sqlx::Error::PoolTimedOut | sqlx::Error::PoolClosed => true,
                    // 40001 serialization, 40P01 deadlock, 53xxx out of connections or memory, 57P0x shutdown, 08xxx
                    // connection; 5, 6, 261 and 517 are SQLite's busy.
                    sqlx::Error::Database(e) => e.code().is_some_and(|code| {
                        matches!(&*code, "40001" | "40P01" | "5" | "6" | "517" | "261")
                            || code.starts_with("53")
                            || code.starts_with("57P")
                            || code.starts_with("08")
                    }),
                    _ => false,
                }
            }
            _ => false,
        }
    }
}

impl From<DbErr> for Error {
    fn from(error: DbErr) -> Self {
        match error.sql_err() {
            Some(SqlErr::UniqueConstraintViolation(_)) => Self::Duplicate,
            Some(SqlErr::ForeignKeyConstraintViolation(_)) => Self::MissingReference,
            _ => Self::Database(error),
        }
    }
}
