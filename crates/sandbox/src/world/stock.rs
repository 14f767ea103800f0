//! Where units lie and how many are under way.

use std::collections::{BTreeMap, HashMap};

use serde::Serialize;

/// A place that holds stock.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Place {
    /// A warehouse of the marketplace, by its id.
    Wb(i64),
    /// A warehouse of the seller, by its id.
    Seller(i64),
}

/// Who ships an order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Side {
    /// The marketplace, from its own warehouse.
    Fbo,
    /// The seller.
    Fbs,
}

impl Place {
    pub(crate) fn side(self) -> Side {
        match self {
            Self::Wb(_) => Side::Fbo,
            Self::Seller(_) => Side::Fbs,
        }
    }

    pub(crate) fn id(self) -> i64 {
        match self {
            Self::Wb(id) | Self::Seller(id) => id,
        }
    }
}

/// A warehouse of the marketplace.
#[derive(Debug)]
pub(crate) struct WbWarehouse {
    pub(crate) id: i64,
    pub(crate) name: &'static str,
    pub(crate) region: &'static str,
    /// What the asynchronous report calls it while places in Russia are masked.
    pub(crate) masked_name: &'static str,
}

const MASKED: &str = "Склад WB РФ";
/// Warehouses for large goods.
const MASKED_LARGE: &str = "Склад WB СГТ РФ";

/// Places of the marketplace; some names differ only in a digit, and one is not in Russia.
pub(crate) const WB_WAREHOUSES: &[WbWarehouse] = &[
    WbWarehouse { id: 507, name: "Коледино", region: "Центральный", masked_name: MASKED },
    WbWarehouse {
        id: 120_762, name: "Электросталь", region: "Центральный", masked_name: MASKED_LARGE
    },
    WbWarehouse {
        id: 218_623, name: "Подольск 3", region: "Центральный", masked_name: MASKED
    },
    WbWarehouse {
        id: 301_809, name: "Подольск 4", region: "Центральный", masked_name: MASKED
    },
    WbWarehouse { id: 117_986, name: "Казань", region: "Приволжский", masked_name: MASKED },
    WbWarehouse { id: 130_744, name: "Краснодар", region: "Южный", masked_name: MASKED },
    WbWarehouse { id: 686, name: "Минск", region: "Беларусь", masked_name: "Минск" },
    WbWarehouse {
        id: 312_807, name: "СЦ Тверь 1", region: "Центральный", masked_name: MASKED_LARGE
    },
];

pub(crate) fn wb_warehouse(id: i64) -> Option<&'static WbWarehouse> {
    WB_WAREHOUSES.iter().find(|warehouse| warehouse.id == id)
}

/// A warehouse of a seller, with the office of the marketplace that takes its parcels.
#[derive(Clone, Debug)]
pub(crate) struct SellerWarehouse {
    pub(crate) id: i64,
    pub(crate) name: &'static str,
    pub(crate) office: &'static WbWarehouse,
}

/// One size in one place.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Level {
    pub(crate) available: u32,
    pub(crate) to_client: u32,
    pub(crate) from_client: u32,
    /// What supplies fill the place up to; 0 where nobody supplies it.
    pub(crate) refill_to: u32,
    pub(crate) refill_ordered: bool,
}

/// All levels of a seller.
#[derive(Debug, Default)]
pub(crate) struct Stock(HashMap<i64, BTreeMap<Place, Level>>);

impl Stock {
    pub(crate) fn level_mut(&mut self, chrt_id: i64, place: Place) -> &mut Level {
        self.0.entry(chrt_id).or_default().entry(place).or_default()
    }

    /// The levels of one size in a stable order.
    pub(crate) fn of(&self, chrt_id: i64) -> impl Iterator<Item = (Place, &Level)> {
        self.0.get(&chrt_id).into_iter().flatten().map(|(place, level)| (*place, level))
    }

    /// Forgets what lies in all places; what is under way stays so.
    pub(crate) fn clear_shelves(&mut self, chrt_id: i64) {
        for level in self.0.entry(chrt_id).or_default().values_mut() {
            level.available = 0;
            level.refill_to = 0;
        }
    }
}
