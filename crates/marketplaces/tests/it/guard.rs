//! The guard against private addresses, on a real client.

use marketplaces::http::guard::{Guard, Refused};
use serde_json::json;

use crate::{
    server::{Reply, Server},
    support,
};

#[tokio::test]
async fn a_name_that_leads_inside_is_not_connected_to() {
    support::install_tls();
    let server = Server::start(|_| Reply::json(&json!({})));
    let mut inside = server.url();
    inside.set_host(Some("localhost")).unwrap();
    let client =
        |allow_private| Guard::new(allow_private).install(reqwest::Client::builder()).build().unwrap();

    let refused = client(false).get(inside.clone()).send().await.unwrap_err();
    let mut cause: &dyn std::error::Error = &refused;
    while let Some(deeper) = cause.source() {
        cause = deeper;
    }
    assert_eq!(cause.to_string(), Refused::NotPublic.to_string());
    assert!(server.asked().is_empty());

    assert!(client(true).get(inside).send().await.unwrap().status().is_success());
}
