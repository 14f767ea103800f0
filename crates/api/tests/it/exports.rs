//! The stock picture as files.

use std::{io::Cursor, time::Duration};

use calamine::{Data, Reader as _, Xlsx};
use chrono::SecondsFormat;
use domain::clock::Clock as _;
use serde_json::{Value, json};
use test_support::{database::TestDatabase, on_each_database};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpSocket, TcpStream},
};

use crate::{
    catalogue::{get, walk},
    imports::{import, large_stock, manual_account},
    service::{Answer, Person, Service},
};

on_each_database!(
    stock_files_have_the_rows_of_the_list,
    a_workbook_has_the_figures_of_the_products,
    an_export_is_of_one_moment,
    a_client_that_stalls_gets_a_broken_file_and_keeps_no_connection,
    exports_leave_connections_to_others,
);

/// The cells of every sheet of a workbook, row by row, as text; what is empty is an empty text.
pub(crate) fn workbook(bytes: &[u8]) -> Vec<Vec<Vec<String>>> {
    let mut workbook: Xlsx<_> = Xlsx::new(Cursor::new(bytes)).expect("a workbook");
    let sheets = workbook.worksheets();
    sheets
        .into_iter()
        .map(|(_, range)| {
            let rows = range.rows();
            rows.map(|row| {
                row.iter()
                    .map(|cell| if *cell == Data::Empty { String::new() } else { cell.to_string() })
                    .collect()
            })
            .collect()
        })
        .collect()
}

async fn file(service: &Service, person: &Person, path: &str) -> Answer {
    let answer = service.get(path).token(&person.access).send().await;
    assert_eq!(answer.status, 200, "{path}: {}", String::from_utf8_lossy(&answer.body));
    answer
}

/// The rows of an NDJSON file.
fn objects(answer: &Answer) -> Vec<Value> {
    let text = std::str::from_utf8(&answer.body).expect("UTF-8");
    assert!(text.is_empty() || text.ends_with('\n'));
    text.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect()
}

/// The rows of a CSV file, as objects of texts.
fn records(answer: &Answer, separator: u8) -> Vec<Value> {
    let text = answer.body.strip_prefix("\u{feff}".as_bytes()).expect("a byte order mark");
    assert!(text.ends_with(b"\r\n"));
    let mut reader = csv::ReaderBuilder::new().delimiter(separator).from_reader(text);
    let titles = reader.headers().expect("titles").clone();
    let rows = reader.records().map(|record| {
        let record = record.expect("as many cells as titles");
        titles.iter().zip(&record).map(|(title, cell)| (title.to_owned(), json!(cell))).collect::<Value>()
    });
    rows.collect()
}

/// A row of a list as a CSV file tells it: texts, and nothing for null.
fn texts(row: &Value) -> Value {
    let members = row.as_object().expect("an object").iter();
    let text = |value: &Value| match value {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    };
    members.map(|(name, value)| (name.clone(), json!(text(value)))).collect()
}

