//! The OpenAPI document: collected from the routes, completed with what is true of all of them.

use actix_web::App;
use utoipa::{
    OpenApi as _,
    openapi::{
        Content, ContentBuilder, OpenApi, Ref, RefOr, Required, ResponseBuilder,
        header::HeaderBuilder,
        path::{Operation, ParameterBuilder, ParameterIn, PathItem},
        schema::{ObjectBuilder, Type},
        security::{HttpAuthScheme, HttpBuilder, SecurityRequirement, SecurityScheme},
    },
};
use utoipa_actix_web::AppExt as _;

use crate::{
    limits,
    problem::{ProblemBody, ProblemCode},
    resources,
    settings::{Environment, Settings},
};

/// Name of the scheme for access tokens.
const BEARER: &str = "bearer";

/// The operations that take an `Idempotency-Key`.
pub(crate) const IDEMPOTENT: [&str; 5] =
    ["connectMarketplaceAccount", "importProducts", "importStock", "syncMarketplaceAccount", "syncProducts"];

const CONVENTIONS: &str = include_str!("openapi.md");

#[derive(utoipa::OpenApi)]
#[openapi(
    info(title = "Stock Tracker", license(name = "MIT OR Apache-2.0", identifier = "MIT OR Apache-2.0")),
    components(schemas(ProblemBody)),
    tags(
        (name = "Authentication", description = "Registering, signing in, staying signed in, signing out."),
        (name = "Tenant", description = "Your company and its settings."),
        (name = "Marketplaces", description = "Marketplace accounts and their credentials."),
        (name = "Imports", description = "Catalogues and stock that come in files."),
        (name = "Syncs", description = "Reading marketplaces in the background."),
        (name = "Catalogue", description = "Products, stock, warehouses, orders."),
        (name = "Analytics", description = "Figures over the whole company: active products only, the same figures as in lists and details."),
        (name = "Rate limits", description = "How many requests are let through, and what is left."),
        (name = "Health", description = "For balancers, orchestrators and people."),
        (name = "Root", description = "The service, its documentation and its metrics."),
    ),
)]
struct Frame;

/// The complete document, without anything started.
pub fn openapi() -> OpenApi {
    let everything = Settings {
        docs_enabled: true,
        serve_metrics: true,
        ..Settings::new(Environment::Development, env!("CARGO_PKG_VERSION"))
    };
    document(&everything)
}

/// The document of a deployment: without what it does not serve.
pub(crate) fn document(settings: &Settings) -> OpenApi {
    let (_, mut document) = App::new()
        .into_utoipa_app()
        .openapi(Frame::openapi())
        .configure(|routes| resources::configure(routes, settings))
        .split_for_parts();
    settings.version.clone_into(&mut document.info.version);
    document.info.description = Some(CONVENTIONS.to_owned());
    document.security = Some(vec![SecurityRequirement::new(BEARER, std::iter::empty::<String>())]);
    let components = document.components.get_or_insert_default();
    let scheme = |format: Option<&str>, description: &str| {
        let http = HttpBuilder::new().scheme(HttpAuthScheme::Bearer).description(Some(description));
        SecurityScheme::Http(match format {
            Some(format) => http.bearer_format(format).build(),
            None => http.build(),
        })
    };
    components.add_security_scheme(
        BEARER,
        scheme(Some("JWT"), "The access token of an answer under `/api/v1/auth`."),
    );
    components.add_security_scheme("metrics_token", scheme(None, "The operator's token for scrapers."));
    for (path, item) in &mut document.paths.paths {
        for operation in operations_mut(item) {
            complete(path, operation);
        }
    }
    document
}

/// Every operation with its method and path.
pub(crate) fn operations(document: &OpenApi) -> impl Iterator<Item = (&'static str, &str, &Operation)> {
    document.paths.paths.iter().flat_map(|(path, item)| {
        [
            ("GET", &item.get),
            ("POST", &item.post),
            ("PUT", &item.put),
            ("PATCH", &item.patch),
            ("DELETE", &item.delete),
        ]
        .into_iter()
        .filter_map(move |(method, operation)| Some((method, path.as_str(), operation.as_ref()?)))
    })
}

fn operations_mut(item: &mut PathItem) -> impl Iterator<Item = &mut Operation> {
    [&mut item.get, &mut item.post, &mut item.put, &mut item.patch, &mut item.delete].into_iter().flatten()
}

