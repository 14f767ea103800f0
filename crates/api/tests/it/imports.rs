//! Catalogues and stock that come in files.

use std::fmt::Write as _;

use chrono::TimeDelta;
use rust_xlsxwriter::Workbook;
use serde_json::{Value, json};
use test_support::{database::TestDatabase, on_each_database};

use crate::{
    catalogue::{get, sum, walk},
    service::{Answer, Call, Person, Service},
};

on_each_database!(
    a_catalogue_and_stock_come_in_files,
    a_file_with_anything_wrong_changes_nothing,
    a_rehearsal_tells_what_would_happen,
    stock_is_merged_or_replaced_warehouse_by_warehouse,
    figures_are_as_old_as_what_a_file_leaves_out,
    a_catalogue_is_merged_or_replaced,
    an_export_imported_again_changes_nothing,
    a_catalogue_and_stock_move_from_one_account_to_another,
    imports_at_once_leave_a_ledger_that_adds_up,
    an_import_is_sent_again,
    accounts_of_marketplaces_take_no_imports,
);

const XLSX: &str = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet";

/// Connects an account without a marketplace; gives its id.
pub(crate) async fn manual_account(service: &Service, person: &Person, name: &str) -> String {
    let body = json!({"marketplace": "manual", "name": name, "credentials": {}});
    let account = service.post("/api/v1/marketplace-accounts").token(&person.access).json(&body).send().await;
    account.expect(201)["id"].as_str().expect("an id").to_owned()
}

fn request<'s>(
    service: &'s Service,
    person: &Person,
    account: &str,
    what: &str,
    query: &str,
    kind: &str,
    body: impl Into<reqwest::Body>,
) -> Call<'s> {
    let path = format!("/api/v1/marketplace-accounts/{account}/imports/{what}{query}");
    service.post(&path).token(&person.access).header("Content-Type", kind).body(body)
}

/// Imports a CSV file.
pub(crate) async fn import(
    service: &Service,
    person: &Person,
    account: &str,
    what: &str,
    query: &str,
    text: impl Into<reqwest::Body>,
) -> Answer {
    request(service, person, account, what, query, "text/csv", text).send().await
}

/// A catalogue of so many products with long titles, and a file of as many lines of stock.
pub(crate) fn large_stock(lines: usize, available: i64) -> (String, String) {
    let mut products = "sku,name\n".to_owned();
    let mut stock = "sku,warehouse,available\n".to_owned();
    for line in 0..lines {
        writeln!(products, "SKU-{line},{line:0>450}").expect("a text grows");
        writeln!(stock, "SKU-{line},Main warehouse,{available}").expect("a text grows");
    }
    (products, stock)
}

const CATALOGUE: &str = "\
Артикул;SKU;Размер;Наименование;Бренд;Штрихкод
T-1;T-1-S;S;Футболка;Анна;2038461935712 2038461935729
T-1;T-1-M;M;Футболка;Анна;
C-1;C-1;;Кепка;;'0042
";

/// What of a list has this value.
fn one<'v>(items: &'v [Value], field: &str, value: &str) -> &'v Value {
    let found = items.iter().find(|item| item[field] == value);
    found.unwrap_or_else(|| panic!("no {field} {value} in {items:?}"))
}

/// Available units by SKU and warehouse.
async fn levels(service: &Service, person: &Person, account: &str) -> Vec<(String, String, Option<i64>)> {
    let rows = walk(service, person, &format!("/api/v1/stocks?account_id={account}"), 1000).await;
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let mut levels: Vec<_> = rows
        .iter()
        .map(|row| (text(&row["sku"]), text(&row["warehouse_name"]), row["available"].as_i64()))
        .collect();
    levels.sort();
    levels
}

fn level(sku: &str, warehouse: &str, available: i64) -> (String, String, Option<i64>) {
    (sku.to_owned(), warehouse.to_owned(), Some(available))
}

