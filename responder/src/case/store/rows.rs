//! Cases and moves as rows.

use std::collections::BTreeSet;
use std::sync::LazyLock;

use backbone::id;
use backbone::message::{CaseEvent, encode};
use backbone::topics::CASE_EVENTS;
use jiff::Timestamp;
use sqlx::any::{AnyArguments, AnyRow};
use sqlx::{Any, AnyConnection, AssertSqlSafe, Row};

use super::StoreError;
use crate::case::{Action, Actor, Case, Move, Role, State};
use crate::outbox;
use crate::store::{insert_rows, parameters};

/// Bytes of alerts that are written together: what is more than 16 KB goes to PostgreSQL in two pieces, and sqlx 0.9.0 keeps the second back
/// until the first is acknowledged.
const TOGETHER: usize = 12 * 1024;

pub(super) async fn find(
    connection: &mut AnyConnection,
    id: &str,
) -> Result<Option<Case>, StoreError> {
    let found = find_all(connection, &BTreeSet::from([id.to_owned()])).await?;
    Ok(found.into_iter().next())
}

/// The cases that there are of these.
pub(super) async fn find_all(
    connection: &mut AnyConnection,
    ids: &BTreeSet<String>,
) -> Result<Vec<Case>, StoreError> {
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    // Safe: of this program's own words.
    let statement = AssertSqlSafe(format!(
        "SELECT cases.*, alert FROM cases JOIN case_alerts ON case_id = id WHERE id IN ({})",
        parameters(ids.len())
    ));
    // Planned each time: PostgreSQL would keep to reading the whole table, as is best while it is nearly empty.
    let mut query = sqlx::query(statement).persistent(false);
    for id in ids {
        query = query.bind(id);
    }
    let rows = query.fetch_all(connection).await?;
    rows.iter().map(read_case).collect()
}

/// What may change in a case, in the order in which [`changing`] binds it.
const CHANGING: [&str; 21] = [
    "state",
    "level",
    "lead",
    "parts",
    "title",
    "reply",
    "hand_backs",
    "merged_into",
    "satisfaction",
    "routed_because",
    "sign_by",
    "first_information_by",
    "respond_by",
    "extension_by",
    "review_by",
    "follow_up_by",
    "paused_at",
    "answered_at",
    "updated_at",
    "due_at",
    "version",
];

/// What does not change in a case, in the order in which [`insert`] binds it.
const LASTING: [&str; 4] = ["id", "region", "event", "opened_at"];

static UPDATE: LazyLock<String> = LazyLock::new(|| {
    let [id, read] = [1, 2].map(|after| CHANGING.len() + after);
    let set: Vec<String> = (CHANGING.iter().zip(1..))
        .map(|(column, at)| format!("{column} = ${at}"))
        .collect();
    format!(
        "UPDATE cases SET {} WHERE id = ${id} AND version = ${read}",
        set.join(", ")
    )
});

type Statement<'q> = sqlx::query::Query<'q, Any, AnyArguments>;

/// Binds what may change in a case.
fn changing<'q>(query: Statement<'q>, case: &'q Case) -> Result<Statement<'q>, StoreError> {
    let milliseconds = |time: Option<Timestamp>| time.map(Timestamp::as_millisecond);
    let due = case.clocks().iter().map(|(_, _, due)| *due).min();
    Ok(query
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
        .bind(case.updated_at.as_millisecond())
        .bind(milliseconds(due))
        .bind(case.version))
}

/// Writes cases that are new; what is known of their events is written by [`write_alerts`].
pub(super) async fn insert(
    connection: &mut AnyConnection,
    cases: &[&Case],
) -> Result<(), StoreError> {
    if cases.is_empty() {
        return Ok(());
    }
    let columns = [&CHANGING[..], &LASTING[..]].concat();
    let statement = insert_rows("cases", &columns, cases.len(), "");
    let mut query = sqlx::query(statement);
    for case in cases {
        query = changing(query, case)?
            .bind(&case.id)
            .bind(&case.region)
            .bind(&case.alert.event.id)
            .bind(case.opened_at.as_millisecond());
    }
    query.execute(&mut *connection).await?;
    write_units(connection, cases).await
}

