//! Attempts to sign in to one account: only those that fail count, and they count by the network they come from too,
//! so that nobody can lock somebody else out.

use actix_web::{HttpMessage as _, HttpRequest};
use domain::email::Email;
use ratelimit::{Dim, Limiter, Policy, Prefixes, Receipt, Subject, actix::Reports};

use crate::{context::RequestContext, problem::Problem};

/// The networks that attempts are counted by: wider than what counts as one client, since whoever guesses at a
/// password has more than one address.
const NETWORKS: Prefixes = Prefixes { v4: 24, v6: 48 };

/// The dimensions of the policy.
pub(super) const NETWORK: &str = "network";
pub(super) const ACCOUNT: &str = "account";

/// An attempt under way. It counts as failed unless it is known to have been none.
#[derive(Debug)]
#[must_use = "an attempt counts as failed until `forgive`"]
pub(crate) struct Attempt(Option<(Limiter, Receipt)>);

impl Attempt {
    pub(super) fn uncounted() -> Self {
        Self(None)
    }

    /// Counts an attempt, or refuses it when too many have failed. Counted before it is known how it ends, so that
    /// many at once are no way around.
    pub(super) async fn begin(
        limiter: &Limiter,
        policy: &Policy,
        request: &HttpRequest,
        account: &str,
    ) -> Result<Self, Problem> {
        let Some(address) = RequestContext::of(request).address else { return Ok(Self::uncounted()) };
        let network = NETWORKS.network(address);
        let account =
            Email::parse(account).map_or_else(|_| account.trim().to_lowercase(), |email| email.folded());
        let subject =
            Subject::new().with(Dim::Custom(NETWORK), &network).with(Dim::Custom(ACCOUNT), &account);
        let before = request.extensions().get::<Reports>().cloned().unwrap_or_default();
        let decided = before.once_more(limiter).check([policy], &subject).await;
        let decision = decided.map_err(Problem::internal)?;
        let (report, receipt) = decision.into_parts();
        let refused = (!report.is_admitted()).then(|| Problem::rate_limited(&report));
        if refused.is_some() {
            // What was not refused is no news to a client that has done nothing wrong.
            Reports::note(request, report);
        }
        match refused {
            Some(problem) => Err(problem),
            None => Ok(Self(receipt.map(|receipt| (limiter.clone(), receipt)))),
        }
    }

    /// It was no failed attempt, so it does not count.
    pub(crate) fn forgive(self) {
        let Some((limiter, receipt)) = self.0 else { return };
        // Nobody waits for it.
        tokio::spawn(async move {
            if let Err(error) = limiter.refund(receipt).await {
                tracing::warn!(%error, "a sign-in stays counted as a failed attempt");
            }
        });
    }
}
