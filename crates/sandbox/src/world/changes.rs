//! Changes by hand: what a test or a demo does to the world.

use serde::Serialize;
use thiserror::Error;

use super::World;
use super::orders::{self, Stage};
use super::seller::Seller;
use super::stock::{Place, wb_warehouse};

/// Why a change by hand was refused.
#[derive(Debug, Error, PartialEq, Eq)]
pub enum ChangeError {
    /// There is no seller of this number.
    #[error("there is no seller {0}")]
    UnknownSeller(usize),
    /// The seller has no card of this `nmID`.
    #[error("there is no card {0}")]
    UnknownCard(i64),
    /// The seller has no size of this `chrtID`.
    #[error("there is no size {0}")]
    UnknownSize(i64),
    /// Neither the seller nor the marketplace has a warehouse of this id.
    #[error("there is no warehouse {0}")]
    UnknownWarehouse(i64),
    /// There is no order of this `srid` that is still on the way.
    #[error("no order {0} is on the way")]
    UnknownOrder(String),
    /// The warehouse holds fewer units than were to be ordered.
    #[error("only {0} units are there")]
    NotEnoughStock(u32),
}

/// A card that was added by hand.
#[derive(Clone, Debug, Serialize)]
pub struct NewCard {
    /// The card's `nmID`.
    pub nm_id: i64,
    /// `chrtID` of each size.
    pub chrt_ids: Vec<i64>,
}

impl World {
    /// The seller of this number.
    pub(crate) fn seller(&self, index: usize) -> Result<&Seller, ChangeError> {
        self.sellers.get(index).ok_or(ChangeError::UnknownSeller(index))
    }

    fn seller_mut(&mut self, index: usize) -> Result<&mut Seller, ChangeError> {
        self.sellers.get_mut(index).ok_or(ChangeError::UnknownSeller(index))
    }

    /// Puts `amount` units of a size into a warehouse; the place is not supplied any more.
    pub(crate) fn set_stock(
        &mut self,
        seller: usize,
        chrt_id: i64,
        warehouse_id: i64,
        amount: u32,
    ) -> Result<(), ChangeError> {
        let seller = self.seller_mut(seller)?;
        let place = seller.place(warehouse_id)?;
        seller.variant(chrt_id).ok_or(ChangeError::UnknownSize(chrt_id))?;
        let level = seller.stock.level_mut(chrt_id, place);
        level.available = amount;
        level.refill_to = 0;
        Ok(())
    }

    /// Adds a card as the generator makes them.
    pub(crate) fn add_card(&mut self, seller: usize) -> Result<NewCard, ChangeError> {
        let now = self.now();
        let card = self.seller_mut(seller)?.add_card(now);
        Ok(NewCard { nm_id: card.nm_id, chrt_ids: card.sizes.iter().map(|size| size.chrt_id).collect() })
    }

    /// Gives a card another title.
    pub(crate) fn rename_card(
        &mut self,
        seller: usize,
        nm_id: i64,
        title: String,
    ) -> Result<(), ChangeError> {
        let now = self.now();
        let seller = self.seller_mut(seller)?;
        let card = seller.cards.iter_mut().find(|card| card.nm_id == nm_id);
        let card = card.ok_or(ChangeError::UnknownCard(nm_id))?;
        card.title = title;
        card.updated_at = now;
        Ok(())
    }

    /// Moves a card to the trash and empties its shelves.
    pub(crate) fn trash_card(&mut self, seller: usize, nm_id: i64) -> Result<(), ChangeError> {
        let now = self.now();
        let seller = self.seller_mut(seller)?;
        let card = seller.cards.iter_mut().find(|card| card.nm_id == nm_id);
        let card = card.ok_or(ChangeError::UnknownCard(nm_id))?;
        card.trashed_at = Some(now);
        for size in &card.sizes {
            seller.stock.clear_shelves(size.chrt_id);
        }
        Ok(())
    }

    /// Orders units of a size from a warehouse as one basket and returns their `srid`.
    pub(crate) fn place_order(
        &mut self,
        seller: usize,
        chrt_id: i64,
        warehouse_id: i64,
        units: u32,
    ) -> Result<Vec<String>, ChangeError> {
        let now = self.now();
        let seller = self.seller_mut(seller)?;
        let place = seller.place(warehouse_id)?;
        seller.variant(chrt_id).ok_or(ChangeError::UnknownSize(chrt_id))?;
        let there = seller.stock.level_mut(chrt_id, place).available;
        if there < units {
            return Err(ChangeError::NotEnoughStock(there));
        }
        let before = seller.orders.len();
        let basket = orders::draw_basket(&mut seller.rng);
        for _ in 0..units {
            seller.sell(now, chrt_id, place, &basket);
        }
        Ok(seller.orders[before..].iter().map(|order| order.srid.clone()).collect())
    }

    /// Cancels an order that is on the way.
    pub(crate) fn cancel_order(&mut self, seller: usize, srid: &str) -> Result<(), ChangeError> {
        let now = self.now();
        let seller = self.seller_mut(seller)?;
        let found =
            seller.orders.iter().position(|order| order.srid == srid && order.stage == Stage::OnTheWay);
        let position = found.ok_or_else(|| ChangeError::UnknownOrder(srid.to_owned()))?;
        seller.cancel(now, position);
        Ok(())
    }
}

impl Seller {
    fn place(&self, id: i64) -> Result<Place, ChangeError> {
        if self.warehouse(id).is_some() {
            Ok(Place::Seller(id))
        } else if wb_warehouse(id).is_some() {
            Ok(Place::Wb(id))
        } else {
            Err(ChangeError::UnknownWarehouse(id))
        }
    }
}
