//! The shop: Vendure on a PostgreSQL of its own, made by the Node.js project in `e2e/vendure`.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context as _, Result, bail};
use serde::Deserialize;
use test_support::postgres::PgDatabase;
use test_support::process::Process;

use super::truth::Truth;
use crate::command::{root, works};
use crate::e2e::{Unavailable, steps::Steps};

/// The oldest Node.js that Vendure runs on.
const NODE: u32 = 20;
/// Of a shop that lives for a minute on the loopback interface.
const PASSWORD: &str = "throw-away";

/// The installed project.
pub(super) struct Project {
    folder: PathBuf,
}

impl Project {
    /// Installs the project in a folder under `target`; what is installed there already is kept while the lock file
    /// stays the same.
    pub(super) fn install(steps: &Steps, folder: &Path) -> Result<Self> {
        ensure_node()?;
        let source = root().join("e2e").join("vendure");
        fs::create_dir_all(folder).with_context(|| format!("making {}", folder.display()))?;
        let lock = fs::read(source.join("package-lock.json")).context("reading the lock file")?;
        // Written last, so that an installation that was broken off is made anew.
        let installed = folder.join("installed.json");
        for entry in fs::read_dir(&source).context("reading e2e/vendure")? {
            let entry = entry.context("reading e2e/vendure")?;
            if entry.file_type().is_ok_and(|kind| kind.is_file()) {
                fs::copy(entry.path(), folder.join(entry.file_name())).context("copying e2e/vendure")?;
            }
        }
        if fs::read(&installed).is_ok_and(|before| before == lock) {
            return Ok(Self { folder: folder.to_owned() });
        }
        ensure_registry(steps)?;
        // Nothing in it needs a script to be run: what is native comes built.
        let mut npm = Command::new("npm");
        npm.args(["ci", "--ignore-scripts", "--no-audit", "--no-fund"]).current_dir(folder);
        steps.run("npm", &mut npm)?;
        fs::write(&installed, lock).context("marking the installation as complete")?;
        Ok(Self { folder: folder.to_owned() })
    }
}

/// A running shop. It ends when this is dropped.
pub(super) struct Shop {
    project: Project,
    base_url: String,
    _process: Process,
    // After the process that uses it.
    database: PgDatabase,
}

impl Shop {
    /// Opens an empty shop.
    pub(super) fn open(steps: &Steps, project: Project, database: PgDatabase) -> Result<Self> {
        let log = steps.log("vendure");
        let mut process = Process::new(None)?;
        let ready = process.folder().join("ready");
        let mut server = project.script("server.js", database.admin_url());
        server.env("READY_FILE", &ready);
        process.start(&mut server, &log)?;
        process.wait_until("vendure", &log, || ready.exists())?;
        let base_url = fs::read_to_string(&ready).context("reading Vendure's address")?;
        Ok(Self { project, base_url, _process: process, database })
    }

    /// Where it is.
    pub(super) fn base_url(&self) -> &str {
        &self.base_url
    }

    /// Fills the shop. Gives a key that may read the catalogue, stock and orders, and nothing more.
    pub(super) fn seed(&self, steps: &Steps) -> Result<String> {
        #[derive(Deserialize)]
        struct Seeded {
            api_key: String,
        }
        let printed = self.run(steps, "seed", &[])?;
        let seeded: Seeded = serde_json::from_slice(&printed).context("reading what the seeding printed")?;
        Ok(seeded.api_key)
    }

    /// What the shop says now; kept beside the logs.
    pub(super) fn truth(&self, steps: &Steps) -> Result<Truth> {
        let printed = self.run(steps, "truth", &[])?;
        fs::write(steps.logs().join("truth.json"), &printed).context("keeping the truth")?;
        serde_json::from_slice(&printed).context("reading the truth")
    }

    /// Changes a stock level by some units.
    pub(super) fn change_stock(&self, steps: &Steps, sku: &str, location: &str, units: i64) -> Result<()> {
        self.run(steps, "change-stock", &[sku, location, &units.to_string()]).map(drop)
    }

    fn run(&self, steps: &Steps, name: &str, arguments: &[&str]) -> Result<Vec<u8>> {
        let mut script = self.project.script(&format!("{name}.js"), self.database.admin_url());
        steps.run(name, script.args(arguments).env("BASE_URL", &self.base_url))
    }
}

impl Project {
    fn script(&self, file: &str, database_url: &str) -> Command {
        let mut node = Command::new("node");
        node.arg(self.folder.join(file)).envs([
            ("DATABASE_URL", database_url),
            ("SUPERADMIN_PASSWORD", PASSWORD),
            ("VENDURE_DISABLE_TELEMETRY", "true"),
        ]);
        node
    }
}

fn ensure_node() -> Result<()> {
    let version = Command::new("node").arg("--version").stdin(Stdio::null()).output();
    let Ok(version) = version else {
        bail!(Unavailable(format!("Node.js {NODE} or newer is not installed (no `node` in PATH)")));
    };
    let version = String::from_utf8_lossy(&version.stdout).trim().to_owned();
    let major = version.strip_prefix('v').and_then(|version| version.split('.').next()?.parse::<u32>().ok());
    if major.is_none_or(|major| major < NODE) {
        bail!(Unavailable(format!("Node.js {NODE} or newer is not installed: `node` is {version}")));
    }
    if !works("npm", &["--version"]) {
        bail!(Unavailable("npm is not installed (no working `npm` in PATH)".to_owned()));
    }
    Ok(())
}

/// Asks the registry for one package. Where it answers that there is no such package, it is reachable.
fn ensure_registry(steps: &Steps) -> Result<()> {
    let mut npm = Command::new("npm");
    npm.args(["view", "--fetch-retries=1", "--fetch-timeout=20000", "@vendure/core", "version"]);
    let asked = steps.output("npm-view", &mut npm)?;
    let log = fs::read_to_string(steps.log("npm-view")).context("reading npm's log")?;
    if asked.status.success() || log.contains("E404") {
        return Ok(());
    }
    let cause = log.lines().filter(|line| line.starts_with("npm error")).take(3).collect::<Vec<_>>();
    bail!(Unavailable(format!("the npm registry cannot be reached:\n{}", cause.join("\n"))))
}
