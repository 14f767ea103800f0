//! What a caller decides before the sandbox starts.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, Utc};

/// Where the sandbox takes the present moment from. It may stand still or be moved by a test, but a step back
/// is treated as standing still.
#[derive(Clone)]
pub struct Clock(Arc<dyn Fn() -> DateTime<Utc> + Send + Sync>);

impl Clock {
    /// A clock that answers with `now`.
    pub fn new(now: impl Fn() -> DateTime<Utc> + Send + Sync + 'static) -> Self {
        Self(Arc::new(now))
    }

    /// The clock of this computer.
    #[expect(clippy::disallowed_methods, reason = "this is the clock that others are given")]
    pub fn system() -> Self {
        Self::new(Utc::now)
    }

    pub(crate) fn now(&self) -> DateTime<Utc> {
        (self.0)()
    }
}

impl fmt::Debug for Clock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Clock")
    }
}

/// Which rows the orders report gives for the very moment named in `dateFrom`. The published text promises
/// "equal or later", yet also an empty list at the end; a client has to live with both readings.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EdgeRows {
    /// Rows at `dateFrom` itself are in the answer (`>=`).
    Repeated,
    /// Only rows after `dateFrom` are in the answer (`>`); a page then never ends inside one moment.
    Skipped,
}

/// Settings of a sandbox.
#[derive(Clone, Debug)]
pub struct Options {
    /// Port on 127.0.0.1; 0 takes any free one.
    pub port: u16,
    /// Everything generated follows from this number and the moment of start.
    pub seed: u64,
    /// Number of sellers.
    pub sellers: usize,
    /// Product cards per seller; a card has 2 sizes on average.
    pub cards_per_seller: u32,
    /// Days of orders that exist at start (the marketplace keeps 90).
    pub history_days: u32,
    /// Whether the marketplace's own warehouses are shown as one masked row per size, as it does at present.
    pub masked: bool,
    /// Multiplies every period of the rate limits; 0 lifts the limits. Same meaning as
    /// `MARKETPLACE_LIMIT_SCALE`.
    pub limit_scale: f64,
    /// How many times faster than in real life demand, deliveries and supplies run after the start, from 0.01
    /// to 10,000. Time stamps stay real.
    /// Above 1 the hour of the day makes no difference.
    pub speed: f64,
    /// Rows after which the reports of orders and of sales end a page.
    pub orders_page_rows: usize,
    /// How these reports treat the moment a page starts at.
    pub edge_rows: EdgeRows,
    /// How long an asynchronous report takes.
    pub report_time: Duration,
    /// How long it can be downloaded after that.
    pub report_kept: Duration,
    /// Source of the present moment, for the world and for the rate limits.
    pub clock: Clock,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            port: 0,
            seed: 2026,
            sellers: 3,
            cards_per_seller: 130,
            history_days: 90,
            masked: true,
            limit_scale: 1.0,
            speed: 1.0,
            orders_page_rows: 80_000,
            edge_rows: EdgeRows::Repeated,
            report_time: Duration::from_secs(10),
            report_kept: Duration::from_hours(2),
            clock: Clock::system(),
        }
    }
}
