//! What faults do to the JSON of an answer. Pure.

use serde_json::{Map, Value, json};

use crate::faults::{FaultKind, JsonType};

/// The answer with the fault in it; none where there is nothing to change, or no JSON.
pub(crate) fn rewritten(body: &[u8], fault: &FaultKind) -> Option<Vec<u8>> {
    let mut json = serde_json::from_slice::<Value>(body).ok()?;
    let is_changed = match fault {
        FaultKind::Rewrite { pointer, value } => {
            let field = json.pointer_mut(pointer);
            field.map(|field| field.clone_from(value)).is_some()
        }
        FaultKind::RenameField { field, to } => rename(&mut json, field, to),
        FaultKind::RetypeField { field, to } => retype(&mut json, field, *to),
        _ => false,
    };
    is_changed.then(|| json.to_string().into_bytes())
}

/// Gives every field of a name another one, at any depth; whether there was one.
fn rename(json: &mut Value, field: &str, to: &str) -> bool {
    let mut is_changed = false;
    each_object(json, &mut |fields| {
        if let Some(value) = fields.remove(field) {
            fields.insert(to.to_owned(), value);
            is_changed = true;
        }
    });
    is_changed
}

/// Gives every field of a name another type, at any depth; whether there was one.
fn retype(json: &mut Value, field: &str, to: JsonType) -> bool {
    let mut is_changed = false;
    each_object(json, &mut |fields| {
        if let Some(value) = fields.get_mut(field) {
            *value = as_type(value.take(), to);
            is_changed = true;
        }
    });
    is_changed
}

fn each_object(json: &mut Value, change: &mut impl FnMut(&mut Map<String, Value>)) {
    match json {
        Value::Array(items) => items.iter_mut().for_each(|item| each_object(item, change)),
        Value::Object(fields) => {
            change(fields);
            fields.values_mut().for_each(|value| each_object(value, change));
        }
        _ => {}
    }
}

/// The same content as far as the type can hold it.
fn as_type(value: Value, to: JsonType) -> Value {
    match (to, value) {
        (JsonType::Null, _) => Value::Null,
        (JsonType::Text, Value::String(text)) => text.into(),
        (JsonType::Text, value) => value.to_string().into(),
        (JsonType::Number, Value::Number(number)) => number.into(),
        (JsonType::Number, Value::String(text)) => json!(text.parse::<i64>().unwrap_or_default()),
        (JsonType::Number, _) => json!(0),
        (JsonType::Boolean, Value::Bool(value)) => value.into(),
        (JsonType::Boolean, value) => json!(value != json!(0) && !value.is_null()),
        (JsonType::List, value @ Value::Array(_)) | (JsonType::Object, value @ Value::Object(_)) => value,
        (JsonType::List, value) => json!([value]),
        (JsonType::Object, value) => json!({ "value": value }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn spoilt(body: &Value, fault: &FaultKind) -> Option<Value> {
        let body = rewritten(body.to_string().as_bytes(), fault)?;
        Some(serde_json::from_slice(&body).expect("JSON"))
    }

    #[test]
    fn a_field_is_renamed_wherever_it_stands() {
        let fault = FaultKind::RenameField { field: "nmId".into(), to: "nm".into() };
        let body = json!({"data": [{"nmId": 1}, {"other": {"nmId": {"nmId": 2}}}]});
        let expected = json!({"data": [{"nm": 1}, {"other": {"nm": {"nm": 2}}}]});
        assert_eq!(spoilt(&body, &fault), Some(expected));
        assert_eq!(spoilt(&json!([{"chrtId": 1}]), &fault), None);
        assert_eq!(rewritten(b"<html>", &fault), None);
    }

    #[test]
    fn a_field_changes_to_every_type() {
        for (to, number, text) in [
            (JsonType::Text, json!("7"), json!("12")),
            (JsonType::Number, json!(7), json!(12)),
            (JsonType::Boolean, json!(true), json!(true)),
            (JsonType::Null, json!(null), json!(null)),
            (JsonType::List, json!([7]), json!(["12"])),
            (JsonType::Object, json!({"value": 7}), json!({"value": "12"})),
        ] {
            let fault = FaultKind::RetypeField { field: "amount".into(), to };
            let body = json!([{"amount": 7}, {"amount": "12"}]);
            let expected = json!([{"amount": number}, {"amount": text}]);
            assert_eq!(spoilt(&body, &fault), Some(expected), "{to:?}");
        }
    }

    #[test]
    fn a_pointer_that_leads_nowhere_changes_nothing() {
        let fault = |pointer: &str| FaultKind::Rewrite { pointer: pointer.into(), value: json!("x") };
        assert_eq!(spoilt(&json!({"a": [1, 2]}), &fault("/a/1")), Some(json!({"a": [1, "x"]})));
        assert_eq!(spoilt(&json!({"a": [1, 2]}), &fault("/a/2")), None);
    }
}