async fn a_catalogue_and_stock_come_in_files(database: TestDatabase) {
    let service = Service::start(database).await;
    let person = service.register("anna").await;
    let account = manual_account(&service, &person, "Own").await;
    let imported = import(&service, &person, &account, "products", "", CATALOGUE).await.expect(200);
    assert_eq!(
        (&imported["products"], &imported["new_products"], &imported["variants"], &imported["new_variants"]),
        (&json!(2), &json!(2), &json!(3), &json!(3))
    );
    assert_eq!(imported["file"]["separator"], ";");
    let products = walk(&service, &person, "/api/v1/products", 50).await;
    let shirt = one(&products, "seller_article", "T-1");
    assert_eq!((&shirt["name"], &shirt["brand"]), (&json!("Футболка"), &json!("Анна")));
    assert_eq!(
        (&shirt["total_stock"], &shirt["status"]),
        (&Value::Null, &json!("active")),
        "not yet measured"
    );
    assert_eq!(walk(&service, &person, "/api/v1/products?search=2038461935729", 5).await.len(), 1);
    assert_eq!(walk(&service, &person, "/api/v1/products?search=0042", 5).await.len(), 1);

    let stock = "sku\twarehouse\tavailable\treserved\non hand\n";
    assert_eq!(import(&service, &person, &account, "stock", "", stock).await.status, 422);
    let stock = "SKU;Склад;Остаток;Резерв\nT-1-S;Основной;7;1\nT-1-M;Основной;1 000;\nT-1-S;Второй;3;\nC-1;Второй;0;\n";
    let imported = import(&service, &person, &account, "stock", "", stock).await.expect(200);
    assert_eq!((&imported["levels"], &imported["movements"]), (&json!(4), &json!(4)));
    assert_eq!(imported["new_warehouses"], json!(["Второй", "Основной"]));
    let products = walk(&service, &person, "/api/v1/products", 50).await;
    let (shirt, cap) = (one(&products, "seller_article", "T-1"), one(&products, "seller_article", "C-1"));
    assert_eq!((&shirt["total_stock"], &shirt["fbs_stock"]), (&json!(1010), &json!(1010)));
    assert_eq!((&cap["total_stock"], &cap["stock_state"]), (&json!(0), &json!("out")));
    assert_eq!((&shirt["incomplete"], &shirt["ordered_units"]), (&json!(false), &Value::Null));
    assert_eq!(shirt["as_of"], "2026-11-20T09:00:00Z");
    let warehouses = walk(&service, &person, "/api/v1/warehouses", 50).await;
    let main = one(&warehouses, "name", "Основной");
    assert_eq!((&main["kind"], &main["total_stock"]), (&json!("seller"), &json!(1007)));
    let stocks = walk(&service, &person, "/api/v1/stocks", 50).await;
    assert_eq!(sum(&stocks, "available"), 1010);
    assert_eq!(sum(&stocks, "reserved"), 1);
    let id = shirt["id"].as_str().expect("an id");
    let history = walk(&service, &person, &format!("/api/v1/products/{id}/history"), 50).await;
    assert_eq!(history.len(), 3);
    assert!(history.iter().all(|row| row["cause"] == "import" && row["sync_id"].is_null()), "{history:?}");
    assert_eq!(sum(&history, "to"), 1010);

    // Again, as a workbook, by barcode and with numbers for texts.
    let mut workbook = Workbook::new();
    let sheet = workbook.add_worksheet();
    for (column, title) in (0..).zip(["Штрих-код", "Склад", "Кол-во"]) {
        sheet.write_string(0, column, title).expect("a cell");
    }
    sheet.write_number(1, 0, 2_038_461_935_712.0).expect("a cell");
    sheet.write_string(1, 1, "Основной").expect("a cell");
    sheet.write_number(1, 2, 5).expect("a cell");
    sheet.write_string(3, 0, "0042").expect("a cell");
    sheet.write_string(3, 1, "Второй").expect("a cell");
    sheet.write_formula(3, 2, rust_xlsxwriter::Formula::new("=1+1").set_result("2")).expect("a cell");
    let bytes = workbook.save_to_buffer().expect("a workbook");
    let imported = request(&service, &person, &account, "stock", "", XLSX, bytes).send().await.expect(200);
    assert_eq!((&imported["movements"], &imported["file"]["format"]), (&json!(2), &json!("xlsx")));
    let expected = [level("0042", "Второй", 2), level("C-1", "Второй", 2)];
    let levels = levels(&service, &person, &account).await;
    assert_eq!(levels[0], expected[1]);
    assert_eq!(levels[3], level("T-1-S", "Основной", 5));
}

