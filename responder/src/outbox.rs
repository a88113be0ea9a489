//! The outbox: messages written with the changes they tell of, sent to Kafka in order, removed once acknowledged. Of several
//! responders one sends at a time, so that a case's moves stay in order.

use std::time::Duration;

use backbone::kafka::Producer;
use backbone::message::{self, CaseEvent, Erasure, EventEdit, Message, SourceEdit};
use backbone::topics::{CASE_EVENTS, ERASURES, EVENT_EDITS, SOURCE_EDITS, Topic};
use jiff::{SignedDuration, Timestamp};
use sqlx::{AnyConnection, AssertSqlSafe, Row};
use tokio_util::sync::CancellationToken;
use tracing::warn;

use crate::account::secret;
use crate::metrics::Metrics;
use crate::store::{Store, insert_rows};

/// Wait between looks for messages.
const LOOK: Duration = Duration::from_millis(250);
/// How long a responder that has stopped keeps the others from sending.
const LEASE: SignedDuration = SignedDuration::from_secs(30);
/// Longest that a batch may take: the lease must outlast it.
const LONGEST: Duration = Duration::from_secs(20);
/// Wait after Kafka did not take one.
const RETRY: Duration = Duration::from_secs(5);

/// Sends what the outbox holds until `stop`.
///
/// # Errors
/// When the store fails.
pub async fn run(
    store: Store,
    producer: Producer,
    metrics: Metrics,
    stop: CancellationToken,
) -> anyhow::Result<()> {
    let holder = secret();
    while !stop.is_cancelled() {
        let wait = match send_all(&store, &holder, &producer, &metrics, &stop).await {
            Ok(()) => LOOK,
            Err(failure) => {
                warn!(%failure, "messages wait in the outbox");
                RETRY
            }
        };
        tokio::select! {
            () = stop.cancelled() => {}
            () = tokio::time::sleep(wait) => {}
        }
    }
    Ok(())
}

/// How many messages wait.
///
/// # Errors
/// When the store fails.
pub async fn waiting(store: &Store) -> Result<i64, sqlx::Error> {
    sqlx::query_scalar("SELECT count(*) FROM outbox")
        .fetch_one(store.pool())
        .await
}

async fn send_all(
    store: &Store,
    holder: &str,
    producer: &Producer,
    metrics: &Metrics,
    stop: &CancellationToken,
) -> anyhow::Result<()> {
    while store
        .lease("outbox", holder, LEASE, Timestamp::now())
        .await?
    {
        let rows =
            sqlx::query("SELECT number, topic, message FROM outbox ORDER BY number LIMIT 200")
                .fetch_all(store.pool())
                .await?;
        metrics
            .outbox_depth
            .set(i64::try_from(rows.len()).unwrap_or(i64::MAX));
        if rows.is_empty() {
            return Ok(());
        }
        let mut messages: Vec<(&str, &str)> = Vec::with_capacity(rows.len());
        let mut numbers: Vec<String> = Vec::with_capacity(rows.len());
        for row in &rows {
            messages.push((row.try_get("topic")?, row.try_get("message")?));
            numbers.push(row.try_get::<i64, _>("number")?.to_string());
        }
        let sending = futures::future::try_join_all(
            (messages.iter()).map(|(topic, message)| send(producer, topic, message)),
        );
        tokio::select! {
            () = stop.cancelled() => return Ok(()),
            sent = tokio::time::timeout(LONGEST, sending) => sent??,
        };
        // Only what was sent: another responder may since have committed one with a smaller number.
        let sent = format!(
            "DELETE FROM outbox WHERE number IN ({})",
            numbers.join(", ")
        );
        sqlx::query(AssertSqlSafe(sent))
            .execute(store.pool())
            .await?;
        let moves = (messages.iter()).filter(|(topic, _)| *topic == CASE_EVENTS.name);
        metrics.case_events_total.inc_by(moves.count() as u64);
    }
    Ok(())
}

/// Puts messages, of which there is one at least, into the outbox, in the transaction of what they tell.
pub(crate) async fn put(
    connection: &mut AnyConnection,
    topic: &Topic,
    messages: &[&str],
) -> Result<(), sqlx::Error> {
    let statement = insert_rows("outbox", &["topic", "message"], messages.len(), "");
    let mut query = sqlx::query(statement);
    for message in messages {
        query = query.bind(topic.name).bind(*message);
    }
    query.execute(connection).await?;
    Ok(())
}

async fn send(producer: &Producer, topic: &str, message: &str) -> anyhow::Result<()> {
    if topic == EVENT_EDITS.name {
        send_to::<EventEdit>(producer, &EVENT_EDITS, message).await
    } else if topic == ERASURES.name {
        send_to::<Erasure>(producer, &ERASURES, message).await
    } else if topic == SOURCE_EDITS.name {
        send_to::<SourceEdit>(producer, &SOURCE_EDITS, message).await
    } else {
        send_to::<CaseEvent>(producer, &CASE_EVENTS, message).await
    }
}

async fn send_to<M: Message>(
    producer: &Producer,
    topic: &Topic,
    message: &str,
) -> anyhow::Result<()> {
    let message: M = message::decode(message.as_bytes())?;
    Ok(producer.send(topic, &message).await?)
}
