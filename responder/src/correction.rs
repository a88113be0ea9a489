//! Corrections: what duty officers say instead of the analyzer, kept so that its models can be trained on them
//! (`responder corrections`, then `analyzer train --corrections`).

use std::io::Write;

use backbone::clickhouse::rows::AssessmentRow;
use backbone::message::{APPEALS, Polarity};
use backbone::region::{Region, SUBJECTS};
use jiff::Timestamp;
use serde::Serialize;
use thiserror::Error;

use crate::case::StoreError;
use crate::store::{Store, parameters};

/// What is corrected of a post. Empty is what stands as the analyzer found it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, sqlx::FromRow)]
pub struct Correction {
    /// The post.
    pub post_id: String,
    /// Its region.
    pub region: String,
    /// Its title, masked as the archive has it.
    pub title: String,
    /// Its text, likewise.
    pub text: String,
    /// Whether it concerns the region: `yes` or `no`.
    pub relevant: String,
    /// `negative`, `neutral` or `positive`.
    pub sentiment: String,
    /// One of [`APPEALS`].
    pub appeal: String,
    /// One of [`SUBJECTS`].
    pub subject: String,
    /// Code of the unit that leads.
    pub unit: String,
}

/// A correction that is kept, and who made it.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct Kept {
    /// The correction.
    #[sqlx(flatten)]
    pub correction: Correction,
    /// The officer's name to sign in with.
    pub officer: String,
    /// When, in milliseconds since 1970.
    pub at: i64,
}

/// A correction was not kept.
#[derive(Debug, Error)]
pub enum CorrectionError {
    /// A field has a value that none of its choices has.
    #[error("没有“{0}”这个选项")]
    Unknown(String),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl From<sqlx::Error> for CorrectionError {
    fn from(error: sqlx::Error) -> Self {
        Self::Store(error.into())
    }
}

impl Correction {
    /// Whether nothing is corrected.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        let said = [
            &self.relevant,
            &self.sentiment,
            &self.appeal,
            &self.subject,
            &self.unit,
        ];
        said.into_iter().all(String::is_empty)
    }

    /// What says that the analyzer read a post rightly: all that it found, as far as there still is such a choice.
    #[must_use]
    pub fn confirming(row: &AssessmentRow, region: Option<&Region>) -> Self {
        let choice = |found: &str, choices: &[&str]| {
            let known = Some(found).filter(|found| choices.contains(found));
            known.unwrap_or_default().to_owned()
        };
        let is_unit = |code: &&String| region.is_some_and(|region| region.unit(code).is_some());
        Self {
            relevant: if row.relevant { "yes" } else { "no" }.to_owned(),
            sentiment: row.sentiment.clone(),
            appeal: choice(&row.appeal, &APPEALS),
            subject: choice(&row.subject, &SUBJECTS),
            unit: (row.units.first().filter(is_unit))
                .cloned()
                .unwrap_or_default(),
            ..Self::of(row)
        }
    }

    /// What says that a post does not concern its region.
    #[must_use]
    pub fn dismissing(row: &AssessmentRow) -> Self {
        Self {
            relevant: "no".to_owned(),
            ..Self::of(row)
        }
    }

    /// One that says nothing of a post yet.
    #[must_use]
    pub fn of(row: &AssessmentRow) -> Self {
        Self {
            post_id: row.post_id.clone(),
            region: row.region.clone(),
            title: row.title.clone(),
            text: row.text.clone(),
            ..Self::default()
        }
    }

    /// Whether it says of a post just what the analyzer found in it.
    #[must_use]
    pub fn confirms(&self, row: &AssessmentRow, region: Option<&Region>) -> bool {
        *self
            == Self {
                title: self.title.clone(),
                text: self.text.clone(),
                ..Self::confirming(row, region)
            }
    }

    fn check(&self, region: Option<&Region>) -> Result<(), CorrectionError> {
        let has_unit = region.is_some_and(|region| region.unit(&self.unit).is_some());
        let choices = [
            (
                &self.relevant,
                ["yes", "no"].contains(&self.relevant.as_str()),
            ),
            (&self.sentiment, Polarity::named(&self.sentiment).is_some()),
            (&self.appeal, APPEALS.contains(&self.appeal.as_str())),
            (&self.subject, SUBJECTS.contains(&self.subject.as_str())),
            (&self.unit, has_unit),
        ];
        match choices
            .into_iter()
            .find(|(value, known)| !value.is_empty() && !known)
        {
            Some((value, _)) => Err(CorrectionError::Unknown(value.clone())),
            None => Ok(()),
        }
    }
}

