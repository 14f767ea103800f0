//! Why a use case did not do what was asked, in terms that any front can put into its own words.

use std::time::Duration;

use domain::role::Permission;

/// A refused or failed use case.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Nobody knows who calls.
    #[error("not authenticated: {0}")]
    Unauthenticated(Unauthenticated),
    /// The caller's role does not include this.
    #[error("the role does not allow {0:?}")]
    Forbidden(Permission),
    /// There is no such thing in the caller's tenant.
    #[error("not found")]
    NotFound,
    /// The input is wrong, field by field.
    #[error("invalid input")]
    Invalid(Vec<FieldProblem>),
    /// A file that is to be imported is wrong, line by line; nothing of it was taken.
    #[error("{} problems in a file", .0.total())]
    ImportRefused(domain::import::Problems),
    /// A cursor that the list did not make.
    #[error("invalid cursor")]
    InvalidCursor,
    /// It contradicts what is there.
    #[error("conflict: {0}")]
    Conflict(Conflict),
    /// The marketplace does not accept the credential.
    #[error("the marketplace refused the credential: {0:?}")]
    CredentialRefused(CredentialRefusal),
    /// The marketplace cannot be asked now.
    #[error("the marketplace is unavailable")]
    MarketplaceUnavailable {
        /// When to try again.
        retry_after: Duration,
    },
    /// Another run of the same work has taken over; nothing of this one stands.
    #[error("overtaken by another run")]
    Overtaken,
    /// Too many ask for the same dear thing at once.
    #[error("too much to do at once")]
    Overloaded {
        /// When to come again.
        retry_after: Duration,
    },
    /// The database cannot be reached now.
    #[error("temporarily unavailable: {0}")]
    Unavailable(#[source] storage::Error),
    /// A defect, or damage.
    #[error("internal error: {0}")]
    Internal(#[source] Box<dyn std::error::Error + Send + Sync>),
}

/// Why nobody is signed in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Unauthenticated {
    /// The token is not one of ours, or not of this kind.
    #[error("invalid token")]
    InvalidToken,
    /// The token's time is over.
    #[error("expired token")]
    ExpiredToken,
    /// The session was ended, or the user or tenant may not sign in any more.
    #[error("ended session")]
    SessionEnded,
    /// Unknown e-mail or wrong password; never told apart.
    #[error("wrong e-mail or password")]
    WrongCredentials,
    /// A refresh token was used twice; every token of its family is dead.
    #[error("refresh token used twice")]
    RefreshTokenReused,
}

/// What stands in the way.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Conflict {
    /// Somebody has registered with this e-mail address.
    #[error("the e-mail address is taken")]
    EmailTaken,
    /// The tenant has connected this seller already.
    #[error("the seller is already connected")]
    AccountExists,
    /// The new credential is of another seller.
    #[error("the credential belongs to another seller")]
    SellerChanged,
    /// There is no account to sync.
    #[error("no marketplace account is connected")]
    NoAccount,
    /// The account has no marketplace behind it that could be asked.
    #[error("the account is not synced")]
    NotSynced,
    /// The sync has ended.
    #[error("the sync has ended")]
    SyncEnded,
    /// The figures of the account are what its marketplace says.
    #[error("the account takes no imports")]
    NotImportable,
}

/// Why a marketplace did not accept a credential. Codes and words are stable.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CredentialRefusal {
    /// What kind of refusal.
    pub kind: RefusalKind,
    /// The credential field it is about.
    pub field: &'static str,
    /// What to tell the seller.
    pub message: String,
}

/// Kinds of refusal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RefusalKind {
    /// Not a credential of the marketplace.
    Invalid,
    /// It was one.
    Expired,
    /// It does not grant what is needed.
    Scope,
}

/// One thing wrong with an input.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FieldProblem {
    /// JSON pointer to the field, such as `/email`.
    pub pointer: String,
    /// What is wrong, to follow the field's name.
    pub detail: String,
}

impl FieldProblem {
    /// A problem of one field.
    pub fn new(pointer: impl Into<String>, detail: impl std::fmt::Display) -> Self {
        Self { pointer: pointer.into(), detail: detail.to_string() }
    }
}

impl Error {
    /// A defect with its cause.
    pub(crate) fn internal(cause: impl std::error::Error + Send + Sync + 'static) -> Self {
        Self::Internal(Box::new(cause))
    }
}

impl From<storage::Error> for Error {
    fn from(error: storage::Error) -> Self {
        match error {
            storage::Error::InvalidCursor => Self::InvalidCursor,
            storage::Error::Overtaken => Self::Overtaken,
            error if error.is_transient() => Self::Unavailable(error),
            error => Self::internal(error),
        }
    }
}
