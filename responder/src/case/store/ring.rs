//! Which alerts are still to be told to the duty office, or once more: a row a case, gathered by the key that routing gives.

use std::collections::BTreeMap;

use jiff::Timestamp;
use sqlx::{AnyConnection, Row};

use super::rows::{find_all, optional_time};
use super::{Cases, StoreError};
use crate::calendar::Calendar;
use crate::case::Case;
use crate::notify::{self, Notice};
use crate::routing::{Group, Routed};
use crate::store::insert_rows;

/// Most groups that are told of in one look.
const GROUPS: i64 = 200;
/// Most cases of a group that are told of together.
const TOGETHER: i64 = 50;
/// Cases that are read together.
const READ: usize = 50;

/// A case whose alert is to be told.
#[derive(Debug, Clone, PartialEq)]
pub struct Ring {
    /// The case.
    pub case: Case,
    /// When it is due, as it was read.
    pub due_at: Timestamp,
}

/// What became of a ring.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rung {
    /// Whether it was told now.
    pub told: bool,
    /// When it is due next; never where nothing.
    pub next: Option<Timestamp>,
}

/// When the alert of a case is told first, and with which others.
pub(super) struct Due {
    group: String,
    at: Option<Timestamp>,
}

impl Due {
    /// As routing gathers it; none of an alert that tells of many by itself, which rings for them.
    pub(super) fn of(
        case: &Case,
        routed: &Routed,
        calendar: &Calendar,
        now: Timestamp,
    ) -> Option<Self> {
        if case.alert.digest.is_some() {
            return None;
        }
        let untold = Group {
            untold_since: Some(now),
            ..Group::default()
        };
        Some(Self {
            group: routed.grouping.key(&case.alert, &routed.lead),
            at: routed.grouping.due(&untold, calendar),
        })
    }

    /// Writes those of cases.
    pub(super) async fn write(
        connection: &mut AnyConnection,
        rings: &BTreeMap<String, Self>,
    ) -> Result<(), StoreError> {
        if rings.is_empty() {
            return Ok(());
        }
        let statement = insert_rows(
            "rings",
            &["case_id", "group_key", "due_at"],
            rings.len(),
            "ON CONFLICT (case_id) DO UPDATE SET group_key = excluded.group_key, due_at = excluded.due_at",
        );
        let mut query = sqlx::query(statement);
        for (case, due) in rings {
            query = query
                .bind(case)
                .bind(&due.group)
                .bind(due.at.map(Timestamp::as_millisecond));
        }
        query.execute(connection).await?;
        Ok(())
    }
}

impl Cases {
    /// The groups of alerts that are to be told at `now`: all of a group of which one is due.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn rings_due(&self, now: Timestamp) -> Result<Vec<Vec<Ring>>, StoreError> {
        let mut connection = self.store.pool().acquire().await?;
        let rows = sqlx::query(
            "SELECT group_key, case_id, due_at FROM (SELECT group_key, case_id, due_at, \
             row_number() OVER (PARTITION BY group_key ORDER BY due_at, case_id) AS place FROM rings \
             WHERE due_at IS NOT NULL AND group_key IN (SELECT group_key FROM rings WHERE due_at <= $1 \
             GROUP BY group_key ORDER BY min(due_at) LIMIT $2)) AS due \
             WHERE place <= $3 ORDER BY due_at, case_id",
        )
        .bind(now.as_millisecond())
        .bind(GROUPS)
        .bind(TOGETHER)
        .fetch_all(&mut *connection)
        .await?;
        let mut found = BTreeMap::new();
        for rows in rows.chunks(READ) {
            let ids = rows.iter().map(|row| row.try_get("case_id"));
            let cases = find_all(&mut connection, &ids.collect::<Result<_, _>>()?).await?;
            found.extend(cases.into_iter().map(|case| (case.id.clone(), case)));
        }
        let mut groups: BTreeMap<&str, Vec<Ring>> = BTreeMap::new();
        for row in &rows {
            let case = found.remove(row.try_get::<&str, _>("case_id")?);
            if let Some((case, due_at)) = case.zip(optional_time(row, "due_at")?) {
                let group = groups.entry(row.try_get("group_key")?).or_default();
                group.push(Ring { case, due_at });
            }
        }
        let mut groups: Vec<Vec<Ring>> = groups.into_values().collect();
        groups.sort_by_key(|group| group.first().map(|ring| ring.due_at));
        Ok(groups)
    }

    /// Writes down what became of the rings of a group and queues the notices, unless another responder was faster; says
    /// whether it was written.
    ///
    /// # Errors
    /// When the store fails; nothing is changed then.
    pub async fn rung(
        &self,
        rings: &[(&Ring, Rung)],
        notices: &[Notice],
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        let mut transaction = self.store.begin().await?;
        for (ring, rung) in rings {
            let written =
                sqlx::query("UPDATE rings SET due_at = $1 WHERE case_id = $2 AND due_at = $3")
                    .bind(rung.next.map(Timestamp::as_millisecond))
                    .bind(&ring.case.id)
                    .bind(ring.due_at.as_millisecond())
                    .execute(&mut *transaction)
                    .await?;
            if written.rows_affected() == 0 {
                return Ok(false);
            }
        }
        for notice in notices {
            notify::queue(&mut transaction, notice, now).await?;
        }
        transaction.commit().await?;
        Ok(true)
    }
}
