//! Asking for syncs, watching them, stopping them.

use std::time::Duration;

use serde_json::{Value, json};
use test_support::{database::TestDatabase, on_each_database};

use crate::service::Service;

on_each_database!(a_sync_is_asked_for_once, a_sync_is_watched_to_its_end, a_sync_is_cancelled);

async fn a_sync_is_asked_for_once(database: TestDatabase) {
    let service = Service::with_marketplace(database).await;
    let person = service.register("anna").await;
    service.post("/api/v1/products/sync").token(&person.access).send().await.problem(409, "no_account");
    let account = service.connect(&person, 0).await;
    let path = format!("/api/v1/marketplace-accounts/{}/sync", account["id"].as_str().expect("an id"));
    let asked = service.post(&path).token(&person.access).send().await;
    let sync = asked.expect(202);
    // The one of connecting still waits.
    assert_eq!(sync["status"], "pending");
    assert_eq!(
        asked.header("location"),
        format!("/api/v1/syncs/{}", sync["sync_id"].as_str().expect("an id"))
    );
    let again = service.post(&path).token(&person.access).json(&json!({})).send().await.expect(202);
    assert_eq!(again, sync);
    let all = service.post("/api/v1/products/sync").token(&person.access).send().await;
    let syncs = all.expect(202);
    assert_eq!(
        (&syncs["sync_id"], &syncs["task_id"], &syncs["status"]),
        (&sync["sync_id"], &sync["task_id"], &sync["status"])
    );
    assert_eq!(
        syncs["syncs"],
        json!([{"sync_id": sync["sync_id"], "account_id": account["id"], "status": "pending"}])
    );
    assert_eq!(all.header("location"), asked.header("location"));
    service.post(&path).token(&person.access).json(&json!({"full": true})).send().await.points_at("/full");

    service.carry_all().await;
    let ended = service.get(asked.header("location")).token(&person.access).send().await.expect(200);
    assert_eq!(ended["state"], "completed", "{ended}");
    assert_eq!(ended["counts"]["products"], 12);
    assert!(ended["duration_ms"].is_number() && ended["error"].is_null());
    for member in [
        "id",
        "account_id",
        "marketplace",
        "trigger",
        "phase",
        "waiting_until",
        "progress",
        "started_at",
        "finished_at",
    ] {
        assert!(ended.get(member).is_some(), "{member}");
    }
    let next = service.post(&path).token(&person.access).send().await.expect(202);
    assert_ne!(next["sync_id"], sync["sync_id"]);
    let listed = async |query: &str| -> Vec<Value> {
        let list =
            service.get(&format!("/api/v1/syncs?{query}")).token(&person.access).send().await.expect(200);
        list["items"].as_array().expect("items").clone()
    };
    assert_eq!(listed("limit=1").await[0]["id"], next["sync_id"]);
    assert_eq!(listed("state=completed").await.len(), 1);
    assert_eq!(listed("state=failed").await.len(), 0);
}

async fn a_sync_is_watched_to_its_end(database: TestDatabase) {
    let service = Service::with_marketplace(database).await;
    let person = service.register("anna").await;
    service.connect(&person, 0).await;
    let asked = service.post("/api/v1/products/sync").token(&person.access).send().await.expect(202);
    let path = format!("/api/v1/syncs/{}/events", asked["sync_id"].as_str().expect("an id"));
    let stream = service.get(&path).token(&person.access).header("Accept-Encoding", "gzip").begin().await;
    assert_eq!(stream.status().as_u16(), 200);
    assert_eq!(stream.headers()["content-type"], "text/event-stream");
    assert!(!stream.headers().contains_key("content-encoding"), "a compressor would keep events back");
    let read = tokio::time::timeout(Duration::from_mins(1), stream.text());
    let (text, ()) = tokio::join!(read, service.carry_all());
    let text = text.expect("the stream ends with the sync").expect("text");
    let events: Vec<(&str, Value)> = text
        .split_terminator("\n\n")
        .filter(|event| !event.starts_with(':'))
        .map(|event| {
            let (name, data) = event.split_once('\n').expect("two lines");
            let data = data.strip_prefix("data: ").expect("data");
            (name.strip_prefix("event: ").expect("a name"), serde_json::from_str(data).expect("JSON"))
        })
        .collect();
    let (last, before) = events.split_last().expect("events");
    assert_eq!((last.0, &last.1["state"]), ("finished", &json!("completed")), "{text}");
    assert!(!before.is_empty() && before.iter().all(|(name, _)| *name == "progress"), "{text}");
    assert!(events.windows(2).all(|pair| pair[0].1 != pair[1].1), "{text}");
    // One that has ended is told at once.
    let stream = service.get(&path).token(&person.access).begin().await.text().await.expect("text");
    assert!(stream.starts_with("event: finished\n"), "{stream}");
    // Nobody reads what HEAD would send.
    assert_eq!(service.call("HEAD", &path).token(&person.access).begin().await.status().as_u16(), 200);
}

async fn a_sync_is_cancelled(database: TestDatabase) {
    let service = Service::with_marketplace(database).await;
    let person = service.register("anna").await;
    service.connect(&person, 0).await;
    let asked = service.post("/api/v1/products/sync").token(&person.access).send().await.expect(202);
    let path = format!("/api/v1/syncs/{}", asked["sync_id"].as_str().expect("an id"));
    let cancelled = service.post(&format!("{path}/cancel")).token(&person.access).send().await.expect(200);
    service.carry_all().await;
    let ended = service.get(&path).token(&person.access).send().await.expect(200);
    assert_eq!(ended["state"], "cancelled", "{cancelled}");
    service.post(&format!("{path}/cancel")).token(&person.access).send().await.problem(409, "sync_ended");
}

#[tokio::test]
async fn a_stream_ends_when_the_server_drains() {
    let service = Service::with_marketplace(TestDatabase::sqlite().await).await;
    let person = service.register("anna").await;
    service.connect(&person, 0).await;
    let asked = service.post("/api/v1/products/sync").token(&person.access).send().await.expect(202);
    let path = format!("/api/v1/syncs/{}/events", asked["sync_id"].as_str().expect("an id"));
    let stream = service.get(&path).token(&person.access).begin().await;
    service.shutdown.cancel();
    let text = tokio::time::timeout(Duration::from_secs(20), stream.text()).await.expect("the stream ends");
    assert!(text.expect("text").starts_with("event: progress\n"));
}
