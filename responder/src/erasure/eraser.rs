//! Takes erased posts out of the archive and the store, and looks again: at once, after a minute, ten minutes, an hour, then every
//! day until the last topic has let its copy go. Of several responders one does so at a time, and whoever comes next finds what
//! is left to do: a look that was broken off is made again.

use std::collections::BTreeSet;
use std::time::Duration;

use anyhow::Context;
use backbone::settings::Kafka;
use clickhouse::Client;
use jiff::{SignedDuration, Timestamp};
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};

use super::topics::Log;
use super::{Erasures, Found, Known, Needles, State, archive, papers, places};
use crate::paper::Press;
use crate::store::Store;

/// Wait between looks for what is due.
const LOOK: Duration = Duration::from_secs(1);
/// How long a responder that was killed keeps the others from erasing.
const LEASE: SignedDuration = SignedDuration::from_secs(60);
/// Wait after something did not answer.
const AGAIN: SignedDuration = SignedDuration::from_secs(15);
/// Waits after the first looks; later ones are a day.
const WAITS: [SignedDuration; 3] = [
    SignedDuration::from_secs(60),
    SignedDuration::from_mins(10),
    SignedDuration::from_hours(1),
];
const DAILY: SignedDuration = SignedDuration::from_hours(24);
/// By then ClickHouse has removed what it put out of use.
const OLD_PARTS_GO: SignedDuration = SignedDuration::from_mins(15);
/// The place of what ClickHouse has put out of use and removes by itself.
const OLD_PARTS: &str = "舆情库：停用待清理的数据块";

/// Erases.
#[derive(Debug)]
pub struct Eraser {
    /// The store.
    pub store: Store,
    /// ClickHouse.
    pub archive: Client,
    /// Kafka.
    pub kafka: Kafka,
    /// What writes the files of papers.
    pub press: Press,
    /// Who this responder is among others.
    pub holder: String,
}

impl Eraser {
    /// Erases what is due until `stop`.
    ///
    /// # Errors
    /// Never; what fails is tried again.
    pub async fn run(&self, stop: CancellationToken) -> anyhow::Result<()> {
        while !stop.is_cancelled() {
            tokio::select! {
                () = stop.cancelled() => {}
                looked = self.look(Timestamp::now()) => {
                    if let Err(error) = looked {
                        warn!(error = %format!("{error:#}"), "what was erased cannot be taken out now");
                    }
                    tokio::select! {
                        () = stop.cancelled() => {}
                        () = tokio::time::sleep(LOOK) => {}
                    }
                }
            }
        }
        Ok(())
    }

    /// Looks for what is due at a time.
    ///
    /// # Errors
    /// When the store fails; what else fails is due again soon.
    pub async fn look(&self, now: Timestamp) -> anyhow::Result<()> {
        let due: Vec<(String, String)> = sqlx::query_as(
            "SELECT post, needles FROM erasures WHERE state <> 'complete' AND due_at <= $1 ORDER BY due_at LIMIT 20",
        )
        .bind(now.as_millisecond())
        .fetch_all(self.store.pool())
        .await?;
        for (post, needles) in due {
            if !(self.store)
                .lease("erasures", &self.holder, LEASE, now)
                .await?
            {
                return Ok(());
            }
            let needles: Needles = serde_json::from_str(&needles).context("needles")?;
            let erasures = Erasures::new(self.store.clone());
            let Some(known) = erasures.get(&post).await? else {
                continue;
            };
            if let Err(error) = self.erase(&erasures, &known, &needles, now).await {
                warn!(error = %format!("{error:#}"), "a post is not erased everywhere yet");
                self.put_off(&post, now + AGAIN).await?;
            }
        }
        Ok(())
    }