async fn stock_files_have_the_rows_of_the_list(database: TestDatabase) {
    let service = Service::with_marketplace(database).await;
    let person = service.register("anna").await;
    let empty = file(&service, &person, "/api/v1/stocks.ndjson").await;
    assert!(empty.body.is_empty());
    assert_eq!(records(&file(&service, &person, "/api/v1/stocks.csv").await, b',').len(), 0);
    service.connect(&person, 0).await;
    service.carry_all().await;
    let list = walk(&service, &person, "/api/v1/stocks", 7).await;
    assert!(list.len() > 20, "{}", list.len());
    let (first, warehouse) = (&list[0], list[3]["warehouse_id"].as_str().expect("an id"));
    let moment = service.clock.now().to_rfc3339_opts(SecondsFormat::Secs, true);
    for filter in [
        String::new(),
        format!("account_id={}", first["account_id"].as_str().expect("an id")),
        format!("product_id={}", first["product_id"].as_str().expect("an id")),
        format!("warehouse_id={warehouse}"),
        format!("at={moment}&warehouse_id={warehouse}"),
        "at=2020-01-01T00:00:00Z".to_owned(),
    ] {
        let list = walk(&service, &person, &format!("/api/v1/stocks?{filter}"), 100).await;
        let ndjson = file(&service, &person, &format!("/api/v1/stocks.ndjson?{filter}")).await;
        assert_eq!(objects(&ndjson), list, "{filter}");
        let csv = file(&service, &person, &format!("/api/v1/stocks.csv?text=exact&{filter}")).await;
        assert_eq!(records(&csv, b','), list.iter().map(texts).collect::<Vec<_>>(), "{filter}");
    }
    let csv = file(&service, &person, "/api/v1/stocks.csv").await;
    assert_eq!(csv.header("content-type"), "text/csv; charset=utf-8; header=present");
    assert_eq!(csv.header("content-disposition"), "attachment; filename=\"stocks-2026-11-20.csv\"");
    assert_eq!(csv.header("etag"), "");
    assert_eq!(csv.header("cache-control"), "no-store");
    // A barcode keeps its digits when the file is opened and saved.
    assert!(
        records(&csv, b',').iter().all(|row| row["sku"].as_str().is_some_and(|sku| sku.starts_with('\'')))
    );
    let change = json!({"locale": "ru"});
    service.call("PATCH", "/api/v1/tenants/me").token(&person.access).json(&change).send().await.expect(200);
    let russian = file(&service, &person, "/api/v1/stocks.csv").await;
    assert_eq!(records(&russian, b';'), records(&csv, b','));
    let tabs = file(&service, &person, "/api/v1/stocks.csv?separator=tab").await;
    assert_eq!(records(&tabs, b'\t'), records(&csv, b','));
    let tomorrow = service.get("/api/v1/stocks.csv?at=2026-12-01T00:00:00Z").token(&person.access);
    tomorrow.send().await.points_at("/query/at");

    // Compressed on its way, a file is the same.
    let path = "/api/v1/stocks.csv";
    let packed = service.get(path).token(&person.access).header("Accept-Encoding", "gzip").send().await;
    assert_eq!(packed.header("content-encoding"), "gzip");
    assert!(packed.body.len() < russian.body.len());
    let bytes = reqwest::Client::new().get(service.url(path)).bearer_auth(&person.access).send().await;
    assert_eq!(bytes.expect("an answer").bytes().await.expect("a body"), russian.body);
    let head = service.call("HEAD", "/api/v1/stocks.csv").token(&person.access).begin().await;
    assert_eq!(head.status().as_u16(), 200);
}

/// The text of a number in a workbook.
fn shown(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::Number(number) => number.as_f64().expect("a number").to_string(),
        other => other.as_str().expect("text").to_owned(),
    }
}

