//! Reads one partition outside any consumer group: from a point in it to its end, or at some offsets.

use std::collections::VecDeque;
use std::panic::resume_unwind;
use std::time::Duration;

use jiff::Timestamp;
use rdkafka::Offset;
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::message::{BorrowedMessage, Message as _};
use thiserror::Error;

use super::{ClientConfigError, Logged, Received, one_partition};
use crate::message::{self, Message};
use crate::settings::Kafka;
use crate::topics::Topic;

/// Messages between two that are wanted beyond which they are leapt over and not read.
const LEAP: i64 = 500;

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
    /// So many messages before the end.
    Last(u32),
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
    each: impl FnMut(Received<M>) + Send,
) -> Result<i64, ReadPartitionError> {
    search_partition(kafka, topic, partition, start, |_| true, each).await
}

/// The same for those messages only whose bytes are `wanted`, which is asked before they are decoded.
///
/// # Errors
/// When the brokers do not give the whole partition.
pub async fn search_partition<M: Message>(
    kafka: &Kafka,
    topic: &Topic,
    partition: i32,
    start: Start,
    wanted: impl Fn(&[u8]) -> bool + Send,
    mut each: impl FnMut(Received<M>) + Send,
) -> Result<i64, ReadPartitionError> {
    tokio::task::block_in_place(|| {
        read_raw(kafka, topic.name, partition, start, |raw| {
            let bytes = raw.payload().unwrap_or_default();
            if wanted(bytes)
                && let Ok(message) = message::decode(bytes)
            {
                each(Received {
                    message,
                    partition,
                    offset: raw.offset(),
                });
            }
        })
    })
}

/// The readable messages at some offsets of a partition, in order; those that are gone are missing.
///
/// # Errors
/// When the brokers do not give what they have.
pub async fn read_at<M: Message>(
    kafka: &Kafka,
    topic: &Topic,
    partition: i32,
    offsets: &[i64],
) -> Result<Vec<Received<M>>, ReadPartitionError> {
    let mut wanted = offsets.to_vec();
    wanted.sort_unstable();
    wanted.dedup();
    tokio::task::block_in_place(|| read_raw_at(kafka, topic.name, partition, wanted.into()))
}

/// The numbers of a topic's partitions.
///
/// # Errors
/// When the brokers do not answer.
pub async fn partitions(kafka: &Kafka, topic: &Topic) -> Result<Vec<i32>, ReadPartitionError> {
    tokio::task::block_in_place(|| numbers(kafka, topic.name))
}

fn numbers(kafka: &Kafka, topic: &str) -> Result<Vec<i32>, ReadPartitionError> {
    let consumer = reader(kafka, topic, -1)?;
    let metadata = consumer.fetch_metadata(Some(topic), kafka.request_timeout());
    let metadata = metadata.map_err(failed(topic, -1))?;
    let of_topic = metadata
        .topics()
        .iter()
        .flat_map(|topic| topic.partitions());
    Ok(of_topic.map(|partition| partition.id()).collect())
}

/// How many messages of a topic hold one of some texts, in their bytes. Reads the topic whole.
///
/// # Errors
/// When the brokers do not give it.
pub async fn copies(
    kafka: &Kafka,
    topic: &'static str,
    texts: Vec<String>,
) -> Result<u64, ReadPartitionError> {
    let count = move |kafka: &Kafka| {
        let mut copies = 0;
        for partition in numbers(kafka, topic)? {
            read_raw(kafka, topic, partition, Start::Beginning, |raw| {
                let bytes = String::from_utf8_lossy(raw.payload().unwrap_or_default());
                copies += u64::from(texts.iter().any(|text| bytes.contains(text.as_str())));
            })?;
        }
        Ok(copies)
    };
    aside(kafka, count).await
}

/// Asks the brokers what blocks, on a thread of its own, from now on.
pub(crate) fn aside<T: Send + 'static>(
    kafka: &Kafka,
    ask: impl FnOnce(&Kafka) -> Result<T, ReadPartitionError> + Send + 'static,
) -> impl Future<Output = Result<T, ReadPartitionError>> + Send {
    let kafka = kafka.clone();
    let asked = tokio::task::spawn_blocking(move || ask(&kafka));
    async move {
        let asked = asked.await;
        asked.unwrap_or_else(|_| Err(failed("", -1)(rdkafka::error::KafkaError::Canceled)))
    }
}

