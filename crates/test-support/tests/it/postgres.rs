use std::io;
use std::sync::atomic::{AtomicUsize, Ordering};

use sqlx::postgres::PgConnection;
use sqlx::{Connection, Executor};
use test_support::postgres::{PgDatabase, PgServer};
use uuid::Uuid;

async fn exists(database: &str) -> bool {
    let server = PgServer::shared().expect("a server");
    let mut superuser = PgConnection::connect(server.url()).await.expect("a connection");
    sqlx::query_scalar("SELECT EXISTS (SELECT FROM pg_database WHERE datname = $1)")
        .bind(database)
        .fetch_one(&mut superuser)
        .await
        .expect("an answer")
}

#[tokio::test]
async fn a_server_of_its_own_ends_when_dropped() {
    let server = PgServer::start().unwrap();
    let url = server.url().to_owned();
    let mut connection = PgConnection::connect(&url).await.unwrap();
    let folder: String =
        sqlx::query_scalar("SHOW unix_socket_directories").fetch_one(&mut connection).await.unwrap();
    let lowered: String =
        sqlx::query_scalar("SELECT lower('КРОССОВКИ')").fetch_one(&mut connection).await.unwrap();
    assert_eq!(lowered, "кроссовки", "the locale knows more than ASCII");

    drop(server);
    assert!(PgConnection::connect(&url).await.is_err());
    assert!(!std::path::Path::new(&folder).exists());
}

#[tokio::test]
async fn the_application_role_reads_only_what_the_owner_grants() {
    let database = PgDatabase::create("roles", None).await.unwrap();
    let mut owner = PgConnection::connect(database.admin_url()).await.unwrap();
    let mut application = PgConnection::connect(database.app_url()).await.unwrap();

    owner.execute("CREATE TABLE quote (n int); INSERT INTO quote VALUES (7)").await.unwrap();
    let select = "SELECT n FROM quote";
    assert!(sqlx::query_scalar::<_, i32>(select).fetch_one(&mut application).await.is_err());
    assert!(application.execute("CREATE TABLE mine (n int)").await.is_err());

    owner.execute("GRANT SELECT ON quote TO st_app").await.unwrap();
    assert_eq!(database.app_role(), "st_app");
    assert_eq!(sqlx::query_scalar::<_, i32>(select).fetch_one(&mut application).await.unwrap(), 7);

    owner
        .execute("ALTER TABLE quote ENABLE ROW LEVEL SECURITY; ALTER TABLE quote FORCE ROW LEVEL SECURITY")
        .await
        .unwrap();
    let count = "SELECT count(*) FROM quote";
    for role in [&mut owner, &mut application] {
        let seen: i64 = sqlx::query_scalar(count).fetch_one(&mut *role).await.unwrap();
        assert_eq!(seen, 0, "neither role gets around row-level security");
    }
}

#[tokio::test]
async fn a_database_is_removed_even_when_it_is_in_use() {
    let database = PgDatabase::create("A hint, with 'quotes' and more text than a name can hold", None).await;
    let database = database.unwrap();
    let name = database.name().to_owned();
    let _open = PgConnection::connect(database.app_url()).await.unwrap();
    assert!(exists(&name).await);
    drop(database);
    assert!(!exists(&name).await);
}

#[tokio::test]
async fn a_template_is_prepared_once_and_cloned_with_its_rights() {
    let server = PgServer::shared().unwrap();
    let key = format!("once-{}", Uuid::now_v7());
    let prepared = AtomicUsize::new(0);
    let prepare = async |database: &PgDatabase| {
        prepared.fetch_add(1, Ordering::SeqCst);
        let mut owner = PgConnection::connect(database.admin_url()).await?;
        let schema =
            "CREATE TABLE quote (n int); INSERT INTO quote VALUES (7); GRANT SELECT ON quote TO st_app";
        owner.execute(schema).await?;
        // Left open on purpose.
        std::mem::forget(owner);
        Ok::<_, sqlx::Error>(())
    };
    let (first, second) = tokio::join!(server.template(&key, prepare), server.template(&key, prepare));
    let template = first.unwrap();
    assert_eq!(second.unwrap(), template);
    assert_eq!(prepared.load(Ordering::SeqCst), 1);

    let (one, other) = tokio::join!(
        PgDatabase::create("clone", Some(&template)),
        PgDatabase::create("clone", Some(&template))
    );
    let (one, other) = (one.unwrap(), other.unwrap());
    let mut owner = PgConnection::connect(one.admin_url()).await.unwrap();
    owner.execute("UPDATE quote SET n = 8").await.unwrap();
    let mut application = PgConnection::connect(other.app_url()).await.unwrap();
    let untouched: i32 = sqlx::query_scalar("SELECT n FROM quote").fetch_one(&mut application).await.unwrap();
    assert_eq!(untouched, 7);
}

#[tokio::test]
async fn a_template_that_fails_leaves_nothing_and_may_be_tried_again() {
    let server = PgServer::shared().unwrap();
    let key = format!("fails-{}", Uuid::now_v7());
    let mut draft = String::new();
    let failed = server
        .template(&key, async |database: &PgDatabase| {
            draft = database.name().to_owned();
            Err(io::Error::other("no schema today"))
        })
        .await;
    assert!(failed.unwrap_err().to_string().contains("no schema today"));
    assert!(!exists(&draft).await);

    let template = server.template(&key, async |_: &PgDatabase| Ok::<_, io::Error>(())).await.unwrap();
    assert!(exists(&template).await);
}