/// The corrections of a store.
#[derive(Debug, Clone)]
pub struct Corrections {
    store: Store,
}

impl Corrections {
    /// The corrections of an opened store.
    #[must_use]
    pub fn new(store: Store) -> Self {
        Self { store }
    }

    /// Keeps a correction instead of the one that there may be of the post; an empty one takes that back. `region`
    /// is the post's.
    ///
    /// # Errors
    /// When a value is none of the choices, or the store fails; nothing is changed then.
    pub async fn keep(
        &self,
        correction: &Correction,
        region: Option<&Region>,
        officer: &str,
        now: Timestamp,
    ) -> Result<(), CorrectionError> {
        correction.check(region)?;
        if correction.is_empty() {
            sqlx::query("DELETE FROM corrections WHERE post_id = $1")
                .bind(&correction.post_id)
                .execute(self.store.pool())
                .await?;
            return Ok(());
        }
        sqlx::query("INSERT INTO corrections (post_id, region, title, text, relevant, sentiment, appeal, subject, unit, officer, at) \
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11) ON CONFLICT (post_id) DO UPDATE SET \
             region = excluded.region, title = excluded.title, text = excluded.text, relevant = excluded.relevant, \
             sentiment = excluded.sentiment, appeal = excluded.appeal, subject = excluded.subject, unit = excluded.unit, \
             officer = excluded.officer, at = excluded.at",
        )
            .bind(&correction.post_id)
            .bind(&correction.region)
            .bind(&correction.title)
            .bind(&correction.text)
            .bind(&correction.relevant)
            .bind(&correction.sentiment)
            .bind(&correction.appeal)
            .bind(&correction.subject)
            .bind(&correction.unit)
            .bind(officer)
            .bind(now.as_millisecond())
            .execute(self.store.pool())
            .await?;
        Ok(())
    }

    /// The correction of a post.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn of(&self, post_id: &str) -> Result<Option<Kept>, CorrectionError> {
        let kept = sqlx::query_as("SELECT * FROM corrections WHERE post_id = $1")
            .bind(post_id)
            .fetch_optional(self.store.pool())
            .await?;
        Ok(kept)
    }

    /// The corrections that there are of some posts.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn of_all(&self, post_ids: &[&str]) -> Result<Vec<Kept>, CorrectionError> {
        if post_ids.is_empty() {
            return Ok(Vec::new());
        }
        let statement = format!(
            "SELECT * FROM corrections WHERE post_id IN ({})",
            parameters(post_ids.len())
        );
        let query = (post_ids.iter()).fold(
            sqlx::query_as(sqlx::AssertSqlSafe(statement)),
            |query, id| query.bind((*id).to_owned()),
        );
        Ok(query.fetch_all(self.store.pool()).await?)
    }

    /// Writes every correction as a line of JSON, the oldest first, without who made it.
    ///
    /// # Errors
    /// When the store or the writing fails.
    pub async fn write(&self, out: &mut impl Write) -> anyhow::Result<()> {
        let all: Vec<Kept> = sqlx::query_as("SELECT * FROM corrections ORDER BY at, post_id")
            .fetch_all(self.store.pool())
            .await?;
        for kept in all {
            serde_json::to_writer(&mut *out, &kept.correction)?;
            writeln!(out)?;
        }
        Ok(())
    }
}
