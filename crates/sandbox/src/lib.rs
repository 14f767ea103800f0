//! A local stand-in for marketplaces that speaks their published contracts.
//!
//! It serves Wildberries: every path of its hosts on one origin, with tokens, rate limits, paging and errors
//! as published, over a world of sellers in which buyers order, parcels travel and supplies arrive as time
//! passes. Nothing in it knows the product; what the real marketplace would not tell is only told under
//! `/sandbox/v1` and by the handle, [`Sandbox`].
//!
//! Simpler than the original: reports are fresh where the marketplace refreshes them every half hour, and an
//! asynchronous one holds the stock of the moment at which it was asked for; `/ping` has one limit, not one per host,
//! as there is one host; names of places are in Russian whatever the locale, and nothing is in Chinese; Test tokens
//! open the methods that the marketplace's own test environment has, on the goods of the seller.
//!
//! ```no_run
//! # async fn demo() -> std::io::Result<()> {
//! let sandbox = sandbox::Sandbox::start(sandbox::Options { speed: 60.0, ..Default::default() }).await?;
//! for seller in sandbox.sellers() {
//!     println!("{} {}", seller.name, seller.token);
//! }
//! sandbox.stop().await
//! # }
//! ```

mod control;
mod edge;
mod faults;
mod limits;
mod options;
mod rewriting;
mod server;
mod state;
mod truth;
mod wildberries;
mod world;

pub use faults::{Fault, FaultKind, JsonType, Times};
pub use options::{Clock, EdgeRows, Options};
pub use server::Sandbox;
pub use state::{LoggedRequest, SellerAccess};
pub use truth::{Figures, OrderedTruth, StockTruth, Truth, Variant};
pub use wildberries::auth::{AccountType, Category, TokenSpec};
pub use wildberries::endpoints::Operation;
pub use wildberries::reports::{Report, ReportEnd, ReportStatus};
pub use world::changes::{ChangeError, NewCard};
pub use world::stock::Side;
