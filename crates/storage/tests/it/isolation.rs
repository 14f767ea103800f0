//! Row-level security alone, asked by the application's role without the help of any repository.

use domain::{clock::Timestamp, ids::SessionId};
use sea_orm::{
    ConnectionTrait as _, DatabaseConnection, DatabaseTransaction, DbBackend, FromQueryResult, Statement,
    TransactionTrait as _,
};
use storage::{
    Db, PoolSettings,
    isolation::{self, TenantTable},
    sessions,
};
use test_support::postgres::PgServer;
use uuid::Uuid;

use crate::fixture::{Database, Member, Shop, Store, at};

/// Two tenants with something in every table, and the application's role.
struct Two {
    store: Store,
    app: DatabaseConnection,
}

impl Two {
    async fn new() -> (Self, Member, Member) {
        let store = Store::postgres().await;
        let mut owners = Vec::new();
        for _ in 0..2 {
            let shop = Shop::new(&store).await;
            shop.fill().await;
            owners.push(shop.owner);
        }
        let app = PoolSettings::new(&store.url, 2).open().await.unwrap();
        let second = owners.pop().unwrap();
        (Self { store, app }, owners.pop().unwrap(), second)
    }

    /// A transaction that has named a tenant.
    async fn within(&self, tenant: Uuid) -> DatabaseTransaction {
        let tx = self.app.begin().await.unwrap();
        run(&tx, &format!("SELECT set_config('app.tenant_id', '{tenant}', true)")).await.unwrap();
        tx
    }
}

async fn run(tx: &impl sea_orm::ConnectionTrait, sql: &str) -> Result<u64, String> {
    let done = tx.execute_raw(Statement::from_string(DbBackend::Postgres, sql)).await;
    done.map(|done| done.rows_affected()).map_err(|error| error.to_string())
}

async fn count(tx: &impl sea_orm::ConnectionTrait, sql: &str) -> i64 {
    let row = tx.query_one_raw(Statement::from_string(DbBackend::Postgres, sql)).await.unwrap().unwrap();
    row.try_get("", "n").unwrap()
}

fn unprotected(tables: &[TenantTable]) -> Vec<&str> {
    tables.iter().filter(|table| !table.is_as_it_must_be()).map(|table| table.name.as_str()).collect()
}

/// Tables whose rows the policies guard.
async fn guarded(store: &Store) -> Vec<String> {
    let tables = isolation::tenant_tables(&store.db).await.unwrap();
    let open = |name: &str| isolation::BEFORE_TENANT.contains(&name);
    tables.into_iter().map(|t| t.name).filter(|name| !open(name)).collect()
}

fn key_of(table: &str) -> &'static str {
    if table == "tenant" { "id" } else { "tenant_id" }
}

#[tokio::test]
async fn every_table_of_a_tenant_is_guarded() {
    let store = Store::postgres().await;
    let tables = isolation::tenant_tables(&store.db).await.unwrap();
    assert!(tables.len() >= 15, "the catalogue was read");
    assert_eq!(unprotected(&tables), Vec::<&str>::new());
    for name in isolation::BEFORE_TENANT {
        let table = tables.iter().find(|t| t.name == name).unwrap();
        assert!(!table.forced, "{name} is guarded after all: it does not belong on the list");
    }

    store.run("CREATE TABLE forgotten (tenant_id uuid NOT NULL)", []).await;
    for policy in [
        "ON product TO st_app USING (true)",
        "ON event FOR INSERT WITH CHECK (true)",
        "ON variant USING (tenant_id = current_setting('app.tenant_id')::uuid OR true)",
        "ON warehouse USING (tenant_id = current_setting('app.tenant_id')::uuid) WITH CHECK (true)",
    ] {
        store.run(&format!("CREATE POLICY generous {policy}"), []).await;
    }
    // Narrower is no fault.
    store.run("CREATE POLICY narrow ON sync_run AS RESTRICTIVE USING (false)", []).await;
    let open = isolation::tenant_tables(&store.db).await.unwrap();
    assert_eq!(unprotected(&open), ["event", "forgotten", "product", "variant", "warehouse"]);
}

