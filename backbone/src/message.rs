//! The messages that travel between the processes, one file each, and how they are read.
//!
//! A message is a JSON object that carries its schema's name and version beside its fields. Readers
//! ignore fields they do not know and refuse versions they do not know.

mod alert;
pub(crate) mod assessment;
mod case_event;
mod erasure;
mod event_edit;
pub(crate) mod post;
mod signal;
mod source_edit;
mod source_health;

use std::borrow::Cow;

use schemars::JsonSchema;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use thiserror::Error;

pub use alert::{Alert, Count, Day, EventSummary, KeyDate, Recurrence, RiskTerm, Sentiments, Turn};
pub use assessment::{
    APPEALS, Appeal, Assessment, EventMembership, Evidence, FindingKind, Part, Place, Polarity,
    Responsible, Role, SecondOpinion, Sentiment, Subject, SubjectShare,
};
pub use case_event::CaseEvent;
pub use erasure::{ErasedFrom, Erasure};
pub use event_edit::{Change, EventEdit, SPLIT_LIMIT};
pub use post::{Certainty, Post, Reactions, SourceKind, TEXT_LIMIT, TITLE_LIMIT};
pub use signal::{Signal, SignalEvent, SignalKind};
pub use source_edit::SourceEdit;
pub use source_health::{Condition, Fault, Finding, SourceHealth};

/// A kind of message: its schema's name and version, and what Kafka needs to know of it.
pub trait Message: Serialize + DeserializeOwned + JsonSchema + Send + Sync + 'static {
    /// The schema's name, in the field `schema` of every message.
    const SCHEMA: &'static str;
    /// The schema's version, in the field `version` of every message.
    const VERSION: u32;

    /// The code of the region the message belongs to.
    fn region(&self) -> &str;
    /// The deterministic id of what the message tells of.
    fn id(&self) -> &str;
    /// Its Kafka key: messages of one key stay in order.
    fn key(&self) -> &str {
        self.region()
    }
    /// What the schema cannot say: bounds and agreement between fields. An error names the field.
    fn check(&self) -> Result<(), String> {
        Ok(())
    }
}

/// Why bytes are not a message of the kind expected.
#[derive(Debug, Error, PartialEq, Eq)]
pub enum Unreadable {
    /// Not JSON, or a field is missing or of another type.
    #[error("malformed {schema} message: field `{field}`: {problem}")]
    Malformed {
        /// The schema expected.
        schema: &'static str,
        /// The path of the field at fault, `.` for the whole.
        field: String,
        /// What is wrong with it.
        problem: String,
    },
    /// A message of another schema in this topic.
    #[error(
        "message of schema `{found}` where `{expected}` was expected; send it to the topic of its schema"
    )]
    Schema {
        /// The schema expected.
        expected: &'static str,
        /// The schema the message names.
        found: String,
    },
    /// A version this reader does not know.
    #[error(
        "{schema} message of unknown version {found}; this reader knows version {known}: upgrade it, then replay the dead letter"
    )]
    Version {
        /// The schema expected.
        schema: &'static str,
        /// The version the message names.
        found: u64,
        /// The version this reader knows.
        known: u32,
    },
}

#[derive(Serialize)]
struct Envelope<'a, M> {
    schema: &'static str,
    version: u32,
    #[serde(flatten)]
    body: &'a M,
}

/// A message as the bytes that go to Kafka.
///
/// # Errors
/// When a field cannot be written as JSON, such as a number that is not finite.
pub fn encode<M: Message>(message: &M) -> Result<Vec<u8>, serde_json::Error> {
    serde_json::to_vec(&Envelope {
        schema: M::SCHEMA,
        version: M::VERSION,
        body: message,
    })
}

/// What is looked at first of a message.
#[derive(Deserialize)]
struct Heading<'a> {
    #[serde(borrow)]
    schema: Cow<'a, str>,
    version: u64,
}

/// Bytes from Kafka as a message.
///
/// # Errors
/// [`Unreadable`] says why not, and names the field.
pub fn decode<M: Message>(bytes: &[u8]) -> Result<M, Unreadable> {
    // Nearly all are as they should be: read at once. The long way names what is wrong with the others.
    if let Ok(heading) = serde_json::from_slice::<Heading<'_>>(bytes)
        && heading.schema == M::SCHEMA
        && heading.version == u64::from(M::VERSION)
        && let Ok(message) = serde_json::from_slice::<M>(bytes)
        && message.check().is_ok()
    {
        return Ok(message);
    }
    decode_or_explain(bytes)
}

fn decode_or_explain<M: Message>(bytes: &[u8]) -> Result<M, Unreadable> {
    let malformed = |field: String, problem: String| Unreadable::Malformed {
        schema: M::SCHEMA,
        field,
        problem,
    };
    let value: serde_json::Value = serde_json::from_slice(bytes)
        .map_err(|error| malformed(".".to_owned(), error.to_string()))?;
    match value.get("schema").and_then(serde_json::Value::as_str) {
        Some(schema) if schema == M::SCHEMA => {}
        Some(other) => {
            return Err(Unreadable::Schema {
                expected: M::SCHEMA,
                found: other.chars().take(64).collect(),
            });
        }
        None => {
            return Err(malformed(
                "schema".to_owned(),
                "missing or not a string".to_owned(),
            ));
        }
    }
    match value.get("version").and_then(serde_json::Value::as_u64) {
        Some(version) if version == u64::from(M::VERSION) => {}
        Some(found) => {
            return Err(Unreadable::Version {
                schema: M::SCHEMA,
                found,
                known: M::VERSION,
            });
        }
        None => {
            return Err(malformed(
                "version".to_owned(),
                "missing or not a whole number".to_owned(),
            ));
        }
    }
    let message: M = serde_path_to_error::deserialize(value)
        .map_err(|error| malformed(error.path().to_string(), error.into_inner().to_string()))?;
    message
        .check()
        .map_err(|problem| malformed(".".to_owned(), problem))?;
    Ok(message)
}

/// The JSON Schema (draft 2020-12) of a message, with its envelope.
#[must_use]
pub fn json_schema<M: Message>() -> serde_json::Value {
    let mut schema = schemars::schema_for!(M).to_value();
    if let Some(object) = schema.as_object_mut() {
        object.insert(
            "title".to_owned(),
            format!("{} v{}", M::SCHEMA, M::VERSION).into(),
        );
        if let Some(properties) = object
            .get_mut("properties")
            .and_then(serde_json::Value::as_object_mut)
        {
            properties.insert(
                "schema".to_owned(),
                serde_json::json!({ "const": M::SCHEMA }),
            );
            properties.insert(
                "version".to_owned(),
                serde_json::json!({ "const": M::VERSION }),
            );
        }
        if let Some(required) = object
            .get_mut("required")
            .and_then(serde_json::Value::as_array_mut)
        {
            required.insert(0, "schema".into());
            required.insert(1, "version".into());
        }
    }
    schema
}

fn nonempty(field: &str, value: &str) -> Result<(), String> {
    if value.is_empty() {
        return Err(format!("`{field}` is empty"));
    }
    Ok(())
}

fn at_most(field: &str, value: &str, limit: usize) -> Result<(), String> {
    if value.len() > limit && value.chars().count() > limit {
        return Err(format!("`{field}` is longer than {limit} characters"));
    }
    Ok(())
}

fn check_level(field: &str, level: u8) -> Result<(), String> {
    if (1..=4).contains(&level) {
        return Ok(());
    }
    Err(format!("`{field}` is {level}, not 1 to 4"))
}
