//! The service under test, on a port of its own, and the people who call it.

use std::{collections::BTreeMap, net::TcpListener, sync::Arc, time::Duration};

use api::{Counting, Environment, LimitSettings, Limits, Server, Settings};
use app::{App, JobContext, TokenSettings};
use domain::{
    clock::Clock as _,
    ids::SyncId,
    job::{Job, Queue},
};
use marketplaces::{Factory, Unobserved};
use monitoring::{
    health::{Drain, Health, Probe, ProbeError},
    metrics::{Build, KnownLabels, Metrics, MetricsSettings, labels::Role},
};
use reqwest::{Client, Method, RequestBuilder, header::HeaderMap};
use sandbox::Sandbox;
use sea_orm::ConnectionTrait as _;
use serde_json::{Value, json};
use storage::{
    Db, PoolSettings,
    jobs::{self, Claim, Settlement},
    limits::StoredLimits,
    vault::Vault,
};
use test_support::{clock::TestClock, database::TestDatabase};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

/// A password that is good enough.
pub(crate) const PASSWORD: &str = "a fine long passphrase";

/// The service, served.
pub(crate) struct Service {
    pub(crate) app: App,
    pub(crate) clock: TestClock,
    pub(crate) drain: Drain,
    pub(crate) shutdown: CancellationToken,
    sandbox: Option<Sandbox>,
    base: String,
    http: Client,
    document: Value,
    settings: Settings,
    open: Box<dyn Fn(TcpListener, Limits) + Send + Sync>,
    db: Db,
    // Dropped last.
    database: TestDatabase,
}

/// Somebody who has signed in.
#[derive(Clone)]
pub(crate) struct Person {
    pub(crate) email: String,
    pub(crate) access: String,
    pub(crate) refresh: String,
    pub(crate) tenant: String,
    pub(crate) user: String,
}

struct DatabaseProbe(Db);

#[async_trait::async_trait]
impl Probe for DatabaseProbe {
    fn name(&self) -> &'static str {
        "database"
    }

    async fn check(&self) -> Result<(), ProbeError> {
        storage::schema::ping(&self.0).await.map_err(ProbeError::unreachable)
    }
}

impl Service {
    /// With the defaults of development, and no marketplace that answers.
    pub(crate) async fn start(database: TestDatabase) -> Self {
        Self::start_with(database, |_| {}).await
    }

    /// The same with settings of the test's own.
    pub(crate) async fn start_with(database: TestDatabase, change: impl FnOnce(&mut Settings)) -> Self {
        let clock = TestClock::at("2026-11-20T09:00:00Z");
        Self::serve(database, clock, None, None, change).await
    }

    /// The same with limits on requests; without this there are none.
    pub(crate) async fn start_limited(
        database: TestDatabase,
        limits: LimitSettings,
        counting: Counting,
        change: impl FnOnce(&mut Settings),
    ) -> Self {
        let clock = TestClock::at("2026-11-20T09:00:00Z");
        Self::serve(database, clock, None, Some((limits, counting)), change).await
    }

    /// With a marketplace of three sellers.
    pub(crate) async fn with_marketplace(database: TestDatabase) -> Self {
        let clock = TestClock::at("2026-11-20T09:00:00Z");
        let shown = clock.clone();
        let options = sandbox::Options {
            cards_per_seller: 12,
            // Buckets would never fill again under a clock that stands still.
            limit_scale: 0.0,
            clock: sandbox::Clock::new(move || shown.now()),
            ..sandbox::Options::default()
        };
        let sandbox = Sandbox::start(options).await.expect("a sandbox starts");
        Self::serve(database, clock, Some(sandbox), None, |_| {}).await
    }

