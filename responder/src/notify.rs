//! Notices: composed with what causes them, queued in its transaction, carried by a channel until they
//! are taken or given up. Those to units come with the moves of cases, those to the administrator with
//! how the sources are.

pub mod webhook;

use std::collections::BTreeMap;
use std::sync::Arc;

use backbone::id;
use backbone::region::Region;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use sqlx::any::AnyRow;
use sqlx::{AnyConnection, Row};
use url::Url;

use crate::case::{Action, Case, MoveError, StoreError};
use crate::store::Store;

/// What a channel carries: enough to know that one must look, and where. No post text.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Body {
    /// Of a case, to a unit.
    Case(CaseBody),
    /// Of a source, to the administrator.
    Source(SourceBody),
}

impl Body {
    /// What happened.
    #[must_use]
    pub fn action(&self) -> &str {
        match self {
            Self::Case(body) => &body.action,
            Self::Source(body) => &body.action,
        }
    }
}

/// What is carried to a unit.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CaseBody {
    /// Deterministic id: one that comes twice is the same notice.
    pub id: String,
    /// What happened: 派单, 催办, 督办, 退回修改 or 审核通过.
    pub action: String,
    /// The case's id.
    pub case: String,
    /// Title of the event.
    pub title: String,
    /// Level, 1 (gravest) to 4.
    pub level: u8,
    /// Code and name of the unit addressed.
    pub unit: String,
    /// Its name.
    pub unit_name: String,
    /// Whether it leads.
    pub lead: bool,
    /// Until when the people must be answered.
    pub respond_by: String,
    /// What the office wrote.
    pub note: String,
    /// Address of the case page.
    pub link: String,
}

/// What is carried to the administrator.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SourceBody {
    /// Deterministic id: one that comes twice is the same notice.
    pub id: String,
    /// `source`; the notice of a case has no such field.
    pub kind: String,
    /// What happened: 来源异常 or 来源恢复.
    pub action: String,
    /// The same in a sentence: which source, what is wrong, since when.
    pub title: String,
    /// Code of the region the source is about.
    pub region: String,
    /// The source's name.
    pub source: String,
    /// How it is, such as `failing`.
    pub condition: String,
    /// Since when.
    pub since: String,
    /// What is wrong, as the collector tells it; empty where nothing is.
    pub problem: String,
    /// Address of the page of sources.
    pub link: String,
}

/// A notice as it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Notice {
    /// Its id.
    pub id: String,
    /// Id of the case or the source it is about.
    pub about: String,
    /// Code of the unit addressed; empty where it is the administrator.
    pub unit: String,
    /// Name of the channel.
    pub channel: String,
    /// `queued`, `sent` or `failed`.
    pub state: String,
    /// Tries so far.
    pub attempts: u32,
    /// Why the last one failed; empty where it did not.
    pub problem: String,
    /// When it last changed.
    pub updated_at: Timestamp,
    /// What is sent.
    pub body: Body,
}

impl Notice {
    /// One that waits to be carried.
    pub(crate) fn queued(
        id: String,
        about: &str,
        unit: &str,
        channel: String,
        now: Timestamp,
        body: Body,
    ) -> Self {
        Self {
            id,
            about: about.to_owned(),
            unit: unit.to_owned(),
            channel,
            state: "queued".to_owned(),
            attempts: 0,
            problem: String::new(),
            updated_at: now,
            body,
        }
    }
}

/// Composes the notices of cases.
#[derive(Debug)]
pub struct Composer {
    regions: Arc<BTreeMap<String, Region>>,
    public_url: Url,
}

impl Composer {
    /// For the units of the given regions, with links to the console at `public_url`.
    #[must_use]
    pub fn new(regions: Arc<BTreeMap<String, Region>>, public_url: Url) -> Self {
        Self {
            regions,
            public_url,
        }
    }

