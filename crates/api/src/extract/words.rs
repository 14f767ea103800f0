//! What is wrong with a field, in our own words: serde's repeat what the client sent, which may be a password.

use serde_path_to_error::{Path, Segment};

/// A wrong field: where it is, and what to say about it.
pub(super) struct Complaint {
    pub(super) pointer: String,
    pub(super) detail: String,
}

impl Complaint {
    /// From serde's message and the path at which it stopped. `root` comes in front of every pointer.
    pub(super) fn new(root: &str, path: &Path, message: &str) -> Self {
        let mut pointer = root.to_owned();
        for segment in path {
            match segment {
                Segment::Seq { index } => push(&mut pointer, &index.to_string()),
                Segment::Map { key } | Segment::Enum { variant: key } => push(&mut pointer, key),
                Segment::Unknown => {}
            }
        }
        // Position of the JSON reader; nothing to do with the field.
        let message = message.rsplit_once(" at line ").map_or(message, |(text, _)| text);
        if let Some(field) = named(message, "missing field ") {
            push(&mut pointer, field);
            return Self { pointer, detail: "is required".to_owned() };
        }
        if let Some(field) = named(message, "duplicate field ") {
            if path.iter().next().is_none() {
                push(&mut pointer, field);
            }
            return Self { pointer, detail: "is given twice".to_owned() };
        }
        let detail = if message.starts_with("unknown field ") {
            "is not known here".to_owned()
        } else if let Some((_, known)) =
            message.strip_prefix("unknown variant ").and_then(|rest| rest.rsplit_once(", expected "))
        {
            format!("must be {}", known.replace('`', ""))
        } else if let Some((_, expected)) =
            message.strip_prefix("invalid ").and_then(|rest| rest.rsplit_once(", expected "))
        {
            format!("must be {}", plain(expected))
        } else {
            own_words(message).unwrap_or("is not valid").to_owned()
        };
        Self { pointer, detail }
    }
}

/// Messages of the types of this crate begin like this; others are not shown.
fn own_words(message: &str) -> Option<&str> {
    ["must ", "is ", "has "].iter().any(|start| message.starts_with(start)).then_some(message)
}

/// The name in backticks after `prefix`.
fn named<'m>(message: &'m str, prefix: &str) -> Option<&'m str> {
    message.strip_prefix(prefix)?.strip_prefix('`')?.strip_suffix('`')
}

/// Names of Rust types and of our structs are not for clients.
fn plain(expected: &str) -> &str {
    match expected {
        "i8" | "i16" | "i32" | "i64" | "u8" | "u16" | "u32" | "u64" => "a whole number",
        "f32" | "f64" => "a number",
        "a boolean" => "true or false",
        "a map" => "an object",
        _ if expected.starts_with("struct ") => "an object",
        _ => expected,
    }
}

/// Appends a segment as RFC 6901 wants it.
fn push(pointer: &mut String, segment: &str) {
    pointer.push('/');
    pointer.push_str(&segment.replace('~', "~0").replace('/', "~1"));
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;

    use super::Complaint;

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    #[expect(dead_code, reason = "only the refusals matter")]
    struct Outer {
        name: String,
        inner: Option<Inner>,
        list: Option<Vec<u8>>,
    }

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    #[expect(dead_code, reason = "only the refusals matter")]
    struct Inner {
        kind: Kind,
    }

    #[derive(Debug, Deserialize)]
    #[serde(rename_all = "snake_case")]
    enum Kind {
        One,
        Two,
    }

    fn complaint(json: &str) -> (String, String) {
        let mut reader = serde_json::Deserializer::from_str(json);
        let error = serde_path_to_error::deserialize::<_, Outer>(&mut reader).unwrap_err();
        let complaint = Complaint::new("", error.path(), &error.inner().to_string());
        (complaint.pointer, complaint.detail)
    }

    #[test]
    fn every_kind_of_mistake_points_at_its_field_and_repeats_nothing() {
        for (json, pointer, detail) in [
            ("{}", "/name", "is required"),
            (r#"{"name":"a","nmae":1}"#, "/nmae", "is not known here"),
            (r#"{"name":"a","a/b~c":1}"#, "/a~1b~0c", "is not known here"),
            (r#"{"name":"a","name":"b"}"#, "/name", "is given twice"),
            (r#"{"name":17}"#, "/name", "must be a string"),
            (r#"{"name":"s3cret, expected x","list":"hidden, expected y"}"#, "/list", "must be a sequence"),
            (r#"{"name":"a","list":[1,true]}"#, "/list/1", "must be a whole number"),
            (r#"{"name":"a","list":[300]}"#, "/list/0", "must be a whole number"),
            (r#"{"name":"a","inner":{}}"#, "/inner/kind", "is required"),
            (r#"{"name":"a","inner":{"kind":"three"}}"#, "/inner/kind", "must be one or two"),
            ("[1]", "/0", "must be a string"),
            ("17", "", "must be an object"),
        ] {
            assert_eq!(complaint(json), (pointer.to_owned(), detail.to_owned()), "{json}");
        }
    }
}
