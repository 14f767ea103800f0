//! What the application role may do, and no more. PostgreSQL only.
//!
//! The role itself is made by the operator. It owns nothing and cannot change the schema.

use sea_orm_migration::sea_orm::{ConnectionTrait, DbErr, Statement};

/// Tables the application reads and writes row by row.
const READ_WRITE: [&str; 23] = [
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
const READ_ONLY: [&str; 2] = ["product_overview", "sync_overview"];

/// Grants the role named `role` what the application needs. Safe to repeat.
pub async fn apply(connection: &impl ConnectionTrait, role: &str) -> Result<(), DbErr> {
    let role = quoted(role);
    let mut statements = vec![
        format!("GRANT USAGE ON SCHEMA public TO {role}"),
        format!("GRANT EXECUTE ON FUNCTION session_context(uuid) TO {role}"),
        format!("GRANT EXECUTE ON FUNCTION product_search(text) TO {role}"),
        format!("GRANT SELECT ON seaql_migrations TO {role}"),
    ];
    statements
        .extend(READ_WRITE.iter().map(|t| format!("GRANT SELECT, INSERT, UPDATE, DELETE ON {t} TO {role}")));
    statements.extend(APPEND_ONLY.iter().map(|t| format!("GRANT SELECT, INSERT ON {t} TO {role}")));
    statements.extend(READ_ONLY.iter().map(|view| format!("GRANT SELECT ON {view} TO {role}")));
    for sql in statements {
        connection.execute_raw(Statement::from_string(connection.get_database_backend(), sql)).await?;
    }
    Ok(())
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
