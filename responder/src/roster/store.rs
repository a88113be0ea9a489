//! The roster as kept: shifts, and the swaps made.

use std::collections::{BTreeMap, BTreeSet};

use backbone::id;
use jiff::Timestamp;
use sqlx::any::AnyRow;
use sqlx::{AnyConnection, Row};
use thiserror::Error;

use super::gap::{Gap, gaps};
use super::{Planned, Post, Shift};
use crate::case::StoreError;
use crate::event_edit::RECENT;
use crate::store::Store;

/// What became of a file.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Imported {
    /// Shifts added.
    pub added: usize,
    /// Shifts that were on the roster already.
    pub known: usize,
    /// Shifts taken off it.
    pub dropped: usize,
}

/// Two shifts that changed hands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Swap {
    /// Its id.
    pub id: String,
    /// Ids of the shifts.
    pub shifts: [String; 2],
    /// Who had them before.
    pub who: [String; 2],
    /// Who made the swap.
    pub by: String,
    /// Why.
    pub reason: String,
    /// When.
    pub at: Timestamp,
}

/// A swap was not made. The text is for the person who tried.
#[derive(Debug, Error)]
pub enum SwapError {
    /// One of the shifts is not on the roster of the region.
    #[error("值班表里没有这个班次：{0}")]
    NotFound(String),
    /// One of them is over.
    #[error("已经结束的班次不能调换")]
    Over,
    /// They are of different posts, or the same person's.
    #[error("只能调换同一岗位、不同人员的两个班次")]
    NotAlike,
    /// No reason was given.
    #[error("请写明调换的原因")]
    ReasonMissing,
    /// Someone else was faster.
    #[error("班次刚刚变动过，请刷新后再操作")]
    Stale,
    /// The store failed.
    #[error("案件库暂时不可用，请稍后再试")]
    Store(#[source] StoreError),
}

impl From<StoreError> for SwapError {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

impl From<sqlx::Error> for SwapError {
    fn from(error: sqlx::Error) -> Self {
        Self::Store(error.into())
    }
}

/// The roster.
#[derive(Debug, Clone)]
pub struct Roster {
    store: Store,
}

impl Roster {
    /// The roster of an opened store.
    #[must_use]
    pub fn new(store: Store) -> Self {
        Self { store }
    }

    /// Adds the shifts of a file to a region's roster, all of them or none. Those put down before stay as they are, swapped or not;
    /// with `replace`, of the posts in the file and from its first shift to its last, those that it does not have are taken off.
    ///
    /// # Errors
    /// When the store fails; nothing is changed then.
    pub async fn import(
        &self,
        region: &str,
        shifts: &[Planned],
        replace: bool,
        now: Timestamp,
    ) -> Result<Imported, StoreError> {
        let mut transaction = self.store.begin().await?;
        let mut imported = Imported::default();
        if replace {
            imported.dropped = drop_others(&mut transaction, region, shifts, now).await?;
        }
        for shift in shifts {
            let (from, until) = (shift.from.as_millisecond(), shift.until.as_millisecond());
            let added = sqlx::query(
                "INSERT INTO shifts (id, region, post, planned, who, starts_at, ends_at) \
                 VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT (id) DO UPDATE \
                 SET dropped_at = NULL, who = excluded.who WHERE shifts.dropped_at IS NOT NULL",
            )
            .bind(id_of(region, shift))
            .bind(region)
            .bind(shift.post.name())
            .bind(&shift.who)
            .bind(&shift.who)
            .bind(from)
            .bind(until)
            .execute(&mut *transaction)
            .await?
            .rows_affected();
            if added == 1 {
                imported.added += 1;
            } else {
                imported.known += 1;
            }
        }
        transaction.commit().await?;
        Ok(imported)
    }

    /// Who is on duty in a region at a moment, by post; of a post with several, the one who came last is first.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn on_duty(&self, region: &str, now: Timestamp) -> Result<Vec<Shift>, StoreError> {
        let mut everywhere = self.on_duty_by_region(now).await?;
        Ok(everywhere.remove(region).unwrap_or_default())
    }

