//! The store of cases. A change, its move, its case event and its notices are one transaction, so
//! whatever is killed when, all of them are there or none.

use backbone::id;
use backbone::message::{Alert, CaseEvent, encode};
use jiff::Timestamp;
use sqlx::any::AnyRow;
use sqlx::{AnyConnection, Row};
use thiserror::Error;

use super::table::{ENDED, permits, rule};
use super::{Action, Actor, Case, Deed, Move, Role, State};
use crate::deadline::Deadlines;
use crate::notify;
use crate::routing::Routed;
use crate::store::{Conditions, Store, anywhere};

/// The store failed.
#[derive(Debug, Error)]
pub enum StoreError {
    /// SQLite or PostgreSQL said no.
    #[error("the case store failed: {0}")]
    Sql(#[from] sqlx::Error),
    /// Another responder changed the case at the same moment; to be tried again.
    #[error("the case was changed by another responder at the same moment")]
    Raced,
    /// A row holds what this version does not know.
    #[error("the case store holds an unknown {what}; was it written by a newer version?")]
    Unknown {
        /// What it is.
        what: &'static str,
    },
}

/// A move was not made. The text is for the person who tried.
#[derive(Debug, Error)]
pub enum MoveError {
    /// There is no such case, or not for this actor.
    #[error("没有这个案件，或您无权查看")]
    NotFound,
    /// Someone else was faster.
    #[error("案件刚刚有了新的进展，请刷新后再操作")]
    Stale,
    /// The state machine or the role does not allow it.
    #[error("当前状态（{state}）下不能由{role}{action}")]
    NotAllowed {
        /// The case's state.
        state: &'static str,
        /// The actor's role.
        role: Role,
        /// The action tried.
        action: &'static str,
    },
    /// A note is missing.
    #[error("请填写{0}")]
    NoteMissing(&'static str),
    /// The note is longer than 5,000 characters.
    #[error("填写的内容过长，请控制在5000字以内")]
    NoteTooLong,
    /// A unit does not exist.
    #[error("没有这个单位：{0}")]
    UnknownUnit(String),
    /// The store failed.
    #[error("案件库暂时不可用，请稍后再试")]
    Store(#[source] StoreError),
}

impl From<sqlx::Error> for MoveError {
    fn from(error: sqlx::Error) -> Self {
        Self::Store(error.into())
    }
}

impl From<StoreError> for MoveError {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Raced => Self::Stale,
            other => Self::Store(other),
        }
    }
}

/// What became of an alert.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Taken {
    /// It opened a case.
    Opened,
    /// It raised a case, or brought one that had ended back.
    Raised,
    /// It brought what a case knows of its event up to date.
    Updated,
    /// It was taken in before, or told nothing new.
    Known,
}

/// Which cases are asked for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Query {
    /// Only this region; all where empty.
    pub region: String,
    /// Only these states; all where empty.
    pub states: Vec<State>,
    /// Only this level.
    pub level: Option<u8>,
    /// Only those led or assisted by this unit; all where empty.
    pub unit: String,
    /// Only those whose title holds this text.
    pub text: String,
    /// Only those of this event; all where empty.
    pub event: String,
    /// Only those overdue at this time, see [`Case::overdue`].
    pub overdue_at: Option<Timestamp>,
    /// How many to pass over.
    pub offset: u32,
    /// Most to give, at most 200.
    pub limit: u32,
}

/// Cases asked for, the gravest and most urgent first.
#[derive(Debug, Clone, PartialEq)]
pub struct Page {
    /// The cases.
    pub cases: Vec<Case>,
    /// How many there are in all.
    pub total: u64,
}

/// How many cases are in a state at a level.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Counts {
    /// The state.
    pub state: State,
    /// The level.
    pub level: u8,
    /// How many.
    pub cases: u64,
}

/// States in which nothing is due any more.
const ENDED_STATES: &str = "('answered', 'closed', 'followed', 'dismissed')";
/// That a case is a unit's, to lead or to assist.
const OF_UNIT: &str =
    "EXISTS (SELECT 1 FROM case_units WHERE case_id = cases.id AND case_units.unit = {})";

/// The cases.
#[derive(Debug, Clone)]
pub struct Cases {
    store: Store,
    deadlines: Deadlines,
}

impl Cases {
    /// The cases of an opened store.
    #[must_use]
    pub fn new(store: Store, deadlines: Deadlines) -> Self {
        Self { store, deadlines }
    }

