//! What an operator wants to hear of.

use std::fmt;
use std::time::Duration;

use crate::{Report, StoreErrorKind, Subject};

/// Hears of decisions and of the store's health, to count them. Called on the way of a request: it must be quick and
/// must not block.
pub trait Observer: Send + Sync + fmt::Debug {
    /// A request was decided.
    fn decided(&self, subject: &Subject<'_>, report: &Report) {
        let _ = (subject, report);
    }

    /// The store answered.
    fn answered(&self, took: Duration) {
        let _ = took;
    }

    /// The store failed to answer.
    fn failed(&self, kind: StoreErrorKind) {
        let _ = kind;
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
