//! The demo, twice: from nothing, and from what the first run has left.

use std::collections::BTreeMap;

use serde_json::Value;

use test_support::postgres::PgDatabase;

use crate::support::{Ended, Place, mode, wait};

fn once(place: &Place) -> (Ended, BTreeMap<String, Value>) {
    let ended = place.run(&["demo", "--once", "--port", "0", "--data-dir", "demo"]);
    assert!(ended.succeeded(), "{}\n{}", ended.stdout(), ended.stderr());
    let handover = std::fs::read(place.path("demo/demo.json")).unwrap();
    (ended, serde_json::from_slice(&handover).unwrap())
}

#[test]
fn the_demo_shows_the_picture_and_finds_its_tenant_again() {
    let place = Place::new();
    let (first, before) = once(&place);
    let shown = first.stdout();
    for part in ["Registered", "Sync completed", "Days of", "/docs", "curl", "Склад"] {
        assert!(shown.contains(part), "{part} is missing in: {shown}");
    }
    assert_eq!(mode(&place.path("demo/demo.json")), 0o600);
    let names: Vec<_> = before.keys().map(String::as_str).collect();
    for name in ["access_token", "account_id", "base_url", "email", "password", "tenant_id"] {
        assert!(names.contains(&name), "{name}");
    }

    let (second, after) = once(&place);
    assert!(second.stdout().contains("again"), "{}", second.stdout());
    for name in ["email", "password", "tenant_id", "account_id", "world_opened_at"] {
        assert_eq!(before[name], after[name], "{name}");
    }
    assert_ne!(before["access_token"], after["access_token"]);
}

#[test]
fn without_its_file_the_demo_registers_somebody_else() {
    let place = Place::new();
    let (_, before) = once(&place);
    std::fs::remove_file(place.path("demo/demo.json")).unwrap();
    let (_, after) = once(&place);
    assert_ne!(before["email"], after["email"]);
    assert_ne!(before["tenant_id"], after["tenant_id"]);
}

#[test]
fn the_demo_runs_on_postgresql_too() {
    let database = wait(PgDatabase::create("demo", None)).unwrap();
    let place = Place::new()
        .with("DATABASE_URL", database.app_url())
        .with("DATABASE_ADMIN_URL", database.admin_url())
        .with("DATABASE_POOL_SIZE", "8");
    let (ended, _) = once(&place);
    assert!(ended.stdout().contains("Sync completed"), "{}", ended.stdout());
    assert!(!place.path("demo/demo.db").exists());
}

#[test]
fn the_demo_is_not_for_production() {
    let ended = Place::new().with("ENVIRONMENT", "staging").run(&["demo", "--once"]);
    assert!(!ended.succeeded());
}
