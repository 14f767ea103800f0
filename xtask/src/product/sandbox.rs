//! The sandbox marketplace in a process of its own.

use std::path::Path;

use anyhow::{Context as _, Result};
use serde_json::{Value, json};

use super::{
    client::Client,
    process::{Process, Setting},
};

/// A marketplace to sync from. Gone when dropped.
#[derive(Debug)]
pub(crate) struct Sandbox {
    pub(crate) base_url: String,
    _process: Process,
}

impl Sandbox {
    /// Starts it. `limit_scale` shortens its periods, as it must on the side of whoever calls it; `arguments` say what
    /// it holds.
    pub(crate) fn start(binary: &Path, limit_scale: &str, arguments: &[&str]) -> Result<Self> {
        let variables = vec![("MARKETPLACE_LIMIT_SCALE", limit_scale.to_owned())];
        let setting = Setting { binary: binary.to_owned(), variables };
        let mut process = Process::start(&setting, "sandbox", &[&["--port", "0"], arguments].concat())?;
        let base_url = process.line(|line| line.strip_prefix("WILDBERRIES_BASE_URL=").map(str::to_owned))?;
        Ok(Self { base_url, _process: process })
    }

    /// A token of each of its sellers.
    pub(crate) async fn tokens(&self) -> Result<Vec<String>> {
        let sellers = self.control()?.get("/sandbox/v1/sellers").await?;
        let sellers = sellers.as_array().context("the sandbox lists no sellers")?;
        let token = |seller: &Value| seller["token"].as_str().map(str::to_owned);
        sellers.iter().map(|seller| token(seller).context("the sandbox gives no token")).collect()
    }

    /// The token of its first seller.
    pub(crate) async fn token(&self) -> Result<String> {
        self.tokens().await?.into_iter().next().context("the sandbox has no seller")
    }

    /// A token of another type of its first seller.
    pub(crate) async fn token_of_type(&self, account_type: &str) -> Result<String> {
        let spec = json!({ "account_type": account_type });
        let token = self.control()?.post("/sandbox/v1/sellers/0/tokens", &spec).await?;
        token["token"].as_str().map(str::to_owned).context("the sandbox gives no token")
    }

    /// Asks it about itself, and changes it.
    pub(crate) fn control(&self) -> Result<Client> {
        Client::new(&self.base_url)
    }
}