/// The oldest offset kept of each partition named, and the one that comes next. Blocks.
pub(crate) fn extent(
    kafka: &Kafka,
    partitions: &[(&str, i32)],
) -> Result<Vec<(i64, i64)>, ReadPartitionError> {
    let Some((topic, partition)) = partitions.first() else {
        return Ok(Vec::new());
    };
    let consumer = reader(kafka, topic, *partition)?;
    let timeout = kafka.request_timeout();
    // Each answer is a way to the broker and back: they are waited for together.
    std::thread::scope(|scope| {
        let asked: Vec<_> = (partitions.iter())
            .map(|place| scope.spawn(|| extent_by(&consumer, *place, timeout)))
            .collect();
        (asked.into_iter())
            .map(|asked| asked.join().unwrap_or_else(|panic| resume_unwind(panic)))
            .collect()
    })
}

/// The same of one partition, asked by a client that is there.
pub(super) fn extent_by(
    consumer: &BaseConsumer<Logged>,
    (topic, partition): (&str, i32),
    timeout: Duration,
) -> Result<(i64, i64), ReadPartitionError> {
    consumer
        .fetch_watermarks(topic, partition, timeout)
        .map_err(failed(topic, partition))
}

fn failed(
    topic: &str,
    partition: i32,
) -> impl Fn(rdkafka::error::KafkaError) -> ReadPartitionError {
    move |source| ReadPartitionError::Brokers {
        topic: topic.to_owned(),
        partition,
        source,
    }
}

fn reader(
    kafka: &Kafka,
    topic: &str,
    partition: i32,
) -> Result<BaseConsumer<Logged>, ReadPartitionError> {
    kafka
        .client_config()?
        .set("group.id", "wensheng-read")
        .set("enable.auto.commit", "false")
        .set("auto.offset.reset", "earliest")
        .set("enable.partition.eof", "true")
        .set("fetch.wait.max.ms", "10")
        .create_with_context(Logged)
        .map_err(failed(topic, partition))
}

fn read_raw_at<M: Message>(
    kafka: &Kafka,
    topic: &str,
    partition: i32,
    mut wanted: VecDeque<i64>,
) -> Result<Vec<Received<M>>, ReadPartitionError> {
    let failed = failed(topic, partition);
    let timeout = kafka.request_timeout();
    let consumer = reader(kafka, topic, partition)?;
    let (low, end) = consumer
        .fetch_watermarks(topic, partition, timeout)
        .map_err(&failed)?;
    wanted.retain(|offset| (low..end).contains(offset));
    let mut found = Vec::with_capacity(wanted.len());
    let mut next = i64::MIN;
    while let Some(first) = wanted.front().copied() {
        if next < first.saturating_sub(LEAP) {
            one_partition(topic, partition, Offset::Offset(first))
                .and_then(|list| consumer.assign(&list))
                .map_err(&failed)?;
            next = first;
        }
        match consumer.poll(timeout) {
            Some(Ok(raw)) => {
                next = raw.offset() + 1;
                while wanted.front().is_some_and(|offset| *offset < next) {
                    if wanted.pop_front() == Some(raw.offset())
                        && let Ok(message) = message::decode(raw.payload().unwrap_or_default())
                    {
                        found.push(Received {
                            message,
                            partition,
                            offset: raw.offset(),
                        });
                    }
                }
            }
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
    Ok(found)
}

/// The same, for messages as they are. Blocks.
pub(crate) fn read_raw(
    kafka: &Kafka,
    topic: &str,
    partition: i32,
    start: Start,
    mut each: impl FnMut(&BorrowedMessage<'_>),
) -> Result<i64, ReadPartitionError> {
    let failed = failed(topic, partition);
    let timeout = kafka.request_timeout();
    let consumer = reader(kafka, topic, partition)?;
    let (low, end) = consumer
        .fetch_watermarks(topic, partition, timeout)
        .map_err(&failed)?;
    let first = match start {
        Start::Beginning => Offset::Beginning,
        Start::Time(since) => {
            start_at(&consumer, topic, partition, since, timeout).map_err(&failed)?
        }
        Start::Offset(offset) if offset >= end => Offset::End,
        Start::Offset(offset) => Offset::Offset(offset.max(low)),
        Start::Last(most) => Offset::Offset((end - i64::from(most)).max(low)),
    };
    if low >= end || first == Offset::End {
        return Ok(end);
    }
    one_partition(topic, partition, first)
        .and_then(|list| consumer.assign(&list))
        .map_err(&failed)?;
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
    consumer: &BaseConsumer<Logged>,
    topic: &str,
    partition: i32,
    since: Timestamp,
    timeout: Duration,
) -> Result<Offset, rdkafka::error::KafkaError> {
    let wanted = one_partition(topic, partition, Offset::Offset(since.as_millisecond()))?;
    let found = consumer.offsets_for_times(wanted, timeout)?;
    Ok(found
        .find_partition(topic, partition)
        .map_or(Offset::Beginning, |element| element.offset()))
}