#[tokio::test]
async fn every_table_of_a_tenant_has_the_tenant_first_in_its_keys() {
    #[derive(FromQueryResult)]
    struct Key {
        name: String,
    }
    let store = Store::postgres().await;
    // Primary and unique keys, with or without a condition. A partial key over all tenants is `job_live`'s only.
    let sql = "SELECT i.indexrelid::regclass::text AS name FROM pg_index i \
               JOIN pg_class c ON c.oid = i.indrelid JOIN pg_namespace n ON n.oid = c.relnamespace \
               JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum = i.indkey[0] \
               WHERE n.nspname = 'public' AND i.indisunique AND a.attname <> 'tenant_id' \
                 AND EXISTS (SELECT 1 FROM pg_attribute t WHERE t.attrelid = c.oid AND t.attname = 'tenant_id') \
               ORDER BY 1";
    let keys: Vec<String> = store.rows::<Key>(sql, []).await.into_iter().map(|key| key.name).collect();
    assert_eq!(keys, ["job_live", "job_pkey", "session_pkey"]);
}

#[tokio::test]
async fn a_transaction_sees_and_changes_one_tenant_only() {
    let (two, first, second) = Two::new().await;
    for table in guarded(&two.store).await {
        let key = key_of(&table);
        let of = async |tenant: &Member| {
            let sql = format!("SELECT count(*) AS n FROM {table} WHERE {key} = '{}'", tenant.id);
            two.store.number(&sql, []).await
        };
        let (own, foreign) = (of(&first).await, of(&second).await);
        assert!(own > 0 && foreign > 0, "{table} is empty: nothing is proven");

        let all = format!("SELECT count(*) AS n FROM {table}");
        assert_eq!(count(&two.app, &all).await, 0, "{table} without a tenant");
        let tx = two.within(first.id.as_uuid()).await;
        assert_eq!(count(&tx, &all).await, own, "{table} within a tenant");

        if table != "stock_movement" {
            let changed = run(&tx, &format!("UPDATE {table} SET {key} = {key}")).await;
            assert_eq!(changed, Ok(own.unsigned_abs()), "UPDATE {table}");
        }
        drop(tx);
        let outside = run(&two.app, &format!("UPDATE {table} SET {key} = {key}")).await;
        assert!(outside == Ok(0) || table == "stock_movement", "UPDATE {table} outside: {outside:?}");

        // Rows that others refer to can only go with them: that is proven by the tables that refer to them.
        let tx = two.within(first.id.as_uuid()).await;
        match run(&tx, &format!("DELETE FROM {table}")).await {
            Ok(gone) => assert_eq!(gone, own.unsigned_abs(), "DELETE FROM {table}"),
            Err(refused) => assert!(table == "stock_movement", "DELETE FROM {table}: {refused}"),
        }
    }
}

#[tokio::test]
async fn a_row_of_another_tenant_can_be_neither_added_nor_given_away() {
    let (two, first, second) = Two::new().await;
    for table in guarded(&two.store).await {
        let key = key_of(&table);
        let foreign = format!("'{}'", second.id);
        let tx = two.within(first.id.as_uuid()).await;
        let copy = format!(
            "INSERT INTO {table} SELECT (jsonb_populate_record(NULL::{table}, \
             to_jsonb(x) || jsonb_build_object('{key}', {foreign}))).* FROM {table} x"
        );
        let refused = run(&tx, &copy).await.unwrap_err();
        assert!(refused.contains("row-level security"), "{table}: {refused}");
        drop(tx);
        let tx = two.within(first.id.as_uuid()).await;
        let refused = run(&tx, &format!("UPDATE {table} SET {key} = {foreign}")).await.unwrap_err();
        let told = if table == "stock_movement" { "permission denied" } else { "row-level security" };
        assert!(refused.contains(told), "{table}: {refused}");
    }
}