async fn a_file_with_anything_wrong_changes_nothing(database: TestDatabase) {
    let service = Service::start(database).await;
    let person = service.register("anna").await;
    let account = manual_account(&service, &person, "Own").await;
    import(&service, &person, &account, "products", "", CATALOGUE).await.expect(200);
    let right = "sku,warehouse,available\nT-1-S,A,1\nT-1-M,A,2\nC-1,A,3\n";
    import(&service, &person, &account, "stock", "", right).await.expect(200);
    let before =
        (walk(&service, &person, "/api/v1/products", 50).await, levels(&service, &person, &account).await);

    let wrong = "sku,warehouse,warehouse_external_id,available\n\
                 T-1-S,A,,9\nT-1-M,A,,2.5\nnobody,A,,1\nC-1,,,1\nC-1,B,,-4\nT-1-S,A,,8\nT-1-M,B,7,1\nC-1,C,7,1\n";
    for query in ["", "?mode=replace", "?dry_run=true"] {
        let answer = import(&service, &person, &account, "stock", query, wrong).await;
        let told = if query.contains("dry_run") {
            answer.expect(200)
        } else {
            answer.problem(422, "import_invalid")
        };
        let errors: Vec<String> = told["errors"]
            .as_array()
            .expect("errors")
            .iter()
            .map(|error| ["pointer", "detail"].map(|part| error[part].as_str().expect(part)).join(" "))
            .collect();
        assert_eq!(
            errors,
            [
                "/lines/3/available must be a whole number, without a decimal or a thousands sign",
                "/lines/4/sku is not in the catalogue: import it there first",
                "/lines/5/warehouse_name is empty: name the warehouse here, or for the whole file with `warehouse`",
                "/lines/6/available must not be negative",
                "/lines/7 is of the same variant in the same warehouse as line 2",
                "/lines/9/warehouse_name is not what line 8 calls the same warehouse",
            ],
            "{query}"
        );
        assert_eq!(told["errors_total"], 6);
    }
    let catalogue = "sku,name,article\nT-1-S,One,T-1\nT-1-M,Two,T-1\nX,Three,X\n";
    let refused = import(&service, &person, &account, "products", "?mode=replace", catalogue).await;
    assert_eq!(refused.problem(422, "import_invalid")["errors"][0]["pointer"], "/lines/3/name");
    for (text, pointer) in [
        ("", "/file"),
        ("nonsense", "/columns/external_variant_id"),
        ("sku,warehouse\nC-1,A\n", "/columns/available"),
        ("sku,sku,available\n", "/columns/sku"),
        ("sku,available\n", "/file"),
        ("sku,available\n\"C-1,1\n", "/lines/2"),
    ] {
        let refused = import(&service, &person, &account, "stock", "", text).await;
        assert_eq!(refused.problem(422, "import_invalid")["errors"][0]["pointer"], pointer, "{text:?}");
    }
    // The list ends somewhere, the number does not.
    let many = format!("sku,available\n{}", "nobody,1\n".repeat(1500));
    let refused = import(&service, &person, &account, "stock", "?warehouse=A", many).await;
    let problem = refused.problem(422, "import_invalid");
    assert_eq!(
        (problem["errors"].as_array().map(Vec::len), &problem["errors_total"]),
        (Some(1000), &json!(1500))
    );
    let after =
        (walk(&service, &person, "/api/v1/products", 50).await, levels(&service, &person, &account).await);
    assert_eq!(after, before);
}

