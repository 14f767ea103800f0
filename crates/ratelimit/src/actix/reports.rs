//! What was decided about a request on its way.

use actix_web::{HttpMessage, HttpRequest};
use smallvec::SmallVec;

use crate::{Report, Source};

/// What was decided about a request, in the order in which it was, among the request's extensions. The layer tells
/// clients of all of it.
#[derive(Clone, Debug, Default)]
pub struct Reports(SmallVec<[Report; 1]>);

impl Reports {
    /// Adds what a handler decided by itself, so that the headers tell of it too.
    pub fn note(request: &HttpRequest, report: Report) {
        let mut extensions = request.extensions_mut();
        if let Some(reports) = extensions.get_mut::<Self>() {
            reports.0.push(report);
        } else {
            extensions.insert(Self::of(report));
        }
    }

    pub(super) fn of(report: Report) -> Self {
        Self(SmallVec::from_iter([report]))
    }

    /// Whether the store failed while something of it was decided.
    pub fn without_the_store(&self) -> bool {
        self.iter().any(|report| report.source() == Source::Fallback)
    }

    /// All of it.
    pub fn iter(&self) -> impl Iterator<Item = &Report> {
        self.0.iter()
    }
}
