//! What the collector remembers, in SQLite: which posts were sent, how far imports are read, validators,
//! and the health of sources.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::Context;
use backbone::message::{Condition, Fault, Finding};
use jiff::{SignedDuration, Timestamp};
use sqlx::sqlite::{
    SqliteConnectOptions, SqliteJournalMode, SqlitePool, SqlitePoolOptions, SqliteSynchronous,
};
use sqlx::{Connection, Row};
use thiserror::Error;
use url::Url;

use crate::fetch::Validators;

/// The state failed.
#[derive(Debug, Error)]
#[error("the collector's state failed: {0}")]
pub struct StateError(#[from] sqlx::Error);

/// How far an import is read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cursor {
    /// The file.
    pub file: PathBuf,
    /// Running hash of the rows read: a file whose first rows are others is another export.
    pub rows_hash: String,
    /// Its length when its last row was read; 0 until then.
    pub length: u64,
    /// When it was last changed before that, in milliseconds since 1970.
    pub modified: i64,
    /// Rows read.
    pub rows: u64,
}

/// A post as it was sent last.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sent {
    /// Its id.
    pub post: String,
    /// Hash of its words.
    pub hash: String,
    /// Its revision; 0 while it is not known whether it was sent.
    pub revision: u32,
    /// When it was published, as it was sent first; absent for posts sent before this was kept.
    pub published_at: Option<Timestamp>,
}

/// First rest of a page that yielded nothing; doubled with each further time.
const FIRST_REST: SignedDuration = SignedDuration::from_hours(1);
/// Longest such rest.
const LONGEST_REST: SignedDuration = SignedDuration::from_hours(24);
/// Days after which it is forgotten that an address was asked for.
const ASKED_DAYS: i64 = 30;

/// An address that was asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Asked {
    /// When it was last.
    pub at: Timestamp,
    /// Until when it rests.
    pub again_at: Timestamp,
}

/// The health of a source.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Health {
    /// Its name.
    pub name: String,
    /// Posts sent, all told.
    pub posts: u64,
    /// Rows, entries and pages refused, all told.
    pub refused: u64,
    /// When a round last succeeded.
    pub last_success: Option<Timestamp>,
    /// When one last failed.
    pub last_failure: Option<Timestamp>,
    /// The last problem: of a round, or of a row, an entry or a page.
    pub problem: String,
    /// Pages in a row on which a selector found nothing.
    pub misfits: u32,
    /// The field of that selector; empty where there are none.
    pub missing: String,
    /// Seconds from the publication of the last post to its collection.
    pub lag_seconds: Option<u64>,
    /// Name of the condition that the source was in after its last round.
    pub condition: String,
}

/// What the pages of a round were like.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pages {
    /// There were none.
    None,
    /// One or more were as the source's description says.
    Fit,
    /// All lacked what a selector should find.
    Missing {
        /// How many.
        pages: u32,
        /// The field of the selector.
        field: &'static str,
    },
}

/// The state. Clones share it.
#[derive(Debug, Clone)]
pub struct State {
    pool: SqlitePool,
}

impl State {
    /// Opens the file, made where missing.
    ///
    /// # Errors
    /// When it cannot be opened or brought up to date.
    pub async fn open(path: &Path) -> anyhow::Result<Self> {
        if let Some(folder) = path.parent() {
            std::fs::create_dir_all(folder).with_context(|| {
                format!(
                    "cannot create {}; set `state` to a writable place",
                    folder.display()
                )
            })?;
        }
        let options = SqliteConnectOptions::new()
            .filename(path)
            .create_if_missing(true)
            .journal_mode(SqliteJournalMode::Wal)
            // What a power cut takes back is sent again under the same ids.
            .synchronous(SqliteSynchronous::Normal)
            .busy_timeout(Duration::from_secs(10));
        let pool = SqlitePoolOptions::new()
            .max_connections(4)
            // Of a transaction that SQLite rolled back by itself, as on a full disk, sqlx 0.9.0 knows nothing, and takes the next for a part of
            // it: once that fails, the connection holds one open for good, and nothing it writes is kept.
            .before_acquire(|connection, _| {
                Box::pin(async move { Ok(!connection.is_in_transaction()) })
            })
            .connect_with(options)
            .await
            .with_context(|| format!("cannot open the state {}", path.display()))?;
        sqlx::migrate!()
            .run(&pool)
            .await
            .with_context(|| format!("cannot bring the state {} up to date", path.display()))?;
        Ok(Self { pool })
    }

