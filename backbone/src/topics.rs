//! The topic table: every topic, who writes it, who reads it, and what it carries.

use std::collections::BTreeMap;
use std::time::Duration;

use rdkafka::ClientConfig;
use rdkafka::admin::{AdminClient, AdminOptions, NewTopic, TopicReplication};
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::types::RDKafkaErrorCode;
use thiserror::Error;
use tokio_util::sync::CancellationToken;
use tracing::info;

use crate::kafka::{ClientConfigError, Logged};
use crate::message::{
    Alert, Assessment, CaseEvent, Erasure, EventEdit, Message, Post, Signal, SourceEdit,
    SourceHealth,
};
use crate::service::Readiness;
use crate::settings::Kafka;

/// A topic of Wensheng.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Topic {
    /// Its name.
    pub name: &'static str,
    /// The topic that takes what its readers cannot read.
    pub dead: &'static str,
    /// Schema of its messages.
    pub schema: &'static str,
    /// Version of that schema.
    pub version: u32,
    /// Processes that write it.
    pub producers: &'static [&'static str],
    /// Processes that read it.
    pub consumers: &'static [&'static str],
    /// How long its messages are kept, in days; 0 for good.
    pub retention_days: u32,
}

/// Posts, as the collector found them.
pub const POSTS: Topic = Topic {
    name: "posts",
    dead: "posts.dead",
    schema: Post::SCHEMA,
    version: Post::VERSION,
    producers: &["collector"],
    consumers: &["analyzer"],
    retention_days: 14,
};

/// Posts with what the analyzer found in them. Kept as long as the longest event window, because
/// the analyzer rebuilds its window from here.
pub const ASSESSMENTS: Topic = Topic {
    name: "assessments",
    dead: "assessments.dead",
    schema: Assessment::SCHEMA,
    version: Assessment::VERSION,
    producers: &["analyzer"],
    consumers: &["analyzer", "responder"],
    retention_days: 45,
};

/// Events that reached a level.
pub const ALERTS: Topic = Topic {
    name: "alerts",
    dead: "alerts.dead",
    schema: Alert::SCHEMA,
    version: Alert::VERSION,
    producers: &["analyzer"],
    consumers: &["analyzer", "responder"],
    retention_days: 45,
};

/// What was seen across posts and events. Kept as long as assessments, so that the analyzer knows what it told.
pub const SIGNALS: Topic = Topic {
    name: "signals",
    dead: "signals.dead",
    schema: Signal::SCHEMA,
    version: Signal::VERSION,
    producers: &["analyzer"],
    consumers: &["analyzer"],
    retention_days: 45,
};

/// Moves of cases.
pub const CASE_EVENTS: Topic = Topic {
    name: "case-events",
    dead: "case-events.dead",
    schema: CaseEvent::SCHEMA,
    version: CaseEvent::VERSION,
    producers: &["responder"],
    consumers: &["analyzer"],
    retention_days: 45,
};

/// Events merged and split by duty officers. Kept as long as the assessments, because the analyzer goes on from the last one
/// that left a trace there.
pub const EVENT_EDITS: Topic = Topic {
    name: "event-edits",
    dead: "event-edits.dead",
    schema: EventEdit::SCHEMA,
    version: EventEdit::VERSION,
    producers: &["responder"],
    consumers: &["analyzer"],
    retention_days: 45,
};

/// Sources paused and resumed by officers. Kept for good, because the collector reads it from the beginning at each start: a
/// pause holds until it is ended, and there are few.
pub const SOURCE_EDITS: Topic = Topic {
    name: "source-edits",
    dead: "source-edits.dead",
    schema: SourceEdit::SCHEMA,
    version: SourceEdit::VERSION,
    producers: &["responder"],
    consumers: &["collector"],
    retention_days: 0,
};

/// Posts erased on request. Kept for good, because what was erased must stay so whatever is read again; it says nothing of what
/// the posts said.
pub const ERASURES: Topic = Topic {
    name: "erasures",
    dead: "erasures.dead",
    schema: Erasure::SCHEMA,
    version: Erasure::VERSION,
    producers: &["responder"],
    consumers: &["collector", "analyzer"],
    retention_days: 0,
};

/// How the sources are. Each is told of after each of its rounds, so a few days are plenty.
pub const SOURCE_HEALTH: Topic = Topic {
    name: "source-health",
    dead: "source-health.dead",
    schema: SourceHealth::SCHEMA,
    version: SourceHealth::VERSION,
    producers: &["collector"],
    consumers: &["responder"],
    retention_days: 7,
};

/// All topics.
pub static ALL: [Topic; 9] = [
    POSTS,
    ASSESSMENTS,
    ALERTS,
    SIGNALS,
    CASE_EVENTS,
    EVENT_EDITS,
    SOURCE_EDITS,
    ERASURES,
    SOURCE_HEALTH,
];

/// The consumer groups.
pub mod group {
    /// Reads posts.
    pub const ANALYZER: &str = "analyzer";
    /// Archives assessments.
    pub const ARCHIVE_ASSESSMENTS: &str = "analyzer-archive-assessments";
    /// Archives alerts.
    pub const ARCHIVE_ALERTS: &str = "analyzer-archive-alerts";
    /// Archives signals.
    pub const ARCHIVE_SIGNALS: &str = "analyzer-archive-signals";
    /// Archives case events.
    pub const ARCHIVE_CASE_EVENTS: &str = "analyzer-archive-case-events";
    /// Takes alerts in.
    pub const RESPONDER: &str = "responder";
    /// Takes in how the sources are.
    pub const RESPONDER_SOURCES: &str = "responder-sources";
}

