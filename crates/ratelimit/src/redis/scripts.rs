//! The scripts that Redis runs.

use deadpool_redis::redis::Script;

use super::call::Call;
use crate::report::Counted;
use crate::{Algorithm, Plan};

/// How many sets of algorithms there are.
const SETS: usize = 1 << PARTS.len();

/// What each algorithm adds to the scripts: how to read, and how to take. The first is the first bit of a set.
const PARTS: [[&str; 2]; 4] = [
    [include_str!("script/sliding_log/read.lua"), include_str!("script/sliding_log/take.lua")],
    [include_str!("script/compact_log/read.lua"), include_str!("script/compact_log/take.lua")],
    [include_str!("script/gcra/read.lua"), include_str!("script/gcra/take.lua")],
    [include_str!("script/fixed_window/read.lua"), include_str!("script/fixed_window/take.lua")],
];

/// A script that Redis may or may not know yet.
#[derive(Debug)]
pub(super) struct Source {
    pub(super) text: String,
    pub(super) hash: String,
}

impl Source {
    fn new(text: String) -> Self {
        Self { hash: Script::new(&text).get_hash().to_owned(), text }
    }
}

/// All scripts of the store, the deciding ones for each set of algorithms.
#[derive(Debug)]
pub(super) struct Scripts {
    admit: [Source; SETS],
    peek: [Source; SETS],
    refund: Source,
}

impl Scripts {
    pub(super) fn new() -> Self {
        let begin = include_str!("script/begin.lua");
        let decide = include_str!("script/decide.lua");
        let admit = |set| {
            let [read, take] = parts(set);
            let taking = include_str!("script/taking.lua");
            Source::new([begin, &read, decide, taking, &take, include_str!("script/admit.lua")].concat())
        };
        let peek = |set| {
            let [read, _] = parts(set);
            Source::new([begin, &read, decide, include_str!("script/peek.lua")].concat())
        };
        Self {
            admit: std::array::from_fn(admit),
            peek: std::array::from_fn(peek),
            refund: Source::new(include_str!("script/refund.lua").to_owned()),
        }
    }

    pub(super) fn admit(&self, prefix: &str, plan: &Plan, nonce: u64) -> Call<'_> {
        Call::of_plan(&self.admit[set(plan)], prefix, plan, nonce)
    }

    pub(super) fn peek(&self, prefix: &str, plan: &Plan) -> Call<'_> {
        Call::of_plan(&self.peek[set(plan)], prefix, plan, 0)
    }

    pub(super) fn refund(&self, prefix: &str, items: &[Counted], nonce: u64) -> Call<'_> {
        Call::of_counted(&self.refund, prefix, items, nonce)
    }
}

/// The algorithms that a plan needs.
fn set(plan: &Plan) -> usize {
    let bits = plan.asks().iter().map(|ask| match ask.rule.algorithm() {
        Algorithm::SlidingLog => 1,
        Algorithm::CompactLog => 2,
        Algorithm::Gcra { .. } => 4,
        Algorithm::FixedWindow => 8,
    });
    bits.fold(0, |set, bit| set | bit)
}

/// How the algorithms of a set read, and how they take.
fn parts(set: usize) -> [String; 2] {
    let chosen = || PARTS.iter().enumerate().filter(|(bit, _)| set & (1 << bit) != 0).map(|(_, parts)| parts);
    [chosen().map(|parts| parts[0]).collect(), chosen().map(|parts| parts[1]).collect()]
}
