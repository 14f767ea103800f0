//! The layer of actix applications.

use std::sync::Arc;
use std::time::Duration;

use actix_http::Request;
use actix_web::body::MessageBody;
use actix_web::dev::{Service, ServiceResponse};
use actix_web::http::{Method, StatusCode};
use actix_web::test::{TestRequest, call_service, init_service, read_body_json};
use actix_web::{App, Error, HttpRequest, HttpResponse, web};
use ratelimit::actix::{RateLimit, RateLimitBuilder, Reports, RouteLimits};
use ratelimit::{
    DenyCache, Dim, Exception, Exceptions, HEADERS, Keys, Limiter, LocalOptions, LocalStore, Mode, Policy,
    PolicyName, Proxies, Rule, Subject,
};
use serde_json::{Value, json};

use crate::fixture::MINUTE;

fn limiter() -> Limiter {
    Limiter::new(Arc::new(LocalStore::new(LocalOptions::default())), Keys::new([5; 16]))
}

fn by_address(name: &str, limit: u32) -> Policy {
    Policy::builder(name, limit, MINUTE).scope([Dim::Ip]).build().unwrap()
}

/// A layer that takes the tenant from a header, as a service would take it from a token.
fn layer() -> RateLimitBuilder {
    RateLimit::builder(limiter()).identify(|request, identity| {
        if let Some(tenant) = request.headers().get("x-tenant") {
            identity.set(Dim::Tenant, tenant.as_bytes());
        }
    })
}

async fn app(
    layer: RateLimitBuilder,
) -> impl Service<Request, Response = ServiceResponse<impl MessageBody>, Error = Error> {
    init_service(
        App::new()
            .route("/open", web::get().to(HttpResponse::Ok))
            .route("/users/{id}", web::get().to(HttpResponse::Ok))
            .route("/users/{id}", web::post().to(HttpResponse::Created))
            .route(
                "/login/{right}",
                web::post().to(async |right: web::Path<bool>| {
                    if *right { HttpResponse::Ok() } else { HttpResponse::Unauthorized() }.finish()
                }),
            )
            .route(
                "/fails",
                web::get().to(async || Err::<HttpResponse, _>(actix_web::error::ErrorBadGateway("no"))),
            )
            .wrap(layer.build()),
    )
    .await
}

fn get(path: &str) -> TestRequest {
    TestRequest::get().uri(path).peer_addr("198.51.100.7:4711".parse().unwrap())
}

/// The statuses of the same request several times.
async fn statuses<S, B>(app: &S, times: usize, request: impl Fn() -> TestRequest) -> Vec<u16>
where
    S: Service<Request, Response = ServiceResponse<B>, Error = Error>,
{
    let mut statuses = Vec::new();
    for _ in 0..times {
        statuses.push(call_service(app, request().to_request()).await.status().as_u16());
    }
    statuses
}

#[actix_web::test]
async fn a_limit_refuses_what_is_above_it_and_tells_of_itself_always() {
    let app = app(layer().everywhere(by_address("address", 2))).await;
    for left in ["1", "0"] {
        let response = call_service(&app, get("/open").to_request()).await;
        assert_eq!(response.status(), 200);
        assert_eq!(response.headers().get("x-ratelimit-limit").unwrap(), "2");
        assert_eq!(response.headers().get("x-ratelimit-remaining").unwrap(), left);
        assert_eq!(response.headers().get("ratelimit-policy").unwrap(), "\"address\";q=2;w=60");
        assert!(response.headers().get("retry-after").is_none());
    }
    let response = call_service(&app, get("/no-such-route").to_request()).await;
    assert_eq!(response.status(), StatusCode::TOO_MANY_REQUESTS, "guessing paths counts too");
    for name in HEADERS {
        assert!(response.headers().contains_key(name), "{name}");
    }
    assert_eq!(response.headers().get("content-type").unwrap(), "application/problem+json");
    let body: Value = read_body_json(response).await;
    assert_eq!(body["violated-policies"], json!(["address"]));
    assert_eq!(body["status"], 429);
    // Another client is not concerned.
    let other = get("/open").peer_addr("198.51.100.8:4711".parse().unwrap());
    assert_eq!(call_service(&app, other.to_request()).await.status(), 200);
}

#[actix_web::test]
async fn what_a_client_says_of_itself_is_believed_from_proxies_only() {
    let proxies = || Proxies::networks(["10.0.0.0/8".parse().unwrap()]);
    let app = app(layer().proxies(proxies()).everywhere(by_address("address", 1))).await;
    let ask = async |peer: &str, forwarded: &str| {
        let request = get("/open").peer_addr(format!("{peer}:1").parse().unwrap());
        call_service(&app, request.insert_header(("x-forwarded-for", forwarded)).to_request()).await.status()
    };
    assert_eq!(ask("198.51.100.7", "203.0.113.1").await, 200);
    assert_eq!(ask("198.51.100.7", "203.0.113.2").await, 429, "it is no proxy");
    assert_eq!(ask("10.0.0.1", "198.51.100.7").await, 429, "the same client through one");
    assert_eq!(
        ask("10.0.0.1", "203.0.113.3, 198.51.100.7").await,
        429,
        "what it wrote itself changes nothing"
    );
    assert_eq!(ask("10.0.0.1", "203.0.113.9").await, 200);
}

