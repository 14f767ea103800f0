//! Requests that a client may repeat without anything happening twice.

use chrono::TimeDelta;
use domain::ids::UserId;
use serde::{Deserialize, Serialize};
use storage::{
    TenantScope,
    idempotency::{self, Known, RequestKey},
};

use crate::{Parts, caller::Caller, error::Error};

/// How long an answer is kept.
const KEPT: TimeDelta = TimeDelta::hours(24);

/// How long a request may take before its key is free again: longer than any request is let run.
const ABANDONED: TimeDelta = TimeDelta::minutes(5);

/// An answer worth keeping.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Answer {
    /// Its status.
    pub status: u16,
    /// The headers that belong to it.
    pub headers: Vec<(String, String)>,
    /// Its body.
    pub body: Vec<u8>,
}

/// The right to answer a request for the first time.
#[derive(Debug)]
pub struct Ticket {
    scope: TenantScope,
    user: UserId,
    operation: String,
    key: String,
}

impl Ticket {
    fn request(&self) -> RequestKey<'_> {
        RequestKey { user: self.user, operation: &self.operation, key: &self.key }
    }

    /// Where the answer is sealed for.
    fn place(&self) -> String {
        format!("answer:{}:{}:{}", self.user, self.operation, self.key)
    }
}

/// What is known of a request with an idempotency key.
#[derive(Debug)]
pub enum Attempt {
    /// Nobody asked before: answer it.
    First(Ticket),
    /// It was answered.
    Kept(Answer),
    /// It is being answered right now.
    Busy,
    /// The key was used for another request.
    Mismatch,
}

/// Requests that must not happen twice.
#[derive(Clone, Copy)]
pub struct Idempotency<'a>(pub(crate) &'a Parts);

impl Idempotency<'_> {
    /// Looks a key up, and takes it if nobody has. Keys are kept for 24 hours, per tenant, user and operation.
    pub async fn begin(
        self,
        caller: &Caller,
        operation: &str,
        key: &str,
        request_hash: &str,
    ) -> Result<Attempt, Error> {
        let ticket = Ticket {
            scope: caller.scope.clone(),
            user: caller.user_id,
            operation: operation.to_owned(),
            key: key.to_owned(),
        };
        let now = self.0.clock.now();
        let tx = self.0.db.write(&ticket.scope).await?;
        let forgotten = (now - KEPT, now - ABANDONED);
        let known = idempotency::take(&tx, ticket.request(), request_hash, now, forgotten).await?;
        tx.commit().await?;
        Ok(match known {
            Known::Taken => Attempt::First(ticket),
            Known::Before { request_hash: before, .. } if before != request_hash => Attempt::Mismatch,
            Known::Before { answer: None, .. } => Attempt::Busy,
            Known::Before { answer: Some(sealed), .. } => {
                let opened = self.0.vault.open(caller.tenant_id(), &ticket.place(), &sealed);
                Attempt::Kept(opened.map_err(Error::internal)?)
            }
        })
    }

    /// Keeps the answer, sealed.
    pub async fn finish(self, ticket: Ticket, answer: &Answer) -> Result<(), Error> {
        let sealed = self.0.vault.seal(ticket.scope.tenant_id(), &ticket.place(), answer);
        let tx = self.0.db.write(&ticket.scope).await?;
        idempotency::keep(&tx, ticket.request(), &sealed).await?;
        Ok(tx.commit().await?)
    }

    /// Gives the key back: the request may be tried again.
    pub async fn abandon(self, ticket: Ticket) -> Result<(), Error> {
        let tx = self.0.db.write(&ticket.scope).await?;
        idempotency::give_back(&tx, ticket.request()).await?;
        Ok(tx.commit().await?)
    }
}
