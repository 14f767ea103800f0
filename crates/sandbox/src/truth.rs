//! What the figures of a seller really are, counted straight from the world.
//!
//! Plain sums over stock and orders, on purpose without any of the marketplace's reports in between.

use std::collections::BTreeMap;

use chrono::{DateTime, Days, Utc};
use serde::Serialize;

use crate::world::World;
use crate::world::calendar;
use crate::world::changes::ChangeError;
use crate::world::orders::Stage;
use crate::world::stock::{Place, Side};

/// A seller's figures. Stock and transit are those of the present; ordered units are seen from [`Truth::at`].
#[derive(Clone, Debug, Serialize)]
pub struct Truth {
    /// The moment the windows are counted from.
    pub at: DateTime<Utc>,
    /// Begin of the seven complete Moscow days before `at`.
    pub window_start: DateTime<Utc>,
    /// End of that window, which is the last midnight in Moscow.
    pub window_end: DateTime<Utc>,
    /// Sums over all variants.
    pub total: Figures,
    /// One entry per size, by `chrtID`; sizes of trashed cards are in it.
    pub variants: BTreeMap<i64, Variant>,
    /// Stock of each size in each place that has any.
    pub stock: Vec<StockTruth>,
    /// Units of the window per size and place, cancelled ones left out.
    pub ordered: Vec<OrderedTruth>,
}

/// Figures of one size.
#[derive(Clone, Debug, Serialize)]
pub struct Variant {
    /// The card's `nmID`.
    pub nm_id: i64,
    /// False once the card is in the trash.
    pub active: bool,
    /// The numbers.
    #[serde(flatten)]
    pub figures: Figures,
}

/// Units by meaning.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Figures {
    /// Available in the marketplace's warehouses.
    pub fbo: u32,
    /// Available in the seller's warehouses.
    pub fbs: u32,
    /// On the way to buyers from the marketplace's warehouses; this is what the stock report shows.
    pub in_way_to_client: u32,
    /// On the way back to the marketplace's warehouses; this is what the stock report shows.
    pub in_way_from_client: u32,
    /// On the way to buyers from the seller's warehouses; no stock report shows these.
    pub fbs_in_way_to_client: u32,
    /// Ordered in the window and not cancelled.
    pub ordered: u32,
    /// Ordered in the window and cancelled since.
    pub cancelled: u32,
    /// Ordered since the last Moscow midnight, up to `at`, and not cancelled.
    pub ordered_today: u32,
}

impl Figures {
    /// Available in all places.
    pub fn total(&self) -> u32 {
        self.fbo + self.fbs
    }

    fn add(&mut self, other: &Self) {
        self.fbo += other.fbo;
        self.fbs += other.fbs;
        self.in_way_to_client += other.in_way_to_client;
        self.in_way_from_client += other.in_way_from_client;
        self.fbs_in_way_to_client += other.fbs_in_way_to_client;
        self.ordered += other.ordered;
        self.cancelled += other.cancelled;
        self.ordered_today += other.ordered_today;
    }
}

/// Units of one size in one place.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct StockTruth {
    /// The size.
    pub chrt_id: i64,
    /// Id of the warehouse, unmasked.
    pub warehouse_id: i64,
    /// Name of the warehouse, unmasked.
    pub warehouse_name: &'static str,
    /// Whose warehouse it is.
    pub side: Side,
    /// Units that can be bought.
    pub available: u32,
}

/// Units of one size ordered from one place.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct OrderedTruth {
    /// The size.
    pub chrt_id: i64,
    /// Id of the warehouse.
    pub warehouse_id: i64,
    /// Name of the warehouse as orders carry it.
    pub warehouse_name: &'static str,
    /// Whose warehouse it is.
    pub side: Side,
    /// Units.
    pub units: u32,
}

/// Counts the figures of one seller.
pub(crate) fn of(world: &World, seller: usize, at: DateTime<Utc>) -> Result<Truth, ChangeError> {
    let seller = world.seller(seller)?;
    let today = calendar::day_of(at);
    let window_end = calendar::start_of(today);
    let window_start = calendar::start_of(today - Days::new(7));

    let mut variants = BTreeMap::new();
    let mut stock = Vec::new();
    for card in &seller.cards {
        for size in &card.sizes {
            let mut figures = Figures::default();
            for (place, level) in seller.stock.of(size.chrt_id) {
                match place.side() {
                    Side::Fbo => {
                        figures.fbo += level.available;
                        figures.in_way_to_client += level.to_client;
                        figures.in_way_from_client += level.from_client;
                    }
                    Side::Fbs => {
                        figures.fbs += level.available;
                        figures.fbs_in_way_to_client += level.to_client;
                    }
                }
                if level.available > 0 {
                    stock.push(StockTruth {
                        chrt_id: size.chrt_id,
                        warehouse_id: place.id(),
                        warehouse_name: seller.place_name(place),
                        side: place.side(),
                        available: level.available,
                    });
                }
            }
            let variant = Variant { nm_id: card.nm_id, active: card.trashed_at.is_none(), figures };
            variants.insert(size.chrt_id, variant);
        }
    }

    let mut ordered: BTreeMap<(i64, Place), u32> = BTreeMap::new();
    for order in seller.orders.iter().filter(|order| order.ordered_at >= window_start) {
        let Some(Variant { figures, .. }) = variants.get_mut(&order.chrt_id) else {
            continue;
        };
        let cancelled = order.stage == Stage::Cancelled;
        if order.ordered_at >= window_end {
            figures.ordered_today += u32::from(!cancelled && order.ordered_at <= at);
        } else if cancelled {
            figures.cancelled += 1;
        } else {
            figures.ordered += 1;
            *ordered.entry((order.chrt_id, order.place)).or_default() += 1;
        }
    }

    let mut total = Figures::default();
    for variant in variants.values() {
        total.add(&variant.figures);
    }
    let ordered = ordered.into_iter().map(|((chrt_id, place), units)| OrderedTruth {
        chrt_id,
        warehouse_id: place.id(),
        warehouse_name: seller.place_name(place),
        side: place.side(),
        units,
    });
    Ok(Truth { at, window_start, window_end, total, variants, stock, ordered: ordered.collect() })
}

/// Checks that the world is consistent with itself: what is on the way equals the orders on the way.
#[cfg(test)]
pub(crate) fn transit_matches_orders(world: &World, seller: usize) -> bool {
    let seller = &world.sellers[seller];
    let levels =
        seller.cards.iter().flat_map(|card| &card.sizes).flat_map(|size| seller.stock.of(size.chrt_id));
    let (to, from) =
        levels.fold((0, 0), |(to, from), (_, level)| (to + level.to_client, from + level.from_client));
    let count = |stage| seller.orders.iter().filter(|order| order.stage == stage).count();
    usize::try_from(to) == Ok(count(Stage::OnTheWay)) && usize::try_from(from) == Ok(count(Stage::ComingBack))
}
