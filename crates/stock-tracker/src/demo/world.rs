//! The marketplace of the demo: a sandbox whose world goes on where it was when the demo starts again.
//!
//! A world follows from its seed and the moment at which it was opened. Opened at the remembered moment and then moved
//! to the present, it has the same sellers, tokens and orders as before, and those that arrived in the meantime.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use anyhow::Context as _;
use domain::clock::{Clock as _, SystemClock, Timestamp};
use sandbox::{Clock, Options, Sandbox};
use secrecy::SecretString;
use serde::Deserialize;

/// How many times faster than in real life orders arrive: about one a minute.
pub(super) const SPEED: f64 = 20.0;
/// A world that was left longer ago is opened anew: it would have to live through months, and its tokens end.
const LONGEST_ABSENCE_DAYS: i64 = 14;

/// The marketplace the demo reads.
pub(super) struct World {
    /// Where it is.
    pub(super) base_url: String,
    /// A token of a seller there.
    pub(super) token: SecretString,
    /// The seller's name.
    pub(super) seller: String,
    /// Ours, with the moment it was opened at; none where the operator has named another marketplace.
    own: Option<(Sandbox, Timestamp)>,
}

impl World {
    /// Opens a world, or the one that was opened at `opened_at` again. Periods of its limits are `limit_scale` times as
    /// long as the marketplace's.
    pub(super) async fn open(opened_at: Option<Timestamp>, limit_scale: f64) -> anyhow::Result<Self> {
        let now = SystemClock.now();
        let opened_at =
            opened_at.filter(|at| *at <= now && (now - at).num_days() < LONGEST_ABSENCE_DAYS).unwrap_or(now);
        let is_open = Arc::new(AtomicBool::new(false));
        let seen = Arc::clone(&is_open);
        let clock =
            Clock::new(move || if seen.load(Ordering::Acquire) { SystemClock.now() } else { opened_at });
        let options = Options { speed: SPEED, limit_scale, clock, ..Options::default() };
        let sandbox = Sandbox::start(options).await.context("starting the sandbox marketplace")?;
        is_open.store(true, Ordering::Release);
        let seller = sandbox.sellers().into_iter().next().context("the sandbox has no seller")?;
        Ok(Self {
            base_url: sandbox.base_url(),
            token: seller.token.into(),
            seller: seller.name,
            own: Some((sandbox, opened_at)),
        })
    }

    /// A sandbox that somebody else runs, such as `stock-tracker sandbox`.
    pub(super) async fn visit(base_url: &str) -> anyhow::Result<Self> {
        #[derive(Deserialize)]
        struct Seller {
            name: String,
            token: SecretString,
        }
        let url = format!("{}/sandbox/v1/sellers", base_url.trim_end_matches('/'));
        let asked = async {
            let answer = reqwest::get(&url).await?.error_for_status()?;
            answer.json::<Vec<Seller>>().await
        };
        let sellers = asked.await.context("WILDBERRIES_BASE_URL is not a sandbox that gives out tokens")?;
        let seller = sellers.into_iter().next().context("the sandbox has no seller")?;
        Ok(Self { base_url: base_url.to_owned(), token: seller.token, seller: seller.name, own: None })
    }

    /// The moment at which our own world was opened.
    pub(super) fn opened_at(&self) -> Option<Timestamp> {
        self.own.as_ref().map(|(_, opened_at)| *opened_at)
    }

    /// Closes our own world.
    pub(super) async fn close(self) -> anyhow::Result<()> {
        if let Some((sandbox, _)) = self.own {
            sandbox.stop().await.context("stopping the sandbox marketplace")?;
        }
        Ok(())
    }
}