    /// How far an import is read.
    ///
    /// # Errors
    /// When the state fails.
    pub async fn cursor(&self, source: &str, file: &Path) -> Result<Option<Cursor>, StateError> {
        let row = sqlx::query(
            "SELECT rows_hash, length, modified, rows FROM imports WHERE source = ? AND file = ?",
        )
        .bind(source)
        .bind(file.display().to_string())
        .fetch_optional(&self.pool)
        .await?;
        let Some(row) = row else {
            return Ok(None);
        };
        Ok(Some(Cursor {
            file: file.to_owned(),
            rows_hash: row.try_get("rows_hash")?,
            length: row.try_get::<i64, _>("length")?.unsigned_abs(),
            modified: row.try_get("modified")?,
            rows: row.try_get::<i64, _>("rows")?.unsigned_abs(),
        }))
    }

    /// Those of the posts that were sent before, as they were sent last, by their ids.
    ///
    /// # Errors
    /// When the state fails.
    pub async fn sent(&self, posts: &[String]) -> Result<HashMap<String, Sent>, StateError> {
        let rows = sqlx::query(
            "SELECT post, hash, revision, published_at FROM seen WHERE post IN (SELECT value FROM json_each(?))",
        )
        .bind(serde_json::json!(posts).to_string())
        .fetch_all(&self.pool)
        .await?;
        rows.into_iter()
            .map(|row| {
                let sent = Sent {
                    post: row.try_get("post")?,
                    hash: row.try_get("hash")?,
                    revision: row.try_get("revision")?,
                    published_at: row
                        .try_get::<Option<i64>, _>("published_at")?
                        .and_then(|at| Timestamp::from_millisecond(at).ok()),
                };
                Ok((sent.post.clone(), sent))
            })
            .collect()
    }

    /// Remembers when posts were published whose source does not say so exactly, before they are sent for the first time: what a
    /// crash has sent again has the same time.
    ///
    /// # Errors
    /// When the state fails.
    pub async fn date(&self, source: &str, posts: &[(&str, Timestamp)]) -> Result<(), StateError> {
        let rows: Vec<_> = (posts.iter())
            .map(|(post, published_at)| (post, published_at.as_millisecond()))
            .collect();
        sqlx::query(
            "INSERT INTO seen (post, source, hash, revision, published_at) \
             SELECT value ->> 0, ?, '', 0, value ->> 1 FROM json_each(?) WHERE true ON CONFLICT (post) DO NOTHING",
        )
        .bind(source)
        .bind(serde_json::json!(rows).to_string())
        .execute(&self.pool)
        .await?;
        Ok(())
    }

