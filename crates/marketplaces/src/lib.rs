//! Connectors to marketplaces behind one trait.
//!
//! A connector turns what a marketplace answers into the rows of [`domain::reading`], page by page, keeps to the
//! marketplace's limits, and says in a handful of kinds what went wrong. It knows nothing of tenants, databases or
//! jobs.
//!
//! [`Factory`] opens connectors; [`Marketplace`] is what an open one can do.

mod connector;
mod decode;
mod error;
mod factory;
pub mod http;
mod manual;
mod observer;
pub mod reach;
mod report;
mod vendure;
mod wildberries;

pub use crate::{
    connector::{CatalogueScope, KnownCatalogue, KnownCatalogueError, Marketplace},
    error::{AuthProblem, Error},
    factory::{ConnectError, CredentialProblem, Factory, Proven, Settings},
    observer::{CallObserver, CallOutcome, Unobserved},
};
