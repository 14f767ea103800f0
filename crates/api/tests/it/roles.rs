//! Who may do what: every operation, for every role.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use test_support::{database::TestDatabase, on_each_database};

use crate::{
    documents::{is_secured, operations},
    service::Service,
};

on_each_database!(each_role_may_do_what_it_should_and_no_more);

/// From the least to the greatest.
const ROLES: [&str; 4] = ["viewer", "member", "admin", "owner"];

/// The least role that may call an operation that does more than read.
fn least_role(operation: &str) -> &'static str {
    match operation {
        "syncMarketplaceAccount" | "syncProducts" | "cancelSync" | "importProducts" | "importStock" => {
            "member"
        }
        "connectMarketplaceAccount"
        | "changeMarketplaceAccount"
        | "removeMarketplaceAccount"
        | "verifyMarketplaceAccount" => "admin",
        "changeTenant" => "owner",
        "logout" => "viewer",
        _ => panic!("{operation} does more than read; say here who may"),
    }
}

fn body(operation: &str) -> Option<Value> {
    match operation {
        "connectMarketplaceAccount" => {
            Some(json!({"marketplace": "nowhere", "name": "A", "credentials": {}}))
        }
        "changeMarketplaceAccount" | "changeTenant" => Some(json!({"name": "A"})),
        _ => None,
    }
}

async fn each_role_may_do_what_it_should_and_no_more(database: TestDatabase) {
    let service = Service::start(database).await;
    let people: BTreeMap<&str, _> = {
        let mut people = BTreeMap::new();
        for role in ROLES {
            let person = service.register(role).await;
            service.set_role(&person, role).await;
            let me = service.get("/api/v1/auth/me").token(&person.access).send().await.expect(200);
            assert_eq!(me["user"]["role"], role);
            people.insert(role, person);
        }
        people
    };
    for (name, operation) in operations(service.document()) {
        let id = operation["operationId"].as_str().expect("an id");
        if !is_secured(operation) || id == "logout" {
            continue;
        }
        let (method, path) = name.split_once(' ').expect("method and path");
        let path = path.replace("{id}", "0199c0de-0000-7000-8000-000000000000");
        let least = if method == "GET" { "viewer" } else { least_role(id) };
        for (standing, role) in ROLES.into_iter().enumerate() {
            let call = service.call(method, &path).token(&people[role].access);
            let answer = match body(id) {
                Some(body) => call.json(&body).send().await,
                None => call.send().await,
            };
            if ROLES[..=standing].contains(&least) {
                assert!(![401, 403, 500].contains(&answer.status), "{name} as {role}: {}", answer.status);
            } else {
                answer.problem(403, "forbidden");
            }
        }
    }
}
