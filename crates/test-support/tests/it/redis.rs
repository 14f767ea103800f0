use std::io::{Read, Write};
use std::net::TcpStream;

use test_support::redis::{RedisServer, shared_url};
use test_support::redis_cluster::{RedisCluster, shared_urls};
use test_support::redis_sentinel::RedisSentinel;

/// Sends one inline command and returns the first bytes of the answer.
fn ask(url: &str, command: &str) -> std::io::Result<String> {
    let mut stream = TcpStream::connect(url.trim_start_matches("redis://"))?;
    stream.write_all(format!("{command}\r\n").as_bytes())?;
    let mut answer = [0; 64];
    let length = stream.read(&mut answer)?;
    Ok(String::from_utf8_lossy(&answer[..length]).into_owned())
}

#[test]
fn a_server_can_be_stopped_and_started_on_its_port() {
    let mut server = RedisServer::spawn().unwrap();
    let url = server.url();
    assert_eq!(ask(&url, "SET colour red").unwrap(), "+OK\r\n");

    server.stop().unwrap();
    server.stop().unwrap();
    assert!(ask(&url, "PING").is_err());

    server.start().unwrap();
    server.start().unwrap();
    assert_eq!(server.url(), url);
    assert_eq!(ask(&url, "EXISTS colour").unwrap(), ":0\r\n", "nothing is kept over a stop");

    drop(server);
    assert!(ask(&url, "PING").is_err());
}

#[test]
fn a_server_that_was_told_to_hold_still_ends_with_its_owner() {
    let server = RedisServer::spawn().unwrap();
    let url = server.url();
    server.pause().unwrap();
    drop(server);
    assert!(ask(&url, "PING").is_err());
}

#[test]
fn the_shared_server_is_one_and_answers() {
    let url = shared_url().unwrap();
    assert_eq!(shared_url().unwrap(), url);
    assert_eq!(ask(&url, "PING").unwrap(), "+PONG\r\n");
}

#[test]
fn the_shared_cluster_is_one_and_has_three_masters_that_send_strangers_on() {
    let urls = shared_urls().unwrap();
    assert_eq!(shared_urls().unwrap(), urls);
    let answers: Vec<_> = urls.iter().map(|url| ask(url, "SET colour red").unwrap()).collect();
    assert_eq!(answers.iter().filter(|answer| *answer == "+OK\r\n").count(), 1, "{answers:?}");
    assert_eq!(answers.iter().filter(|answer| answer.starts_with("-MOVED ")).count(), 2, "{answers:?}");
}

#[test]
fn a_cluster_of_ones_own_ends_with_its_owner() {
    let cluster = RedisCluster::spawn().unwrap();
    let urls = cluster.urls();
    assert!(urls.iter().all(|url| ask(url, "PING").unwrap() == "+PONG\r\n"));
    drop(cluster);
    assert!(urls.iter().all(|url| ask(url, "PING").is_err()));
}

#[test]
fn sentinels_make_the_replica_a_master_when_they_are_told_to_look() {
    let mut watched = RedisSentinel::spawn().unwrap();
    let [first, second] = [watched.first().url(), watched.second().url()];
    assert_eq!(ask(&first, "SET colour red").unwrap(), "+OK\r\n");
    assert!(ask(&second, "SET colour blue").unwrap().starts_with("-READONLY "));
    watched.kill_first().unwrap();
    assert!(ask(&second, "SET colour blue").unwrap().starts_with("-READONLY "));
    watched.fail_over().unwrap();
    assert_eq!(ask(&second, "SET colour blue").unwrap(), "+OK\r\n");
}
