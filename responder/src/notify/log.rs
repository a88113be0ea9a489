//! The log of notices: what is to be sent, each try, and what was sent to whom when. A try is written down before it is
//! made and a notice is claimed for it, so that two responders do not send the same one, and one that was killed between
//! sending and writing down is known to have been under way.

use backbone::region::Reach;
use jiff::Timestamp;
use sqlx::any::AnyRow;
use sqlx::{AnyConnection, Row};

use super::rate::Recent;
use super::{Addressee, Notice, State};
use crate::case::StoreError;
use crate::store::Store;

/// The condition that a notice `n` is the first of its line that is not done with.
pub(super) const FIRST: &str = "NOT EXISTS (SELECT 1 FROM notices earlier WHERE earlier.line = n.line \
     AND earlier.number < n.number AND earlier.state IN ('queued', 'sending', 'folded'))";

/// Queues a notice in the transaction of what causes it. One of the same id is queued once.
///
/// # Errors
/// When the store fails.
pub async fn queue(
    connection: &mut AnyConnection,
    notice: &Notice,
    now: Timestamp,
) -> Result<(), StoreError> {
    let folds = notice.body.kind().folds() && notice.body.level() > 2;
    sqlx::query(
        "INSERT INTO notices (id, about, kind, region, unit, contact, line, level, folds, body, reach, reach_left, channel, \
         recipient, state, attempts, attempts_here, problem, queued_at, due_at, updated_at, claimed_by) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, 'queued', 0, 0, '', $15, $16, $17, '') \
         ON CONFLICT (id) DO NOTHING",
    )
    .bind(&notice.id)
    .bind(&notice.about)
    .bind(notice.body.kind().name())
    .bind(&notice.addressee.region)
    .bind(&notice.addressee.unit)
    .bind(&notice.addressee.contact)
    .bind(notice.line())
    .bind(i64::from(notice.body.level()))
    .bind(i64::from(folds))
    .bind(json(&notice.body)?)
    .bind(json(&notice.reach)?)
    .bind(left(&notice.reach))
    .bind(notice.channel())
    .bind(notice.recipient())
    .bind(now.as_millisecond())
    .bind(now.as_millisecond())
    .bind(now.as_millisecond())
    .execute(connection)
    .await?;
    Ok(())
}

/// The notices of a case, the newest first.
///
/// # Errors
/// When the store fails.
pub async fn of_case(store: &Store, case: &str) -> Result<Vec<Notice>, StoreError> {
    let rows = sqlx::query("SELECT * FROM notices WHERE about = $1 ORDER BY number DESC")
        .bind(case)
        .fetch_all(store.pool())
        .await?;
    rows.iter().map(read).collect()
}

/// A try to send a notice.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Try {
    /// Which of the notice's tries, from 1.
    pub number: u32,
    /// By which channel.
    pub channel: String,
    /// To whom of those it reaches.
    pub recipient: String,
    /// When it began.
    pub began_at: Timestamp,
    /// When it ended; absent while it is under way, and where nobody knows how it ended.
    pub ended_at: Option<Timestamp>,
    /// `sent`, `refused` or `busy`; `interrupted` where nobody knows, empty while it is under way.
    pub outcome: String,
    /// Why it was not taken.
    pub problem: String,
    /// What was sent, as plain text.
    pub text: String,
}

/// The tries to send a notice, the first first; of one that went out as part of another, that one's.
///
/// # Errors
/// When the store fails.
pub async fn tries(store: &Store, notice: &str) -> Result<Vec<Try>, StoreError> {
    let rows = sqlx::query(
        "SELECT * FROM notice_tries WHERE notice = $1 \
         OR notice = (SELECT folded_into FROM notices WHERE id = $2) ORDER BY began_at, number",
    )
    .bind(notice)
    .bind(notice)
    .fetch_all(store.pool())
    .await?;
    rows.iter()
        .map(|row| {
            Ok(Try {
                number: count(row, "number")?,
                channel: row.try_get("channel")?,
                recipient: row.try_get("recipient")?,
                began_at: time(row.try_get("began_at")?)?,
                ended_at: row
                    .try_get::<Option<i64>, _>("ended_at")?
                    .map(time)
                    .transpose()?,
                outcome: row.try_get("outcome")?,
                problem: row.try_get("problem")?,
                text: row.try_get("text")?,
            })
        })
        .collect()
}

