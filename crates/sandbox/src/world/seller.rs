//! One seller as a simulation of discrete events: lines arrive, units travel, supplies come in.

use std::collections::{BTreeMap, HashMap};

use chrono::{DateTime, SubsecRound, TimeDelta, Timelike, Utc};
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use uuid::{Builder, Uuid};

use super::calendar;
use super::catalogue::{Card, CardMaker, Size, pick};
use super::demand::{self, Line};
use super::orders::{self, Order, Stage};
use super::stock::{Place, SellerWarehouse, Stock, WB_WAREHOUSES};

/// Real pace in the past, `speed` times faster from `live_from` on.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Pace {
    pub(crate) live_from: DateTime<Utc>,
    pub(crate) speed: f64,
}

impl Pace {
    fn factor(self, at: DateTime<Utc>) -> f64 {
        if at < self.live_from { 1.0 } else { self.speed }
    }
}

#[derive(Debug)]
enum Event {
    Line(Line),
    Deliver(usize),
    Cancel(usize),
    TurnBack(usize),
    Shelve(usize),
    Refill(i64, Place),
}

/// A seller's account and everything in it.
#[derive(Debug)]
pub(crate) struct Seller {
    pub(crate) name: &'static str,
    pub(crate) trade_mark: &'static str,
    pub(crate) tin: String,
    pub(crate) sid: Uuid,
    pub(crate) cards: Vec<Card>,
    pub(crate) warehouses: Vec<SellerWarehouse>,
    pub(crate) stock: Stock,
    pub(crate) orders: Vec<Order>,
    pub(super) maker: CardMaker,
    /// chrtID to the positions of card and size.
    pub(super) variants: HashMap<i64, (usize, usize)>,
    pub(super) rng: StdRng,
    rates: Vec<(i64, f64)>,
    events: BTreeMap<(DateTime<Utc>, u64), Event>,
    event_number: u64,
    basket: String,
    planned_until: DateTime<Utc>,
    pace: Pace,
}

const NAMES: &[(&str, &str)] = &[
    ("ИП Соколова Анна Игоревна", "Северный Ёж"),
    ("ООО «Тихая Гавань»", "Тихая Гавань"),
    ("ООО «Нордвик Трейд»", "NORDVIK"),
];
/// Two warehouses of the first seller share a name.
const WAREHOUSES: &[&[&str]] = &[
    &["Основной склад", "Основной склад", "Склад Химки"],
    &["Склад на Садовой", "Дальний склад"],
    &["Nordvik FBS", "Nordvik FBS 2"],
];

impl Seller {
    /// A seller whose goods lie on the shelves at `opened` and who has sold nothing yet.
    pub(crate) fn open(index: usize, seed: u64, cards: u32, opened: DateTime<Utc>, pace: Pace) -> Self {
        let number = u64::try_from(index).unwrap_or(u64::MAX);
        let mut rng = StdRng::seed_from_u64(seed.wrapping_mul(1_000_003).wrapping_add(number));
        let opened = opened.trunc_subsecs(0);
        let base = i64::try_from(index).unwrap_or_default();
        let (name, trade_mark) = NAMES[index % NAMES.len()];
        let warehouses = (1_i64..).zip(WAREHOUSES[index % WAREHOUSES.len()]);
        let mut seller = Self {
            name,
            trade_mark,
            tin: format!("77{:010}", rng.random_range(0..10_000_000_000_u64)),
            sid: Builder::from_random_bytes(rng.random()).into_uuid(),
            cards: Vec::new(),
            warehouses: warehouses
                .map(|(n, name)| SellerWarehouse {
                    id: 650_000 + base * 1000 + n * 17,
                    name,
                    office: pick(WB_WAREHOUSES, &mut rng),
                })
                .collect(),
            stock: Stock::default(),
            orders: Vec::new(),
            maker: CardMaker::new(base),
            variants: HashMap::new(),
            rng,
            rates: Vec::new(),
            events: BTreeMap::new(),
            event_number: 0,
            basket: String::new(),
            planned_until: opened,
            pace,
        };
        for n in 0..cards {
            let created_at =
                opened.with_minute(0).unwrap_or(opened) - TimeDelta::days(i64::from(cards - n) / 4 + 1);
            seller.add_card(created_at);
        }
        seller
    }

    pub(crate) fn variant(&self, chrt_id: i64) -> Option<(&Card, &Size)> {
        let &(card, size) = self.variants.get(&chrt_id)?;
        Some((&self.cards[card], &self.cards[card].sizes[size]))
    }

