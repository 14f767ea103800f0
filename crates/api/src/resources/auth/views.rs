//! Users, companies and tokens on the wire.

use app::SignedIn;
use chrono::{DateTime, Utc};
use domain::tenant::{Tenant, User};
use secrecy::ExposeSecret as _;
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::{resources::tenants::TenantView, view::Role};

/// Tokens for somebody who has signed in.
#[derive(Serialize, ToSchema)]
#[schema(as = SignedIn)]
pub(super) struct SignedInView {
    /// Goes with every request as `Authorization: Bearer`.
    #[schema(example = "eyJhbGciOiJIUzI1NiJ9.e30.c2lnbmF0dXJl")]
    access_token: String,
    /// Gets the next pair of tokens; works once.
    #[schema(example = "3q2-7wAAAAAAAAAAAAAAAA")]
    refresh_token: String,
    /// `bearer`.
    #[schema(example = "bearer")]
    token_type: &'static str,
    /// Seconds for which the access token is good.
    #[schema(example = 900)]
    expires_in: u64,
    user: UserView,
    tenant: TenantView,
}

impl From<SignedIn> for SignedInView {
    fn from(signed_in: SignedIn) -> Self {
        Self {
            access_token: signed_in.access_token.expose_secret().to_owned(),
            refresh_token: signed_in.refresh_token.expose_secret().to_owned(),
            token_type: "bearer",
            expires_in: signed_in.expires_in.as_secs(),
            user: signed_in.user.into(),
            tenant: signed_in.tenant.into(),
        }
    }
}

/// The caller and the caller's company.
#[derive(Serialize, ToSchema)]
#[schema(as = Me)]
pub(super) struct MeView {
    user: UserView,
    tenant: TenantView,
}

impl From<(User, Tenant)> for MeView {
    fn from((user, tenant): (User, Tenant)) -> Self {
        Self { user: user.into(), tenant: tenant.into() }
    }
}

/// A person.
#[derive(Serialize, ToSchema)]
#[schema(as = User)]
struct UserView {
    #[schema(example = "0199c0de-0000-7000-8000-000000000002")]
    id: Uuid,
    /// The address to sign in with.
    #[schema(example = "anna@example.com")]
    email: String,
    /// Whether the address is proven.
    email_verified: bool,
    /// Standing in the company.
    role: Role,
    /// Registration.
    created_at: DateTime<Utc>,
    /// The last sign-in before this one.
    last_login_at: Option<DateTime<Utc>>,
}

impl From<User> for UserView {
    fn from(user: User) -> Self {
        Self {
            id: user.id.into(),
            email: user.email,
            email_verified: user.email_verified,
            role: user.role.into(),
            created_at: user.created_at,
            last_login_at: user.last_login_at,
        }
    }
}
