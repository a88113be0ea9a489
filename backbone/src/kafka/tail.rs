//! Follows partitions of a topic outside any consumer group, each from where the caller says.

use std::collections::BTreeMap;
use std::marker::PhantomData;
use std::time::Duration;

use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::error::KafkaResult;
use rdkafka::message::{Message as _, OwnedMessage};
use rdkafka::{Offset, TopicPartitionList};
use thiserror::Error;

use super::consumer::send_dead_letter;
use super::{ClientConfigError, Logged, Producer, Received, SendError, client, one_partition};
use crate::message::{self, Message};
use crate::settings::Kafka;
use crate::topics::Topic;

/// A topic could not be followed.
#[derive(Debug, Error)]
pub enum TailError {
    /// Its partitions could not be chosen.
    #[error("cannot follow `{topic}`: {source}")]
    Brokers {
        /// The topic.
        topic: &'static str,
        /// What Kafka said.
        source: rdkafka::error::KafkaError,
    },
    /// What could not be read could not be put aside either.
    #[error(transparent)]
    DeadLetter(#[from] SendError),
}

/// The messages of a topic in the partitions that are followed, as they come. What cannot be read goes to the dead letters.
pub struct Tail<M> {
    consumer: BaseConsumer<Logged>,
    topic: Topic,
    reader: &'static str,
    producer: Producer,
    /// The offset that comes next in each partition followed; nothing where it is the first there is.
    next: BTreeMap<i32, Option<i64>>,
    /// What cannot be read and is not in the dead letters yet, with the reason.
    unreadable: Option<(OwnedMessage, String)>,
    messages: PhantomData<fn() -> M>,
}

impl<M> std::fmt::Debug for Tail<M> {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("Tail")
            .field("topic", &self.topic.name)
            .field("next", &self.next)
            .finish_non_exhaustive()
    }
}

impl<M: Message> Tail<M> {
    /// Follows no partition yet; `reader` is named in the dead letters.
    ///
    /// # Errors
    /// When the settings make no client.
    pub fn new(
        kafka: &Kafka,
        topic: &Topic,
        reader: &'static str,
        producer: &Producer,
    ) -> Result<Self, ClientConfigError> {
        let consumer = kafka
            .client_config()?
            .set("group.id", "wensheng-tail")
            .set("enable.auto.commit", "false")
            .set("auto.offset.reset", "earliest")
            .set("fetch.wait.max.ms", "500")
            .create_with_context(Logged)
            .map_err(|error| ClientConfigError::new("kafka", error.to_string()))?;
        Ok(Self {
            consumer,
            topic: *topic,
            reader,
            producer: producer.clone(),
            next: BTreeMap::new(),
            unreadable: None,
            messages: PhantomData,
        })
    }

    /// Follows a partition too, from an offset or the first message that is kept.
    ///
    /// # Errors
    /// When Kafka refuses.
    pub fn follow(&mut self, partition: i32, from: Option<i64>) -> Result<(), TailError> {
        self.leave(partition)?;
        let offset = from.map_or(Offset::Beginning, Offset::Offset);
        self.change(partition, offset, |list| {
            self.consumer.incremental_assign(list)
        })?;
        self.next.insert(partition, from);
        Ok(())
    }

    /// Leaves a partition.
    ///
    /// # Errors
    /// When Kafka refuses.
    pub fn leave(&mut self, partition: i32) -> Result<(), TailError> {
        match self.next.remove(&partition) {
            Some(_) => self.change(partition, Offset::Invalid, |list| {
                self.consumer.incremental_unassign(list)
            }),
            None => Ok(()),
        }
    }

    /// One partition is assigned or no longer, and the others are left alone: librdkafka 2.12 aborts the program where a partition is
    /// assigned anew and taken away before it has stopped reading.
    fn change(
        &self,
        partition: i32,
        offset: Offset,
        change: impl FnOnce(&TopicPartitionList) -> KafkaResult<()>,
    ) -> Result<(), TailError> {
        one_partition(self.topic.name, partition, offset)
            .and_then(|list| change(&list))
            .map_err(|source| TailError::Brokers {
                topic: self.topic.name,
                source,
            })
    }

    /// The next message, if one is there; does not wait for one.
    ///
    /// # Errors
    /// When a message that cannot be read cannot be put aside; it is tried again at the next call.
    pub async fn next(&mut self) -> Result<Option<Received<M>>, TailError> {
        loop {
            if let Some((raw, reason)) = &self.unreadable {
                send_dead_letter(&self.producer, &self.topic, self.reader, raw, reason).await?;
                self.unreadable = None;
            }
            let raw = match self.consumer.poll(Duration::ZERO) {
                None => return Ok(None),
                Some(Ok(raw)) => raw,
                // The client tries again by itself.
                Some(Err(error)) => {
                    client::log_error(&error, self.topic.name);
                    return Ok(None);
                }
            };
            let (partition, offset) = (raw.partition(), raw.offset());
            let Some(next) = self.next.get_mut(&partition) else {
                continue;
            };
            *next = Some(offset + 1);
            match message::decode(raw.payload().unwrap_or_default()) {
                Ok(message) => {
                    return Ok(Some(Received {
                        message,
                        partition,
                        offset,
                    }));
                }
                Err(error) => self.unreadable = Some((raw.detach(), error.to_string())),
            }
        }
    }
}