    async fn serve(
        database: TestDatabase,
        clock: TestClock,
        sandbox: Option<Sandbox>,
        limits: Option<(LimitSettings, Counting)>,
        change: impl FnOnce(&mut Settings),
    ) -> Self {
        // Several tests of one process may come here.
        let _installed_before = rustls::crypto::ring::default_provider().install_default();
        let db = Db::connect(&PoolSettings::new(database.url(), 5)).await.expect("the database answers");
        let marketplace = sandbox.as_ref().map_or_else(closed_port, Sandbox::base_url);
        let factory = Factory::new(
            marketplaces::Settings {
                wildberries_base_url: Some(marketplace.parse().expect("an address")),
                limit_scale: 0.0001,
                ..marketplaces::Settings::default()
            },
            Arc::new(StoredLimits::new(db.clone())),
            Arc::new(clock.clone()),
            Arc::new(Unobserved),
        )
        .expect("a client can be built");
        let tokens = TokenSettings {
            secret: "a secret of more than thirty-two characters".to_owned().into(),
            access_ttl: Duration::from_mins(15),
            refresh_ttl: Duration::from_hours(720),
        };
        let vault = Vault::new(&[Vault::generate_key()]).expect("a fresh key is a key");
        let app = App::new(db.clone(), vault, factory, Arc::new(clock.clone()), &tokens);
        let shown = clock.clone();
        let metrics = Metrics::new(&MetricsSettings {
            build: Build { version: "1.2.3", commit: "abc1234", role: Role::Api },
            tenant_limit: 10,
            known: KnownLabels::default(),
            clock: Arc::new(move || shown.now()),
        })
        .expect("no two families clash");
        let (shown, drain) = (clock.clone(), Drain::default());
        let health = Health::builder(Arc::new(move || shown.now()), drain.clone(), "/tmp")
            .required(DatabaseProbe(db.clone()))
            .not_configured("redis")
            .build();
        let mut settings = Settings::new(Environment::Development, "1.2.3");
        change(&mut settings);
        let limits = limits.map_or_else(Limits::off, |(limits, counting)| {
            Limits::new(&limits, &settings, counting).expect("limits that can be kept")
        });
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let base = format!("http://{}", listener.local_addr().expect("a bound address"));
        let shutdown = CancellationToken::new();
        let open = {
            let (settings, app, drain, shutdown) =
                (settings.clone(), app.clone(), drain.clone(), shutdown.clone());
            move |listener, limits| {
                tokio::spawn(api::run(Server {
                    settings: settings.clone(),
                    app: app.clone(),
                    metrics: metrics.clone(),
                    health: health.clone(),
                    limits,
                    drain: drain.clone(),
                    listener,
                    shutdown: shutdown.clone(),
                    drain_pause: Duration::from_millis(300),
                    shutdown_timeout: Duration::from_secs(5),
                    workers: Some(2),
                }));
            }
        };
        open(listener, limits);
        let http = Client::builder()
            .no_gzip()
            // A connection that the service closes for its idleness while a request is on its way is an error here.
            .pool_idle_timeout(std::time::Duration::from_secs(1))
            .redirect(reqwest::redirect::Policy::none())
            .build()
            .expect("a client can be built");
        let document = serde_json::to_value(api::openapi()).expect("the document is JSON");
        Self {
            app,
            clock,
            drain,
            shutdown,
            sandbox,
            base,
            http,
            document,
            settings,
            open: Box::new(open),
            db,
            database,
        }
    }

    pub(crate) fn sandbox(&self) -> &Sandbox {
        self.sandbox.as_ref().expect("a test that started one")
    }

    pub(crate) fn document(&self) -> &Value {
        &self.document
    }

