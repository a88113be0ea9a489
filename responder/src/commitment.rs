//! Commitments 承诺事项: what a unit promised in a reply by a date. Found in the reply's text ([`promises`], which only reads), kept
//! here until it is kept, broken or withdrawn, with what shows it. Before the date its unit is reminded, after it the commitment is
//! broken and escalates; each happens once, though two responders look at the same moment.

mod promise;

use backbone::id;
use jiff::civil::Date;
use jiff::{SignedDuration, Timestamp};
use sqlx::any::AnyRow;
use sqlx::{AnyConnection, AnyPool, Row};
use thiserror::Error;

pub use promise::{Promise, promises};

use crate::calendar::Calendar;
use crate::case::{Actor, Case, Role, StoreError};
use crate::clock::CHINA;
use crate::store::{Conditions, Store};

/// Most characters of what is promised, of a proof and of a reason.
pub const LONGEST: usize = 1_000;
/// Most commitments that are reminded of, or escalate, at a time.
const AT_A_TIME: u32 = 200;

/// Where a commitment stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum State {
    /// 进行中: neither kept nor past its date.
    Open,
    /// 已兑现: kept, with proof.
    Kept,
    /// 逾期未兑现: past its date.
    Broken,
    /// 已撤回: withdrawn, with a reason.
    Withdrawn,
}

impl State {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Open, Self::Kept, Self::Broken, Self::Withdrawn];

    /// The name in the store.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Kept => "kept",
            Self::Broken => "broken",
            Self::Withdrawn => "withdrawn",
        }
    }

    /// The name on pages.
    #[must_use]
    pub fn title(self) -> &'static str {
        match self {
            Self::Open => "进行中",
            Self::Kept => "已兑现",
            Self::Broken => "逾期未兑现",
            Self::Withdrawn => "已撤回",
        }
    }

    /// The state of that name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.name() == name)
    }
}

/// A commitment to keep.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewCommitment {
    /// Id of the case in whose reply it was made.
    pub case_id: String,
    /// Code of the case's region.
    pub region: String,
    /// What is promised.
    pub what: String,
    /// Code of the unit that promised it.
    pub unit: String,
    /// The last day on which it is kept in time.
    pub due: Date,
}

/// A commitment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Commitment {
    /// Its id, by its case, what is promised and the date: found again, it is the same.
    pub id: String,
    /// Id of the case in whose reply it was made.
    pub case_id: String,
    /// Code of the case's region.
    pub region: String,
    /// What is promised.
    pub what: String,
    /// Code of the unit that promised it.
    pub unit: String,
    /// When the last day on which it is kept in time is over.
    pub due_at: Timestamp,
    /// Where it stands.
    pub state: State,
    /// What shows that it was kept.
    pub proof: String,
    /// Id of the attachment that shows it; may be empty.
    pub attachment: String,
    /// Why it was withdrawn.
    pub reason: String,
    /// The account that added it.
    pub added_by: String,
    /// When.
    pub added_at: Timestamp,
    /// The account that kept or withdrew it.
    pub ended_by: String,
    /// When.
    pub ended_at: Option<Timestamp>,
    /// When its unit was reminded.
    pub reminded_at: Option<Timestamp>,
    /// When it was found broken; stays when it is kept late.
    pub escalated_at: Option<Timestamp>,
}

impl Commitment {
    /// The last day on which it is kept in time.
    #[must_use]
    pub fn due(&self) -> Date {
        CHINA
            .to_datetime(self.due_at - SignedDuration::from_secs(1))
            .date()
    }
}

/// Which commitments are asked for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Query {
    /// Only this region; all where empty.
    pub region: String,
    /// Only this unit's; all where empty.
    pub unit: String,
    /// Only this case's; all where empty.
    pub case_id: String,
    /// Only this state.
    pub state: Option<State>,
    /// How many to pass over.
    pub offset: u32,
    /// Most to give.
    pub limit: u32,
}