    async fn erase(
        &self,
        erasures: &Erasures,
        known: &Known,
        needles: &Needles,
        now: Timestamp,
    ) -> anyhow::Result<()> {
        let (post, events) = (known.post.as_str(), known.events.as_slice());
        let cases = self.cases(known).await?;
        let erased = erasures.erased().await?;
        let mut found = places::erase(&self.store, post, needles, &erased, &cases).await?;
        found.push(papers::erase(&self.store, &self.press, post, needles, now).await?);
        // What is in the store is written down whether ClickHouse answers or not.
        self.write_down(post, &found, now).await?;
        let of_archive = archive::erase(&self.archive, post, events, known.at).await?;
        self.write_down(post, &of_archive, now).await?;
        let changed = of_archive.iter().any(|found| found.before > 0);
        let since = if changed {
            now
        } else {
            known.looked_at.unwrap_or(now)
        };
        let old = Found {
            place: OLD_PARTS.to_owned(),
            before: 0,
            after: archive::old_parts(&self.archive, since).await?,
        };
        let gone = now + OLD_PARTS_GO;
        self.write_down_waiting(post, &old.place, old.after, gone, now)
            .await?;
        found.extend(of_archive);
        let first = known.looks == 0;
        let mut logs_end = known.at;
        // What goes by itself.
        let mut waiting = old.after;
        for log in Log::all() {
            let until = log.until(known.at);
            logs_end = logs_end.max(until);
            // Read whole, so only twice: at first, and when it must have let go.
            if first || until <= now {
                let copies = log.copies(&self.kafka, post, events).await;
                let copies = copies.with_context(|| log.name.to_owned())?;
                self.write_down_waiting(post, &log.place(), copies, until, now)
                    .await?;
                waiting += copies;
            }
        }
        let left: u64 = found.iter().map(|found| found.after).sum();
        let state = if left > 0 {
            State::Erasing
        } else if now < logs_end || waiting > 0 {
            State::Erased
        } else {
            State::Complete
        };
        let looks = usize::try_from(known.looks).unwrap_or(0);
        let wait = if left > 0 {
            AGAIN
        } else {
            *(WAITS.get(looks).unwrap_or(&DAILY))
        };
        sqlx::query(
            "UPDATE erasures SET state = $1, looks = looks + 1, looked_at = $2, due_at = $3, \
             needles = CASE WHEN $1 = 'complete' THEN '{}' ELSE needles END WHERE post = $4 AND looks = $5",
        )
        .bind(state.name())
        .bind(now.as_millisecond())
        .bind((now + wait).as_millisecond())
        .bind(post)
        .bind(known.looks)
        .execute(self.store.pool())
        .await?;
        let before: u64 = found.iter().map(|found| found.before).sum();
        info!(
            post,
            found = before,
            left,
            state = state.name(),
            "an erased post was looked for"
        );
        self.store.settle().await?;
        Ok(())
    }

    /// The cases of the events that a post was in.
    async fn cases(&self, known: &Known) -> Result<BTreeSet<String>, sqlx::Error> {
        let mut cases = BTreeSet::new();
        for event in &known.events {
            let ids: Vec<String> = sqlx::query_scalar("SELECT id FROM cases WHERE event = $1")
                .bind(&event.event)
                .fetch_all(self.store.pool())
                .await?;
            cases.extend(ids);
        }
        Ok(cases)
    }

    async fn put_off(&self, post: &str, due_at: Timestamp) -> Result<(), sqlx::Error> {
        sqlx::query("UPDATE erasures SET due_at = $1 WHERE post = $2")
            .bind(due_at.as_millisecond())
            .bind(post)
            .execute(self.store.pool())
            .await?;
        Ok(())
    }

    /// Writes down what was found: at later looks what came meanwhile is added.
    async fn write_down(
        &self,
        post: &str,
        found: &[Found],
        now: Timestamp,
    ) -> Result<(), sqlx::Error> {
        for found in found {
            sqlx::query(
                "INSERT INTO erasure_places (post, place, found_before, found_after, until, looked_at) \
                 VALUES ($1, $2, $3, $4, 0, $5) ON CONFLICT (post, place) DO UPDATE SET \
                 found_before = erasure_places.found_before + excluded.found_before, found_after = excluded.found_after, \
                 looked_at = excluded.looked_at",
            )
            .bind(post)
            .bind(&found.place)
            .bind(number(found.before))
            .bind(number(found.after))
            .bind(now.as_millisecond())
            .execute(self.store.pool())
            .await?;
        }
        Ok(())
    }

    /// Writes down what goes by itself.
    async fn write_down_waiting(
        &self,
        post: &str,
        place: &str,
        copies: u64,
        until: Timestamp,
        now: Timestamp,
    ) -> Result<(), sqlx::Error> {
        sqlx::query(
            "INSERT INTO erasure_places (post, place, found_before, found_after, until, looked_at) \
             VALUES ($1, $2, $3, $3, $4, $5) ON CONFLICT (post, place) DO UPDATE SET found_after = excluded.found_after, \
             until = CASE WHEN excluded.found_after > 0 THEN excluded.until ELSE erasure_places.until END, looked_at = excluded.looked_at",
        )
        .bind(post)
        .bind(place)
        .bind(number(copies))
        .bind(until.as_millisecond())
        .bind(now.as_millisecond())
        .execute(self.store.pool())
        .await?;
        Ok(())
    }
}

fn number(count: u64) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}
