use std::path::Path;

use api::AllowedOrigins;

use super::*;
use crate::config::environment::Source;

const SIGNING: &str = "0123456789-0123456789-0123456789";
const SEALING: &str = "c2VhbGluZy1rZXktb2YtdGhpcnR5LXR3by1ieXRlcyE=";
const TOKEN: &str = "scrape-scrape-scrape";

/// What production needs and nothing else.
fn production() -> Vec<(&'static str, &'static str)> {
    vec![
        ("ENVIRONMENT", "production"),
        ("DATABASE_URL", "postgres://app:hunter2@db/stock"),
        ("JWT_SECRET_KEY", SIGNING),
        ("FERNET_KEYS", SEALING),
        ("METRICS_TOKEN", TOKEN),
    ]
}

fn read(variables: &[(&str, &str)], purpose: Purpose) -> Reading {
    Config::read(&Environment::of(variables), purpose)
}

fn loaded(variables: &[(&str, &str)]) -> Config {
    read(variables, Purpose::All).config.unwrap()
}

fn problems(variables: &[(&str, &str)], purpose: Purpose) -> Vec<String> {
    let problems = read(variables, purpose).config.err().map(|problems| problems.0).unwrap_or_default();
    problems.into_iter().map(|problem| problem.name).collect()
}

#[test]
fn every_default_can_be_read() {
    let config = loaded(&[]);
    assert_eq!((config.http.host.as_str(), config.http.port), ("127.0.0.1", 8000));
    assert_eq!(config.database.url.file(), Some(Path::new("data/stock-tracker.db")));
    assert_eq!(config.http.cors.origins, AllowedOrigins::Loopback);
    assert!(config.http.docs_enabled && config.http.security_headers);
    assert_eq!(config.metrics.address, None);
    let worker = read(&[], Purpose::Worker).config.unwrap();
    assert_eq!(worker.metrics.address.as_deref(), Some("127.0.0.1:9001"));
}

#[test]
fn the_database_follows_the_data_folder() {
    let config = loaded(&[("DATA_DIR", "/srv/stock")]);
    assert_eq!(config.database.url.file(), Some(Path::new("/srv/stock/stock-tracker.db")));
    let config = loaded(&[("DATA_DIR", "/srv/stock"), ("DATABASE_URL", "sqlite://other.db")]);
    assert_eq!(config.database.url.file(), Some(Path::new("other.db")));
}

#[test]
fn all_problems_are_listed_at_once() {
    let names = problems(
        &[
            ("ENVIRONMENT", "prod"),
            ("DEBUG", "perhaps"),
            ("HOST", "a b"),
            ("PORT", "70000"),
            ("SHUTDOWN_TIMEOUT", "0"),
            ("DATABASE_URL", "mysql://root:hunter2@db/stock"),
            ("DATABASE_POOL_SIZE", "none"),
            ("JWT_SECRET_KEY", "short"),
            ("FERNET_KEYS", "nonsense"),
            ("CORS_ORIGINS", "*,https://fine.example"),
            ("TRUSTED_HOSTS", "http://x"),
            ("TRUSTED_PROXIES", "10.0.0.0/8,nowhere"),
            ("METRICS_ADDR", "9001"),
            ("METRICS_TOKEN", "short"),
            ("LOG_LEVEL", "loud"),
            ("LOG_FORMAT", "xml"),
            ("WILDBERRIES_BASE_URL", "http://u:p@h"),
            ("MARKETPLACE_LIMIT_SCALE", "-1"),
        ],
        Purpose::All,
    );
    let mut expected = vec![
        "ENVIRONMENT",
        "DEBUG",
        "HOST",
        "PORT",
        "SHUTDOWN_TIMEOUT",
        "DATABASE_URL",
        "DATABASE_POOL_SIZE",
        "JWT_SECRET_KEY",
        "FERNET_KEYS",
        "CORS_ORIGINS",
        "TRUSTED_HOSTS",
        "TRUSTED_PROXIES",
        "METRICS_ADDR",
        "METRICS_TOKEN",
        "LOG_LEVEL",
        "LOG_FORMAT",
        "WILDBERRIES_BASE_URL",
        "MARKETPLACE_LIMIT_SCALE",
    ];
    let mut names: Vec<_> = names.iter().map(String::as_str).collect();
    names.sort_unstable();
    expected.sort_unstable();
    assert_eq!(names, expected);
}

#[test]
fn production_insists() {
    assert_eq!(problems(&production(), Purpose::All), Vec::<String>::new());
    assert_eq!(
        problems(&[("ENVIRONMENT", "production")], Purpose::Api),
        ["JWT_SECRET_KEY", "FERNET_KEYS", "METRICS_ADDR"]
    );
    let loose =
        [("DEBUG", "true"), ("CORS_ORIGINS", "http://app.example.com"), ("MARKETPLACE_LIMIT_SCALE", "0.5")];
    assert_eq!(
        problems(&[production(), loose.to_vec()].concat(), Purpose::Api),
        ["DEBUG", "CORS_ORIGINS", "MARKETPLACE_LIMIT_SCALE"]
    );
    let config = loaded(&production());
    assert!(!config.http.docs_enabled);
    assert_eq!(config.http.cors.origins, AllowedOrigins::Listed(Vec::new()));
}