/// What was asked was not done. The text is for the person who asked.
#[derive(Debug, Error)]
pub enum CommitmentError {
    /// There is no such commitment, or not for this account.
    #[error("没有这项承诺，或您无权处理")]
    NotFound,
    /// It is kept or withdrawn already.
    #[error("这项承诺已经办结，请刷新后查看")]
    Ended,
    /// A text is missing or too long.
    #[error("请填写{0}，并控制在{LONGEST}字以内")]
    Field(&'static str),
    /// A row holds what this version does not know.
    #[error("承诺事项由更新的版本写入，请升级")]
    Unknown,
    /// The store failed.
    #[error("承诺事项暂时不可用，请稍后再试")]
    Store(#[from] sqlx::Error),
}

impl From<CommitmentError> for StoreError {
    fn from(error: CommitmentError) -> Self {
        match error {
            CommitmentError::Store(error) => error.into(),
            _ => Self::Unknown { what: "commitment" },
        }
    }
}

/// The commitments.
#[derive(Debug, Clone)]
pub struct Commitments {
    store: Store,
}

impl Commitments {
    /// The commitments of an opened store.
    #[must_use]
    pub fn new(store: Store) -> Self {
        Self { store }
    }

    /// Keeps track of a commitment. The same one again changes nothing. Whether the case and the unit exist is for the caller
    /// to know.
    ///
    /// # Errors
    /// When it says nothing, is not the account's to add, or the store fails.
    pub async fn add(
        &self,
        new: &NewCommitment,
        actor: &Actor,
        now: Timestamp,
    ) -> Result<Commitment, CommitmentError> {
        may(actor, &new.region, &new.unit)?;
        filled("承诺内容", &new.what)?;
        let mut connection = self.store.pool().acquire().await?;
        let id = insert(&mut connection, new, &actor.name, now).await?;
        drop(connection);
        self.get(&id).await?.ok_or(CommitmentError::NotFound)
    }

    /// Marks a commitment as kept, in time or late.
    ///
    /// # Errors
    /// When the proof is missing, it is not the account's, it has ended, or the store fails.
    pub async fn keep(
        &self,
        id: &str,
        proof: &str,
        attachment: &str,
        actor: &Actor,
        now: Timestamp,
    ) -> Result<(), CommitmentError> {
        let proof = filled("兑现情况", proof)?;
        self.end(id, State::Kept, [proof, attachment, ""], actor, now)
            .await
    }

    /// Withdraws a commitment.
    ///
    /// # Errors
    /// When the reason is missing, it is not the account's, it has ended, or the store fails.
    pub async fn withdraw(
        &self,
        id: &str,
        reason: &str,
        actor: &Actor,
        now: Timestamp,
    ) -> Result<(), CommitmentError> {
        let reason = filled("撤回原因", reason)?;
        self.end(id, State::Withdrawn, ["", "", reason], actor, now)
            .await
    }

    async fn end(
        &self,
        id: &str,
        state: State,
        [proof, attachment, reason]: [&str; 3],
        actor: &Actor,
        now: Timestamp,
    ) -> Result<(), CommitmentError> {
        let known = self.get(id).await?.ok_or(CommitmentError::NotFound)?;
        may(actor, &known.region, &known.unit)?;
        let ended = sqlx::query(
            "UPDATE commitments SET state = $1, proof = $2, attachment = $3, reason = $4, ended_by = $5, ended_at = $6 \
             WHERE id = $7 AND state IN ('open', 'broken')",
        )
        .bind(state.name())
        .bind(proof)
        .bind(attachment)
        .bind(reason)
        .bind(&actor.name)
        .bind(now.as_millisecond())
        .bind(id)
        .execute(self.store.pool())
        .await?;
        match ended.rows_affected() {
            0 => Err(CommitmentError::Ended),
            _ => Ok(()),
        }
    }

    /// The commitment of that id.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn get(&self, id: &str) -> Result<Option<Commitment>, CommitmentError> {
        let row = sqlx::query("SELECT * FROM commitments WHERE id = $1")
            .bind(id)
            .fetch_optional(self.store.pool())
            .await?;
        row.as_ref().map(commitment).transpose()
    }

    /// The commitments asked for, the one due first before the others.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn list(&self, query: &Query) -> Result<Vec<Commitment>, CommitmentError> {
        let mut conditions = Conditions::default();
        for (column, value) in [
            ("region", &query.region),
            ("unit", &query.unit),
            ("case_id", &query.case_id),
        ] {
            if !value.is_empty() {
                conditions.add(&format!("{column} = {{}}"), value.clone())?;
            }
        }
        if let Some(state) = query.state {
            conditions.add("state = {}", state.name())?;
        }
        let end = format!(
            "ORDER BY due_at, id LIMIT {} OFFSET {}",
            query.limit, query.offset
        );
        let (statement, values) = conditions.into_query("SELECT * FROM commitments", &end);
        let rows = sqlx::query_with(statement, values)
            .fetch_all(self.store.pool())
            .await?;
        rows.iter().map(commitment).collect()
    }
}

