//! Takes part in a consumer group: batches in, results acknowledged, then the offsets move.

use std::collections::BTreeSet;
use std::future::Future;
use std::num::NonZero;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use anyhow::Context;
use rdkafka::client::ClientContext;
use rdkafka::config::RDKafkaLogLevel;
use rdkafka::consumer::{BaseConsumer, Consumer, ConsumerContext, Rebalance, StreamConsumer};
use rdkafka::error::KafkaError;
use rdkafka::message::{Header, Headers as _, Message as _, OwnedHeaders, OwnedMessage};
use rdkafka::{Offset, Statistics, TopicPartitionList};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use tracing::{debug, info, warn};

use super::{Producer, SendError, client, header, one_partition};
use crate::mask::{masked, masked_text};
use crate::message::{self, Message, Unreadable};
use crate::service::Readiness;
use crate::settings::Kafka;
use crate::topics::Topic;

/// First wait before a batch that its handler could not take is offered again.
const RETRY_FIRST: Duration = Duration::from_millis(250);
/// Longest such wait.
const RETRY_LONGEST: Duration = Duration::from_secs(30);
/// Longest wait of a broker for messages, where a batch does not wait longer to fill. The embedded broker answers only after all of it,
/// and takes a statement for each partition whenever it is asked.
const FETCH_WAIT: Duration = Duration::from_millis(50);
/// Wait for a first message before the handler is told that nothing comes, and after Kafka could not be read.
const PAUSE: Duration = Duration::from_millis(500);
/// Bytes of messages after which a batch is full, however few they are.
const BATCH_BYTES: usize = 64 * 1024 * 1024;
/// Messages of a batch that are read one after another; what is more is read on all cores.
const READ_BY_ONE: usize = 1_000;

/// A message from Kafka, with where it was.
#[derive(Debug, Clone)]
pub struct Received<M> {
    /// The message.
    pub message: M,
    /// Its partition.
    pub partition: i32,
    /// Its offset there.
    pub offset: i64,
}

/// What a handler is given of each message.
pub trait Readable: Sized + Send + Sync + 'static {
    /// Takes it from the message's bytes.
    ///
    /// # Errors
    /// [`Unreadable`] says why not; the message goes to the dead letters with that.
    fn read(bytes: &[u8]) -> Result<Self, Unreadable>;
}

impl<M: Message> Readable for M {
    fn read(bytes: &[u8]) -> Result<Self, Unreadable> {
        message::decode(bytes)
    }
}

/// The bytes of a message, for a handler that reads them itself and rejects those it cannot read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unread(pub Vec<u8>);

impl Readable for Unread {
    fn read(bytes: &[u8]) -> Result<Self, Unreadable> {
        Ok(Self(bytes.to_vec()))
    }
}

/// A message that could be read but not handled: it goes to the dead letters.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rejected {
    /// Its partition.
    pub partition: i32,
    /// Its offset there.
    pub offset: i64,
    /// Why, and the remedy.
    pub reason: String,
}

/// The handler cannot take anything now: the consumer pauses and offers the same batch again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NotNow {
    /// Which store or service is failing, and how.
    pub reason: String,
}

impl NotNow {
    /// Not now, because of the given failure.
    pub fn because(failure: impl std::fmt::Display) -> Self {
        Self {
            reason: failure.to_string(),
        }
    }
}

/// What is done with the messages of a topic.
pub trait Handler: Send {
    /// The kind of message, or [`Unread`].
    type Message: Readable;

    /// Called with partitions newly assigned, before the first batch that holds messages of them.
    fn assigned(&mut self, partitions: &[i32]) -> impl Future<Output = Result<(), NotNow>> + Send {
        let _ = partitions;
        std::future::ready(Ok(()))
    }

    /// Called with partitions that now belong to another member of the group.
    fn revoked(&mut self, partitions: &[i32]) {
        let _ = partitions;
    }

    /// Called when no message came for a while: time passes all the same.
    fn idle(&mut self) -> impl Future<Output = Result<(), NotNow>> + Send {
        std::future::ready(Ok(()))
    }

    /// Handles a batch, in order within each partition. Once it returns `Ok`, all its results are
    /// acknowledged and the offsets move; the messages named in the answer go to the dead letters.
    fn handle(
        &mut self,
        batch: &[Received<Self::Message>],
    ) -> impl Future<Output = Result<Vec<Rejected>, NotNow>> + Send;
}