#[tokio::test]
async fn the_ledger_is_only_ever_added_to() {
    let (two, first, _) = Two::new().await;
    for sql in
        ["UPDATE stock_movement SET after = 0", "DELETE FROM stock_movement", "TRUNCATE stock_movement"]
    {
        let tx = two.within(first.id.as_uuid()).await;
        let refused = run(&tx, sql).await.unwrap_err();
        assert!(refused.contains("permission denied"), "{sql}: {refused}");
    }
}

#[tokio::test]
async fn the_application_cannot_change_the_schema_or_switch_the_guard_off() {
    let (two, first, _) = Two::new().await;
    for sql in [
        "ALTER TABLE product DISABLE ROW LEVEL SECURITY",
        "DROP POLICY tenant_rows ON product",
        "CREATE TABLE mine (id int)",
        "SET ROLE st_owner",
    ] {
        assert!(run(&two.app, sql).await.is_err(), "{sql}");
    }
    // This may be said, but it only turns silence into an error.
    let tx = two.within(first.id.as_uuid()).await;
    run(&tx, "SET LOCAL row_security = off").await.unwrap();
    assert!(run(&tx, "SELECT * FROM product").await.is_err());
}

#[tokio::test]
async fn the_tenant_is_forgotten_when_the_transaction_ends() {
    let (two, first, _) = Two::new().await;
    let app = PoolSettings::new(&two.store.url, 1).open().await.unwrap();
    let tx = app.begin().await.unwrap();
    run(&tx, &format!("SELECT set_config('app.tenant_id', '{}', true)", first.id)).await.unwrap();
    assert!(count(&tx, "SELECT count(*) AS n FROM product").await > 0);
    tx.commit().await.unwrap();
    assert_eq!(count(&app, "SELECT count(*) AS n FROM product").await, 0, "on the same connection");
}

#[tokio::test]
async fn the_owner_can_move_data() {
    let (two, _, _) = Two::new().await;
    for table in guarded(&two.store).await {
        let key = key_of(&table);
        let all = two.store.number(&format!("SELECT count(*) AS n FROM {table}"), []).await;
        let moved = two.store.run(&format!("UPDATE {table} SET {key} = {key}"), []).await;
        assert_eq!(moved, all.unsigned_abs(), "{table}");
    }
}

#[tokio::test]
async fn the_context_of_a_session_is_given_for_that_session_only() {
    let (two, first, second) = Two::new().await;
    let mut ids = Vec::new();
    for member in [&first, &second] {
        let id = SessionId::generate();
        let tx = two.store.write(&member.scope).await;
        let new = sessions::NewSession {
            id,
            user_id: member.user,
            user_agent: None,
            address: None,
            token_hash: id.to_string(),
            at: at(0),
            expires_at: at(60),
        };
        sessions::open(&tx, &new).await.unwrap();
        tx.commit().await.unwrap();
        ids.push(id);
    }
    let found = |id: SessionId| {
        let sql = format!("SELECT * FROM session_context('{id}')");
        let app = &two.app;
        async move {
            let rows = app.query_all_raw(Statement::from_string(DbBackend::Postgres, sql)).await.unwrap();
            rows.iter().map(|row| row.try_get::<Uuid>("", "tenant_id").unwrap()).collect::<Vec<_>>()
        }
    };
    assert_eq!(found(ids[0]).await, [first.id.as_uuid()]);
    assert_eq!(found(ids[1]).await, [second.id.as_uuid()]);
    assert_eq!(found(SessionId::generate()).await, Vec::<Uuid>::new());
    let nothing = "SELECT count(*) AS n FROM session_context(NULL)";
    assert_eq!(count(&two.app, nothing).await, 0);
    let expires: Vec<Timestamp> = {
        let sql = format!("SELECT expires_at FROM session_context('{}')", ids[0]);
        let rows = two.app.query_all_raw(Statement::from_string(DbBackend::Postgres, sql)).await.unwrap();
        rows.iter().map(|row| row.try_get("", "expires_at").unwrap()).collect()
    };
    assert_eq!(expires, [at(60)]);
}

