//! The schedule: each source by itself, round after round; one that fails waits longer and hurts no other.

use std::sync::Arc;
use std::time::{Duration, Instant};

use jiff::Timestamp;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use tracing::{error, warn};

use crate::fetch::Fetcher;
use crate::health;
use crate::pause::Pauses;
use crate::publish::Publisher;
use crate::source::{Definition, Misfit, Round, SourceError};
use crate::state::Pages;

/// First wait after a round that failed; doubled each time.
const RETRY_FIRST: Duration = Duration::from_secs(30);
/// Least time between two rounds of a source.
const LEAST: Duration = Duration::from_millis(100);
/// Time over which sources come back after their quiet hours.
const SPREAD: Duration = Duration::from_secs(300);
/// Time after which it is told again that a source is paused.
const TOLD_AGAIN: Duration = Duration::from_secs(600);
/// Longest wait after a round that failed.
const RETRY_LONGEST: Duration = Duration::from_secs(3_600);

/// How a round ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// The source was read.
    Read,
    /// The source could not be read: it is left alone for longer each time.
    Failed,
    /// The source was read, but the brokers or the state did not take what it yielded; not its fault.
    NotTaken,
}

/// Reads all sources that are not paused, each in a task of its own, until `stop`. Begins once it is known which are.
pub async fn run_all(
    definitions: Vec<Definition>,
    fetcher: &Fetcher,
    publisher: &Publisher,
    pauses: &Pauses,
    stop: &CancellationToken,
) {
    tokio::select! {
        () = stop.cancelled() => return,
        () = pauses.known() => {}
    }
    let mut tasks = JoinSet::new();
    for definition in definitions {
        let (definition, fetcher) = (Arc::new(definition), fetcher.clone());
        let (pauses, stop) = (pauses.clone(), stop.clone());
        let publisher = publisher.clone();
        tasks.spawn(async move {
            if definition.push.is_some() {
                stand_by(&definition, &publisher, &pauses, &stop).await;
            } else {
                run(definition, fetcher, publisher, pauses, stop).await;
            }
        });
    }
    while let Some(ended) = tasks.join_next().await {
        if let Err(error) = ended {
            error!(%error, "a source's task broke off by a fault of the collector; the others go on; restart it");
        }
    }
}

/// Tells of a source that nobody reads, because another system hands its posts over, when it is paused and when it no longer is.
async fn stand_by(
    definition: &Definition,
    publisher: &Publisher,
    pauses: &Pauses,
    stop: &CancellationToken,
) {
    let id = definition.id();
    loop {
        tokio::select! {
            () = stop.cancelled() => return,
            () = pauses.until(&id, true) => {}
        }
        while_paused(definition, publisher, pauses, stop).await;
        if !stop.is_cancelled()
            && let Err(error) = health::tell(definition, publisher, None, Timestamp::now()).await
        {
            warn!(source = definition.name, %error, "the source's health cannot be noted");
        }
    }
}

/// Returns when a source is not paused, or on `stop`; tells meanwhile that it is, again and again, for the brokers may be away.
async fn while_paused(
    definition: &Definition,
    publisher: &Publisher,
    pauses: &Pauses,
    stop: &CancellationToken,
) {
    let id = definition.id();
    while pauses.is_paused(&id) == Some(true) && !stop.is_cancelled() {
        if let Err(error) = health::tell_paused(definition, publisher, Timestamp::now()).await {
            warn!(source = definition.name, %error, "the source's health cannot be noted");
        }
        tokio::select! {
            () = stop.cancelled() => {}
            () = pauses.until(&id, false) => {}
            () = tokio::time::sleep(TOLD_AGAIN) => {}
        }
    }
}

/// Reads a source until `stop`, but not while it is paused.
async fn run(
    definition: Arc<Definition>,
    fetcher: Fetcher,
    publisher: Publisher,
    pauses: Pauses,
    stop: CancellationToken,
) {
    let id = definition.id();
    let mut failures = 0;
    let mut pace = Pace::new(&definition);
    loop {
        while_paused(&definition, &publisher, &pauses, &stop).await;
        if stop.is_cancelled() {
            break;
        }
        let now = Timestamp::now();
        let quiet = definition.quiet_hours.and_then(|hours| hours.left(now));
        let wait = match quiet {
            Some(left) => left + full_jitter(SPREAD),
            None => {
                let began = Instant::now();
                let round = {
                    let (definition, fetcher) = (Arc::clone(&definition), fetcher.clone());
                    let (publisher, stop) = (publisher.clone(), stop.clone());
                    async move { read_once(&definition, &fetcher, &publisher, &stop, now).await }
                };
                // In a task of its own: a page on which a reader breaks is a failure of this round only.
                let mut round = tokio::spawn(round);
                let ended = tokio::select! {
                    ended = &mut round => ended,
                    () = pauses.until(&id, true) => {
                        // Broken off as by a crash, which loses nothing: not one more request leaves.
                        round.abort();
                        drop(round.await);
                        continue;
                    }
                };
                let ended = ended.unwrap_or_else(|error| {
                    error!(source = definition.name, %error, "a round broke off by a fault of the collector");
                    Ended {
                        outcome: Outcome::Failed,
                        sent: 0,
                    }
                });
                match ended.outcome {
                    Outcome::Read => {
                        failures = 0;
                        let wait = with_jitter(pace.after(ended.sent > 0));
                        wait.saturating_sub(began.elapsed()).max(LEAST)
                    }
                    Outcome::Failed => {
                        failures += 1;
                        full_jitter(after_failure(failures))
                    }
                    Outcome::NotTaken => full_jitter(RETRY_FIRST),
                }
            }
        };
        tokio::select! {
            () = stop.cancelled() => {}
            () = pauses.until(&id, true) => {}
            () = tokio::time::sleep(wait) => {}
        }
    }
}