crate::metrics! {
    /// What a process reads from Kafka.
    pub struct ConsumerMetrics("wensheng_consumer") {
        /// Messages handled, by topic and group.
        messages_total: IntCounterVec["topic", "group"],
        /// Messages put to the dead letters, by topic and group.
        dead_letters_total: IntCounterVec["topic", "group"],
        /// Messages not yet handled, by topic, group and partition.
        lag: IntGaugeVec["topic", "group", "partition"],
        /// Seconds a batch took to handle and acknowledge, by topic and group.
        handle_seconds: HistogramVec["topic", "group"],
        /// 1 while the consumer waits for its store, by topic and group.
        paused: IntGaugeVec["topic", "group"],
    }
}

/// How much is handled at once, and how long is waited for it.
#[derive(Debug, Clone, Copy)]
pub struct Batch {
    most: usize,
    linger: Duration,
    in_flood: Duration,
}

impl Batch {
    /// At most so many messages; once it has one, a batch waits no longer than `linger` to fill.
    #[must_use]
    pub const fn new(most: usize, linger: Duration) -> Self {
        Self {
            most,
            linger,
            in_flood: linger,
        }
    }

    /// Waits no longer than `in_flood` instead where messages come in numbers, a hundredth of the most within `linger`: for a store
    /// to which a few large batches are cheaper than many small ones.
    #[must_use]
    pub const fn in_flood(self, in_flood: Duration) -> Self {
        Self { in_flood, ..self }
    }

    /// How long a batch that has so many messages waits in all.
    fn wait(&self, gathered: usize) -> Duration {
        if gathered * 100 < self.most {
            self.linger
        } else {
            self.in_flood
        }
    }
}

/// What is consumed, and with what.
#[derive(Debug)]
pub struct Consumption<'a> {
    /// The brokers.
    pub kafka: &'a Kafka,
    /// The topic.
    pub topic: &'a Topic,
    /// The consumer group; readiness lists what its handler writes to by this name.
    pub group: &'static str,
    /// How much is handled at once.
    pub batch: Batch,
    /// Sends dead letters.
    pub producer: &'a Producer,
    /// Where it is counted.
    pub metrics: &'a ConsumerMetrics,
    /// Told when Kafka or the handler's store is down.
    pub readiness: &'a Readiness,
}

/// Partitions that came and went since the loop last looked. Rebalances are served while the loop
/// polls, when no batch is in the handler's hands, so a revoked partition has nothing to drain but
/// what was collected and not yet handled, which its next owner gets.
struct Assignments {
    topic: &'static str,
    group: String,
    lag: prometheus::IntGaugeVec,
    readiness: Readiness,
    changes: Mutex<Changes>,
}

impl Assignments {
    fn changes(&self) -> MutexGuard<'_, Changes> {
        self.changes.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[derive(Default)]
struct Changes {
    assigned: BTreeSet<i32>,
    revoked: BTreeSet<i32>,
}

impl ClientContext for Assignments {
    fn log(&self, level: RDKafkaLogLevel, facility: &str, message: &str) {
        client::log(level, facility, message);
    }

    fn error(&self, error: KafkaError, reason: &str) {
        client::log_error(&error, reason);
    }

    fn stats(&self, statistics: Statistics) {
        if statistics
            .brokers
            .values()
            .any(|broker| broker.nodeid >= 0 && broker.state == "UP")
        {
            self.readiness.up("kafka");
        } else {
            self.readiness.down("kafka", "no broker is reachable");
        }
        let Some(topic) = statistics.topics.get(self.topic) else {
            return;
        };
        for (partition, state) in &topic.partitions {
            if *partition >= 0 && state.consumer_lag >= 0 {
                self.lag
                    .with_label_values(&[
                        self.topic,
                        self.group.as_str(),
                        partition.to_string().as_str(),
                    ])
                    .set(state.consumer_lag);
            }
        }
    }
}

impl ConsumerContext for Assignments {
    fn pre_rebalance(&self, consumer: &BaseConsumer<Self>, rebalance: &Rebalance<'_>) {
        if let Rebalance::Revoke(partitions) = rebalance {
            // What is handled is committed before the next owner starts.
            if let Err(error) = consumer.commit_consumer_state(rdkafka::consumer::CommitMode::Sync)
                && error.rdkafka_error_code() != Some(rdkafka::types::RDKafkaErrorCode::NoOffset)
            {
                warn!(%error, topic = self.topic, "offsets were not committed before a rebalance; some messages will be handled again");
            }
            let mut changes = self.changes();
            for partition in partition_numbers(partitions) {
                changes.assigned.remove(&partition);
                changes.revoked.insert(partition);
                let number = partition.to_string();
                let labels = [self.topic, self.group.as_str(), number.as_str()];
                if let Err(error) = self.lag.remove_label_values(&labels) {
                    debug!(%error, partition, "the partition's lag was never measured");
                }
            }
        }
    }

