//! After the tour: orders go on arriving, and a sync now and then brings them in.

use std::{
    path::Path,
    time::{Duration, Instant},
};

use secrecy::ExposeSecret as _;
use serde_json::json;

use super::{
    client::{Client, SignedIn},
    handover::Handover,
    progress, say,
    tenant::{self, Login},
};

/// Between two syncs. The schedule would leave half an hour: a real marketplace has nothing newer to tell. People may ask
/// for five in five minutes, and somebody who tries the demo wants some of them.
const SYNC_EVERY: Duration = Duration::from_secs(100);

/// A signed-in client that keeps its session and `demo.json` fresh.
pub(super) struct Session<'a> {
    pub(super) client: Client,
    pub(super) login: Login,
    pub(super) signed_in: SignedIn,
    pub(super) handover: Handover,
    pub(super) data_dir: &'a Path,
}

impl Session<'_> {
    /// Asks for a sync now and then, and tells what it has brought. Never ends by itself; what fails is told and tried
    /// again.
    pub(super) async fn watch(mut self) {
        let mut signed_in_at = Instant::now();
        loop {
            tokio::time::sleep(SYNC_EVERY).await;
            if signed_in_at.elapsed() * 2 > Duration::from_secs(self.signed_in.expires_in) {
                match self.renew().await {
                    Ok(()) => signed_in_at = Instant::now(),
                    Err(error) => say(&format!("Not signed in again: {error:#}")),
                }
            }
            match self.sync().await {
                Ok(ended) => say(&format!(
                    "Sync {}: {} order lines new or changed, {} changes of stock.",
                    ended.state, ended.counts.order_lines, ended.counts.movements
                )),
                Err(error) => say(&format!("Not synced: {error:#}")),
            }
        }
    }

    async fn sync(&self) -> anyhow::Result<progress::Sync> {
        let sync = progress::request(&self.client, self.handover.account_id).await?;
        progress::wait(&self.client, sync, |_| {}).await
    }

    async fn renew(&mut self) -> anyhow::Result<()> {
        let body = json!({ "refresh_token": self.signed_in.refresh_token.expose_secret() });
        let renewed = self.client.post("/api/v1/auth/refresh", &body).await;
        self.signed_in = match renewed {
            Ok(signed_in) => signed_in,
            Err(_) => tenant::log_in(&self.client, &self.login).await?,
        };
        self.client.sign_in(&self.signed_in.access_token);
        self.signed_in.access_token.expose_secret().clone_into(&mut self.handover.access_token);
        self.handover.write(self.data_dir)
    }
}
