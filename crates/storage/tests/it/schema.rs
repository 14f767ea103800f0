//! The schema, and whether the program may run on it.

use migrations::{Migrator, MigratorTrait as _};
use storage::{
    Db, PoolSettings,
    schema::{self, Unfit},
};
use test_support::postgres::PgServer;

use crate::fixture::{Database, Store, on_both_databases};

on_both_databases!(a_migrated_database_is_fit);

async fn a_migrated_database_is_fit(store: &Store) {
    schema::check_current(&store.db).await.unwrap();
    schema::ping(&store.db).await.unwrap();
    assert_eq!(schema::isolation_gaps(&store.db).await.unwrap(), Vec::<String>::new());
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

/// Whoever these are is not stopped by row-level security.
#[tokio::test]
async fn gaps_of_a_superuser_of_the_owner_and_of_a_member_of_the_owner() {
    let store = Store::postgres().await;
    let Database::Postgres(database) = &store.database else { unreachable!("it is PostgreSQL") };
    let as_owner = Db::connect(&PoolSettings::new(database.admin_url(), 1)).await.unwrap();
    let gaps = schema::isolation_gaps(&as_owner).await.unwrap();
    assert!(gaps.len() == 1 && gaps[0].contains("owns"), "{gaps:?}");

    let superuser =
        PgServer::shared().unwrap().url().replace("/postgres?", &format!("/{}?", database.name()));
    let as_superuser = Db::connect(&PoolSettings::new(&superuser, 1)).await.unwrap();
    let gaps = schema::isolation_gaps(&as_superuser).await.unwrap();
    assert!(gaps.iter().any(|gap| gap.contains("superuser")), "{gaps:?}");

    // Policies for a role hold for its members too.
    let server = PoolSettings::new(&superuser, 1).open().await.unwrap();
    let name = format!("st_member_{}", uuid::Uuid::now_v7().simple());
    let run = async |sql: String| {
        use sea_orm::ConnectionTrait as _;
        server.execute_unprepared(&sql).await.unwrap();
    };
    run(format!("CREATE ROLE {name} LOGIN PASSWORD 'throw-away' IN ROLE st_owner")).await;
    let as_member = Db::connect(&PoolSettings::new(store.url.replace("st_app", &name), 1)).await.unwrap();
    let gaps = schema::isolation_gaps(&as_member).await.unwrap();
    as_member.close().await.unwrap();
    run(format!("DROP ROLE {name}")).await;
    assert!(gaps.iter().any(|gap| gap.contains("owns")), "{gaps:?}");
}