    /// Remembers posts that are dealt with, so many of which the brokers have, and how far the import is, at
    /// once. `lag` is how many seconds after its publication the last of them was collected.
    ///
    /// # Errors
    /// When the state fails; nothing is remembered then.
    pub async fn remember(
        &self,
        source: &str,
        sent: &[Sent],
        posts: u64,
        lag: Option<u64>,
        cursor: Option<&Cursor>,
        now: Timestamp,
    ) -> Result<(), StateError> {
        let mut transaction = self.pool.begin().await?;
        let rows: Vec<_> = sent
            .iter()
            .map(|sent| {
                let published_at = sent.published_at.map(Timestamp::as_millisecond);
                (&sent.post, &sent.hash, sent.revision, published_at)
            })
            .collect();
        sqlx::query(
            "INSERT INTO seen (post, source, hash, revision, published_at) \
             SELECT value ->> 0, ?, value ->> 1, value ->> 2, value ->> 3 FROM json_each(?) WHERE true \
             ON CONFLICT (post) DO UPDATE SET hash = excluded.hash, revision = excluded.revision, \
             published_at = excluded.published_at",
        )
        .bind(source)
        .bind(serde_json::json!(rows).to_string())
        .execute(&mut *transaction)
        .await?;
        if let Some(cursor) = cursor {
            sqlx::query(
                "INSERT INTO imports (source, file, rows_hash, length, modified, rows) VALUES (?, ?, ?, ?, ?, ?) \
                 ON CONFLICT (source, file) DO UPDATE SET rows_hash = excluded.rows_hash, length = excluded.length, \
                 modified = excluded.modified, rows = excluded.rows",
            )
            .bind(source)
            .bind(cursor.file.display().to_string())
            .bind(&cursor.rows_hash)
            .bind(signed(cursor.length))
            .bind(cursor.modified)
            .bind(signed(cursor.rows))
            .execute(&mut *transaction)
            .await?;
        }
        sqlx::query(
            "INSERT INTO sources (name, posts, refused, problem, lag_seconds) VALUES (?, ?, 0, '', ?) \
             ON CONFLICT (name) DO UPDATE SET posts = posts + excluded.posts, \
             lag_seconds = coalesce(excluded.lag_seconds, lag_seconds)",
        )
        .bind(source)
        .bind(signed(posts))
        .bind(lag.map(signed))
        .execute(&mut *transaction)
        .await?;
        if posts > 0 {
            sqlx::query("INSERT INTO yields (source, day, posts) VALUES (?, ?, ?) ON CONFLICT (source, day) DO UPDATE SET posts = posts + excluded.posts")
                .bind(source)
                .bind(day_of(now))
                .bind(signed(posts))
                .execute(&mut *transaction)
                .await?;
        }
        transaction.commit().await?;
        Ok(())
    }

    /// Whether a round of the source was broken off, so that posts behind known ones may be missing.
    ///
    /// # Errors
    /// When the state fails.
    pub async fn is_unfinished(&self, source: &str) -> Result<bool, StateError> {
        let unfinished =
            sqlx::query_scalar::<_, i64>("SELECT unfinished FROM sources WHERE name = ?")
                .bind(source)
                .fetch_optional(&self.pool)
                .await?;
        Ok(unfinished.is_some_and(|unfinished| unfinished != 0))
    }

    /// Notes whether a round of the source is under way.
    ///
    /// # Errors
    /// When the state fails.
    pub async fn note_unfinished(&self, source: &str, unfinished: bool) -> Result<(), StateError> {
        sqlx::query("INSERT INTO sources (name, posts, refused, problem, unfinished) VALUES (?, 0, 0, '', ?) ON CONFLICT (name) DO UPDATE SET unfinished = excluded.unfinished")
            .bind(source)
            .bind(i64::from(unfinished))
            .execute(&self.pool)
            .await?;
        Ok(())
    }

    /// Counts a row, an entry or a page that was refused.
    ///
    /// # Errors
    /// When the state fails.
    pub async fn refused(&self, source: &str, problem: &str) -> Result<(), StateError> {
        sqlx::query("INSERT INTO sources (name, posts, refused, problem) VALUES (?, 0, 1, ?) ON CONFLICT (name) DO UPDATE SET refused = refused + 1, problem = excluded.problem")
            .bind(source)
            .bind(problem)
            .execute(&self.pool)
            .await?;
        Ok(())
    }