/// Keeps track of what the reply to a case promises by a date, in the transaction in which it is published. What was written
/// down before stays as it is.
///
/// # Errors
/// When the store fails.
pub async fn promised(
    connection: &mut AnyConnection,
    case: &Case,
    calendar: &Calendar,
    now: Timestamp,
) -> Result<(), sqlx::Error> {
    let today = CHINA.to_datetime(now).date();
    let is_workday = |day| calendar.is_workday(day);
    for promise in promises(&case.reply, today, &is_workday) {
        let new = NewCommitment {
            case_id: case.id.clone(),
            region: case.region.clone(),
            what: promise.what.chars().take(LONGEST).collect(),
            unit: case.lead().to_owned(),
            due: promise.due,
        };
        insert(connection, &new, "", now).await?;
    }
    Ok(())
}

/// Writes a commitment where it is not there yet, and gives its id.
async fn insert(
    connection: &mut AnyConnection,
    new: &NewCommitment,
    added_by: &str,
    now: Timestamp,
) -> Result<String, sqlx::Error> {
    let what = new.what.trim();
    let id = id::of("commitment", &[&new.case_id, what, &new.due.to_string()]);
    let over = new.due.saturating_add(jiff::Span::new().days(1));
    let due_at = CHINA
        .to_timestamp(over.at(0, 0, 0, 0))
        .unwrap_or(Timestamp::MAX);
    sqlx::query(
        "INSERT INTO commitments (id, case_id, region, what, unit, due_at, state, proof, attachment, reason, \
         added_by, added_at, ended_by) \
         VALUES ($1, $2, $3, $4, $5, $6, 'open', '', '', '', $7, $8, '') ON CONFLICT (id) DO NOTHING",
    )
    .bind(&id)
    .bind(&new.case_id)
    .bind(&new.region)
    .bind(what)
    .bind(&new.unit)
    .bind(due_at.as_millisecond())
    .bind(added_by)
    .bind(now.as_millisecond())
    .execute(connection)
    .await?;
    Ok(id)
}

/// Whether there is a commitment for [`take_reminders`] or [`take_broken`].
///
/// # Errors
/// When the store fails.
pub async fn any_to_tell(
    pool: &AnyPool,
    before: SignedDuration,
    now: Timestamp,
) -> Result<bool, CommitmentError> {
    let until = now.saturating_add(before).unwrap_or(Timestamp::MAX);
    let found = sqlx::query(
        "SELECT 1 FROM commitments WHERE state = 'open' AND due_at <= $1 \
         AND (reminded_at IS NULL OR (escalated_at IS NULL AND due_at <= $2)) LIMIT 1",
    )
    .bind(until.as_millisecond())
    .bind(now.as_millisecond())
    .fetch_optional(pool)
    .await?;
    Ok(found.is_some())
}

