//! What was decided about a request on its way.

use actix_web::{HttpMessage, HttpRequest};
use smallvec::SmallVec;

use crate::{Limiter, Report, Source};

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

    /// Decides once more about the same request: a store that it waited for in vain is not asked again.
    #[must_use]
    pub fn once_more(&self, limiter: &Limiter) -> Limiter {
        let in_vain = self.iter().any(|report| report.source() == Source::Fallback);
        if in_vain { limiter.without_the_store() } else { limiter.clone() }
    }

    /// All of it.
    pub fn iter(&self) -> impl Iterator<Item = &Report> {
        self.0.iter()
    }
}
