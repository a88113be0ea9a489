//! Cases asked for.

use backbone::message::Alert;
use futures::TryStreamExt;
use jiff::civil::Date;
use jiff::{SignedDuration, Timestamp};
use sqlx::Row;

use super::rows::{read_case, read_level, read_state};
use super::{Cases, StoreError};
use crate::calendar::at_minute;
use crate::case::{Actor, Case, State};
use crate::store::{Conditions, anywhere};

/// What is due within this time is due soon.
const SOON: SignedDuration = SignedDuration::from_hours(2);

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
    /// Only those of which something is due before this time, see [`Case::clocks`].
    pub due_before: Option<Timestamp>,
    /// Only those of which nothing was due before this time.
    pub due_after: Option<Timestamp>,
    /// How many to pass over.
    pub offset: u32,
    /// Most to give, at most 200.
    pub limit: u32,
}

impl Query {
    /// Those of which something due is missing.
    #[must_use]
    pub fn late(now: Timestamp) -> Self {
        Self {
            due_before: Some(now),
            ..Self::default()
        }
    }

    /// Those of which something is due within two hours, and nothing is missing yet.
    #[must_use]
    pub fn due_soon(now: Timestamp) -> Self {
        Self {
            due_before: Some(now + SOON),
            due_after: Some(now),
            ..Self::default()
        }
    }
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

/// That a case is a unit's, to lead or to assist.
const OF_UNIT: &str =
    "EXISTS (SELECT 1 FROM case_units WHERE case_id = cases.id AND case_units.unit = {})";

impl Cases {
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
        // `urgency` puts what is still to be answered first.
        let bounds = format!(
            "LIMIT {} OFFSET {}",
            query.limit.clamp(1, 200),
            query.offset
        );
        let order = "urgency, level, respond_by, id";
        Ok(Page {
            cases: self
                .cases(conditions(query, actor)?, order, &bounds)
                .await?,
            total: u64::try_from(total).unwrap_or(0),
        })
    }

    /// The cases of a region that an actor may see and that were answered, the newest answer first.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn answered(
        &self,
        region: &str,
        actor: &Actor,
        limit: u32,
    ) -> Result<Vec<Case>, StoreError> {
        let query = Query {
            region: region.to_owned(),
            states: vec![State::Answered, State::Closed, State::Followed],
            ..Query::default()
        };
        let mut conditions = conditions(&query, actor)?;
        conditions.add_plain("answered_at IS NOT NULL");
        let bounds = format!("LIMIT {limit}");
        self.cases(conditions, "answered_at DESC, id", &bounds)
            .await
    }

    /// The cases of a region that an actor may see and that were opened on a day of China's time, the first first.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn opened(
        &self,
        region: &str,
        day: Date,
        actor: &Actor,
        limit: u32,
    ) -> Result<Vec<Case>, StoreError> {
        let query = Query {
            region: region.to_owned(),
            ..Query::default()
        };
        let mut conditions = conditions(&query, actor)?;
        let begin = at_minute(day, 0).map_or(i64::MAX, Timestamp::as_millisecond);
        conditions.add("opened_at >= {}", begin)?;
        conditions.add("opened_at < {}", begin.saturating_add(24 * 3_600_000))?;
        self.cases(conditions, "opened_at, id", &format!("LIMIT {limit}"))
            .await
    }

    /// Cases in an order. Which they are is found first, by the index alone, then what is in them.
    async fn cases(
        &self,
        conditions: Conditions,
        order: &str,
        bounds: &str,
    ) -> Result<Vec<Case>, StoreError> {
        let (statement, values) = conditions.into_query(
            "SELECT cases.*, alert FROM (SELECT id AS found FROM cases",
            &format!(
                "ORDER BY {order} {bounds}) AS page JOIN cases ON id = found JOIN case_alerts ON case_id = found \
                 ORDER BY {order}"
            ),
        );
        let rows = sqlx::query_with(statement, values)
            .fetch_all(self.store.pool())
            .await?;
        rows.iter().map(read_case).collect()
    }

    /// Those that are wanted of the alerts of a region's open cases, by the ids of their events; the others are held one at a time.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn open_alerts(
        &self,
        region: &str,
        wanted: impl Fn(&Alert) -> bool,
    ) -> Result<Vec<Alert>, StoreError> {
        let mut conditions = Conditions::default();
        conditions.add("region = {}", region)?;
        conditions.add_plain("urgency = 0");
        let (statement, values) = conditions.into_query(
            "SELECT alert FROM cases JOIN case_alerts ON case_id = id",
            "",
        );
        let mut rows = sqlx::query_with(statement, values).fetch(self.store.pool());
        let mut alerts = Vec::new();
        while let Some(row) = rows.try_next().await? {
            let alert = serde_json::from_str(row.try_get("alert")?)
                .map_err(|_| StoreError::Unknown { what: "alert" })?;
            if wanted(&alert) {
                alerts.push(alert);
            }
        }
        alerts.sort_by(|one: &Alert, other| one.event.id.cmp(&other.event.id));
        Ok(alerts)
    }

    /// The open cases of a region that were sent to units: by unit how many it has a part in, and how many of these are late.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn loads(
        &self,
        region: &str,
        now: Timestamp,
    ) -> Result<Vec<(String, i64, i64)>, StoreError> {
        Ok(sqlx::query_as(
            "SELECT case_units.unit, count(*), sum(CASE WHEN cases.due_at < $1 THEN 1 ELSE 0 END) \
             FROM cases JOIN case_units ON case_units.case_id = cases.id \
             WHERE cases.region = $2 AND cases.state IN ('dispatched', 'signed', 'handling', 'review') \
             GROUP BY case_units.unit",
        )
        .bind(now.as_millisecond())
        .bind(region)
        .fetch_all(self.store.pool())
        .await?)
    }

    /// The cases of a region led by a unit that were answered since a time: how many, and how many of these in time.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn timeliness(
        &self,
        region: &str,
        unit: &str,
        since: Timestamp,
    ) -> Result<(i64, i64), StoreError> {
        Ok(sqlx::query_as(
            "SELECT count(*), coalesce(sum(CASE WHEN answered_at <= respond_by THEN 1 ELSE 0 END), 0) FROM cases \
             WHERE region = $1 AND lead = $2 AND answered_at >= $3",
        )
        .bind(region)
        .bind(unit)
        .bind(since.as_millisecond())
        .fetch_one(self.store.pool())
        .await?)
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
                    level: read_level(row)?,
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
        conditions.add_plain("state NOT IN ('pending', 'dismissed', 'merged')");
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
    if let Some(time) = query.due_before {
        conditions.add("due_at < {}", time.as_millisecond())?;
    }
    if let Some(time) = query.due_after {
        conditions.add("due_at >= {}", time.as_millisecond())?;
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
