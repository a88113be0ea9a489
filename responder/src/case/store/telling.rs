//! What is to be told of the clocks: planned with each change of a case, in its transaction, and told once, however many
//! responders look.

use jiff::Timestamp;
use sqlx::{AnyConnection, AssertSqlSafe, Row};

use super::rows::{find, optional_time};
use super::{Cases, StoreError};
use crate::case::{Case, Clock, Step, Telling};
use crate::notify::{self, Notice};
use crate::store::{insert_rows, parameters};

/// Most that are told at a time.
const BATCH: i64 = 100;

impl Cases {
    /// Plans what is to be told of cases as they stand; what was told stays told.
    pub(super) async fn plan(
        &self,
        connection: &mut AnyConnection,
        cases: &[&Case],
        now: Timestamp,
    ) -> Result<(), StoreError> {
        // Of a case that was just opened nothing is planned.
        let changed: Vec<&&Case> = cases.iter().filter(|case| case.version > 1).collect();
        if !changed.is_empty() {
            // The sign keeps SQLite from going through all that is still to be told instead of that of the cases.
            // Safe: of this program's own words.
            let statement = AssertSqlSafe(format!(
                "DELETE FROM tellings WHERE case_id IN ({}) AND +told_at IS NULL",
                parameters(changed.len())
            ));
            let mut query = sqlx::query(statement);
            for case in changed {
                query = query.bind(&case.id);
            }
            query.execute(&mut *connection).await?;
        }
        let plan: Vec<(&str, Telling)> = (cases.iter())
            .flat_map(|case| {
                let tellings = self.timing.escalation.plan(case, now);
                tellings
                    .into_iter()
                    .map(|telling| (case.id.as_str(), telling))
            })
            .collect();
        if plan.is_empty() {
            return Ok(());
        }
        let columns = ["case_id", "clock", "unit", "step", "due_at", "at"];
        let statement = insert_rows("tellings", &columns, plan.len(), "ON CONFLICT DO NOTHING");
        let mut query = sqlx::query(statement);
        for (case, telling) in &plan {
            query = query
                .bind(*case)
                .bind(telling.clock.name())
                .bind(&telling.unit)
                .bind(telling.step.name())
                .bind(telling.due_at.as_millisecond())
                .bind(telling.at.as_millisecond());
        }
        query.execute(connection).await?;
        Ok(())
    }

    /// Queues the notices, as `compose` makes them, of the clocks that are to be told of at `now`, the longest due first,
    /// and gives how many clocks were told.
    ///
    /// # Errors
    /// When the store fails; what was told before is told.
    pub async fn tell_due(
        &self,
        compose: &(impl Fn(&Case, &Telling) -> Vec<Notice> + Sync),
        now: Timestamp,
    ) -> Result<usize, StoreError> {
        let rows = sqlx::query(
            "SELECT * FROM tellings WHERE told_at IS NULL AND at <= $1 ORDER BY at LIMIT $2",
        )
        .bind(now.as_millisecond())
        .bind(BATCH)
        .fetch_all(self.store.pool())
        .await?;
        let mut told = 0;
        for row in &rows {
            let case: String = row.try_get("case_id")?;
            let unknown = |what| StoreError::Unknown { what };
            let time = |column| optional_time(row, column)?.ok_or(unknown("time"));
            let telling = Telling {
                clock: Clock::named(row.try_get("clock")?).ok_or(unknown("clock"))?,
                unit: row.try_get("unit")?,
                step: Step::named(row.try_get("step")?).ok_or(unknown("step"))?,
                due_at: time("due_at")?,
                at: time("at")?,
            };
            told += usize::from(self.tell(&case, &telling, compose, now).await?);
        }
        Ok(told)
    }

    /// Whether it was this call that told it.
    async fn tell(
        &self,
        case: &str,
        telling: &Telling,
        compose: &(impl Fn(&Case, &Telling) -> Vec<Notice> + Sync),
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        let mut transaction = self.store.begin().await?;
        let first = sqlx::query(
            "UPDATE tellings SET told_at = $1 WHERE case_id = $2 AND clock = $3 AND unit = $4 AND step = $5 \
             AND due_at = $6 AND told_at IS NULL",
        )
        .bind(now.as_millisecond())
        .bind(case)
        .bind(telling.clock.name())
        .bind(&telling.unit)
        .bind(telling.step.name())
        .bind(telling.due_at.as_millisecond())
        .execute(&mut *transaction)
        .await?
        .rows_affected()
            == 1;
        if !first {
            return Ok(false);
        }
        let Some(case) = find(&mut transaction, case).await? else {
            return Ok(false);
        };
        for notice in compose(&case, telling) {
            notify::queue(&mut transaction, &notice, now).await?;
        }
        transaction.commit().await?;
        Ok(true)
    }
}
