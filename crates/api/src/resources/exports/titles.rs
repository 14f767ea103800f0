//! The words of a workbook, in the language of its company.

/// The titles of columns and sheets.
pub(super) struct Titles {
    pub(super) products: &'static str,
    pub(super) about: &'static str,
    pub(super) product: &'static str,
    /// Brand, category, the seller's article, the marketplace's.
    pub(super) base: [&'static str; 4],
    pub(super) total: &'static str,
    /// In transit to customers, returning, ordered, stock, days of cover.
    pub(super) totals: [&'static str; 5],
    /// Stock, orders, days of cover.
    pub(super) warehouse: [&'static str; 3],
    /// What the figures mean.
    pub(super) notes: [&'static str; 4],
    pub(super) taken_at: &'static str,
    pub(super) account: &'static str,
    pub(super) marketplace: &'static str,
    pub(super) as_of: &'static str,
}

impl Titles {
    /// The titles in a language; English where there are none.
    pub(super) const fn of(locale: &str) -> &'static Self {
        if matches!(locale.as_bytes(), b"ru") { &RUSSIAN } else { &ENGLISH }
    }
}

const ENGLISH: Titles = Titles {
    products: "Products",
    about: "About",
    product: "Product",
    base: ["Brand", "Category", "Seller's article", "Marketplace's article"],
    total: "Total",
    totals: ["In transit to customers", "Returning", "Orders", "Stock", "Days of cover"],
    warehouse: ["Stock", "Orders", "Days"],
    notes: [
        "An empty cell is not known; 0 is none.",
        "Orders: units ordered in the last 7 complete days of the marketplace, today and cancelled ones excluded.",
        "Days: how long the stock lasts at that speed, stock × 7 / orders. Empty where nothing was ordered.",
        "Stock: units that can be sold; those in transit are not among them.",
    ],
    taken_at: "Taken (UTC)",
    account: "Account",
    marketplace: "Marketplace",
    as_of: "Oldest stock is of (UTC)",
};

const RUSSIAN: Titles = Titles {
    products: "Товары",
    about: "О файле",
    product: "Товар",
    base: ["Бренд", "Предмет", "Артикул продавца", "Артикул маркетплейса"],
    total: "Всего",
    totals: ["В пути к покупателям", "Возвращаются", "Заказы", "Остаток", "Дней запаса"],
    warehouse: ["Остаток", "Заказы", "Дней"],
    notes: [
        "Пустая ячейка — неизвестно; 0 — ничего нет.",
        "Заказы: штуки, заказанные за последние 7 полных дней по времени маркетплейса, без сегодняшних и отменённых.",
        "Дней: на сколько хватит остатка при такой скорости, остаток × 7 / заказы. Пусто, если заказов не было.",
        "Остаток: штуки, которые можно продать; товары в пути в него не входят.",
    ],
    taken_at: "Сформирован (UTC)",
    account: "Кабинет",
    marketplace: "Маркетплейс",
    as_of: "Самый старый остаток (UTC)",
};
