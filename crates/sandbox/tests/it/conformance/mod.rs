//! What the sandbox says, held against the marketplace's documents and against what the product reads of it.

mod answers;
mod published;

use std::collections::BTreeSet;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::{env, fs, io};

use jsonschema::Validator;
use sandbox::{Fault, FaultKind, JsonType, Operation, Times};
use serde_json::Value;

use answers::Told;
use published::Published;

/// Names the folder of the marketplaces' documents; those of this one are below `wildberries`.
const SPECS: &str = "MARKETPLACE_SPECS";

/// Past the capture of the test harness, so that it is seen without being asked for.
fn say(line: &str) {
    writeln!(io::stderr(), "{line}").expect("a line on stderr");
}

#[tokio::test]
async fn answers_are_as_published() {
    #[expect(clippy::disallowed_methods, reason = "a test has no other configuration")]
    let Some(folder) = env::var_os(SPECS) else {
        say(&format!("{SPECS} is not set: the sandbox was NOT held against the marketplace's documents"));
        return;
    };
    let published = Published::read(&Path::new(&folder).join("wildberries"));
    let answers = answers::all().await;
    let mut faults = Vec::new();
    let mut told = BTreeSet::new();
    for answer in &answers {
        let verdict = published.judge(answer);
        faults.extend(verdict.faults);
        match (verdict.described, answer.status) {
            // A cloud service that has not paid is heard of by a fault only, and can be on any method.
            (0, 402) => {}
            (0, status) => faults.push(format!("{:?} {status}: no document has it", answer.operation)),
            (_, 200) => drop(told.insert(answer.operation)),
            _ => {}
        }
    }
    assert_eq!(told, Operation::ALL.into(), "every method has told something");
    assert!(faults.is_empty(), "{}", faults.join("\n"));
    assert!(notices_what_changes(&published).await);
    say(&format!("{} answers are as {} documents have it", answers.len(), published.len()));
}

/// The first few things that are wrong with a body, in short: a page is long.
fn faults(validator: &Validator, body: &Value) -> Vec<String> {
    let Err(faults) = validator.validate(body) else { return Vec::new() };
    faults
        .take(3)
        .map(|fault| {
            let why: String = fault.to_string().chars().take(200).collect();
            format!("at {}: {why}", fault.instance_path)
        })
        .collect()
}

/// Whether the documents would tell a wrong name and a wrong type from a right one.
async fn notices_what_changes(published: &Published) -> bool {
    let told = Told::new().await;
    let field = || "quantity".to_owned();
    for kind in [
        FaultKind::RenameField { field: field(), to: "stock".to_owned() },
        FaultKind::RetypeField { field: field(), to: JsonType::Text },
    ] {
        for operation in
            [Operation::WbStocksReport, Operation::SellerStocksReport, Operation::RemainsDownload]
        {
            told.market.sandbox.inject(Fault::on(operation, Times::Next(1), kind.clone()));
            if published.judge(&told.good(operation).await).faults.is_empty() {
                return false;
            }
        }
    }
    true
}

fn schema_folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/schemas/wildberries")
}

/// The schema of what the product reads of a method; it reads nothing of some.
fn read_of(operation: Operation) -> Option<Value> {
    let name = serde_json::to_value(operation).expect("a name");
    let path = schema_folder().join(format!("{}.json", name.as_str().expect("a name")));
    let text = fs::read_to_string(path).ok()?;
    Some(serde_json::from_str(&text).expect("a schema"))
}

fn validator(schema: &Value) -> Validator {
    jsonschema::options().should_validate_formats(true).build(schema).expect("a schema")
}

#[tokio::test]
async fn answers_have_what_is_read_of_them() {
    let told = Told::new().await;
    let mut held = 0;
    for operation in Operation::ALL {
        let Some(schema) = read_of(operation) else { continue };
        let answer = told.good(operation).await;
        let body = answer.body.expect("a body");
        let faults = faults(&validator(&schema), &body);
        assert!(faults.is_empty(), "{operation:?}: {}", faults.join("\n"));
        held += 1;
    }
    let files = fs::read_dir(schema_folder()).expect("the schemas").count();
    assert_eq!(held, files, "every schema is of a method");
}

/// Every field that a schema names, with its type.
fn fields(schema: &Value) -> Vec<(&str, &Value)> {
    let mut found = Vec::new();
    if let Some(properties) = schema["properties"].as_object() {
        for (name, property) in properties {
            found.push((name.as_str(), &property["type"]));
            found.extend(fields(property));
        }
    }
    if schema["items"].is_object() {
        found.extend(fields(&schema["items"]));
    }
    found
}

#[tokio::test]
async fn a_field_that_is_read_cannot_change_unnoticed() {
    let told = Told::new().await;
    for operation in Operation::ALL {
        let Some(schema) = read_of(operation) else { continue };
        let validator = validator(&schema);
        for (name, kind) in fields(&schema) {
            let field = name.to_owned();
            let to = if kind == "object" { JsonType::List } else { JsonType::Object };
            for fault in [
                FaultKind::RenameField { field: field.clone(), to: "renamed".to_owned() },
                FaultKind::RetypeField { field, to },
            ] {
                told.market.sandbox.inject(Fault::on(operation, Times::Next(1), fault.clone()));
                let body = told.good(operation).await.body.expect("a body");
                assert!(!validator.is_valid(&body), "{operation:?}: {fault:?}");
            }
        }
    }
}
