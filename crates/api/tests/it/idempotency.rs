//! Requests that are sent again.

use std::{sync::Arc, time::Duration};

use monitoring::{error_reports, metrics::labels::Role};
use sandbox::{Fault, FaultKind, Times};
use sea_orm::ConnectionTrait as _;
use sentry::test::TestTransport;
use serde_json::json;
use test_support::{database::TestDatabase, on_each_database};
use tracing_subscriber::layer::SubscriberExt as _;

use crate::service::Service;

on_each_database!(
    the_first_answer_is_given_again,
    refusals_are_kept,
    of_two_at_once_one_does_the_work,
    a_failure_is_tried_again,
);

const PATH: &str = "/api/v1/marketplace-accounts";

async fn the_first_answer_is_given_again(database: TestDatabase) {
    let service = Service::with_marketplace(database).await;
    let (anna, boris) = (service.register("anna").await, service.register("boris").await);
    let token = service.sandbox().sellers()[0].token.clone();
    let body = json!({"marketplace": "wildberries", "name": "Main", "credentials": {"token": token}});
    let send = async |person: &str, key: &str, body: &serde_json::Value| {
        service.post(PATH).token(person).header("Idempotency-Key", key).json(body).send().await
    };
    let first = send(&anna.access, "key-1", &body).await;
    first.expect(201);
    assert_eq!(first.header("idempotency-replayed"), "");
    let again = send(&anna.access, "key-1", &body).await;
    assert_eq!(again.status, 201);
    assert_eq!(again.body, first.body);
    assert_eq!(again.header("location"), first.header("location"));
    assert_eq!(again.header("content-type"), first.header("content-type"));
    assert_eq!(again.header("idempotency-replayed"), "true");
    let other = json!({"marketplace": "wildberries", "name": "Other", "credentials": {"token": token}});
    send(&anna.access, "key-1", &other).await.problem(422, "idempotency_key_reused");
    // Without the key, or with another, it is another request.
    send(&anna.access, "key-2", &body).await.problem(409, "account_exists");
    // Another tenant's key of the same name is another key.
    let theirs = send(&boris.access, "key-1", &body).await;
    assert_eq!(theirs.header("idempotency-replayed"), "");
    assert_ne!(theirs.body, first.body);

    let account = first.json()["id"].as_str().expect("an id").to_owned();
    for path in [format!("{PATH}/{account}/sync"), "/api/v1/products/sync".to_owned()] {
        // The same key on another route is another key.
        let first = service.post(&path).token(&anna.access).header("Idempotency-Key", "key-1").send().await;
        first.expect(202);
        service.carry_all().await;
        let again = service.post(&path).token(&anna.access).header("Idempotency-Key", "key-1").send().await;
        assert_eq!(again.header("idempotency-replayed"), "true");
        assert_eq!(again.body, first.body);
        assert_eq!(again.header("location"), first.header("location"));
    }
}

async fn refusals_are_kept(database: TestDatabase) {
    // No marketplace answers.
    let service = Service::start(database).await;
    let person = service.register("anna").await;
    let send = async |key: &str, body: &serde_json::Value| {
        service.post(PATH).token(&person.access).header("Idempotency-Key", key).json(body).send().await
    };
    let wrong = json!({"marketplace": "nowhere", "name": "Main", "credentials": {}});
    let first = send("key-1", &wrong).await;
    first.points_at("/marketplace");
    let again = send("key-1", &wrong).await;
    assert_eq!(again.header("idempotency-replayed"), "true");
    assert_eq!(again.body, first.body);
    let none = service.post("/api/v1/products/sync").token(&person.access).header("Idempotency-Key", "key-1");
    none.send().await.problem(409, "no_account");
    for key in ["", &"x".repeat(256)] {
        send(key, &wrong).await.points_at("/header/idempotency-key");
    }
}

