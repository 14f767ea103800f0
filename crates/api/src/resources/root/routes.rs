//! `GET /` and `GET /api`.

use actix_web::{
    get,
    web::{Data, Json},
};
use serde::Serialize;
use utoipa::ToSchema;

use crate::{extract::BODY_LIMIT, resources::imports::UPLOAD_LIMIT, service::Shared};

const NAME: &str = "Stock Tracker";

/// The service at a glance.
#[derive(Serialize, ToSchema)]
struct Root {
    /// Its name.
    #[schema(example = "Stock Tracker")]
    name: &'static str,
    /// Its version.
    #[schema(example = "0.1.0")]
    version: &'static str,
    /// `running`, since it answers; ask `/health` how well.
    #[schema(example = "running")]
    status: &'static str,
    /// Path of the documentation; null where it is switched off.
    #[schema(example = "/docs")]
    docs: Option<&'static str>,
}

/// Name, version and documentation.
#[utoipa::path(tag = "Root", operation_id = "root", security(()), responses((status = 200, description = "The service", body = Root)))]
#[get("/")]
pub(super) async fn root(shared: Data<Shared>) -> Json<impl Serialize> {
    Json(Root {
        name: NAME,
        version: shared.settings.version,
        status: "running",
        docs: shared.settings.docs_enabled.then_some("/docs"),
    })
}

/// What the API can do.
#[derive(Serialize, ToSchema)]
struct Information {
    /// Its name.
    #[schema(example = "Stock Tracker")]
    name: &'static str,
    /// Its version.
    #[schema(example = "0.1.0")]
    version: &'static str,
    /// The versions of the API, as in its paths.
    #[schema(example = json!(["v1"]))]
    api_versions: [&'static str; 1],
    /// What can be done with it.
    #[schema(example = json!(["products", "stocks"]))]
    capabilities: &'static [&'static str],
    /// How much at once.
    limits: Limits,
    /// Where it is described.
    docs: Option<DocsLinks>,
}

/// How much at once.
#[derive(Serialize, ToSchema)]
struct Limits {
    /// Bytes of a request's body.
    #[schema(example = 262_144)]
    body_bytes: usize,
    /// Bytes of a file that is imported.
    #[schema(example = 16_777_216)]
    import_bytes: u64,
    /// Rows of a page unless asked otherwise.
    #[schema(example = 50)]
    default_page: u64,
    /// Most rows of a page.
    #[schema(example = 200)]
    max_page: u64,
    /// Most rows of a page of `/stocks` and `/orders`.
    #[schema(example = 1000)]
    max_page_bulk: u64,
}

/// Where the API is described.
#[derive(Serialize, ToSchema)]
struct DocsLinks {
    /// The OpenAPI document.
    #[schema(example = "/openapi.json")]
    openapi: &'static str,
    /// The same as a page to try it out.
    #[schema(example = "/docs")]
    swagger_ui: &'static str,
    /// The same as a page to read.
    #[schema(example = "/redoc")]
    redoc: &'static str,
}

/// Capabilities, limits and documentation.
#[utoipa::path(tag = "Root", operation_id = "information", security(()), responses((status = 200, description = "The API", body = Information)))]
#[get("/api")]
pub(super) async fn information(shared: Data<Shared>) -> Json<impl Serialize> {
    Json(Information {
        name: NAME,
        version: shared.settings.version,
        api_versions: ["v1"],
        capabilities: &[
            "authentication",
            "tenants",
            "marketplaces",
            "marketplace_accounts",
            "syncs",
            "sync_events",
            "products",
            "stock_history",
            "stocks",
            "warehouses",
            "orders",
            "exports",
            "imports",
            "dashboard",
            "analytics",
            "idempotency_keys",
            "conditional_requests",
            "rate_limits",
        ],
        limits: Limits {
            body_bytes: BODY_LIMIT,
            import_bytes: UPLOAD_LIMIT,
            default_page: crate::extract::DEFAULT_LIMIT,
            max_page: 200,
            max_page_bulk: 1000,
        },
        docs: shared.settings.docs_enabled.then_some(DocsLinks {
            openapi: "/openapi.json",
            swagger_ui: "/docs",
            redoc: "/redoc",
        }),
    })
}
