//! What the application role may do, and no more. PostgreSQL only.
//!
//! The role itself is made by the operator. It owns nothing and cannot change the schema.

use sea_orm_migration::sea_orm::{ConnectionTrait, DbErr, Statement};

/// Tables the application reads and writes row by row.
const READ_WRITE: [&str; 24] = [
    "account_reading",
    "account_schedule",
    "event",
    "idempotent_request",
    "identity",
    "job",
    "marketplace_account",
    "membership",
    "order_day",
    "order_line",
    "product",
    "product_text",
    "refresh_token",
    "schedule_tick",
    "seller_limit",
    "session",
    "stock_level",
    "stock_reading",
    "sync_run",
    "sync_step",
    "tenant",
    "variant",
    "variant_barcode",
    "warehouse",
];

/// Tables that are only ever added to.
const APPEND_ONLY: [&str; 1] = ["stock_movement"];

/// Views that are only read.
const READ_ONLY: [&str; 3] = ["account_overview", "product_overview", "sync_overview"];

/// Functions that the application calls.
const FUNCTIONS: [&str; 2] = ["session_context(uuid)", "product_search(text)"];

/// What can be granted on a table.
const RIGHTS: [&str; 7] = ["SELECT", "INSERT", "UPDATE", "DELETE", "TRUNCATE", "REFERENCES", "TRIGGER"];

/// Grants the role named `role` what the application needs. Safe to repeat.
pub async fn apply(connection: &impl ConnectionTrait, role: &str) -> Result<(), DbErr> {
    let role = quoted(role);
    let mut statements = vec![
        format!("GRANT USAGE ON SCHEMA public TO {role}"),
        format!("GRANT SELECT ON seaql_migrations TO {role}"),
    ];
    statements.extend(FUNCTIONS.iter().map(|name| format!("GRANT EXECUTE ON FUNCTION {name} TO {role}")));
    statements
        .extend(tables().map(|(table, rights)| format!("GRANT {} ON {table} TO {role}", rights.join(", "))));
    for sql in statements {
        connection.execute_raw(Statement::from_string(connection.get_database_backend(), sql)).await?;
    }
    Ok(())
}

/// Every table and view of the application, with the rights it has there.
fn tables() -> impl Iterator<Item = (&'static str, &'static [&'static str])> {
    let with = |names: &'static [&'static str], rights| names.iter().map(move |name| (*name, rights));
    with(&READ_WRITE, &RIGHTS[..4])
        .chain(with(&APPEND_ONLY, &RIGHTS[..2]))
        .chain(with(&READ_ONLY, &RIGHTS[..1]))
}

/// How the rights of the current role differ from those of the application: what it lacks, and what it has beyond. Of
/// tables that the product does not know nothing is said.
pub async fn differences(connection: &impl ConnectionTrait) -> Result<Vec<String>, DbErr> {
    let quoted = |names: &[&str]| names.iter().map(|name| format!("'{name}'")).collect::<Vec<_>>().join(", ");
    let sql = format!(
        "SELECT c.relname::text AS name, r.name AS privilege, has_table_privilege(c.oid, r.name) AS has \
         FROM pg_class c CROSS JOIN unnest(ARRAY[{}]) AS r(name) \
         WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p', 'v') \
         UNION ALL SELECT 'schema public', r.name, has_schema_privilege('public', r.name) \
         FROM unnest(ARRAY['CREATE', 'USAGE']) AS r(name) \
         UNION ALL SELECT f.name, 'EXECUTE', COALESCE(has_function_privilege(to_regprocedure(f.name), 'EXECUTE'), false) \
         FROM unnest(ARRAY[{}]) AS f(name)",
        quoted(&RIGHTS),
        quoted(&FUNCTIONS)
    );
    let statement = Statement::from_string(connection.get_database_backend(), sql);
    let (mut differences, mut seen) = (Vec::new(), Vec::new());
    for row in connection.query_all_raw(statement).await? {
        let (name, right): (String, String) = (row.try_get("", "name")?, row.try_get("", "privilege")?);
        let expected = match name.as_str() {
            "schema public" => right == "USAGE",
            "seaql_migrations" => right == "SELECT",
            name if FUNCTIONS.contains(&name) => true,
            name => match tables().find(|(known, _)| *known == name) {
                Some((_, rights)) => rights.contains(&right.as_str()),
                None => continue,
            },
        };
        match (expected, row.try_get("", "has")?) {
            (true, false) => differences.push(format!("{right} on {name} is missing")),
            (false, true) => differences.push(format!("{right} on {name} is too much")),
            _ => {}
        }
        seen.push(name);
    }
    let absent = tables().filter(|(name, _)| !seen.iter().any(|seen| seen == name));
    differences.extend(absent.map(|(name, _)| format!("{name} is not there")));
    differences.sort_unstable();
    Ok(differences)
}

/// An identifier as PostgreSQL takes it whatever it is made of.
fn quoted(identifier: &str) -> String {
    format!("\"{}\"", identifier.replace('"', "\"\""))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_identifier_cannot_leave_its_quotes() {
        assert_eq!(quoted("a\"; DROP TABLE x; --"), "\"a\"\"; DROP TABLE x; --\"");
    }
}
