//! The only crate that talks to the database.
//!
//! SQLite and PostgreSQL from one code base. Nothing is read or written for a tenant but through a [`TenantTx`], which
//! needs a [`TenantScope`], which nobody outside this crate can make: it comes from a live session, a claimed job or a
//! registration. Repositories hold queries and nothing else; rules live in `domain`, use cases in `app`.
//!
//! ```compile_fail
//! // A scope is evidence. It cannot be made from an id.
//! let scope = storage::TenantScope::new(domain::ids::TenantId::generate(), todo!());
//! ```
//!
//! ```compile_fail
//! // Entities are this crate's own.
//! use storage::entity::product::Entity;
//! ```

pub mod accounts;
pub mod analytics;
pub mod catalogue;
mod codec;
mod db;
mod entity;
mod error;
pub mod events;
pub mod explain;
pub mod figures;
pub mod idempotency;
pub mod identities;
pub mod imports;
pub mod isolation;
pub mod jobs;
pub mod keyset;
pub mod limits;
mod observer;
pub mod orders;
pub mod overview;
pub mod products;
pub mod readings;
pub mod schedule;
pub mod schema;
mod scope;
pub mod server;
pub mod sessions;
pub mod stock;
pub mod syncs;
pub mod tenants;
pub mod vault;
pub mod warehouses;

pub use db::{Connections, Db, PoolSettings, Read, ReadTx, Reason, SystemTx, TenantTx, Write, WriteTx};
pub use error::Error;
pub use observer::StatementObserver;
pub use scope::TenantScope;
