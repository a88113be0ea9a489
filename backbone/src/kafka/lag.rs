//! How far the consumer groups are behind.

use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::{Offset, TopicPartitionList};

use super::Logged;
use super::partition::{ReadPartitionError, aside, extent_by};
use crate::settings::Kafka;
use crate::topics::Topic;

/// How far a consumer group is behind in a topic.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lag {
    /// The topic's name.
    pub topic: &'static str,
    /// The group.
    pub group: &'static str,
    /// Messages that it has not handled; those kept where it has never handled any.
    pub messages: u64,
    /// Whether it has ever handled any.
    pub began: bool,
}

/// How far each group is behind, by its committed offsets. Asked as an onlooker: no group is joined.
///
/// # Errors
/// When the brokers do not answer.
pub async fn lags(
    kafka: &Kafka,
    groups: &[(Topic, &'static str)],
) -> Result<Vec<Lag>, ReadPartitionError> {
    // All begin at once: each takes a client of its own, which is slow to begin.
    let asked: Vec<_> = (groups.iter())
        .map(|(topic, group)| {
            let (topic, group) = (*topic, *group);
            aside(kafka, move |kafka| lag(kafka, &topic, group))
        })
        .collect();
    let mut lags = Vec::with_capacity(asked.len());
    for lag in asked {
        lags.push(lag.await?);
    }
    Ok(lags)
}

fn lag(kafka: &Kafka, topic: &Topic, group: &'static str) -> Result<Lag, ReadPartitionError> {
    let failed = |source| ReadPartitionError::Brokers {
        topic: topic.name.to_owned(),
        partition: -1,
        source,
    };
    let timeout = kafka.request_timeout();
    let onlooker: BaseConsumer<Logged> = kafka
        .client_config()?
        .set("group.id", group)
        .set("enable.auto.commit", "false")
        .create_with_context(Logged)
        .map_err(failed)?;
    let metadata = onlooker
        .fetch_metadata(Some(topic.name), timeout)
        .map_err(failed)?;
    let mut wanted = TopicPartitionList::new();
    for partition in (metadata.topics().iter()).flat_map(|topic| topic.partitions()) {
        wanted.add_partition(topic.name, partition.id());
    }
    let committed = onlooker
        .committed_offsets(wanted, timeout)
        .map_err(failed)?;
    let mut lag = Lag {
        topic: topic.name,
        group,
        messages: 0,
        began: false,
    };
    for partition in committed.elements() {
        let place = (topic.name, partition.partition());
        let (oldest, next) = extent_by(&onlooker, place, timeout)?;
        let handled = match partition.offset() {
            Offset::Offset(offset) => {
                lag.began = true;
                offset.max(oldest)
            }
            _ => oldest,
        };
        lag.messages += u64::try_from(next - handled).unwrap_or(0);
    }
    Ok(lag)
}