/// How often a source is read: after rounds without anything new less often, up to a bound.
#[derive(Debug)]
struct Pace {
    least: Duration,
    most: Duration,
    now: Duration,
}

impl Pace {
    fn new(definition: &Definition) -> Self {
        let least = Duration::from_secs(definition.every_seconds);
        Self {
            least,
            most: definition
                .longest_seconds
                .map_or(least, Duration::from_secs),
            now: least,
        }
    }

    /// The wait after a round.
    fn after(&mut self, has_new: bool) -> Duration {
        self.now = match has_new {
            true => self.least,
            false => self.now.mul_f64(1.5).min(self.most),
        };
        self.now
    }
}

/// A round that ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ended {
    /// How.
    pub outcome: Outcome,
    /// Posts sent.
    pub sent: u64,
}

/// Reads a source once, notes how it went and tells how it is.
pub async fn read_once(
    definition: &Definition,
    fetcher: &Fetcher,
    publisher: &Publisher,
    stop: &CancellationToken,
    now: Timestamp,
) -> Ended {
    let source = definition.name.as_str();
    let mut round = Round::new(definition, fetcher, publisher, stop, now);
    let read = match publisher.state().health(source).await {
        Ok(health) => {
            if health.is_none_or(|health| health.last_success.is_none()) {
                round.since = definition.first_visit_since(now);
            }
            definition.read(&round).await
        }
        Err(error) => Err(error.into()),
    };
    let outcome = match &read {
        Ok(()) => Outcome::Read,
        Err(SourceError::Publish(_) | SourceError::State(_)) => Outcome::NotTaken,
        Err(_) => Outcome::Failed,
    };
    let tally = std::mem::take(&mut *round.tally());
    let pages = match (&read, tally.missing) {
        // A list without links leads to no page that could fit.
        (
            Err(SourceError::Changed {
                misfit: Misfit::Missing { field, .. },
                ..
            }),
            _,
        ) => Pages::Missing {
            pages: health::CHANGED,
            field,
        },
        _ if tally.fits => Pages::Fit,
        (_, Some(field)) => Pages::Missing {
            pages: tally.misfits,
            field,
        },
        (_, None) => Pages::None,
    };
    let problem = read.err().map(|error| error.to_string());
    count(publisher, source, problem.as_deref(), now);
    let state = publisher.state();
    let told = match state.ended(source, problem.as_deref(), pages, now).await {
        // A round that stopped half way says nothing of the source.
        Ok(()) if stop.is_cancelled() => Ok(()),
        Ok(()) => health::tell(definition, publisher, tally.findings, now).await,
        Err(error) => Err(error),
    };
    if let Err(error) = told {
        warn!(source, %error, "the source's health cannot be noted");
    }
    Ended {
        outcome,
        sent: tally.sent,
    }
}

fn count(publisher: &Publisher, source: &str, problem: Option<&str>, now: Timestamp) {
    let metrics = publisher.metrics();
    let outcome = match problem {
        None => {
            metrics
                .source_last_success_seconds
                .with_label_values(&[source])
                .set(now.as_second());
            "read"
        }
        Some(problem) => {
            warn!(source, problem, "source could not be read");
            "failed"
        }
    };
    metrics
        .rounds_total
        .with_label_values(&[source, outcome])
        .inc();
    metrics
        .source_up
        .with_label_values(&[source])
        .set(i64::from(problem.is_none()));
}

fn after_failure(failures: u32) -> Duration {
    RETRY_FIRST
        .saturating_mul(1 << failures.saturating_sub(1).min(16))
        .min(RETRY_LONGEST)
}

/// Anything up to the wait: sources that failed together do not come back together.
fn full_jitter(wait: Duration) -> Duration {
    wait.mul_f64(rand::random()).max(Duration::from_secs(1))
}

/// Up to a tenth less, so that sources do not come all at once, and none later than it should.
fn with_jitter(wait: Duration) -> Duration {
    wait.mul_f64(1.0 - rand::random::<f64>() / 10.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_source_that_fails_is_left_alone_for_longer_each_time() {
        for (failures, seconds) in [(1, 30), (2, 60), (3, 120), (8, 3_600), (1_000, 3_600)] {
            assert_eq!(after_failure(failures), Duration::from_secs(seconds));
        }
    }

    #[test]
    fn a_source_without_anything_new_is_read_less_often() {
        let minute = Duration::from_secs(60);
        let mut pace = Pace {
            least: minute,
            most: minute * 3,
            now: minute,
        };
        let waits = [false, false, false, false, true, false].map(|new| pace.after(new));
        let seconds = waits.map(|wait| wait.as_secs());
        assert_eq!(seconds, [90, 135, 180, 180, 60, 90]);
    }

    #[test]
    fn jitter_takes_up_to_a_tenth() {
        let wait = Duration::from_secs(100);
        for _ in 0..1_000 {
            let jittered = with_jitter(wait);
            assert!(
                jittered <= wait && jittered >= wait.mul_f64(0.9),
                "{jittered:?}"
            );
        }
    }
}
