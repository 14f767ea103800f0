//! The layers around every handler, from the outside in. Outside of all, where the operator collects error reports,
//! marks of other traces are taken off and the layer of `sentry-actix` gives each request a scope and a trace of its
//! own; what failed is reported by [`Problem`](crate::problem::Problem), which knows more of it.
//!
//! 1. [`edge`]: the request's id, its span and log line, metrics, `X-Process-Time`, security headers; a panic anywhere
//!    further in becomes a 500 here. `HEAD` is served as `GET`, and health checks with or without the final slash.
//! 2. [`problems`]: gives every error its `application/problem+json` body.
//! 3. [`hosts`]: refuses hosts that the service does not answer for.
//! 4. [`cors`]: answers preflights and marks answers that foreign pages may read.
//! 5. [`compression`], outer half: no `Content-Encoding: identity`, and an entity tag for each encoding.
//! 6. `Compress` of actix: gzip and brotli.
//! 7. [`compression`], inner half: keeps small bodies and event streams out of it.
//! 8. [`identity`]: whose token it is, by its signature alone. No I/O: what comes next must be cheap to refuse.
//! 9. [`limits`](crate::limits): refuses what is too much, and puts what is left on every answer.
//! 10. [`conditional`]: `ETag`, `If-None-Match`, `Cache-Control`.
//! 11. On the routes that need somebody, [`authentication`]: one indexed read; on those that create something,
//!     [`idempotency`].
//!
//! A panic's 500 has everything of layer 1, and nothing of CORS.

pub(crate) mod authentication;
mod compression;
mod conditional;
mod cors;
mod edge;
mod hosts;
pub(crate) mod idempotency;
mod identity;
mod problems;
mod security_headers;

use actix_web::{
    App, Error,
    body::{BoxBody, MessageBody},
    dev::{ServiceFactory, ServiceRequest, ServiceResponse},
    middleware::{Compat, Compress, Condition, from_fn},
};
use monitoring::error_reports;

use crate::{limits::Limits, settings::CorsSettings};

/// Puts the layers around the routes. The last `wrap` is the outermost.
pub(crate) fn wrap<T, B>(
    app: App<T>,
    cors: &CorsSettings,
    limits: &Limits,
) -> App<
    impl ServiceFactory<
        ServiceRequest,
        Config = (),
        Response = ServiceResponse<BoxBody>,
        Error = Error,
        InitError = (),
    > + use<T, B>,
>
where
    T: ServiceFactory<
            ServiceRequest,
            Config = (),
            Response = ServiceResponse<B>,
            Error = Error,
            InitError = (),
        > + 'static,
    B: MessageBody + 'static,
{
    app.wrap(from_fn(conditional::layer))
        .wrap(limits.layer())
        .wrap(from_fn(identity::layer))
        .wrap(from_fn(compression::inner))
        .wrap(Compress::default())
        .wrap(from_fn(compression::outer))
        .wrap(cors::layer(cors))
        .wrap(from_fn(hosts::layer))
        .wrap(from_fn(problems::layer))
        .wrap(from_fn(edge::layer))
        .wrap(Compat::new(Condition::new(error_reports::is_on(), reported())))
        .wrap(Compat::new(Condition::new(error_reports::is_on(), from_fn(edge::unmarked))))
}

/// A scope and a trace for each request.
fn reported() -> sentry_actix::Sentry {
    sentry_actix::Sentry::builder().start_transaction(true).capture_server_errors(false).finish()
}

#[cfg(test)]
mod tests {
    use std::{
        io,
        net::TcpListener,
        sync::{Arc, Mutex, PoisonError},
        time::Duration,
    };

    use actix_web::{HttpResponse, HttpServer, dev::Server, rt::System, web, web::Data};
    use domain::clock::{Clock as _, SystemClock};
    use marketplaces::{Factory, Unobserved};
    use monitoring::{
        health::{Drain, Health},
        logs::{LogFormat, LogSettings},
        metrics::{Build, KnownLabels, Metrics, MetricsSettings, labels::Role},
    };
    use secrecy::ExposeSecret as _;
    use sentry::test::TestTransport;
    use serde_json::Value;
    use storage::{Db, PoolSettings, limits::StoredLimits, vault::Vault};
    use test_support::{
        database::TestDatabase,
        error_reports::{ENVIRONMENT, PANICKING_REQUEST, RELEASE, dsn},
    };
    use tracing_subscriber::fmt::MakeWriter;

    use super::*;
    use crate::{
        problem::Problem,
        routes::Routes,
        service::Shared,
        settings::{Environment, Settings},
    };

