//! By what requests are counted together, and what is known of one request.

use std::fmt;

use smallvec::SmallVec;

/// Something by which requests are told apart.
///
/// The order matters on Redis Cluster: the first dimension of a scope decides in which slot its keys live, so that
/// all policies of one tenant, or of one client address, are decided by one script.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Dim {
    /// The tenant or account that a request acts for.
    Tenant,
    /// The client's address, or the prefix of it that counts as one client.
    Ip,
    /// The user.
    User,
    /// The API key.
    ApiKey,
    /// Anything else, by name.
    Custom(&'static str),
    /// The route.
    Endpoint,
}

impl Dim {
    /// A number that never changes: it goes into the hashes of keys.
    pub(crate) fn code(self) -> u8 {
        match self {
            Self::Tenant => 1,
            Self::Ip => 2,
            Self::User => 3,
            Self::ApiKey => 4,
            Self::Custom(_) => 5,
            Self::Endpoint => 6,
        }
    }

    /// The letter that a slot's tag begins with.
    pub(crate) fn letter(self) -> u8 {
        match self {
            Self::Tenant => b't',
            Self::Ip => b'i',
            Self::User => b'u',
            Self::ApiKey => b'k',
            Self::Custom(_) => b'c',
            Self::Endpoint => b'e',
        }
    }
}

impl fmt::Display for Dim {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Tenant => "tenant",
            Self::Ip => "ip",
            Self::User => "user",
            Self::ApiKey => "api key",
            Self::Custom(name) => name,
            Self::Endpoint => "endpoint",
        })
    }
}

/// A set of dimensions. Requests that agree in all of them count together; the empty scope counts every request.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Scope {
    /// Sorted, none twice.
    dims: SmallVec<[Dim; 2]>,
}

/// Why dimensions make no scope.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ScopeError {
    /// The same dimension twice.
    #[error("the scope names `{0}` twice")]
    Twice(Dim),
    /// A dimension of one's own without a name.
    #[error("a custom dimension needs a name")]
    Unnamed,
}

impl Scope {
    /// Counts every request together.
    pub fn global() -> Self {
        Self::default()
    }

    /// Counts by these dimensions, in whatever order they are given.
    pub fn new(dims: impl IntoIterator<Item = Dim>) -> Result<Self, ScopeError> {
        let mut dims: SmallVec<[Dim; 2]> = dims.into_iter().collect();
        dims.sort_unstable();
        if dims.contains(&Dim::Custom("")) {
            return Err(ScopeError::Unnamed);
        }
        match dims.windows(2).find(|pair| pair[0] == pair[1]) {
            Some(pair) => Err(ScopeError::Twice(pair[0])),
            None => Ok(Self { dims }),
        }
    }

    /// Whether it counts every request together.
    pub fn is_global(&self) -> bool {
        self.dims.is_empty()
    }

    /// The dimensions, in the order of [`Dim`].
    pub fn dims(&self) -> &[Dim] {
        &self.dims
    }
}

/// What is known of one request. Values are bytes as the service has them; only hashes of them leave the process.
#[derive(Clone, Default)]
pub struct Subject<'a> {
    values: SmallVec<[(Dim, &'a [u8]); 6]>,
}

/// A policy counts by something that is not known of the request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the request has no {0} to count by")]
pub struct MissingDim(pub Dim);

impl<'a> Subject<'a> {
    /// A request of which nothing is known yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds what is known; what was known of the same dimension is replaced.
    #[must_use]
    pub fn with(mut self, dim: Dim, value: &'a (impl AsRef<[u8]> + ?Sized)) -> Self {
        self.values.retain(|(known, _)| *known != dim);
        self.values.push((dim, value.as_ref()));
        self
    }

    /// The value of one dimension.
    pub fn get(&self, dim: Dim) -> Result<&'a [u8], MissingDim> {
        let found = self.values.iter().find(|(known, _)| *known == dim);
        found.map(|(_, value)| *value).ok_or(MissingDim(dim))
    }
}

/// Shows which dimensions are known, never their values.
impl fmt::Debug for Subject<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_set().entries(self.values.iter().map(|(dim, _)| dim)).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_scope_is_a_set() {
        let one = Scope::new([Dim::Endpoint, Dim::Custom("plan"), Dim::Tenant]).unwrap();
        let other = Scope::new([Dim::Tenant, Dim::Endpoint, Dim::Custom("plan")]).unwrap();
        assert_eq!(one, other);
        assert_eq!(one.dims(), [Dim::Tenant, Dim::Custom("plan"), Dim::Endpoint]);
        assert!(Scope::new([]).unwrap().is_global());
        assert_eq!(Scope::new([Dim::Ip, Dim::User, Dim::Ip]), Err(ScopeError::Twice(Dim::Ip)));
        assert_eq!(Scope::new([Dim::Custom("")]), Err(ScopeError::Unnamed));
    }

    #[test]
    fn a_subject_knows_one_value_for_each_dimension_and_shows_none() {
        let subject =
            Subject::new().with(Dim::User, "secret").with(Dim::User, "other").with(Dim::Ip, &[127, 0, 0, 1]);
        assert_eq!(subject.get(Dim::User), Ok(b"other".as_slice()));
        assert_eq!(subject.get(Dim::Tenant), Err(MissingDim(Dim::Tenant)));
        assert_eq!(format!("{subject:?}"), "{User, Ip}");
    }
}
