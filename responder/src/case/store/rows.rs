//! Cases and moves as rows.

use backbone::id;
use backbone::message::{Alert, CaseEvent, encode};
use backbone::topics::CASE_EVENTS;
use jiff::Timestamp;
use sqlx::any::AnyRow;
use sqlx::{AnyConnection, Row};

use super::StoreError;
use crate::case::{Action, Actor, Case, Move, Role, State};
use crate::outbox;

pub(super) async fn find(
    connection: &mut AnyConnection,
    id: &str,
) -> Result<Option<Case>, StoreError> {
    let row = sqlx::query(
        "SELECT cases.*, alert FROM cases JOIN case_alerts ON case_id = id WHERE id = $1",
    )
    .bind(id)
    .fetch_optional(connection)
    .await?;
    row.as_ref().map(read_case).transpose()
}

pub(super) async fn insert(connection: &mut AnyConnection, case: &Case) -> Result<(), StoreError> {
    sqlx::query(
        "INSERT INTO cases (id, region, event, opened_at, version, state, level, lead, parts, title, reply, \
         hand_backs, merged_into, satisfaction, routed_because, sign_by, first_information_by, respond_by, extension_by, \
         review_by, follow_up_by, paused_at, answered_at, updated_at, due_at) \
         VALUES ($1, $2, $3, $4, $5, '', 0, '', '', '', '', 0, '', '', '', NULL, NULL, 0, NULL, NULL, NULL, NULL, \
         NULL, 0, NULL)",
    )
    .bind(&case.id)
    .bind(&case.region)
    .bind(&case.alert.event.id)
    .bind(case.opened_at.as_millisecond())
    .bind(case.version)
    .execute(&mut *connection)
    .await?;
    sqlx::query("INSERT INTO case_alerts (case_id, alert) VALUES ($1, $2)")
        .bind(&case.id)
        .bind(json(&case.alert)?)
        .execute(&mut *connection)
        .await?;
    write(connection, case, case.version, case.updated_at).await
}

/// Keeps what an alert tells of a case's event; the case itself is not changed.
pub(super) async fn tell(
    connection: &mut AnyConnection,
    case: &str,
    alert: &Alert,
) -> Result<(), StoreError> {
    sqlx::query("UPDATE case_alerts SET alert = $1 WHERE case_id = $2")
        .bind(json(alert)?)
        .bind(case)
        .execute(connection)
        .await?;
    Ok(())
}

/// Gives a case the title that its event has now. That is no move: what an officer is typing at this moment stays good.
pub(super) async fn retitle(
    connection: &mut AnyConnection,
    case: &str,
    title: &str,
    now: Timestamp,
) -> Result<(), StoreError> {
    sqlx::query("UPDATE cases SET title = $1, updated_at = $2 WHERE id = $3")
        .bind(title)
        .bind(now.as_millisecond())
        .bind(case)
        .execute(connection)
        .await?;
    Ok(())
}

/// Writes a case that was read in this transaction.
///
/// # Errors
/// When it has changed since, or the store fails.
pub(super) async fn update(
    connection: &mut AnyConnection,
    case: &mut Case,
    now: Timestamp,
) -> Result<(), StoreError> {
    let read = case.version;
    case.version += 1;
    write(connection, case, read, now).await?;
    case.updated_at = now;
    Ok(())
}

/// Writes what may change in a case over the version that was read.
async fn write(
    connection: &mut AnyConnection,
    case: &Case,
    read: i64,
    now: Timestamp,
) -> Result<(), StoreError> {
    let milliseconds = |time: Option<Timestamp>| time.map(Timestamp::as_millisecond);
    let due = case.clocks().iter().map(|(_, _, due)| *due).min();
    let written = sqlx::query(
        "UPDATE cases SET state = $1, level = $2, lead = $3, parts = $4, title = $5, reply = $6, hand_backs = $7, \
         merged_into = $8, satisfaction = $9, routed_because = $10, sign_by = $11, first_information_by = $12, \
         respond_by = $13, extension_by = $14, review_by = $15, follow_up_by = $16, paused_at = $17, answered_at = $18, \
         updated_at = $19, due_at = $20, version = $21 \
         WHERE id = $22 AND version = $23",
    )
    .bind(case.state.name())
    .bind(i64::from(case.level))
    .bind(case.lead())
    .bind(json(&case.parts)?)
    .bind(&case.alert.event.title)
    .bind(&case.reply)
    .bind(i64::from(case.hand_backs))
    .bind(&case.merged_into)
    .bind(&case.satisfaction)
    .bind(&case.routed_because)
    .bind(milliseconds(case.sign_by()))
    .bind(milliseconds(case.first_information_by))
    .bind(case.respond_by.as_millisecond())
    .bind(milliseconds(case.extension_by))
    .bind(milliseconds(case.review_by))
    .bind(milliseconds(case.follow_up_by))
    .bind(milliseconds(case.paused_at))
    .bind(milliseconds(case.answered_at))
    .bind(now.as_millisecond())
    .bind(milliseconds(due))
    .bind(case.version)
    .bind(&case.id)
    .bind(read)
    .execute(&mut *connection)
    .await?;
    if written.rows_affected() == 0 {
        return Err(StoreError::Raced);
    }
    write_units(connection, case).await
}

/// Writes the units of a case as it stands, for queries.
async fn write_units(connection: &mut AnyConnection, case: &Case) -> Result<(), StoreError> {
    sqlx::query("DELETE FROM case_units WHERE case_id = $1")
        .bind(&case.id)
        .execute(&mut *connection)
        .await?;
    for part in &case.parts {
        sqlx::query(
            "INSERT INTO case_units (case_id, unit) VALUES ($1, $2) ON CONFLICT DO NOTHING",
        )
        .bind(&case.id)
        .bind(&part.unit)
        .execute(&mut *connection)
        .await?;
    }
    Ok(())
}