/// The function reads past the policies, so it must name the tenant itself.
#[tokio::test]
async fn search_finds_nothing_of_another_tenant() {
    let (two, first, second) = Two::new().await;
    let all = "SELECT count(*) AS n FROM product_search('%')";
    assert_eq!(count(&two.app, all).await, 0, "without a tenant");
    for member in [&first, &second] {
        let tx = two.within(member.id.as_uuid()).await;
        let own = count(&tx, "SELECT count(*) AS n FROM product").await;
        assert!(own > 0);
        assert_eq!(count(&tx, all).await, own);
        let foreign = "SELECT count(*) AS n FROM product_search('%') f \
                       WHERE NOT EXISTS (SELECT 1 FROM product p WHERE p.id = f)";
        assert_eq!(count(&tx, foreign).await, 0);
        // Another table of that name, before the real one on the caller's path, is not what the owner reads.
        for sql in [
            "CREATE TEMPORARY TABLE product_text (tenant_id uuid, product_id uuid, text text)",
            "SET LOCAL search_path = pg_temp, public",
        ] {
            run(&tx, sql).await.unwrap();
        }
        assert_eq!(count(&tx, "SELECT count(*) AS n FROM product_text").await, 0);
        assert_eq!(count(&tx, all).await, own);
    }
    let everyone = "SELECT count(*) AS n FROM pg_proc p WHERE p.pronamespace = 'public'::regnamespace \
                    AND p.prosecdef AND has_function_privilege('public', p.oid, 'EXECUTE')";
    assert_eq!(two.store.number(everyone, []).await, 0, "a function of the owner is granted by name");
}

/// Whoever these are is not stopped by row-level security.
#[tokio::test]
async fn gaps_of_a_superuser_of_the_owner_and_of_a_member_of_the_owner() {
    let store = Store::postgres().await;
    let Database::Postgres(database) = &store.database else { unreachable!("it is PostgreSQL") };
    let as_owner = Db::connect(&PoolSettings::new(database.admin_url(), 1)).await.unwrap();
    let gaps = isolation::role_gaps(&as_owner).await.unwrap();
    assert!(gaps.len() == 1 && gaps[0].contains("owns"), "{gaps:?}");

    let superuser =
        PgServer::shared().unwrap().url().replace("/postgres?", &format!("/{}?", database.name()));
    let as_superuser = Db::connect(&PoolSettings::new(&superuser, 1)).await.unwrap();
    let gaps = isolation::role_gaps(&as_superuser).await.unwrap();
    assert!(gaps.iter().any(|gap| gap.contains("superuser")), "{gaps:?}");
    // The trial sees it too, without being told of roles.
    let shop = Shop::new(&store).await;
    shop.fill().await;
    let faults = isolation::try_out(&as_superuser).await.unwrap().unwrap().faults;
    for fault in [
        "product: rows of other tenants are seen",
        "product: rows are seen outside of every tenant",
        "tenant: rows of another tenant are changed",
        "tenant: rows of another tenant are removed",
        "event: a row is added to another tenant",
    ] {
        assert!(faults.iter().any(|told| told == fault), "{fault} in {faults:?}");
    }
    assert_eq!(store.number("SELECT count(*) AS n FROM tenant", []).await, 1, "nothing of the trial stays");

    // Policies for a role hold for its members too.
    let server = PoolSettings::new(&superuser, 1).open().await.unwrap();
    let name = format!("st_member_{}", uuid::Uuid::now_v7().simple());
    let run = async |sql: String| {
        use sea_orm::ConnectionTrait as _;
        server.execute_unprepared(&sql).await.unwrap();
    };
    run(format!("CREATE ROLE {name} LOGIN PASSWORD 'throw-away' IN ROLE st_owner")).await;
    let as_member = Db::connect(&PoolSettings::new(store.url.replace("st_app", &name), 1)).await.unwrap();
    let gaps = isolation::role_gaps(&as_member).await.unwrap();
    as_member.close().await.unwrap();
    run(format!("DROP ROLE {name}")).await;
    assert!(gaps.iter().any(|gap| gap.contains("owns")), "{gaps:?}");
}