async fn a_rehearsal_tells_what_would_happen(database: TestDatabase) {
    let service = Service::start(database).await;
    let person = service.register("anna").await;
    let account = manual_account(&service, &person, "Own").await;
    let rehearsed =
        import(&service, &person, &account, "products", "?dry_run=true", CATALOGUE).await.expect(200);
    assert_eq!((&rehearsed["dry_run"], &rehearsed["new_products"]), (&json!(true), &json!(2)));
    assert!(walk(&service, &person, "/api/v1/products?status=all", 50).await.is_empty());
    let done = import(&service, &person, &account, "products", "", CATALOGUE).await.expect(200);
    let but_for_the_word = |mut report: Value| {
        report["dry_run"] = Value::Null;
        report
    };
    assert_eq!(but_for_the_word(rehearsed), but_for_the_word(done));

    let first = "sku,warehouse,available\nT-1-S,A,1\nC-1,A,3\n";
    import(&service, &person, &account, "stock", "", first).await.expect(200);
    let second = "sku,warehouse,available\nT-1-S,A,5\nT-1-M,B,2\n";
    let before = levels(&service, &person, &account).await;
    let path = "?dry_run=true&mode=replace";
    let rehearsed = import(&service, &person, &account, "stock", path, second).await.expect(200);
    assert_eq!(levels(&service, &person, &account).await, before);
    assert_eq!(walk(&service, &person, "/api/v1/warehouses", 50).await.len(), 1);
    let done = import(&service, &person, &account, "stock", "?mode=replace", second).await.expect(200);
    assert_eq!(
        (&done["movements"], &done["zeroed"], &done["new_warehouses"]),
        (&json!(3), &json!(1), &json!(["B"]))
    );
    assert_eq!(but_for_the_word(rehearsed), but_for_the_word(done));
}

async fn stock_is_merged_or_replaced_warehouse_by_warehouse(database: TestDatabase) {
    let service = Service::start(database).await;
    let person = service.register("anna").await;
    let account = manual_account(&service, &person, "Own").await;
    import(&service, &person, &account, "products", "", CATALOGUE).await.expect(200);
    let stock = async |query: &str, lines: &str| {
        let text = format!("sku,warehouse,available\n{lines}");
        import(&service, &person, &account, "stock", query, text).await.expect(200)
    };
    stock("", "T-1-S,A,1\nT-1-M,A,2\nT-1-S,B,10\n").await;
    // What a part does not name stays, and what was never measured is not known.
    stock("?mode=merge", "T-1-S,A,5\n").await;
    let merged = [level("T-1-M", "A", 2), level("T-1-S", "A", 5), level("T-1-S", "B", 10)];
    assert_eq!(levels(&service, &person, &account).await, merged);
    let total = async |article: &str| {
        let products = walk(&service, &person, "/api/v1/products", 50).await;
        one(&products, "seller_article", article)["total_stock"].clone()
    };
    assert_eq!((total("T-1").await, total("C-1").await), (json!(17), Value::Null));

    // All there is in one warehouse: the other one is as it was, and of the cap nobody knows whether it is there.
    let report = stock("?mode=replace", "T-1-M,A,4\n").await;
    assert_eq!(
        (&report["levels"], &report["movements"], &report["zeroed"]),
        (&json!(1), &json!(2), &json!(1))
    );
    let replaced = [level("T-1-M", "A", 4), level("T-1-S", "A", 0), level("T-1-S", "B", 10)];
    assert_eq!(levels(&service, &person, &account).await, replaced);
    assert_eq!((total("T-1").await, total("C-1").await), (json!(14), Value::Null));

    // All there is anywhere: now the cap is known to be out.
    let report = stock("?mode=replace", "T-1-M,A,4\nT-1-M,B,1\n").await;
    assert_eq!((&report["movements"], &report["zeroed"]), (&json!(2), &json!(1)));
    assert_eq!((total("T-1").await, total("C-1").await), (json!(5), json!(0)));
    // Lines without a warehouse are of the one that is named for all of them.
    let text = "article,available\nC-1,6\n";
    import(&service, &person, &account, "stock", "?warehouse=B", text).await.expect(200);
    assert_eq!(total("C-1").await, 6);
    let several = "article,available\nT-1,6\n";
    let refused = import(&service, &person, &account, "stock", "?warehouse=B", several).await;
    assert_eq!(refused.problem(422, "import_invalid")["errors"][0]["pointer"], "/lines/2/seller_article");
}

