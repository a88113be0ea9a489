//! Reads one partition from a point in it to its end, outside any consumer group.

use std::time::Duration;

use jiff::Timestamp;
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::message::{BorrowedMessage, Message as _};
use rdkafka::{Offset, TopicPartitionList};
use thiserror::Error;

use super::{ClientConfigError, Received};
use crate::message::{self, Message};
use crate::settings::Kafka;
use crate::topics::Topic;

/// A partition could not be read to its end.
#[derive(Debug, Error)]
pub enum ReadPartitionError {
    /// The client could not be made.
    #[error(transparent)]
    Client(#[from] ClientConfigError),
    /// The brokers did not give what they have.
    #[error("cannot read `{topic}` partition {partition}: {source}")]
    Brokers {
        /// The topic.
        topic: String,
        /// Its partition.
        partition: i32,
        /// What Kafka said.
        source: rdkafka::error::KafkaError,
    },
    /// Nothing came for the whole time-out although the partition goes on.
    #[error("`{topic}` partition {partition} stopped at offset {offset} before its end {end}")]
    Stalled {
        /// The topic.
        topic: String,
        /// Its partition.
        partition: i32,
        /// The offset expected next.
        offset: i64,
        /// The end of the partition when reading began.
        end: i64,
    },
}

/// Where reading begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Start {
    /// With the oldest message kept.
    Beginning,
    /// With the first message written at a time or later.
    Time(Timestamp),
    /// With the message at an offset, or the oldest kept where that is gone.
    Offset(i64),
}

/// Hands every readable message of a partition to `each`, from `start` to the end as it stood at the call, and says the
/// offset of that end. What cannot be read is passed over: its consumer has put it aside.
///
/// # Errors
/// When the brokers do not give the whole partition.
pub async fn read_partition<M: Message>(
    kafka: &Kafka,
    topic: &Topic,
    partition: i32,
    start: Start,
    mut each: impl FnMut(Received<M>) + Send,
) -> Result<i64, ReadPartitionError> {
    tokio::task::block_in_place(|| {
        read_raw(kafka, topic.name, partition, start, |raw| {
            if let Ok(message) = message::decode(raw.payload().unwrap_or_default()) {
                each(Received {
                    message,
                    partition,
                    offset: raw.offset(),
                });
            }
        })
    })
}

/// The same, for messages as they are. Blocks.
pub(crate) fn read_raw(
    kafka: &Kafka,
    topic: &str,
    partition: i32,
    start: Start,
    mut each: impl FnMut(&BorrowedMessage<'_>),
) -> Result<i64, ReadPartitionError> {
    let failed = |source| ReadPartitionError::Brokers {
        topic: topic.to_owned(),
        partition,
        source,
    };
    let timeout = kafka.request_timeout();
    let consumer: BaseConsumer = kafka
        .client_config()?
        .set("group.id", "wensheng-read")
        .set("enable.auto.commit", "false")
        .set("auto.offset.reset", "earliest")
        .set("enable.partition.eof", "true")
        .set("fetch.wait.max.ms", "100")
        .create()
        .map_err(failed)?;
    let (low, end) = consumer
        .fetch_watermarks(topic, partition, timeout)
        .map_err(failed)?;
    let first = match start {
        Start::Beginning => Offset::Beginning,
        Start::Time(since) => {
            start_at(&consumer, topic, partition, since, timeout).map_err(failed)?
        }
        Start::Offset(offset) if offset >= end => Offset::End,
        Start::Offset(offset) => Offset::Offset(offset.max(low)),
    };
    if low >= end || first == Offset::End {
        return Ok(end);
    }
    let mut assignment = TopicPartitionList::new();
    assignment
        .add_partition_offset(topic, partition, first)
        .map_err(failed)?;
    consumer.assign(&assignment).map_err(failed)?;
    let mut next = low;
    while next < end {
        match consumer.poll(timeout) {
            Some(Ok(raw)) => {
                next = raw.offset() + 1;
                if raw.offset() < end {
                    each(&raw);
                }
            }
            // The last records below the end may be markers that are never handed over.
            Some(Err(rdkafka::error::KafkaError::PartitionEOF(_))) => break,
            Some(Err(source)) => return Err(failed(source)),
            None => {
                return Err(ReadPartitionError::Stalled {
                    topic: topic.to_owned(),
                    partition,
                    offset: next,
                    end,
                });
            }
        }
    }
    Ok(end)
}

fn start_at(
    consumer: &BaseConsumer,
    topic: &str,
    partition: i32,
    since: Timestamp,
    timeout: Duration,
) -> Result<Offset, rdkafka::error::KafkaError> {
    let mut wanted = TopicPartitionList::new();
    wanted.add_partition_offset(topic, partition, Offset::Offset(since.as_millisecond()))?;
    let found = consumer.offsets_for_times(wanted, timeout)?;
    Ok(found
        .find_partition(topic, partition)
        .map_or(Offset::Beginning, |element| element.offset()))
}