/// The notices that a channel can send now, the gravest first, then the oldest: those due, and those whose responder did
/// not come back from sending.
pub(super) async fn due(
    store: &Store,
    channel: &str,
    now: Timestamp,
) -> Result<Vec<Notice>, StoreError> {
    // Safe: the condition is this program's own.
    let statement = sqlx::AssertSqlSafe(format!(
        "SELECT * FROM notices n WHERE n.channel = $1 AND ((n.state = 'queued' AND n.due_at <= $2) \
         OR (n.state = 'sending' AND n.claimed_until < $3)) AND {FIRST} ORDER BY n.level, n.number LIMIT 50"
    ));
    let rows = sqlx::query(statement)
        .bind(channel)
        .bind(now.as_millisecond())
        .bind(now.as_millisecond())
        .fetch_all(store.pool())
        .await?;
    rows.iter().map(read).collect()
}

/// The tries by a channel since a time, the newest 1,000.
pub(super) async fn recent(
    store: &Store,
    channel: &str,
    since: Timestamp,
) -> Result<Vec<Recent>, StoreError> {
    let rows = sqlx::query(
        "SELECT began_at, recipient FROM notice_tries WHERE channel = $1 AND began_at > $2 \
         ORDER BY began_at DESC LIMIT 1000",
    )
    .bind(channel)
    .bind(since.as_millisecond())
    .fetch_all(store.pool())
    .await?;
    rows.iter()
        .map(|row| {
            Ok(Recent {
                at: time(row.try_get("began_at")?)?,
                to: row.try_get("recipient")?,
            })
        })
        .collect()
}

/// How many notices wait for each channel.
///
/// # Errors
/// When the store fails.
pub async fn waiting(store: &Store) -> Result<Vec<(String, i64)>, StoreError> {
    Ok(sqlx::query_as(
        "SELECT channel, count(*) FROM notices WHERE state IN ('queued', 'sending') GROUP BY channel",
    )
    .fetch_all(store.pool())
    .await?)
}

/// How many notices were given up since a time, by the channel that was tried last.
///
/// # Errors
/// When the store fails.
pub async fn failed_since(
    store: &Store,
    since: Timestamp,
) -> Result<Vec<(String, i64)>, StoreError> {
    Ok(sqlx::query_as(
        "SELECT channel, count(*) FROM notices WHERE state = 'failed' AND updated_at >= $1 GROUP BY channel",
    )
    .bind(since.as_millisecond())
    .fetch_all(store.pool())
    .await?)
}

/// The newest notices to a unit, the newest first.
///
/// # Errors
/// When the store fails.
pub async fn of_unit(
    store: &Store,
    region: &str,
    unit: &str,
    most: u32,
) -> Result<Vec<Notice>, StoreError> {
    let rows = sqlx::query(
        "SELECT * FROM notices WHERE region = $1 AND unit = $2 ORDER BY number DESC LIMIT $3",
    )
    .bind(region)
    .bind(unit)
    .bind(i64::from(most))
    .fetch_all(store.pool())
    .await?;
    rows.iter().map(read).collect()
}

/// A claim on a notice: this responder sends it, and no other does before `until`.
#[derive(Debug, Clone, Copy)]
pub(super) struct Claim<'a> {
    /// Which responder.
    pub(super) by: &'a str,
    /// Until when.
    pub(super) until: Timestamp,
}

