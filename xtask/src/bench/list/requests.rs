//! What is asked of the list of products.

use anyhow::{Context as _, Result};

use super::catalogue::{RARE, RARE_LATIN, barcode};
use crate::product::client::Client;

/// Products of the smallest tenant for which every request makes sense.
pub(super) const FEWEST: u64 = 1000;

/// Rows of a page, by key or by number.
const PAGE: u64 = 50;
/// Rows of a page on the way to the middle.
const STRIDE: u64 = 200;
/// Pages by key in the middle of a list, asked for in turn.
const DEEP_PAGES: usize = 20;

const SORTS: [&str; 8] = [
    "name",
    "seller_article",
    "total_stock",
    "ordered_units",
    "days_of_cover",
    "revenue",
    "in_transit_to_customer",
    "updated_at",
];

/// A kind of request: a few of the same shape, asked for in turn.
pub(super) struct Request {
    pub(super) name: String,
    pub(super) paths: Vec<String>,
}

impl Request {
    fn new(name: &str, queries: &[&str]) -> Self {
        let paths = queries.iter().map(|query| format!("/api/v1/products?{query}")).collect();
        Self { name: name.to_owned(), paths }
    }

    fn search(name: &str, words: &[&str], and: &str) -> Self {
        let queries: Vec<_> = words.iter().map(|word| format!("search={}{and}", encoded(word))).collect();
        Self::new(name, &queries.iter().map(String::as_str).collect::<Vec<_>>())
    }

    fn page(name: &str, number: u64, and: &str) -> Self {
        Self::new(name, &[&format!("page={}&page_size={PAGE}{and}", number.max(1))])
    }
}

/// Every kind of request to a tenant of this size.
pub(super) async fn all(client: &Client, size: u64) -> Result<Vec<Request>> {
    let mut requests = vec![
        Request::new("first page", &["limit=50"]),
        deep(client, "page in the middle", "sort_by=name", size).await?,
        deep(client, "page in the middle by revenue", "sort_by=revenue&sort_order=desc", size).await?,
    ];
    for sort in SORTS {
        for order in ["asc", "desc"] {
            let query = format!("sort_by={sort}&sort_order={order}");
            requests.push(Request::new(&format!("by {sort} {order}"), &[&query]));
        }
    }
    let codes: Vec<_> = (1..6).map(|part| barcode(size * part / 6, 1)).collect();
    let codes: Vec<_> = codes.iter().map(String::as_str).collect();
    let (last_page, middle_page) = (size * 9 / 10 / PAGE, size / 2 / PAGE);
    requests.extend([
        Request::search("search, common, Cyrillic", &["кроссовки", "КУРТКА", "зонт"], ""),
        Request::search("search, common, Latin", &["classic", "TRAIL", "comfort"], ""),
        Request::search(
            "search, common, by revenue",
            &["кроссовки", "classic"],
            "&sort_by=revenue&sort_order=desc",
        ),
        Request::search("search, rare, Cyrillic", &[RARE], ""),
        Request::search("search, rare, Latin", &[RARE_LATIN], ""),
        Request::search("search, a barcode", &codes, ""),
        Request::search("search, 1 letter", &["ё", "t"], ""),
        Request::search("search, 2 letters", &["ча", "gh"], ""),
        Request::search("search, 2 letters, no hit", &["щщ", "qz"], ""),
        Request::search("search, no hit, Cyrillic", &["несуществующее"], ""),
        Request::search("search, no hit, Latin", &["nothing like it"], ""),
        Request::new("low_stock_only", &["low_stock_only=true"]),
        Request::new("low_stock_only by total_stock", &["low_stock_only=true&sort_by=total_stock"]),
        Request::new("min_stock and max_stock, many", &["min_stock=20&max_stock=60"]),
        Request::new("min_stock, few", &["min_stock=9500"]),
        Request::new("max_stock=0", &["max_stock=0"]),
        Request::new("status=inactive", &["status=inactive"]),
        Request::new("status=all", &["status=all"]),
        Request::page("page 1 by number", 1, ""),
        Request::page("middle page by number", middle_page, ""),
        Request::page("last page by number", last_page, ""),
        Request::page("last page by number, by revenue", last_page, "&sort_by=revenue"),
        Request::page("page 1 by number, low_stock_only", 1, "&low_stock_only=true"),
        Request::search("page 1 by number, common search", &["кроссовки"], "&page=1"),
        Request::search("page 1 by number, rare search", &[RARE], "&page=1"),
    ]);
    Ok(requests)
}

/// Pages in the middle of a list. The way there is walked page by page, as a client must.
async fn deep(client: &Client, name: &str, list: &str, size: u64) -> Result<Request> {
    let mut cursors: Vec<String> = Vec::new();
    let mut path = format!("/api/v1/products?{list}&limit={STRIDE}");
    for _ in 0..size / 2 / STRIDE {
        let page = client.get(&path).await?;
        let cursor = page["page"]["next_cursor"].as_str().context("the list ends before its middle")?;
        path = format!("/api/v1/products?{list}&limit={STRIDE}&cursor={cursor}");
        if cursors.len() == DEEP_PAGES {
            cursors.remove(0);
        }
        cursors.push(cursor.to_owned());
    }
    let queries: Vec<_> = cursors.iter().map(|cursor| format!("{list}&cursor={cursor}")).collect();
    Ok(Request::new(name, &queries.iter().map(String::as_str).collect::<Vec<_>>()))
}

/// Text as it stands in a query.
fn encoded(text: &str) -> String {
    let byte = |byte: u8| {
        if byte.is_ascii_alphanumeric() { char::from(byte).to_string() } else { format!("%{byte:02X}") }
    };
    text.bytes().map(byte).collect()
}
