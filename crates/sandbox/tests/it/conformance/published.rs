//! The marketplace's own documents, where they are at hand.
//!
//! Two sorts: its OpenAPI documents as they were downloaded, and newer ones that were derived from a generated
//! client, where an answer is the name of a schema and properties called `title` were lost.

use std::fs;
use std::path::{Path, PathBuf};

use jsonschema::Draft;
use sandbox::Operation;
use serde_json::{Value, json};

use super::answers::Answer;

const DRAFT: &str = "http://json-schema.org/draft-04/schema#";

/// One of the documents.
struct Document {
    name: String,
    is_derived: bool,
    root: Value,
    /// The same with its schemas closed: a field that it does not know is an error.
    closed: Value,
}

/// All documents that describe a method of the sandbox.
pub(super) struct Published(Vec<Document>);

/// What the documents say of one answer.
pub(super) struct Verdict {
    /// How many of them describe it.
    pub(super) described: usize,
    /// What is wrong with it, by document.
    pub(super) faults: Vec<String>,
}

impl Published {
    /// Reads what is below a folder. Panics where there is nothing of use: it was said to be there.
    pub(super) fn read(folder: &Path) -> Self {
        let mut documents = Vec::new();
        for path in files(folder) {
            let text =
                fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
            if !Operation::ALL.iter().any(|operation| text.contains(operation.path())) {
                continue;
            }
            let name = path.strip_prefix(folder).unwrap_or(&path).display().to_string();
            let root: Result<Value, String> = if name.ends_with("json") {
                serde_json::from_str(&text).map_err(|error| error.to_string())
            } else {
                serde_saphyr::from_str(&text).map_err(|error| error.to_string())
            };
            let mut root = root.unwrap_or_else(|error| panic!("{name}: {error}"));
            if !Operation::ALL.iter().any(|operation| root["paths"][operation.path()].is_object()) {
                continue;
            }
            let is_derived = name.contains("derived");
            translate(&mut root);
            let mut closed = root.clone();
            close(&mut closed, is_derived);
            documents.push(Document { name, is_derived, root, closed });
        }
        assert!(!documents.is_empty(), "no document below {} describes the sandbox", folder.display());
        Self(documents)
    }

    /// How many documents there are.
    pub(super) fn len(&self) -> usize {
        self.0.len()
    }

    /// Holds an answer against every document that describes it.
    pub(super) fn judge(&self, answer: &Answer) -> Verdict {
        let mut verdict = Verdict { described: 0, faults: Vec::new() };
        for document in &self.0 {
            let Some(described) = document.described(answer) else { continue };
            verdict.described += 1;
            let faults = match (described, &answer.body) {
                (Some(schema), Some(body)) => document.faults(&schema, body, answer.status),
                (Some(_), None) => vec!["a body is missing".to_owned()],
                (None, Some(_)) if answer.media_type.ends_with("json") => vec!["a body too many".to_owned()],
                (None, _) => Vec::new(),
            };
            verdict.faults.extend(faults.into_iter().map(|fault| {
                format!("{}: {:?} {}: {fault}", document.name, answer.operation, answer.status)
            }));
        }
        verdict
    }
}

impl Document {
    /// What the document says of an answer: none where it does not have it, a schema unless it has no body.
    #[expect(
        clippy::option_option,
        reason = "an answer without a body and one unheard of are different things"
    )]
    fn described(&self, answer: &Answer) -> Option<Option<Value>> {
        let method = answer.operation.method().to_lowercase();
        let responses = &self.root["paths"][answer.operation.path()][&method]["responses"];
        let response = responses.get(answer.status.to_string())?;
        Some(match response {
            Value::Null => None,
            // The client knows the JSON of an answer only.
            Value::String(_) if !answer.media_type.ends_with("json") => None,
            Value::String(name) => Some(named(name)),
            response => {
                let response = match response["$ref"].as_str() {
                    Some(pointer) => {
                        self.root.pointer(pointer.trim_start_matches('#')).expect("what is named")
                    }
                    None => response,
                };
                let content = response["content"].as_object();
                // The gateway in front of all services answers in one way, whatever each of them writes of it.
                let media = content.and_then(|content| {
                    content
                        .get(&answer.media_type)
                        .or_else(|| content.values().find(|it| !it["schema"].is_null()))
                });
                let is_json = answer.body.is_none() || answer.media_type.ends_with("json");
                media
                    .filter(|_| is_json)
                    .map(|media| media["schema"].clone())
                    .filter(|schema| !schema.is_null())
            }
        })
    }

    fn faults(&self, schema: &Value, body: &Value, status: u16) -> Vec<String> {
        // Where a method has errors of several shapes, the client kept one of them.
        let is_open = self.is_derived && status >= 300;
        let root = if is_open { &self.root } else { &self.closed };
        let schema = json!({"$schema": DRAFT, "allOf": [schema], "components": root["components"]});
        let validator = jsonschema::options()
            .with_draft(Draft::Draft4)
            .should_validate_formats(true)
            .build(&schema)
            .unwrap_or_else(|error| panic!("{}: {error}", self.name));
        super::faults(&validator, body)
    }
}

/// `Name` or `List[Name]`.
fn named(name: &str) -> Value {
    let reference = |name: &str| json!({"$ref": format!("#/components/schemas/{name}")});
    match name.strip_prefix("List[").and_then(|name| name.strip_suffix(']')) {
        Some(name) => json!({"type": "array", "items": reference(name)}),
        None => reference(name),
    }
}

/// Makes JSON schemas of what OpenAPI 3.0 and the generated client say in other words.
fn translate(value: &mut Value) {
    each_child(value, &mut translate);
    let Value::Object(fields) = value else { return };
    // The client's class for "one of several".
    if let Some(one_of) = fields.get("properties").and_then(|properties| properties.get("actual_instance")) {
        *value = one_of.clone();
        return;
    }
    if fields.get("nullable") == Some(&Value::Bool(true))
        && let Some(kind) = fields.get("type").cloned()
    {
        fields.insert("type".to_owned(), json!([kind, "null"]));
        if let Some(Value::Array(allowed)) = fields.get_mut("enum") {
            allowed.push(Value::Null);
        }
    }
}

/// Lets no object have fields that its schema does not name.
fn close(value: &mut Value, is_derived: bool) {
    each_child(value, &mut |child| close(child, is_derived));
    let Value::Object(fields) = value else { return };
    if let Some(Value::Object(properties)) = fields.get_mut("properties") {
        if is_derived {
            properties.entry("title").or_insert_with(|| json!({}));
        }
        fields.entry("additionalProperties").or_insert(Value::Bool(false));
    }
}

fn each_child(value: &mut Value, change: &mut impl FnMut(&mut Value)) {
    match value {
        Value::Array(items) => items.iter_mut().for_each(change),
        Value::Object(fields) => fields.values_mut().for_each(change),
        _ => {}
    }
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    let mut files = Vec::new();
    for entry in entries {
        let path = entry.expect("an entry of the folder").path();
        let extension = path.extension().and_then(|extension| extension.to_str()).unwrap_or_default();
        if path.is_dir() {
            files.extend(self::files(&path));
        } else if matches!(extension, "json" | "yaml" | "yml") {
            files.push(path);
        }
    }
    files.sort();
    files
}
