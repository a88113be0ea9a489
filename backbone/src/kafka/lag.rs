//! How far the consumer groups are behind.

use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::{Offset, TopicPartitionList};

use super::partition::{ReadPartitionError, aside, extent, numbers};
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
    groups: &'static [(Topic, &'static str)],
) -> Result<Vec<Lag>, ReadPartitionError> {
    let lags = aside(kafka, |kafka| {
        (groups.iter())
            .map(|(topic, group)| lag(kafka, topic, group))
            .collect()
    });
    lags.await
}

fn lag(kafka: &Kafka, topic: &Topic, group: &'static str) -> Result<Lag, ReadPartitionError> {
    let numbers = numbers(kafka, topic)?;
    let failed = |source| ReadPartitionError::Brokers {
        topic: topic.name.to_owned(),
        partition: -1,
        source,
    };
    let onlooker: BaseConsumer = kafka
        .client_config()?
        .set("group.id", group)
        .set("enable.auto.commit", "false")
        .create()
        .map_err(failed)?;
    let mut wanted = TopicPartitionList::new();
    for number in &numbers {
        wanted.add_partition(topic.name, *number);
    }
    let committed = onlooker
        .committed_offsets(wanted, kafka.request_timeout())
        .map_err(failed)?;
    let places: Vec<(&str, i32)> = numbers.iter().map(|number| (topic.name, *number)).collect();
    let extents = extent(kafka, &places)?;
    let mut lag = Lag {
        topic: topic.name,
        group,
        messages: 0,
        began: false,
    };
    for (number, (oldest, next)) in numbers.iter().zip(extents) {
        let offset = committed.find_partition(topic.name, *number);
        let handled = match offset.map(|element| element.offset()) {
            Some(Offset::Offset(offset)) => {
                lag.began = true;
                offset.max(oldest)
            }
            _ => oldest,
        };
        lag.messages += u64::try_from(next - handled).unwrap_or(0);
    }
    Ok(lag)
}