/// A move as it is written down.
pub(super) struct Record<'a> {
    pub(super) action: Action,
    pub(super) from: Option<State>,
    pub(super) actor: &'a Actor,
    pub(super) choice: &'a str,
    pub(super) note: &'a str,
}

static SYSTEM: Actor = Actor {
    name: String::new(),
    role: Role::System,
    region: String::new(),
    unit: String::new(),
    via: String::new(),
};

impl Record<'static> {
    /// A move of the responder itself.
    pub(super) fn by_system(action: Action, from: Option<State>) -> Self {
        Self {
            action,
            from,
            actor: &SYSTEM,
            choice: "",
            note: "",
        }
    }
}

/// Writes the move and puts its case event into the outbox. A case's version is the number of its moves.
pub(super) async fn record(
    connection: &mut AnyConnection,
    case: &Case,
    made: &Record<'_>,
    now: Timestamp,
) -> Result<(), StoreError> {
    sqlx::query(
        "INSERT INTO moves (case_id, sequence, action, from_state, to_state, role, actor, unit, choice, note, at) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)",
    )
    .bind(&case.id)
    .bind(case.version)
    .bind(made.action.name())
    .bind(made.from.map(State::name))
    .bind(case.state.name())
    .bind(made.actor.role.name())
    .bind(&made.actor.name)
    .bind(&made.actor.unit)
    .bind(made.choice)
    .bind(made.note)
    .bind(now.as_millisecond())
    .execute(&mut *connection)
    .await?;
    let event = CaseEvent {
        id: id::of("case-event", &[&case.id, &case.version.to_string()]),
        region: case.region.clone(),
        case: case.id.clone(),
        event: case.alert.event.id.clone(),
        sequence: u32::try_from(case.version).unwrap_or(u32::MAX),
        action: made.action.name().to_owned(),
        from: made.from.map(State::name).unwrap_or_default().to_owned(),
        to: case.state.name().to_owned(),
        level: case.level,
        units: case.parts.iter().map(|part| part.unit.clone()).collect(),
        role: made.actor.role.name().to_owned(),
        at: now,
    };
    let message = encode(&event).map_err(|_| StoreError::Unknown { what: "case event" })?;
    let message = String::from_utf8_lossy(&message);
    Ok(outbox::put(connection, &CASE_EVENTS, &message).await?)
}

fn json(value: &impl serde::Serialize) -> Result<String, StoreError> {
    serde_json::to_string(value).map_err(|error| StoreError::Sql(sqlx::Error::Encode(error.into())))
}

pub(super) fn read_case(row: &AnyRow) -> Result<Case, StoreError> {
    let required = |column| optional_time(row, column)?.ok_or(StoreError::Unknown { what: "time" });
    let number = |column, what| {
        u32::try_from(row.try_get::<i64, _>(column)?).map_err(|_| StoreError::Unknown { what })
    };
    Ok(Case {
        id: row.try_get("id")?,
        region: row.try_get("region")?,
        state: read_state(row.try_get("state")?)?,
        level: read_level(row)?,
        parts: serde_json::from_str(row.try_get("parts")?).map_err(|_| StoreError::Unknown {
            what: "list of units",
        })?,
        routed_because: row.try_get("routed_because")?,
        alert: serde_json::from_str(row.try_get("alert")?)
            .map_err(|_| StoreError::Unknown { what: "alert" })?,
        reply: row.try_get("reply")?,
        hand_backs: number("hand_backs", "number of hand-backs")?,
        merged_into: row.try_get("merged_into")?,
        satisfaction: row.try_get("satisfaction")?,
        opened_at: required("opened_at")?,
        first_information_by: optional_time(row, "first_information_by")?,
        respond_by: required("respond_by")?,
        extension_by: optional_time(row, "extension_by")?,
        review_by: optional_time(row, "review_by")?,
        follow_up_by: optional_time(row, "follow_up_by")?,
        paused_at: optional_time(row, "paused_at")?,
        answered_at: optional_time(row, "answered_at")?,
        updated_at: required("updated_at")?,
        version: row.try_get("version")?,
    })
}

pub(super) fn read_level(row: &AnyRow) -> Result<u8, StoreError> {
    u8::try_from(row.try_get::<i64, _>("level")?).map_err(|_| StoreError::Unknown { what: "level" })
}

pub(super) fn optional_time(
    row: &AnyRow,
    column: &'static str,
) -> Result<Option<Timestamp>, StoreError> {
    row.try_get::<Option<i64>, _>(column)?
        .map(Timestamp::from_millisecond)
        .transpose()
        .map_err(|_| StoreError::Unknown { what: "time" })
}

pub(super) fn read_move(row: &AnyRow) -> Result<Move, StoreError> {
    let from: Option<&str> = row.try_get("from_state")?;
    let unknown = |what| StoreError::Unknown { what };
    Ok(Move {
        sequence: u32::try_from(row.try_get::<i64, _>("sequence")?).unwrap_or(u32::MAX),
        action: Action::named(row.try_get("action")?).ok_or(unknown("action"))?,
        from: from.map(read_state).transpose()?,
        to: read_state(row.try_get("to_state")?)?,
        role: Role::named(row.try_get("role")?).ok_or(unknown("role"))?,
        actor: row.try_get("actor")?,
        unit: row.try_get("unit")?,
        choice: row.try_get("choice")?,
        note: row.try_get("note")?,
        at: optional_time(row, "at")?.ok_or(unknown("time"))?,
    })
}

pub(super) fn read_state(name: &str) -> Result<State, StoreError> {
    State::named(name).ok_or(StoreError::Unknown { what: "state" })
}