/// Adds what the layers around an operation can answer, and the headers they read and write.
fn complete(path: &str, operation: &mut Operation) {
    use ProblemCode as Code;
    let id = operation.operation_id.clone().unwrap_or_default();
    let secured = operation.security.is_none();
    let is_api = path.starts_with("/api/v1/") && !path.starts_with("/api/v1/health/");
    let reads = is_api && operation.request_body.is_none() && id != "watchSync" && is_read(&id);
    let has = |place: ParameterIn| {
        let parameters = operation.parameters.as_deref().unwrap_or_default();
        parameters
            .iter()
            .any(|parameter| matches!(parameter, RefOr::T(parameter) if parameter.parameter_in == place))
    };
    let (by_id, by_query, by_body) =
        (has(ParameterIn::Path), has(ParameterIn::Query), takes_body(&id, operation));
    let idempotent = IDEMPOTENT.contains(&id.as_str());
    let mut problems: Vec<(u16, Vec<Code>)> = vec![
        (400, vec![Code::InvalidRequest, Code::InvalidHost]),
        (406, vec![Code::NotAcceptable]),
        (500, vec![Code::InternalError]),
    ];
    let mut add = |condition: bool, status: u16, codes: &[Code]| {
        if condition {
            match problems.iter_mut().find(|(known, _)| *known == status) {
                Some((_, known)) => known.extend(codes),
                None => problems.push((status, codes.to_vec())),
            }
        }
    };
    add(secured, 401, &[Code::Unauthenticated, Code::InvalidToken, Code::ExpiredToken, Code::SessionEnded]);
    add(secured, 403, &[Code::Forbidden]);
    add(by_id, 404, &[Code::NotFound]);
    add(by_body && !takes_a_file(&id), 400, &[Code::InvalidJson]);
    add(by_body, 413, &[Code::BodyTooLarge]);
    add(by_body, 415, &[Code::UnsupportedMediaType]);
    add(is_api, 422, &[Code::ValidationFailed]);
    add(by_query, 422, &[Code::InvalidCursor]);
    add(idempotent, 409, &[Code::IdempotencyInProgress]);
    add(idempotent, 422, &[Code::IdempotencyKeyReused]);
    add(is_api, 503, &[Code::Unavailable]);
    let limited = !limits::is_exempt(path);
    add(limited, 429, &[Code::RateLimitExceeded]);
    for (status, codes) in problems {
        let codes: Vec<String> = codes.iter().map(|code| format!("`{}`", code.code())).collect();
        let response =
            ResponseBuilder::new().description(codes.join(", ")).content(PROBLEM_JSON, problem_content());
        operation.responses.responses.entry(status.to_string()).or_insert_with(|| response.build().into());
    }
    if reads {
        let unchanged =
            ResponseBuilder::new().description("Unchanged since the answer whose `ETag` was sent");
        operation.responses.responses.insert("304".to_owned(), unchanged.build().into());
        header_parameter(operation, "If-None-Match", "The `ETag` of an earlier answer");
    }
    if idempotent {
        header_parameter(
            operation,
            "Idempotency-Key",
            "1 to 255 printable characters; makes it safe to send again",
        );
    }
    headers(operation, &Told { reads, idempotent, limited, secured });
}

const PROBLEM_JSON: &str = "application/problem+json";

fn problem_content() -> Content {
    ContentBuilder::new().schema(Some(RefOr::Ref(Ref::from_schema_name("Problem")))).build()
}

/// Operations whose ids begin with these read something.
fn is_read(id: &str) -> bool {
    ["get", "list", "me"].iter().any(|verb| id.starts_with(verb))
}

/// Whether a body is looked at; those without one in the document still refuse one that is not `{}`.
fn takes_body(id: &str, operation: &Operation) -> bool {
    operation.request_body.is_some()
        || IDEMPOTENT.contains(&id)
        || matches!(id, "logout" | "verifyMarketplaceAccount" | "cancelSync")
}

/// Whether the body is a file, which is read as what it is and not as JSON.
fn takes_a_file(id: &str) -> bool {
    id.starts_with("import")
}

fn header_parameter(operation: &mut Operation, name: &str, description: &str) {
    let parameter = ParameterBuilder::new()
        .name(name)
        .parameter_in(ParameterIn::Header)
        .required(Required::False)
        .description(Some(description))
        .schema(Some(ObjectBuilder::new().schema_type(Type::String)))
        .build();
    operation.parameters.get_or_insert_default().push(parameter.into());
}

/// What decides about an operation's headers.
#[expect(clippy::struct_excessive_bools, reason = "each says whether one kind of header is sent")]
struct Told {
    reads: bool,
    idempotent: bool,
    limited: bool,
    secured: bool,
}

/// The headers that tell of limits.
const LIMIT_HEADERS: [(&str, &str); 5] = [
    ("X-RateLimit-Limit", "How many requests the limit with the least left lets through in its window"),
    ("X-RateLimit-Remaining", "How many of them are left"),
    ("X-RateLimit-Reset", "When more will be left, in seconds since 1970"),
    ("RateLimit", "Every limit of yours: what is left (`r`), and seconds until more is (`t`)"),
    ("RateLimit-Policy", "Every limit of yours: how many (`q`) in how many seconds (`w`)"),
];

/// Documents the headers of every answer.
fn headers(operation: &mut Operation, told: &Told) {
    let Told { reads, idempotent, limited, secured } = *told;
    let header = |description: &str| {
        HeaderBuilder::new()
            .schema(Some(ObjectBuilder::new().schema_type(Type::String)))
            .description(Some(description))
            .build()
    };
    for (status, response) in &mut operation.responses.responses {
        let RefOr::T(response) = response else { continue };
        let mut add = |condition: bool, name: &str, description: &str| {
            if condition {
                response.headers.insert(name.to_owned(), header(description).into());
            }
        };
        add(true, "X-Request-ID", "The id of the request: yours if you sent a good one");
        add(true, "X-Process-Time", "Seconds that the answer took");
        // Every answer has them; told where a client looks, the document stays readable.
        let told = limited && (status.starts_with('2') || status == "429");
        for (name, description) in LIMIT_HEADERS {
            add(told, name, description);
        }
        add(told && secured, "X-RateLimit-Tenant", "The company whose requests are counted");
        add(status == "429", "Retry-After", "Seconds to wait");
        add(status == "401", "WWW-Authenticate", "`Bearer`");
        add(status == "503" && response.content.contains_key(PROBLEM_JSON), "Retry-After", "Seconds to wait");
        add(
            reads && matches!(status.as_str(), "200" | "304"),
            "ETag",
            "Tag of this answer, for `If-None-Match`",
        );
        add(
            idempotent && status.starts_with('2'),
            "Idempotency-Replayed",
            "`true` on an answer given before",
        );
    }
}
