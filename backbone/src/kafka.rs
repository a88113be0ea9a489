//! Kafka as Wensheng uses it: every message acknowledged, every offset moved only after its result
//! is, and what cannot be read put aside with the reason.

mod client;
mod consumer;
mod lag;
mod ledger;
mod newest;
mod partition;
mod producer;
mod tail;

pub(crate) use client::Logged;
pub(crate) use consumer::header_text;
pub use consumer::{
    Batch, ConsumerMetrics, Consumption, Handler, NotNow, Readable, Received, Rejected, Unread,
    consume,
};
pub use lag::{Lag, lags};
pub use ledger::follow_whole;
pub use newest::Newest;
pub use partition::{
    ReadPartitionError, Start, copies, partitions, read_at, read_partition, search_partition,
};
pub use producer::{Producer, SendError};
pub use tail::{Tail, TailError};

pub(crate) use partition::{aside, extent, read_raw};

use rdkafka::error::KafkaResult;
use rdkafka::{Offset, TopicPartitionList};
use thiserror::Error;

/// One partition of a topic, at an offset.
fn one_partition(topic: &str, partition: i32, offset: Offset) -> KafkaResult<TopicPartitionList> {
    let mut list = TopicPartitionList::new();
    list.add_partition_offset(topic, partition, offset)?;
    Ok(list)
}

/// A Kafka client could not be made of the settings.
#[derive(Debug, Error)]
#[error("`{field}` {problem}")]
pub struct ClientConfigError {
    field: &'static str,
    problem: String,
}

impl ClientConfigError {
    pub(crate) fn new(field: &'static str, problem: impl Into<String>) -> Self {
        Self {
            field,
            problem: problem.into(),
        }
    }
}

/// Names of the headers that a dead letter carries.
pub(crate) mod header {
    /// Why the message could not be read or handled.
    pub(crate) const REASON: &str = "wensheng-reason";
    /// The topic it was in.
    pub(crate) const TOPIC: &str = "wensheng-topic";
    /// Its partition there.
    pub(crate) const PARTITION: &str = "wensheng-partition";
    /// Its offset there.
    pub(crate) const OFFSET: &str = "wensheng-offset";
    /// The consumer group that refused it.
    pub(crate) const GROUP: &str = "wensheng-group";
}
