//! A topic that is kept for good and known whole: read from the beginning at each start, and followed from there.

use std::convert::Infallible;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use anyhow::ensure;
use tracing::warn;

use super::{Producer, Start, Tail, partitions, search_partition};
use crate::message::{Message, decode};
use crate::service::Readiness;
use crate::settings::Kafka;
use crate::topics::Topic;

/// Wait before brokers that did not give what is there are asked again.
const AGAIN: Duration = Duration::from_secs(2);
/// Wait between looks for what comes.
const LOOK: Duration = Duration::from_millis(250);

/// Has `learn` take all that a topic holds, at once, waiting for brokers that are down, and then what comes, until this is
/// dropped. While the brokers are away, what is known holds. `reader` is the name under which readiness lists it, and by
/// which dead letters say who refused them.
pub fn follow_whole<'a, M: Message>(
    kafka: &'a Kafka,
    topic: &'a Topic,
    reader: &'static str,
    producer: &'a Producer,
    readiness: &'a Readiness,
    learn: impl Fn(Vec<M>) + Send + 'a,
) -> impl Future<Output = Infallible> + Send + 'a {
    // Said at once: nobody is told that all is ready before it is read.
    readiness.down(reader, "not read yet");
    follow(kafka, topic, reader, producer, readiness, learn)
}

async fn follow<M: Message>(
    kafka: &Kafka,
    topic: &Topic,
    reader: &'static str,
    producer: &Producer,
    readiness: &Readiness,
    learn: impl Fn(Vec<M>),
) -> Infallible {
    let mut tail = loop {
        match begin(kafka, topic, reader, producer).await {
            Ok((tail, messages)) => {
                learn(messages);
                break tail;
            }
            Err(error) => readiness.down(reader, error.to_string()),
        }
        tokio::time::sleep(AGAIN).await;
    };
    readiness.up(reader);
    loop {
        match tail.next().await {
            Ok(Some(received)) => learn(vec![received.message]),
            Ok(None) => tokio::time::sleep(LOOK).await,
            Err(error) => {
                warn!(%error, topic = topic.name, "what comes cannot be read");
                tokio::time::sleep(AGAIN).await;
            }
        }
    }
}

/// Reads each partition to its end, to be followed from there.
async fn begin<M: Message>(
    kafka: &Kafka,
    topic: &Topic,
    reader: &'static str,
    producer: &Producer,
) -> anyhow::Result<(Tail<M>, Vec<M>)> {
    let mut tail = Tail::new(kafka, topic, reader, producer)?;
    let partitions = partitions(kafka, topic).await?;
    ensure!(
        !partitions.is_empty(),
        "`{}` has no partitions yet",
        topic.name
    );
    let mut messages = Vec::new();
    let unreadable = AtomicUsize::new(0);
    let wanted = |bytes: &[u8]| {
        let is_readable = decode::<M>(bytes).is_ok();
        unreadable.fetch_add(usize::from(!is_readable), Ordering::Relaxed);
        is_readable
    };
    for partition in partitions {
        let end = search_partition(kafka, topic, partition, Start::Beginning, wanted, |read| {
            messages.push(read.message);
        })
        .await?;
        tail.follow(partition, Some(end))?;
    }
    let unreadable = unreadable.into_inner();
    if unreadable > 0 {
        warn!(
            unreadable,
            topic = topic.name,
            "some messages cannot be read; is who wrote them newer than this reader?"
        );
    }
    Ok((tail, messages))
}