/// The consumer groups, each with the topic that it reads.
pub static GROUPS: [(Topic, &str); 7] = [
    (POSTS, group::ANALYZER),
    (ASSESSMENTS, group::ARCHIVE_ASSESSMENTS),
    (ALERTS, group::ARCHIVE_ALERTS),
    (SIGNALS, group::ARCHIVE_SIGNALS),
    (CASE_EVENTS, group::ARCHIVE_CASE_EVENTS),
    (ALERTS, group::RESPONDER),
    (SOURCE_HEALTH, group::RESPONDER_SOURCES),
];

/// How long dead letters are kept, in days.
pub const DEAD_LETTER_RETENTION_DAYS: u32 = 90;
/// Wait before brokers that were down are asked again.
const RETRY: Duration = Duration::from_secs(2);
const DAY_MS: u64 = 24 * 60 * 60 * 1000;

/// Why the topics could not be created.
#[derive(Debug, Error)]
pub enum CreateTopicsError {
    /// The client could not be made.
    #[error(transparent)]
    Client(#[from] ClientConfigError),
    /// The brokers did not answer.
    #[error("cannot create topics at {brokers}: {source}")]
    Brokers {
        /// The addresses asked.
        brokers: String,
        /// What Kafka said.
        source: rdkafka::error::KafkaError,
    },
    /// A topic was refused.
    #[error("topic `{topic}` was not created: {code}")]
    Refused {
        /// The topic.
        topic: String,
        /// What Kafka said.
        code: RDKafkaErrorCode,
    },
}

/// Creates the topics that are missing, with their partitions and retention; leaves those that
/// exist as they are.
///
/// # Errors
/// When the brokers do not answer or refuse a topic.
pub async fn create_missing(kafka: &Kafka) -> Result<(), CreateTopicsError> {
    let brokers_error = |source| CreateTopicsError::Brokers {
        brokers: kafka.brokers.clone(),
        source,
    };
    let admin: AdminClient<Logged> = kafka
        .client_config()?
        .create_with_context(Logged)
        .map_err(brokers_error)?;
    let mut wanted: BTreeMap<&str, (i32, u32)> = BTreeMap::new();
    for topic in ALL {
        wanted.insert(topic.name, (kafka.partitions, topic.retention_days));
        wanted.insert(topic.dead, (1, DEAD_LETTER_RETENTION_DAYS));
    }
    let existing = existing_topics(kafka.client_config()?, kafka.request_timeout())
        .await
        .map_err(brokers_error)?;
    let retention: BTreeMap<&str, String> = wanted
        .iter()
        .map(|(name, (_, days))| (*name, retention_ms(*days)))
        .collect();
    let missing: Vec<NewTopic<'_>> = wanted
        .iter()
        .filter(|(name, _)| !existing.iter().any(|found| found == *name))
        .map(|(name, (partitions, _))| {
            let topic = NewTopic::new(
                name,
                *partitions,
                TopicReplication::Fixed(kafka.replication),
            );
            match retention.get(name) {
                Some(ms) => topic.set("retention.ms", ms),
                None => topic,
            }
        })
        .collect();
    if missing.is_empty() {
        return Ok(());
    }
    let answers = admin
        .create_topics(&missing, &AdminOptions::new())
        .await
        .map_err(brokers_error)?;
    for answer in answers {
        match answer {
            Ok(topic) => info!(topic, "topic created"),
            Err((_, RDKafkaErrorCode::TopicAlreadyExists)) => {}
            Err((topic, code)) => return Err(CreateTopicsError::Refused { topic, code }),
        }
    }
    Ok(())
}

/// How long messages are kept, as brokers are told.
fn retention_ms(days: u32) -> String {
    match days {
        0 => "-1".to_owned(),
        days => (u64::from(days) * DAY_MS).to_string(),
    }
}

/// Creates the topics that are missing, waiting for the brokers as long as they are down.
///
/// # Errors
/// When the brokers refuse a topic, or the settings make no client.
pub async fn create_missing_once_up(
    kafka: &Kafka,
    readiness: &Readiness,
    stop: &CancellationToken,
) -> Result<(), CreateTopicsError> {
    while !stop.is_cancelled() {
        match create_missing(kafka).await {
            Ok(()) => {
                readiness.up("kafka");
                break;
            }
            Err(CreateTopicsError::Brokers { source, .. }) => {
                readiness.down("kafka", source.to_string());
            }
            Err(refused) => return Err(refused),
        }
        tokio::select! {
            () = stop.cancelled() => {}
            () = tokio::time::sleep(RETRY) => {}
        }
    }
    Ok(())
}

/// Asked off the async threads: librdkafka waits for the brokers with the thread it is called on.
async fn existing_topics(
    config: ClientConfig,
    timeout: Duration,
) -> Result<Vec<String>, rdkafka::error::KafkaError> {
    let asked = tokio::task::spawn_blocking(move || {
        let client: BaseConsumer<Logged> = config.create_with_context(Logged)?;
        let metadata = client.fetch_metadata(None, timeout)?;
        Ok(metadata
            .topics()
            .iter()
            .map(|topic| topic.name().to_owned())
            .collect())
    });
    asked
        .await
        .unwrap_or_else(|_| Err(rdkafka::error::KafkaError::Canceled))
}