    /// Notes how a round ended: its problem, if it failed, and what its pages were like.
    ///
    /// # Errors
    /// When the state fails.
    pub async fn ended(
        &self,
        source: &str,
        problem: Option<&str>,
        pages: Pages,
        now: Timestamp,
    ) -> Result<(), StateError> {
        let (success, failure) = match problem {
            None => (Some(now.as_millisecond()), None),
            Some(_) => (None, Some(now.as_millisecond())),
        };
        let (fits, misfits, missing) = match pages {
            Pages::Fit => (1, 0, ""),
            Pages::Missing { pages, field } => (0, pages, field),
            Pages::None => (0, 0, ""),
        };
        sqlx::query(
            "INSERT INTO sources (name, posts, refused, last_success, last_failure, problem, misfits, missing, first_at) \
             VALUES (?1, 0, 0, ?2, ?3, ?4, ?5, ?6, ?7) \
             ON CONFLICT (name) DO UPDATE SET last_success = coalesce(excluded.last_success, last_success), \
             last_failure = coalesce(excluded.last_failure, last_failure), \
             problem = iif(excluded.problem = '', problem, excluded.problem), \
             misfits = iif(?8 = 1, 0, misfits + excluded.misfits), \
             missing = iif(?8 = 1, '', iif(excluded.missing = '', missing, excluded.missing)), \
             first_at = coalesce(first_at, excluded.first_at)",
        )
        .bind(source)
        .bind(success)
        .bind(failure)
        .bind(problem.unwrap_or_default())
        .bind(misfits)
        .bind(missing)
        .bind(now.as_millisecond())
        .bind(fits)
        .execute(&self.pool)
        .await?;
        Ok(())
    }

    /// Notes in which condition a source is, and tells since when it is.
    ///
    /// # Errors
    /// When the state fails.
    pub async fn note_condition(
        &self,
        source: &str,
        condition: Condition,
        now: Timestamp,
    ) -> Result<Timestamp, StateError> {
        let since: i64 = sqlx::query_scalar(
            "UPDATE sources SET since = iif(condition = ?2 AND since IS NOT NULL, since, ?3), condition = ?2 \
             WHERE name = ?1 RETURNING since",
        )
        .bind(source)
        .bind(condition.name())
        .bind(now.as_millisecond())
        .fetch_one(&self.pool)
        .await?;
        Ok(Timestamp::from_millisecond(since).unwrap_or(now))
    }

    /// Notes that a source was paused on the day of `now`; it may be one that was never read.
    ///
    /// # Errors
    /// When the state fails.
    pub async fn note_paused(&self, source: &str, now: Timestamp) -> Result<(), StateError> {
        sqlx::query("INSERT INTO sources (name, posts, refused, problem) VALUES (?, 0, 0, '') ON CONFLICT DO NOTHING")
            .bind(source)
            .execute(&self.pool)
            .await?;
        sqlx::query("INSERT INTO paused_days (source, day) VALUES (?, ?) ON CONFLICT DO NOTHING")
            .bind(source)
            .bind(day_of(now))
            .execute(&self.pool)
            .await?;
        Ok(())
    }

    /// What a source yielded on each of the last days, the day of `now` last; fewer where it is younger, and without the days
    /// on which it yielded nothing because it was paused.
    ///
    /// # Errors
    /// When the state fails.
    pub async fn yields(
        &self,
        source: &str,
        days: i64,
        now: Timestamp,
    ) -> Result<Vec<u64>, StateError> {
        let today = day_of(now);
        let first: Option<Option<i64>> =
            sqlx::query_scalar("SELECT first_at FROM sources WHERE name = ?")
                .bind(source)
                .fetch_optional(&self.pool)
                .await?;
        let first = first
            .flatten()
            .and_then(|first| Timestamp::from_millisecond(first).ok())
            .map_or(today, day_of)
            .max(today - days);
        let rows: Vec<(i64, i64)> =
            sqlx::query_as("SELECT day, posts FROM yields WHERE source = ? AND day >= ?")
                .bind(source)
                .bind(first)
                .fetch_all(&self.pool)
                .await?;
        let paused: Vec<i64> =
            sqlx::query_scalar("SELECT day FROM paused_days WHERE source = ? AND day >= ?")
                .bind(source)
                .bind(first)
                .fetch_all(&self.pool)
                .await?;
        let by_day: HashMap<i64, i64> = rows.into_iter().collect();
        Ok((first..=today)
            .filter(|day| *day == today || by_day.contains_key(day) || !paused.contains(day))
            .map(|day| by_day.get(&day).map_or(0, |posts| posts.unsigned_abs()))
            .collect())
    }

