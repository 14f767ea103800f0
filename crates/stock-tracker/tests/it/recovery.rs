//! A process that is killed in the middle of a sync, and the one that comes after it.

use std::collections::HashSet;

use nix::sys::signal::Signal;
use serde_json::{Value, json};

use crate::support::{Client, Place, Running};

/// The state of the only sync.
fn sync(client: &Client) -> Value {
    client.get("/api/v1/syncs")["items"][0].clone()
}

fn client_of(process: &Running) -> Client {
    Client::new(process.address("the API listens"))
}

fn sign_in(client: &mut Client, path: &str) {
    let person = json!({
        "email": "owner@example.com", "password": "correct-horse-battery", "company_name": "Anna",
    });
    let login = json!({ "email": person["email"], "password": person["password"] });
    let body = if path == "register" { person } else { login };
    let signed_in = client.post(&format!("/api/v1/auth/{path}"), &body);
    client.token = signed_in["access_token"].as_str().map(str::to_owned);
}

/// Orders the sandbox to keep the worker waiting under a path.
fn hold_up(sandbox: &Client, path: &str) {
    let fault =
        json!({ "path_prefix": path, "times": { "every": 1 }, "kind": "slow", "milliseconds": 60_000 });
    sandbox.post("/sandbox/v1/faults", &fault);
}

#[test]
fn a_killed_sync_goes_on_and_ends_with_the_same_figures() {
    let market_place = Place::new().with("MARKETPLACE_LIMIT_SCALE", "0.02");
    // Nearly nothing happens there meanwhile: figures can be compared.
    let market = market_place.start(&["sandbox", "--port", "0", "--speed", "0.01", "--cards", "60"]);
    let line = market.line(|line| line.starts_with("WILDBERRIES_BASE_URL="));
    let sandbox = Client::new(line.trim_start_matches("WILDBERRIES_BASE_URL="));
    let place = Place::new()
        .with("PORT", "0")
        .with("LOG_FORMAT", "json")
        // It looks more often than people may.
        .with("RATE_LIMIT_ENABLED", "false")
        .with("WILDBERRIES_BASE_URL", &sandbox.base_url)
        .with("MARKETPLACE_LIMIT_SCALE", "0.02");

    // Killed once before any stock was read, and once after.
    hold_up(&sandbox, "/api/analytics/v1/stocks-report");
    let first = place.start(&["all"]);
    let mut client = client_of(&first);
    client.until_ready();
    sign_in(&mut client, "register");
    let token = sandbox.get("/sandbox/v1/sellers")[0]["token"].clone();
    let account = json!({ "marketplace": "wildberries", "name": "Anna", "credentials": { "token": token } });
    client.post("/api/v1/marketplace-accounts", &account);
    let begun = until_in(&client, "stock_marketplace");
    first.signal(Signal::SIGKILL);
    assert!(!first.ended().success());

    sandbox.delete("/sandbox/v1/faults");
    hold_up(&sandbox, "/api/v1/supplier/orders");
    let second = place.start(&["all"]);
    let mut client = client_of(&second);
    client.until_ready();
    sign_in(&mut client, "login");
    let resumed = until_in(&client, "orders");
    assert!(resumed["counts"]["stock_rows"].as_i64().unwrap() > 0, "{resumed}");
    second.signal(Signal::SIGKILL);
    assert!(!second.ended().success());

    sandbox.delete("/sandbox/v1/faults");
    let third = place.start(&["all"]);
    let mut client = client_of(&third);
    client.until_ready();
    sign_in(&mut client, "login");
    let ended = client.until("the end of the sync", |client| {
        Some(sync(client)).filter(|sync| !matches!(sync["state"].as_str(), Some("pending" | "running")))
    });
    assert_eq!(ended["state"], "completed", "{ended}");
    assert_eq!((&begun["id"], &resumed["id"]), (&ended["id"], &ended["id"]), "it is the same sync");
    assert_is_the_truth(&client, &sandbox);
    assert_eq!(ended["counts"]["movements"], first_changes(&client));
    third.signal(Signal::SIGTERM);
    assert!(third.ended().success());
}

fn until_in(client: &Client, phase: &str) -> Value {
    client.until(phase, |client| Some(sync(client)).filter(|sync| sync["phase"] == phase))
}

fn assert_is_the_truth(client: &Client, sandbox: &Client) {
    let truth = sandbox.get("/sandbox/v1/sellers/0/truth");
    let units = |name: &str| truth["total"][name].as_i64().unwrap();
    let dashboard = client.get("/api/v1/analytics/dashboard");
    assert_eq!(dashboard["total_products"], 60);
    assert_eq!(dashboard["total_stock"], units("fbo") + units("fbs"));
    assert_eq!(dashboard["total_orders"], units("ordered"));
}

/// Counts the ledger; every level must have been read for the first time exactly once.
fn first_changes(client: &Client) -> usize {
    let mut changes = HashSet::new();
    for product in client.all("/api/v1/products?limit=200") {
        let id = product["id"].as_str().unwrap();
        for change in client.all(&format!("/api/v1/products/{id}/history?limit=200")) {
            assert_eq!(change["from"], Value::Null);
            assert!(changes.insert((change["variant_id"].to_string(), change["warehouse_id"].to_string())));
        }
    }
    changes.len()
}
