//! Evidence that somebody may work in a tenant.

use domain::{actor::Actor, ids::TenantId};

/// The right to work in one tenant, on behalf of somebody. Made only in this crate, from a row that proves it: a live
/// session, a claimed job, a tenant just registered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TenantScope {
    tenant_id: TenantId,
    actor: Actor,
}

impl TenantScope {
    pub(crate) const fn new(tenant_id: TenantId, actor: Actor) -> Self {
        Self { tenant_id, actor }
    }

    /// Which tenant.
    pub const fn tenant_id(&self) -> TenantId {
        self.tenant_id
    }

    /// On whose behalf.
    pub const fn actor(&self) -> &Actor {
        &self.actor
    }
}
