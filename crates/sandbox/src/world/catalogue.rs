//! Product cards of a seller and how they are made up.

use chrono::{DateTime, TimeDelta, Utc};
use rand::Rng;
use rand::seq::IndexedRandom;
use uuid::{Builder, Uuid};

/// A kind of goods; its sizes are what one card of it is sold in.
#[derive(Debug)]
pub(crate) struct Subject {
    pub(crate) id: i64,
    pub(crate) name: &'static str,
    pub(crate) name_en: &'static str,
    pub(crate) category: &'static str,
    sizes: &'static [(&'static str, &'static str)],
}

/// One listing (`nmID`).
#[derive(Clone, Debug)]
pub(crate) struct Card {
    pub(crate) nm_id: i64,
    pub(crate) imt_id: i64,
    pub(crate) nm_uuid: Uuid,
    pub(crate) subject: &'static Subject,
    pub(crate) vendor_code: String,
    pub(crate) brand: &'static str,
    pub(crate) title: String,
    pub(crate) has_photo: bool,
    pub(crate) sizes: Vec<Size>,
    /// List price in kopecks, before the seller's discount.
    pub(crate) price: u32,
    /// The seller's discount in percent.
    pub(crate) discount: u32,
    pub(crate) created_at: DateTime<Utc>,
    pub(crate) updated_at: DateTime<Utc>,
    pub(crate) trashed_at: Option<DateTime<Utc>>,
}

impl Card {
    /// Hundredths of a litre of the package; none where the seller did not measure it. It follows from the id, so
    /// that goods are what they were before anybody asked for it.
    pub(crate) fn volume(&self) -> Option<u32> {
        let number = u32::try_from(self.nm_id % 1009).unwrap_or_default();
        (!number.is_multiple_of(25)).then_some(10 + number)
    }
}

/// One sellable unit (`chrtID`).
#[derive(Clone, Debug)]
pub(crate) struct Size {
    pub(crate) chrt_id: i64,
    /// The seller's name of the size.
    pub(crate) label: &'static str,
    /// Size on the Russian scale; goods of one size have none.
    pub(crate) russian: Option<&'static str>,
    pub(crate) barcodes: Vec<String>,
}

const ONE_SIZE: &[(&str, &str)] = &[("0", "")];
const LETTERS: &[(&str, &str)] = &[("S", "44"), ("M", "46"), ("L", "48"), ("XL", "50"), ("XXL", "52")];
const SHOES: &[(&str, &str)] = &[("38", "38"), ("39", "39"), ("40", "40"), ("41", "41")];

const SUBJECTS: &[Subject] = &[
    Subject {
        id: 69, name: "Платья", name_en: "Dresses", category: "Женщинам", sizes: LETTERS
    },
    Subject {
        id: 192, name: "Футболки", name_en: "T-shirts", category: "Мужчинам", sizes: LETTERS
    },
    Subject {
        id: 105, name: "Кроссовки", name_en: "Sneakers", category: "Обувь", sizes: SHOES
    },
    Subject { id: 747, name: "Кружки", name_en: "Mugs", category: "Дом", sizes: ONE_SIZE },
    Subject {
        id: 812, name: "Рюкзаки", name_en: "Backpacks", category: "Аксессуары", sizes: ONE_SIZE
    },
    Subject { id: 1403, name: "Чай", name_en: "Tea", category: "Продукты", sizes: ONE_SIZE },
    Subject {
        id: 2290,
        name: "Чехлы для телефонов",
        name_en: "Phone cases",
        category: "Электроника",
        sizes: ONE_SIZE,
    },
    Subject { id: 3756, name: "Свечи", name_en: "Candles", category: "Дом", sizes: ONE_SIZE },
    Subject {
        id: 511, name: "Конструкторы", name_en: "Building sets", category: "Детям", sizes: ONE_SIZE
    },
];
const BRANDS: &[&str] = &["Северный Ёж", "Lumen & Co", "Тихая Гавань", "NORDVIK", "Мастерская №7", "Poppy"];
const MODELS: &[&str] =
    &["Аврора", "Classic", "Байкал", "Urban Light", "Ёлочка", "Trail", "Луговой", "Basic 2.0"];
const COLOURS: &[(&str, &str)] =
    &[("синий", "BLU"), ("белый", "WHT"), ("чёрный", "BLK"), ("хаки", "KHK"), ("терракотовый", "TER")];

/// Makes cards of one seller, each with ids of its own.
#[derive(Debug)]
pub(crate) struct CardMaker {
    next_nm: i64,
    next_chrt: i64,
    made: u32,
}

impl CardMaker {
    /// Sellers get ranges of ids that never meet.
    pub(crate) fn new(seller: i64) -> Self {
        Self {
            next_nm: 180_000_000 + seller * 1_000_000,
            next_chrt: 310_000_000 + seller * 10_000_000,
            made: 0,
        }
    }

    pub(crate) fn make(&mut self, created_at: DateTime<Utc>, rng: &mut impl Rng) -> Card {
        self.made += 1;
        self.next_nm += rng.random_range(1..40);
        let subject: &'static Subject = pick(SUBJECTS, rng);
        let model = pick(MODELS, rng);
        let (colour, colour_code) = pick(COLOURS, rng);
        let number = self.made;
        let vendor_code = if rng.random_bool(0.5) {
            format!(
                "{}-{number:04}/{colour}",
                subject.name.chars().take(3).collect::<String>().to_uppercase()
            )
        } else {
            format!("SKU-{number:04}-{colour_code}")
        };
        let kept = rng.random_range(1..=subject.sizes.len());
        let sizes =
            subject.sizes.iter().take(kept).map(|&(tech, russian)| self.size(tech, russian, rng)).collect();
        Card {
            nm_id: self.next_nm,
            imt_id: self.next_nm - 90_000_000,
            nm_uuid: Builder::from_random_bytes(rng.random()).into_uuid(),
            subject,
            vendor_code,
            brand: pick::<&'static str>(BRANDS, rng),
            title: format!("{} «{model}» {colour}", subject.name),
            has_photo: rng.random_bool(0.95),
            sizes,
            price: rng.random_range(4..90) * 10_000 - 1000,
            discount: rng.random_range(0..12) * 5,
            created_at,
            // Cards are written in batches: several share a moment.
            updated_at: created_at + TimeDelta::hours(rng.random_range(0..5)),
            trashed_at: None,
        }
    }

    fn size(&mut self, label: &'static str, russian: &'static str, rng: &mut impl Rng) -> Size {
        self.next_chrt += rng.random_range(1..60);
        let codes = if rng.random_bool(0.08) { 2 } else { 1 };
        let barcodes = (0..codes).map(|copy| format!("20{:011}", self.next_chrt * 10 + copy)).collect();
        Size {
            chrt_id: self.next_chrt,
            label,
            russian: Some(russian).filter(|size| !size.is_empty()),
            barcodes,
        }
    }
}

/// One item of a list that is known not to be empty.
pub(crate) fn pick<'a, T>(items: &'a [T], rng: &mut impl Rng) -> &'a T {
    items.choose(rng).expect("the list has items")
}
