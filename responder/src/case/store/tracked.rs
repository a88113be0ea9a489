//! What tells how timely units were: cases with their clocks and moves, without what they are about.

use jiff::Timestamp;
use sqlx::Row;

use super::rows::{optional_time, read_level, read_state};
use super::{Cases, StoreError};
use crate::case::{Action, State};
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
        // A row a case: rows cost more than what is in them. Of the moves those that set a clock, end one or stop them, a line each.
        let cases = sqlx::query(
            "SELECT region, state, level, parts, opened_at, first_information_by, respond_by, answered_at, satisfaction, paused_at, \
             (SELECT string_agg(action || ' ' || coalesce(from_state, '-') || ' ' || to_state || ' ' || CAST(at AS TEXT) || ' ' || unit, '\n' \
                ORDER BY sequence) FROM moves WHERE case_id = cases.id \
                AND action NOT IN ('urge', 'supervise', 'note', 'attach', 'ask-extension', 'refuse-extension')) AS moves \
             FROM cases WHERE opened_at >= $1 AND opened_at < $2 ORDER BY opened_at DESC, id LIMIT $3",
        );
        let cases = (cases.bind(from.as_millisecond()))
            .bind(until.as_millisecond())
            .bind(MOST);
        (cases.fetch_all(self.store.pool()).await?.iter())
            .map(|row| {
                let required = |column| optional_time(row, column)?.ok_or(unknown("time"));
                let moves: Option<&str> = row.try_get("moves")?;
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
                    moves: (moves.unwrap_or_default().lines())
                        .map(|line| read_traced(line).ok_or(unknown("move")))
                        .collect::<Result<_, _>>()?,
                })
            })
            .collect()
    }
}

fn read_traced(line: &str) -> Option<Traced> {
    let mut words = line.splitn(5, ' ');
    let action = Action::named(words.next()?)?;
    let (before, after) = (words.next()?, words.next()?);
    Some(Traced {
        action,
        moved: before != after,
        to: State::named(after)?,
        at: Timestamp::from_millisecond(words.next()?.parse().ok()?).ok()?,
        unit: words.next()?.to_owned(),
    })
}
