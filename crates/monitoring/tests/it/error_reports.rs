//! What would go over the network, as the transport gets it.

use std::{sync::Arc, time::Duration};

use monitoring::{
    error_reports::{self, Failure, Settings, Severity, Work},
    metrics::labels::Role,
};
use sentry::{Envelope, test::TestTransport};

/// What must not be found, and how it comes.
const SECRETS: [(&str, &str); 14] = [
    ("hunter2-and-more", "{\"password\": \"hunter2-and-more\"}"),
    ("hunter3", "login?user=anna&password=hunter3&x=1"),
    ("s3cr3t", "client_secret: s3cr3t, retry"),
    ("abc.def", "Authorization: Bearer abc.def"),
    ("QWxhZGRpbg", "header Basic QWxhZGRpbg== was refused"),
    ("eyJhbGciOiJIUzI1NiJ9", "token eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2lnbmF0dXJl ended"),
    ("gAAAAABn", "sealed as gAAAAABnZXRhbGxvZml0c29tZXRoaW5nbG9uZw=="),
    ("anna.petrova@example.com", "no user anna.petrova@example.com"),
    ("почта@пример.рф", "to почта@пример.рф"),
    ("4111 1111 1111 1111", "card 4111 1111 1111 1111 declined"),
    ("5500-0000-0000-0004", "card 5500-0000-0000-0004"),
    ("stock_app:swordfish", "connecting to postgres://stock_app:swordfish@db:5432/stock"),
    ("AAHdqTcvCH1vGWJxfSeofSAs0K5PALDsaw", "bot 110201543:AAHdqTcvCH1vGWJxfSeofSAs0K5PALDsaw says"),
    (
        "9f86d081884c7d659a2feaa0c55ad015",
        "key 9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
    ),
];

fn settings() -> Settings {
    Settings {
        dsn: Settings::dsn("https://key@sentry.example.com/1").unwrap(),
        environment: "staging".to_owned(),
        release: "stock-tracker@1.2.3".to_owned(),
        role: Role::Worker,
        traces_sample_rate: 1.0,
    }
}

/// All in one test: a process has one Sentry.
#[tokio::test]
async fn reports_say_where_and_for_whom_and_no_secrets() {
    assert!(!error_reports::is_on());
    let transport = TestTransport::new();
    let reports = error_reports::init_over(&settings(), Arc::new(Arc::clone(&transport)));
    assert!(error_reports::is_on());

    let work = Work {
        name: "sync_account".to_owned(),
        operation: "queue.process",
        tags: vec![("tenant_id", "018f4d2a-6b1c-7c3e-9f10-2b7f5d0a9c11".to_owned())],
    };
    let (ids, left) = error_reports::observed(
        work,
        async {
            error_reports::span(
                "db.query",
                "SELECT 1 FROM product WHERE id = $1",
                Duration::from_millis(3),
                false,
            );
            error_reports::user("7");
            for (_, text) in SECRETS {
                sentry::add_breadcrumb(sentry::Breadcrumb {
                    message: Some(text.to_owned()),
                    ..Default::default()
                });
                error_reports::tag("note", text);
            }
            let all: Vec<_> = SECRETS.iter().map(|(_, text)| report(text)).collect();
            // Panics report themselves.
            let panicked =
                std::panic::catch_unwind(|| panic!("the vault held password=hunter4 of bob@example.com"));
            assert!(panicked.is_err());
            assert!(error_reports::last().is_some());
            // What goes on in a task of its own belongs to the work that began it.
            let left =
                tokio::spawn(error_reports::with_scope(async { report("left behind") })).await.unwrap();
            (all, left)
        },
        |_| false,
    )
    .await;
    assert!(ids.iter().all(Option::is_some));
    let outside = report("outside of all work").unwrap();
    assert!(reports.flush(Duration::from_secs(5)));

    let envelopes = transport.fetch_and_clear_envelopes();
    let mut written = Vec::new();
    for envelope in &envelopes {
        envelope.to_writer(&mut written).unwrap();
    }
    let text = String::from_utf8(written).unwrap();
    for secret in SECRETS.iter().map(|(secret, _)| *secret).chain(["hunter4", "bob@example.com"]) {
        assert!(!text.contains(secret), "{secret} in {text}");
    }
    for found in [
        "[Filtered]",
        "\"release\":\"stock-tracker@1.2.3\"",
        "\"environment\":\"staging\"",
        "\"role\":\"worker\"",
        "\"tenant_id\":\"018f4d2a-6b1c-7c3e-9f10-2b7f5d0a9c11\"",
        "\"user\":{\"id\":\"7\"}",
        "no user [Filtered]",
        "card [Filtered] declined",
        "\"type\":\"transaction\"",
        "\"transaction\":\"sync_account\"",
        "\"op\":\"db.query\"",
        "SELECT 1 FROM product WHERE id = $1",
        "the vault held password=[Filtered] of [Filtered]",
    ] {
        assert!(text.contains(found), "{found} in {text}");
    }
    let events: Vec<_> = envelopes.iter().filter_map(Envelope::event).collect();
    assert_eq!(events.len(), SECRETS.len() + 3);
    assert!(events.iter().all(|event| event.breadcrumbs.len() <= 50));
    let left = events.iter().find(|event| Some(event.event_id) == left).unwrap();
    assert_eq!(left.tags["tenant_id"], "018f4d2a-6b1c-7c3e-9f10-2b7f5d0a9c11");
    let alone = events.iter().find(|event| event.event_id == outside).unwrap();
    assert!(!alone.tags.contains_key("tenant_id"), "what belongs to a job stays with it");
    assert_eq!(alone.tags["role"], "worker");
}

fn report(text: &str) -> Option<uuid::Uuid> {
    error_reports::capture(Failure {
        kind: "internal_error",
        text,
        severity: Severity::Error,
        place: "/api/v1/things",
        extras: vec![("given", text.into()), ("password", "hunter5".into())],
    })
}