    /// The name of a place as the marketplace writes it into an order.
    pub(crate) fn place_name(&self, place: Place) -> &'static str {
        match place {
            Place::Wb(id) => super::stock::wb_warehouse(id).map_or("", |warehouse| warehouse.name),
            Place::Seller(id) => self.warehouse(id).map_or("", |warehouse| warehouse.name),
        }
    }

    pub(crate) fn warehouse(&self, id: i64) -> Option<&SellerWarehouse> {
        self.warehouses.iter().find(|warehouse| warehouse.id == id)
    }

    /// Makes a card, decides where its sizes lie and how they sell.
    pub(super) fn add_card(&mut self, created_at: DateTime<Utc>) -> &Card {
        let card = self.maker.make(created_at, &mut self.rng);
        let position = self.cards.len();
        for (number, size) in card.sizes.iter().enumerate() {
            self.variants.insert(size.chrt_id, (position, number));
            let rate = demand::draw_rate(&mut self.rng);
            self.rates.push((size.chrt_id, rate));
            let (places, wide) = (self.draw_places(), rate * demand::MEAN_UNITS);
            let supplied = self.rng.random_bool(0.88);
            let share = 1.0 / f64::from(u32::try_from(places.len()).unwrap_or(1).max(1));
            for place in places {
                let days: f64 = self.rng.random_range(10.0..70.0);
                let amount = whole_units(wide * days * share) + self.rng.random_range(0..9);
                let level = self.stock.level_mut(size.chrt_id, place);
                level.available = amount;
                level.refill_to = if supplied { amount.max(2) } else { 0 };
            }
        }
        self.cards.push(card);
        &self.cards[position]
    }

    fn draw_places(&mut self) -> Vec<Place> {
        let rng = &mut self.rng;
        let mut places: Vec<Place> = Vec::new();
        if rng.random_bool(0.9) {
            places.extend((0..rng.random_range(1..5)).map(|_| Place::Wb(pick(WB_WAREHOUSES, rng).id)));
        }
        if places.is_empty() || rng.random_bool(0.45) {
            places.extend((0..rng.random_range(1..3)).map(|_| Place::Seller(pick(&self.warehouses, rng).id)));
        }
        places.sort_unstable();
        places.dedup();
        places
    }

    /// Lets events happen up to and including `now`. Days are planned in their turn, so that the outcome does
    /// not depend on how often this is called.
    pub(super) fn advance(&mut self, now: DateTime<Utc>) {
        while self.planned_until <= now {
            let from = self.planned_until;
            self.run_until(|at| at < from);
            let mut until = calendar::end_of_day(from);
            if from < self.pace.live_from && self.pace.live_from < until {
                until = self.pace.live_from;
            }
            for line in demand::plan(&self.rates, from, until, self.pace.factor(from), &mut self.rng) {
                self.schedule(line.at, Event::Line(line));
            }
            self.planned_until = until;
        }
        self.run_until(|at| at <= now);
    }

    fn run_until(&mut self, due: impl Fn(DateTime<Utc>) -> bool) {
        while let Some(entry) = self.events.first_entry().filter(|entry| due(entry.key().0)) {
            let ((at, _), event) = entry.remove_entry();
            self.happen(at, event);
        }
    }

    fn schedule(&mut self, at: DateTime<Utc>, event: Event) {
        self.event_number += 1;
        self.events.insert((at, self.event_number), event);
    }

    /// A moment between `days.0` and `days.1` days of real life after `at`. The marketplace works in batches,
    /// one a minute.
    fn later(&mut self, at: DateTime<Utc>, days: (f64, f64)) -> DateTime<Utc> {
        let days = self.rng.random_range(days.0..days.1) / self.pace.factor(at);
        let due = at + demand::whole_seconds(days * 86_400.0) + TimeDelta::minutes(1);
        due.with_second(0).unwrap_or(due)
    }

    fn happen(&mut self, at: DateTime<Utc>, event: Event) {
        match event {
            Event::Line(line) => {
                if self.basket.is_empty() || !line.joins_previous_basket {
                    self.basket = orders::draw_basket(&mut self.rng);
                }
                let basket = self.basket.clone();
                for _ in 0..line.units {
                    let Some(place) = self.draw_stocked_place(line.chrt_id) else {
                        break;
                    };
                    self.sell(at, line.chrt_id, place, &basket);
                }
            }
            Event::Deliver(order) => self.deliver(at, order),
            Event::Cancel(order) => self.cancel(at, order),
            Event::TurnBack(order) => self.turn_back(at, order),
            Event::Shelve(order) => self.shelve(at, order),
            Event::Refill(chrt_id, place) => {
                let level = self.stock.level_mut(chrt_id, place);
                level.available = level.available.max(level.refill_to);
                level.refill_ordered = false;
            }
        }
    }

    /// A place with stock, more likely one with much of it.
    fn draw_stocked_place(&mut self, chrt_id: i64) -> Option<Place> {
        let total: u32 = self.stock.of(chrt_id).map(|(_, level)| level.available).sum();
        if total == 0 {
            return None;
        }
        let mut ticket = self.rng.random_range(0..total);
        for (place, level) in self.stock.of(chrt_id) {
            if ticket < level.available {
                return Some(place);
            }
            ticket -= level.available;
        }
        None
    }

    /// Sells one unit from a place that has one, and decides its fate.
    pub(super) fn sell(&mut self, at: DateTime<Utc>, chrt_id: i64, place: Place, basket: &str) {
        let Some(&(card, size)) = self.variants.get(&chrt_id) else {
            return;
        };
        let position = self.orders.len();
        let number = 2_400_000_000 + i64::try_from(position).unwrap_or_default() * 3;
        let card = &self.cards[card];
        let order = Order::draw(card, &card.sizes[size], place, basket, (at, number), &mut self.rng);
        self.orders.push(order);

        let level = self.stock.level_mut(chrt_id, place);
        level.available = level.available.saturating_sub(1);
        level.to_client += 1;
        if level.available <= level.refill_to / 4 && level.refill_to > 0 && !level.refill_ordered {
            level.refill_ordered = true;
            let due = self.later(at, (2.0, 12.0));
            self.schedule(due, Event::Refill(chrt_id, place));
        }
        if self.rng.random_bool(demand::CANCELLED_SHARE) {
            let due = self.later(at, (0.05, 3.0));
            self.schedule(due, Event::Cancel(position));
        } else {
            let due = self.later(at, (2.0, 9.0));
            self.schedule(due, Event::Deliver(position));
        }
    }

    fn deliver(&mut self, at: DateTime<Utc>, position: usize) {
        if self.step(at, position, Stage::OnTheWay, Stage::Delivered) {
            self.orders[position].delivered_at = Some(at);
            self.level_of(position, |level| level.to_client -= 1);
            if self.rng.random_bool(demand::RETURNED_SHARE) {
                let due = self.later(at, (1.0, 20.0));
                self.schedule(due, Event::TurnBack(position));
            }
        }
    }

    /// Cancels an order that is still on the way; its unit goes back to its shelf.
    pub(super) fn cancel(&mut self, at: DateTime<Utc>, position: usize) {
        if self.step(at, position, Stage::OnTheWay, Stage::Cancelled) {
            self.orders[position].cancelled_at = Some(at);
            self.level_of(position, |level| {
                level.to_client -= 1;
                level.available += 1;
            });
        }
    }

    fn turn_back(&mut self, at: DateTime<Utc>, position: usize) {
        if self.step(at, position, Stage::Delivered, Stage::ComingBack) {
            self.level_of(position, |level| level.from_client += 1);
            let due = self.later(at, (3.0, 8.0));
            self.schedule(due, Event::Shelve(position));
        }
    }

    fn shelve(&mut self, at: DateTime<Utc>, position: usize) {
        if self.step(at, position, Stage::ComingBack, Stage::Returned) {
            self.orders[position].returned_at = Some(at);
            self.level_of(position, |level| {
                level.from_client -= 1;
                level.available += 1;
            });
        }
    }

    /// Moves an order on, if it is where it should be.
    fn step(&mut self, at: DateTime<Utc>, position: usize, from: Stage, to: Stage) -> bool {
        let order = &mut self.orders[position];
        if order.stage != from {
            return false;
        }
        order.stage = to;
        order.changed_at = at;
        true
    }

    fn level_of(&mut self, position: usize, change: impl FnOnce(&mut super::stock::Level)) {
        let Order { chrt_id, place, .. } = self.orders[position];
        change(self.stock.level_mut(chrt_id, place));
    }
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "`as` saturates, which is what is meant"
)]
fn whole_units(amount: f64) -> u32 {
    amount.round() as u32
}