async fn figures_are_as_old_as_what_a_file_leaves_out(database: TestDatabase) {
    let service = Service::start(database).await;
    let person = service.register("anna").await;
    let account = manual_account(&service, &person, "Own").await;
    import(&service, &person, &account, "products", "", CATALOGUE).await.expect(200);
    let mut ages = Vec::new();
    for (mode, lines) in [
        // The first there is.
        ("merge", "T-1-S,A,1\nT-1-M,A,2\n"),
        // A part.
        ("merge", "T-1-S,A,1\n"),
        // Every level there is.
        ("merge", "T-1-M,A,2\nT-1-S,A,7\n"),
        // All there is.
        ("replace", "C-1,A,3\n"),
        // Levels of zero are left out.
        ("merge", "C-1,A,3\n"),
    ] {
        service.clock.advance(TimeDelta::minutes(1));
        let text = format!("sku,warehouse,available\n{lines}");
        import(&service, &person, &account, "stock", &format!("?mode={mode}"), text).await.expect(200);
        let stocks = get(&service, &person, "/api/v1/stocks").await;
        ages.push(stocks["items"][0]["as_of"].as_str().expect("a moment")[14..16].to_owned());
    }
    assert_eq!(ages, ["01", "01", "03", "04", "04"]);
}

async fn a_catalogue_is_merged_or_replaced(database: TestDatabase) {
    let service = Service::start(database).await;
    let person = service.register("anna").await;
    let account = manual_account(&service, &person, "Own").await;
    import(&service, &person, &account, "products", "", CATALOGUE).await.expect(200);
    // A part: what it does not name, and what its columns do not tell, stays.
    let part = "article,sku,category\nT-1,T-1-S,Shirts\nN-1,N-1,New\n";
    let report = import(&service, &person, &account, "products", "", part).await.expect(200);
    assert_eq!((&report["new_products"], &report["removed_products"]), (&json!(1), &json!(0)));
    let products = walk(&service, &person, "/api/v1/products", 50).await;
    assert_eq!(products.len(), 3);
    let shirt = one(&products, "seller_article", "T-1");
    assert_eq!(
        (&shirt["name"], &shirt["brand"], &shirt["category"]),
        (&json!("Футболка"), &json!("Анна"), &json!("Shirts"))
    );
    let id = shirt["id"].as_str().expect("an id");
    let detail = get(&service, &person, &format!("/api/v1/products/{id}")).await;
    let variants = detail["variants"].as_array().expect("variants");
    assert_eq!(one(variants, "sku", "T-1-S")["barcodes"], json!(["2038461935712", "2038461935729"]));
    assert_eq!(one(variants, "sku", "T-1-M")["name"], "M");

    let report = import(&service, &person, &account, "products", "?mode=replace", part).await.expect(200);
    assert_eq!((&report["new_products"], &report["removed_products"]), (&json!(0), &json!(1)));
    let active = walk(&service, &person, "/api/v1/products", 50).await;
    assert_eq!(active.len(), 2);
    let gone = walk(&service, &person, "/api/v1/products?status=inactive", 50).await;
    assert_eq!(one(&gone, "seller_article", "C-1")["name"], "Кепка");
    // What comes back is what it was.
    import(&service, &person, &account, "products", "", CATALOGUE).await.expect(200);
    let back = walk(&service, &person, "/api/v1/products", 50).await;
    assert_eq!(one(&back, "seller_article", "C-1")["id"], gone[0]["id"]);
}