    /// Lines in memory.
    #[derive(Clone, Default)]
    struct Lines(Arc<Mutex<Vec<u8>>>);

    impl io::Write for Lines {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap_or_else(PoisonError::into_inner).extend(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    impl MakeWriter<'_> for Lines {
        type Writer = Self;

        fn make_writer(&self) -> Self {
            self.clone()
        }
    }

    impl Lines {
        fn read(&self) -> Vec<Value> {
            let bytes = self.0.lock().unwrap_or_else(PoisonError::into_inner).clone();
            let text = String::from_utf8(bytes).unwrap();
            text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
        }
    }

    fn shared(debug: bool) -> Data<Shared> {
        let clock: monitoring::clock::Clock = Arc::new(|| SystemClock.now());
        let metrics = Metrics::new(&MetricsSettings {
            build: Build { version: "1.2.3", commit: "abc1234", role: Role::Api },
            tenant_limit: 10,
            known: KnownLabels::default(),
            clock: Arc::clone(&clock),
        });
        Data::new(Shared {
            settings: Settings { debug, ..Settings::new(Environment::Production, "1.2.3") },
            metrics: metrics.unwrap(),
            health: Health::builder(clock, Drain::default(), "/tmp").build(),
            limits: Limits::off(),
            routes: Routes::of(&crate::openapi()),
            document: web::Bytes::new(),
        })
    }

    fn serve(shared: &Data<Shared>, listener: TcpListener) -> Server {
        serve_for(shared, None, listener)
    }

    /// With use cases, the layers know whose a token is.
    fn serve_for(shared: &Data<Shared>, cases: Option<&app::App>, listener: TcpListener) -> Server {
        let (shared, cases) = (shared.clone(), cases.cloned().map(Data::new));
        let server = HttpServer::new(move || {
            let app = cases.iter().fold(App::new(), |app, cases| app.app_data(cases.clone()));
            let app = app
                .app_data(shared.clone())
                .route(
                    "/panic/{id}",
                    web::get().to(async || -> HttpResponse { panic!("a secret in a panic") }),
                )
                .route(
                    "/fail",
                    web::get().to(async || Err::<HttpResponse, _>(Problem::internal("select secret"))),
                )
                .route("/teapot", web::get().to(async || HttpResponse::ImATeapot().body("third party text")));
            wrap(app, &shared.settings.cors, &shared.limits)
        });
        server.workers(1).disable_signals().listen(listener).unwrap().run()
    }

    /// What a path answers, and what is logged of it.
    fn ask(shared: &Data<Shared>, path: &str) -> (reqwest::StatusCode, reqwest::header::HeaderMap, Value) {
        ask_with(shared, path, |request| request)
    }

    fn ask_with(
        shared: &Data<Shared>,
        path: &str,
        more: impl FnOnce(reqwest::RequestBuilder) -> reqwest::RequestBuilder,
    ) -> (reqwest::StatusCode, reqwest::header::HeaderMap, Value) {
        System::new().block_on(async {
            let _installed_before = rustls::crypto::ring::default_provider().install_default();
            let listener = TcpListener::bind("127.0.0.1:0").unwrap();
            let url = format!("http://{}{path}", listener.local_addr().unwrap());
            let server = serve(shared, listener);
            let handle = server.handle();
            let running = actix_web::rt::spawn(server);
            let response = more(reqwest::Client::new().get(url)).send().await.unwrap();
            let (status, headers) = (response.status(), response.headers().clone());
            let body = response.json().await.unwrap();
            handle.stop(false).await;
            running.await.unwrap().unwrap();
            (status, headers, body)
        })
    }

    #[test]
    fn a_panic_is_a_500_with_all_headers_and_without_its_words() {
        let shared = shared(true);
        let (status, headers, problem) = ask(&shared, "/panic/17?x=1");
        assert_eq!(status, 500);
        assert_eq!(problem["code"], "internal_error");
        assert_eq!(problem["instance"], "/panic/17");
        assert_eq!(headers["content-type"], "application/problem+json");
        assert_eq!(headers["x-request-id"], problem["request_id"].as_str().unwrap());
        for name in ["x-process-time", "x-frame-options", "strict-transport-security"] {
            assert!(headers.contains_key(name), "{name}");
        }
        assert!(!problem.to_string().contains("secret"), "{problem}");
        let page = shared.metrics.render().unwrap();
        assert!(
            page.contains(
                r#"stock_tracker_errors_total{endpoint="/panic/{id}",error_type="internal_error"} 1"#
            )
        );
        assert!(page.contains("stock_tracker_requests_in_progress 0"), "{page}");
    }

