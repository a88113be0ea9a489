//! Edits of sources: an officer pauses one, or has it read again. The collector does so; here an edit is checked, kept, put into
//! the outbox and noted in the audit, all in one transaction.

use std::collections::BTreeMap;

use backbone::id;
use backbone::message::{SourceEdit, SourceHealth, encode};
use backbone::topics::SOURCE_EDITS;
use jiff::Timestamp;
use sqlx::Row;
use thiserror::Error;

use crate::account::{Line, append};
use crate::case::{Actor, StoreError};
use crate::outbox;
use crate::store::Store;

/// Longest reason, in characters.
pub const REASON_LIMIT: usize = 200;

// Each edit of a source is later than the one before, whichever responder's clock it was made by: the newest holds.
const PAUSE: &str = "INSERT INTO source_edits (source, paused, reason, officer, at) VALUES ($1, 1, $2, $3, $4) \
    ON CONFLICT (source) DO UPDATE SET paused = 1, reason = excluded.reason, officer = excluded.officer, \
    at = CASE WHEN excluded.at > source_edits.at THEN excluded.at ELSE source_edits.at + 1 END \
    WHERE source_edits.paused = 0 RETURNING at";
const RESUME: &str = "UPDATE source_edits SET paused = 0, reason = $2, officer = $3, \
    at = CASE WHEN $4 > at THEN $4 ELSE at + 1 END WHERE source = $1 AND paused = 1 RETURNING at";

/// An edit that is not made. The text is for the officer.
#[derive(Debug, Error)]
pub enum SourceEditError {
    /// No source of that id was told of.
    #[error("没有找到这个来源，请刷新后再操作")]
    Unknown,
    /// No reason is given.
    #[error("请填写暂停的原因")]
    NoReason,
    /// The reason is too long.
    #[error("原因过长，请控制在{REASON_LIMIT}字以内")]
    ReasonTooLong,
    /// It is paused already.
    #[error("该来源已经暂停，无需重复操作")]
    Paused,
    /// It is not paused.
    #[error("该来源没有暂停，无需恢复")]
    NotPaused,
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl From<sqlx::Error> for SourceEditError {
    fn from(error: sqlx::Error) -> Self {
        Self::Store(error.into())
    }
}

/// Why a source is paused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pause {
    /// What the officer wrote.
    pub reason: String,
    /// The officer's name to sign in with.
    pub officer: String,
    /// Since when.
    pub at: Timestamp,
}

/// The edits of a store.
#[derive(Debug, Clone)]
pub struct SourceEdits {
    store: Store,
}

impl SourceEdits {
    /// The edits of an opened store.
    #[must_use]
    pub fn new(store: Store) -> Self {
        Self { store }
    }

    /// Pauses a source.
    ///
    /// # Errors
    /// Says why that cannot be, or that the store failed; nothing is changed then.
    pub async fn pause(
        &self,
        source: Option<&SourceHealth>,
        reason: &str,
        actor: &Actor,
        now: Timestamp,
    ) -> Result<(), SourceEditError> {
        let source = source.ok_or(SourceEditError::Unknown)?;
        let reason = reason.trim();
        if reason.is_empty() {
            return Err(SourceEditError::NoReason);
        }
        if reason.chars().count() > REASON_LIMIT {
            return Err(SourceEditError::ReasonTooLong);
        }
        let made = self.make(source, Some(reason), actor, now).await?;
        made.then_some(()).ok_or(SourceEditError::Paused)
    }

    /// Has a source read again.
    ///
    /// # Errors
    /// Says why that cannot be, or that the store failed; nothing is changed then.
    pub async fn resume(
        &self,
        source: Option<&SourceHealth>,
        actor: &Actor,
        now: Timestamp,
    ) -> Result<(), SourceEditError> {
        let source = source.ok_or(SourceEditError::Unknown)?;
        let made = self.make(source, None, actor, now).await?;
        made.then_some(()).ok_or(SourceEditError::NotPaused)
    }

    /// Pauses a source where there is a reason, else has it read; says whether that changed anything.
    async fn make(
        &self,
        source: &SourceHealth,
        reason: Option<&str>,
        actor: &Actor,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        let mut transaction = self.store.begin().await?;
        let at: Option<i64> = sqlx::query_scalar(match reason {
            Some(_) => PAUSE,
            None => RESUME,
        })
        .bind(&source.id)
        .bind(reason.unwrap_or_default())
        .bind(&actor.name)
        .bind(now.as_millisecond())
        .fetch_optional(&mut *transaction)
        .await?;
        let Some(at) = at else {
            return Ok(false);
        };
        let at = Timestamp::from_millisecond(at).unwrap_or(now);
        let edit = SourceEdit {
            id: id::of("source-edit", &[&source.id, &at.to_string()]),
            region: source.region.clone(),
            source: source.source.clone(),
            source_id: source.id.clone(),
            paused: reason.is_some(),
            role: actor.role.name().to_owned(),
            at,
        };
        let message = encode(&edit).map_err(|error| sqlx::Error::Encode(error.into()))?;
        let message = String::from_utf8_lossy(&message);
        outbox::put(&mut transaction, &SOURCE_EDITS, &[&message]).await?;
        let line = Line {
            user: &actor.name,
            action: if edit.paused {
                "pause-source"
            } else {
                "resume-source"
            },
            subject: &edit.source,
            via: &actor.via,
        };
        append(&mut transaction, line, now).await?;
        transaction.commit().await?;
        Ok(true)
    }

    /// The sources that are paused, by their ids.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn paused(&self) -> Result<BTreeMap<String, Pause>, StoreError> {
        let rows =
            sqlx::query("SELECT source, reason, officer, at FROM source_edits WHERE paused = 1")
                .fetch_all(self.store.pool())
                .await?;
        rows.iter()
            .map(|row| {
                let at: i64 = row.try_get("at")?;
                let pause = Pause {
                    reason: row.try_get("reason")?,
                    officer: row.try_get("officer")?,
                    at: Timestamp::from_millisecond(at).map_err(|_| StoreError::Unknown {
                        what: "time of a pause",
                    })?,
                };
                Ok((row.try_get("source")?, pause))
            })
            .collect()
    }
}