async fn an_export_imported_again_changes_nothing(database: TestDatabase) {
    let service = Service::start(database).await;
    let person = service.register("anna").await;
    let account = manual_account(&service, &person, "Own").await;
    let odd = "article,sku,name,barcode\n\
               =1+1,@cmd,\"-2, \"\"quoted\"\"\nin two lines\",0042\n'x,'=y,+7,2038461935712\nПлюс,10-12,1e5,\n";
    import(&service, &person, &account, "products", "", odd).await.expect(200);
    let stock = "sku,warehouse,warehouse_external_id,available,on_hand\n\
                 @cmd,=Main;1,007,5,6\n=y,Second,,7,\n10-12,=Main;1,007,0,\n";
    import(&service, &person, &account, "stock", "", stock).await.expect(200);
    let everything = async || {
        let stocks = walk(&service, &person, "/api/v1/stocks", 50).await;
        let products = walk(&service, &person, "/api/v1/products", 50).await;
        let mut history = Vec::new();
        for product in &products {
            let id = product["id"].as_str().expect("an id");
            history.extend(walk(&service, &person, &format!("/api/v1/products/{id}/history"), 50).await);
        }
        (stocks, products, history)
    };
    let before = everything().await;
    assert_eq!(sum(&before.0, "available"), 12);
    for query in ["", "?separator=semicolon", "?separator=tab", "?text=exact"] {
        let file = service.get(&format!("/api/v1/stocks.csv{query}")).token(&person.access).send().await;
        assert_eq!(file.status, 200);
        for mode in ["merge", "replace"] {
            let text = file.body.clone();
            let report = import(&service, &person, &account, "stock", &format!("?mode={mode}"), text)
                .await
                .expect(200);
            assert_eq!((&report["levels"], &report["movements"]), (&json!(3), &json!(0)), "{query} {mode}");
            assert_eq!(report["new_warehouses"], json!([]));
            assert_eq!(everything().await, before, "{query} {mode}");
        }
    }
}

async fn a_catalogue_and_stock_move_from_one_account_to_another(database: TestDatabase) {
    let service = Service::with_marketplace(database).await;
    let person = service.register("anna").await;
    let account = service.connect(&person, 0).await["id"].as_str().expect("an id").to_owned();
    service.carry_all().await;
    let file = service.get(&format!("/api/v1/stocks.csv?account_id={account}")).token(&person.access);
    // Rows of places where only orders are known tell of no stock.
    let text = String::from_utf8(file.send().await.body).expect("UTF-8");
    let measured = walk(&service, &person, &format!("/api/v1/stocks?account_id={account}"), 1000).await;
    let mut reader = csv::Reader::from_reader(text.trim_start_matches('\u{feff}').as_bytes());
    let mut writer = csv::Writer::from_writer(Vec::new());
    let titles = reader.headers().expect("titles").clone();
    let available = titles.iter().position(|title| title == "available").expect("a column");
    writer.write_record(&titles).expect("a line");
    for record in reader.records().map(|record| record.expect("a line")) {
        if !record[available].is_empty() {
            writer.write_record(&record).expect("a line");
        }
    }
    let bytes = writer.into_inner().expect("a file");
    let own = manual_account(&service, &person, "Copy").await;
    let report = import(&service, &person, &own, "products", "", bytes.clone()).await.expect(200);
    assert!(report["products"].as_u64() >= Some(10), "{report}");
    import(&service, &person, &own, "stock", "?mode=replace", bytes).await.expect(200);
    let by_place = |mut levels: Vec<(String, String, Option<i64>)>| {
        levels.retain(|(_, _, available)| available.is_some());
        levels
    };
    let (before, after) = (levels(&service, &person, &account).await, levels(&service, &person, &own).await);
    assert_eq!(by_place(after), by_place(before));
    assert!(sum(&measured, "available") > 0);
    let totals = async |account: &str| {
        let products = walk(&service, &person, &format!("/api/v1/products?account_id={account}"), 50).await;
        let mut totals: Vec<_> = products
            .iter()
            .map(|product| (product["seller_article"].to_string(), product["total_stock"].as_i64()))
            .filter(|(_, total)| *total > Some(0))
            .collect();
        totals.sort();
        totals
    };
    assert_eq!(totals(&own).await, totals(&account).await);
}