    #[test]
    fn the_cause_of_a_failure_is_told_in_debug_mode_only() {
        let (status, _, problem) = ask(&shared(false), "/fail");
        assert_eq!((status.as_u16(), problem.get("debug")), (500, None));
        assert!(!problem.to_string().contains("secret"), "{problem}");
        let (_, _, problem) = ask(&shared(true), "/fail");
        assert_eq!(problem["debug"], "select secret");
    }

    /// What was sent of a request since the last look, as it would be written.
    fn sent(transport: &TestTransport, request_id: &str) -> Vec<String> {
        let written = transport.fetch_and_clear_envelopes().into_iter().map(|envelope| {
            let mut bytes = Vec::new();
            envelope.to_writer(&mut bytes).unwrap();
            String::from_utf8(bytes).unwrap()
        });
        written.filter(|text| text.contains(request_id)).collect()
    }

    #[test]
    fn failures_are_reported_with_their_request_and_without_secrets() {
        let transport = TestTransport::new();
        let settings = error_reports::Settings {
            dsn: error_reports::Settings::dsn("https://key@sentry.example.com/1").unwrap(),
            environment: "staging".to_owned(),
            release: "stock-tracker@1.2.3".to_owned(),
            role: Role::Api,
            traces_sample_rate: 1.0,
        };
        let reports = error_reports::init_over(&settings, Arc::new(Arc::clone(&transport)));
        sentry::add_breadcrumb(sentry::Breadcrumb {
            message: Some("star-ting-8".into()),
            ..Default::default()
        });
        let shared = shared(false);
        let told_of = |method: &'static str, path: &str| {
            let (status, _, problem) = ask_with(&shared, path, |request| {
                let (client, request) = request.build_split();
                let mut request = request.unwrap();
                *request.method_mut() = method.parse().unwrap();
                reqwest::RequestBuilder::from_parts(client, request)
                    .bearer_auth("tok-en-1")
                    .header("X-Api-Key", "k-e-y-2")
                    .header("X-Whatever", "val-ue-3")
                    .header("Cookie", "session=coo-kie-4")
                    .header("sentry-trace", "d49d9bf66f13450b81f65bc51cf49c03-4111111111111111-0")
                    .json(&serde_json::json!({ "password": "pass-word-5" }))
            });
            let id = problem["request_id"].as_str().unwrap().to_owned();
            assert!(reports.flush(Duration::from_secs(30)));
            (status.as_u16(), problem, sent(&transport, &id))
        };
        let told = |path: &str| told_of("GET", path);
        for (path, kind, place) in [
            ("/fail?q=sear-ch-7&note=que-ry-6", "internal_error", "/fail"),
            ("/panic/17?q=8", "panic", "/panic/{id}"),
        ] {
            let (status, problem, texts) = told(path);
            assert_eq!(status, 500);
            let is_event = |text: &&String| text.contains("\"type\":\"event\"");
            let events: Vec<_> = texts.iter().filter(is_event).collect();
            let [event] = events.as_slice() else { panic!("{texts:?}") };
            assert!(event.contains(problem["event_id"].as_str().unwrap()), "{event}");
            assert!(event.contains(kind) && event.contains("\"role\":\"api\""), "{event}");
            // A stranger does not decide what is traced, and as part of what.
            assert!(texts.iter().all(|text| !text.contains("d49d9bf66f13450b81f65bc51cf49c03")), "{texts:?}");
            let is_trace = |text: &&String| text.contains("\"type\":\"transaction\"");
            assert_eq!(texts.iter().filter(is_trace).count(), 1, "{texts:?}");
            assert!(texts.iter().all(|text| text.contains(&format!("GET {place}"))), "{texts:?}");
            for word in [
                "tok-en-1",
                "k-e-y-2",
                "val-ue-3",
                "coo-kie-4",
                "pass-word-5",
                "que-ry-6",
                "sear-ch-7",
                "star-ting-8",
            ] {
                assert!(texts.iter().all(|text| !text.contains(word)), "{word} is in {texts:?}");
            }
        }
        for path in ["/teapot", "/nothing"] {
            let (status, problem, texts) = told(path);
            assert!((400..500).contains(&status));
            assert_eq!(problem.get("event_id"), None);
            assert!(texts.iter().all(|text| !text.contains("\"type\":\"event\"")), "{texts:?}");
        }
        // Names of traces are few, whatever is sent.
        let (_, _, texts) = told_of("MADE-UP", "/nothing");
        assert!(texts.iter().any(|text| text.contains("\"transaction\":\"other unmatched\"")), "{texts:?}");
    }

