//! An Alertmanager of its own, with the committed configuration and template.

use std::net::TcpStream;
use std::process::Command;

use anyhow::{Context as _, Result, ensure};
use test_support::process::{Process, free_port};

use crate::command::root;
use crate::packages;

const FOLDER: &str = "deploy/alertmanager";
/// Debian's package, which is older than what the images run.
const PROGRAM: &str = "prometheus-alertmanager";

/// The bot and the chat of [`plain`].
pub(crate) const TOKEN: &str = "1:a";
pub(crate) const CHAT: i64 = 1;

/// The committed configuration for Debian's version, which is older than `bot_token_file` and `chat_id_file`: literals
/// stand in their place, and templates are taken from the repository. Nothing else differs.
pub(crate) fn plain() -> Result<String> {
    let file = root().join(FOLDER).join("alertmanager.yml");
    let text = std::fs::read_to_string(&file).with_context(|| format!("reading {}", file.display()))?;
    let plain = text
        .replace("bot_token_file: /run/secrets/telegram_bot_token", &format!("bot_token: {TOKEN}"))
        .replace("chat_id_file: /run/secrets/telegram_chat_id", &format!("chat_id: {CHAT}"))
        .replace("/etc/alertmanager/", &format!("{}/", root().join(FOLDER).display()));
    ensure!(!plain.contains("_file:"), "{} names a file that Debian's version does not know", file.display());
    Ok(plain)
}

/// An Alertmanager, running. Ends when dropped.
pub(crate) struct Alertmanager {
    /// Where Prometheus sends alerts.
    pub(crate) address: String,
    process: Process,
}

impl Alertmanager {
    /// Starts one whose Telegram is at this URL.
    pub(crate) fn start(telegram: &str) -> Result<Self> {
        packages::ensure_alertmanager()?;
        let plain = plain()?;
        ensure!(!plain.contains("\nglobal:"), "the configuration has a global part of its own by now");
        let mut process = Process::new(None)?;
        let file = process.folder().join("alertmanager.yml");
        std::fs::write(&file, format!("global:\n  telegram_api_url: {telegram}\n{plain}"))
            .with_context(|| format!("writing {}", file.display()))?;
        let address = format!("127.0.0.1:{}", free_port()?);
        let mut command = Command::new(PROGRAM);
        command
            .arg(format!("--config.file={}", file.display()))
            .arg(format!("--storage.path={}", process.folder().join("data").display()))
            .arg(format!("--web.listen-address={address}"))
            // Alone: it looks for no others.
            .arg("--cluster.listen-address=");
        let log = process.folder().join("log");
        process.start(&mut command, &log)?;
        process.wait_until(PROGRAM, &log, || TcpStream::connect(&address).is_ok())?;
        Ok(Self { address, process })
    }

    /// What it complains of.
    pub(crate) fn complaints(&self) -> Vec<String> {
        let log = std::fs::read_to_string(self.process.folder().join("log")).unwrap_or_default();
        let complains = |line: &&str| line.contains("level=warn") || line.contains("level=error");
        log.lines().filter(complains).map(str::to_owned).collect()
    }
}
