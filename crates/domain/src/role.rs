//! Who may do what within a tenant.

use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// A member's standing. Each role may do all that the ones below it may.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Reads everything of the tenant.
    Viewer,
    /// Also starts syncs and imports files.
    Member,
    /// Also manages marketplace accounts and settings.
    Admin,
    /// Also owns the tenant itself.
    Owner,
}

impl Role {
    /// The stored and published name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Viewer => "viewer",
            Self::Member => "member",
            Self::Admin => "admin",
            Self::Owner => "owner",
        }
    }

    /// Whether this role includes the permission.
    pub fn allows(self, permission: Permission) -> bool {
        self >= permission.least_role()
    }
}

/// A name of no role.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("unknown role")]
pub struct UnknownRole;

impl FromStr for Role {
    type Err = UnknownRole;

    fn from_str(name: &str) -> Result<Self, UnknownRole> {
        [Self::Viewer, Self::Member, Self::Admin, Self::Owner]
            .into_iter()
            .find(|role| role.name() == name)
            .ok_or(UnknownRole)
    }
}

/// Something an operation needs of its caller.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Permission {
    /// See the catalogue, stock, orders, syncs, accounts.
    Read,
    /// Start and cancel syncs.
    RunSyncs,
    /// Import catalogues and stock.
    ImportFiles,
    /// Connect, change and remove marketplace accounts.
    ManageAccounts,
    /// Change the tenant's settings.
    ManageTenant,
}

impl Permission {
    const fn least_role(self) -> Role {
        match self {
            Self::Read => Role::Viewer,
            Self::RunSyncs | Self::ImportFiles => Role::Member,
            Self::ManageAccounts => Role::Admin,
            Self::ManageTenant => Role::Owner,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_role_includes_those_below_it() {
        assert!(Role::Owner.allows(Permission::ManageTenant));
        assert!(!Role::Admin.allows(Permission::ManageTenant));
        assert!(Role::Admin.allows(Permission::ManageAccounts));
        assert!(!Role::Member.allows(Permission::ManageAccounts));
        assert!(Role::Member.allows(Permission::RunSyncs));
        assert!(!Role::Viewer.allows(Permission::RunSyncs));
        assert!(!Role::Viewer.allows(Permission::ImportFiles));
        assert!(Role::Viewer.allows(Permission::Read));
    }
}