    /// A request to be sent.
    pub(crate) fn call(&self, method: &str, path: &str) -> Call<'_> {
        let verb = Method::from_bytes(method.as_bytes()).expect("a method");
        let request = self.http.request(verb, format!("{}{path}", self.base));
        Call { service: self, method: method.to_owned(), path: path.to_owned(), request }
    }

    /// The address of a path, for other clients than the usual one.
    pub(crate) fn url(&self, path: &str) -> String {
        format!("{}{path}", self.base)
    }

    /// Serves the same over another door, as another process would, with counts of its own; returns its address.
    pub(crate) fn open_another(&self, limits: &LimitSettings, counting: Counting) -> String {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let address = format!("http://{}", listener.local_addr().expect("a bound address"));
        (self.open)(
            listener,
            Limits::new(limits, &self.settings, counting).expect("limits that can be kept"),
        );
        address
    }

    /// Where it listens.
    pub(crate) fn address(&self) -> std::net::SocketAddr {
        let address = self.base.strip_prefix("http://").expect("an origin");
        address.parse().expect("an address")
    }

    pub(crate) fn get(&self, path: &str) -> Call<'_> {
        self.call("GET", path)
    }

    pub(crate) fn post(&self, path: &str) -> Call<'_> {
        self.call("POST", path)
    }

    /// Registers a company.
    pub(crate) async fn register(&self, name: &str) -> Person {
        let email = format!("{name}-{}@example.com", Uuid::now_v7().simple());
        let body = json!({"email": email, "password": PASSWORD, "company_name": name});
        Person::of(&self.post("/api/v1/auth/register").json(&body).send().await.expect(201))
    }

    /// Signs somebody in again: an access token is soon too old when a test moves the clock.
    pub(crate) async fn sign_in(&self, person: &Person) -> Person {
        let body = json!({"email": person.email, "password": PASSWORD});
        Person::of(&self.post("/api/v1/auth/login").json(&body).send().await.expect(200))
    }

    /// Connects a seller of the sandbox; returns the account.
    pub(crate) async fn connect(&self, person: &Person, seller: usize) -> Value {
        let token = self.sandbox().sellers()[seller].token.clone();
        let body = json!({"marketplace": "wildberries", "name": "Main", "credentials": {"token": token}});
        let request = self.post("/api/v1/marketplace-accounts").token(&person.access).json(&body);
        request.send().await.expect(201)
    }

    /// Runs every sync that has been asked for to its end.
    pub(crate) async fn carry_all(&self) {
        let worker = Uuid::now_v7();
        loop {
            let claim =
                Claim { queue: Queue::Sync, worker, limit: 1, per_tenant: 4, lease: Duration::from_mins(5) };
            let Some(job) = jobs::claim(&self.db, &claim).await.expect("the queue can be read").pop() else {
                return;
            };
            let Job::SyncAccount { sync_id, .. } = job.decode().expect("a job of this version") else {
                panic!("only syncs wait in this queue");
            };
            let context = JobContext {
                scope: job.scope.clone(),
                run: job.starts,
                attempt: job.attempts + 1,
                last_attempt: true,
                pause: Duration::ZERO,
            };
            self.carry(&context, sync_id).await;
            jobs::settle(&self.db, job.key(), worker, &Settlement::Done).await.expect("the job can be ended");
        }
    }

    async fn carry(&self, context: &JobContext, sync: SyncId) {
        self.app.sync_engine().run(context, sync).await.expect("a run that ends");
    }

    /// Gives somebody another standing, as only the owner of the database can.
    pub(crate) async fn set_role(&self, person: &Person, role: &str) {
        let owner =
            sea_orm::Database::connect(self.database.owner_url()).await.expect("the database answers");
        let change = format!("UPDATE membership SET role = '{role}' WHERE identity_id = '{}'", person.user);
        let change = match &self.database {
            TestDatabase::Postgres(_) => change,
            // There ids are bytes.
            TestDatabase::Sqlite(_) => {
                change.replace(&format!("'{}'", person.user), &format!("x'{}'", person.user.replace('-', "")))
            }
        };
        let changed = owner.execute_unprepared(&change).await.expect("a statement that both databases know");
        assert_eq!(changed.rows_affected(), 1);
    }

    /// The statuses that the document names for an operation; none where there is no such operation.
    fn documented(&self, method: &str, path: &str) -> Option<Vec<String>> {
        let path = path.split('?').next().unwrap_or_default();
        let paths = self.document["paths"].as_object().expect("paths");
        let mut operations = paths.iter().filter(|(template, _)| matches(template, path));
        let operation = operations.find_map(|(_, item)| item.get(method.to_lowercase()))?;
        Some(operation["responses"].as_object().expect("responses").keys().cloned().collect())
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        self.shutdown.cancel();
    }
}

/// Where nobody listens.
fn closed_port() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    format!("http://{}", listener.local_addr().expect("a bound address"))
}

/// Whether a path is one of a template's.
fn matches(template: &str, path: &str) -> bool {
    let (mut template, mut path) = (template.split('/'), path.split('/'));
    loop {
        match (template.next(), path.next()) {
            (None, None) => return true,
            (Some(part), Some(given)) if part == given || (part.starts_with('{') && !given.is_empty()) => {}
            _ => return false,
        }
    }
}

impl Person {
    pub(crate) fn of(signed_in: &Value) -> Self {
        let text = |pointer: &str| {
            signed_in
                .pointer(pointer)
                .and_then(Value::as_str)
                .unwrap_or_else(|| panic!("{pointer}"))
                .to_owned()
        };
        Self {
            email: text("/user/email"),
            access: text("/access_token"),
            refresh: text("/refresh_token"),
            tenant: text("/tenant/id"),
            user: text("/user/id"),
        }
    }
}