    /// Opens or raises the case of an alert's event. The same alert again changes nothing.
    ///
    /// # Errors
    /// When the store fails; nothing is changed then.
    pub async fn take(
        &self,
        alert: &Alert,
        routed: &Routed,
        now: Timestamp,
    ) -> Result<Taken, StoreError> {
        let mut transaction = self.store.begin().await?;
        let first = sqlx::query("INSERT INTO alerts_taken (id) VALUES ($1) ON CONFLICT DO NOTHING")
            .bind(&alert.id)
            .execute(&mut *transaction)
            .await?
            .rows_affected()
            == 1;
        let id = id::of_case(&alert.event.id);
        let taken = match find(&mut transaction, &id).await? {
            Some(case) if case.alert.id == alert.id && case.alert.update < alert.update => {
                // No move: what an officer is typing at this moment stays good.
                sqlx::query("UPDATE cases SET alert = $1, updated_at = $2 WHERE id = $3")
                    .bind(json(alert)?)
                    .bind(now.as_millisecond())
                    .bind(&id)
                    .execute(&mut *transaction)
                    .await?;
                Taken::Updated
            }
            _ if !first => return Ok(Taken::Known),
            None => {
                self.open(&mut transaction, &id, alert, routed, now).await?;
                Taken::Opened
            }
            Some(case) if alert.level < case.level => {
                self.raise(&mut transaction, case, alert, now).await?;
                Taken::Raised
            }
            Some(_) => Taken::Known,
        };
        transaction.commit().await?;
        Ok(taken)
    }

    async fn open(
        &self,
        connection: &mut AnyConnection,
        id: &str,
        alert: &Alert,
        routed: &Routed,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let case = Case {
            id: id.to_owned(),
            region: alert.region.clone(),
            state: State::Pending,
            level: alert.level,
            lead: routed.lead.clone(),
            assists: routed.assists.clone(),
            routed_because: routed.because.join("；"),
            alert: alert.clone(),
            reply: String::new(),
            opened_at: now,
            sign_by: None,
            first_information_by: self.deadlines.first_information(alert.level, now),
            respond_by: self.deadlines.response(alert.level, now),
            answered_at: None,
            updated_at: now,
            version: 1,
        };
        insert(connection, &case).await?;
        let system = Actor::system();
        record(connection, &case, Action::Open, None, &system, "", now).await
    }

    async fn raise(
        &self,
        connection: &mut AnyConnection,
        mut case: Case,
        alert: &Alert,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let from = case.state;
        case.level = alert.level;
        case.alert = alert.clone();
        if ENDED.contains(&from) {
            case.state = State::Pending;
            case.answered_at = None;
            case.respond_by = self.deadlines.response(alert.level, now);
        } else {
            case.respond_by = case
                .respond_by
                .min(self.deadlines.response(alert.level, now));
        }
        case.first_information_by = case
            .first_information_by
            .or(self.deadlines.first_information(alert.level, now));
        update(connection, &mut case, now).await?;
        let system = Actor::system();
        record(
            connection,
            &case,
            Action::Raise,
            Some(from),
            &system,
            "",
            now,
        )
        .await
    }

    /// Makes a move.
    ///
    /// # Errors
    /// When the actor may not see or move the case, it has changed since, or a note is missing.
    pub async fn perform(
        &self,
        case: &str,
        deed: &Deed,
        actor: &Actor,
        notices: &notify::Composer,
        now: Timestamp,
    ) -> Result<Case, MoveError> {
        let mut transaction = self.store.begin().await?;
        let mut case = find(&mut transaction, case)
            .await?
            .filter(|case| actor.sees(case))
            .ok_or(MoveError::NotFound)?;
        let from = case.state;
        let refused = MoveError::NotAllowed {
            state: from.title(),
            role: actor.role,
            action: deed.action.title(),
        };
        let rule = match rule(deed.action) {
            Some(rule) if permits(rule, &case, actor) => rule,
            _ => return Err(refused),
        };
        if case.version != deed.version {
            return Err(MoveError::Stale);
        }
        let note = deed.note.trim();
        if note.is_empty() && !rule.note.is_empty() {
            return Err(MoveError::NoteMissing(rule.note));
        }
        if note.chars().count() > 5_000 {
            return Err(MoveError::NoteTooLong);
        }
        if deed.action == Action::Dispatch {
            notices.check_units(&case.region, &deed.lead, &deed.assists)?;
        }
        self.apply(&mut case, rule.to, deed, note, now);
        update(&mut transaction, &mut case, now).await?;
        record(
            &mut transaction,
            &case,
            deed.action,
            Some(from),
            actor,
            note,
            now,
        )
        .await?;
        for notice in notices.compose(&case, deed.action, note) {
            notify::queue(&mut transaction, &notice, now).await?;
        }
        transaction.commit().await?;
        Ok(case)
    }