#[actix_web::test]
async fn tenants_do_not_share_and_strangers_cannot_use_up_what_is_theirs() {
    let tenant = Policy::builder("tenant", 2, MINUTE).scope([Dim::Tenant]).build().unwrap();
    let strangers = Policy::builder("strangers", 3, MINUTE).unless([Dim::Tenant]).build().unwrap();
    let app = app(layer().everywhere(tenant).everywhere(strangers)).await;
    assert_eq!(statuses(&app, 5, || get("/open")).await, [200, 200, 200, 429, 429]);
    for tenant in ["acme", "zenith"] {
        let request = || get("/open").insert_header(("x-tenant", tenant));
        assert_eq!(statuses(&app, 3, request).await, [200, 200, 429], "{tenant}");
    }
}

#[actix_web::test]
async fn a_route_has_limits_of_its_own_however_it_is_written() {
    let reads = RouteLimits::new(Method::GET, "/users/{id}").policy(by_address("reads", 2));
    let app = app(layer().everywhere(by_address("address", 9)).route(reads)).await;
    let first = call_service(&app, get("/users/1").to_request()).await;
    assert_eq!(first.headers().get("ratelimit").unwrap(), "\"address\";r=8;t=60, \"reads\";r=1;t=60");
    assert_eq!(call_service(&app, get("/users/2").method(Method::HEAD).to_request()).await.status(), 404);
    for path in ["/users/3", "/%75sers/3", "/u%73ers/4", "/users/5?x=1"] {
        assert_eq!(call_service(&app, get(path).to_request()).await.status(), 429, "{path}");
    }
    let post = || get("/users/1").method(Method::POST);
    assert_eq!(statuses(&app, 3, post).await, [201; 3], "another method is another route");
}

#[actix_web::test]
async fn each_endpoint_counts_by_itself_where_that_is_wanted() {
    let policy = || Policy::builder("each", 1, MINUTE).scope([Dim::Ip, Dim::Endpoint]).build().unwrap();
    let app = app(layer()
        .route(RouteLimits::new(Method::GET, "/users/{id}").policy(policy()))
        .route(RouteLimits::new(Method::POST, "/users/{id}").policy(policy())))
    .await;
    assert_eq!(statuses(&app, 2, || get("/users/1")).await, [200, 429]);
    assert_eq!(statuses(&app, 2, || get("/users/1").method(Method::POST)).await, [201, 429]);
}

#[actix_web::test]
async fn exempt_routes_and_preflights_are_neither_counted_nor_told() {
    let open = RouteLimits::any_method("/open").exempt();
    let app = app(layer().everywhere(by_address("address", 1)).route(open)).await;
    for _ in 0..3 {
        let response = call_service(&app, get("/open").to_request()).await;
        assert_eq!(response.status(), 200);
        assert!(!response.headers().contains_key("ratelimit"));
    }
    let preflight =
        || get("/users/1").method(Method::OPTIONS).insert_header(("access-control-request-method", "POST"));
    assert_eq!(statuses(&app, 3, preflight).await, [404; 3]);
    assert_eq!(statuses(&app, 2, || get("/users/1")).await, [200, 429]);
}

#[actix_web::test]
async fn only_failures_count_where_that_is_wanted() {
    let failures = Policy::builder("failures", 2, MINUTE).scope([Dim::Ip]).build().unwrap();
    let login = RouteLimits::new(Method::POST, "/login/{right}")
        .policy_counting(failures, |status| status == StatusCode::UNAUTHORIZED);
    let app = app(layer().route(login)).await;
    let login = |right: bool| move || get(&format!("/login/{right}")).method(Method::POST);
    assert_eq!(statuses(&app, 5, login(true)).await, [200; 5]);
    assert_eq!(statuses(&app, 3, login(false)).await, [401, 401, 429]);
    assert_eq!(statuses(&app, 1, login(true)).await, [429]);
}

#[actix_web::test]
async fn a_cost_of_nothing_tells_and_does_not_count() {
    let free = RouteLimits::new(Method::GET, "/open").cost(PolicyName::new("address").unwrap(), 0);
    let costly = RouteLimits::new(Method::GET, "/users/{id}").cost(PolicyName::new("address").unwrap(), 3);
    let app = app(layer().everywhere(by_address("address", 4)).route(free).route(costly)).await;
    for left in ["4", "4"] {
        let response = call_service(&app, get("/open").to_request()).await;
        assert_eq!(response.headers().get("x-ratelimit-remaining").unwrap(), left);
    }
    assert_eq!(statuses(&app, 2, || get("/users/1")).await, [200, 429]);
    assert_eq!(statuses(&app, 1, || get("/open")).await, [200], "looking is never refused");
}

#[actix_web::test]
async fn errors_of_handlers_are_told_of_limits_too() {
    let app = app(layer().everywhere(by_address("address", 4))).await;
    let response = call_service(&app, get("/fails").to_request()).await;
    assert_eq!(response.status(), StatusCode::BAD_GATEWAY);
    assert_eq!(response.headers().get("x-ratelimit-remaining").unwrap(), "3");
}