    fn post_rebalance(&self, consumer: &BaseConsumer<Self>, rebalance: &Rebalance<'_>) {
        match rebalance {
            Rebalance::Assign(partitions) => {
                // A partition that went while it was paused comes back paused, and nobody resumes it (librdkafka 2.12).
                if let Err(error) = consumer.resume(partitions) {
                    warn!(%error, topic = self.topic, "partitions could not be resumed");
                }
                let mut changes = self.changes();
                changes.assigned.extend(partition_numbers(partitions));
            }
            Rebalance::Revoke(_) => {}
            Rebalance::Error(error) => warn!(%error, topic = self.topic, "rebalance failed"),
        }
    }
}

fn partition_numbers(list: &TopicPartitionList) -> Vec<i32> {
    list.elements()
        .iter()
        .map(|element| element.partition())
        .collect()
}

/// Consumes a topic with `handler` until `stop`: bytes become messages, messages a batch, the batch
/// goes to the handler, what cannot be read or handled to the dead letters, and then the offsets move.
///
/// # Errors
/// When the consumer cannot be made. Failures of the brokers or the handler's store are waited out.
pub fn consume<'a, H: Handler + 'a>(
    consumption: Consumption<'a>,
    handler: H,
    stop: CancellationToken,
) -> impl Future<Output = anyhow::Result<()>> + Send + 'a {
    // Said at once and not when the future is first polled: nobody is told that all is ready before the first look at
    // what the handler writes to.
    (consumption.readiness).down(consumption.group, "not looked at yet");
    consume_until(consumption, handler, stop)
}

async fn consume_until<H: Handler>(
    consumption: Consumption<'_>,
    mut handler: H,
    stop: CancellationToken,
) -> anyhow::Result<()> {
    let consumer = subscribe(&consumption)?;
    let labels = [consumption.topic.name, consumption.group];
    info!(topic = labels[0], group = labels[1], "consuming");
    let mut backlog: Vec<OwnedMessage> = Vec::new();
    while !stop.is_cancelled() {
        collect(&consumption, &consumer, &mut handler, &mut backlog, &stop).await;
        if stop.is_cancelled() {
            break;
        }
        take_assigned(&consumption, &consumer, &mut handler, &stop).await;
        if backlog.is_empty() {
            match handler.idle().await {
                Ok(()) => consumption.readiness.up(consumption.group),
                Err(not_now) => (consumption.readiness).down(consumption.group, not_now.reason),
            }
            continue;
        }
        let batch = std::mem::take(&mut backlog);
        let timer = consumption
            .metrics
            .handle_seconds
            .with_label_values(&labels)
            .start_timer();
        let Some(handled) = handle(&consumption, &consumer, &mut handler, batch, &stop).await
        else {
            timer.stop_and_discard();
            continue;
        };
        timer.observe_duration();
        store_offsets(&consumption, &consumer, &handled);
        consumption
            .metrics
            .messages_total
            .with_label_values(&labels)
            .inc_by(handled.len() as u64);
    }
    // Leaving the group commits what is stored; it waits for the brokers, off the async threads.
    tokio::task::block_in_place(|| drop(consumer));
    info!(topic = labels[0], group = labels[1], "stopped consuming");
    Ok(())
}