    fn apply(&self, case: &mut Case, to: Option<State>, deed: &Deed, note: &str, now: Timestamp) {
        if let Some(to) = to {
            case.state = to;
        }
        match deed.action {
            Action::Dispatch => {
                case.lead.clone_from(&deed.lead);
                case.assists = deed
                    .assists
                    .iter()
                    .filter(|unit| **unit != deed.lead)
                    .cloned()
                    .collect();
                case.sign_by = Some(self.deadlines.sign(case.level, now));
            }
            Action::Sign | Action::Return => case.sign_by = None,
            Action::Report => case.first_information_by = None,
            Action::Reply => {
                case.first_information_by = None;
                note.clone_into(&mut case.reply);
            }
            Action::Approve => case.answered_at = Some(now),
            Action::Extend => case.respond_by = self.deadlines.extended(case.respond_by, now),
            _ => {}
        }
    }

    /// A case, if the actor may see it.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn get(&self, id: &str, actor: &Actor) -> Result<Option<Case>, StoreError> {
        let mut connection = self.store.pool().acquire().await?;
        Ok(find(&mut connection, id)
            .await?
            .filter(|case| actor.sees(case)))
    }

    /// The moves of a case, the first first.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn moves(&self, case: &str) -> Result<Vec<Move>, StoreError> {
        let rows = sqlx::query("SELECT * FROM moves WHERE case_id = $1 ORDER BY sequence")
            .bind(case)
            .fetch_all(self.store.pool())
            .await?;
        rows.iter().map(read_move).collect()
    }

    /// The cases that an actor may see and asks for.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn list(&self, query: &Query, actor: &Actor) -> Result<Page, StoreError> {
        let (statement, values) =
            conditions(query, actor)?.into_query("SELECT count(*) FROM cases", "");
        let total: i64 = sqlx::query_scalar_with(statement, values)
            .fetch_one(self.store.pool())
            .await?;
        let order = format!(
            "ORDER BY CASE WHEN state IN {ENDED_STATES} THEN 1 ELSE 0 END, level, respond_by, id LIMIT {} OFFSET {}",
            query.limit.clamp(1, 200),
            query.offset
        );
        let (statement, values) =
            conditions(query, actor)?.into_query("SELECT * FROM cases", &order);
        let rows = sqlx::query_with(statement, values)
            .fetch_all(self.store.pool())
            .await?;
        Ok(Page {
            cases: rows.iter().map(read_case).collect::<Result<_, _>>()?,
            total: u64::try_from(total).unwrap_or(0),
        })
    }

    /// How many cases an actor may see, by state and level.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn counts(&self, actor: &Actor) -> Result<Vec<Counts>, StoreError> {
        let (statement, values) = conditions(&Query::default(), actor)?.into_query(
            "SELECT state, level, count(*) AS cases FROM cases",
            "GROUP BY state, level",
        );
        let rows = sqlx::query_with(statement, values)
            .fetch_all(self.store.pool())
            .await?;
        rows.iter()
            .map(|row| {
                Ok(Counts {
                    state: read_state(row.try_get("state")?)?,
                    level: level(row)?,
                    cases: u64::try_from(row.try_get::<i64, _>("cases")?).unwrap_or(0),
                })
            })
            .collect()
    }
}

