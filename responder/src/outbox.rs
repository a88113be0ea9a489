//! The outbox: messages written with the changes they tell of, sent to Kafka in order, removed once acknowledged.

use std::time::Duration;

use backbone::kafka::Producer;
use backbone::message::{self, CaseEvent, EventEdit};
use backbone::topics::{CASE_EVENTS, EVENT_EDITS};
use sqlx::Row;
use tokio_util::sync::CancellationToken;
use tracing::warn;

use crate::metrics::Metrics;
use crate::store::Store;

/// Wait between looks for messages.
const LOOK: Duration = Duration::from_millis(250);
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
    while !stop.is_cancelled() {
        let wait = match send_all(&store, &producer, &metrics, &stop).await {
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

async fn send_all(
    store: &Store,
    producer: &Producer,
    metrics: &Metrics,
    stop: &CancellationToken,
) -> anyhow::Result<()> {
    loop {
        let rows =
            sqlx::query("SELECT number, topic, message FROM outbox ORDER BY number LIMIT 200")
                .fetch_all(store.pool())
                .await?;
        metrics
            .outbox_depth
            .set(i64::try_from(rows.len()).unwrap_or(i64::MAX));
        let Some(last) = rows.last() else {
            return Ok(());
        };
        let last: i64 = last.try_get("number")?;
        let mut messages: Vec<(&str, &str)> = Vec::with_capacity(rows.len());
        for row in &rows {
            messages.push((row.try_get("topic")?, row.try_get("message")?));
        }
        let sending = futures::future::try_join_all(
            (messages.iter()).map(|(topic, message)| send(producer, topic, message)),
        );
        tokio::select! {
            () = stop.cancelled() => return Ok(()),
            sent = sending => sent?,
        };
        sqlx::query("DELETE FROM outbox WHERE number <= $1")
            .bind(last)
            .execute(store.pool())
            .await?;
        let moves = (messages.iter()).filter(|(topic, _)| *topic == CASE_EVENTS.name);
        metrics.case_events_total.inc_by(moves.count() as u64);
    }
}

async fn send(producer: &Producer, topic: &str, message: &str) -> anyhow::Result<()> {
    let message = message.as_bytes();
    if topic == EVENT_EDITS.name {
        let edit: EventEdit = message::decode(message)?;
        producer.send(&EVENT_EDITS, &edit).await?;
    } else {
        let event: CaseEvent = message::decode(message)?;
        producer.send(&CASE_EVENTS, &event).await?;
    }
    Ok(())
}
