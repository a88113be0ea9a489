//! The store of cases. A change, its move, its case event and its notices are one transaction, so
//! whatever is killed when, all of them are there or none.

mod desk;
mod query;
mod ring;
mod rows;
mod telling;
mod tracked;

use backbone::message::Alert;
use jiff::Timestamp;
use sqlx::AnyConnection;
use thiserror::Error;

use super::apply::{absorb, apply};
use super::table::{self, Refusal};
use super::{Action, Actor, Case, Deed, Move, Timing};
use crate::commitment;
use crate::erasure::Erasures;
use crate::notify::{self, Kind};
use crate::routing::Routed;
use crate::store::Store;
use desk::Desk;
pub use query::{Counts, Page, Query};
pub use ring::{Ring, Rung};
use rows::{Made, Record, find, read_move, record, rewrite_units, update};

/// Most characters of a note.
const LONGEST_NOTE: usize = 5_000;

/// The store failed.
#[derive(Debug, Error)]
pub enum StoreError {
    /// SQLite or PostgreSQL said no.
    #[error("the case store failed: {0}")]
    Sql(#[source] sqlx::Error),
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

impl From<sqlx::Error> for StoreError {
    fn from(error: sqlx::Error) -> Self {
        let code = error.as_database_error().and_then(|error| error.code());
        // PostgreSQL's serialization failure and deadlock: of two that meet, one is asked to try again.
        match code.as_deref() {
            Some("40001" | "40P01") => Self::Raced,
            _ => Self::Sql(error),
        }
    }
}

/// A move was not made. The text is for the person who tried.
#[derive(Debug, Error)]
pub enum MoveError {
    /// There is no such case, or not for this actor.
    #[error("没有这个案件，或您无权查看")]
    NotFound,
    /// Someone else was faster.
    #[error("案件刚刚有了新的进展，请核对最新情况后再提交")]
    Stale,
    /// The table of moves does not allow it.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// A note is missing.
    #[error("请填写{0}")]
    NoteMissing(&'static str),
    /// The note is longer than 5,000 characters.
    #[error("填写的内容过长，请控制在{LONGEST_NOTE}字以内")]
    NoteTooLong,
    /// What was chosen is none of the choices.
    #[error("请从下列选项中选择：{0}")]
    Choice(String),
    /// A unit does not exist.
    #[error("没有这个单位：{0}")]
    UnknownUnit(String),
    /// A case cannot be merged into that one.
    #[error("不能并入该案：{0}")]
    MergeInto(&'static str),
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

/// The cases.
#[derive(Debug, Clone)]
pub struct Cases {
    pub(super) store: Store,
    timing: Timing,
}

impl Cases {
    /// The cases of an opened store.
    #[must_use]
    pub fn new(store: Store, timing: Timing) -> Self {
        Self { store, timing }
    }

    /// What the clocks of the cases run by.
    #[must_use]
    pub fn timing(&self) -> &Timing {
        &self.timing
    }

    /// Opens or raises the case of an alert's event; where that is merged into another, that one is raised. The same
    /// alert again changes nothing.
    ///
    /// # Errors
    /// When the store fails; nothing is changed then.
    pub async fn take(
        &self,
        alert: &Alert,
        routed: &Routed,
        now: Timestamp,
    ) -> Result<Taken, StoreError> {
        let taken = self.take_all(&[(alert, routed)], now).await?;
        Ok(taken.first().copied().unwrap_or(Taken::Known))
    }

    /// The same with several alerts, in their order: all are taken, or none.
    ///
    /// # Errors
    /// When the store fails; nothing is changed then.
    pub async fn take_all(
        &self,
        alerts: &[(&Alert, &Routed)],
        now: Timestamp,
    ) -> Result<Vec<Taken>, StoreError> {
        // What was erased does not come back by an alert that was worded before.
        let erased = Erasures::new(self.store.clone()).erased().await?;
        let cleansed: Vec<Alert> = (alerts.iter())
            .map(|(alert, _)| {
                let mut alert = (*alert).clone();
                erased.cleanse_alert(&mut alert);
                alert
            })
            .collect();
        let mut transaction = self.store.begin().await?;
        let mut desk = Desk::for_alerts(&mut transaction, self, &cleansed, now).await?;
        let taken = (cleansed.iter().zip(alerts))
            .map(|(alert, (_, routed))| desk.take(alert, routed))
            .collect::<Result<_, _>>()?;
        desk.write(&mut transaction).await?;
        transaction.commit().await?;
        Ok(taken)
    }

    /// Opens the case of an event at an officer's word, where no alert did; says whether there was none yet.
    ///
    /// # Errors
    /// When the store fails; nothing is changed then.
    pub async fn open_for(
        &self,
        alert: &Alert,
        routed: &Routed,
        actor: &Actor,
        note: &str,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        let mut transaction = self.store.begin().await?;
        let event = alert.event.id.as_str();
        let mut desk =
            Desk::for_events(&mut transaction, self, std::iter::once(event), now).await?;
        if desk.has(event) {
            return Ok(false);
        }
        let opened = Record {
            action: Action::Open,
            from: None,
            actor,
            choice: "",
            note,
        };
        desk.open(alert, routed, &opened);
        desk.write(&mut transaction).await?;
        transaction.commit().await?;
        Ok(true)
    }

    /// Makes a move.
    ///
    /// # Errors
    /// When the actor may not see or move the case, it has changed since, or something is missing.
    pub async fn perform(
        &self,
        case: &str,
        deed: &Deed,
        actor: &Actor,
        notices: &notify::Composer,
        now: Timestamp,
    ) -> Result<Case, MoveError> {
        let mut transaction = self.store.begin().await?;
        let case = self
            .perform_in(&mut transaction, case, deed, actor, notices, now)
            .await?;
        transaction.commit().await?;
        Ok(case)
    }

    /// Makes a move within a transaction.
    pub(in crate::case) async fn perform_in(
        &self,
        connection: &mut AnyConnection,
        case: &str,
        deed: &Deed,
        actor: &Actor,
        notices: &notify::Composer,
        now: Timestamp,
    ) -> Result<Case, MoveError> {
        let mut case = (self.find_in(connection, case, actor).await?).ok_or(MoveError::NotFound)?;
        let from = case.state;
        if case.version != deed.version {
            return Err(MoveError::Stale);
        }
        let (rule, to) = table::find(deed, &case, actor)?;
        check(rule, deed)?;
        if matches!(deed.action, Action::Dispatch | Action::Redispatch) || !deed.lead.is_empty() {
            notices.check_units(&case.region, &deed.lead, &deed.assists)?;
        }
        match deed.action {
            Action::Merge => {
                self.absorb(connection, &case, deed, actor, notices, now)
                    .await?;
            }
            Action::Split => self.release(connection, &case, actor, now).await?,
            _ => {}
        }
        apply(&mut case, deed, actor, to, &self.timing, now);
        let note = deed.note.trim();
        let made = Record {
            action: deed.action,
            from: Some(from),
            actor,
            choice: &deed.choice,
            note,
        };
        self.moved(connection, &mut case, &made, now).await?;
        if deed.action == Action::Approve {
            commitment::promised(connection, &case, &self.timing.calendar, now).await?;
        }
        for notice in notices.compose(&case, deed.action, note) {
            notify::queue(connection, &notice, now).await?;
        }
        Ok(case)
    }

    /// Writes a case with one move more.
    async fn moved(
        &self,
        connection: &mut AnyConnection,
        case: &mut Case,
        made: &Record<'_>,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let read = case.version;
        case.version += 1;
        case.updated_at = now;
        update(connection, case, read).await?;
        rewrite_units(connection, case).await?;
        self.plan(connection, &[case], now).await?;
        record(connection, &[Made::of(case, made, now)]).await
    }

    /// The case that another is merged into takes its units and level.
    async fn absorb(
        &self,
        connection: &mut AnyConnection,
        case: &Case,
        deed: &Deed,
        actor: &Actor,
        notices: &notify::Composer,
        now: Timestamp,
    ) -> Result<(), MoveError> {
        let mut host = find(connection, &deed.into)
            .await?
            .filter(|host| host.region == case.region)
            .ok_or(MoveError::MergeInto("没有这个案件"))?;
        if host.id == case.id {
            return Err(MoveError::MergeInto("不能并入自身"));
        }
        if !host.state.open() {
            return Err(MoveError::MergeInto("该案已经办结、误报或并入他案"));
        }
        let (from, before) = (host.state, host.parts.len());
        absorb(&mut host, case, &self.timing, now);
        let note = format!("并入：{}（{}）", case.alert.event.title, case.id);
        let made = Record {
            action: Action::Absorb,
            from: Some(from),
            actor,
            choice: "",
            note: &note,
        };
        self.moved(connection, &mut host, &made, now).await?;
        // Units that come to a case on its way are told as by a dispatch.
        let joined = host.parts.get(before..).unwrap_or_default();
        for part in joined.iter().filter(|part| part.sign_by.is_some()) {
            for notice in notices.to_unit(&host, &part.unit, Kind::Dispatch, &note) {
                notify::queue(connection, &notice, now).await?;
            }
        }
        Ok(())
    }

    /// The case that another is taken out of again notes it; its units stay.
    async fn release(
        &self,
        connection: &mut AnyConnection,
        case: &Case,
        actor: &Actor,
        now: Timestamp,
    ) -> Result<(), MoveError> {
        let Some(mut host) = find(connection, &case.merged_into).await? else {
            return Ok(());
        };
        let note = format!("拆出：{}（{}）", case.alert.event.title, case.id);
        let made = Record {
            action: Action::Release,
            from: Some(host.state),
            actor,
            choice: "",
            note: &note,
        };
        Ok(self.moved(connection, &mut host, &made, now).await?)
    }

    /// A case within a transaction, if the actor may see it.
    pub(in crate::case) async fn find_in(
        &self,
        connection: &mut AnyConnection,
        case: &str,
        actor: &Actor,
    ) -> Result<Option<Case>, StoreError> {
        let case = find(connection, case).await?;
        Ok(case.filter(|case| actor.sees(case)))
    }

    /// The store that they are in.
    pub(crate) fn store(&self) -> &Store {
        &self.store
    }

    /// A case, if the actor may see it.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn get(&self, id: &str, actor: &Actor) -> Result<Option<Case>, StoreError> {
        let mut connection = self.store.pool().acquire().await?;
        self.find_in(&mut connection, id, actor).await
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
}

/// Whether a deed says what its rule needs.
fn check(rule: &table::Rule, deed: &Deed) -> Result<(), MoveError> {
    let note = deed.note.trim();
    if note.is_empty() && !rule.note.is_empty() {
        return Err(MoveError::NoteMissing(rule.note));
    }
    if note.chars().count() > LONGEST_NOTE {
        return Err(MoveError::NoteTooLong);
    }
    let chosen = match rule.choices {
        [] => deed.choice.is_empty(),
        choices => choices.contains(&deed.choice.as_str()),
    };
    if !chosen {
        return Err(MoveError::Choice(rule.choices.join("、")));
    }
    Ok(())
}
