use std::io::{Read, Write};
use std::net::TcpStream;

use test_support::redis::{RedisServer, shared_url};

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
fn the_shared_server_is_one_and_answers() {
    let url = shared_url().unwrap();
    assert_eq!(shared_url().unwrap(), url);
    assert_eq!(ask(&url, "PING").unwrap(), "+PONG\r\n");
}
