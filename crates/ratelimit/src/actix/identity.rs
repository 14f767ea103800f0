//! What is known of a request, held for as long as it is decided.

use smallvec::SmallVec;

use crate::{Dim, Subject};

/// What is known of one request: values that a [`Subject`] can borrow.
#[derive(Clone, Default)]
pub struct Identity {
    values: SmallVec<[(Dim, SmallVec<[u8; 24]>); 4]>,
}

impl Identity {
    /// Adds what is known; what was known of the same dimension is replaced.
    pub fn set(&mut self, dim: Dim, value: impl AsRef<[u8]>) {
        self.values.retain(|(known, _)| *known != dim);
        self.values.push((dim, SmallVec::from_slice(value.as_ref())));
    }

    /// The same for [`Limiter`](crate::Limiter).
    pub fn subject(&self) -> Subject<'_> {
        self.values.iter().fold(Subject::new(), |subject, (dim, value)| subject.with(*dim, value.as_slice()))
    }
}

/// Shows which dimensions are known, never their values.
impl std::fmt::Debug for Identity {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.subject().fmt(formatter)
    }
}