fn subscribe(consumption: &Consumption<'_>) -> anyhow::Result<StreamConsumer<Assignments>> {
    let context = Assignments {
        topic: consumption.topic.name,
        group: consumption.group.to_owned(),
        lag: consumption.metrics.lag.clone(),
        readiness: consumption.readiness.clone(),
        changes: Mutex::default(),
    };
    let fetch_wait = consumption.batch.linger.max(FETCH_WAIT).as_millis();
    let consumer: StreamConsumer<Assignments> = consumption
        .kafka
        .client_config()?
        .set("group.id", consumption.group)
        .set("enable.auto.commit", "true")
        .set("auto.commit.interval.ms", "1000")
        .set("enable.auto.offset.store", "false")
        .set("auto.offset.reset", "earliest")
        .set("partition.assignment.strategy", "cooperative-sticky")
        .set("session.timeout.ms", "10000")
        .set("fetch.wait.max.ms", fetch_wait.to_string())
        .set("queued.max.messages.kbytes", "32768")
        .set("statistics.interval.ms", "5000")
        .create_with_context(context)
        .with_context(|| format!("cannot consume `{}`", consumption.topic.name))?;
    consumer
        .subscribe(&[consumption.topic.name])
        .with_context(|| format!("cannot subscribe to `{}`", consumption.topic.name))?;
    Ok(consumer)
}

/// Polls until the batch is full, has lingered long enough, partitions came, or `stop`.
async fn collect<H: Handler>(
    consumption: &Consumption<'_>,
    consumer: &StreamConsumer<Assignments>,
    handler: &mut H,
    backlog: &mut Vec<OwnedMessage>,
    stop: &CancellationToken,
) {
    let mut begun = Instant::now();
    let mut bytes: usize = backlog.iter().map(size).sum();
    while backlog.len() < consumption.batch.most && bytes < BATCH_BYTES {
        let wait = if backlog.is_empty() {
            PAUSE
        } else {
            consumption.batch.wait(backlog.len())
        };
        let next = tokio::select! {
            () = stop.cancelled() => return,
            next = tokio::time::timeout_at(begun + wait, consumer.recv()) => next,
        };
        // What is left of a revoked partition goes before its next messages can arrive.
        let revoked = take_revoked(consumption, consumer, handler);
        if !revoked.is_empty() {
            backlog.retain(|raw| !revoked.contains(&raw.partition()));
        }
        match next {
            Err(_elapsed) => return,
            Ok(Ok(raw)) => {
                if backlog.is_empty() {
                    begun = Instant::now();
                }
                let raw = raw.detach();
                bytes += size(&raw);
                backlog.push(raw);
            }
            Ok(Err(error)) => {
                client::log_error(&error, consumption.topic.name);
                tokio::time::sleep(PAUSE).await;
                return;
            }
        }
    }
}

fn size(raw: &OwnedMessage) -> usize {
    raw.payload().map_or(0, <[u8]>::len)
}

/// The partitions that went since the last look; the handler is told of them.
fn take_revoked<H: Handler>(
    consumption: &Consumption<'_>,
    consumer: &StreamConsumer<Assignments>,
    handler: &mut H,
) -> BTreeSet<i32> {
    let revoked = std::mem::take(&mut consumer.context().changes().revoked);
    if !revoked.is_empty() {
        info!(
            topic = consumption.topic.name,
            ?revoked,
            "partitions revoked"
        );
        handler.revoked(&revoked.iter().copied().collect::<Vec<_>>());
    }
    revoked
}

/// Tells the handler of partitions that came, until it has rebuilt what it needs for them.
async fn take_assigned<H: Handler>(
    consumption: &Consumption<'_>,
    consumer: &StreamConsumer<Assignments>,
    handler: &mut H,
    stop: &CancellationToken,
) {
    let assigned = std::mem::take(&mut consumer.context().changes().assigned);
    if assigned.is_empty() {
        return;
    }
    consumption.readiness.up("kafka");
    info!(
        topic = consumption.topic.name,
        ?assigned,
        "partitions assigned"
    );
    let assigned: Vec<i32> = assigned.into_iter().collect();
    let mut wait = RETRY_FIRST;
    while let Err(not_now) = handler.assigned(&assigned).await {
        warn!(
            topic = consumption.topic.name,
            reason = not_now.reason,
            "state cannot be rebuilt yet"
        );
        if !sleep_unless(stop, wait).await {
            return;
        }
        wait = (wait * 2).min(RETRY_LONGEST);
    }
}

