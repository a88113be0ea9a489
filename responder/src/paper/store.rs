//! The store of papers: what is asked for, read and moved. Each change says in its statement from which state and version.

use backbone::id;
use jiff::Timestamp;
use jiff::civil::Date;
use sqlx::any::AnyRow;
use sqlx::{AnyConnection, Row};

use super::{Action, Content, Move, Paper, PaperError, State};
use crate::account::{Line, append};
use crate::case::{Actor, StoreError};
use crate::report::{Kind, Wanted};
use crate::store::{Conditions, Store};
use crate::trend::Period;

/// Longest note, in characters.
const LONGEST_NOTE: usize = 1_000;

/// The columns of a paper without what it says.
const COLUMNS: &str = "id, region, wanted, state, version, problem, title, number, reason, returned, asked_by, asked_at, \
     made_at, edited_by, edited_at, approved_by, approved_at, first_day, last_day";

/// Which papers are asked for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Query {
    /// Only of this region; of all where empty.
    pub region: String,
    /// Only of this kind.
    pub kind: Option<Kind>,
    /// Only in this state.
    pub state: Option<State>,
    /// Only about days from this one.
    pub from: Option<Date>,
    /// Only about days up to this one.
    pub to: Option<Date>,
    /// How many to pass over.
    pub offset: u32,
    /// Most to give.
    pub limit: u32,
}

/// The papers of a store.
#[derive(Debug, Clone)]
pub struct Papers {
    pub(super) store: Store,
}

/// A paper that was asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Asked {
    /// Its id.
    pub id: String,
    /// Whether it was there before.
    pub known: bool,
}

impl Papers {
    /// The papers of an opened store.
    #[must_use]
    pub fn new(store: Store) -> Self {
        Self { store }
    }

    /// The id of the paper of a region about that.
    ///
    /// # Errors
    /// When it cannot be written down.
    pub fn id(region: &str, wanted: &Wanted) -> Result<String, StoreError> {
        Ok(id::of("paper", &[region, &json(wanted)?]))
    }

    /// Asks for a paper, to be made by a responder; one that is there already is that one. With `submits` it is submitted
    /// as soon as it is made.
    ///
    /// # Errors
    /// When the role may not, or the store fails.
    pub async fn ask(
        &self,
        region: &str,
        wanted: &Wanted,
        submits: bool,
        actor: &Actor,
        now: Timestamp,
    ) -> Result<Asked, PaperError> {
        if !Action::Ask.is_of(actor.role) {
            return Err(PaperError::NotAllowed);
        }
        let id = Self::id(region, wanted)?;
        let Period { from, to } = wanted.period();
        let mut transaction = self.store.begin().await?;
        let added = sqlx::query(
            "INSERT INTO papers (id, region, kind, wanted, first_day, last_day, state, version, submits, claimed_by, \
             claimed_until, attempts, problem, title, number, generated, text, reason, cover, figures, facts, returned, \
             asked_by, asked_at, made_at, edited_by, edited_at, approved_by, approved_at) \
             VALUES ($1, $2, $3, $4, $5, $6, $7, 1, $8, '', 0, 0, '', $9, '', '', '', '', '', '', '', '', $10, $11, 0, '', 0, \
             '', 0) ON CONFLICT (id) DO NOTHING",
        )
        .bind(&id)
        .bind(region)
        .bind(wanted.kind().name())
        .bind(json(wanted)?)
        .bind(from.to_string())
        .bind(to.to_string())
        .bind(State::Making.name())
        .bind(i64::from(submits))
        .bind(wanted.kind().title())
        .bind(&actor.name)
        .bind(now.as_millisecond())
        .execute(&mut *transaction)
        .await?;
        let known = added.rows_affected() == 0;
        if !known {
            write_down(&mut transaction, &id, 1, Action::Ask, actor, "", now).await?;
            transaction.commit().await?;
        }
        Ok(Asked { id, known })
    }

