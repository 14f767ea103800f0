//! Whether the database itself keeps tenants apart: the role, the policies, the rights, and a trial.
//!
//! PostgreSQL only. SQLite has neither roles nor policies, and all of this finds nothing there.

use std::collections::BTreeSet;

use domain::ids::TenantId;
use sea_orm::{
    ConnectionTrait as _, DatabaseTransaction, DbBackend, DbErr, FromQueryResult, Statement,
    TransactionTrait as _,
};
use uuid::Uuid;

use crate::{
    db::{self, Db, Reason},
    error::Error,
};

/// Tables with a `tenant_id` that are read before a tenant is known and so have no row-level security. Every other
/// table with a `tenant_id` must have it.
pub const BEFORE_TENANT: [&str; 4] = ["account_schedule", "job", "membership", "session"];

/// A role of the server.
#[derive(Debug, Clone, PartialEq, Eq, FromQueryResult)]
pub struct Role {
    /// Its name.
    pub name: String,
    /// Whether it may do everything.
    pub is_superuser: bool,
    /// Whether it has `BYPASSRLS`.
    pub bypasses: bool,
    /// Whether it owns tables, or is a member of the role that does: then the owner's policies hold for it.
    pub owns: bool,
}

impl Role {
    /// What stands in the way of row-level security holding for it.
    pub fn gaps(&self) -> Vec<String> {
        let name = &self.name;
        [
            (self.is_superuser, format!("role {name} is a superuser")),
            (self.bypasses, format!("role {name} has BYPASSRLS")),
            (self.owns, format!("role {name} owns tables, or is a member of the role that does")),
        ]
        .into_iter()
        .filter_map(|(stands, gap)| stands.then_some(gap))
        .collect()
    }
}

/// The role that this pool works as; none on SQLite.
pub async fn role(db: &Db) -> Result<Option<Role>, Error> {
    let sql = "SELECT rolname::text AS name, rolsuper AS is_superuser, rolbypassrls AS bypasses, \
               EXISTS (SELECT 1 FROM pg_tables WHERE schemaname = 'public' \
                       AND pg_has_role(rolname, tableowner, 'MEMBER')) AS owns \
               FROM pg_roles WHERE rolname = current_user";
    Ok(rows(db, sql).await?.pop())
}

/// What stands in the way of row-level security holding for the role that this pool works as.
pub async fn role_gaps(db: &Db) -> Result<Vec<String>, Error> {
    Ok(role(db).await?.map(|role| role.gaps()).unwrap_or_default())
}

/// A table whose rows belong to tenants, and what guards them.
#[derive(Debug, Clone, PartialEq, Eq, FromQueryResult)]
pub struct TenantTable {
    /// Its name.
    pub name: String,
    /// Whether row-level security is switched on, for its owner too.
    pub forced: bool,
    /// Whether the application sees the rows of the tenant that the transaction has named, and no policy shows it more.
    pub for_the_application: bool,
    /// Whether the owner, who migrates and backs up, sees every row.
    pub for_the_owner: bool,
}

impl TenantTable {
    /// Whether all is as it must be: guarded, or read before a tenant is known.
    pub fn is_as_it_must_be(&self) -> bool {
        let is_guarded = self.forced && self.for_the_application && self.for_the_owner;
        is_guarded || BEFORE_TENANT.contains(&self.name.as_str())
    }
}

/// Every table with a `tenant_id`, and the tenants themselves, by name.
pub async fn tenant_tables(db: &Db) -> Result<Vec<TenantTable>, Error> {
    // What a policy lets through is the tenant that the transaction has named, by that expression and no other beside it.
    let guards =
        |expression: &str| format!("{expression} LIKE '%app.tenant_id%' AND {expression} NOT LIKE '% OR %'");
    let (seen, written) = ("pg_get_expr(p.polqual, p.polrelid)", "pg_get_expr(p.polwithcheck, p.polrelid)");
    let (guards_seen, guards_written) = (guards(seen), guards(written));
    let sql = format!(
        "SELECT c.relname::text AS name, c.relrowsecurity AND c.relforcerowsecurity AS forced, \
         EXISTS (SELECT 1 FROM pg_policy p WHERE p.polrelid = c.oid AND p.polcmd = '*' AND p.polpermissive \
           AND p.polroles = ARRAY[0]::oid[] AND {guards_seen}) \
         AND NOT EXISTS (SELECT 1 FROM pg_policy p WHERE p.polrelid = c.oid AND p.polpermissive \
           AND p.polroles <> ARRAY[c.relowner] \
           AND NOT (COALESCE({guards_seen}, {written} IS NOT NULL) AND COALESCE({guards_written}, {seen} IS NOT NULL))) \
         AS for_the_application, \
         EXISTS (SELECT 1 FROM pg_policy p WHERE p.polrelid = c.oid AND p.polroles = ARRAY[c.relowner] \
           AND {seen} = 'true') AS for_the_owner \
         FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace \
         WHERE n.nspname = 'public' AND c.relkind IN ('r', 'p') AND (c.relname = 'tenant' OR EXISTS ( \
           SELECT 1 FROM pg_attribute a WHERE a.attrelid = c.oid AND a.attname = 'tenant_id' \
           AND NOT a.attisdropped)) ORDER BY c.relname"
    );
    rows(db, &sql).await
}

