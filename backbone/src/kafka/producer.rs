//! Sends messages and waits until the brokers have them.

use std::sync::Arc;
use std::time::Duration;

use rdkafka::message::OwnedHeaders;
use rdkafka::producer::{FutureProducer, FutureRecord};
use thiserror::Error;

use super::{ClientConfigError, Logged};
use crate::message::{self, Message};
use crate::settings::Kafka;
use crate::topics::Topic;

/// How long librdkafka retries a message before it reports failure.
const DELIVERY_TIMEOUT_MS: &str = "60000";

/// A message did not get to the brokers.
#[derive(Debug, Error)]
pub enum SendError {
    /// It cannot be written as JSON.
    #[error("a {schema} message cannot be written as JSON: {source}")]
    Encode {
        /// The message's schema.
        schema: &'static str,
        /// What is wrong.
        source: serde_json::Error,
    },
    /// The brokers did not acknowledge it in time.
    #[error("topic `{topic}` did not acknowledge a message: {source}")]
    Brokers {
        /// The topic.
        topic: String,
        /// What Kafka said.
        source: rdkafka::error::KafkaError,
    },
}

/// An idempotent producer that waits for all in-sync replicas. Clones share one connection.
#[derive(Clone)]
pub struct Producer {
    inner: Arc<FutureProducer<Logged>>,
}

impl std::fmt::Debug for Producer {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Producer").finish_non_exhaustive()
    }
}

impl Producer {
    /// A producer for the given brokers. Connects in the background.
    ///
    /// # Errors
    /// When the settings make no client.
    pub fn new(kafka: &Kafka) -> Result<Self, ClientConfigError> {
        let mut config = kafka.client_config()?;
        if kafka.idempotence {
            config.set("enable.idempotence", "true");
        } else {
            // What is sent again does not come behind what was sent later.
            config.set("max.in.flight.requests.per.connection", "1");
        }
        let inner = config
            .set("acks", "all")
            .set("linger.ms", "5")
            .set("delivery.timeout.ms", DELIVERY_TIMEOUT_MS)
            .set("message.max.bytes", "2000000")
            .create_with_context(Logged)
            .map_err(|error| ClientConfigError::new("kafka", error.to_string()))?;
        Ok(Self {
            inner: Arc::new(inner),
        })
    }

    /// Sends a message to the partition of its key; returns its offset once the brokers have it.
    ///
    /// # Errors
    /// When it cannot be encoded or is not acknowledged in time.
    pub async fn send<M: Message>(&self, topic: &Topic, message: &M) -> Result<(), SendError> {
        self.send_encoded(topic, None, message).await.map(drop)
    }

    /// Sends a message to the given partition; returns its offset once the brokers have it. The offset is negative in
    /// the rare case that they had taken it before and do not say where.
    ///
    /// # Errors
    /// When it cannot be encoded or is not acknowledged in time.
    pub async fn send_to<M: Message>(
        &self,
        topic: &Topic,
        partition: i32,
        message: &M,
    ) -> Result<i64, SendError> {
        self.send_encoded(topic, Some(partition), message).await
    }

    async fn send_encoded<M: Message>(
        &self,
        topic: &Topic,
        partition: Option<i32>,
        message: &M,
    ) -> Result<i64, SendError> {
        let payload = message::encode(message).map_err(|source| SendError::Encode {
            schema: M::SCHEMA,
            source,
        })?;
        self.send_raw(
            topic.name,
            partition,
            Some(message.key().as_bytes()),
            &payload,
            OwnedHeaders::new(),
        )
        .await
    }

    pub(crate) async fn send_raw(
        &self,
        topic: &str,
        partition: Option<i32>,
        key: Option<&[u8]>,
        payload: &[u8],
        headers: OwnedHeaders,
    ) -> Result<i64, SendError> {
        let mut record = FutureRecord::<[u8], [u8]>::to(topic)
            .payload(payload)
            .headers(headers);
        record.key = key;
        record.partition = partition;
        // A full local queue is waited out: that is how a slow broker slows its writers down.
        self.inner
            .send(record, Duration::from_secs(60))
            .await
            .map(|delivery| delivery.offset)
            .map_err(|(source, _)| SendError::Brokers {
                topic: topic.to_owned(),
                source,
            })
    }
}
