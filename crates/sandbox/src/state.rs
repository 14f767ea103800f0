//! The one thing behind the server's lock.

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};

use chrono::{DateTime, Utc};
use serde::Serialize;
use uuid::Uuid;

use crate::faults::Faults;
use crate::limits::Limits;
use crate::options::{Clock, EdgeRows, Options};
use crate::wildberries::auth::{AccountType, TokenSpec, Tokens};
use crate::wildberries::reports::{Report, Reports};
use crate::world::World;
use crate::world::changes::ChangeError;

/// Requests that the log keeps.
const LOG_LENGTH: usize = 20_000;

/// A seller and a token that works.
#[derive(Clone, Debug, Serialize)]
pub struct SellerAccess {
    /// Number of the seller, from 0.
    pub index: usize,
    /// Name as the marketplace gives it.
    pub name: String,
    /// The seller's id, as in the token.
    pub sid: Uuid,
    /// A token for everything a stock tracker reads.
    pub token: String,
}

/// A request that the marketplace answered.
#[derive(Clone, Debug, Serialize)]
pub struct LoggedRequest {
    /// When it was answered.
    pub at: DateTime<Utc>,
    /// Whose token it carried; absent where it was not known.
    pub seller: Option<usize>,
    /// HTTP method.
    pub method: String,
    /// Path without the query.
    pub path: String,
    /// The query, empty without one.
    pub query: String,
    /// Status of the answer.
    pub status: u16,
}

/// World, gateway and what is written down about them.
#[derive(Debug)]
pub(crate) struct State {
    pub(crate) now: DateTime<Utc>,
    pub(crate) world: World,
    pub(crate) tokens: Tokens,
    pub(crate) limits: Limits,
    pub(crate) faults: Faults,
    pub(crate) reports: Reports,
    pub(crate) requests: VecDeque<LoggedRequest>,
    pub(crate) sellers: Vec<SellerAccess>,
    pub(crate) orders_page_rows: usize,
    pub(crate) edge_rows: EdgeRows,
}

impl State {
    pub(crate) fn log(&mut self, request: LoggedRequest) {
        if self.requests.len() == LOG_LENGTH {
            self.requests.pop_front();
        }
        self.requests.push_back(request);
    }

    pub(crate) fn issue_token(&mut self, seller: usize, spec: TokenSpec) -> Result<String, ChangeError> {
        let sid = self.world.seller(seller)?.sid;
        Ok(self.tokens.issue(seller, sid, spec, self.now))
    }

    pub(crate) fn reports_of(&self, seller: usize) -> Result<Vec<Report>, ChangeError> {
        self.world.seller(seller)?;
        Ok(self.reports.of(seller, self.now))
    }
}

/// The state, brought up to the present whenever somebody looks at it.
#[derive(Debug)]
pub(crate) struct Shared {
    clock: Clock,
    state: Mutex<State>,
}

impl Shared {
    /// Makes the world; takes a second or so for a large one.
    pub(crate) fn new(options: &Options) -> Self {
        let now = options.clock.now();
        let world = World::new(options, now);
        let mut tokens = Tokens::new(options.seed);
        let sellers = world.sellers.iter().enumerate().map(|(index, seller)| {
            let account_type = if index % 2 == 0 { AccountType::Personal } else { AccountType::Service };
            let spec = TokenSpec { account_type, ..TokenSpec::default() };
            let token = tokens.issue(index, seller.sid, spec, now);
            SellerAccess { index, name: seller.name.to_owned(), sid: seller.sid, token }
        });
        let state = State {
            sellers: sellers.collect(),
            now,
            world,
            tokens,
            limits: Limits::new(options.limit_scale),
            faults: Faults::default(),
            reports: Reports::new(options.seed, options.report_time, options.report_kept),
            requests: VecDeque::new(),
            orders_page_rows: options.orders_page_rows.max(1),
            edge_rows: options.edge_rows,
        };
        Self { clock: options.clock.clone(), state: Mutex::new(state) }
    }

    /// The state at the present moment. A panic of another holder leaves figures that are still readable.
    pub(crate) fn present(&self) -> MutexGuard<'_, State> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.now = state.now.max(self.clock.now());
        let now = state.now;
        state.world.advance(now);
        state
    }
}