#[test]
fn staging_makes_no_secrets_and_migrations_need_none() {
    assert_eq!(problems(&[("ENVIRONMENT", "staging")], Purpose::Worker), ["JWT_SECRET_KEY", "FERNET_KEYS"]);
    assert_eq!(problems(&[("ENVIRONMENT", "production")], Purpose::Migrate), Vec::<String>::new());
}

#[test]
fn the_owner_is_for_postgresql_only() {
    let admin = ("DATABASE_ADMIN_URL", "postgres://owner:hunter2@db/stock");
    assert_eq!(problems(&[admin], Purpose::Migrate), ["DATABASE_ADMIN_URL"]);
    let url = ("DATABASE_URL", "postgres://app:hunter2@db/stock");
    assert_eq!(problems(&[admin, url], Purpose::Migrate), Vec::<String>::new());
}

#[test]
fn no_secret_is_ever_shown() {
    let secret =
        [("DATABASE_ADMIN_URL", "postgres://owner:hunter2@db/stock"), ("METRICS_ADDR", "127.0.0.1:9001")];
    let reading = read(&[production(), secret.to_vec()].concat(), Purpose::All);
    let shown = format!("{reading:?}");
    for secret in [SIGNING, SEALING, TOKEN, "hunter2"] {
        assert!(!shown.contains(secret), "{secret} in {shown}");
    }
    // The same where the values are refused.
    let refused = read(
        &[
            ("DATABASE_URL", "postgres://app:hunter2@"),
            ("FERNET_KEYS", "hunter3"),
            ("JWT_SECRET_KEY", "hunter4"),
            ("METRICS_TOKEN", "hunter5"),
        ],
        Purpose::All,
    );
    let problems = refused.config.as_ref().unwrap_err();
    assert_eq!(problems.0.len(), 4);
    assert!(!format!("{problems} {refused:?}").contains("hunter"), "{problems}");
}

#[test]
fn what_took_effect_is_told_with_its_source() {
    let environment = Environment::of(&[("JWT_SECRET_KEY", SIGNING), ("PORT", "9000")]);
    let reading = Config::read(&environment.with_flag("DATA_DIR", Some("/tmp/x")), Purpose::All);
    let effective = |name: &str| {
        let found = reading.effective.iter().find(|effective| effective.variable == name).unwrap();
        (found.value.as_str(), found.source)
    };
    assert_eq!(effective("PORT"), ("9000", Source::Environment));
    assert_eq!(effective("HOST"), ("127.0.0.1", Source::Default));
    assert_eq!(effective("DATA_DIR"), ("/tmp/x", Source::Flag));
    assert_eq!(effective("DATABASE_URL"), ("sqlite:///tmp/x/stock-tracker.db", Source::Default));
    assert_eq!(effective("JWT_SECRET_KEY"), ("set", Source::Environment));
    assert_eq!(effective("FERNET_KEYS"), ("generated", Source::Default));
    assert_eq!(effective("DOCS_ENABLED"), ("true", Source::Default));
    assert_eq!(reading.effective.len(), variables::ALL.len());
}

/// `.env.example` is every variable, in order, commented out, with its default and its purpose above it.
#[test]
fn the_example_file_is_the_table() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../.env.example");
    let expected = example();
    #[expect(clippy::disallowed_methods, reason = "a switch of the test, not of the program")]
    let bless = std::env::var_os("BLESS").is_some_and(|value| value == "1");
    if bless {
        std::fs::write(path, &expected).unwrap();
    }
    let committed = std::fs::read_to_string(path).unwrap();
    assert_eq!(committed, expected, "write it anew with BLESS=1");
}

fn example() -> String {
    let head = "# Every variable that stock-tracker reads. Copied to `.env`, this file changes nothing until lines are\n\
                # uncommented; the environment goes before it. `stock-tracker config` shows what is in effect.\n";
    variables::ALL.iter().fold(head.to_owned(), |text, variable| text + "\n" + &entry(variable))
}

fn entry(variable: &variables::Variable) -> String {
    use variables::Unset::{Rule, Text};
    let about = wrapped(variable.about, 116).join("\n# ");
    match variable.default {
        Text(default) => format!("# {about}\n#{}={default}\n", variable.name),
        Rule(rule) => format!("# {about}\n# Unset: {rule}.\n#{}=\n", variable.name),
    }
}

fn wrapped(text: &str, width: usize) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for word in text.split(' ') {
        match lines.last_mut() {
            Some(line) if line.chars().count() + 1 + word.chars().count() <= width => {
                line.push(' ');
                line.push_str(word);
            }
            _ => lines.push(word.to_owned()),
        }
    }
    lines
}

#[test]
fn a_url_that_is_refused_is_not_repeated() {
    for (name, text) in [
        ("REDIS_URL", "redis://:hunter2@h:99999"),
        ("REDIS_URL", "redis+sentinel://h1:1/m?password=hunter2"),
        ("REDIS_URL", "redis://hunter2@h"),
        ("DATABASE_URL", "postgres://u:hunter2@h:99999/x"),
        ("DATABASE_ADMIN_URL", "postgres://u:hunter2@h:99999/x"),
    ] {
        let reading = read(&[(name, text)], Purpose::All);
        let shown = format!("{:?} {:?}", reading.effective, reading.config.map(|_| ()));
        assert!(!shown.contains("hunter2"), "{name}={text}: {shown}");
    }
}
