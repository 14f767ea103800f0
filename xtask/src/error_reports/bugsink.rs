//! Bugsink, a server that takes reports as Sentry does. It keeps events, and throws transactions away.
//!
//! It is only run here, by itself and for itself, which its licence (Polyform Shield) allows; nothing of it is shipped.

use std::net::TcpStream;
use std::process::Stdio;

use anyhow::{Context as _, Result, ensure};
use serde_json::Value;
use test_support::process::{Process, free_port};

use crate::command::{self, run};
use crate::python::Environment;

const PACKAGES: [&str; 1] = ["bugsink==2.6.1"];

/// What it reads from the folder that it is started in. Events are taken in while they are sent. With `strict` it
/// would refuse those with a `message`, as Sentry's own client for Rust writes what its schema calls `logentry`.
const SETTINGS: &str = r#"
from bugsink.settings.default import *
SECRET_KEY = "for-a-server-that-ends-with-its-run-and-holds-nothing"
DATABASES["default"]["NAME"] = "FOLDER/db.sqlite3"
DATABASES["snappea"]["NAME"] = "FOLDER/snappea.sqlite3"
TIME_ZONE = "UTC"
SNAPPEA = {"TASK_ALWAYS_EAGER": True}
EMAIL_BACKEND = "bugsink.email_backends.QuietConsoleEmailBackend"
ALLOWED_HOSTS = ["127.0.0.1"]
BUGSINK = {
    "BASE_URL": "http://ADDRESS",
    "SINGLE_USER": True,
    "SINGLE_TEAM": True,
    "USER_REGISTRATION": "CB_NOBODY",
    "PHONEHOME": False,
    "INGEST_STORE_BASE_DIR": "FOLDER/ingestion",
    "VALIDATE_ON_DIGEST": "warn",
}
"#;

/// Makes what a person would make on its pages: a project and a key to read it.
const PROJECT: &str = r#"
from projects.models import Project
from teams.models import Team
from bsmain.models import AuthToken
project = Project.objects.create(name="stock-tracker", team=Team.objects.create(name="operators"))
open("dsn", "w").write(project.dsn)
open("token", "w").write(AuthToken.create_full_access().token)
"#;

/// A Bugsink, running. Gone when dropped.
pub(super) struct Bugsink {
    /// Where to report.
    pub(super) dsn: String,
    url: String,
    token: String,
    http: reqwest::Client,
    _process: Process,
}

impl Bugsink {
    pub(super) fn start() -> Result<Self> {
        let environment = Environment::with("bugsink", &PACKAGES, &[], |_| Ok(()))?;
        let mut process = Process::new(None)?;
        let folder = process.folder().to_owned();
        let address = format!("127.0.0.1:{}", free_port()?);
        let place = folder.to_str().context("the temporary folder has no plain name")?;
        let settings = SETTINGS.replace("FOLDER", place).replace("ADDRESS", &address);
        std::fs::write(folder.join("bugsink_conf.py"), settings).context("writing Bugsink's settings")?;
        std::fs::write(folder.join("project.py"), PROJECT).context("writing Bugsink's project")?;
        for arguments in [
            &["bugsink-manage", "migrate", "--verbosity=0"][..],
            &["bugsink-manage", "migrate", "--database=snappea", "--verbosity=0"],
        ] {
            run(environment.command(arguments).current_dir(&folder).stdout(Stdio::null()))?;
        }
        let project = std::fs::File::open(folder.join("project.py")).context("reading Bugsink's project")?;
        let mut shell = environment.command(&["bugsink-manage", "shell", "--verbosity=0"]);
        command::output(shell.current_dir(&folder).stdin(project))?;
        let read = |name: &str| std::fs::read_to_string(folder.join(name)).context("Bugsink made no project");
        let (dsn, token) = (read("dsn")?, read("token")?);

        let log = folder.join("log");
        let bind = format!("--bind={address}");
        let mut server =
            environment.command(&["gunicorn", &bind, "--workers=1", "--threads=4", "bugsink.wsgi"]);
        process.start(&mut server, &log)?;
        process.wait_until("bugsink", &log, || TcpStream::connect(&address).is_ok())?;
        let http = reqwest::Client::builder().no_proxy().build().context("building an HTTP client")?;
        Ok(Self { dsn, url: format!("http://{address}"), token, http, _process: process })
    }

    /// Every event that it has, as it was sent.
    pub(super) async fn events(&self) -> Result<Vec<Value>> {
        let mut events = Vec::new();
        for issue in self.list("issues/?project=1").await? {
            let issue = issue["id"].as_str().context("an issue without an id")?;
            for event in self.list(&format!("events/?issue={issue}")).await? {
                let id = event["id"].as_str().context("an event without an id")?;
                let event = self.get(&format!("{}/api/canonical/0/events/{id}/", self.url)).await?;
                events.push(event["data"].clone());
            }
        }
        Ok(events)
    }

    /// All pages of a list.
    async fn list(&self, path: &str) -> Result<Vec<Value>> {
        let mut next = Some(format!("{}/api/canonical/0/{path}", self.url));
        let mut items = Vec::new();
        while let Some(url) = next {
            let page = self.get(&url).await?;
            items.extend(page["results"].as_array().context("a page without results")?.iter().cloned());
            next = page["next"].as_str().map(str::to_owned);
        }
        Ok(items)
    }

    async fn get(&self, url: &str) -> Result<Value> {
        let answer = self.http.get(url).bearer_auth(&self.token).send().await.context("asking Bugsink")?;
        let status = answer.status();
        ensure!(status.is_success(), "Bugsink answers {status} to {url}");
        answer.json().await.context("Bugsink's answer is no JSON")
    }
}