/// A request to be sent.
pub(crate) struct Call<'s> {
    service: &'s Service,
    method: String,
    path: String,
    request: RequestBuilder,
}

impl Call<'_> {
    pub(crate) fn token(self, token: &str) -> Self {
        self.header("Authorization", &format!("Bearer {token}"))
    }

    pub(crate) fn header(mut self, name: &str, value: &str) -> Self {
        self.request = self.request.header(name, value);
        self
    }

    pub(crate) fn json(self, body: &Value) -> Self {
        self.header("Content-Type", "application/json").body(body.to_string())
    }

    pub(crate) fn body(mut self, body: impl Into<reqwest::Body>) -> Self {
        self.request = self.request.body(body);
        self
    }

    /// The answer as it begins, its body unread.
    pub(crate) async fn begin(self) -> reqwest::Response {
        self.request.send().await.expect("the service answers")
    }

    /// The whole answer, which must be as every answer must be.
    pub(crate) async fn send(self) -> Answer {
        let Self { service, method, path, request } = self;
        let response = request.send().await.expect("the service answers");
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        let body = response.bytes().await.expect("the body arrives").to_vec();
        let answer = Answer { what: format!("{method} {path}"), status, headers, body };
        answer.check();
        if let Some(documented) = service.documented(&method, &path) {
            assert!(
                documented.contains(&status.to_string()),
                "{} answers {status}: {documented:?}",
                answer.what
            );
        }
        answer
    }
}

/// An answer.
pub(crate) struct Answer {
    what: String,
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Vec<u8>,
}

impl Answer {
    /// What is true of every answer.
    fn check(&self) {
        let what = &self.what;
        for name in ["x-request-id", "x-process-time"] {
            assert!(self.headers.contains_key(name), "{what} has no {name}");
        }
        assert!(self.header("x-process-time").parse::<f64>().is_ok_and(|seconds| seconds >= 0.0), "{what}");
        if self.status >= 400
            && self.header("content-type") == "application/problem+json"
            && !self.body.is_empty()
        {
            let problem = self.json();
            assert_eq!(problem["status"], self.status, "{what}");
            for member in ["type", "title", "detail", "instance", "code"] {
                assert!(problem[member].as_str().is_some_and(|text| !text.is_empty()), "{what}: {member}");
            }
            assert!(problem.get("debug").is_none(), "{what}: {problem}");
            let text = problem.to_string();
            for foreign in ["SELECT", "sqlx", "sea_orm", "serde", "panicked", "actix"] {
                assert!(!text.contains(foreign), "{what}: {text}");
            }
        } else {
            assert!(
                self.status < 400 || self.body.is_empty() || what.contains("/health"),
                "{what}: no problem"
            );
        }
        if self.status == 401 {
            assert!(self.header("www-authenticate").starts_with("Bearer"), "{what}");
        }
    }

    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body)
            .unwrap_or_else(|error| panic!("{}: {error}: {}", self.what, String::from_utf8_lossy(&self.body)))
    }

    /// The body of an answer with this status.
    #[track_caller]
    pub(crate) fn expect(&self, status: u16) -> Value {
        assert_eq!(self.status, status, "{}: {}", self.what, String::from_utf8_lossy(&self.body));
        if self.body.is_empty() { Value::Null } else { self.json() }
    }

    /// A problem with this status and code.
    #[track_caller]
    pub(crate) fn problem(&self, status: u16, code: &str) -> Value {
        let problem = self.expect(status);
        assert_eq!(problem["code"], code, "{}: {problem}", self.what);
        problem
    }

    /// A problem of one field.
    #[track_caller]
    pub(crate) fn points_at(&self, pointer: &str) {
        let problem = self.problem(422, "validation_failed");
        assert_eq!(problem["errors"][0]["pointer"], pointer, "{}: {problem}", self.what);
    }

    /// A problem without what differs between any two answers.
    pub(crate) fn anonymous(&self) -> BTreeMap<String, Value> {
        let mut problem: BTreeMap<String, Value> = serde_json::from_slice(&self.body).expect("a problem");
        problem.remove("request_id");
        problem.remove("instance");
        problem
    }
}
