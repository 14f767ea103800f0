//! The stock picture as a table: the rows a seller would look at first, warehouse by warehouse.

use std::collections::{BTreeMap, HashSet};

use comfy_table::{Cell, CellAlignment, Table, TableComponent, presets};
use serde::Deserialize;
use uuid::Uuid;

use super::client::{Client, Items};

/// Rows of the table.
const ROWS: usize = 20;
/// Rows kept for what is about to run out.
const URGENT: usize = 10;
/// Warehouses with a column of their own; the others share one.
const WAREHOUSES: usize = 5;
/// Characters of a title.
const TITLE: usize = 26;
/// What is not known is not zero.
const UNKNOWN: &str = "—";

#[derive(Deserialize)]
struct Product {
    id: Uuid,
    seller_article: Option<String>,
    name: Option<String>,
    total_stock: Option<i64>,
    in_transit_to_customer: Option<i64>,
    ordered_units: Option<i64>,
    days_of_cover: Option<f64>,
    cover_state: Option<String>,
    stock_state: Option<String>,
    #[serde(default)]
    warehouses: Vec<Level>,
}

#[derive(Deserialize)]
struct Level {
    warehouse_id: Uuid,
    external_id: Option<String>,
    name: String,
    available: Option<i64>,
}

#[derive(Deserialize)]
struct Dashboard {
    total_products: i64,
    total_stock: i64,
    total_orders: i64,
    low_stock_count: i64,
    out_of_stock_count: i64,
    health_score: f64,
}

/// The picture, ready to be printed, and the product at its top.
pub(super) struct Picture {
    pub(super) text: String,
    pub(super) first_product: Option<Uuid>,
}

/// Reads the picture through the API and draws it.
pub(super) async fn draw(client: &Client) -> anyhow::Result<Picture> {
    let products = interesting(client).await?;
    let dashboard: Dashboard = client.get("/api/v1/analytics/dashboard").await?;
    let columns = Columns::of(&products);
    let table = table(&products, &columns);
    let text = format!(
        "{table}\n{} of {} products. In all: {} units in stock, {} ordered in 7 days, {} products low, {} out; \
         health {:.1} of 100.",
        products.len(),
        dashboard.total_products,
        dashboard.total_stock,
        dashboard.total_orders,
        dashboard.low_stock_count,
        dashboard.out_of_stock_count,
        dashboard.health_score,
    );
    Ok(Picture { text, first_product: products.first().map(|product| product.id) })
}

/// First what sells and is about to run out, then what sells most.
async fn interesting(client: &Client) -> anyhow::Result<Vec<Product>> {
    let list = "/api/v1/products?sort_by=ordered_units&sort_order=desc";
    let low: Items<Product> = client.get(&format!("{list}&low_stock_only=true&limit={URGENT}")).await?;
    let sold: Items<Product> = client.get(&format!("{list}&limit={}", ROWS + URGENT)).await?;
    let mut seen = HashSet::new();
    let mut products = Vec::new();
    for product in low.items.into_iter().chain(sold.items) {
        if products.len() < ROWS && seen.insert(product.id) {
            products.push(client.get(&format!("/api/v1/products/{}", product.id)).await?);
        }
    }
    Ok(products)
}

/// Which warehouses have a column of their own.
struct Columns {
    named: Vec<(Uuid, String)>,
    /// Whether further warehouses hold something.
    others: bool,
}

impl Columns {
    /// The warehouses with most units in these products, those with the same name told apart by their id.
    fn of(products: &[Product]) -> Self {
        let mut held: BTreeMap<Uuid, (i64, &Level)> = BTreeMap::new();
        for level in products.iter().flat_map(|product| &product.warehouses) {
            if let Some(available) = level.available {
                held.entry(level.warehouse_id).or_insert((0, level)).0 += available;
            }
        }
        let mut held: Vec<(i64, &Level)> = held.into_values().collect();
        held.sort_by(|(a, one), (b, other)| b.cmp(a).then_with(|| one.external_id.cmp(&other.external_id)));
        let title = |level: &Level| {
            let is_alone = held.iter().filter(|(_, other)| other.name == level.name).count() == 1;
            match &level.external_id {
                Some(id) if !is_alone => format!("{}\n№{id}", one_below_the_other(&level.name)),
                _ => one_below_the_other(&level.name),
            }
        };
        let named =
            held.iter().take(WAREHOUSES).map(|(_, level)| (level.warehouse_id, title(level))).collect();
        Self { named, others: held.len() > WAREHOUSES }
    }

    fn is_named(&self, level: &Level) -> bool {
        self.named.iter().any(|(id, _)| *id == level.warehouse_id)
    }
}