async fn imports_at_once_leave_a_ledger_that_adds_up(database: TestDatabase) {
    let service = Service::start(database).await;
    let person = service.register("anna").await;
    let account = manual_account(&service, &person, "Own").await;
    import(&service, &person, &account, "products", "", CATALOGUE).await.expect(200);
    for round in 0..3 {
        let file = |units: i64| {
            let units = units + 10 * round;
            format!("sku,warehouse,available\nT-1-S,A,{units}\nT-1-M,A,{units}\nC-1,A,{units}\n")
        };
        let send = async |units: i64| {
            import(&service, &person, &account, "stock", "", file(units)).await.expect(200);
        };
        tokio::join!(send(1), send(2), send(3), send(4));
    }
    let stocks = walk(&service, &person, "/api/v1/stocks", 50).await;
    let products = walk(&service, &person, "/api/v1/products", 50).await;
    for product in &products {
        let id = product["id"].as_str().expect("an id");
        let mut history = walk(&service, &person, &format!("/api/v1/products/{id}/history"), 50).await;
        history.reverse();
        for row in stocks.iter().filter(|row| row["product_id"] == product["id"]) {
            let of_level: Vec<_> = history.iter().filter(|h| h["variant_id"] == row["variant_id"]).collect();
            assert_eq!(of_level.last().expect("a movement")["to"], row["available"]);
            for pair in of_level.windows(2) {
                assert_eq!(pair[0]["to"], pair[1]["from"], "a movement begins where the one before ended");
            }
        }
    }
}

async fn an_import_is_sent_again(database: TestDatabase) {
    let service = Service::start(database).await;
    let person = service.register("anna").await;
    let account = manual_account(&service, &person, "Own").await;
    let send = async |query: &str, text: &'static str| {
        let call = request(&service, &person, &account, "products", query, "text/csv", text);
        call.header("Idempotency-Key", "key").send().await
    };
    let first = send("", CATALOGUE).await;
    assert_eq!(first.expect(200)["new_products"], 2);
    let again = send("", CATALOGUE).await;
    assert_eq!((again.header("idempotency-replayed"), &again.body), ("true", &first.body));
    send("?dry_run=true", CATALOGUE).await.problem(422, "idempotency_key_reused");
    send("", "sku\nother\n").await.problem(422, "idempotency_key_reused");
}

async fn accounts_of_marketplaces_take_no_imports(database: TestDatabase) {
    let service = Service::with_marketplace(database).await;
    let person = service.register("anna").await;
    let account = service.connect(&person, 0).await["id"].as_str().expect("an id").to_owned();
    for what in ["products", "stock"] {
        for query in ["", "?dry_run=true"] {
            let refused = import(&service, &person, &account, what, query, CATALOGUE).await;
            refused.problem(409, "not_importable");
        }
    }
    assert!(walk(&service, &person, "/api/v1/products?status=all", 50).await.is_empty());
    let own = manual_account(&service, &person, "Own").await;
    let sync = service.post(&format!("/api/v1/marketplace-accounts/{own}/sync")).token(&person.access);
    sync.send().await.problem(409, "not_synced");
}

#[tokio::test]
async fn files_of_other_kinds_are_refused() {
    let service = Service::start(TestDatabase::sqlite().await).await;
    let person = service.register("anna").await;
    let account = manual_account(&service, &person, "Own").await;
    let send = |kind: &str, body: Vec<u8>| request(&service, &person, &account, "products", "", kind, body);
    for kind in ["", "text/plain", "application/json", "application/vnd.ms-excel", "multipart/form-data"] {
        send(kind, CATALOGUE.into()).send().await.problem(415, "unsupported_media_type");
    }
    let packed = send("text/csv", CATALOGUE.into()).header("Content-Encoding", "gzip").send().await;
    packed.problem(415, "unsupported_media_type");
    send("text/csv", vec![b'x'; 16 * 1024 * 1024 + 1]).send().await.problem(413, "body_too_large");
    let encoded: Vec<u8> = CATALOGUE.encode_utf16().flat_map(u16::to_le_bytes).collect();
    let marked = [&[0xff, 0xfe], encoded.as_slice()].concat();
    for (kind, body, encoding) in [
        ("text/csv", CATALOGUE.into(), "UTF-8"),
        ("text/csv; charset=utf-8", format!("\u{feff}{CATALOGUE}").into_bytes(), "UTF-8"),
        ("text/csv", marked, "UTF-16LE"),
        ("text/csv", windows_1251(CATALOGUE), "windows-1251"),
        ("text/csv; charset=windows-1251", windows_1251(CATALOGUE), "windows-1251"),
    ] {
        let report = send(kind, body).send().await.expect(200);
        assert_eq!(report["file"]["encoding"], encoding, "{kind}");
        let products = walk(&service, &person, "/api/v1/products", 50).await;
        assert_eq!(one(&products, "seller_article", "T-1")["name"], "Футболка", "{kind} {encoding}");
    }
    let refused = send("text/csv; charset=utf-8", windows_1251(CATALOGUE)).send().await;
    assert_eq!(refused.problem(422, "import_invalid")["errors"][0]["pointer"], "/file");
    for nonsense in [b"".to_vec(), b"PK\x03\x04nonsense".to_vec(), CATALOGUE.into()] {
        let refused = send(XLSX, nonsense).send().await;
        assert_eq!(refused.problem(422, "import_invalid")["errors"][0]["pointer"], "/file");
    }
}