#[actix_web::test]
async fn what_a_handler_decides_itself_is_told_as_well() {
    let limiter = limiter();
    let (own, attempts) = (limiter.clone(), Arc::new(by_address("attempts", 1)));
    let handler = move |request: HttpRequest| {
        let (limiter, attempts) = (own.clone(), Arc::clone(&attempts));
        async move {
            let subject = Subject::new().with(Dim::Ip, "somebody");
            let decision = limiter.check([&*attempts], &subject).await.unwrap();
            let status = if decision.is_admitted() { StatusCode::OK } else { StatusCode::TOO_MANY_REQUESTS };
            Reports::note(&request, decision.into_report());
            HttpResponse::build(status).finish()
        }
    };
    let layer = RateLimit::builder(limiter).everywhere(by_address("address", 9)).build();
    let app = init_service(App::new().route("/", web::get().to(handler)).wrap(layer)).await;
    let response = call_service(&app, get("/").to_request()).await;
    assert_eq!(response.headers().get("ratelimit").unwrap(), "\"address\";r=8;t=60, \"attempts\";r=0;t=60");
    let response = call_service(&app, get("/").to_request()).await;
    assert_eq!(response.status(), 429);
    assert_eq!(response.headers().get("x-ratelimit-limit").unwrap(), "1");
    assert_eq!(response.headers().get("retry-after").unwrap(), "60");
    assert_eq!(
        response.headers().get("ratelimit").unwrap(),
        "\"address\";r=7;t=60, \"attempts\";r=0;t=60",
        "as it was decided"
    );
    // What the handler refused counts nowhere.
    let response = call_service(&app, get("/").to_request()).await;
    assert!(response.headers().get("ratelimit").unwrap().to_str().unwrap().starts_with("\"address\";r=7;"));
}

#[actix_web::test]
async fn a_remembered_refusal_is_told_like_the_first() {
    let store = DenyCache::new(Arc::new(LocalStore::new(LocalOptions::default())));
    let hidden = Policy::builder("hidden", 2, MINUTE).build().unwrap();
    let layer = RateLimit::builder(Limiter::new(Arc::new(store), Keys::new([5; 16])));
    let app = app(layer.everywhere(hidden).everywhere(by_address("address", 9))).await;
    assert_eq!(statuses(&app, 2, || get("/open")).await, [200, 200]);
    for _ in 0..3 {
        let response = call_service(&app, get("/open").to_request()).await;
        assert_eq!(response.status(), 429);
        assert_eq!(response.headers().get("ratelimit").unwrap(), "\"address\";r=7;t=60");
        assert_eq!(response.headers().get("x-ratelimit-remaining").unwrap(), "0");
        assert_eq!(response.headers().get("retry-after").unwrap(), "60");
    }
}

#[derive(Debug)]
struct Plans;

impl Exceptions for Plans {
    fn of(&self, policy: &Policy, subject: &Subject<'_>) -> Exception {
        match subject.get(Dim::Tenant) {
            Ok(b"pro") => {
                Exception::Rule(Rule::new(policy.rule().algorithm(), 3, policy.rule().window()).unwrap())
            }
            Ok(b"ours") => Exception::Unlimited,
            _ => Exception::None,
        }
    }
}

#[actix_web::test]
async fn some_tenants_have_other_limits() {
    let tenant = Policy::builder("tenant", 2, MINUTE).scope([Dim::Tenant]).build().unwrap();
    let watching = Policy::builder("watching", 1, MINUTE).scope([Dim::Tenant]).mode(Mode::Shadow);
    let layer =
        RateLimit::builder(limiter().with_exceptions(Arc::new(Plans))).identify(|request, identity| {
            identity.set(Dim::Tenant, request.headers().get("x-tenant").unwrap().as_bytes());
        });
    let app = app(layer.everywhere(tenant).everywhere(watching.build().unwrap())).await;
    let of = |tenant: &'static str| move || get("/open").insert_header(("x-tenant", tenant));
    assert_eq!(statuses(&app, 3, of("starter")).await, [200, 200, 429]);
    assert_eq!(statuses(&app, 4, of("pro")).await, [200, 200, 200, 429]);
    assert_eq!(statuses(&app, 5, of("ours")).await, [200; 5]);
}

#[actix_web::test]
async fn waiting_as_long_as_was_said_is_enough() {
    let short = Policy::builder("short", 2, Duration::from_millis(900)).scope([Dim::Ip]).build().unwrap();
    let app = app(layer().everywhere(short)).await;
    assert_eq!(statuses(&app, 2, || get("/open")).await, [200, 200]);
    let refused = call_service(&app, get("/open").to_request()).await;
    let wait: u64 = refused.headers().get("retry-after").unwrap().to_str().unwrap().parse().unwrap();
    tokio::time::sleep(Duration::from_secs(wait)).await;
    assert_eq!(statuses(&app, 1, || get("/open")).await, [200]);
}
