//! What tells how timely units were: cases with their clocks and moves, without what they are about.

use std::collections::HashMap;

use jiff::Timestamp;
use sqlx::Row;

use super::rows::{optional_time, read_level, read_state};
use super::{Cases, StoreError};
use crate::case::Action;
use crate::trend::{Traced, Tracked};

/// Most cases of one answer; of more, the newest.
const MOST: i64 = 20_000;

impl Cases {
    /// The cases that were opened from one moment on and before another, the newest first.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn tracked(
        &self,
        from: Timestamp,
        until: Timestamp,
    ) -> Result<Vec<Tracked>, StoreError> {
        let unknown = |what| StoreError::Unknown { what };
        let (from, until) = (from.as_millisecond(), until.as_millisecond());
        // Moves that set a clock, end one or stop them.
        let moves = sqlx::query(
            "SELECT case_id, action, from_state, to_state, unit, at FROM moves \
             WHERE case_id IN (SELECT id FROM cases WHERE opened_at >= $1 AND opened_at < $2) \
             AND action NOT IN ('urge', 'supervise', 'note', 'attach', 'ask-extension', 'refuse-extension') \
             ORDER BY case_id, sequence",
        );
        let moves = moves.bind(from).bind(until);
        let mut traced: HashMap<String, Vec<Traced>> = HashMap::new();
        for row in &moves.fetch_all(self.store.pool()).await? {
            let before: Option<&str> = row.try_get("from_state")?;
            let after: &str = row.try_get("to_state")?;
            let made = Traced {
                action: Action::named(row.try_get("action")?).ok_or(unknown("action"))?,
                moved: before != Some(after),
                to: read_state(after)?,
                unit: row.try_get("unit")?,
                at: optional_time(row, "at")?.ok_or(unknown("time"))?,
            };
            (traced.entry(row.try_get("case_id")?).or_default()).push(made);
        }
        let cases = sqlx::query(
            "SELECT id, region, state, level, parts, opened_at, first_information_by, respond_by, answered_at, \
             satisfaction, paused_at \
             FROM cases WHERE opened_at >= $1 AND opened_at < $2 ORDER BY opened_at DESC, id LIMIT $3",
        );
        let cases = cases.bind(from).bind(until).bind(MOST);
        (cases.fetch_all(self.store.pool()).await?.iter())
            .map(|row| {
                let required = |column| optional_time(row, column)?.ok_or(unknown("time"));
                let id: &str = row.try_get("id")?;
                Ok(Tracked {
                    region: row.try_get("region")?,
                    state: read_state(row.try_get("state")?)?,
                    level: read_level(row)?,
                    parts: serde_json::from_str(row.try_get("parts")?)
                        .map_err(|_| unknown("list of units"))?,
                    opened_at: required("opened_at")?,
                    first_information_by: optional_time(row, "first_information_by")?,
                    respond_by: required("respond_by")?,
                    answered_at: optional_time(row, "answered_at")?,
                    satisfaction: row.try_get("satisfaction")?,
                    paused_at: optional_time(row, "paused_at")?,
                    moves: traced.remove(id).unwrap_or_default(),
                })
            })
            .collect()
    }
}