    /// The same of all regions where somebody is on duty.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn on_duty_by_region(
        &self,
        now: Timestamp,
    ) -> Result<BTreeMap<String, Vec<Shift>>, StoreError> {
        let rows = sqlx::query(
            "SELECT * FROM shifts WHERE starts_at <= $1 AND ends_at > $2 AND dropped_at IS NULL \
             ORDER BY starts_at DESC, id",
        )
        .bind(now.as_millisecond())
        .bind(now.as_millisecond())
        .fetch_all(self.store.pool())
        .await?;
        let mut by_region: BTreeMap<String, Vec<Shift>> = BTreeMap::new();
        for row in &rows {
            let shift = read(row)?;
            by_region
                .entry(shift.region.clone())
                .or_default()
                .push(shift);
        }
        for shifts in by_region.values_mut() {
            shifts.sort_by_key(|shift| shift.post);
        }
        Ok(by_region)
    }

    /// The shifts of a region that lie in a time, the first first.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn between(
        &self,
        region: &str,
        from: Timestamp,
        until: Timestamp,
    ) -> Result<Vec<Shift>, StoreError> {
        let rows = sqlx::query(
            "SELECT * FROM shifts WHERE region = $1 AND starts_at < $2 AND ends_at > $3 AND dropped_at IS NULL \
             ORDER BY starts_at, post, id",
        )
        .bind(region)
        .bind(until.as_millisecond())
        .bind(from.as_millisecond())
        .fetch_all(self.store.pool())
        .await?;
        rows.iter().map(read).collect()
    }

    /// The times between two moments in which a post is no one's.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn gaps(
        &self,
        region: &str,
        from: Timestamp,
        until: Timestamp,
    ) -> Result<Vec<Gap>, StoreError> {
        let shifts = self.between(region, from, until).await?;
        Ok(gaps(&shifts, from, until))
    }

    /// Exchanges who has two shifts of a region. Where the last swap of them was the same one, by the same person for the
    /// same reason within [`RECENT`], it is the form sent twice: that swap.
    ///
    /// # Errors
    /// When they are not on the roster, are over, are of different posts or the same person's, no reason is given, or they
    /// have changed hands since.
    pub async fn swap(
        &self,
        region: &str,
        shifts: [&str; 2],
        by: &str,
        reason: &str,
        now: Timestamp,
    ) -> Result<Swap, SwapError> {
        let reason = reason.trim();
        if reason.is_empty() {
            return Err(SwapError::ReasonMissing);
        }
        let mut transaction = self.store.begin().await?;
        let first = find(&mut transaction, region, shifts[0]).await?;
        let second = find(&mut transaction, region, shifts[1]).await?;
        // After the shifts: who sees them swapped sees the swap, too.
        let again = |last: &Swap| {
            (last.shifts.each_ref().map(String::as_str), last.by.as_str()) == (shifts, by)
                && last.reason == reason
                && now.duration_since(last.at) < RECENT
        };
        let last = last_swap(&mut transaction, region, shifts).await?;
        if let Some(same) = last.filter(again) {
            return Ok(same);
        }
        if first.until <= now || second.until <= now {
            return Err(SwapError::Over);
        }
        if first.post != second.post || first.who == second.who {
            return Err(SwapError::NotAlike);
        }
        let mut changes = [(&first, &second), (&second, &first)];
        // In one order, so that two swaps of the same shifts do not wait for each other.
        changes.sort_by_key(|(shift, _)| &shift.id);
        for (shift, other) in changes {
            let changed = sqlx::query(
                "UPDATE shifts SET who = $1 WHERE id = $2 AND who = $3 AND dropped_at IS NULL",
            )
            .bind(&other.who)
            .bind(&shift.id)
            .bind(&shift.who)
            .execute(&mut *transaction)
            .await?
            .rows_affected();
            if changed == 0 {
                return Err(SwapError::Stale);
            }
        }
        let swap = Swap {
            id: id::of("swap", &[&first.id, &second.id, &now.to_string()]),
            shifts: [first.id, second.id],
            who: [first.who, second.who],
            by: by.to_owned(),
            reason: reason.to_owned(),
            at: time(now.as_millisecond())?,
        };
        insert(&mut transaction, region, &swap).await?;
        transaction.commit().await?;
        Ok(swap)
    }

    /// The swaps of a region, the newest first.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn swaps(&self, region: &str) -> Result<Vec<Swap>, StoreError> {
        let rows = sqlx::query("SELECT * FROM shift_swaps WHERE region = $1 ORDER BY at DESC, id")
            .bind(region)
            .fetch_all(self.store.pool())
            .await?;
        rows.iter().map(read_swap).collect()
    }
}

