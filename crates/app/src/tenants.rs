//! The caller's own company.

use std::time::Duration;

use domain::{
    calendar::Zone,
    ids::ZoneChangeId,
    job::Job,
    role::Permission,
    tenant::{SYNC_INTERVAL_MINUTES, Tenant},
};
use storage::{WriteTx, jobs};

use crate::{
    Parts,
    auth::NAME_LENGTH,
    caller::Caller,
    error::{Error, FieldProblem},
};

/// What to change of a tenant; `None` leaves a setting as it is.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TenantChange {
    /// The company's name.
    pub name: Option<String>,
    /// IANA name of the zone of shops that have none of their own.
    pub zone: Option<String>,
    /// Language of messages: `en` or `ru`.
    pub locale: Option<String>,
    /// Units below which a product is low.
    pub low_stock_units: Option<i64>,
    /// Days of cover below which a product is low; `Some(None)` switches the rule off.
    pub low_stock_days: Option<Option<i64>>,
    /// Minutes between two syncs of an account.
    pub sync_interval_minutes: Option<i32>,
}

/// Languages that messages exist in.
const LOCALES: [&str; 2] = ["en", "ru"];

/// Most units or days that a low-stock rule may name; figures stay far from overflow.
const LARGEST_THRESHOLD: i64 = 1_000_000;

/// The caller's own company.
#[derive(Clone, Copy)]
pub struct Tenants<'a>(pub(crate) &'a Parts);

impl Tenants<'_> {
    /// The company.
    pub async fn mine(self, caller: &Caller) -> Result<Tenant, Error> {
        let tx = self.0.db.read(caller.require(Permission::Read)?).await?;
        let tenant = storage::tenants::get(&tx).await?.ok_or(Error::NotFound)?;
        tx.commit().await?;
        Ok(tenant)
    }

    /// Changes its settings.
    pub async fn change(self, caller: &Caller, change: TenantChange) -> Result<Tenant, Error> {
        let tx = self.0.db.write(caller.require(Permission::ManageTenant)?).await?;
        if change.zone.is_some() {
            storage::tenants::hold(&tx).await?;
        }
        let tenant = storage::tenants::get(&tx).await?.ok_or(Error::NotFound)?;
        let zone = tenant.zone;
        let changed = applied(tenant, change)?;
        storage::tenants::update(&tx, &changed).await?;
        if changed.zone != zone {
            move_days(&tx).await?;
        }
        // What counts as low is a figure too.
        storage::tenants::bump_catalogue_version(&tx).await?;
        tx.commit().await?;
        Ok(changed)
    }
}

/// Asks for the orders of every account that counts days in the tenant's zone to be put on the days of the new one.
async fn move_days(tx: &WriteTx) -> Result<(), Error> {
    let change_id = ZoneChangeId::generate();
    let accounts = storage::accounts::all(tx).await?;
    for account in accounts.into_iter().filter(|account| account.marketplace.own_zone().is_none()) {
        let job = Job::MoveDays { account_id: account.id, change_id };
        jobs::enqueue(tx, &job, Duration::ZERO).await?;
    }
    Ok(())
}

fn applied(mut tenant: Tenant, change: TenantChange) -> Result<Tenant, Error> {
    let mut problems = Vec::new();
    if let Some(name) = change.name {
        let name = name.trim();
        if name.is_empty() || name.chars().count() > NAME_LENGTH {
            problems.push(FieldProblem::new("/name", format!("must have 1 to {NAME_LENGTH} characters")));
        }
        name.clone_into(&mut tenant.name);
    }
    if let Some(name) = change.zone {
        match Zone::parse(&name) {
            Ok(zone) => tenant.zone = zone,
            Err(_) => problems.push(FieldProblem::new("/time_zone", "is not an IANA time zone")),
        }
    }
    if let Some(locale) = change.locale {
        if !LOCALES.contains(&locale.as_str()) {
            problems.push(FieldProblem::new("/locale", format!("must be one of {}", LOCALES.join(", "))));
        }
        tenant.locale = locale;
    }
    if let Some(units) = change.low_stock_units {
        if !(0..=LARGEST_THRESHOLD).contains(&units) {
            problems.push(FieldProblem::new("/low_stock/units", format!("must be 0 to {LARGEST_THRESHOLD}")));
        }
        tenant.low_stock.units = units;
    }
    if let Some(days) = change.low_stock_days {
        if days.is_some_and(|days| !(1..=LARGEST_THRESHOLD).contains(&days)) {
            problems.push(FieldProblem::new(
                "/low_stock/days_of_cover",
                format!("must be 1 to {LARGEST_THRESHOLD}"),
            ));
        }
        tenant.low_stock.days_of_cover = days;
    }
    if let Some(minutes) = change.sync_interval_minutes {
        problems.extend(interval_problem(minutes));
        tenant.sync_interval_minutes = minutes;
    }
    if problems.is_empty() { Ok(tenant) } else { Err(Error::Invalid(problems)) }
}

/// What is wrong with an interval between syncs.
pub(crate) fn interval_problem(minutes: i32) -> Option<FieldProblem> {
    let (least, most) = (SYNC_INTERVAL_MINUTES.start(), SYNC_INTERVAL_MINUTES.end());
    (!SYNC_INTERVAL_MINUTES.contains(&minutes))
        .then(|| FieldProblem::new("/sync_interval_minutes", format!("must be {least} to {most}")))
}