    /// Use cases on this database. Their marketplace is a port that nobody listens on.
    async fn use_cases(database: &TestDatabase) -> app::App {
        let db = Db::connect(&PoolSettings::new(database.url(), 1)).await.unwrap();
        let marketplaces = marketplaces::Settings {
            wildberries_base_url: Some("http://127.0.0.1:9".parse().unwrap()),
            ..marketplaces::Settings::default()
        };
        let limits = Arc::new(StoredLimits::new(db.clone()));
        let factory =
            Factory::new(marketplaces, limits, Arc::new(SystemClock), Arc::new(Unobserved)).unwrap();
        let tokens = app::TokenSettings {
            secret: "a secret of more than thirty-two characters".to_owned().into(),
            access_ttl: Duration::from_mins(15),
            refresh_ttl: Duration::from_hours(720),
        };
        let vault = Vault::new(&[Vault::generate_key()]).unwrap();
        app::App::new(db, vault, factory, Arc::new(SystemClock), &tokens)
    }

    /// What has arrived is for whoever runs this to see.
    #[test]
    #[ignore = "needs a server of error reports: `cargo xtask error-reports` starts one and looks at what it gets"]
    fn a_panic_is_sent_to_the_server() {
        // Set up as the binary sets itself up, in its order.
        let _installed = rustls::crypto::ring::default_provider().install_default();
        let reports = error_reports::init(&error_reports::Settings {
            dsn: error_reports::Settings::dsn(&dsn()).unwrap(),
            environment: ENVIRONMENT.to_owned(),
            release: RELEASE.to_owned(),
            role: Role::Api,
            traces_sample_rate: 1.0,
        });
        monitoring::logs::init(&LogSettings {
            format: LogFormat::Json,
            level: "error".into(),
            to_stderr: true,
        })
        .unwrap();
        System::new().block_on(async {
            let database = TestDatabase::sqlite().await;
            let cases = use_cases(&database).await;
            let registration = app::Registration {
                email: "owner@example.com".to_owned(),
                password: "a fine long passphrase".to_owned().into(),
                company_name: "Shop".to_owned(),
            };
            let owner = cases.auth().register(registration, &app::Client::default()).await.unwrap();
            let listener = TcpListener::bind("127.0.0.1:0").unwrap();
            let url = format!("http://{}/panic/17", listener.local_addr().unwrap());
            let server = serve_for(&shared(false), Some(&cases), listener);
            let handle = server.handle();
            let running = actix_web::rt::spawn(server);
            let request = reqwest::Client::new()
                .get(url)
                .bearer_auth(owner.access_token.expose_secret())
                .header("X-Request-ID", PANICKING_REQUEST);
            assert_eq!(request.send().await.unwrap().status(), 500);
            handle.stop(false).await;
            running.await.unwrap().unwrap();
        });
        assert!(reports.flush(Duration::from_secs(30)), "the server takes reports");
    }

    #[test]
    fn errors_that_are_no_problems_become_some() {
        let (status, _, problem) = ask(&shared(false), "/teapot");
        assert_eq!((status.as_u16(), &problem["code"]), (400, &Value::from("invalid_request")));
        assert!(!problem.to_string().contains("third party"), "{problem}");
    }

    #[test]
    fn a_request_is_one_line_with_all_that_is_known_of_it() {
        let lines = Lines::default();
        let settings = LogSettings { format: LogFormat::Json, level: "warn".into(), to_stderr: false };
        let subscriber = monitoring::logs::subscriber(&settings, lines.clone(), false).unwrap();
        // For all threads, the server's among them; lines of other tests are told apart by the request's id.
        tracing::subscriber::set_global_default(subscriber).expect("no other test of this crate sets one");
        let (_, headers, _) = ask(&shared(false), "/fail?token=secret");
        let id = headers["x-request-id"].to_str().unwrap();
        let lines: Vec<Value> = lines.read().into_iter().filter(|line| line["request_id"] == id).collect();
        let [cause, line] = lines.as_slice() else { panic!("{lines:?}") };
        assert_eq!(
            (&cause["cause"], &cause["level"]),
            (&Value::from("select secret"), &Value::from("ERROR"))
        );
        for (field, value) in [
            ("level", Value::from("ERROR")),
            ("method", "GET".into()),
            ("route", "/fail".into()),
            ("path", "/fail".into()),
            ("status", 500.into()),
            ("client_ip", "127.0.0.1".into()),
        ] {
            assert_eq!(line[field], value, "{line}");
        }
        assert!(line["duration_ms"].is_number());
        assert!(!line.to_string().contains("secret"), "{line}");
    }
}
