//! Reading which warehouse sends which line.

use domain::reading::Assembly;
use serde_json::json;

use crate::{
    server::{Reply, Server},
    support::{NOW, Reading, World, at, read_all},
};

const DAY: i64 = 86_400;

async fn read(server: &Server, from: &str) -> Reading<Assembly> {
    let world = World::new(server.url());
    read_all(async |position| world.account("s").assemblies(at(from), position.as_ref()).await).await.unwrap()
}

#[tokio::test]
async fn every_stretch_is_paged_to_its_end() {
    // Two pages in each stretch, the second of which says that there is no more.
    let server = Server::start(|asked| {
        assert_eq!(asked.query["limit"], "1000");
        let (next, first) = if asked.query["next"] == "0" { (17, true) } else { (0, false) };
        let rid = format!("{}-{first}", asked.query["dateFrom"]);
        let mut orders: Vec<_> =
            (0..100).map(|n| json!({ "id": n, "rid": format!("{rid}-{n}"), "warehouseId": 42 })).collect();
        orders[7]["rid"] = json!("");
        Reply::json(&json!({ "next": next, "orders": orders }))
    });
    let reading = read(&server, "2026-10-01T00:00:00Z").await;
    assert_eq!((reading.rows.len(), reading.failed, reading.pages), (396, 4, 4));
    assert!(reading.rows.iter().all(|row| row.warehouse_external_id == "42"));

    let number = |text: &String| text.parse::<i64>().unwrap();
    let stretches: Vec<_> =
        server.asked().iter().map(|a| (number(&a.query["dateFrom"]), number(&a.query["dateTo"]))).collect();
    assert_eq!(stretches[0], stretches[1]);
    assert_eq!(stretches[1].1, stretches[2].0, "without a gap");
    assert_eq!(stretches[3].1, at(NOW).timestamp());
    assert!(stretches.iter().all(|(from, to)| to - from <= 30 * DAY));
}

#[tokio::test]
async fn the_marketplace_is_not_asked_for_what_it_no_longer_has() {
    let server = Server::start(|_| Reply::json(&json!({ "next": 99, "orders": [] })));
    let reading = read(&server, "2020-01-01T00:00:00Z").await;
    assert!(reading.rows.is_empty());
    let first = server.asked()[0].query["dateFrom"].parse::<i64>().unwrap();
    assert_eq!(at(NOW).timestamp() - first, 89 * DAY);
    assert_eq!(reading.pages, 4);
}