/// Hands a batch over until the handler takes it, and puts aside what cannot be read or handled.
/// While the handler cannot take it, the partitions are paused and polled, so that the group keeps
/// this member; messages of partitions revoked meanwhile leave the batch. Nothing comes back when
/// `stop` came first or no message is left.
async fn handle<H: Handler>(
    consumption: &Consumption<'_>,
    consumer: &StreamConsumer<Assignments>,
    handler: &mut H,
    mut batch: Vec<OwnedMessage>,
    stop: &CancellationToken,
) -> Option<Vec<OwnedMessage>> {
    let (mut readable, mut dead) = decode_batch::<H::Message>(&batch);
    let mut wait = RETRY_FIRST;
    let mut paused = false;
    while !readable.is_empty() {
        match handler.handle(&readable).await {
            Ok(rejected) => {
                dead.extend(rejected);
                consumption.readiness.up(consumption.group);
                break;
            }
            Err(not_now) => (consumption.readiness).down(consumption.group, not_now.reason),
        }
        if !paused {
            set_paused(consumption, consumer, true);
            paused = true;
        }
        if !poll_while_paused(consumer, stop, wait).await {
            return None;
        }
        let revoked = take_revoked(consumption, consumer, handler);
        batch.retain(|raw| !revoked.contains(&raw.partition()));
        readable.retain(|received| !revoked.contains(&received.partition));
        dead.retain(|rejected| !revoked.contains(&rejected.partition));
        wait = (wait * 2).min(RETRY_LONGEST);
    }
    for rejected in dead {
        let found = batch
            .iter()
            .find(|raw| raw.partition() == rejected.partition && raw.offset() == rejected.offset);
        if let Some(raw) = found
            && !bury(consumption, raw, &rejected.reason, stop).await
        {
            return None;
        }
    }
    if paused {
        set_paused(consumption, consumer, false);
    }
    (!batch.is_empty()).then_some(batch)
}

fn decode_batch<M: Readable>(batch: &[OwnedMessage]) -> (Vec<Received<M>>, Vec<Rejected>) {
    let cores = std::thread::available_parallelism().map_or(1, NonZero::get);
    let share = batch.len().div_ceil(cores).max(READ_BY_ONE);
    if batch.len() <= share {
        return decode_part(batch);
    }
    let parts = tokio::task::block_in_place(|| {
        std::thread::scope(|scope| {
            let readers: Vec<_> = batch
                .chunks(share)
                .map(|part| (part, scope.spawn(|| decode_part::<M>(part))))
                .collect();
            readers
                .into_iter()
                // A part whose reader could not go on is read here, where its failure is seen.
                .map(|(part, reader)| reader.join().unwrap_or_else(|_| decode_part(part)))
                .collect::<Vec<_>>()
        })
    });
    let (mut readable, mut dead) = (Vec::with_capacity(batch.len()), Vec::new());
    for (messages, rejected) in parts {
        readable.extend(messages);
        dead.extend(rejected);
    }
    (readable, dead)
}

fn decode_part<M: Readable>(batch: &[OwnedMessage]) -> (Vec<Received<M>>, Vec<Rejected>) {
    let mut readable = Vec::with_capacity(batch.len());
    let mut dead = Vec::new();
    for raw in batch {
        match M::read(raw.payload().unwrap_or_default()) {
            Ok(message) => readable.push(Received {
                message,
                partition: raw.partition(),
                offset: raw.offset(),
            }),
            Err(error) => dead.push(Rejected {
                partition: raw.partition(),
                offset: raw.offset(),
                reason: error.to_string(),
            }),
        }
    }
    (readable, dead)
}

/// Sends a message to the dead letters and waits until it is there. `false` when `stop` came first.
async fn bury(
    consumption: &Consumption<'_>,
    raw: &OwnedMessage,
    reason: &str,
    stop: &CancellationToken,
) -> bool {
    let (topic, group) = (consumption.topic, consumption.group);
    let mut wait = RETRY_FIRST;
    while let Err(error) = send_dead_letter(consumption.producer, topic, group, raw, reason).await {
        consumption.readiness.down("kafka", error.to_string());
        if !sleep_unless(stop, wait).await {
            return false;
        }
        wait = (wait * 2).min(RETRY_LONGEST);
    }
    consumption
        .metrics
        .dead_letters_total
        .with_label_values(&[topic.name, group])
        .inc();
    true
}

