//! What happens to a seller and to the syncs, at random.

use proptest::prelude::*;
use sandbox::{Fault, FaultKind, Operation, Times};

/// A sequence of what happens; it begins with a sync.
#[derive(Debug, Clone)]
pub(super) struct Script(pub(super) Vec<Step>);

/// Something that happens.
#[derive(Debug, Clone)]
pub(super) enum Step {
    /// Units lie somewhere.
    Put { variant: u8, place: u8, units: u8 },
    /// Somebody orders, if there is enough.
    Order { variant: u8, place: u8, units: u8 },
    /// The last order that can be cancelled is.
    Cancel,
    /// A card comes.
    AddCard,
    /// A card goes.
    TrashCard(u8),
    /// The marketplace begins or ceases to name its places.
    Masked(bool),
    /// Time passes, and trade goes on.
    Wait { minutes: u16 },
    /// A sync, with an answer that is spoilt.
    Sync(Option<Trouble>),
    /// A sync whose process dies.
    KilledSync { milliseconds: u8 },
    /// The day turns, and the sync that is due by then runs.
    Midnight,
}

/// What is wrong with the answers of a method while a sync runs.
#[derive(Debug, Clone)]
pub(super) struct Trouble {
    operation: Operation,
    times: Times,
    kind: Kind,
}

#[derive(Debug, Clone, Copy)]
enum Kind {
    /// It does not answer.
    Down,
    /// A proxy answers for it.
    Html,
    /// The answer ends too early.
    Truncated,
    /// It has changed its contract.
    Renamed,
    /// A row makes no sense.
    BadRow,
    /// The token is not good for it any more.
    Forbidden,
}

impl Trouble {
    pub(super) fn fault(&self) -> Fault {
        // The field by which each tells of its rows.
        let (rows, field) = match self.operation {
            Operation::Cards => ("/cards/0", "nmID"),
            Operation::Orders => ("/0", "srid"),
            _ => ("/data/items/0", "quantity"),
        };
        let kind = match self.kind {
            Kind::Down => FaultKind::Status { status: 503 },
            Kind::Html => FaultKind::Html { status: 502 },
            Kind::Truncated => FaultKind::Truncated,
            Kind::Renamed => FaultKind::RenameField { field: field.to_owned(), to: "renamed".to_owned() },
            Kind::BadRow => {
                FaultKind::Rewrite { pointer: format!("{rows}/{field}"), value: serde_json::json!({}) }
            }
            Kind::Forbidden => FaultKind::Status { status: 403 },
        };
        Fault::on(self.operation, self.times, kind)
    }
}

fn troubles() -> impl Strategy<Value = Trouble> {
    let operation = prop::sample::select(vec![
        Operation::Cards,
        Operation::Orders,
        Operation::Orders,
        Operation::WbStocksReport,
        Operation::SellerStocksReport,
        Operation::SellerStock,
        Operation::Warehouses,
    ]);
    let times = prop::sample::select(vec![Times::Every(1), Times::From(2), Times::Next(1)]);
    let kind = prop::sample::select(vec![
        Kind::Down,
        Kind::Html,
        Kind::Truncated,
        Kind::Renamed,
        Kind::BadRow,
        Kind::BadRow,
        Kind::Forbidden,
    ]);
    (operation, times, kind).prop_map(|(operation, times, kind)| Trouble { operation, times, kind })
}

fn steps() -> impl Strategy<Value = Step> {
    let shelf = (0_u8..64, 0_u8..8);
    prop_oneof![
        4 => (shelf.clone(), 0_u8..40).prop_map(|((variant, place), units)| Step::Put { variant, place, units }),
        3 => (shelf, 1_u8..4).prop_map(|((variant, place), units)| Step::Order { variant, place, units }),
        2 => Just(Step::Cancel),
        1 => Just(Step::AddCard),
        1 => (0_u8..8).prop_map(Step::TrashCard),
        1 => any::<bool>().prop_map(Step::Masked),
        2 => (1_u16..1_000).prop_map(|minutes| Step::Wait { minutes }),
        2 => Just(Step::Sync(None)),
        4 => troubles().prop_map(|trouble| Step::Sync(Some(trouble))),
        2 => (0_u8..120).prop_map(|milliseconds| Step::KilledSync { milliseconds }),
        2 => Just(Step::Midnight),
    ]
}

pub(super) fn scripts() -> impl Strategy<Value = Script> {
    let first = prop_oneof![
        3 => Just(Step::Sync(None)),
        1 => troubles().prop_map(|trouble| Step::Sync(Some(trouble))),
        1 => (0_u8..200).prop_map(|milliseconds| Step::KilledSync { milliseconds }),
    ];
    (first, prop::collection::vec(steps(), 4..14)).prop_map(|(first, mut rest)| {
        rest.insert(0, first);
        Script(rest)
    })
}