fn table(products: &[Product], columns: &Columns) -> Table {
    let mut table = Table::new();
    table
        .load_preset(presets::UTF8_HORIZONTAL_ONLY)
        .remove_style(TableComponent::HorizontalLines)
        .remove_style(TableComponent::MiddleIntersections);
    table.set_header(heading(columns));
    for product in products {
        table.add_row(row(product, columns));
    }
    for column in table.column_iter_mut().skip(2) {
        column.set_cell_alignment(CellAlignment::Right);
    }
    table
}

fn heading(columns: &Columns) -> Vec<String> {
    let mut heading = vec!["SKU".to_owned(), "Name".to_owned()];
    heading.extend(columns.named.iter().map(|(_, name)| name.clone()));
    if columns.others {
        heading.push("other\nwarehouses".to_owned());
    }
    heading
        .extend(["Total", "In\ntransit", "Ordered\nin 7 days", "Days of\ncover", "State"].map(str::to_owned));
    heading
}

fn row(product: &Product, columns: &Columns) -> Vec<Cell> {
    let sum = |levels: &mut dyn Iterator<Item = &Level>| {
        levels.filter_map(|level| level.available).reduce(|a, b| a + b)
    };
    let text = |text: &Option<String>| text.as_deref().map_or_else(|| UNKNOWN.to_owned(), shortened);
    let mut cells = vec![text(&product.seller_article), text(&product.name)];
    for (id, _) in &columns.named {
        cells.push(number(sum(&mut product.warehouses.iter().filter(|level| level.warehouse_id == *id))));
    }
    if columns.others {
        cells.push(number(sum(&mut product.warehouses.iter().filter(|level| !columns.is_named(level)))));
    }
    cells.extend([product.total_stock, product.in_transit_to_customer, product.ordered_units].map(number));
    cells.push(cover(product));
    cells.push(text(&product.stock_state));
    cells.into_iter().map(Cell::new).collect()
}

fn number(units: Option<i64>) -> String {
    units.map_or_else(|| UNKNOWN.to_owned(), |units| units.to_string())
}

fn cover(product: &Product) -> String {
    match (product.days_of_cover, product.cover_state.as_deref()) {
        (Some(days), _) => format!("{days:.1}"),
        (None, Some("no_sales")) => "no sales".to_owned(),
        (None, _) => UNKNOWN.to_owned(),
    }
}

/// A name of several words as a narrow heading.
fn one_below_the_other(name: &str) -> String {
    name.split_whitespace().collect::<Vec<_>>().join("\n")
}

fn shortened(text: &str) -> String {
    if text.chars().count() <= TITLE {
        return text.to_owned();
    }
    let kept: String = text.chars().take(TITLE - 1).collect();
    format!("{}…", kept.trim_end())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn product(name: &str, levels: &[(u128, &str, Option<i64>)]) -> Product {
        let levels = levels.iter().map(|(id, name, available)| Level {
            warehouse_id: Uuid::from_u128(*id),
            external_id: Some(id.to_string()),
            name: (*name).to_owned(),
            available: *available,
        });
        Product {
            id: Uuid::nil(),
            seller_article: None,
            name: Some(name.to_owned()),
            total_stock: Some(3),
            in_transit_to_customer: None,
            ordered_units: Some(0),
            days_of_cover: None,
            cover_state: Some("no_sales".to_owned()),
            stock_state: Some("critical".to_owned()),
            warehouses: levels.collect(),
        }
    }

    #[test]
    fn warehouses_of_one_name_are_told_apart_and_unknown_is_not_zero() {
        let products = [
            product(
                "Кроссовки",
                &[(1, "Основной склад", Some(2)), (2, "Основной склад", Some(1)), (3, "Казань", None)],
            ),
            product("Куртка", &[(1, "Основной склад", Some(5))]),
        ];
        let columns = Columns::of(&products);
        let titles: Vec<_> = columns.named.iter().map(|(_, title)| title.as_str()).collect();
        assert_eq!(titles, ["Основной\nсклад\n№1", "Основной\nсклад\n№2"]);
        let cells: Vec<_> = row(&products[1], &columns).iter().map(Cell::content).collect();
        assert_eq!(cells, ["—", "Куртка", "5", "—", "3", "—", "0", "no sales", "critical"]);
    }

    #[test]
    fn every_line_of_a_cyrillic_table_is_as_wide() {
        let products = [
            product("Кроссовки беговые мужские облегчённые", &[(1, "Склад WB", Some(2))]),
            product("Mug", &[(1, "Склад WB", Some(1000))]),
        ];
        let columns = Columns::of(&products);
        let table = table(&products, &columns);
        let widths: HashSet<_> = table.lines().map(|line| line.chars().count()).collect();
        assert_eq!(widths.len(), 1, "{table}");
        assert!(table.to_string().contains("Кроссовки беговые мужские…"), "{table}");
    }
}
