//! The schema, and whether the program may run on it.

use migrations::{Migrator, MigratorTrait as _};
use storage::{
    Db, PoolSettings,
    schema::{self, Unfit},
};

use crate::fixture::{Database, Store, on_both_databases};

on_both_databases!(a_migrated_database_is_fit);

async fn a_migrated_database_is_fit(store: &Store) {
    schema::check_current(&store.db).await.unwrap();
    schema::ping(&store.db).await.unwrap();
    let same = schema::compare(&store.db).await.unwrap();
    assert!(same.missing.is_empty() && same.unknown.is_empty(), "{same:?}");
    store
        .run(
            "INSERT INTO seaql_migrations (version, applied_at) VALUES ('m29990101_000001_of_tomorrow', 0)",
            [],
        )
        .await;
    schema::check_current(&store.db).await.unwrap();
    assert_eq!(schema::compare(&store.db).await.unwrap().unknown, ["m29990101_000001_of_tomorrow"]);
}

async fn refuses_what_is_too_old(store: Store) {
    let all = Migrator::migrations().len();
    let refused = schema::check_current(&store.db).await.unwrap_err();
    assert!(matches!(refused, Unfit::Old { missing } if missing == all), "{refused}");

    Migrator::up(&store.owner, Some(2)).await.unwrap();
    // The application has no rights yet; and a connection of its own would remember the schema it saw.
    let url = match &store.database {
        Database::Sqlite(file) => file.url(),
        Database::Postgres(database) => database.admin_url().to_owned(),
    };
    let db = Db::connect(&PoolSettings::new(url, 1)).await.unwrap();
    let refused = schema::check_current(&db).await.unwrap_err();
    assert!(matches!(refused, Unfit::Old { missing } if missing == all - 2), "{refused}");
    assert!(refused.to_string().contains("stock-tracker migrate"), "{refused}");

    Migrator::up(&store.owner, None).await.unwrap();
    schema::check_current(&db).await.unwrap();
}

#[tokio::test]
async fn sqlite_refuses_what_is_too_old() {
    refuses_what_is_too_old(Store::empty_sqlite().await).await;
}

#[tokio::test]
async fn postgres_refuses_what_is_too_old() {
    refuses_what_is_too_old(Store::empty_postgres().await).await;
}
