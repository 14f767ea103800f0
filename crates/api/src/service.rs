//! Puts the parts together: routes, middleware, and what they share.

use std::sync::Arc;

use actix_web::{
    App as ActixApp, Error, HttpRequest, HttpResponse,
    body::BoxBody,
    dev::{ServiceFactory, ServiceRequest, ServiceResponse},
    web::{self, Bytes, Data},
};
use app::App;
use monitoring::{health::Health, metrics::Metrics};
use utoipa::openapi::OpenApi;
use utoipa_actix_web::AppExt as _;

use crate::{
    limits::Limits,
    middleware, openapi,
    problem::{Problem, ProblemCode},
    resources,
    routes::{Known, Routes},
    settings::Settings,
};

/// What handlers and middleware of every worker thread share.
pub(crate) struct Shared {
    pub(crate) settings: Settings,
    pub(crate) metrics: Metrics,
    pub(crate) health: Health,
    pub(crate) limits: Limits,
    pub(crate) routes: Routes,
    /// The OpenAPI document as it is served.
    pub(crate) document: Bytes,
}

/// The API, ready to be served by any number of threads. Cheap to clone.
#[derive(Clone)]
pub struct Service {
    app: App,
    shared: Arc<Shared>,
}

impl Service {
    /// Puts the API together and lets the series of every route start at 0.
    pub fn new(settings: Settings, app: App, metrics: Metrics, health: Health, limits: Limits) -> Self {
        let document = openapi::document(&settings);
        announce(&metrics, &document);
        let shared = Shared {
            routes: Routes::of(&document),
            document: serde_json::to_vec(&document)
                .expect("the document has only strings and numbers")
                .into(),
            settings,
            metrics,
            health,
            limits,
        };
        Self { app, shared: Arc::new(shared) }
    }

    /// An application for one thread.
    pub fn actix_app(
        &self,
    ) -> ActixApp<
        impl ServiceFactory<
            ServiceRequest,
            Config = (),
            Response = ServiceResponse<BoxBody>,
            Error = Error,
            InitError = (),
        > + use<>,
    > {
        let settings = &self.shared.settings;
        let (app, _) = ActixApp::new()
            .into_utoipa_app()
            .configure(|routes| resources::configure(routes, settings))
            .split_for_parts();
        let app = app
            .app_data(Data::new(self.app.clone()))
            .app_data(Data::from(Arc::clone(&self.shared)))
            .default_service(web::to(unrouted));
        middleware::wrap(app, &settings.cors, &self.shared.limits)
    }
}

/// A path without a route, or a method that its path does not have.
async fn unrouted(shared: Data<Shared>, request: HttpRequest) -> Result<HttpResponse, Problem> {
    match shared.routes.find(request.method(), request.match_info().as_str()) {
        Known::Path { allow } => Err(Problem::method_not_allowed(&allow)),
        Known::Operation | Known::Nothing => Err(Problem::not_found()),
    }
}

fn announce(metrics: &Metrics, document: &OpenApi) {
    for (method, path, operation) in openapi::operations(document) {
        let statuses: Vec<u16> =
            operation.responses.responses.keys().filter_map(|status| status.parse().ok()).collect();
        metrics.http().announce(method, path, &statuses);
        // Of these even the first matters: a series that is born with it has no rate.
        for code in ProblemCode::ALL.iter().filter(|code| code.status().is_server_error()) {
            metrics.errors().announce(code.code(), path);
        }
    }
}
