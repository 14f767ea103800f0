//! The world behind the marketplace: sellers, their goods, buyers and time. It knows nothing of HTTP.

pub(crate) mod calendar;
pub(crate) mod catalogue;
pub(crate) mod changes;
pub(crate) mod demand;
pub(crate) mod orders;
pub(crate) mod seller;
pub(crate) mod stock;

use chrono::{DateTime, SubsecRound, TimeDelta, Utc};

use crate::options::Options;
use seller::{Pace, Seller};

/// Everything there is.
#[derive(Debug)]
pub(crate) struct World {
    pub(crate) sellers: Vec<Seller>,
    /// Whether the marketplace names its own warehouses only as a whole.
    pub(crate) masked: bool,
    now: DateTime<Utc>,
}

impl World {
    /// Opens the world `history_days` before `start` and lives through them.
    pub(crate) fn new(options: &Options, start: DateTime<Utc>) -> Self {
        let start = start.trunc_subsecs(0);
        let opened = start - TimeDelta::days(i64::from(options.history_days));
        let speed = if options.speed.is_finite() { options.speed.clamp(0.01, 1e4) } else { 1.0 };
        let pace = Pace { live_from: start, speed };
        let seller = |index| Seller::open(index, options.seed, options.cards_per_seller, opened, pace);
        let sellers = (0..options.sellers).map(seller).collect();
        let mut world = Self { sellers, masked: options.masked, now: opened };
        world.advance(start);
        world
    }

    /// The moment up to which everything has happened, in whole seconds.
    pub(crate) fn now(&self) -> DateTime<Utc> {
        self.now
    }

    /// Lets everything happen up to `now`; an earlier moment changes nothing.
    pub(crate) fn advance(&mut self, now: DateTime<Utc>) {
        self.now = self.now.max(now.trunc_subsecs(0));
        for seller in &mut self.sellers {
            seller.advance(self.now);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::{HashMap, HashSet};

    use super::*;
    use crate::truth;

    fn start() -> DateTime<Utc> {
        "2026-06-15T09:30:00Z".parse().unwrap()
    }

    fn options() -> Options {
        Options { sellers: 2, cards_per_seller: 60, speed: 10.0, ..Options::default() }
    }

    #[test]
    fn the_world_does_not_depend_on_how_often_it_is_looked_at() {
        let mut leaping = World::new(&options(), start());
        let mut walking = World::new(&options(), start());
        for hour in 1..60 {
            walking.advance(start() + TimeDelta::hours(hour));
        }
        leaping.advance(start() + TimeDelta::hours(59));
        for (a, b) in leaping.sellers.iter().zip(&walking.sellers) {
            let facts = |seller: &Seller| -> Vec<_> {
                seller
                    .orders
                    .iter()
                    .map(|order| (order.srid.clone(), order.stage, order.changed_at))
                    .collect()
            };
            assert_eq!(facts(a), facts(b));
        }
    }

    #[test]
    fn what_is_on_the_way_is_what_orders_say() {
        let mut world = World::new(&options(), start());
        assert!(truth::transit_matches_orders(&world, 0));
        world.advance(start() + TimeDelta::days(3));
        assert!(truth::transit_matches_orders(&world, 0));
    }

    #[test]
    fn a_table_of_the_seller_looks_alive() {
        let world = World::new(&Options::default(), start());
        let truth = truth::of(&world, 0, start()).unwrap();
        let count = |matches: &dyn Fn(&truth::Figures) -> bool| {
            truth.variants.values().filter(|variant| matches(&variant.figures)).count()
        };
        let all = truth.variants.len();
        assert!((200..500).contains(&all), "{all} sizes");
        let selling = count(&|figures| figures.ordered > 0);
        assert!((all / 3..all * 4 / 5).contains(&selling), "{selling} of {all} sold in the week");
        assert!(count(&|figures| figures.total() == 0) > 5, "some are sold out");
        assert!(count(&|figures| figures.ordered >= 7) > 5, "some sell daily");
        assert!(truth.total.cancelled > 0 && truth.total.in_way_from_client > 0);
        assert!(truth.total.fbo > 0 && truth.total.fbs > 0 && truth.total.ordered_today > 0);
    }

    #[test]
    fn baskets_are_shared_and_lines_are_not() {
        let world = World::new(&options(), start());
        let orders = &world.sellers[0].orders;
        let lines: HashSet<_> = orders.iter().map(|order| &order.srid).collect();
        assert_eq!(lines.len(), orders.len());
        let mut baskets: HashMap<_, HashSet<_>> = HashMap::new();
        for order in orders {
            baskets.entry(&order.basket).or_default().insert(order.chrt_id);
        }
        assert!(baskets.len() < orders.len());
        assert!(baskets.values().any(|sizes| sizes.len() > 1), "a basket holds several goods");
    }

    #[test]
    fn sellers_differ_and_the_first_has_two_warehouses_of_one_name() {
        let world = World::new(&options(), start());
        let [first, second] = &world.sellers[..] else { panic!("two sellers") };
        assert_ne!(first.sid, second.sid);
        assert!(first.cards.iter().all(|card| second.cards.iter().all(|other| other.nm_id != card.nm_id)));
        let names: HashSet<_> = first.warehouses.iter().map(|warehouse| warehouse.name).collect();
        let ids: HashSet<_> = first.warehouses.iter().map(|warehouse| warehouse.id).collect();
        assert_eq!((names.len(), ids.len()), (2, 3));
        assert!(first.cards.iter().flat_map(|card| &card.sizes).any(|size| size.barcodes.len() > 1));
    }
}
