//! `cargo xtask error-reports`: what fails, as an operator finds it on a server that takes reports as Sentry does.
//!
//! The product runs as in production and reports over its own transport. A table is taken away, so that a request and a
//! job fail as they would with any fault of the database. No input makes a handler or a job panic: two tests of `api`
//! and `worker`, which are ignored otherwise, report these. Then everything is read back from the server: each report
//! must say what is promised, and what is refused must not be among them.

mod bugsink;
mod reported;

use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Context as _, Result, bail, ensure};
use domain::ids::{AccountId, SyncId};
use domain::job::Job;
use sea_orm::ConnectionTrait as _;
use serde_json::{Value, json};
use test_support::error_reports as panics;
use tokio::time::Instant;

use self::bugsink::Bugsink;
use self::reported::{Expected, Want};
use crate::command::{command, run as run_command};
use crate::product;
use crate::product::client::Client;
use crate::product::production::Production;

const RELEASE: &str = "stock-tracker@0.0.0-faults";
const ENVIRONMENT: &str = "staging";

/// Ids of requests, by which their reports are found.
const FAILS: &str = "request-that-fails";
const JOB_FAILS: &str = "request-whose-job-fails";
const NO_ROUTE: &str = "request-for-no-route";
const NOTHING_THERE: &str = "request-for-nothing";
const TOO_MANY: &str = "request-too-many";
/// Requests that are refused, with their status.
const REFUSED: [(&str, u16); 3] = [(NO_ROUTE, 404), (NOTHING_THERE, 404), (TOO_MANY, 429)];

/// Generous: the sandbox's scale shortens the pauses between a job's attempts too.
const PATIENCE: Duration = Duration::from_mins(2);

