//! A sync that fails for a fault on our side.

use std::{
    io::Write,
    sync::{Arc, Mutex},
};

use domain::sync::SyncState;
use sea_orm::{ConnectionTrait as _, Database};
use test_support::database::TestDatabase;
use tracing_subscriber::fmt::MakeWriter;

use crate::product::Product;

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

/// The seller is told that we have been told.
#[tokio::test]
async fn the_operator_is_told_by_an_error() {
    let log = Log::default();
    let subscriber = tracing_subscriber::fmt().with_ansi(false).with_writer(log.clone()).finish();
    let _guard = tracing::subscriber::set_default(subscriber);
    let database = TestDatabase::sqlite().await;
    let owner = Database::connect(database.owner_url()).await.unwrap();
    let product = Product::start(database).await;
    let tenant = product.tenant(0).await;
    product.carry_all().await;
    owner.execute_unprepared("ALTER TABLE stock_level RENAME TO stock_level_away").await.unwrap();
    let run = product.sync(&tenant).await;
    assert_eq!(run.state, SyncState::Failed);
    assert!(run.error.unwrap().message.ends_with("and we have been told."));
    let log = String::from_utf8(log.0.lock().unwrap().clone()).unwrap();
    let told: Vec<_> = log.lines().filter(|line| line.contains("a sync is given up")).collect();
    let [told] = told.as_slice() else { panic!("{log}") };
    assert!(told.contains("ERROR") && told.contains("stock_level"), "{told}");
}