    /// Notes what is wrong with a site that is watched, and tells what is for certain: what may pass was
    /// seen in two rounds in a row.
    ///
    /// # Errors
    /// When the state fails.
    pub async fn note_findings(
        &self,
        source: &str,
        findings: &[Finding],
        now: Timestamp,
    ) -> Result<Vec<Finding>, StateError> {
        let mut transaction = self.pool.begin().await?;
        let rows: Vec<(String, String, i64, i64)> =
            sqlx::query_as("SELECT fault, url, since, rounds FROM findings WHERE source = ?")
                .bind(source)
                .fetch_all(&mut *transaction)
                .await?;
        let known: HashMap<(String, String), (i64, i64)> = rows
            .into_iter()
            .map(|(fault, url, since, rounds)| ((fault, url), (since, rounds)))
            .collect();
        sqlx::query("DELETE FROM findings WHERE source = ?")
            .bind(source)
            .execute(&mut *transaction)
            .await?;
        let mut certain = Vec::new();
        for finding in findings {
            let key = (finding.fault.name().to_owned(), finding.url.clone());
            let (since, rounds) = match known.get(&key) {
                Some((since, rounds)) => (*since, rounds + 1),
                None => (now.as_millisecond(), 1),
            };
            sqlx::query("INSERT INTO findings (source, fault, url, detail, since, rounds) VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING")
                .bind(source)
                .bind(&key.0)
                .bind(&key.1)
                .bind(&finding.detail)
                .bind(since)
                .bind(rounds)
                .execute(&mut *transaction)
                .await?;
            let may_pass = matches!(finding.fault, Fault::Unreachable | Fault::DeadLink);
            if rounds > 1 || !may_pass {
                certain.push(Finding {
                    since: Timestamp::from_millisecond(since).unwrap_or(now),
                    ..finding.clone()
                });
            }
        }
        transaction.commit().await?;
        Ok(certain)
    }

    /// Links found on a site that is watched: they are due for a check, those never checked first.
    ///
    /// # Errors
    /// When the state fails.
    pub async fn list_links(
        &self,
        source: &str,
        urls: &[Url],
        now: Timestamp,
    ) -> Result<(), StateError> {
        let mut transaction = self.pool.begin().await?;
        for url in urls {
            sqlx::query("INSERT INTO watched (source, url, found_at, checked_at) VALUES (?, ?, ?, 0) ON CONFLICT (source, url) DO UPDATE SET found_at = excluded.found_at")
                .bind(source)
                .bind(url.as_str())
                .bind(now.as_millisecond())
                .execute(&mut *transaction)
                .await?;
        }
        transaction.commit().await?;
        Ok(())
    }

