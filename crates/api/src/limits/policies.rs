//! The policies, by name.

use ratelimit::{Algorithm, Dim, Policy, PolicyBuilder, Rule};

use super::settings::{InvalidLimit, LimitSettings, Quota};

/// Every name there may be.
pub(super) const NAMES: [&str; 9] =
    ["global", "global-verified", "tenant", "user", "ip", "auth", "login-failures", "sync", "looks"];

/// Looks at how one stands cost nothing of what is looked at; still nobody may ask for ever.
const LOOKS: Quota = Quota::new(600, 60);

/// What holds everywhere, and what is declared for some routes.
pub(super) struct Policies {
    pub(super) everywhere: Vec<Policy>,
    pub(super) guesses: Policy,
    pub(super) failed_logins: Policy,
    pub(super) syncs: Policy,
    pub(super) looks: Policy,
}

impl Policies {
    pub(super) fn new(limits: &LimitSettings) -> Result<Self, InvalidLimit> {
        let policy = |name: &str, Quota { limit, window }: Quota| {
            Policy::builder(name, limit, window)
                .algorithm(algorithm(limit))
                .on_store_error(limits.on_store_error)
        };
        // Strangers must not use up what is meant for tenants.
        let strangers = |builder: PolicyBuilder| builder.unless([Dim::Tenant]);
        let mut everywhere = vec![
            strangers(policy("global", limits.global)).build()?,
            strangers(policy("ip", limits.ip).scope([Dim::Ip])).build()?,
            policy("tenant", limits.tenant).scope([Dim::Tenant]).build()?,
            // Under the tenant: its keys then live beside the tenant's in a cluster.
            policy("user", limits.user).scope([Dim::Tenant, Dim::User]).build()?,
        ];
        if let Some(quota) = limits.global_verified {
            everywhere.push(policy("global-verified", quota).only([Dim::Tenant]).build()?);
        }
        Ok(Self {
            everywhere,
            guesses: policy("auth", limits.auth).scope([Dim::Ip, Dim::Endpoint]).build()?,
            failed_logins: policy("login-failures", limits.failed_logins)
                .scope([Dim::Custom(super::attempt::NETWORK), Dim::Custom(super::attempt::ACCOUNT)])
                .build()?,
            syncs: policy("sync", limits.sync).scope([Dim::Tenant]).build()?,
            looks: policy("looks", LOOKS).scope([Dim::Tenant, Dim::User]).advertised(false).build()?,
        })
    }
}

/// Exact either way; a long log of single entries takes much memory.
fn algorithm(limit: u32) -> Algorithm {
    const LONG: u32 = 10_000;
    if limit > LONG.min(Rule::LARGEST_LOG) { Algorithm::CompactLog } else { Algorithm::SlidingLog }
}
