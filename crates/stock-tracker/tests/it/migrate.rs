//! The schema on PostgreSQL, with the two roles an operator makes.

use test_support::postgres::PgDatabase;

use crate::support::{Client, Place, wait};

fn place(database: &PgDatabase) -> Place {
    Place::new()
        .with("DATABASE_URL", database.app_url())
        .with("PORT", "0")
        .with("LOG_FORMAT", "json")
        .with("DATABASE_POOL_SIZE", "3")
}

#[test]
fn the_owner_migrates_and_the_application_serves() {
    let database = wait(PgDatabase::create("migrate", None)).unwrap();
    let place = place(&database);

    let refused = place.run(&["api"]);
    assert!(!refused.succeeded());
    assert!(refused.stderr().contains("stock-tracker migrate"), "{}", refused.stderr());

    let place = place.with("DATABASE_ADMIN_URL", database.admin_url());
    assert!(place.run(&["migrate", "status"]).stdout().contains("missing"));
    // Several at once, as several instances of a deployment would.
    let migrating = [(); 3].map(|()| place.start(&["migrate"]));
    for process in migrating {
        assert!(process.ended().success());
    }
    let migrated = place.run(&["migrate"]);
    assert!(migrated.succeeded() && migrated.stdout().contains("current"), "{}", migrated.stderr());
    assert!(!place.run(&["migrate", "status"]).stdout().contains("missing"));

    let api = place.start(&["api"]);
    let client = Client::new(api.address("the API listens"));
    client.until_ready();
    let registration = serde_json::json!({
        "email": "owner@example.com", "password": "correct-horse-battery", "company_name": "Anna",
    });
    assert!(client.post("/api/v1/auth/register", &registration)["access_token"].is_string());
}

#[test]
fn production_refuses_a_role_that_row_level_security_does_not_bind() {
    let database = wait(PgDatabase::create("gaps", None)).unwrap();
    let place = Place::new().with("DATABASE_URL", database.admin_url()).with("DATABASE_POOL_SIZE", "3");
    assert!(place.run(&["migrate"]).succeeded());
    let refused = place
        .with("ENVIRONMENT", "production")
        .with("JWT_SECRET_KEY", &"k".repeat(32))
        .with("FERNET_KEYS", "c2VhbGluZy1rZXktb2YtdGhpcnR5LXR3by1ieXRlcyE=")
        .with("METRICS_TOKEN", "a-token-for-scrapers")
        .with("PORT", "0")
        .run(&["api"]);
    assert!(!refused.succeeded());
    assert!(refused.stderr().contains("row-level security"), "{}", refused.stderr());
}
