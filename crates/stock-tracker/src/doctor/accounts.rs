//! The credentials of connected accounts: how long they last, and how often they may ask.

use chrono::TimeDelta;
use domain::{
    clock::{Clock as _, SystemClock},
    marketplace::AccountState,
};
use marketplaces::Factory;
use storage::{
    Db,
    overview::{self, Accounts, Ending},
};

use super::{database::unasked, finding::Finding};

/// How long before its end a credential is spoken of.
const NOTICE: TimeDelta = TimeDelta::days(14);
/// How many accounts are named.
const NAMED: usize = 10;

pub(super) async fn examine(db: &Db) -> Vec<Finding> {
    let accounts = match overview::accounts(db).await {
        Ok(accounts) => accounts,
        Err(error) => return vec![unasked("accounts", error)],
    };
    let mut findings = vec![states(&accounts), profiles(&accounts)];
    let now = SystemClock.now();
    findings.push(match overview::ending_credentials(db, now + NOTICE).await {
        Ok(ending) => expiry(&ending, now),
        Err(error) => unasked("expiry", error),
    });
    findings
}

fn states(accounts: &[Accounts]) -> Finding {
    let in_state =
        |state| accounts.iter().filter(|some| some.state == state).map(|some| some.count).sum::<i64>();
    let all: i64 = accounts.iter().map(|some| some.count).sum();
    match in_state(AccountState::AuthFailed) {
        0 => Finding::well("accounts", format!("{all} connected, none refused by its marketplace")),
        refused => Finding::warning(
            "accounts",
            format!("the marketplace refuses the credentials of {refused} of {all}"),
            "their sellers give new ones (PATCH /api/v1/marketplace-accounts/{id}): runbook MarketplaceAuthFailures",
        ),
    }
}

/// How often accounts may ask, which goes by the kind of their credential.
fn profiles(accounts: &[Accounts]) -> Finding {
    let synced = accounts.iter().filter(|some| some.state.is_scheduled());
    let kinds: Vec<_> = synced.filter_map(|some| Some((some, some.credential_kind.as_deref()?))).collect();
    let narrow: Vec<_> = kinds
        .iter()
        .filter_map(|(some, kind)| {
            let narrowness = Factory::narrowness(some.marketplace, kind)?;
            Some(format!(
                "{} with a token of type {kind} at {}: {narrowness}",
                some.count,
                some.marketplace.name()
            ))
        })
        .collect();
    if narrow.is_empty() {
        let told: Vec<_> = kinds
            .iter()
            .map(|(some, kind)| format!("{} {kind} at {}", some.count, some.marketplace.name()))
            .collect();
        let told = if told.is_empty() { "none that matter".to_owned() } else { told.join(", ") };
        return Finding::well("limits", format!("profiles of marketplaces: {told}"));
    }
    let fix = "their figures are hours old at times; their sellers make tokens of type Service to be asked more often";
    Finding::warning("limits", narrow.join("; "), fix)
}

fn expiry(ending: &[Ending], now: domain::clock::Timestamp) -> Finding {
    if ending.is_empty() {
        return Finding::well("expiry", format!("no credential ends within {} days", NOTICE.num_days()));
    }
    let ended = ending.iter().take_while(|one| one.credential_expires_at <= now).count();
    let named = ending.iter().take(NAMED).map(|one| {
        format!(
            "account {} of tenant {} on {}",
            one.account_id,
            one.tenant_id,
            one.credential_expires_at.date_naive()
        )
    });
    let mut named: Vec<_> = named.collect();
    if ending.len() > NAMED {
        named.push(format!("{} more", ending.len() - NAMED));
    }
    let told = format!(
        "{ended} credentials have ended, {} end within {} days: {}",
        ending.len() - ended,
        NOTICE.num_days(),
        named.join(", ")
    );
    Finding::warning(
        "expiry",
        told,
        "their sellers make new ones and enter them (PATCH /api/v1/marketplace-accounts/{id})",
    )
}
