//! Who calls a use case.

use std::net::IpAddr;

use domain::{
    ids::{SessionId, TenantId, UserId},
    role::{Permission, Role},
};
use storage::TenantScope;

use crate::error::Error;

/// Where a request comes from, before anybody knows who sent it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Client {
    /// The id of the request, for logs and jobs.
    pub request_id: Option<String>,
    /// The client's address.
    pub address: Option<IpAddr>,
    /// What the client calls itself.
    pub user_agent: Option<String>,
}

/// Somebody with a live session in a tenant. Made only by [`crate::Auth::authenticate`].
#[derive(Debug, Clone)]
pub struct Caller {
    pub(crate) scope: TenantScope,
    pub(crate) user_id: UserId,
    pub(crate) session_id: SessionId,
    pub(crate) role: Role,
    pub(crate) catalogue_version: i64,
}

impl Caller {
    /// The tenant.
    pub const fn tenant_id(&self) -> TenantId {
        self.scope.tenant_id()
    }

    /// The person.
    pub const fn user_id(&self) -> UserId {
        self.user_id
    }

    /// The session.
    pub const fn session_id(&self) -> SessionId {
        self.session_id
    }

    /// The person's standing in the tenant.
    pub const fn role(&self) -> Role {
        self.role
    }

    /// Changes with every change of a figure of the tenant, as of the start of the request.
    pub const fn catalogue_version(&self) -> i64 {
        self.catalogue_version
    }

    /// Refuses a caller whose role does not include the permission.
    pub(crate) fn require(&self, permission: Permission) -> Result<&TenantScope, Error> {
        if self.role.allows(permission) { Ok(&self.scope) } else { Err(Error::Forbidden(permission)) }
    }
}
