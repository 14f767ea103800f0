//! How many requests are answered.

use std::num::NonZeroU32;

use api::{LimitSettings, Quota};
use ratelimit::OnStoreError;

use super::{
    reader::Reader,
    variables::{
        RATE_LIMIT_AUTH, RATE_LIMIT_AUTH_WINDOW, RATE_LIMIT_ENABLED, RATE_LIMIT_GLOBAL,
        RATE_LIMIT_GLOBAL_VERIFIED, RATE_LIMIT_GLOBAL_WINDOW, RATE_LIMIT_IP, RATE_LIMIT_IP_WINDOW,
        RATE_LIMIT_ON_STORE_ERROR, RATE_LIMIT_REPLICAS, RATE_LIMIT_TENANT, RATE_LIMIT_TENANT_WINDOW,
        RATE_LIMIT_USER, RATE_LIMIT_USER_WINDOW, Variable,
    },
};

/// Most requests of a window.
const MOST: u32 = 1_000_000;
/// Longest window, in seconds.
const LONGEST: u32 = 86_400;

/// Limits on requests.
#[derive(Debug, Clone)]
pub(crate) struct RateLimits {
    /// What is allowed; `None` where limits are switched off.
    pub(crate) settings: Option<LimitSettings>,
    /// How many processes answer HTTP: each takes its part of the limits when it has to count alone.
    pub(crate) replicas: NonZeroU32,
}

impl RateLimits {
    pub(super) fn read(reader: &mut Reader<'_>) -> Self {
        let mut quota = |limit: &'static Variable, window: &'static Variable| {
            let limit = reader.number(limit, 1, MOST);
            Quota::new(limit, reader.number(window, 1, LONGEST).into())
        };
        let global = quota(&RATE_LIMIT_GLOBAL, &RATE_LIMIT_GLOBAL_WINDOW);
        let settings = LimitSettings {
            global,
            tenant: quota(&RATE_LIMIT_TENANT, &RATE_LIMIT_TENANT_WINDOW),
            user: quota(&RATE_LIMIT_USER, &RATE_LIMIT_USER_WINDOW),
            ip: quota(&RATE_LIMIT_IP, &RATE_LIMIT_IP_WINDOW),
            auth: quota(&RATE_LIMIT_AUTH, &RATE_LIMIT_AUTH_WINDOW),
            global_verified: verified(reader, global),
            on_store_error: reader.value(
                &RATE_LIMIT_ON_STORE_ERROR,
                "`local`, `open` or `closed`",
                on_store_error,
            ),
            ..LimitSettings::default()
        };
        let enabled = reader.switch(&RATE_LIMIT_ENABLED);
        let replicas = reader.number(&RATE_LIMIT_REPLICAS, 1, 10_000);
        Self {
            settings: enabled.then_some(settings),
            replicas: NonZeroU32::new(replicas).unwrap_or(NonZeroU32::MIN),
        }
    }
}

/// The limit of all verified requests together, if there is one: as many as the global limit says, or another number
/// in the same window.
fn verified(reader: &mut Reader<'_>, global: Quota) -> Option<Quota> {
    let expected = format!("`true`, `false` or a whole number from 1 to {MOST}");
    let given = reader.optional(&RATE_LIMIT_GLOBAL_VERIFIED, &expected, |text| match text {
        "true" => Some(Some(global)),
        "false" => Some(None),
        number => {
            let limit = number.parse().ok().filter(|limit| (1..=MOST).contains(limit))?;
            Some(Some(Quota { limit, ..global }))
        }
    });
    given.flatten()
}

fn on_store_error(text: &str) -> Option<OnStoreError> {
    match text {
        "local" => Some(OnStoreError::Local),
        "open" => Some(OnStoreError::Open),
        "closed" => Some(OnStoreError::Closed),
        _ => None,
    }
}