/// Sends a message to the dead letters of its topic, with why it is there and who refused it. Who sent it may be anybody, so
/// it is masked, and the reason too, which may quote it.
pub(crate) async fn send_dead_letter(
    producer: &Producer,
    topic: &Topic,
    group: &str,
    raw: &OwnedMessage,
    reason: &str,
) -> Result<(), SendError> {
    let partition = raw.partition().to_string();
    let offset = raw.offset().to_string();
    let reason = masked_text(reason);
    let mut headers = OwnedHeaders::new();
    for (key, value) in [
        (header::REASON, reason.as_str()),
        (header::TOPIC, topic.name),
        (header::PARTITION, partition.as_str()),
        (header::OFFSET, offset.as_str()),
        (header::GROUP, group),
    ] {
        headers = headers.insert(Header {
            key,
            value: Some(value),
        });
    }
    let payload = masked(raw.payload().unwrap_or_default());
    producer
        .send_raw(topic.dead, None, raw.key(), &payload, headers)
        .await?;
    warn!(
        topic = topic.name,
        partition, offset, group, reason, "message put to the dead letters"
    );
    Ok(())
}

fn set_paused(consumption: &Consumption<'_>, consumer: &StreamConsumer<Assignments>, paused: bool) {
    let changed = consumer.assignment().and_then(|assignment| {
        if paused {
            consumer.pause(&assignment)
        } else {
            consumer.resume(&assignment)
        }
    });
    if let Err(error) = changed {
        warn!(%error, paused, topic = consumption.topic.name, "partitions could not be paused or resumed");
    }
    consumption
        .metrics
        .paused
        .with_label_values(&[consumption.topic.name, consumption.group])
        .set(i64::from(paused));
}

/// Waits while serving rebalances. `false` when `stop` came.
async fn poll_while_paused(
    consumer: &StreamConsumer<Assignments>,
    stop: &CancellationToken,
    wait: Duration,
) -> bool {
    tokio::select! {
        () = stop.cancelled() => false,
        message = tokio::time::timeout(wait, consumer.recv()) => {
            // A partition assigned meanwhile is not paused yet: its message is for later.
            if let Ok(Ok(message)) = message {
                rewind(consumer, message.topic(), message.partition(), message.offset());
            }
            true
        }
    }
}

fn rewind(consumer: &StreamConsumer<Assignments>, topic: &str, partition: i32, offset: i64) {
    let rewound = one_partition(topic, partition, Offset::Offset(offset)).and_then(|list| {
        consumer.pause(&list)?;
        consumer.seek_partitions(list, Duration::from_secs(10))
    });
    if let Err(error) = rewound {
        warn!(%error, topic, partition, "a partition could not be rewound");
    }
}

fn store_offsets(
    consumption: &Consumption<'_>,
    consumer: &StreamConsumer<Assignments>,
    handled: &[OwnedMessage],
) {
    let mut next = std::collections::BTreeMap::new();
    for raw in handled {
        next.insert(raw.partition(), raw.offset() + 1);
    }
    for (partition, offset) in next {
        if let Err(error) = consumer.store_offset(consumption.topic.name, partition, offset - 1) {
            warn!(%error, topic = consumption.topic.name, partition, "an offset was not stored; its messages will be handled again");
        }
    }
}

/// Sleeps unless `stop` comes first; says whether it slept.
async fn sleep_unless(stop: &CancellationToken, wait: Duration) -> bool {
    tokio::select! {
        () = stop.cancelled() => false,
        () = tokio::time::sleep(wait) => true,
    }
}

/// A header of a message, as text.
pub(crate) fn header_text(raw: &impl rdkafka::Message, name: &str) -> Option<String> {
    raw.headers()?
        .iter()
        .find(|header| header.key == name)
        .and_then(|header| header.value)
        .map(|value| String::from_utf8_lossy(value).into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_batch_waits_longer_only_while_messages_come_in_numbers() {
        let (linger, in_flood) = (Duration::from_millis(500), Duration::from_secs(5));
        let archived = Batch::new(20_000, linger).in_flood(in_flood);
        assert_eq!(archived.wait(0), linger);
        assert_eq!(archived.wait(199), linger);
        assert_eq!(archived.wait(200), in_flood);
        assert_eq!(Batch::new(500, linger).wait(500), linger);
    }
}