fn windows_1251(text: &str) -> Vec<u8> {
    let (bytes, _, is_lossy) = encoding_rs::WINDOWS_1251.encode(text);
    assert!(!is_lossy);
    bytes.into_owned()
}

/// A workbook whose shared texts are something else than it says.
fn with_texts(texts: &[u8]) -> Vec<u8> {
    use std::io::{Cursor, Read as _, Write as _};

    let mut workbook = Workbook::new();
    let sheet = workbook.add_worksheet();
    for (column, title) in (0..).zip(["sku", "name"]) {
        sheet.write_string(0, column, title).expect("a cell");
        sheet.write_string(1, column, "x").expect("a cell");
    }
    let mut from =
        zip::ZipArchive::new(Cursor::new(workbook.save_to_buffer().expect("a workbook"))).expect("zip");
    let mut to = zip::ZipWriter::new(Cursor::new(Vec::new()));
    for index in 0..from.len() {
        let mut part = from.by_index(index).expect("a part");
        let name = part.name().expect("a name").to_string();
        to.start_file(&name, zip::write::SimpleFileOptions::default()).expect("a part");
        let mut bytes = Vec::new();
        part.read_to_end(&mut bytes).expect("its bytes");
        let is_texts = name.ends_with("sharedStrings.xml");
        to.write_all(if is_texts { texts } else { &bytes }).expect("a part");
    }
    to.finish().expect("an archive").into_inner()
}

#[tokio::test]
async fn workbooks_that_would_do_harm_are_refused() {
    let service = Service::start(TestDatabase::sqlite().await).await;
    let person = service.register("anna").await;
    let account = manual_account(&service, &person, "Own").await;
    let head =
        "<?xml version=\"1.0\"?><sst xmlns=\"http://schemas.openxmlformats.org/spreadsheetml/2006/main\"";
    let fine = format!(
        "{head} count=\"3\" uniqueCount=\"3\"><si><t>sku</t></si><si><t>x</t></si><si><t>name</t></si></sst>"
    );
    let report = request(&service, &person, &account, "products", "", XLSX, with_texts(fine.as_bytes()));
    report.send().await.expect(200);
    // Room for this many texts would end the process.
    let bold = fine.replace("uniqueCount=\"3\"", "uniqueCount=\"9999999999999\"");
    // Less than its reader expects.
    let short = format!("{head} count=\"1\" uniqueCount=\"1\"><si><t>sku</t></si></sst>");
    let bomb = format!("{head}>{}", " ".repeat(101 * 1024 * 1024));
    for texts in [bold, short, bomb, "<sst".to_owned(), String::new()] {
        let bytes = with_texts(texts.as_bytes());
        assert!(bytes.len() < 1024 * 1024);
        let refused = request(&service, &person, &account, "products", "", XLSX, bytes).send().await;
        assert_eq!(refused.problem(422, "import_invalid")["errors"][0]["pointer"], "/file");
    }
}
