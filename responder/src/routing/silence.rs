//! Silences: a duty officer holds the notices of some matters back for a while, and says why. The cases are opened all
//! the same. Kept for good, so that it can be seen later who silenced what.

use backbone::id;
use backbone::region::Region;
use backbone::settings::Flaw;
use jiff::Timestamp;
use serde::Serialize;
use sqlx::any::AnyRow;
use sqlx::{AssertSqlSafe, Row};
use thiserror::Error;

use super::matching::Match;
use crate::case::StoreError;
use crate::store::{Store, parameters};

/// What a duty officer asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewSilence {
    /// Code of the region.
    pub region: String,
    /// Who asks for it.
    pub author: String,
    /// Why.
    pub reason: String,
    /// Which matters.
    pub matches: Match,
    /// Its begin.
    pub from: Timestamp,
    /// Its end.
    pub until: Timestamp,
}

/// A silence as it stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Silence {
    /// Its id.
    pub id: String,
    /// Code of the region.
    pub region: String,
    /// Who made it.
    pub author: String,
    /// Why.
    pub reason: String,
    /// Which matters.
    pub matches: Match,
    /// Its begin.
    pub from: Timestamp,
    /// Its end.
    pub until: Timestamp,
    /// When it was made.
    pub made_at: Timestamp,
    /// When it was ended before its time, and by whom.
    pub expired: Option<(Timestamp, String)>,
}

impl Silence {
    /// Whether it holds notices back.
    #[must_use]
    pub fn is_active(&self, now: Timestamp) -> bool {
        self.expired.is_none() && self.from <= now && now < self.until
    }
}

/// A silence was not made or ended. The text is for the person who tried.
#[derive(Debug, Error)]
pub enum SilenceError {
    /// No reason was given.
    #[error("请写明静默的理由")]
    ReasonMissing,
    /// It has no conditions.
    #[error("请至少设一个条件，不能静默全部事项")]
    Everything,
    /// A condition names what there is not.
    #[error("条件有误：{}", .0.told())]
    Condition(Flaw),
    /// It ends before it begins, or has ended already.
    #[error("结束时间应晚于开始时间和现在")]
    Over,
    /// There is none of that id that could be ended.
    #[error("没有这个静默，或已经结束")]
    NotFound,
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl From<sqlx::Error> for SilenceError {
    fn from(error: sqlx::Error) -> Self {
        Self::Store(error.into())
    }
}

/// The silences.
#[derive(Debug, Clone)]
pub struct Silences {
    store: Store,
}

impl Silences {
    /// The silences of an opened store.
    #[must_use]
    pub fn new(store: Store) -> Self {
        Self { store }
    }

    /// Makes a silence of a region.
    ///
    /// # Errors
    /// When it lacks a reason or a condition, is over, names what there is not, or the store fails.
    pub async fn add(
        &self,
        new: &NewSilence,
        region: &Region,
        now: Timestamp,
    ) -> Result<Silence, SilenceError> {
        let reason = new.reason.trim();
        if reason.is_empty() {
            return Err(SilenceError::ReasonMissing);
        }
        if new.matches.is_empty() {
            return Err(SilenceError::Everything);
        }
        new.matches
            .check("matches", region)
            .into_iter()
            .next()
            .map_or(Ok(()), |flaw| Err(SilenceError::Condition(flaw)))?;
        if new.until <= new.from || new.until <= now {
            return Err(SilenceError::Over);
        }
        let matches = serde_json::to_string(&new.matches)
            .map_err(|error| sqlx::Error::Encode(error.into()))?;
        let (from, until) = (new.from.as_millisecond(), new.until.as_millisecond());
        let id = id::of(
            "silence",
            &[
                &new.region,
                &new.author,
                reason,
                &matches,
                &from.to_string(),
                &until.to_string(),
                &now.to_string(),
            ],
        );
        sqlx::query(
            "INSERT INTO silences (id, region, author, reason, matches, starts_at, ends_at, made_at, expired_by) \
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, '') ON CONFLICT DO NOTHING",
        )
        .bind(&id)
        .bind(&new.region)
        .bind(&new.author)
        .bind(reason)
        .bind(matches)
        .bind(from)
        .bind(until)
        .bind(now.as_millisecond())
        .execute(self.store.pool())
        .await?;
        let row = sqlx::query("SELECT * FROM silences WHERE id = $1")
            .bind(&id)
            .fetch_one(self.store.pool())
            .await?;
        Ok(read(&row)?)
    }

    /// Ends a silence of a region before its time.
    ///
    /// # Errors
    /// When there is none that has not ended, or the store fails.
    pub async fn expire(
        &self,
        region: &str,
        id: &str,
        by: &str,
        now: Timestamp,
    ) -> Result<(), SilenceError> {
        let ended = sqlx::query(
            "UPDATE silences SET expired_at = $1, expired_by = $2 \
             WHERE id = $3 AND region = $4 AND expired_at IS NULL AND ends_at > $5",
        )
        .bind(now.as_millisecond())
        .bind(by)
        .bind(id)
        .bind(region)
        .bind(now.as_millisecond())
        .execute(self.store.pool())
        .await?
        .rows_affected();
        if ended == 0 {
            return Err(SilenceError::NotFound);
        }
        Ok(())
    }

    /// All silences of a region, the newest first, those that have ended too.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn list(&self, region: &str) -> Result<Vec<Silence>, StoreError> {
        let rows =
            sqlx::query("SELECT * FROM silences WHERE region = $1 ORDER BY made_at DESC, id")
                .bind(region)
                .fetch_all(self.store.pool())
                .await?;
        rows.iter().map(read).collect()
    }

    /// Those of some regions that hold notices back now.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn active(
        &self,
        regions: &[&str],
        now: Timestamp,
    ) -> Result<Vec<Silence>, StoreError> {
        if regions.is_empty() {
            return Ok(Vec::new());
        }
        // Safe: of this program's own words.
        let statement = AssertSqlSafe(format!(
            "SELECT * FROM silences WHERE region IN ({}) AND starts_at <= ${now} AND ends_at > ${now} \
             AND expired_at IS NULL ORDER BY ends_at, id",
            parameters(regions.len()),
            now = regions.len() + 1,
        ));
        let mut query = sqlx::query(statement);
        for region in regions {
            query = query.bind(*region);
        }
        let query = query.bind(now.as_millisecond());
        let rows = query.fetch_all(self.store.pool()).await?;
        rows.iter().map(read).collect()
    }
}

fn read(row: &AnyRow) -> Result<Silence, StoreError> {
    let time = |milliseconds: i64| {
        Timestamp::from_millisecond(milliseconds).map_err(|_| StoreError::Unknown { what: "time" })
    };
    let expired: Option<i64> = row.try_get("expired_at")?;
    let expired_by: String = row.try_get("expired_by")?;
    Ok(Silence {
        id: row.try_get("id")?,
        region: row.try_get("region")?,
        author: row.try_get("author")?,
        reason: row.try_get("reason")?,
        matches: serde_json::from_str(row.try_get("matches")?)
            .map_err(|_| StoreError::Unknown { what: "silence" })?,
        from: time(row.try_get("starts_at")?)?,
        until: time(row.try_get("ends_at")?)?,
        made_at: time(row.try_get("made_at")?)?,
        expired: expired.map(time).transpose()?.map(|at| (at, expired_by)),
    })
}
