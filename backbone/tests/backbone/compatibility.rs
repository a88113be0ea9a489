//! While a county is brought up to date, old and new programs read each other's messages. `schemas/released/` has the schemas that
//! running systems hold, as of the last release; a version of a schema may only change so that both sides go on reading:
//! fields that may be absent can be added, nothing else. What needs more is a new version, which readers must know first.

use std::path::{Path, PathBuf};

use backbone::message::{
    Alert, Assessment, CaseEvent, Erasure, EventEdit, Message, Post, Signal, SourceEdit,
    SourceHealth, json_schema,
};
use serde_json::{Map, Value, json};

fn released() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("schemas/released")
}

fn held<M: Message>() -> Value {
    let path = released().join(format!("{}-v{}.json", M::SCHEMA, M::VERSION));
    let text = std::fs::read_to_string(&path).unwrap_or_else(|error| {
        panic!(
            "{}: {error}; a new version is put there when it is released",
            path.display()
        )
    });
    serde_json::from_str(&text).unwrap()
}

/// Values of a schema: one with only what it requires, one with everything, and one for each further form of a part.
fn values_of(schema: &Value) -> Vec<Value> {
    [false, true]
        .into_iter()
        .flat_map(|whole| values(schema, schema, whole))
        .collect()
}

fn values(schema: &Value, root: &Value, whole: bool) -> Vec<Value> {
    if let Some(path) = schema["$ref"].as_str() {
        let target = root.pointer(path.trim_start_matches('#')).unwrap();
        return values(target, root, whole);
    }
    if let Some(value) = schema.get("const") {
        return vec![value.clone()];
    }
    if let Some(listed) = schema["enum"].as_array() {
        return listed.clone();
    }
    if let Some(forms) = schema["oneOf"].as_array().or(schema["anyOf"].as_array()) {
        return forms
            .iter()
            .flat_map(|form| values(form, root, whole))
            .collect();
    }
    match &schema["type"] {
        Value::Array(types) => types
            .iter()
            .flat_map(|kind| of_type(kind.as_str().unwrap(), schema, root, whole))
            .collect(),
        Value::String(kind) => of_type(kind, schema, root, whole),
        _ => panic!("a schema of a kind that this test does not know: {schema}"),
    }
}

fn of_type(kind: &str, schema: &Value, root: &Value, whole: bool) -> Vec<Value> {
    let one = match kind {
        "object" => return objects(schema, root, whole),
        "array" => {
            let items = values(&schema["items"], root, whole).into_iter();
            return items.map(|item| json!([item])).collect();
        }
        "string" => match schema["format"].as_str() {
            Some("date-time") => json!("2026-11-27T08:30:00Z"),
            Some("date") => json!("2026-11-27"),
            _ => json!("甲"),
        },
        "integer" => json!(1),
        "number" => json!(0.5),
        "boolean" => json!(true),
        "null" => Value::Null,
        _ => panic!("a type that this test does not know: {kind}"),
    };
    vec![one]
}

fn objects(schema: &Value, root: &Value, whole: bool) -> Vec<Value> {
    let mut first = Map::new();
    let mut further = Vec::new();
    for (name, property) in schema["properties"].as_object().into_iter().flatten() {
        let required = schema["required"].as_array().into_iter().flatten();
        if whole || required.into_iter().any(|field| field == name) {
            let mut forms = values(property, root, whole).into_iter();
            first.extend(forms.next().map(|form| (name.clone(), form)));
            further.extend(forms.map(|form| (name.clone(), form)));
        }
    }
    if let (true, Some(of_any_name)) = (whole, schema["additionalProperties"].as_object()) {
        let mut forms = values(&json!(of_any_name), root, whole).into_iter();
        first.extend(forms.next().map(|form| ("甲".to_owned(), form)));
    }
    let others = further.into_iter().map(|(name, form)| {
        let mut object = first.clone();
        object.insert(name, form);
        Value::Object(object)
    });
    std::iter::once(Value::Object(first.clone()))
        .chain(others)
        .collect()
}

/// A change of a schema.
type Change = fn(&mut Value);

/// What of the writer's messages a reader that holds another schema refuses.
fn refused(writer: &Value, reader: &Value) -> Vec<String> {
    let reader = jsonschema::validator_for(reader).unwrap();
    let messages = values_of(writer);
    (messages.iter())
        .flat_map(|message| reader.iter_errors(message))
        .map(|error| format!("`{}`: {error}", error.instance_path()))
        .collect()
}

fn old_and_new_read_each_other<M: Message>() {
    let (held, now) = (
        held::<M>(),
        serde_json::to_value(json_schema::<M>()).unwrap(),
    );
    let refused = refused(&now, &held);
    assert!(
        refused.is_empty(),
        "programs of the last release cannot read what is written now to `{}`: {refused:#?}",
        M::SCHEMA
    );
    for message in values_of(&held) {
        // Its form: what its values must be beside that is checked by `decode`, and no schema's matter.
        if let Err(error) = serde_json::from_value::<M>(message.clone()) {
            panic!("what was written by the last release cannot be read: {error}: {message:#}");
        }
    }
}

#[test]
fn the_last_release_and_this_one_read_each_other() {
    old_and_new_read_each_other::<Post>();
    old_and_new_read_each_other::<Assessment>();
    old_and_new_read_each_other::<Alert>();
    old_and_new_read_each_other::<Signal>();
    old_and_new_read_each_other::<CaseEvent>();
    old_and_new_read_each_other::<EventEdit>();
    old_and_new_read_each_other::<SourceEdit>();
    old_and_new_read_each_other::<Erasure>();
    old_and_new_read_each_other::<SourceHealth>();
}

#[test]
fn what_would_part_them_is_found() {
    let held = held::<Post>();
    let after = |change: Change| {
        let mut schema = held.clone();
        change(&mut schema);
        refused(&schema, &held)
    };
    let added = |schema: &mut Value| schema["properties"]["mood"] = json!({ "type": "string" });
    assert_eq!(after(added), Vec::<String>::new(), "a field may be added");
    let parting: [(&str, Change); 4] = [
        ("a field that was always there", |schema| {
            let required = schema["required"].as_array_mut().unwrap();
            required.retain(|field| field != "text");
        }),
        ("a field of another type", |schema| {
            schema["properties"]["text"] = json!({ "type": "integer" });
        }),
        ("a word that old readers do not know", |schema| {
            let words = schema["$defs"]["SourceKind"]["oneOf"]
                .as_array_mut()
                .unwrap();
            words.push(json!({ "const": "rumour", "type": "string" }));
        }),
        ("a field that may now be empty", |schema| {
            schema["properties"]["region"]["type"] = json!(["string", "null"]);
        }),
    ];
    for (what, change) in parting {
        assert!(!after(change).is_empty(), "{what}");
    }
}
