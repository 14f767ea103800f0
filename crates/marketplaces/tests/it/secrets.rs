//! A token goes to the marketplace and nowhere else.

use std::{
    io::Write,
    sync::{Arc, Mutex},
};

use marketplaces::CatalogueScope;
use tracing_subscriber::{filter::LevelFilter, fmt::MakeWriter};

use crate::{
    server::{Reply, Server},
    support::World,
};

// secret-scan: allow (made up; the test looks for it in logs)
const TOKEN: &str = "eyJhbGciOiJFUzI1NiJ9.eyJhY2MiOjMsInNpZCI6InNlbGxlciJ9.c2lnbmF0dXJlLW9mLXRoZS10b2tlbg";

/// Everything that was logged.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for Log {
    type Writer = Self;

    fn make_writer(&'a self) -> Self {
        self.clone()
    }
}

#[tokio::test]
async fn a_token_is_in_no_log_and_no_error() {
    let log = Log::default();
    let subscriber =
        tracing_subscriber::fmt().with_max_level(LevelFilter::TRACE).with_writer(log.clone()).finish();
    let _guard = tracing::subscriber::set_default(subscriber);
    let parts: Vec<_> = TOKEN.split('.').chain([TOKEN]).collect();
    for status in [400, 401, 403, 404, 418, 500] {
        // A marketplace that quotes the token in its complaint.
        let complaint = format!(r#"{{"title":"no","detail":"bad token {TOKEN}"}}"#);
        let server = Server::start(move |_| Reply::new(status, "application/json", &complaint));
        let account = World::new(server.url()).connect(TOKEN);
        let error = account.products(&CatalogueScope::Full, None).await.unwrap_err();
        let shown = format!("{error} {error:?} {} {}", error.code(), error.seller_message());
        assert!(parts.iter().all(|part| !shown.contains(part)), "{shown}");
        assert_eq!(server.asked()[0].authorization, TOKEN);
    }
    let log = String::from_utf8(log.0.lock().unwrap().clone()).unwrap();
    assert!(log.contains("marketplace call failed"), "the log was heard");
    assert!(parts.iter().all(|part| !log.contains(part)));
}
