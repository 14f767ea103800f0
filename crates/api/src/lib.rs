//! The HTTP API.
//!
//! Turns requests into calls of [`app`]'s use cases, and what they return into JSON. It decides nothing about the
//! product: no SQL, no queues, no rules.
//!
//! - [`Service`] is the API as a value: an actix application for as many threads as wanted.
//! - [`run`] serves it until told to stop.
//! - [`openapi`] is its description, without anything started.
//!
//! Where things are: `resources` has a folder for each resource with its routes and views, `extract` what handlers
//! take, `view` the shapes that several resources share, `problem` every error, `limits` how much is answered to whom,
//! `middleware` the layers around all of it, in one documented order.

mod context;
mod extract;
mod limits;
mod middleware;
mod openapi;
mod problem;
mod resources;
mod routes;
mod server;
mod service;
mod settings;
mod view;

pub use ipnet::IpNet;
pub use limits::{Counting, InvalidLimit, LimitSettings, Limits, Quota, policy_names};
pub use openapi::openapi;
pub use problem::{ExceededLimit, FieldProblem, Problem, ProblemBody, ProblemCode, errors_page};
pub use resources::imports_page;
pub use server::{Server, run};
pub use service::Service;
pub use settings::{AllowedOrigins, CorsSettings, Environment, Settings, UnknownEnvironment};