fn id_of(region: &str, shift: &Planned) -> String {
    let (from, until) = (shift.from.as_millisecond(), shift.until.as_millisecond());
    let (post, who) = (shift.post.name(), shift.who.as_str());
    id::of(
        "shift",
        &[region, post, who, &from.to_string(), &until.to_string()],
    )
}

/// Takes those off the roster that a new one for the same posts and time does not have.
async fn drop_others(
    connection: &mut AnyConnection,
    region: &str,
    shifts: &[Planned],
    now: Timestamp,
) -> Result<usize, StoreError> {
    let kept: BTreeSet<String> = shifts.iter().map(|shift| id_of(region, shift)).collect();
    let mut dropped = 0;
    for post in Post::ALL {
        let of_post = || shifts.iter().filter(|shift| shift.post == post);
        let first = of_post().map(|shift| shift.from).min();
        let last = of_post().map(|shift| shift.until).max();
        let (Some(first), Some(last)) = (first, last) else {
            continue;
        };
        let known: Vec<String> = sqlx::query_scalar(
            "SELECT id FROM shifts WHERE region = $1 AND post = $2 AND starts_at >= $3 AND starts_at < $4 \
             AND dropped_at IS NULL",
        )
        .bind(region)
        .bind(post.name())
        .bind(first.as_millisecond())
        .bind(last.as_millisecond())
        .fetch_all(&mut *connection)
        .await?;
        for id in known.iter().filter(|id| !kept.contains(*id)) {
            sqlx::query("UPDATE shifts SET dropped_at = $1 WHERE id = $2")
                .bind(now.as_millisecond())
                .bind(id)
                .execute(&mut *connection)
                .await?;
            dropped += 1;
        }
    }
    Ok(dropped)
}

async fn find(connection: &mut AnyConnection, region: &str, id: &str) -> Result<Shift, SwapError> {
    let row =
        sqlx::query("SELECT * FROM shifts WHERE region = $1 AND id = $2 AND dropped_at IS NULL")
            .bind(region)
            .bind(id)
            .fetch_optional(connection)
            .await?;
    let row = row.ok_or_else(|| SwapError::NotFound(id.to_owned()))?;
    Ok(read(&row)?)
}

/// The newest swap of either of two shifts.
async fn last_swap(
    connection: &mut AnyConnection,
    region: &str,
    [first, second]: [&str; 2],
) -> Result<Option<Swap>, StoreError> {
    let row = sqlx::query(
        "SELECT * FROM shift_swaps WHERE region = $1 AND (first_shift IN ($2, $3) OR second_shift IN ($2, $3)) \
         ORDER BY at DESC, id LIMIT 1",
    )
    .bind(region)
    .bind(first)
    .bind(second)
    .fetch_optional(connection)
    .await?;
    row.as_ref().map(read_swap).transpose()
}

async fn insert(
    connection: &mut AnyConnection,
    region: &str,
    swap: &Swap,
) -> Result<(), StoreError> {
    sqlx::query(
        "INSERT INTO shift_swaps (id, region, first_shift, second_shift, first_who, second_who, made_by, reason, at) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
    )
    .bind(&swap.id)
    .bind(region)
    .bind(&swap.shifts[0])
    .bind(&swap.shifts[1])
    .bind(&swap.who[0])
    .bind(&swap.who[1])
    .bind(&swap.by)
    .bind(&swap.reason)
    .bind(swap.at.as_millisecond())
    .execute(connection)
    .await?;
    Ok(())
}

fn time(milliseconds: i64) -> Result<Timestamp, StoreError> {
    Timestamp::from_millisecond(milliseconds).map_err(|_| StoreError::Unknown { what: "time" })
}

fn read(row: &AnyRow) -> Result<Shift, StoreError> {
    Ok(Shift {
        id: row.try_get("id")?,
        region: row.try_get("region")?,
        post: Post::named(row.try_get("post")?).ok_or(StoreError::Unknown { what: "post" })?,
        planned: row.try_get("planned")?,
        who: row.try_get("who")?,
        from: time(row.try_get("starts_at")?)?,
        until: time(row.try_get("ends_at")?)?,
    })
}

fn read_swap(row: &AnyRow) -> Result<Swap, StoreError> {
    Ok(Swap {
        id: row.try_get("id")?,
        shifts: [row.try_get("first_shift")?, row.try_get("second_shift")?],
        who: [row.try_get("first_who")?, row.try_get("second_who")?],
        by: row.try_get("made_by")?,
        reason: row.try_get("reason")?,
        at: time(row.try_get("at")?)?,
    })
}