#[tokio::test]
async fn a_trial_finds_no_leak_for_the_application_and_one_where_a_policy_is_missing() {
    let store = Store::postgres().await;
    let shop = Shop::new(&store).await;
    shop.fill().await;
    let all = isolation::tenant_tables(&store.db).await.unwrap().len();
    let trial = isolation::try_out(&store.db).await.unwrap().unwrap();
    assert_eq!((trial.tables, trial.faults), (all - isolation::BEFORE_TENANT.len(), Vec::new()));
    assert_eq!(isolation::role_gaps(&store.db).await.unwrap(), Vec::<String>::new());
    assert_eq!(store.number("SELECT count(*) AS n FROM tenant", []).await, 1, "nothing of the trial stays");

    store.run("ALTER TABLE warehouse DISABLE ROW LEVEL SECURITY", []).await;
    store.run("CREATE POLICY generous ON event USING (true)", []).await;
    let trial = isolation::try_out(&store.db).await.unwrap().unwrap();
    let found = [
        "event: rows of other tenants are seen",
        "warehouse: rows of other tenants are seen",
        "event: a row is added to another tenant",
        "event: rows of another tenant are changed",
        "event: rows of another tenant are removed",
        "event: rows are seen outside of every tenant",
        "warehouse: rows are seen outside of every tenant",
    ];
    assert_eq!(trial.faults, found);
}

#[tokio::test]
async fn a_trial_tells_of_a_tenant_that_does_not_see_its_own() {
    let store = Store::postgres().await;
    store.run("CREATE POLICY narrow ON event AS RESTRICTIVE FOR SELECT USING (false)", []).await;
    let trial = isolation::try_out(&store.db).await.unwrap().unwrap();
    assert_eq!(trial.faults, ["event: a tenant does not see its own row"]);
}

#[tokio::test]
async fn rights_that_are_missing_or_too_many_are_told() {
    let store = Store::postgres().await;
    assert_eq!(isolation::wrong_rights(&store.db).await.unwrap(), Vec::<String>::new());
    for sql in [
        "GRANT TRUNCATE ON product TO PUBLIC",
        "GRANT DELETE ON stock_movement TO PUBLIC",
        "GRANT CREATE ON SCHEMA public TO PUBLIC",
        "REVOKE SELECT ON sync_overview FROM st_app",
        "REVOKE EXECUTE ON FUNCTION session_context(uuid) FROM st_app",
        "DROP VIEW account_overview",
        "CREATE TABLE of_somebody_else (id int)",
        "GRANT ALL ON of_somebody_else TO PUBLIC",
    ] {
        store.run(sql, []).await;
    }
    let told = isolation::wrong_rights(&store.db).await.unwrap();
    let expected = [
        "CREATE on schema public is too much",
        "DELETE on stock_movement is too much",
        "EXECUTE on session_context(uuid) is missing",
        "SELECT on sync_overview is missing",
        "TRUNCATE on product is too much",
        "account_overview is not there",
    ];
    assert_eq!(told, expected);
}

#[tokio::test]
async fn sqlite_has_nothing_to_find() {
    let store = Store::sqlite().await;
    assert_eq!(isolation::tenant_tables(&store.db).await.unwrap(), Vec::new());
    assert_eq!(isolation::role_gaps(&store.db).await.unwrap(), Vec::<String>::new());
    assert_eq!(isolation::wrong_rights(&store.db).await.unwrap(), Vec::<String>::new());
    assert_eq!(isolation::try_out(&store.db).await.unwrap(), None);
}
