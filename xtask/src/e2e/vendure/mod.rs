//! The product and a Vendure shop: connected, synced, compared, and once more after one change.

mod ledger;
mod shop;
mod truth;

use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail, ensure};
use serde_json::{Value, json};
use test_support::postgres::PgDatabase;

use self::ledger::Ledger;
use self::shop::{Project, Shop};
use super::picture::Picture;
use super::steps::Steps;
use super::tracker::{self, Tracker};
use crate::packages;

/// For everything, a first installation and compilation included.
const WITHIN: Duration = Duration::from_mins(30);
/// The one change: which variant, where, by how many units.
const CHANGED: (&str, &str, i64) = ("ST-001", "Shop", 3);
/// Differences that are printed; the rest is counted.
const SHOWN_DIFFERENCES: usize = 20;

/// The whole story; an error at the first thing that is not as it should be.
pub(super) fn run() -> Result<()> {
    let folder = super::folder("vendure")?;
    let steps = Steps::new(WITHIN, folder.join("logs"))?;
    tell(&steps, &folder.join("shop")).with_context(|| format!("the logs are in {}", steps.logs().display()))
}

fn tell(steps: &Steps, folder: &Path) -> Result<()> {
    let begun = Instant::now();
    let say = |what: &str| eprintln!("e2e: {:6.1} s  {what}", begun.elapsed().as_secs_f32());
    say("installing Vendure");
    let project = Project::install(steps, folder)?;
    say("building the product");
    packages::ensure_postgres()?;
    tracker::build(steps)?;
    say("opening a shop");
    let runtime = tokio::runtime::Runtime::new().context("starting a runtime")?;
    let database = runtime.block_on(PgDatabase::create("vendure", None)).context("making a database")?;
    let shop = Shop::open(steps, project, database)?;
    say("filling it");
    let api_key = shop.seed(steps)?;

    say("connecting it to the product");
    let tracker = Tracker::start(steps)?;
    let account = connect(&tracker, shop.base_url(), &api_key)?;
    say("syncing");
    let (_, same) = sync_and_compare(steps, &shop, &tracker, &account)?;
    say(&format!("as Vendure says: {same}"));

    let (sku, location, units) = CHANGED;
    let ledger = Ledger::read(&tracker.client)?;
    let from = shop.truth(steps)?.available(sku, location).context("no such level")?;
    shop.change_stock(steps, sku, location, units)?;
    say(&format!("syncing {units} more of {sku} in {location}"));
    let (sync, same) = sync_and_compare(steps, &shop, &tracker, &account)?;
    say(&format!("as Vendure says: {same}"));
    let told = Ledger::read(&tracker.client)?.since(&ledger)?;
    let change = json!({
        "sku": sku, "warehouse": location, "from": from, "to": from + units, "cause": "sync", "sync_id": sync["id"],
    });
    ensure!(told == [change.clone()], "the ledger tells {told:?} and not {change}");
    ensure!(sync["counts"]["movements"] == 1, "one level has changed: {sync}");
    say("the ledger tells of that change and of no other");
    Ok(())
}

/// Connects the shop as its owner would, and gives the account's id. A wrong key is found out at once, and a shop that
/// is connected cannot be connected again.
fn connect(tracker: &Tracker, base_url: &str, api_key: &str) -> Result<String> {
    let path = "/api/v1/marketplace-accounts";
    let account = |api_key: &str| {
        let credentials = json!({ "base_url": base_url, "api_key": api_key });
        json!({ "marketplace": "vendure", "name": "Shop", "credentials": credentials })
    };
    let (name, secret) = api_key.split_once(':').context("a key has two parts")?;
    let wrong = format!("{name}:{}", "0".repeat(secret.len()));
    let refusal = tracker.client.refusal(path, &account(&wrong))?;
    ensure!(refusal == "422 credentials_invalid", "a wrong key: {refusal}");

    let connected = tracker.client.post(path, &account(api_key))?;
    ensure!(connected["state"] == "active", "the key grants everything: {connected}");
    ensure!(!connected.to_string().contains(secret), "the key comes back");
    let refusal = tracker.client.refusal(path, &account(api_key))?;
    ensure!(refusal == "409 account_exists", "the same shop again: {refusal}");
    Ok(connected["id"].as_str().context("an account has an id")?.to_owned())
}

/// Syncs, and compares what the product shows then with what Vendure says. Gives the sync, and what was compared in
/// words.
fn sync_and_compare(steps: &Steps, shop: &Shop, tracker: &Tracker, account: &str) -> Result<(Value, String)> {
    // The one that finds what has changed.
    let mut first: Option<Value> = None;
    loop {
        let today = shop.truth(steps)?.today;
        let sync = tracker.sync(steps, account)?;
        let shown = Picture::shown(&tracker.client)?;
        let truth = shop.truth(steps)?;
        let first = first.get_or_insert(sync).clone();
        if truth.today != today {
            eprintln!("e2e: midnight in Moscow; once more");
            continue;
        }
        let told = truth.picture();
        let differences = told.differences(&shown);
        for difference in differences.iter().take(SHOWN_DIFFERENCES) {
            eprintln!("  {difference}");
        }
        if !differences.is_empty() {
            bail!("{} differences between what Vendure says and what is shown", differences.len());
        }
        return Ok((first, told.size()));
    }
}