/// Claims a notice and writes its next try down; says whether it could be claimed.
pub(super) async fn claim(
    store: &Store,
    notice: &Notice,
    claim: Claim<'_>,
    text: &str,
    now: Timestamp,
) -> Result<bool, StoreError> {
    let mut transaction = store.begin().await?;
    let claimed = sqlx::query(
        "UPDATE notices SET state = 'sending', claimed_by = $1, claimed_until = $2, attempts = attempts + 1, \
         attempts_here = attempts_here + 1, updated_at = $3 \
         WHERE id = $4 AND attempts = $5 AND (state = 'queued' OR (state = 'sending' AND claimed_until < $6))",
    )
    .bind(claim.by)
    .bind(claim.until.as_millisecond())
    .bind(now.as_millisecond())
    .bind(&notice.id)
    .bind(i64::from(notice.attempts))
    .bind(now.as_millisecond())
    .execute(&mut *transaction)
    .await?
    .rows_affected();
    if claimed == 0 {
        return Ok(false);
    }
    sqlx::query(
        "UPDATE notice_tries SET outcome = 'interrupted' WHERE notice = $1 AND outcome = ''",
    )
    .bind(&notice.id)
    .execute(&mut *transaction)
    .await?;
    sqlx::query(
        "INSERT INTO notice_tries (notice, number, channel, recipient, began_at, outcome, problem, text) \
         VALUES ($1, $2, $3, $4, $5, '', '', $6)",
    )
    .bind(&notice.id)
    .bind(i64::from(notice.attempts) + 1)
    .bind(notice.channel())
    .bind(notice.recipient())
    .bind(now.as_millisecond())
    .bind(text)
    .execute(&mut *transaction)
    .await?;
    transaction.commit().await?;
    Ok(true)
}

/// What follows a try.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Next {
    /// It was taken.
    Sent,
    /// It is tried again by the same way from then on.
    Again(Timestamp),
    /// It is tried by the ways given.
    By(Vec<Reach>),
    /// It is given up.
    GivenUp,
}

/// How a try ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Ended {
    /// As in [`Try`].
    pub(super) outcome: &'static str,
    /// Why it was not taken.
    pub(super) problem: String,
    /// What follows.
    pub(super) next: Next,
}

/// Writes down how a try ended; says whether the claim still held.
pub(super) async fn settle(
    store: &Store,
    notice: &Notice,
    claimant: &str,
    ended: &Ended,
    now: Timestamp,
) -> Result<bool, StoreError> {
    let mut transaction = store.begin().await?;
    let number = i64::from(notice.attempts) + 1;
    sqlx::query(
        "UPDATE notice_tries SET ended_at = $1, outcome = $2, problem = $3 WHERE notice = $4 AND number = $5",
    )
    .bind(now.as_millisecond())
    .bind(ended.outcome)
    .bind(&ended.problem)
    .bind(&notice.id)
    .bind(number)
    .execute(&mut *transaction)
    .await?;
    let from = From {
        state: State::Sending,
        claimed_by: claimant,
        attempts: number,
    };
    let held = change(
        &mut transaction,
        notice,
        from,
        &ended.problem,
        &ended.next,
        now,
    )
    .await?;
    transaction.commit().await?;
    Ok(held)
}

/// Takes a notice that waits to other ways, or gives it up, without a try.
pub(super) async fn redirect(
    store: &Store,
    notice: &Notice,
    problem: &str,
    next: &Next,
    now: Timestamp,
) -> Result<bool, StoreError> {
    let mut transaction = store.begin().await?;
    let from = From {
        state: State::Queued,
        claimed_by: "",
        attempts: i64::from(notice.attempts),
    };
    let done = change(&mut transaction, notice, from, problem, next, now).await?;
    transaction.commit().await?;
    Ok(done)
}

/// How a notice must be for a change to be made: nobody else changed it since.
#[derive(Debug, Clone, Copy)]
struct From<'a> {
    state: State,
    claimed_by: &'a str,
    attempts: i64,
}