/// Which cases an actor may see and asks for.
fn conditions(query: &Query, actor: &Actor) -> Result<Conditions, StoreError> {
    let mut conditions = Conditions::default();
    if actor.role.of_unit() {
        conditions.add_plain("state NOT IN ('pending', 'dismissed')");
        conditions.add("region = {}", &actor.region)?;
        conditions.add(OF_UNIT, &actor.unit)?;
    }
    if !query.region.is_empty() {
        conditions.add("region = {}", &query.region)?;
    }
    if !query.unit.is_empty() {
        conditions.add(OF_UNIT, &query.unit)?;
    }
    if !query.event.is_empty() {
        conditions.add("event = {}", &query.event)?;
    }
    if let Some(now) = query.overdue_at {
        conditions.add_plain(&format!("state NOT IN {ENDED_STATES}"));
        conditions.add(
            "(respond_by < {} OR sign_by < {} OR first_information_by < {})",
            now.as_millisecond(),
        )?;
    }
    if let Some(level) = query.level {
        conditions.add("level = {}", i64::from(level))?;
    }
    if !query.states.is_empty() {
        let names: Vec<String> = (query.states.iter())
            .map(|state| format!("'{}'", state.name()))
            .collect();
        conditions.add_plain(&format!("state IN ({})", names.join(", ")));
    }
    let text = query.text.trim();
    if !text.is_empty() {
        conditions.add(r"title LIKE {} ESCAPE '\'", anywhere(text))?;
    }
    Ok(conditions)
}

async fn find(connection: &mut AnyConnection, id: &str) -> Result<Option<Case>, StoreError> {
    let row = sqlx::query("SELECT * FROM cases WHERE id = $1")
        .bind(id)
        .fetch_optional(connection)
        .await?;
    row.as_ref().map(read_case).transpose()
}

async fn insert(connection: &mut AnyConnection, case: &Case) -> Result<(), StoreError> {
    sqlx::query(
        "INSERT INTO cases (id, region, event, state, level, lead, assists, routed_because, alert, reply, opened_at, \
         sign_by, first_information_by, respond_by, answered_at, updated_at, version, title) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18)",
    )
    .bind(&case.id)
    .bind(&case.region)
    .bind(&case.alert.event.id)
    .bind(case.state.name())
    .bind(i64::from(case.level))
    .bind(&case.lead)
    .bind(json(&case.assists)?)
    .bind(&case.routed_because)
    .bind(json(&case.alert)?)
    .bind(&case.reply)
    .bind(case.opened_at.as_millisecond())
    .bind(case.sign_by.map(Timestamp::as_millisecond))
    .bind(case.first_information_by.map(Timestamp::as_millisecond))
    .bind(case.respond_by.as_millisecond())
    .bind(case.answered_at.map(Timestamp::as_millisecond))
    .bind(case.updated_at.as_millisecond())
    .bind(case.version)
    .bind(&case.alert.event.title)
    .execute(&mut *connection)
    .await?;
    write_units(connection, case).await
}

/// Writes a case that was read in this transaction.
///
/// # Errors
/// When it has changed since, or the store fails.
async fn update(
    connection: &mut AnyConnection,
    case: &mut Case,
    now: Timestamp,
) -> Result<(), StoreError> {
    let written = sqlx::query(
        "UPDATE cases SET state = $1, level = $2, lead = $3, assists = $4, alert = $5, reply = $6, sign_by = $7, \
         first_information_by = $8, respond_by = $9, answered_at = $10, updated_at = $11, version = $12, title = $13 \
         WHERE id = $14 AND version = $15",
    )
    .bind(case.state.name())
    .bind(i64::from(case.level))
    .bind(&case.lead)
    .bind(json(&case.assists)?)
    .bind(json(&case.alert)?)
    .bind(&case.reply)
    .bind(case.sign_by.map(Timestamp::as_millisecond))
    .bind(case.first_information_by.map(Timestamp::as_millisecond))
    .bind(case.respond_by.as_millisecond())
    .bind(case.answered_at.map(Timestamp::as_millisecond))
    .bind(now.as_millisecond())
    .bind(case.version + 1)
    .bind(&case.alert.event.title)
    .bind(&case.id)
    .bind(case.version)
    .execute(&mut *connection)
    .await?;
    if written.rows_affected() == 0 {
        return Err(StoreError::Raced);
    }
    case.version += 1;
    case.updated_at = now;
    write_units(connection, case).await
}

/// Writes the units of a case as it stands.
async fn write_units(connection: &mut AnyConnection, case: &Case) -> Result<(), StoreError> {
    sqlx::query("DELETE FROM case_units WHERE case_id = $1")
        .bind(&case.id)
        .execute(&mut *connection)
        .await?;
    for unit in std::iter::once(&case.lead).chain(&case.assists) {
        sqlx::query(
            "INSERT INTO case_units (case_id, unit, leads) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING",
        )
        .bind(&case.id)
        .bind(unit)
        .bind(i64::from(*unit == case.lead))
        .execute(&mut *connection)
        .await?;
    }
    Ok(())
}

