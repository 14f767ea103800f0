//! Orders of single units and the stages they pass through.

use chrono::{DateTime, Utc};
use rand::Rng;

use super::catalogue::{Card, Size, pick};
use super::stock::Place;

/// How far an order has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stage {
    OnTheWay,
    Delivered,
    Cancelled,
    ComingBack,
    Returned,
}

/// One unit ordered: one row of the orders report, and one assembly order if the seller ships it.
#[derive(Clone, Debug)]
pub(crate) struct Order {
    /// The seller's own count of orders, as the marketplace numbers them: ten digits.
    pub(crate) number: i64,
    pub(crate) srid: String,
    /// The buyer's basket; shared by its units.
    pub(crate) basket: String,
    pub(crate) sticker: u32,
    /// Number of the supply that brought the unit to the marketplace; 0 for the seller's own stock.
    pub(crate) income_id: i64,
    /// Set for orders that the seller ships.
    pub(crate) assembly_id: Option<i64>,
    pub(crate) ordered_at: DateTime<Utc>,
    pub(crate) changed_at: DateTime<Utc>,
    pub(crate) cancelled_at: Option<DateTime<Utc>>,
    /// When the buyer took it, also where it came back later.
    pub(crate) delivered_at: Option<DateTime<Utc>>,
    /// When it was back on its shelf.
    pub(crate) returned_at: Option<DateTime<Utc>>,
    pub(crate) stage: Stage,
    pub(crate) nm_id: i64,
    pub(crate) chrt_id: i64,
    pub(crate) barcode: String,
    pub(crate) place: Place,
    pub(crate) district: &'static str,
    pub(crate) region: &'static str,
    /// Kopecks: list price, price after the seller's discount, price paid.
    pub(crate) list_price: u32,
    pub(crate) discounted_price: u32,
    pub(crate) paid_price: u32,
    pub(crate) discount: u32,
    /// The marketplace's own discount in percent.
    pub(crate) wb_discount: u32,
}

const REGIONS: &[(&str, &str)] = &[
    ("Центральный федеральный округ", "Москва"),
    ("Центральный федеральный округ", "Тверская область"),
    ("Приволжский федеральный округ", "Республика Татарстан"),
    ("Южный федеральный округ", "Краснодарский край"),
    ("Сибирский федеральный округ", "Новосибирская область"),
    ("Северо-Западный федеральный округ", "Санкт-Петербург"),
];

/// A basket's number as the marketplace writes it: 20 digits.
pub(crate) fn draw_basket(rng: &mut impl Rng) -> String {
    format!("{:020}", rng.random_range(10_u64.pow(18)..u64::MAX))
}

impl Order {
    pub(crate) fn draw(
        card: &Card,
        size: &Size,
        place: Place,
        basket: &str,
        (at, number): (DateTime<Utc>, i64),
        rng: &mut impl Rng,
    ) -> Self {
        let (district, region) = *pick(REGIONS, rng);
        let wb_discount = rng.random_range(0..30);
        let discounted_price = card.price / 100 * (100 - card.discount);
        let ships_seller = matches!(place, Place::Seller(_));
        Self {
            number,
            srid: format!("{}.r{:032x}.{}.0", rng.random_range(10..30), rng.random::<u128>(), number % 7),
            basket: basket.to_owned(),
            sticker: rng.random_range(100_000_000..999_999_999),
            income_id: if ships_seller { 0 } else { rng.random_range(20_000_000..29_999_999) },
            assembly_id: ships_seller.then_some(number),
            ordered_at: at,
            changed_at: at,
            cancelled_at: None,
            delivered_at: None,
            returned_at: None,
            stage: Stage::OnTheWay,
            nm_id: card.nm_id,
            chrt_id: size.chrt_id,
            barcode: pick(&size.barcodes, rng).clone(),
            place,
            district,
            region,
            list_price: card.price,
            discounted_price,
            paid_price: discounted_price / 100 * (100 - wb_discount),
            discount: card.discount,
            wb_discount,
        }
    }
}
