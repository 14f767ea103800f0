//! Every variable the program reads: its name, its default and what it is for.
//!
//! `stock-tracker config` prints this table, `.env.example` is checked against it, and nothing is read that is not in it.

/// What an unset variable means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Unset {
    /// The same as this text.
    Text(&'static str),
    /// Something that depends on other variables or on where the program runs.
    Rule(&'static str),
}

use Unset::{Rule, Text};

/// One environment variable.
#[derive(Debug)]
pub(crate) struct Variable {
    pub(crate) name: &'static str,
    pub(crate) default: Unset,
    /// Its value is never printed.
    pub(crate) secret: bool,
    /// What it is for, in one or two sentences.
    pub(crate) about: &'static str,
}

macro_rules! variables {
    ($($name:ident = $default:expr, $secret:literal, $about:literal;)*) => {
        $(pub(crate) const $name: Variable =
            Variable { name: stringify!($name), default: $default, secret: $secret, about: $about };)*

        /// All of them, in the order in which they are documented.
        pub(crate) const ALL: &[&Variable] = &[$(&$name),*];
    };
}

variables! {
    ENVIRONMENT = Text("development"), false,
        "`development`, `staging` or `production`. Only development makes its own secrets; only production insists on guarded metrics and on row-level security.";
    DEBUG = Text("false"), false,
        "Whether error answers carry a `debug` member with their cause. Refused in production.";
    HOST = Text("127.0.0.1"), false,
        "Address or name on which the API listens.";
    PORT = Text("8000"), false,
        "Port on which the API listens; 0 takes any free one.";
    SHUTDOWN_TIMEOUT = Text("30"), false,
        "Seconds for requests and jobs in flight after SIGTERM or Ctrl-C, from 1 to 3600. A second signal ends the process at once.";
    DATA_DIR = Text("data"), false,
        "Folder for what development keeps: the SQLite database and the secrets made for it. Made if missing.";
    DATABASE_URL = Rule("sqlite://<DATA_DIR>/stock-tracker.db"), false,
        "`sqlite://path` or `postgres://user:password@host/name`, as the application role. A relative path is taken from the working directory. Its password is never printed.";
    DATABASE_ADMIN_URL = Rule("DATABASE_URL"), false,
        "PostgreSQL only, read by `migrate` alone: the same database as the role that owns the tables. Its password is never printed.";
    DATABASE_POOL_SIZE = Text("20"), false,
        "Most database connections of one process, from 1 to 1000; a worker opens one more for its leases.";
    REDIS_URL = Rule("each process counts rate limits by itself"), false,
        "The Redis in which API processes count rate limits together: `redis://user:password@host:port/0`, `redis+sentinel://host:port,host:port/master`, `redis+cluster://host:port,host:port`, with TLS as `rediss`. Its password is never printed.";
    JWT_SECRET_KEY = Rule("made once in development"), true,
        "Signs access tokens; 32 characters or more. Required in staging and production.";
    FERNET_KEYS = Rule("made once in development"), true,
        "Seal marketplace credentials: Fernet keys (32 bytes in URL-safe base64), comma-separated. The first seals, all open. Required in staging and production.";
    ACCESS_TOKEN_MINUTES = Text("15"), false,
        "Minutes for which an access token is good, from 1 to 1440.";
    REFRESH_TOKEN_DAYS = Text("30"), false,
        "Days for which a refresh token is good, from 1 to 365.";
    CORS_ORIGINS = Rule("any loopback origin in development, else none"), false,
        "Origins whose pages may read answers in a browser, comma-separated, such as `https://app.example.com`. `*` is refused, in production plain `http` too.";
    CORS_ALLOW_CREDENTIALS = Text("false"), false,
        "Whether browsers may send cookies and HTTP authentication along.";
    TRUSTED_HOSTS = Rule("any"), false,
        "Names by which the API may be called, comma-separated; `*.example.com` stands for every name below `example.com`.";
    TRUSTED_PROXIES = Rule("none"), false,
        "Addresses or networks (CIDR) of proxies whose `X-Forwarded-For` is believed, comma-separated.";
    SECURITY_HEADERS_ENABLED = Text("true"), false,
        "Whether security headers are sent.";
    DOCS_ENABLED = Rule("true outside production"), false,
        "Whether `/docs`, `/redoc` and `/openapi.json` are served.";
    RATE_LIMIT_ENABLED = Text("true"), false,
        "Whether requests are limited at all.";
    RATE_LIMIT_GLOBAL = Text("1000"), false,
        "Requests without a verified tenant in a window, from all clients together.";
    RATE_LIMIT_GLOBAL_WINDOW = Text("60"), false,
        "Its window in seconds, as of the others from 1 to 86400.";
    RATE_LIMIT_GLOBAL_VERIFIED = Rule("no such limit"), false,
        "Bounds the requests of all verified tenants together in that window too: `true` by the same number, or a number of its own.";
    RATE_LIMIT_TENANT = Text("100"), false,
        "Requests of one tenant in a window.";
    RATE_LIMIT_TENANT_WINDOW = Text("60"), false,
        "Its window in seconds.";
    RATE_LIMIT_USER = Text("100"), false,
        "Requests of one user in a window.";
    RATE_LIMIT_USER_WINDOW = Text("60"), false,
        "Its window in seconds.";
    RATE_LIMIT_IP = Text("60"), false,
        "Requests without a verified tenant in a window, from one client address; an IPv6 address counts by its /64.";
    RATE_LIMIT_IP_WINDOW = Text("60"), false,
        "Its window in seconds.";
    RATE_LIMIT_AUTH = Text("5"), false,
        "Requests in a window from one client address to each of login, register and refresh.";
    RATE_LIMIT_AUTH_WINDOW = Text("300"), false,
        "Its window in seconds.";
    RATE_LIMIT_ON_STORE_ERROR = Text("local"), false,
        "What holds while Redis cannot be asked: `local` counts in each process, `open` lets everything through, `closed` nothing.";
    RATE_LIMIT_REPLICAS = Text("1"), false,
        "How many API processes there are: each takes an equal part of the limits while it counts by itself.";
    METRICS_ADDR = Rule("the API's own port; 127.0.0.1:9001 for `worker`"), false,
        "`host:port` of a listener for metrics and health alone. In production this or METRICS_TOKEN is required.";
    METRICS_TOKEN = Rule("none"), true,
        "Bearer token that a scraper of `/metrics` must send; 16 characters or more.";
    METRICS_TENANT_LIMIT = Text("200"), false,
        "Tenants with metric series of their own in one process; the others are counted together.";
    LOG_LEVEL = Text("info"), false,
        "`off`, `error`, `warn`, `info`, `debug`, `trace`, or directives such as `info,api=debug`.";
    LOG_FORMAT = Rule("pretty in a terminal, else json"), false,
        "`pretty` or `json`.";
    SENTRY_DSN = Rule("nothing is reported"), true,
        "Where failures and traces are reported: the DSN of a project in Sentry, `https://key@host/project`.";
    SENTRY_ENVIRONMENT = Rule("ENVIRONMENT"), false,
        "The environment that reports name.";
    SENTRY_RELEASE = Rule("stock-tracker@ and the version"), false,
        "The release that reports name.";
    SENTRY_TRACES_SAMPLE_RATE = Text("0.1"), false,
        "Share of requests and jobs that are traced, from 0 to 1. What a caller sends in `sentry-trace` does not change it.";
    SENTRY_PROFILES_SAMPLE_RATE = Text("0.1"), false,
        "Checked and without effect: Sentry takes no profiles of programs in Rust.";
    WILDBERRIES_BASE_URL = Rule("the real hosts"), false,
        "Takes the place of every Wildberries host, paths unchanged.";
    MARKETPLACE_LIMIT_SCALE = Text("1"), false,
        "Multiplies every marketplace period and backoff, from 0 to 1000. Below 1 it would break the limits of a real marketplace: for the sandbox and tests.";
    OUTBOUND_ALLOW_PRIVATE = Text("false"), false,
        "Whether addresses that users enter may be loopback or private ones. Hosts set here by the operator always may.";
}