/// Makes what is reported, and looks for it. Fails when anything is missing, or too much.
pub(crate) fn run() -> Result<ExitCode> {
    let binary = product::build()?;
    let runtime = tokio::runtime::Runtime::new().context("starting a runtime")?;
    // Another client of this process may have been first.
    let _installed = rustls::crypto::ring::default_provider().install_default();
    let server = Bugsink::start()?;
    eprintln!(
        "error-reports: Bugsink runs, and keeps events only: of transactions it says no more than that it skips them"
    );
    report_panics(&server.dsn)?;
    let is_well = runtime.block_on(async {
        let variables = [
            ("SENTRY_DSN", server.dsn.clone()),
            ("SENTRY_ENVIRONMENT", ENVIRONMENT.to_owned()),
            ("SENTRY_RELEASE", RELEASE.to_owned()),
            ("SENTRY_TRACES_SAMPLE_RATE", "1".to_owned()),
        ];
        let sandbox = ["--sellers", "1", "--cards", "20", "--history-days", "7"];
        let production = Production::start(&binary, &sandbox, &variables).await?;
        let seller = production.company().await?;
        refuse(&seller).await?;
        let me = fail(&production, &seller).await?;
        let expected = expected(&me)?;
        arrived(&server, &expected).await?;
        // What is still on its way is sent before they end.
        drop(production);
        anyhow::Ok(compare(&server.events().await?, &expected))
    })?;
    Ok(if is_well { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Runs the tests whose handler and job panic.
fn report_panics(dsn: &str) -> Result<()> {
    let packages = ["test", "--quiet", "--package", "api", "--package", "worker", "--all-features"];
    let tests = ["--lib", "--test", "it", "--", "--ignored", "a_panic_is_sent_to_the_server"];
    let mut tests = command("cargo", &[&packages[..], &tests[..]].concat());
    run_command(tests.env(panics::DSN_VARIABLE, dsn)).context("panicking")
}

/// Asks for what is refused, each as it should be.
async fn refuse(seller: &Client) -> Result<()> {
    let nobody = json!({ "email": "nobody@example.com", "password": "not the right one" });
    for (id, wanted) in REFUSED {
        let client = seller.asking_as(id);
        let (status, body) = match id {
            NO_ROUTE => client.try_get("/api/v1/nothing-here").await?,
            NOTHING_THERE => client.try_get(&format!("/api/v1/products/{}", uuid::Uuid::now_v7())).await?,
            _ => {
                let mut last = (0, Value::Null);
                // Signing in is limited to a few attempts.
                for _ in 0..20 {
                    last = client.try_post("/api/v1/auth/login", &nobody).await?;
                    if last.0 == wanted {
                        break;
                    }
                }
                last
            }
        };
        ensure!(status == wanted, "{id}: {status} instead of {wanted}: {body}");
    }
    Ok(())
}

/// Takes a table away, asks for what is in it, and for a sync, which needs it. Gives who asked.
async fn fail(production: &Production, seller: &Client) -> Result<Value> {
    let me = seller.get("/api/v1/auth/me").await?;
    let accounts = seller.get("/api/v1/marketplace-accounts").await?;
    let account = accounts["items"][0]["id"].as_str().context("no account")?;
    let owner = production.database.connect().await?;
    owner
        .execute_unprepared("ALTER TABLE stock_level RENAME TO stock_level_away")
        .await
        .context("taking a table away")?;
    let (status, problem) = seller.asking_as(FAILS).try_get("/api/v1/stocks").await?;
    ensure!(status >= 500, "a list without its table: {status} {problem}");
    ensure!(problem["event_id"].is_string(), "a failure that does not say how it is found: {problem}");
    let path = format!("/api/v1/marketplace-accounts/{account}/sync");
    let sync = seller.asking_as(JOB_FAILS).post(&path, &json!({})).await?;
    let id = sync["sync_id"].as_str().context("a sync without an id")?;
    let until = Instant::now() + PATIENCE;
    loop {
        let sync = seller.get(&format!("/api/v1/syncs/{id}")).await?;
        match sync["state"].as_str() {
            Some("failed") => break,
            Some("pending" | "running") => {}
            _ => bail!("a sync without its table did not fail: {sync}"),
        }
        ensure!(Instant::now() < until, "a sync without its table is not given up: {sync}");
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
    owner
        .execute_unprepared("ALTER TABLE stock_level_away RENAME TO stock_level")
        .await
        .context("putting it back")?;
    Ok(me)
}

/// What must be on the server.
fn expected(me: &Value) -> Result<Vec<Expected>> {
    let word = |value: &Value| value.as_str().map(str::to_owned).with_context(|| format!("who asked: {me}"));
    let (tenant, user) = (word(&me["tenant"]["id"])?, word(&me["user"]["id"])?);
    let is = |text: &str| Want::Is(text.to_owned());
    let report = |what, release: &str, environment: &str, role, request: &str| Expected {
        what,
        request: request.to_owned(),
        fields: vec![
            ("/release", is(release)),
            ("/environment", is(environment)),
            ("/tags/role", is(role)),
            ("/tags/request_id", is(request)),
        ],
    };
    let ours = |what, role, request| report(what, RELEASE, ENVIRONMENT, role, request);
    let of_test = |what, role, request| report(what, panics::RELEASE, panics::ENVIRONMENT, role, request);
    let attempts = Job::SyncAccount { sync_id: SyncId::generate(), account_id: AccountId::generate() };
    let attempts = attempts.max_attempts().to_string();
    let job = |attempt: &str| {
        vec![("/tags/task", is("sync_account")), ("/tags/attempt", is(attempt)), ("/tags/job_id", Want::Id)]
    };
    Ok(vec![
        ours("a handler's error", "api", FAILS).with(vec![
            ("/tags/route", is("GET /api/v1/stocks")),
            ("/tags/tenant_id", is(&tenant)),
            ("/tags/user_id", is(&user)),
            ("/user/id", is(&user)),
        ]),
        of_test("a handler's panic", "api", panics::PANICKING_REQUEST).with(vec![
            ("/exception/values/0/type", is("panic")),
            ("/tags/route", is("GET /panic/{id}")),
            ("/tags/tenant_id", Want::Id),
            ("/tags/user_id", Want::Id),
            ("/user/id", Want::Id),
        ]),
        ours("a job's error", "worker", JOB_FAILS)
            .with(job(&attempts))
            .with(vec![("/tags/tenant_id", is(&tenant)), ("/tags/account_id", Want::Id)])
            .with(vec![("/tags/marketplace", is("wildberries"))]),
        of_test("a job's panic", "worker", panics::REQUEST_OF_PANICKING_JOB)
            .with(job("4"))
            .with(vec![("/exception/values/0/type", is("panic")), ("/tags/tenant_id", Want::Id)]),
        of_test("a job that is given up", "worker", panics::REQUEST_OF_PANICKING_JOB)
            .with(job("4"))
            .with(vec![("/exception/values/0/type", is("dead")), ("/tags/tenant_id", Want::Id)]),
    ])
}

/// Waits until something has arrived of everything that is expected.
async fn arrived(server: &Bugsink, expected: &[Expected]) -> Result<()> {
    let until = Instant::now() + Duration::from_secs(30);
    loop {
        let events = server.events().await?;
        let is_there = |one: &Expected| events.iter().any(|event| one.is_about(event));
        if expected.iter().all(is_there) || Instant::now() > until {
            return Ok(());
        }
        tokio::time::sleep(Duration::from_millis(500)).await;
    }
}

/// Says what was seen, and whether it is what it should be.
fn compare(events: &[Value], expected: &[Expected]) -> bool {
    let mut is_well = true;
    for one in expected {
        match one.found(events) {
            Ok(seen) => eprintln!("error-reports: {}: {seen}", one.what),
            Err(fault) => {
                is_well = false;
                eprintln!("error-reports: FAILED: {}: {fault:#}", one.what);
            }
        }
    }
    for (id, status) in REFUSED {
        let reports = events.iter().filter(|event| event["tags"]["request_id"] == id).count();
        eprintln!("error-reports: {status} ({id}): {reports} reports");
        is_well &= reports == 0;
    }
    let others = events.iter().filter(|event| !expected.iter().any(|one| one.is_about(event)));
    for event in others {
        eprintln!("error-reports: also: {}", reported::title(event));
    }
    is_well
}
