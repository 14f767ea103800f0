//! Whether the database itself keeps tenants apart. PostgreSQL only.

use storage::{
    Db,
    isolation::{self, Role},
};

use super::{database::unasked, finding::Finding};
use crate::config::{Config, DatabaseUrl};

/// The roles, which are there before any table is.
pub(super) async fn roles(config: &Config, db: &Db) -> Vec<Finding> {
    if !config.database.url.is_postgres() {
        return Vec::new();
    }
    let mut findings = vec![match isolation::role(db).await {
        Ok(role) => application_role(role),
        Err(error) => unasked("role", error),
    }];
    if let Some(owner) = &config.database.admin_url {
        findings.push(owner_role(owner).await);
    }
    findings
}

/// What keeps the rows of tenants apart.
pub(super) async fn tenants(config: &Config, db: &Db) -> Vec<Finding> {
    if !config.database.url.is_postgres() {
        let told = "SQLite has no row-level security: the queries alone keep tenants apart";
        return vec![Finding::well("isolation", told)];
    }
    let mut findings = Vec::new();
    // Whoever may do everything has no rights that could be compared.
    if isolation::role_gaps(db).await.is_ok_and(|gaps| gaps.is_empty()) {
        findings.push(rights(db).await);
    }
    findings.push(policies(db).await);
    findings.push(trial(db).await);
    findings
}

fn application_role(role: Option<Role>) -> Finding {
    let gaps = role.as_ref().map(Role::gaps).unwrap_or_default();
    if !gaps.is_empty() {
        let fix = "name in DATABASE_URL a role that owns nothing (CREATE ROLE … LOGIN), put the owner into \
                   DATABASE_ADMIN_URL, and run `stock-tracker migrate`, which grants the first its rights";
        return Finding::failure("role", gaps.join(", "), fix);
    }
    let name = role.map(|role| role.name).unwrap_or_default();
    Finding::well("role", format!("{name} is bound by row-level security"))
}

/// The role that migrates.
async fn owner_role(url: &DatabaseUrl) -> Finding {
    let asked = async {
        let db = Db::connect(&url.pool(1)).await?;
        let role = isolation::role(&db).await?;
        db.close().await?;
        Ok::<_, storage::Error>(role)
    };
    match asked.await {
        Err(error) => {
            let fix =
                "host, port, user and password of DATABASE_ADMIN_URL must be right where `migrate` runs";
            Finding::failure("owner", format!("{url}: {error}"), fix)
        }
        Ok(Some(role)) if role.is_superuser => {
            let fix = "an owner of the database is enough: ALTER ROLE … NOSUPERUSER";
            Finding::warning("owner", format!("{} is a superuser", role.name), fix)
        }
        Ok(Some(role)) if !role.owns => {
            let fix = "run `stock-tracker migrate` if nobody has yet; else name the role that did it first";
            Finding::failure("owner", format!("{} owns no tables", role.name), fix)
        }
        Ok(role) => {
            Finding::well("owner", role.map(|role| format!("{} owns tables", role.name)).unwrap_or_default())
        }
    }
}

async fn rights(db: &Db) -> Finding {
    match isolation::wrong_rights(db).await {
        Err(error) => unasked("rights", error),
        Ok(wrong) if wrong.is_empty() => Finding::well("rights", "exactly what the application needs"),
        Ok(wrong) => {
            let fix = "`stock-tracker migrate` grants what is missing; REVOKE what is too much";
            Finding::failure("rights", wrong.join(", "), fix)
        }
    }
}

async fn policies(db: &Db) -> Finding {
    let tables = match isolation::tenant_tables(db).await {
        Ok(tables) => tables,
        Err(error) => return unasked("policies", error),
    };
    let (right, wrong): (Vec<_>, Vec<_>) = tables.iter().partition(|table| table.is_as_it_must_be());
    if wrong.is_empty() {
        let told = format!("{} tables with rows of tenants are as they must be", right.len());
        return Finding::well("policies", told);
    }
    let names: Vec<_> = wrong.iter().map(|table| &*table.name).collect();
    let fix = "somebody has changed the schema by hand: restore what the steps in `migrations` made, or drop tables that \
               are not of the product";
    Finding::failure("policies", format!("not as they must be: {}", names.join(", ")), fix)
}

async fn trial(db: &Db) -> Finding {
    match isolation::try_out(db).await {
        Err(error) => unasked("trial", error),
        Ok(None) => Finding::well("trial", "nothing to try"),
        Ok(Some(trial)) if trial.faults.is_empty() => Finding::well(
            "trial",
            format!(
                "from another tenant and from none, no row was seen in {} tables, and none could be written",
                trial.tables
            ),
        ),
        Ok(Some(trial)) => {
            let fix = "stop the API until role, rights and policies are well: tenants can reach each other's rows as soon \
                       as one query forgets to name its tenant, or do not reach their own";
            Finding::failure("trial", trial.faults.join(", "), fix)
        }
    }
}
