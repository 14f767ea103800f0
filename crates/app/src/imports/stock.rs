//! Importing stock.

use std::collections::{BTreeSet, HashMap};

use domain::{
    ids::{PassId, VariantId, WarehouseId},
    import::{Column, File, Mode, Place, Problems, StockLine, Unit},
    marketplace::{Side, WarehouseKind},
    picture::Cause,
    reading::Location,
};
use storage::{
    WriteTx, figures,
    imports::{self, Found, SellerWarehouse},
    readings::{self, Complete, Subject},
    stock::{self, Again, Reading, Staged},
    warehouses::{self, Places},
};

use super::{ImportOptions, Imports, OpenedImport, SOURCE, end, refuse};
use crate::error::Error;

/// Most warehouses of an account that an import may name.
const MOST_WAREHOUSES: usize = 1000;

/// What an import of stock did, or would do.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct StockImported {
    /// Levels that the file tells.
    pub levels: u64,
    /// Levels that became another number, those that became zero among them.
    pub movements: u64,
    /// Levels that became zero, because the file is all there is in their warehouse and does not name them.
    pub zeroed: u64,
    /// Warehouses that were not known.
    pub new_warehouses: Vec<String>,
    /// What is wrong with the file; then nothing of it was taken.
    pub problems: Problems,
}

impl Imports<'_> {
    /// Imports stock; lines that name no warehouse are of `warehouse`. With something wrong in the file nothing is
    /// changed.
    pub async fn stock(
        self,
        opened: OpenedImport,
        file: File<StockLine>,
        warehouse: Option<&str>,
        options: ImportOptions,
    ) -> Result<StockImported, Error> {
        let report = |problems: Problems| StockImported { problems, ..StockImported::default() };
        if file.lines.is_empty() {
            return refuse(options, file.problems, report);
        }
        let account = opened.account.id;
        let tx = self.begin(&opened).await?;
        let now = self.0.clock.now();
        let known = imports::seller_warehouses(&tx, account).await?;
        let mut problems = file.problems;
        let named = Named::of(&file.lines, warehouse, &known, &mut problems);
        if named.places.len() > MOST_WAREHOUSES {
            problems.push(Place::File, format!("names more than {MOST_WAREHOUSES} warehouses"));
            return refuse(options, problems.in_order(), report);
        }
        let places = warehouses::ensure(&tx, account, &named.places, now).await?;
        let units: BTreeSet<&Unit> = file.lines.iter().map(|(_, line)| &line.unit).collect();
        let found = imports::find_units(&tx, account, &units).await?;
        let staged = place_lines(&file.lines, &named, &places, &found, &mut problems);
        if !problems.is_empty() {
            return refuse(options, problems.in_order(), report);
        }

        let pass = PassId::generate();
        stock::stage(&tx, account, pass, Side::Fbs, &staged, Again::Repeats).await?;
        let filled: BTreeSet<WarehouseId> = staged.iter().filter_map(|row| row.warehouse).collect();
        let known_ids: BTreeSet<WarehouseId> = known.iter().map(|warehouse| warehouse.id).collect();
        // A file that is all there is in every warehouse is a complete reading of the side: what it does not name is
        // known to be none.
        let complete = options.mode == Mode::Replace && known_ids.is_subset(&filled);
        let zeroed = match options.mode {
            Mode::Merge => 0,
            Mode::Replace if complete => imports::left_out(&tx, account, pass).await?.stocked,
            Mode::Replace => {
                let filled: Vec<_> = filled.iter().copied().collect();
                imports::stage_zeros(&tx, account, pass, &filled).await?
            }
        };
        let told_all = complete || imports::left_out(&tx, account, pass).await?.levels == 0;
        let reading = Reading {
            account,
            pass,
            cause: Cause::Import,
            side: Side::Fbs,
            complete,
            began_at: now,
            at: now,
        };
        let movements = stock::apply(&tx, reading).await?;
        note_age(&tx, reading, told_all).await?;
        figures::write(&tx, account, now).await?;
        end(tx, options).await?;
        let new: BTreeSet<&str> = named
            .places
            .iter()
            .filter(|place| places.of(place).is_some_and(|id| !known_ids.contains(&id)))
            .map(|place| place.name.as_str())
            .collect();
        Ok(StockImported {
            levels: staged.len() as u64,
            movements,
            zeroed,
            new_warehouses: new.into_iter().map(str::to_owned).collect(),
            problems: Problems::default(),
        })
    }
}