async fn of_two_at_once_one_does_the_work(database: TestDatabase) {
    let service = Service::with_marketplace(database).await;
    let person = service.register("anna").await;
    let token = service.sandbox().sellers()[0].token.clone();
    let body = json!({"marketplace": "wildberries", "name": "Main", "credentials": {"token": token}});
    let send = async || {
        let request = service.post(PATH).token(&person.access).header("Idempotency-Key", "key");
        let answer = request.json(&body).send().await;
        (answer.status, answer.header("idempotency-replayed").to_owned())
    };
    let answers: [(u16, String); 4] = tokio::join!(send(), send(), send(), send()).into();
    let made = answers.iter().filter(|(status, replayed)| *status == 201 && replayed.is_empty()).count();
    assert_eq!(made, 1, "{answers:?}");
    let others = answers.iter().filter(|(status, replayed)| *status == 409 || replayed == "true").count();
    assert_eq!(others, 3, "{answers:?}");
    let list = service.get(PATH).token(&person.access).send().await.expect(200);
    assert_eq!(list["items"].as_array().map(Vec::len), Some(1));
}

async fn a_failure_is_tried_again(database: TestDatabase) {
    let service = Service::with_marketplace(database).await;
    let person = service.register("anna").await;
    let token = service.sandbox().sellers()[0].token.clone();
    let body = json!({"marketplace": "wildberries", "name": "Main", "credentials": {"token": token}});
    let send = async || {
        service.post(PATH).token(&person.access).header("Idempotency-Key", "key").json(&body).send().await
    };
    service.sandbox().inject(Fault::new("/", Times::Every(1), FaultKind::Status { status: 500 }));
    let failed = send().await;
    failed.problem(503, "marketplace_unavailable");
    assert!(failed.header("retry-after").parse::<u64>().is_ok_and(|seconds| seconds >= 1));
    service.sandbox().clear_faults();
    // The key is given back behind the answer.
    let deadline = tokio::time::Instant::now() + std::time::Duration::from_secs(10);
    let made = loop {
        let again = send().await;
        if again.status != 409 {
            break again;
        }
        assert!(tokio::time::Instant::now() < deadline, "the key is never given back");
    };
    made.expect(201);
    assert_eq!(made.header("idempotency-replayed"), "");
}

/// The work goes on in a task of its own, so that it ends even if nobody waits for it.
#[tokio::test]
async fn what_fails_under_a_key_is_reported_as_that_request() {
    let transport = TestTransport::new();
    let settings = error_reports::Settings {
        dsn: error_reports::Settings::dsn("https://key@sentry.example.com/1").expect("a DSN"),
        environment: "staging".to_owned(),
        release: "stock-tracker@1.2.3".to_owned(),
        role: Role::Api,
        traces_sample_rate: 0.0,
    };
    let reports = error_reports::init_over(&settings, Arc::new(Arc::clone(&transport)));
    let marks = tracing_subscriber::registry().with(error_reports::layer());
    // For the threads of the service too.
    tracing::subscriber::set_global_default(marks).expect("no other test of these sets one");
    let database = TestDatabase::sqlite().await;
    let owner = sea_orm::Database::connect(database.owner_url()).await.expect("the database answers");
    let service = Service::start(database).await;
    let person = service.register("anna").await;
    owner.execute_unprepared("ALTER TABLE marketplace_account RENAME TO away").await.expect("it is renamed");
    let path = "/api/v1/products/sync";
    let failed = service.post(path).token(&person.access).header("Idempotency-Key", "key-1").send().await;
    let problem = failed.problem(500, "internal_error");
    assert!(reports.flush(Duration::from_secs(30)));
    let envelopes = transport.fetch_and_clear_envelopes();
    let event = envelopes
        .iter()
        .filter_map(|envelope| envelope.event())
        .find(|event| event.tags.get("request_id").is_some_and(|id| problem["request_id"] == id.as_str()))
        .expect("the failure is reported");
    assert_eq!(problem["event_id"], event.event_id.simple().to_string());
    for (name, value) in [
        ("tenant_id", person.tenant.as_str()),
        ("user_id", &person.user),
        ("route", "POST /api/v1/products/sync"),
    ] {
        assert_eq!(event.tags.get(name).map(String::as_str), Some(value), "{name}");
    }
}
