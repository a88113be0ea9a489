//! How a source is: told after each round, from how the round went and from the source's own history.

use backbone::message::{Condition, Finding, SourceHealth};
use jiff::Timestamp;

use crate::publish::Publisher;
use crate::source::Definition;
use crate::state::{Health, StateError};

/// Pages in a row without what a selector should find, from which the template counts as changed.
pub(crate) const CHANGED: u32 = 3;
/// Days of its own history that a source is measured by.
const HISTORY: i64 = 28;
/// Days of history before a source counts as quiet.
const LEAST_HISTORY: usize = 7;

/// How a source is after a round that ended at `now`; noted, counted and told.
///
/// # Errors
/// When the state fails.
pub async fn tell(
    definition: &Definition,
    publisher: &Publisher,
    findings: Option<Vec<Finding>>,
    now: Timestamp,
) -> Result<(), StateError> {
    say(definition, publisher, findings, now, condition).await
}

/// That a source is paused: noted, so that the day is not held against it, counted and told.
///
/// # Errors
/// When the state fails.
pub async fn tell_paused(
    definition: &Definition,
    publisher: &Publisher,
    now: Timestamp,
) -> Result<(), StateError> {
    let state = publisher.state();
    state.note_paused(&definition.name, now).await?;
    say(definition, publisher, None, now, |_, _, _| {
        Condition::Paused
    })
    .await
}

async fn say(
    definition: &Definition,
    publisher: &Publisher,
    findings: Option<Vec<Finding>>,
    now: Timestamp,
    condition: impl FnOnce(&Health, &[u64], bool) -> Condition,
) -> Result<(), StateError> {
    let (source, state) = (definition.name.as_str(), publisher.state());
    let Some(health) = state.health(source).await? else {
        return Ok(());
    };
    let findings = match findings {
        Some(found) => state.note_findings(source, &found, now).await?,
        None => Vec::new(),
    };
    let yields = state.yields(source, HISTORY, now).await?;
    let condition = condition(&health, &yields, !findings.is_empty());
    let since = state.note_condition(source, condition, now).await?;
    for other in [
        Condition::Well,
        Condition::Failing,
        Condition::Changed,
        Condition::Quiet,
        Condition::Faulty,
        Condition::Paused,
    ] {
        publisher
            .metrics()
            .source_condition
            .with_label_values(&[source, other.name()])
            .set(i64::from(other == condition));
    }
    let problem = match condition {
        Condition::Well | Condition::Faulty | Condition::Paused => String::new(),
        Condition::Failing | Condition::Changed => health.problem.clone(),
        Condition::Quiet => "yields nothing although it usually does; is there nothing new, or are its posts elsewhere now?".to_owned(),
    };
    let told = SourceHealth {
        id: definition.id(),
        region: definition.region.clone(),
        source: source.to_owned(),
        kind: definition.kind().map_or("", |kind| kind.name()).to_owned(),
        condition,
        since,
        problem: problem.chars().take(1_000).collect(),
        last_success: health.last_success,
        last_failure: health.last_failure,
        posts: health.posts,
        today: yields.last().copied().unwrap_or_default(),
        usual: usual(&yields),
        refused: health.refused,
        lag_seconds: health.lag_seconds,
        findings,
        at: now,
    };
    publisher.tell(&told).await;
    Ok(())
}

/// The condition of a source; `yields` are those of its last days, today last.
fn condition(health: &Health, yields: &[u64], has_findings: bool) -> Condition {
    if health.misfits >= CHANGED {
        Condition::Changed
    } else if health.last_failure > health.last_success {
        Condition::Failing
    } else if has_findings {
        Condition::Faulty
    } else if is_quiet(yields) {
        Condition::Quiet
    } else {
        Condition::Well
    }
}

/// What a source usually yields in a day: the median of the days before today.
fn usual(yields: &[u64]) -> Option<f64> {
    let (_, before) = yields.split_last()?;
    if before.len() < LEAST_HISTORY {
        return None;
    }
    let mut before = before.to_vec();
    before.sort_unstable();
    let middle = before.len() / 2;
    let (low, high) = match before.len() % 2 {
        0 => (before.get(middle - 1)?, before.get(middle)?),
        _ => (before.get(middle)?, before.get(middle)?),
    };
    #[allow(clippy::cast_precision_loss, reason = "posts of a day")]
    let median = (*low as f64 + *high as f64) / 2.0;
    Some(median)
}

/// Whether a source that yields something on most days has not done so for longer than is its way: twice its
/// longest pause, and two whole days at least.
fn is_quiet(yields: &[u64]) -> bool {
    if usual(yields).is_none_or(|usual| usual < 1.0) {
        return false;
    }
    let pauses: Vec<usize> = yields.split(|posts| *posts > 0).map(<[u64]>::len).collect();
    let Some((now, before)) = pauses.split_last() else {
        return false;
    };
    let longest = before.iter().copied().max().unwrap_or_default();
    // Today is not over.
    now.saturating_sub(1) >= (2 * longest).max(2)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_source_is_measured_by_its_own_history() {
        let daily = [3, 4, 5, 3, 4, 0, 2, 4, 3, 5];
        let with = |zeros: usize| [&daily[..], &vec![0; zeros]].concat();
        assert!(!is_quiet(&with(1)));
        assert!(!is_quiet(&with(2)));
        assert!(
            is_quiet(&with(3)),
            "two whole days, and it never paused for more than one"
        );
        assert_eq!(usual(&with(1)), Some(3.5));
        let weekly = [5, 0, 0, 0, 0, 0, 0, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0];
        assert!(!is_quiet(&weekly), "nothing on most days is its way");
        let young = [3, 4, 0, 0, 0];
        assert!(!is_quiet(&young) && usual(&young).is_none());
        let weekends = [5, 5, 5, 5, 5, 0, 0, 5, 5, 5, 5, 5, 0, 0, 0, 0, 0];
        assert!(is_quiet(&weekends));
        assert!(!is_quiet(&weekends[..16]), "it may be a long weekend");
        assert!(!is_quiet(&[]));
    }
}