    /// Checks that a dispatch names units of the region.
    ///
    /// # Errors
    /// Names the unit that is not one.
    pub fn check_units(
        &self,
        region: &str,
        lead: &str,
        assists: &[String],
    ) -> Result<(), MoveError> {
        let region = self.regions.get(region);
        for code in std::iter::once(lead).chain(assists.iter().map(String::as_str)) {
            if region.and_then(|region| region.unit(code)).is_none() {
                return Err(MoveError::UnknownUnit(code.to_owned()));
            }
        }
        Ok(())
    }

    /// The notices that a move causes: to all units of the case when it is dispatched, else to the lead.
    pub(crate) fn compose(&self, case: &Case, action: Action, note: &str) -> Vec<Notice> {
        let assists: &[String] = match action {
            Action::Dispatch => &case.assists,
            Action::Urge | Action::Supervise | Action::SendBack | Action::Approve => &[],
            _ => return Vec::new(),
        };
        let Some(region) = self.regions.get(&case.region) else {
            return Vec::new();
        };
        std::iter::once(&case.lead)
            .chain(assists)
            .filter_map(|code| region.unit(code))
            .filter_map(|unit| {
                let channel = unit.channel.clone()?;
                let id = id::of("notice", &[&case.id, &case.version.to_string(), &unit.code]);
                let link = self.public_url.join(&format!("cases/{}", case.id)).ok()?;
                let body = Body::Case(CaseBody {
                    id: id.clone(),
                    action: action.title().to_owned(),
                    case: case.id.clone(),
                    title: case.alert.event.title.clone(),
                    level: case.level,
                    unit: unit.code.clone(),
                    unit_name: unit.name.clone(),
                    lead: unit.code == case.lead,
                    respond_by: case.respond_by.to_string(),
                    note: note.to_owned(),
                    link: link.to_string(),
                });
                let now = case.updated_at;
                Some(Notice::queued(id, &case.id, &unit.code, channel, now, body))
            })
            .collect()
    }
}

/// Queues a notice in the transaction of what causes it.
pub(crate) async fn queue(
    connection: &mut AnyConnection,
    notice: &Notice,
    now: Timestamp,
) -> Result<(), StoreError> {
    let body =
        serde_json::to_string(&notice.body).map_err(|error| sqlx::Error::Encode(error.into()))?;
    sqlx::query(
        "INSERT INTO notices (id, about, unit, channel, body, state, attempts, problem, due_at, updated_at) \
         VALUES ($1, $2, $3, $4, $5, 'queued', 0, '', $6, $7) ON CONFLICT DO NOTHING",
    )
    .bind(&notice.id)
    .bind(&notice.about)
    .bind(&notice.unit)
    .bind(&notice.channel)
    .bind(body)
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
    let rows = sqlx::query("SELECT * FROM notices WHERE about = $1 ORDER BY updated_at DESC, id")
        .bind(case)
        .fetch_all(store.pool())
        .await?;
    rows.iter().map(read).collect()
}

/// The notices due now, the longest due first, at most 50.
pub(crate) async fn due(store: &Store, now: Timestamp) -> Result<Vec<Notice>, StoreError> {
    let rows = sqlx::query(
        "SELECT * FROM notices WHERE state = 'queued' AND due_at <= $1 ORDER BY due_at LIMIT 50",
    )
    .bind(now.as_millisecond())
    .fetch_all(store.pool())
    .await?;
    rows.iter().map(read).collect()
}

fn read(row: &AnyRow) -> Result<Notice, StoreError> {
    Ok(Notice {
        id: row.try_get("id")?,
        about: row.try_get("about")?,
        unit: row.try_get("unit")?,
        channel: row.try_get("channel")?,
        state: row.try_get("state")?,
        attempts: u32::try_from(row.try_get::<i64, _>("attempts")?).unwrap_or(u32::MAX),
        problem: row.try_get("problem")?,
        updated_at: Timestamp::from_millisecond(row.try_get("updated_at")?)
            .map_err(|_| StoreError::Unknown { what: "time" })?,
        body: serde_json::from_str(row.try_get("body")?)
            .map_err(|_| StoreError::Unknown { what: "notice" })?,
    })
}
