//! On whose behalf something is done.

use std::net::IpAddr;

use crate::{
    ids::{JobId, SessionId, UserId},
    role::Role,
};

/// Who acts within a tenant, for permissions, logs and the audit trail.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Actor {
    /// The kind of actor and its identity.
    pub kind: ActorKind,
    /// The request that caused the action, if one did.
    pub request_id: Option<String>,
    /// Where the request came from.
    pub address: Option<IpAddr>,
}

/// What kind of actor it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ActorKind {
    /// A person with a live session.
    User {
        /// The person.
        user_id: UserId,
        /// The standing in this tenant at the time of the request.
        role: Role,
        /// The session the request came with.
        session_id: SessionId,
    },
    /// A background job of the tenant.
    Job(JobId),
    /// The schedule, making work due.
    Schedule,
}

impl Actor {
    /// A job acting for its tenant.
    pub const fn job(id: JobId) -> Self {
        Self { kind: ActorKind::Job(id), request_id: None, address: None }
    }

    /// The schedule acting for a tenant.
    pub const fn schedule() -> Self {
        Self { kind: ActorKind::Schedule, request_id: None, address: None }
    }
}