/// Writes the move and puts its case event into the outbox. A case's version is the number of its moves.
async fn record(
    connection: &mut AnyConnection,
    case: &Case,
    action: Action,
    from: Option<State>,
    actor: &Actor,
    note: &str,
    now: Timestamp,
) -> Result<(), StoreError> {
    sqlx::query(
        "INSERT INTO moves (case_id, sequence, action, from_state, to_state, role, actor, note, at) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
    )
    .bind(&case.id)
    .bind(case.version)
    .bind(action.name())
    .bind(from.map(State::name))
    .bind(case.state.name())
    .bind(actor.role.name())
    .bind(&actor.name)
    .bind(note)
    .bind(now.as_millisecond())
    .execute(&mut *connection)
    .await?;
    let event = CaseEvent {
        id: id::of("case-event", &[&case.id, &case.version.to_string()]),
        region: case.region.clone(),
        case: case.id.clone(),
        event: case.alert.event.id.clone(),
        sequence: u32::try_from(case.version).unwrap_or(u32::MAX),
        action: action.name().to_owned(),
        from: from.map(State::name).unwrap_or_default().to_owned(),
        to: case.state.name().to_owned(),
        level: case.level,
        units: std::iter::once(&case.lead)
            .chain(&case.assists)
            .cloned()
            .collect(),
        role: actor.role.name().to_owned(),
        at: now,
    };
    let message = encode(&event).map_err(|_| StoreError::Unknown { what: "case event" })?;
    sqlx::query("INSERT INTO outbox (message) VALUES ($1)")
        .bind(String::from_utf8_lossy(&message).into_owned())
        .execute(connection)
        .await?;
    Ok(())
}

fn json(value: &impl serde::Serialize) -> Result<String, StoreError> {
    serde_json::to_string(value).map_err(|error| StoreError::Sql(sqlx::Error::Encode(error.into())))
}

fn level(row: &AnyRow) -> Result<u8, StoreError> {
    u8::try_from(row.try_get::<i64, _>("level")?).map_err(|_| StoreError::Unknown { what: "level" })
}

fn read_case(row: &AnyRow) -> Result<Case, StoreError> {
    let unknown = |what| move |_| StoreError::Unknown { what };
    let time = |column| -> Result<Option<Timestamp>, StoreError> {
        row.try_get::<Option<i64>, _>(column)?
            .map(Timestamp::from_millisecond)
            .transpose()
            .map_err(unknown("time"))
    };
    let required = |column| time(column)?.ok_or(StoreError::Unknown { what: "time" });
    Ok(Case {
        id: row.try_get("id")?,
        region: row.try_get("region")?,
        state: read_state(row.try_get("state")?)?,
        level: level(row)?,
        lead: row.try_get("lead")?,
        assists: serde_json::from_str(row.try_get("assists")?).map_err(|_| {
            StoreError::Unknown {
                what: "list of units",
            }
        })?,
        routed_because: row.try_get("routed_because")?,
        alert: serde_json::from_str(row.try_get("alert")?)
            .map_err(|_| StoreError::Unknown { what: "alert" })?,
        reply: row.try_get("reply")?,
        opened_at: required("opened_at")?,
        sign_by: time("sign_by")?,
        first_information_by: time("first_information_by")?,
        respond_by: required("respond_by")?,
        answered_at: time("answered_at")?,
        updated_at: required("updated_at")?,
        version: row.try_get("version")?,
    })
}

fn read_move(row: &AnyRow) -> Result<Move, StoreError> {
    let from: Option<&str> = row.try_get("from_state")?;
    Ok(Move {
        sequence: u32::try_from(row.try_get::<i64, _>("sequence")?).unwrap_or(u32::MAX),
        action: Action::named(row.try_get("action")?)
            .ok_or(StoreError::Unknown { what: "action" })?,
        from: from.map(read_state).transpose()?,
        to: read_state(row.try_get("to_state")?)?,
        role: Role::named(row.try_get("role")?).ok_or(StoreError::Unknown { what: "role" })?,
        actor: row.try_get("actor")?,
        note: row.try_get("note")?,
        at: Timestamp::from_millisecond(row.try_get("at")?)
            .map_err(|_| StoreError::Unknown { what: "time" })?,
    })
}

fn read_state(name: &str) -> Result<State, StoreError> {
    State::named(name).ok_or(StoreError::Unknown { what: "state" })
}