/// Rights that the application's role lacks or has too many of.
pub async fn wrong_rights(db: &Db) -> Result<Vec<String>, Error> {
    if db.backend() != DbBackend::Postgres {
        return Ok(Vec::new());
    }
    Ok(migrations::grants::differences(db.system_pool(Reason::Health)).await?)
}

/// What a trial of row-level security has shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Trial {
    /// In how many tables rows of others were looked for.
    pub tables: usize,
    /// Where rows of a tenant were seen or written by somebody else, or not seen by itself.
    pub faults: Vec<String>,
}

/// Tries, as the application's role, whether rows of tenants can be reached from another tenant and from none: those that
/// are there by looking, and those of a tenant that is made for it by writing too. Nothing of it stays, and it waits for
/// nobody long. None on SQLite.
pub async fn try_out(db: &Db) -> Result<Option<Trial>, Error> {
    if db.backend() != DbBackend::Postgres {
        return Ok(None);
    }
    let tables: Vec<String> = tenant_tables(db).await?.into_iter().map(|table| table.name).collect();
    let guarded: BTreeSet<&str> =
        tables.iter().map(String::as_str).filter(|name| !BEFORE_TENANT.contains(name)).collect();
    let tx = db.system(Reason::Health).await?;
    // A migration under way is not waited for, and must not wait.
    for limit in ["lock_timeout = '2s'", "statement_timeout = '5s'"] {
        run(tx.inner(), &format!("SET LOCAL {limit}")).await?;
    }
    // Not committed: dropped, or rolled back at the end, it never happened.
    let faults = faults(tx.inner(), &guarded).await?;
    tx.roll_back().await?;
    Ok(Some(Trial { tables: guarded.len(), faults }))
}

async fn faults(tx: &DatabaseTransaction, guarded: &BTreeSet<&str>) -> Result<Vec<String>, Error> {
    let (first, second) = (TenantId::generate(), TenantId::generate());
    db::enter(tx, first).await?;
    for sql in planted(first.as_uuid()) {
        run(tx, &sql).await?;
    }
    let own = [("tenant", "id"), ("event", "tenant_id")];
    let mut faults = Vec::new();
    for (table, key) in own {
        if count(tx, &format!("SELECT count(*) AS n FROM {table} WHERE {key} = '{first}'")).await? != 1 {
            faults.push(format!("{table}: a tenant does not see its own row"));
        }
    }

    db::enter(tx, second).await?;
    for table in guarded {
        // Nobody has this id: whatever is seen is somebody else's.
        if count(tx, &format!("SELECT count(*) AS n FROM (SELECT 1 FROM {table} LIMIT 1) AS seen")).await? > 0
        {
            faults.push(format!("{table}: rows of other tenants are seen"));
        }
    }
    let foreign = event_of(first.as_uuid());
    let mut attempts = vec![("event: a row is added to another tenant".to_owned(), foreign)];
    for (table, key) in own {
        let change = format!("UPDATE {table} SET {key} = {key} WHERE {key} = '{first}'");
        attempts.push((format!("{table}: rows of another tenant are changed"), change));
        let removal = format!("DELETE FROM {table} WHERE {key} = '{first}'");
        attempts.push((format!("{table}: rows of another tenant are removed"), removal));
    }
    for (fault, sql) in attempts {
        // By itself: a refusal ends the transaction, and what one changes must not help the next.
        let attempt = tx.begin().await?;
        match run(&attempt, &sql).await {
            Ok(0) => {}
            Ok(_) => faults.push(fault),
            Err(error) if error.is_refusal() => {}
            Err(error) => return Err(error),
        }
        attempt.rollback().await?;
    }

    run(tx, "SELECT set_config('app.tenant_id', '', true)").await?;
    for table in guarded {
        if count(tx, &format!("SELECT count(*) AS n FROM (SELECT 1 FROM {table} LIMIT 1) AS seen")).await? > 0
        {
            faults.push(format!("{table}: rows are seen outside of every tenant"));
        }
    }
    Ok(faults)
}

/// A tenant and something of its own.
fn planted(tenant: Uuid) -> [String; 2] {
    [
        format!(
            "INSERT INTO tenant (id, name, slug, zone, locale, low_stock_units, sync_interval_minutes, created_at) \
             VALUES ('{tenant}', 'Trial', 'trial-{tenant}', 'UTC', 'en', 0, 60, now())"
        ),
        event_of(tenant),
    ]
}

fn event_of(tenant: Uuid) -> String {
    let id = Uuid::now_v7();
    format!(
        "INSERT INTO event (tenant_id, id, at, name, payload) VALUES ('{tenant}', '{id}', now(), 'trial', '{{}}')"
    )
}

async fn run(tx: &DatabaseTransaction, sql: &str) -> Result<u64, Error> {
    Ok(tx.execute_raw(Statement::from_string(DbBackend::Postgres, sql)).await?.rows_affected())
}

async fn count(tx: &DatabaseTransaction, sql: &str) -> Result<i64, Error> {
    let row = tx.query_one_raw(Statement::from_string(DbBackend::Postgres, sql)).await?;
    let row = row.ok_or_else(|| DbErr::RecordNotFound("a count has no row".into()))?;
    Ok(row.try_get("", "n")?)
}

async fn rows<T: FromQueryResult>(db: &Db, sql: &str) -> Result<Vec<T>, Error> {
    if db.backend() != DbBackend::Postgres {
        return Ok(Vec::new());
    }
    let statement = Statement::from_string(DbBackend::Postgres, sql);
    Ok(T::find_by_statement(statement).all(db.system_pool(Reason::Health)).await?)
}