async fn a_workbook_has_the_figures_of_the_products(database: TestDatabase) {
    let service = Service::with_marketplace(database).await;
    let person = service.register("anna").await;
    service.connect(&person, 0).await;
    service.carry_all().await;
    let path = "/api/v1/products.xlsx?sort_by=total_stock&sort_order=desc";
    let answer = file(&service, &person, path).await;
    assert_eq!(
        answer.header("content-type"),
        "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
    );
    assert_eq!(answer.header("content-disposition"), "attachment; filename=\"products-2026-11-20.xlsx\"");
    assert_eq!(answer.header("content-length"), answer.body.len().to_string());
    let packed = service.get(path).token(&person.access).header("Accept-Encoding", "gzip").send().await;
    assert_eq!(packed.header("content-encoding"), "", "it is packed as it is");
    let sheets = workbook(&answer.body);
    let [table, about] = sheets.as_slice() else { panic!("{} sheets", sheets.len()) };
    let products = walk(&service, &person, "/api/v1/products?sort_by=total_stock&sort_order=desc", 5).await;
    assert_eq!(table.len(), 2 + products.len());
    assert_eq!(table[0][..5], ["Product", "", "", "", "Total"]);
    assert_eq!(
        table[1][..9],
        [
            "Brand",
            "Category",
            "Seller's article",
            "Marketplace's article",
            "In transit to customers",
            "Returning",
            "Orders",
            "Stock",
            "Days of cover"
        ]
    );
    let mut filled = 0;
    for (row, product) in table[2..].iter().zip(&products) {
        let base = ["brand", "category", "seller_article", "external_id"];
        let totals =
            ["in_transit_to_customer", "in_transit_returns", "ordered_units", "total_stock", "days_of_cover"];
        let expected: Vec<_> = base.iter().chain(&totals).map(|name| shown(&product[name])).collect();
        assert_eq!(row[..9], expected);
        let id = product["id"].as_str().expect("an id");
        let detail = get(&service, &person, &format!("/api/v1/products/{id}")).await;
        let mut there = detail["warehouses"].as_array().expect("warehouses").clone();
        for at in (9..table[0].len()).step_by(3) {
            assert_eq!(table[1][at..at + 3], ["Stock", "Orders", "Days"]);
            // Of several with one name each is told by its id too.
            let is_titled = |warehouse: &Value| {
                let (name, id) = (shown(&warehouse["name"]), shown(&warehouse["external_id"]));
                table[0][at] == name || table[0][at] == format!("{name} · {id}")
            };
            let found = there.iter().position(is_titled);
            let expected = match found.map(|found| there.remove(found)) {
                Some(warehouse) => {
                    filled += 1;
                    ["available", "ordered_units", "days_of_cover"].map(|name| shown(&warehouse[name]))
                }
                None => [const { String::new() }; 3],
            };
            assert_eq!(row[at..at + 3], expected, "{} in {}", product["seller_article"], table[0][at]);
        }
        assert_eq!(there, Vec::<Value>::new(), "warehouses that the table leaves out");
    }
    assert!(filled > products.len(), "{filled}");
    assert!(about.concat().iter().any(|cell| cell == "2026-11-20T09:00:00Z"), "{about:?}");

    // The same in Russian, of one warehouse, of what a search finds.
    let change = json!({"locale": "ru"});
    service.call("PATCH", "/api/v1/tenants/me").token(&person.access).json(&change).send().await.expect(200);
    let warehouses = walk(&service, &person, "/api/v1/warehouses", 50).await;
    let warehouse = warehouses.iter().find(|w| w["total_stock"].as_i64() > Some(0)).expect("one with stock");
    let id = warehouse["id"].as_str().expect("an id");
    let query = format!("warehouse_id={id}&search={}", shown(&products[0]["external_id"]));
    let found = walk(&service, &person, &format!("/api/v1/products?{query}"), 5).await;
    let sheets = workbook(&file(&service, &person, &format!("/api/v1/products.xlsx?{query}")).await.body);
    assert_eq!(sheets[0].len(), 2 + found.len());
    assert_eq!(sheets[0][1][..2], ["Бренд", "Предмет"]);
    assert!(sheets[0][0].len() <= 12);
    let none = workbook(&file(&service, &person, "/api/v1/products.xlsx?search=nowhere").await.body);
    assert_eq!(none[0].len(), 2, "titles alone");
}

/// Rows of an export that is larger than what lies between a server and a client who does not read.
const MANY: usize = 6_000;

async fn large_account(service: &Service, person: &Person) -> String {
    let account = manual_account(service, person, "Own").await;
    let (products, stock) = large_stock(MANY, 1);
    import(service, person, &account, "products", "", products).await.expect(200);
    import(service, person, &account, "stock", "", stock).await.expect(200);
    account
}

/// A client that takes a file as slowly as it likes: what it does not read waits at the server.
struct SlowClient(TcpStream);

impl SlowClient {
    async fn begin(service: &Service, person: &Person, path: &str) -> Self {
        let socket = TcpSocket::new_v4().expect("a socket");
        socket.set_recv_buffer_size(4096).expect("a small window");
        let mut stream = socket.connect(service.address()).await.expect("the service listens");
        let request = format!(
            "GET {path} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {}\r\n\r\n",
            person.access
        );
        stream.write_all(request.as_bytes()).await.expect("the request is taken");
        Self(stream)
    }

