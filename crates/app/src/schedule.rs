//! Turning what is due into jobs.

use std::time::Duration;

use chrono::{Days, TimeDelta};
use domain::{
    calendar::Zone, clock::Timestamp, ids::AccountId, job::Job, marketplace::Account, sync::SyncTrigger,
};
use storage::{TenantScope, WriteTx, accounts, jobs, schedule, schedule::Due};

use crate::{Parts, error::Error, sync::request};

/// What one look at the schedule made due.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Ticked {
    /// Syncs asked for.
    pub syncs: u64,
    /// Accounts whose day has turned.
    pub days: u64,
    /// Accounts that were put off, because nothing could be made of them.
    pub put_off: u64,
}

/// Most accounts that one look takes, so that several processes share the work.
const BATCH: u64 = 100;

/// For how long an account is put off of which nothing can be made: first in line, it would hold up all others.
const PUT_OFF: TimeDelta = TimeDelta::minutes(10);

/// What comes due.
#[derive(Debug, Clone, Copy)]
enum Task {
    Sync,
    Turn,
}

/// The schedule.
#[derive(Clone, Copy)]
pub struct Scheduler<'a>(pub(crate) &'a Parts);

impl Scheduler<'_> {
    /// Claims what is due and makes it jobs, in the same transaction. Every process may do this at any time.
    pub async fn tick(self) -> Result<Ticked, Error> {
        let mut put_off = 0;
        let syncs = self.take(Task::Sync, &mut put_off).await?;
        let days = self.take(Task::Turn, &mut put_off).await?;
        schedule::note_tick(&self.0.db, self.0.clock.now()).await?;
        Ok(Ticked { syncs, days, put_off })
    }

    /// Takes a batch of one task; gives how many were made.
    async fn take(self, task: Task, put_off: &mut u64) -> Result<u64, Error> {
        let mut made = 0;
        for _ in 0..BATCH {
            let now = self.0.clock.now();
            let claimed = match task {
                Task::Sync => schedule::claim_sync(&self.0.db, now).await?,
                Task::Turn => schedule::claim_turn(&self.0.db, now).await?,
            };
            let Some(due) = claimed else { break };
            let (scope, account) = (due.tx.scope().clone(), due.account_id);
            let result = match task {
                Task::Sync => self.sync(due).await,
                Task::Turn => self.turn(due).await,
            };
            if let Err(error) = result {
                tracing::error!(account_id = %account, %error, "an account cannot be scheduled and is put off");
                self.put_off(task, &scope, account).await?;
                *put_off += 1;
            } else {
                made += 1;
            }
        }
        Ok(made)
    }

    /// Where even this fails, the database is at fault and not the account.
    async fn put_off(self, task: Task, scope: &TenantScope, account: AccountId) -> Result<(), Error> {
        let until = Some(self.0.clock.now() + PUT_OFF);
        let tx = self.0.db.write(scope).await?;
        match task {
            Task::Sync => schedule::set_next_sync(&tx, account, until).await?,
            Task::Turn => schedule::set_next_turn(&tx, account, until).await?,
        }
        Ok(tx.commit().await?)
    }

    async fn sync(self, due: Due) -> Result<(), Error> {
        let now = self.0.clock.now();
        let account = account(&due.tx, due.account_id).await?;
        let next = if account.state.is_scheduled() {
            request::sync(&due.tx, account.id, account.marketplace, SyncTrigger::Schedule, now).await?;
            Some(following(due.due_at, account.sync_interval_minutes, now))
        } else {
            None
        };
        schedule::set_next_sync(&due.tx, account.id, next).await?;
        Ok(due.tx.commit().await?)
    }

    async fn turn(self, due: Due) -> Result<(), Error> {
        let now = self.0.clock.now();
        let account = account(&due.tx, due.account_id).await?;
        let today = account.zone.day_of(now);
        jobs::enqueue(&due.tx, &Job::TurnDay { account_id: account.id, today }, Duration::ZERO).await?;
        schedule::set_next_turn(&due.tx, account.id, Some(next_midnight(account.zone, now))).await?;
        Ok(due.tx.commit().await?)
    }
}

async fn account(tx: &WriteTx, id: AccountId) -> Result<Account, Error> {
    // The schedule's row refers to the account's: one cannot be without the other.
    Ok(accounts::get(tx, id).await?.ok_or(Error::NotFound)?.account)
}

/// The next time of a rhythm, in step with the last one; times missed while nobody looked are left out.
fn following(due_at: Timestamp, interval_minutes: i32, now: Timestamp) -> Timestamp {
    let interval = TimeDelta::minutes(interval_minutes.max(1).into());
    let next = due_at + interval;
    if next > now { next } else { now + interval }
}

/// When the day next turns in a zone.
pub(crate) fn next_midnight(zone: Zone, now: Timestamp) -> Timestamp {
    let today = zone.day_of(now);
    zone.start_of(today.checked_add_days(Days::new(1)).unwrap_or(today))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    #[test]
    fn the_rhythm_is_kept_and_missed_times_are_left_out() {
        let due = at("2026-11-20T10:00:00Z");
        assert_eq!(following(due, 30, at("2026-11-20T10:00:07Z")), at("2026-11-20T10:30:00Z"));
        assert_eq!(following(due, 30, at("2026-11-20T18:00:00Z")), at("2026-11-20T18:30:00Z"));
    }

    #[test]
    fn midnight_is_moscow_s() {
        let next = |now| next_midnight(Zone::MOSCOW, at(now));
        assert_eq!(next("2026-11-20T20:59:59Z"), at("2026-11-20T21:00:00Z"));
        assert_eq!(next("2026-11-20T21:00:00Z"), at("2026-11-21T21:00:00Z"));
    }
}