/// Keeps what is known of the events of cases.
pub(super) async fn write_alerts(
    connection: &mut AnyConnection,
    cases: &[&Case],
) -> Result<(), StoreError> {
    let texts = (cases.iter())
        .map(|case| Ok((&case.id, json(&case.alert)?)))
        .collect::<Result<Vec<_>, StoreError>>()?;
    let mut rest = texts.as_slice();
    while !rest.is_empty() {
        let mut bytes = 0;
        let fits = rest.iter().take_while(|(_, text)| {
            bytes += text.len();
            bytes <= TOGETHER
        });
        let (now, later) = rest.split_at(fits.count().max(1));
        let statement = insert_rows(
            "case_alerts",
            &["case_id", "alert"],
            now.len(),
            "ON CONFLICT (case_id) DO UPDATE SET alert = excluded.alert",
        );
        let mut query = sqlx::query(statement);
        for (id, text) in now {
            query = query.bind(*id).bind(text);
        }
        query.execute(&mut *connection).await?;
        rest = later;
    }
    Ok(())
}

/// Writes a case over the version that was read in this transaction; its units by [`rewrite_units`].
///
/// # Errors
/// When it has changed since, or the store fails.
pub(super) async fn update(
    connection: &mut AnyConnection,
    case: &Case,
    read: i64,
) -> Result<(), StoreError> {
    let written = changing(sqlx::query(UPDATE.as_str()), case)?
        .bind(&case.id)
        .bind(read)
        .execute(&mut *connection)
        .await?;
    if written.rows_affected() == 0 {
        return Err(StoreError::Raced);
    }
    Ok(())
}

/// Writes the units of a case anew, for queries.
pub(super) async fn rewrite_units(
    connection: &mut AnyConnection,
    case: &Case,
) -> Result<(), StoreError> {
    sqlx::query("DELETE FROM case_units WHERE case_id = $1")
        .bind(&case.id)
        .execute(&mut *connection)
        .await?;
    write_units(connection, &[case]).await
}

/// Writes the units of cases that have none written.
async fn write_units(connection: &mut AnyConnection, cases: &[&Case]) -> Result<(), StoreError> {
    let units: BTreeSet<(&str, &str)> = (cases.iter())
        .flat_map(|case| (case.parts.iter()).map(|part| (case.id.as_str(), part.unit.as_str())))
        .collect();
    if units.is_empty() {
        return Ok(());
    }
    let statement = insert_rows("case_units", &["case_id", "unit"], units.len(), "");
    let mut query = sqlx::query(statement);
    for (case, unit) in units {
        query = query.bind(case).bind(unit);
    }
    query.execute(connection).await?;
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

/// A move that was made: the case event that tells of it, and what only its row says.
pub(super) struct Made {
    event: CaseEvent,
    actor: String,
    unit: String,
    choice: String,
    note: String,
}

impl Made {
    /// Of the case as the move left it. A case's version is the number of its moves.
    pub(super) fn of(case: &Case, made: &Record<'_>, now: Timestamp) -> Self {
        Self {
            event: CaseEvent {
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
            },
            actor: made.actor.name.clone(),
            unit: made.actor.unit.clone(),
            choice: made.choice.to_owned(),
            note: made.note.to_owned(),
        }
    }
}

/// Writes moves, in their order, and puts their case events into the outbox.
pub(super) async fn record(
    connection: &mut AnyConnection,
    made: &[Made],
) -> Result<(), StoreError> {
    if made.is_empty() {
        return Ok(());
    }
    let columns = [
        "case_id",
        "sequence",
        "action",
        "from_state",
        "to_state",
        "role",
        "actor",
        "unit",
        "choice",
        "note",
        "at",
    ];
    let statement = insert_rows("moves", &columns, made.len(), "");
    let mut query = sqlx::query(statement);
    let mut messages = Vec::with_capacity(made.len());
    for one in made {
        let event = &one.event;
        query = query
            .bind(&event.case)
            .bind(i64::from(event.sequence))
            .bind(&event.action)
            .bind((!event.from.is_empty()).then_some(&event.from))
            .bind(&event.to)
            .bind(&event.role)
            .bind(&one.actor)
            .bind(&one.unit)
            .bind(&one.choice)
            .bind(&one.note)
            .bind(event.at.as_millisecond());
        let message = encode(event).map_err(|_| StoreError::Unknown { what: "case event" })?;
        messages.push(String::from_utf8_lossy(&message).into_owned());
    }
    query.execute(&mut *connection).await?;
    let messages: Vec<&str> = messages.iter().map(String::as_str).collect();
    Ok(outbox::put(connection, &CASE_EVENTS, &messages).await?)
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