    /// Reads the first bytes: the export has begun.
    async fn first(&mut self) -> Vec<u8> {
        let mut head = vec![0; 1024];
        self.0.read_exact(&mut head).await.expect("an answer begins");
        assert!(head.starts_with(b"HTTP/1.1 200 OK\r\n"), "{}", String::from_utf8_lossy(&head));
        head
    }

    /// Reads what is left, and says whether it ends as a whole file ends.
    async fn rest(mut self, mut read: Vec<u8>) -> (Vec<u8>, bool) {
        let mut piece = vec![0; 64 * 1024];
        loop {
            match self.0.read(&mut piece).await {
                Ok(0) | Err(_) => return (read, false),
                Ok(length) => read.extend(&piece[..length]),
            }
            if read.ends_with(b"\r\n0\r\n\r\n") {
                return (read, true);
            }
        }
    }
}

async fn an_export_is_of_one_moment(database: TestDatabase) {
    let service = Service::start(database).await;
    let person = service.register("anna").await;
    let account = large_account(&service, &person).await;
    let mut client = SlowClient::begin(&service, &person, "/api/v1/stocks.ndjson").await;
    let first = client.first().await;
    // Every level changes while the file is under way.
    let (_, stock) = large_stock(MANY, 2);
    let changed = import(&service, &person, &account, "stock", "", stock).await.expect(200);
    assert_eq!(changed["movements"], MANY);
    let (read, is_whole) = client.rest(first).await;
    let text = String::from_utf8_lossy(&read);
    assert!(is_whole);
    assert_eq!(text.matches("\"available\":1,").count(), MANY, "rows of the moment at which it began");
    assert_eq!(text.matches("\"available\":2,").count(), 0, "rows of a later moment");
}

async fn a_client_that_stalls_gets_a_broken_file_and_keeps_no_connection(database: TestDatabase) {
    let service =
        Service::start_with(database, |settings| settings.export_patience = Duration::from_millis(300)).await;
    let person = service.register("anna").await;
    large_account(&service, &person).await;
    for path in ["/api/v1/stocks.ndjson", "/api/v1/stocks.csv"] {
        let mut client = SlowClient::begin(&service, &person, path).await;
        let first = client.first().await;
        // There is one place for exports, and it becomes free without the client having done anything.
        wait_for_place(&service, &person).await;
        let (read, is_whole) = client.rest(first).await;
        assert!(!is_whole, "{path} looks like a whole file, of {} bytes", read.len());
    }
}

/// Waits until an export can begin.
async fn wait_for_place(service: &Service, person: &Person) {
    let deadline = tokio::time::Instant::now() + Duration::from_secs(30);
    loop {
        let answer =
            service.get("/api/v1/stocks.csv?at=2020-01-01T00:00:00Z").token(&person.access).send().await;
        if answer.status == 200 {
            return;
        }
        answer.problem(503, "unavailable");
        assert!(tokio::time::Instant::now() < deadline, "the place never becomes free");
    }
}

async fn exports_leave_connections_to_others(database: TestDatabase) {
    let service = Service::start(database).await;
    let person = service.register("anna").await;
    large_account(&service, &person).await;
    let mut client = SlowClient::begin(&service, &person, "/api/v1/stocks.ndjson").await;
    let first = client.first().await;
    // Five connections: one for exports.
    for path in ["/api/v1/stocks.csv", "/api/v1/stocks.ndjson", "/api/v1/products.xlsx"] {
        let refused = service.get(path).token(&person.access).send().await;
        refused.problem(503, "unavailable");
        assert!(refused.header("retry-after").parse::<u64>().is_ok_and(|seconds| seconds >= 1));
    }
    get(&service, &person, "/api/v1/stocks").await;
    // A client that leaves gives its place back.
    let other = SlowClient::begin(&service, &person, "/api/v1/products").await;
    drop((client, other));
    wait_for_place(&service, &person).await;
    let (read, is_whole) = {
        let mut client = SlowClient::begin(&service, &person, "/api/v1/stocks.ndjson").await;
        let first = client.first().await;
        client.rest(first).await
    };
    assert!(is_whole && read.len() > first.len());
}
