//! Registering, signing in, staying signed in, signing out.

use chrono::TimeDelta;
use serde_json::json;
use test_support::{database::TestDatabase, on_each_database};

use crate::service::{PASSWORD, Person, Service};

on_each_database!(
    a_company_registers_and_its_owner_is_signed_in,
    a_wrong_password_and_an_unknown_address_are_answered_alike,
    a_refresh_token_works_once,
    of_two_refreshes_at_once_one_wins,
    a_sign_out_ends_the_access_token_at_once,
    an_access_token_ends_in_time,
    tokens_that_are_none_are_refused,
    an_address_can_be_taken_once,
    weak_passwords_are_refused,
);

async fn a_company_registers_and_its_owner_is_signed_in(database: TestDatabase) {
    let service = Service::start(database).await;
    let body = json!({"email": "anna@example.com", "password": PASSWORD, "company_name": "Anna's Shop"});
    let answer = service.post("/api/v1/auth/register").json(&body).send().await;
    assert_eq!(answer.header("cache-control"), "no-store");
    let signed_in = answer.expect(201);
    assert_eq!(signed_in["token_type"], "bearer");
    assert_eq!(signed_in["expires_in"], 900);
    assert_eq!(signed_in["user"]["email"], "anna@example.com");
    assert_eq!(signed_in["user"]["role"], "owner");
    assert_eq!(signed_in["tenant"]["name"], "Anna's Shop");
    let person = Person::of(&signed_in);
    let me = service.get("/api/v1/auth/me").token(&person.access).send().await.expect(200);
    assert_eq!(me["user"]["id"], signed_in["user"]["id"]);
    assert_eq!(me["tenant"], signed_in["tenant"]);

    let body = json!({"email": "Anna@Example.com", "password": PASSWORD});
    let again = service.post("/api/v1/auth/login").json(&body).send().await.expect(200);
    assert_eq!(again["user"]["id"], signed_in["user"]["id"]);
    assert_ne!(again["refresh_token"], signed_in["refresh_token"]);
}

async fn a_wrong_password_and_an_unknown_address_are_answered_alike(database: TestDatabase) {
    let service = Service::start(database).await;
    let person = service.register("anna").await;
    let attempt = async |email: &str| {
        let body = json!({"email": email, "password": "not the passphrase"});
        service.post("/api/v1/auth/login").json(&body).send().await
    };
    let (wrong, unknown) = (attempt(&person.email).await, attempt("nobody@example.com").await);
    wrong.problem(401, "invalid_credentials");
    assert_eq!(wrong.anonymous(), unknown.anonymous());
    assert_eq!(wrong.header("www-authenticate"), "Bearer");
    assert_eq!(attempt("not an address").await.anonymous(), wrong.anonymous());
}

async fn a_refresh_token_works_once(database: TestDatabase) {
    let service = Service::start(database).await;
    let first = service.register("anna").await;
    let refresh = async |token: &str| {
        service.post("/api/v1/auth/refresh").json(&json!({"refresh_token": token})).send().await
    };
    service.clock.advance(TimeDelta::minutes(1));
    let second = Person::of(&refresh(&first.refresh).await.expect(200));
    assert_ne!(second.refresh, first.refresh);
    service.get("/api/v1/auth/me").token(&second.access).send().await.expect(200);

    // The thief and the owner cannot be told apart: both are out.
    service.clock.advance(TimeDelta::minutes(1));
    refresh(&first.refresh).await.problem(401, "refresh_token_reused");
    assert_eq!(refresh(&second.refresh).await.status, 401);
    service.get("/api/v1/auth/me").token(&second.access).send().await.problem(401, "session_ended");
}

async fn of_two_refreshes_at_once_one_wins(database: TestDatabase) {
    let service = Service::start(database).await;
    let person = service.register("anna").await;
    let body = json!({"refresh_token": person.refresh});
    let refresh = async || service.post("/api/v1/auth/refresh").json(&body).send().await.status;
    let mut statuses = <[u16; 4]>::from(tokio::join!(refresh(), refresh(), refresh(), refresh()));
    statuses.sort_unstable();
    assert_eq!(statuses, [200, 401, 401, 401]);
}

async fn a_sign_out_ends_the_access_token_at_once(database: TestDatabase) {
    let service = Service::start(database).await;
    let person = service.register("anna").await;
    let other =
        service.post("/api/v1/auth/login").json(&json!({"email": person.email, "password": PASSWORD}));
    let other = Person::of(&other.send().await.expect(200));
    service.post("/api/v1/auth/logout").token(&person.access).send().await.expect(204);
    let ended = service.get("/api/v1/auth/me").token(&person.access).send().await;
    ended.problem(401, "session_ended");
    assert_eq!(ended.header("www-authenticate"), "Bearer error=\"invalid_token\"");
    let body = json!({"refresh_token": person.refresh});
    assert_eq!(service.post("/api/v1/auth/refresh").json(&body).send().await.status, 401);
    // Another session of the same person goes on.
    service.get("/api/v1/auth/me").token(&other.access).send().await.expect(200);
}

async fn an_access_token_ends_in_time(database: TestDatabase) {
    let service = Service::start(database).await;
    let person = service.register("anna").await;
    service.clock.advance(TimeDelta::minutes(14));
    service.get("/api/v1/auth/me").token(&person.access).send().await.expect(200);
    service.clock.advance(TimeDelta::minutes(3));
    service.get("/api/v1/auth/me").token(&person.access).send().await.problem(401, "token_expired");
    service.clock.advance(TimeDelta::days(31));
    let body = json!({"refresh_token": person.refresh});
    assert_eq!(service.post("/api/v1/auth/refresh").json(&body).send().await.status, 401);
}

async fn tokens_that_are_none_are_refused(database: TestDatabase) {
    let service = Service::start(database).await;
    let person = service.register("anna").await;
    let missing = service.get("/api/v1/auth/me").send().await;
    missing.problem(401, "unauthenticated");
    assert_eq!(missing.header("www-authenticate"), "Bearer");
    let (head, _) = person.access.rsplit_once('.').expect("three parts");
    let unsigned = format!("{head}.{}", "A".repeat(43));
    for token in ["x", "a.b.c", &person.refresh, &unsigned, &"x".repeat(5000)] {
        let refused = service.get("/api/v1/auth/me").token(token).send().await;
        refused.problem(401, "invalid_token");
        assert_eq!(refused.header("www-authenticate"), "Bearer error=\"invalid_token\"");
    }
    for header in ["", "Bearer", "Bearer ", "Basic YTpi", &person.access] {
        let refused = service.get("/api/v1/auth/me").header("Authorization", header).send().await;
        assert_eq!(refused.status, 401, "{header}");
    }
    let lower = service.get("/api/v1/auth/me").header("Authorization", &format!("bearer {}", person.access));
    lower.send().await.expect(200);
}

async fn an_address_can_be_taken_once(database: TestDatabase) {
    let service = Service::start(database).await;
    let person = service.register("anna").await;
    let body = json!({"email": person.email.to_uppercase(), "password": PASSWORD, "company_name": "Again"});
    service.post("/api/v1/auth/register").json(&body).send().await.problem(409, "email_taken");
}

async fn weak_passwords_are_refused(database: TestDatabase) {
    let service = Service::start(database).await;
    for password in ["short", "password1234", &"x".repeat(129)] {
        let body = json!({"email": "anna@example.com", "password": password, "company_name": "Anna"});
        let refused = service.post("/api/v1/auth/register").json(&body).send().await;
        refused.points_at("/password");
        assert!(!String::from_utf8_lossy(&refused.body).contains(password));
    }
}