    /// The paper of that id.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn get(&self, id: &str) -> Result<Option<Paper>, StoreError> {
        // Safe: the columns are this program's own.
        let statement = sqlx::AssertSqlSafe(format!("SELECT {COLUMNS} FROM papers WHERE id = $1"));
        let row = sqlx::query(statement)
            .bind(id)
            .fetch_optional(self.store.pool())
            .await?;
        row.as_ref().map(paper).transpose()
    }

    /// The paper of that id and what it says; none where it was never made.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn read(&self, id: &str) -> Result<Option<(Paper, Content)>, StoreError> {
        let row = sqlx::query("SELECT * FROM papers WHERE id = $1 AND made_at > 0")
            .bind(id)
            .fetch_optional(self.store.pool())
            .await?;
        let Some(row) = row else {
            return Ok(None);
        };
        let part = |column: &str| row.try_get::<String, _>(column);
        let content = Content {
            generated: part("generated")?,
            text: part("text")?,
            cover: read_json(&part("cover")?)?,
            figures: read_json(&part("figures")?)?,
            facts: part("facts")?,
        };
        Ok(Some((paper(&row)?, content)))
    }

    /// The papers asked for, the newest days first, and how many there are.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn list(&self, query: &Query) -> Result<(Vec<Paper>, u64), StoreError> {
        let conditions = || -> Result<Conditions, sqlx::Error> {
            let mut conditions = Conditions::default();
            if !query.region.is_empty() {
                conditions.add("region = {}", query.region.clone())?;
            }
            if let Some(kind) = query.kind {
                conditions.add("kind = {}", kind.name())?;
            }
            if let Some(state) = query.state {
                conditions.add("state = {}", state.name())?;
            }
            if let Some(from) = query.from {
                conditions.add("last_day >= {}", from.to_string())?;
            }
            if let Some(to) = query.to {
                conditions.add("first_day <= {}", to.to_string())?;
            }
            Ok(conditions)
        };
        let (statement, values) = conditions()?.into_query("SELECT count(*) FROM papers", "");
        let total: i64 = sqlx::query_scalar_with(statement, values)
            .fetch_one(self.store.pool())
            .await?;
        let begin = format!("SELECT {COLUMNS} FROM papers");
        let end = format!(
            "ORDER BY last_day DESC, asked_at DESC, id LIMIT {} OFFSET {}",
            query.limit, query.offset
        );
        let (statement, values) = conditions()?.into_query(&begin, &end);
        let rows = sqlx::query_with(statement, values)
            .fetch_all(self.store.pool())
            .await?;
        let papers: Result<Vec<Paper>, StoreError> = rows.iter().map(paper).collect();
        Ok((papers?, u64::try_from(total).unwrap_or(0)))
    }

    /// What was done with a paper, the newest first.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn moves(&self, id: &str) -> Result<Vec<Move>, StoreError> {
        let rows = sqlx::query("SELECT * FROM paper_moves WHERE paper = $1 ORDER BY version DESC")
            .bind(id)
            .fetch_all(self.store.pool())
            .await?;
        rows.iter()
            .map(|row| {
                Ok(Move {
                    version: row.try_get("version")?,
                    action: Action::named(row.try_get("action")?).ok_or(StoreError::Unknown {
                        what: "move of a paper",
                    })?,
                    actor: row.try_get("actor")?,
                    at: time(row.try_get("at")?)?.unwrap_or_default(),
                    note: row.try_get("note")?,
                })
            })
            .collect()
    }

    /// Submits, returns, withdraws a paper, or has it made anew.
    ///
    /// # Errors
    /// When the role may not, a note is missing, others were faster, or the store fails.
    pub async fn perform(
        &self,
        id: &str,
        version: i64,
        action: Action,
        note: &str,
        actor: &Actor,
        now: Timestamp,
    ) -> Result<(), PaperError> {
        let note = note.trim();
        if note.is_empty() && !action.note().is_empty() {
            return Err(PaperError::Missing(action.note()));
        }
        if note.chars().count() > LONGEST_NOTE {
            return Err(PaperError::TooLong("填写的内容", LONGEST_NOTE));
        }
        let sets = match action {
            Action::Submit | Action::Return | Action::Withdraw => "problem = ''",
            // From fresh data: as if it was asked for now.
            Action::Remake => {
                "problem = '', attempts = 0, submits = 0, claimed_by = '', claimed_until = 0"
            }
            _ => return Err(PaperError::NotAllowed),
        };
        let returned = if action == Action::Return { note } else { "" };
        let paper = self.get(id).await?.ok_or(PaperError::NotFound)?;
        action.check(actor.role, paper.state)?;
        let mut transaction = self.store.begin().await?;
        // Safe: what is set and the states are this program's own words.
        let statement = sqlx::AssertSqlSafe(format!(
            "UPDATE papers SET state = $1, returned = $2, version = version + 1, {sets} \
             WHERE id = $3 AND version = $4 AND state IN ({})",
            action.leads_from()
        ));
        let moved = sqlx::query(statement)
            .bind(action.to().name())
            .bind(returned)
            .bind(id)
            .bind(version)
            .execute(&mut *transaction)
            .await?;
        if moved.rows_affected() == 0 {
            return Err(PaperError::Stale);
        }
        write_down(&mut transaction, id, version + 1, action, actor, note, now).await?;
        transaction.commit().await?;
        Ok(())
    }
}