/// Takes the open commitments that are due within `before`, and marks them as reminded of: no other taker gets them. Write
/// the notices in the same transaction, so that none is lost.
///
/// # Errors
/// When the store fails.
pub async fn take_reminders(
    connection: &mut AnyConnection,
    before: SignedDuration,
    now: Timestamp,
) -> Result<Vec<Commitment>, CommitmentError> {
    let until = now.saturating_add(before).unwrap_or(Timestamp::MAX);
    let statement = format!(
        "UPDATE commitments SET reminded_at = $1 WHERE state = 'open' AND reminded_at IS NULL AND id IN \
         (SELECT id FROM commitments WHERE state = 'open' AND reminded_at IS NULL AND due_at > $1 AND due_at <= $2 \
         ORDER BY due_at, id LIMIT {AT_A_TIME}) RETURNING *"
    );
    let rows = sqlx::query(sqlx::AssertSqlSafe(statement))
        .bind(now.as_millisecond())
        .bind(until.as_millisecond())
        .fetch_all(connection)
        .await?;
    in_order(&rows)
}

/// Takes the open commitments whose date is over, and marks them as broken: no other taker gets them. Write the notices in the same
/// transaction, so that none is lost.
///
/// # Errors
/// When the store fails.
pub async fn take_broken(
    connection: &mut AnyConnection,
    now: Timestamp,
) -> Result<Vec<Commitment>, CommitmentError> {
    let statement = format!(
        "UPDATE commitments SET state = 'broken', escalated_at = $1 WHERE state = 'open' AND escalated_at IS NULL AND id IN \
         (SELECT id FROM commitments WHERE state = 'open' AND escalated_at IS NULL AND due_at <= $1 \
         ORDER BY due_at, id LIMIT {AT_A_TIME}) RETURNING *"
    );
    let rows = sqlx::query(sqlx::AssertSqlSafe(statement))
        .bind(now.as_millisecond())
        .fetch_all(connection)
        .await?;
    in_order(&rows)
}

fn in_order(rows: &[AnyRow]) -> Result<Vec<Commitment>, CommitmentError> {
    let mut taken = rows.iter().map(commitment).collect::<Result<Vec<_>, _>>()?;
    taken.sort_by(|one, other| (one.due_at, &one.id).cmp(&(other.due_at, &other.id)));
    Ok(taken)
}

fn filled<'a>(name: &'static str, text: &'a str) -> Result<&'a str, CommitmentError> {
    let text = text.trim();
    if text.is_empty() || text.chars().count() > LONGEST {
        return Err(CommitmentError::Field(name));
    }
    Ok(text)
}

/// The office acts for all units, a unit for itself; who audits changes nothing.
fn may(actor: &Actor, region: &str, unit: &str) -> Result<(), CommitmentError> {
    let other_unit = actor.role.of_unit() && (actor.region != region || actor.unit != unit);
    if actor.role == Role::Auditor || other_unit {
        return Err(CommitmentError::NotFound);
    }
    Ok(())
}

fn commitment(row: &AnyRow) -> Result<Commitment, CommitmentError> {
    let text = |column: &str| row.try_get::<String, _>(column);
    let of = |milliseconds: i64| {
        Timestamp::from_millisecond(milliseconds).map_err(|_| CommitmentError::Unknown)
    };
    let time = |column: &str| of(row.try_get(column)?);
    let once = |column: &str| -> Result<Option<Timestamp>, CommitmentError> {
        let at: Option<i64> = row.try_get(column)?;
        at.map(of).transpose()
    };
    Ok(Commitment {
        id: text("id")?,
        case_id: text("case_id")?,
        region: text("region")?,
        what: text("what")?,
        unit: text("unit")?,
        due_at: time("due_at")?,
        state: State::named(&text("state")?).ok_or(CommitmentError::Unknown)?,
        proof: text("proof")?,
        attachment: text("attachment")?,
        reason: text("reason")?,
        added_by: text("added_by")?,
        added_at: time("added_at")?,
        ended_by: text("ended_by")?,
        ended_at: once("ended_at")?,
        reminded_at: once("reminded_at")?,
        escalated_at: once("escalated_at")?,
    })
}
