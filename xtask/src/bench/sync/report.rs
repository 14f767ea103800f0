//! What a sync came to, in figures.

use std::time::Duration;

use super::{MOST_MEMORY, Measured};
use crate::bench::table::{self, grouped};
use crate::product::database::Kind;

/// Phases that write stock rows.
const STOCK: [&str; 2] = ["stock_seller", "stock_marketplace"];

/// One sync.
pub(super) struct Figures {
    pub(super) took: Duration,
    pub(super) products: u64,
    pub(super) variants: u64,
    pub(super) stock_rows: u64,
    pub(super) movements: u64,
    pub(super) order_lines: u64,
    pub(super) phases: Vec<Phase>,
    /// Of its worker, in bytes.
    pub(super) peak_memory: u64,
}

/// A phase of a sync.
pub(super) struct Phase {
    pub(super) name: String,
    pub(super) took: Duration,
}

impl Figures {
    fn stock_took(&self) -> Duration {
        self.phases.iter().filter(|phase| STOCK.contains(&phase.name.as_str())).map(|phase| phase.took).sum()
    }
}

/// Prints what was measured on one database.
pub(super) fn print(kind: Kind, measured: &Measured) {
    let syncs = &measured.syncs;
    let counts = |of: fn(&Figures) -> u64| syncs.iter().map(|sync| grouped(of(sync))).collect::<Vec<_>>();
    let line = |name: &str, cells: Vec<String>| [vec![name.to_owned()], cells].concat();
    let each = |cell: &dyn Fn(&Figures, Duration) -> String| {
        syncs.iter().zip(measured.bare).map(|(sync, bare)| cell(sync, bare)).collect::<Vec<_>>()
    };
    let mut lines = vec![
        line(kind.name(), vec!["first".into(), "unchanged".into()]),
        line("products read", counts(|sync| sync.products)),
        line("variants read", counts(|sync| sync.variants)),
        line("stock rows read", counts(|sync| sync.stock_rows)),
        line("stock levels changed", counts(|sync| sync.movements)),
        line("order lines read", counts(|sync| sync.order_lines)),
        line("whole sync, s", each(&|sync, _| seconds(sync.took))),
    ];
    let names: Vec<&str> = syncs[0].phases.iter().map(|phase| phase.name.as_str()).collect();
    for name in names {
        let took = |sync: &Figures| {
            let found = sync.phases.iter().find(|phase| phase.name == name);
            found.map_or_else(|| "-".to_owned(), |phase| seconds(phase.took))
        };
        lines.push(line(&format!("  {name}, s"), syncs.iter().map(took).collect()));
    }
    let rows = |sync: &Figures| sync.stock_rows;
    lines.extend([
        line("stock rows / s, whole sync", each(&|sync, _| whole(rate(rows(sync), sync.took)))),
        line("stock rows / s, stock phases", each(&|sync, _| whole(rate(rows(sync), sync.stock_took())))),
        line("stock rows / s, bare upsert", each(&|_, bare| whole(rate(measured.bare_rows, bare)))),
        line(
            "stock phases : bare upsert",
            each(&|sync, bare| {
                let ratio = rate(rows(sync), sync.stock_took()) / rate(measured.bare_rows, bare);
                format!("{ratio:.2}")
            }),
        ),
        line(
            &format!("worker's peak memory, MB (most {})", MOST_MEMORY / 1_000_000),
            each(&|sync, _| grouped(sync.peak_memory / 1_000_000)),
        ),
    ]);
    table::print(&lines);
}

fn seconds(time: Duration) -> String {
    format!("{:.1}", time.as_secs_f64())
}

#[expect(clippy::cast_precision_loss, reason = "nobody syncs that many rows")]
fn rate(rows: u64, time: Duration) -> f64 {
    rows as f64 / time.as_secs_f64()
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a rate is positive, and `as` saturates"
)]
fn whole(rate: f64) -> String {
    grouped(rate.round() as u64)
}
