//! The messages are the contract between the processes: their committed schemas are those of the
//! types, and every committed example of every version is accepted by every reader.

use std::path::{Path, PathBuf};

use backbone::message::{
    Alert, Assessment, CaseEvent, Erasure, EventEdit, Message, Post, Signal, SourceEdit,
    SourceHealth, Unreadable, decode, encode, json_schema,
};
use backbone::topics::{self, Topic};

fn folder(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(name)
}

fn committed_schema_is_that_of<M: Message>(topic: &Topic) {
    let path = folder("schemas").join(format!("{}-v{}.json", topic.schema, topic.version));
    let schema = format!(
        "{}\n",
        serde_json::to_string_pretty(&json_schema::<M>()).unwrap()
    );
    if std::env::var_os("UPDATE_SCHEMAS").is_some() {
        std::fs::write(&path, &schema).unwrap();
    }
    let committed = std::fs::read_to_string(&path).unwrap_or_default();
    assert_eq!(
        committed,
        schema,
        "{} is not the schema of the type; run UPDATE_SCHEMAS=1 cargo test -p backbone and review the difference",
        path.display()
    );
}

fn examples_are_accepted<M: Message + PartialEq + std::fmt::Debug>(topic: &Topic) {
    let mut read = 0;
    for version in std::fs::read_dir(folder("examples").join(topic.name)).unwrap() {
        for example in std::fs::read_dir(version.unwrap().path()).unwrap() {
            let path = example.unwrap().path();
            let message: M = decode(&std::fs::read(&path).unwrap())
                .unwrap_or_else(|error| panic!("{}: {error}", path.display()));
            let again: M = decode(&encode(&message).unwrap()).unwrap();
            assert_eq!(message, again, "{}", path.display());
            read += 1;
        }
    }
    assert!(read > 0, "topic {} has no example", topic.name);
}

#[test]
fn schemas_are_committed() {
    committed_schema_is_that_of::<Post>(&topics::POSTS);
    committed_schema_is_that_of::<Assessment>(&topics::ASSESSMENTS);
    committed_schema_is_that_of::<Alert>(&topics::ALERTS);
    committed_schema_is_that_of::<Signal>(&topics::SIGNALS);
    committed_schema_is_that_of::<CaseEvent>(&topics::CASE_EVENTS);
    committed_schema_is_that_of::<EventEdit>(&topics::EVENT_EDITS);
    committed_schema_is_that_of::<SourceEdit>(&topics::SOURCE_EDITS);
    committed_schema_is_that_of::<Erasure>(&topics::ERASURES);
    committed_schema_is_that_of::<SourceHealth>(&topics::SOURCE_HEALTH);
}

#[test]
fn every_example_is_accepted() {
    examples_are_accepted::<Post>(&topics::POSTS);
    examples_are_accepted::<Assessment>(&topics::ASSESSMENTS);
    examples_are_accepted::<Alert>(&topics::ALERTS);
    examples_are_accepted::<Signal>(&topics::SIGNALS);
    examples_are_accepted::<CaseEvent>(&topics::CASE_EVENTS);
    examples_are_accepted::<EventEdit>(&topics::EVENT_EDITS);
    examples_are_accepted::<SourceEdit>(&topics::SOURCE_EDITS);
    examples_are_accepted::<Erasure>(&topics::ERASURES);
    examples_are_accepted::<SourceHealth>(&topics::SOURCE_HEALTH);
}

fn example_post() -> serde_json::Value {
    let path = folder("examples/posts/v1/board.json");
    serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap()
}

fn refused(change: impl FnOnce(&mut serde_json::Value), expected: &str) {
    let mut value = example_post();
    change(&mut value);
    let error = decode::<Post>(&serde_json::to_vec(&value).unwrap()).unwrap_err();
    assert!(error.to_string().contains(expected), "{error}");
}

#[test]
fn what_a_reader_cannot_take_is_named() {
    refused(
        |post| post["version"] = 9.into(),
        "unknown version 9; this reader knows version 1",
    );
    refused(
        |post| post["schema"] = "alert".into(),
        "schema `alert` where `post` was expected",
    );
    refused(
        |post| post["reactions"]["likes"] = "many".into(),
        "`reactions.likes`",
    );
    refused(
        |post| post["published_at"] = "yesterday".into(),
        "`published_at`",
    );
    refused(
        |post| post["revision"] = 0.into(),
        "`revision` must be 1 or more",
    );
    refused(
        |post| drop(post.as_object_mut().unwrap().remove("version")),
        "field `version`",
    );
    refused(
        |post| post["text"] = "长".repeat(100_001).into(),
        "longer than 100000 characters",
    );
    assert!(matches!(
        decode::<Post>(b"\xff"),
        Err(Unreadable::Malformed { .. })
    ));
}

#[test]
fn a_field_of_a_later_time_is_ignored() {
    let mut value = example_post();
    value["mood_of_the_moon"] = "full".into();
    decode::<Post>(&serde_json::to_vec(&value).unwrap()).unwrap();
}
