//! Products as sellers name them, each made of its number alone.

use domain::search;

const THINGS: [&str; 24] = [
    "Кроссовки",
    "Платье",
    "Футболка",
    "Кружка",
    "Рюкзак",
    "Чай",
    "Свеча",
    "Конструктор",
    "Куртка",
    "Брюки",
    "Полотенце",
    "Подушка",
    "Чехол для телефона",
    "Наушники",
    "Зонт",
    "Кошелёк",
    "Шапка",
    "Плед",
    "Термос",
    "Блокнот",
    "Ёлочная игрушка",
    "Сковорода",
    "Гирлянда",
    "Носки",
];
const QUALITIES: [&str; 16] = [
    "женское",
    "мужское",
    "детское",
    "зимнее",
    "летнее",
    "хлопковое",
    "шерстяное",
    "складное",
    "подарочное",
    "непромокаемое",
    "спортивное",
    "домашнее",
    "дорожное",
    "большое",
    "маленькое",
    "праздничное",
];
const MODELS: [&str; 16] = [
    "Аврора",
    "Classic",
    "Байкал",
    "Urban Light",
    "Ёлочка",
    "Trail",
    "Луговой",
    "Basic 2.0",
    "Nordic",
    "Вега",
    "Comfort",
    "Сириус",
    "Retro",
    "Волна",
    "Active",
    "Рассвет",
];
const COLOURS: [&str; 10] =
    ["синий", "белый", "чёрный", "хаки", "терракотовый", "бежевый", "серый", "зелёный", "красный", "голубой"];
const BRANDS: [&str; 12] = [
    "Северный Ёж",
    "Lumen & Co",
    "Тихая Гавань",
    "NORDVIK",
    "Мастерская №7",
    "Poppy",
    "Уютный Дом",
    "Kite",
    "Полянка",
    "Everest",
    "Три Кота",
    "Alder",
];

/// On the card of one product in [`RARE_ONE_IN`].
pub(super) const RARE: &str = "Аметистовый";
/// The same in Latin letters, on other cards.
pub(super) const RARE_LATIN: &str = "Zephyrine";
/// One product in so many has a rare word.
const RARE_ONE_IN: u64 = 50_000;

/// A product, with figures that are all known.
pub(super) struct Product {
    pub(super) external_id: String,
    pub(super) seller_article: String,
    pub(super) name: String,
    pub(super) brand: &'static str,
    pub(super) category: &'static str,
    pub(super) barcodes: [String; 2],
    pub(super) active: bool,
    pub(super) fbo_stock: i64,
    pub(super) fbs_stock: i64,
    pub(super) in_transit_to_customer: i64,
    pub(super) in_transit_returns: i64,
    pub(super) ordered_units: i64,
    pub(super) cancelled_units: i64,
    pub(super) ordered_today: i64,
    pub(super) revenue_minor: i64,
}

impl Product {
    /// The product with this number. Numbers follow each other as cards were made; everything else is scattered.
    pub(super) fn new(number: u64) -> Self {
        let mut draw = Draw(number);
        let thing = draw.one_of(&THINGS);
        let (quality, model, colour) = (draw.one_of(&QUALITIES), draw.one_of(&MODELS), draw.one_of(&COLOURS));
        let rare = match number % RARE_ONE_IN {
            77 => format!(" {RARE}"),
            99 => format!(" {RARE_LATIN}"),
            _ => String::new(),
        };
        // A twentieth is out, a tenth is low, a few lie in thousands.
        let (fbo_stock, fbs_stock) = match draw.below(100) {
            0..5 => (0, 0),
            5..15 => (draw.below(8), draw.below(2)),
            99 => (draw.below(9000), draw.below(1000)),
            _ => (draw.below(300), draw.below(60)),
        };
        let most_ordered = draw.below(60);
        let ordered_units = if draw.below(10) < 3 { 0 } else { 1 + draw.below(1 + most_ordered) };
        let price = 10_000 + 100 * draw.below(5000);
        Self {
            external_id: (180_000_000 + number).to_string(),
            seller_article: format!("ART-{}-{number:07}", 100 + draw.below(900)),
            name: format!("{thing} {quality} «{model}»{rare} {colour}"),
            brand: draw.one_of(&BRANDS),
            category: thing,
            barcodes: [barcode(number, 0), barcode(number, 1)],
            active: draw.below(50) > 0,
            fbo_stock,
            fbs_stock,
            in_transit_to_customer: draw.below(20),
            in_transit_returns: draw.below(4),
            ordered_units,
            cancelled_units: draw.below(1 + ordered_units / 20),
            ordered_today: draw.below(1 + ordered_units / 7),
            revenue_minor: ordered_units * price,
        }
    }

    /// What search looks in, as the product makes it.
    pub(super) fn search_text(&self) -> String {
        let [first, second] = &self.barcodes;
        search::fold(
            &[&self.external_id, &self.seller_article, &self.name, self.brand, first, second].join("\n"),
        )
    }

    pub(super) const fn total_stock(&self) -> i64 {
        self.fbo_stock + self.fbs_stock
    }

    /// What orders products by days of cover.
    pub(super) const fn cover_rank(&self) -> i64 {
        match (self.total_stock(), self.ordered_units) {
            (0, _) => 0,
            (_, 0) => i64::MAX,
            (stock, ordered) => stock * 7000 / ordered,
        }
    }
}

/// A barcode of the product with this number.
pub(super) fn barcode(number: u64, size: u64) -> String {
    format!("20{:011}", number * 20 + size)
}

/// Numbers that look like chance and are always the same (`SplitMix64`).
struct Draw(u64);

impl Draw {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }

    fn below(&mut self, end: i64) -> i64 {
        (self.next() >> 1).cast_signed() % end.max(1)
    }

    fn one_of<T: Copy>(&mut self, items: &[T]) -> T {
        let place = self.next() % items.len() as u64;
        items[usize::try_from(place).unwrap_or_default()]
    }
}