/// Writes a move down, and the line of the audit, as the last of a transaction.
pub(super) async fn write_down(
    connection: &mut AnyConnection,
    id: &str,
    version: i64,
    action: Action,
    actor: &Actor,
    note: &str,
    now: Timestamp,
) -> Result<(), sqlx::Error> {
    sqlx::query(
        "INSERT INTO paper_moves (paper, version, action, actor, at, note) VALUES ($1, $2, $3, $4, $5, $6)",
    )
    .bind(id)
    .bind(version)
    .bind(action.name())
    .bind(&actor.name)
    .bind(now.as_millisecond())
    .bind(note)
    .execute(&mut *connection)
    .await?;
    let line = Line {
        user: &actor.name,
        action: &format!("{}-report", action.name()),
        subject: id,
        via: &actor.via,
    };
    append(connection, line, now).await?;
    Ok(())
}

pub(super) fn json(value: &impl serde::Serialize) -> Result<String, StoreError> {
    Ok(serde_json::to_string(value).map_err(|error| sqlx::Error::Encode(error.into()))?)
}

pub(super) fn read_json<T: serde::de::DeserializeOwned>(text: &str) -> Result<T, StoreError> {
    serde_json::from_str(text).map_err(|_| StoreError::Unknown { what: "paper" })
}

/// A time; none where it has not come.
fn time(milliseconds: i64) -> Result<Option<Timestamp>, StoreError> {
    if milliseconds == 0 {
        return Ok(None);
    }
    let time = Timestamp::from_millisecond(milliseconds);
    time.map(Some)
        .map_err(|_| StoreError::Unknown { what: "time" })
}

pub(super) fn paper(row: &AnyRow) -> Result<Paper, StoreError> {
    let day = |column: &str| -> Result<Date, StoreError> {
        let day: String = row.try_get(column)?;
        day.parse().map_err(|_| StoreError::Unknown { what: "day" })
    };
    let of = |column: &str| -> Result<Option<Timestamp>, StoreError> { time(row.try_get(column)?) };
    let wanted: String = row.try_get("wanted")?;
    Ok(Paper {
        id: row.try_get("id")?,
        region: row.try_get("region")?,
        wanted: serde_json::from_str(&wanted).map_err(|_| StoreError::Unknown {
            what: "kind of report",
        })?,
        period: Period {
            from: day("first_day")?,
            to: day("last_day")?,
        },
        state: State::named(row.try_get("state")?).ok_or(StoreError::Unknown {
            what: "state of a paper",
        })?,
        version: row.try_get("version")?,
        problem: row.try_get("problem")?,
        title: row.try_get("title")?,
        number: row.try_get("number")?,
        reason: row.try_get("reason")?,
        returned: row.try_get("returned")?,
        asked_by: row.try_get("asked_by")?,
        asked_at: of("asked_at")?.unwrap_or_default(),
        made_at: of("made_at")?,
        edited_by: row.try_get("edited_by")?,
        edited_at: of("edited_at")?,
        approved_by: row.try_get("approved_by")?,
        approved_at: of("approved_at")?,
    })
}