    /// The health of a source; nothing when it was never read.
    ///
    /// # Errors
    /// When the state fails.
    pub async fn health(&self, source: &str) -> Result<Option<Health>, StateError> {
        let row = sqlx::query("SELECT * FROM sources WHERE name = ?")
            .bind(source)
            .fetch_optional(&self.pool)
            .await?;
        let Some(row) = row else {
            return Ok(None);
        };
        let time = |column| -> Result<Option<Timestamp>, StateError> {
            let milliseconds: Option<i64> = row.try_get(column)?;
            Ok(milliseconds.and_then(|time| Timestamp::from_millisecond(time).ok()))
        };
        Ok(Some(Health {
            name: row.try_get("name")?,
            posts: row.try_get::<i64, _>("posts")?.unsigned_abs(),
            refused: row.try_get::<i64, _>("refused")?.unsigned_abs(),
            last_success: time("last_success")?,
            last_failure: time("last_failure")?,
            problem: row.try_get("problem")?,
            misfits: row.try_get("misfits")?,
            missing: row.try_get("missing")?,
            lag_seconds: row
                .try_get::<Option<i64>, _>("lag_seconds")?
                .map(i64::unsigned_abs),
            condition: row.try_get("condition")?,
        }))
    }

    /// What a page was known by when it was last read to its end.
    ///
    /// # Errors
    /// When the state fails.
    pub async fn validators(&self, url: &Url) -> Result<Validators, StateError> {
        let row = sqlx::query("SELECT etag, modified FROM validators WHERE url = ?")
            .bind(url.as_str())
            .fetch_optional(&self.pool)
            .await?;
        let Some(row) = row else {
            return Ok(Validators::default());
        };
        Ok(Validators {
            etag: row.try_get("etag")?,
            modified: row.try_get("modified")?,
        })
    }

    /// Remembers what a page is known by.
    ///
    /// # Errors
    /// When the state fails.
    pub async fn remember_validators(
        &self,
        url: &Url,
        validators: &Validators,
    ) -> Result<(), StateError> {
        sqlx::query("INSERT INTO validators (url, etag, modified) VALUES (?, ?, ?) ON CONFLICT (url) DO UPDATE SET etag = excluded.etag, modified = excluded.modified")
            .bind(url.as_str())
            .bind(&validators.etag)
            .bind(&validators.modified)
            .execute(&self.pool)
            .await?;
        Ok(())
    }

    /// Those of the addresses that were asked for in this way of reading them.
    ///
    /// # Errors
    /// When the state fails.
    pub async fn asked(
        &self,
        source: &str,
        way: &str,
        urls: &[Url],
        now: Timestamp,
    ) -> Result<HashMap<String, Asked>, StateError> {
        let forgotten = now - SignedDuration::from_hours(ASKED_DAYS * 24);
        sqlx::query("DELETE FROM asked WHERE source = ? AND again_at < ?")
            .bind(source)
            .bind(forgotten.as_millisecond())
            .execute(&self.pool)
            .await?;
        let rows: Vec<(String, i64, i64)> = sqlx::query_as(
            "SELECT url, asked_at, again_at FROM asked WHERE source = ? AND way = ? AND url IN (SELECT value FROM json_each(?))",
        )
        .bind(source)
        .bind(way)
        .bind(serde_json::json!(urls).to_string())
        .fetch_all(&self.pool)
        .await?;
        let time = |at| Timestamp::from_millisecond(at).unwrap_or(now);
        Ok(rows
            .into_iter()
            .map(|(url, at, again_at)| {
                let (at, again_at) = (time(at), time(again_at));
                (url, Asked { at, again_at })
            })
            .collect())
    }

    /// Notes that an address was asked for; one that yielded nothing (`in_vain`) rests, for longer each time in a row.
    ///
    /// # Errors
    /// When the state fails.
    pub async fn note_asked(
        &self,
        source: &str,
        way: &str,
        url: &Url,
        in_vain: bool,
        now: Timestamp,
    ) -> Result<(), StateError> {
        sqlx::query(
            "INSERT INTO asked (source, url, way, asked_at, failures, again_at) VALUES (?1, ?2, ?3, ?4, ?5, ?4 + ?5 * ?6) \
             ON CONFLICT (source, url) DO UPDATE SET way = ?3, asked_at = ?4, \
             failures = iif(way = ?3, failures + 1, 1) * ?5, \
             again_at = ?4 + ?5 * min(?6 << iif(way = ?3, min(failures, 16), 0), ?7)",
        )
        .bind(source)
        .bind(url.as_str())
        .bind(way)
        .bind(now.as_millisecond())
        .bind(i64::from(in_vain))
        .bind(milliseconds(FIRST_REST))
        .bind(milliseconds(LONGEST_REST))
        .execute(&self.pool)
        .await?;
        Ok(())
    }