/// Figures are as old as the oldest level behind them. A file that leaves levels out does not make those any younger.
async fn note_age(tx: &WriteTx, reading: Reading, told_all: bool) -> Result<(), Error> {
    let subject = Subject::Stock(reading.side);
    let is_first = readings::last(tx, reading.account, subject).await?.completed_at.is_none();
    if told_all || is_first {
        let full = reading.complete;
        let complete = Complete { began_at: reading.began_at, full, watermark: None, source: SOURCE };
        readings::complete(tx, reading.account, subject, complete).await?;
    }
    Ok(())
}

/// The places that lines name.
struct Named {
    places: Vec<Location>,
    /// Which of them each line names, if it names one.
    of_line: Vec<Option<usize>>,
}

impl Named {
    fn of(
        lines: &[(u64, StockLine)],
        usual: Option<&str>,
        known: &[SellerWarehouse],
        problems: &mut Problems,
    ) -> Self {
        let stored: HashMap<&str, &str> = known
            .iter()
            .filter_map(|warehouse| Some((warehouse.external_id.as_deref()?, warehouse.name.as_str())))
            .collect();
        // By id, the name that the file gives it, and the line that does so first.
        let mut told: HashMap<&str, (&str, u64)> = HashMap::new();
        let mut places: HashMap<(Option<&str>, &str), usize> = HashMap::new();
        let of_line = lines
            .iter()
            .map(|(number, line)| {
                let mut refuse = |detail: String| {
                    problems.push(Place::Cell(*number, Column::WarehouseName), detail);
                };
                let id = line.warehouse_external_id.as_deref();
                let by_id = || id.and_then(|id| stored.get(id).copied());
                let Some(name) = line.warehouse_name.as_deref().or_else(by_id).or(usual) else {
                    refuse(
                        "is empty: name the warehouse here, or for the whole file with `warehouse`".into(),
                    );
                    return None;
                };
                if let Some(id) = id {
                    let (first_name, first) = *told.entry(id).or_insert((name, *number));
                    if first_name != name {
                        refuse(format!("is not what line {first} calls the same warehouse"));
                        return None;
                    }
                }
                let next = places.len();
                Some(*places.entry((id, name)).or_insert(next))
            })
            .collect();
        let mut places: Vec<_> = places.into_iter().collect();
        places.sort_by_key(|(_, at)| *at);
        let location = |(id, name): (Option<&str>, &str)| Location {
            kind: WarehouseKind::Seller,
            external_id: id.map(str::to_owned),
            name: name.to_owned(),
        };
        Self { places: places.into_iter().map(|(place, _)| location(place)).collect(), of_line }
    }

    /// The place of a line, by its index.
    fn place(&self, line: usize) -> Option<&Location> {
        self.of_line.get(line).copied().flatten().map(|at| &self.places[at])
    }
}

/// The levels that the lines tell.
fn place_lines(
    lines: &[(u64, StockLine)],
    named: &Named,
    places: &Places,
    found: &HashMap<Unit, Found>,
    problems: &mut Problems,
) -> Vec<Staged> {
    let mut first: HashMap<(VariantId, WarehouseId), u64> = HashMap::new();
    let mut staged = Vec::with_capacity(lines.len());
    for (at, (number, line)) in lines.iter().enumerate() {
        let unit = Place::Cell(*number, line.unit.column());
        let placed = match found.get(&line.unit) {
            Some(Found::One(placed)) => *placed,
            Some(Found::Several) => {
                problems.push(unit, "is of several variants: name one of them by `external_variant_id`");
                continue;
            }
            None => {
                problems.push(unit, "is not in the catalogue: import it there first");
                continue;
            }
        };
        let Some(place) = named.place(at) else { continue };
        let Some(warehouse) = places.of(place) else {
            let detail = "is the name of several warehouses: add `warehouse_external_id`";
            problems.push(Place::Cell(*number, Column::WarehouseName), detail);
            continue;
        };
        if let Some(first) = first.insert((placed.variant, warehouse), *number) {
            let detail = format!("is of the same variant in the same warehouse as line {first}");
            problems.push(Place::Line(*number), detail);
            continue;
        }
        staged.push(Staged {
            placed,
            warehouse: Some(warehouse),
            available: Some(line.available),
            reserved: line.reserved,
            on_hand: line.on_hand,
            in_transit_to_customer: None,
            in_transit_returns: None,
        });
    }
    staged
}