/// Brings a notice to what follows, and with it those folded into it.
async fn change(
    connection: &mut AnyConnection,
    notice: &Notice,
    from: From<'_>,
    problem: &str,
    next: &Next,
    now: Timestamp,
) -> Result<bool, StoreError> {
    let (state, due, reach) = match next {
        Next::Sent => (State::Sent, now, &notice.reach),
        Next::Again(due) => (State::Queued, *due, &notice.reach),
        Next::By(reach) => (State::Queued, now, reach),
        Next::GivenUp => (State::Failed, now, &notice.reach),
    };
    let elsewhere = matches!(next, Next::By(_));
    let first = reach.first();
    let changed = sqlx::query(
        "UPDATE notices SET state = $1, problem = $2, due_at = $3, reach = $4, reach_left = $5, channel = $6, recipient = $7, \
         attempts_here = CASE WHEN $8 = 1 THEN 0 ELSE attempts_here END, updated_at = $9, claimed_by = '', claimed_until = NULL \
         WHERE id = $10 AND state = $11 AND claimed_by = $12 AND attempts = $13",
    )
    .bind(state.name())
    .bind(problem)
    .bind(due.as_millisecond())
    .bind(json(reach)?)
    .bind(left(reach))
    .bind(first.map_or("", |reach| reach.channel.as_str()))
    .bind(first.map_or("", |reach| reach.to.as_str()))
    .bind(i64::from(elsewhere))
    .bind(now.as_millisecond())
    .bind(&notice.id)
    .bind(from.state.name())
    .bind(from.claimed_by)
    .bind(from.attempts)
    .execute(&mut *connection)
    .await?
    .rows_affected();
    if changed == 1 && matches!(state, State::Sent | State::Failed) {
        sqlx::query(
            "UPDATE notices SET state = $1, problem = $2, channel = $3, recipient = $4, updated_at = $5 \
             WHERE folded_into = $6 AND state = 'folded'",
        )
        .bind(state.name())
        .bind(problem)
        .bind(first.map_or("", |reach| reach.channel.as_str()))
        .bind(first.map_or("", |reach| reach.to.as_str()))
        .bind(now.as_millisecond())
        .bind(&notice.id)
        .execute(&mut *connection)
        .await?;
    }
    Ok(changed == 1)
}

/// The notices that wait for a channel and have another way, at most 200.
pub(super) async fn with_another_way(
    store: &Store,
    channel: &str,
) -> Result<Vec<Notice>, StoreError> {
    let rows = sqlx::query(
        "SELECT * FROM notices WHERE channel = $1 AND state = 'queued' AND reach_left > 0 ORDER BY number LIMIT 200",
    )
    .bind(channel)
    .fetch_all(store.pool())
    .await?;
    rows.iter().map(read).collect()
}

/// The notices that wait for a channel since before a time, at most 200.
pub(super) async fn waiting_since(
    store: &Store,
    channel: &str,
    before: Timestamp,
) -> Result<Vec<Notice>, StoreError> {
    let rows = sqlx::query(
        "SELECT * FROM notices WHERE channel = $1 AND state = 'queued' AND queued_at < $2 ORDER BY number LIMIT 200",
    )
    .bind(channel)
    .bind(before.as_millisecond())
    .fetch_all(store.pool())
    .await?;
    rows.iter().map(read).collect()
}

fn left(reach: &[Reach]) -> i64 {
    i64::try_from(reach.len().saturating_sub(1)).unwrap_or(i64::MAX)
}

fn json(value: &impl serde::Serialize) -> Result<String, StoreError> {
    Ok(serde_json::to_string(value).map_err(|error| sqlx::Error::Encode(error.into()))?)
}

fn time(milliseconds: i64) -> Result<Timestamp, StoreError> {
    Timestamp::from_millisecond(milliseconds).map_err(|_| StoreError::Unknown { what: "time" })
}

fn count(row: &AnyRow, column: &str) -> Result<u32, StoreError> {
    Ok(u32::try_from(row.try_get::<i64, _>(column)?).unwrap_or(u32::MAX))
}

pub(super) fn read(row: &AnyRow) -> Result<Notice, StoreError> {
    Ok(Notice {
        id: row.try_get("id")?,
        about: row.try_get("about")?,
        addressee: Addressee {
            region: row.try_get("region")?,
            unit: row.try_get("unit")?,
            contact: row.try_get("contact")?,
        },
        reach: serde_json::from_str(row.try_get("reach")?).map_err(|_| StoreError::Unknown {
            what: "way to reach someone",
        })?,
        state: State::named(row.try_get("state")?).ok_or(StoreError::Unknown {
            what: "state of a notice",
        })?,
        attempts: count(row, "attempts")?,
        attempts_here: count(row, "attempts_here")?,
        problem: row.try_get("problem")?,
        queued_at: time(row.try_get("queued_at")?)?,
        updated_at: time(row.try_get("updated_at")?)?,
        body: serde_json::from_str(row.try_get("body")?)
            .map_err(|_| StoreError::Unknown { what: "notice" })?,
    })
}
