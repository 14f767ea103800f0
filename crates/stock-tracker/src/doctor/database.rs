//! Whether the database is there, fits, has room and shares the time; then what stands in it.

use std::time::Instant;

use domain::clock::{Clock as _, SystemClock};
use storage::{Db, schema, server};

use super::{
    accounts,
    finding::{Finding, Level},
    in_time, isolation,
};
use crate::config::Config;

/// Connections of the doctor itself.
const CONNECTIONS: u32 = 2;
/// The oldest PostgreSQL that the product is made for.
const OLDEST_POSTGRES: u32 = 15;
/// The share of connections that may be open before it is worth a word, in percent.
const CROWDED: i64 = 80;
/// By how many milliseconds the clocks may differ: tokens and leases are counted in seconds.
const TOLERANCE: i64 = 2_000;

/// What cannot be asked.
pub(super) fn unasked(about: &'static str, error: impl std::fmt::Display) -> Finding {
    Finding::failure(about, format!("it cannot be asked: {error}"), "see the database's log for the reason")
}

pub(super) async fn examine(config: &Config) -> Vec<Finding> {
    let url = &config.database.url;
    if let Some(file) = url.file().filter(|file| !file.exists()) {
        let fix = "start any role: it makes the file; or set DATA_DIR or DATABASE_URL to where it is";
        return vec![Finding::failure("database", format!("there is no {}", file.display()), fix)];
    }
    let pool = url.pool(CONNECTIONS).to_look();
    let db = match Db::connect(&pool).await {
        Ok(db) => db,
        Err(error) => {
            let fix = "see whether it runs, and that host, port, user and password of DATABASE_URL are right";
            return vec![Finding::failure("database", format!("{url}: {error}"), fix)];
        }
    };
    // Each by itself: what one has found stays when the next gets no answer.
    let mut findings = in_time("database", server(config, &db)).await;
    findings.extend(in_time("role", isolation::roles(config, &db)).await);
    let schema = in_time("schema", async { vec![schema(&db).await] }).await;
    let is_current = schema.iter().all(|finding| finding.level != Level::Failure);
    findings.extend(schema);
    // What follows reads tables and views of the newest schema.
    if is_current {
        findings.extend(in_time("isolation", isolation::tenants(config, &db)).await);
        findings.extend(in_time("accounts", accounts::examine(&db)).await);
    }
    if let Err(error) = db.close().await {
        findings.push(unasked("database", error));
    }
    findings
}

async fn server(config: &Config, db: &Db) -> Vec<Finding> {
    let (before, began) = (SystemClock.now(), Instant::now());
    let server = match server::ask(db).await {
        Ok(server) => server,
        Err(error) => return vec![unasked("database", error)],
    };
    let took = began.elapsed();
    let told =
        format!("{} {} at {}, {} ms", server.product, server.version, config.database.url, took.as_millis());
    let major = server.version.split(['.', ' ']).next().and_then(|major| major.parse::<u32>().ok());
    let mut findings = vec![match major {
        Some(major) if config.database.url.is_postgres() && major < OLDEST_POSTGRES => Finding::failure(
            "database",
            told,
            format!("PostgreSQL {OLDEST_POSTGRES} or newer is needed: upgrade it"),
        ),
        _ => Finding::well("database", told),
    }];
    if let Some((open, most)) = server.connections {
        let told = format!(
            "{open} of {most} connections are open; a process of ours may take {}",
            config.database.pool_size
        );
        let crowded = open * 100 > most * CROWDED || most - open < config.database.pool_size.into();
        findings.push(if crowded {
            let fix = "raise max_connections of PostgreSQL, or lower DATABASE_POOL_SIZE: all processes together must fit";
            Finding::warning("connections", told, fix)
        } else {
            Finding::well("connections", told)
        });
        // What the way there and back took may lie on either side.
        let middle = before + took / 2;
        let off = (server.now - middle).num_milliseconds();
        let allowed = TOLERANCE + i64::try_from(took.as_millis() / 2).unwrap_or(i64::MAX);
        findings.push(clock("the database's", off, allowed));
    }
    findings
}

/// How another clock differs from this machine's, in milliseconds.
pub(super) fn clock(whose: &str, off: i64, allowed: i64) -> Finding {
    let told =
        format!("{whose} is {} ms {} this machine's", off.abs(), if off < 0 { "behind" } else { "ahead of" });
    if off.abs() <= allowed {
        Finding::well("clock", told)
    } else {
        let fix = "let NTP keep the clocks of all machines (chrony, systemd-timesyncd): tokens end and syncs begin by them";
        Finding::failure("clock", told, fix)
    }
}

async fn schema(db: &Db) -> Finding {
    match schema::compare(db).await {
        Err(error) => unasked("schema", error),
        Ok(difference) if !difference.missing.is_empty() => Finding::failure(
            "schema",
            format!(
                "{} steps are missing, from {} on; what stands in it was not looked at",
                difference.missing.len(),
                difference.missing[0]
            ),
            "run `stock-tracker migrate` (on SQLite any role does it as it starts)",
        ),
        Ok(difference) if !difference.unknown.is_empty() => Finding::warning(
            "schema",
            format!("it is newer than this program, by {}", difference.unknown.join(", ")),
            "run the release that made it; this one works on it as long as nothing it knows was taken away",
        ),
        Ok(_) => Finding::well("schema", "current"),
    }
}