    /// Notes that a post's page was read, so that it is looked at again for edits.
    ///
    /// # Errors
    /// When the state fails.
    pub async fn watch(&self, source: &str, url: &Url, now: Timestamp) -> Result<(), StateError> {
        let now = now.as_millisecond();
        sqlx::query(
            "INSERT INTO watched (source, url, found_at, checked_at) VALUES (?, ?, ?, ?) \
             ON CONFLICT (source, url) DO UPDATE SET checked_at = excluded.checked_at",
        )
        .bind(source)
        .bind(url.as_str())
        .bind(now)
        .bind(now)
        .execute(&self.pool)
        .await?;
        Ok(())
    }

    /// Looks at a post's page no more.
    ///
    /// # Errors
    /// When the state fails.
    pub async fn unwatch(&self, source: &str, url: &Url) -> Result<(), StateError> {
        sqlx::query("DELETE FROM watched WHERE source = ? AND url = ?")
            .bind(source)
            .bind(url.as_str())
            .execute(&self.pool)
            .await?;
        Ok(())
    }

    /// Pages last looked at before `checked`, the longest ago first; those found before `found` are looked at
    /// no more.
    ///
    /// # Errors
    /// When the state fails.
    pub async fn due(
        &self,
        source: &str,
        found: Timestamp,
        checked: Timestamp,
        most: u32,
    ) -> Result<Vec<Url>, StateError> {
        sqlx::query("DELETE FROM watched WHERE source = ? AND found_at < ?")
            .bind(source)
            .bind(found.as_millisecond())
            .execute(&self.pool)
            .await?;
        let urls: Vec<String> = sqlx::query_scalar(
            "SELECT url FROM watched WHERE source = ? AND checked_at <= ? ORDER BY checked_at LIMIT ?",
        )
        .bind(source)
        .bind(checked.as_millisecond())
        .bind(most)
        .fetch_all(&self.pool)
        .await?;
        Ok(urls.iter().filter_map(|url| url.parse().ok()).collect())
    }

    /// Closes it.
    pub async fn close(&self) {
        self.pool.close().await;
    }
}

/// The day of a time in Asia/Shanghai, counted from 1970.
fn day_of(time: Timestamp) -> i64 {
    (time.as_second() + 8 * 3_600).div_euclid(86_400)
}

fn milliseconds(time: SignedDuration) -> i64 {
    time.as_secs() * 1_000
}

fn signed(count: u64) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn what_is_remembered_after_the_disk_was_full_is_kept() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("collector.sqlite");
        let state = State::open(&path).await.unwrap();
        let mut connections = Vec::new();
        for _ in 0..state.pool.options().get_max_connections() {
            connections.push(state.pool.acquire().await.unwrap());
        }
        for connection in &mut connections {
            let mut full = connection.begin().await.unwrap();
            // As SQLite does by itself when a transaction finds no room.
            (sqlx::query("ROLLBACK").execute(&mut *full).await).unwrap();
            drop(full);
            drop(connection.begin().await.unwrap());
        }
        drop(connections);
        let cursor = Cursor {
            file: "export.jsonl".into(),
            rows_hash: "hash".to_owned(),
            length: 1,
            modified: 1,
            rows: 1,
        };
        (state.remember("导出", &[], 0, None, Some(&cursor), Timestamp::UNIX_EPOCH))
            .await
            .unwrap();
        let elsewhere = State::open(&path).await.unwrap();
        let kept = elsewhere.cursor("导出", &cursor.file).await.unwrap();
        assert_eq!(kept, Some(cursor));
    }
}
