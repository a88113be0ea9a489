//! Looks at a topic from its end, outside any consumer group: for those who show what comes and need not have all of it.

use std::marker::PhantomData;
use std::time::Duration;

use rdkafka::consumer::{Consumer, StreamConsumer};
use rdkafka::message::Message as _;
use rdkafka::{Offset, TopicPartitionList};

use super::{Logged, ReadPartitionError, Received, client, partitions};
use crate::message::{self, Message};
use crate::settings::Kafka;
use crate::topics::Topic;

/// Wait after a failure that the client mends by itself.
const AFTER_A_FAILURE: Duration = Duration::from_secs(1);

/// The messages that come to a topic from now on. Nothing is committed, and what cannot be read is passed over: its
/// consumers put it aside.
pub struct Newest<M> {
    consumer: StreamConsumer<Logged>,
    topic: Topic,
    messages: PhantomData<fn() -> M>,
}

impl<M> std::fmt::Debug for Newest<M> {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("Newest")
            .field("topic", &self.topic.name)
            .finish_non_exhaustive()
    }
}

impl<M: Message> Newest<M> {
    /// Begins at the end of each partition that the topic has now: what is written after this returns is seen.
    ///
    /// # Errors
    /// When the brokers do not say where the partitions end.
    pub async fn new(kafka: &Kafka, topic: &Topic) -> Result<Self, ReadPartitionError> {
        let numbers = partitions(kafka, topic).await?;
        let consumer: StreamConsumer<Logged> = kafka
            .client_config()?
            .set("group.id", "wensheng-newest")
            .set("enable.auto.commit", "false")
            .set("auto.offset.reset", "latest")
            .set("fetch.wait.max.ms", "500")
            .set("queued.max.messages.kbytes", "8192")
            .create_with_context(Logged)
            .map_err(|source| failed(topic, -1, source))?;
        let mut list = TopicPartitionList::new();
        for number in numbers {
            let (_, end) = tokio::task::block_in_place(|| {
                consumer.fetch_watermarks(topic.name, number, kafka.request_timeout())
            })
            .map_err(|source| failed(topic, number, source))?;
            list.add_partition_offset(topic.name, number, Offset::Offset(end))
                .map_err(|source| failed(topic, number, source))?;
        }
        consumer
            .assign(&list)
            .map_err(|source| failed(topic, -1, source))?;
        Ok(Self {
            consumer,
            topic: *topic,
            messages: PhantomData,
        })
    }

    /// The next message, once there is one.
    pub async fn next(&self) -> Received<M> {
        loop {
            let raw = match self.consumer.recv().await {
                Ok(raw) => raw,
                Err(error) => {
                    client::log_error(&error, self.topic.name);
                    tokio::time::sleep(AFTER_A_FAILURE).await;
                    continue;
                }
            };
            if let Ok(message) = message::decode(raw.payload().unwrap_or_default()) {
                return Received {
                    message,
                    partition: raw.partition(),
                    offset: raw.offset(),
                };
            }
        }
    }
}

fn failed(topic: &Topic, partition: i32, source: rdkafka::error::KafkaError) -> ReadPartitionError {
    ReadPartitionError::Brokers {
        topic: topic.name.to_owned(),
        partition,
        source,
    }
}
