//! What an operator wants to hear of.

use std::fmt;
use std::time::Duration;

use crate::{Report, StoreErrorKind, Subject};

/// What a store was asked to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum StoreOperation {
    /// [`Store::admit`](crate::Store::admit).
    Admit,
    /// [`Store::peek`](crate::Store::peek).
    Peek,
    /// [`Store::reset`](crate::Store::reset).
    Reset,
    /// [`Store::was_reset`](crate::Store::was_reset).
    WasReset,
    /// [`Store::refund`](crate::Store::refund).
    Refund,
    /// [`Store::probe`](crate::Store::probe).
    Probe,
}

impl StoreOperation {
    /// All of them.
    pub const ALL: [Self; 6] =
        [Self::Admit, Self::Peek, Self::Reset, Self::WasReset, Self::Refund, Self::Probe];

    /// Its name in one word, for metrics.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Admit => "admit",
            Self::Peek => "peek",
            Self::Reset => "reset",
            Self::WasReset => "was_reset",
            Self::Refund => "refund",
            Self::Probe => "probe",
        }
    }
}

/// Hears of decisions and of the store's health, to count them. Called on the way of a request: it must be quick and
/// must not block.
pub trait Observer: Send + Sync + fmt::Debug {
    /// A request was decided.
    fn decided(&self, subject: &Subject<'_>, report: &Report) {
        let _ = (subject, report);
    }

    /// The store answered.
    fn answered(&self, operation: StoreOperation, took: Duration) {
        let _ = (operation, took);
    }

    /// The store failed to answer.
    fn failed(&self, operation: StoreOperation, kind: StoreErrorKind) {
        let _ = (operation, kind);
    }

    /// The store is not asked any more, or is asked again.
    fn degraded(&self, degraded: bool) {
        let _ = degraded;
    }
}

/// Hears of everything and keeps it to itself.
#[derive(Clone, Copy, Debug, Default)]
pub struct Unobserved;

impl Observer for Unobserved {}
