//! Middleware for actix-web (feature `actix`).
//!
//! One layer around the whole application decides about a request once, by the policies that hold everywhere and by
//! those declared for its route: admitted by all, or counted by none. It answers refusals, and puts the headers on
//! every answer.

mod identity;
mod layer;
mod reports;
mod routes;

pub use self::{
    identity::Identity,
    layer::{RateLimit, RateLimitBuilder, RateLimitService, Refusal},
    reports::Reports,
    routes::RouteLimits,
};
