//! The schedule: each source by itself, round after round; one that fails waits longer and hurts no other.

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use tracing::{error, warn};

use crate::fetch::Fetcher;
use crate::publish::Publisher;
use crate::source::{Definition, Round, SourceError};

/// First wait after a round that failed; doubled each time.
const RETRY_FIRST: Duration = Duration::from_secs(30);
/// Longest such wait.
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

/// Reads all sources, each in a task of its own, until `stop`.
pub async fn run_all(
    definitions: Vec<Definition>,
    fetcher: &Fetcher,
    publisher: &Publisher,
    stop: &CancellationToken,
) {
    let mut tasks = JoinSet::new();
    for definition in definitions {
        let (definition, fetcher) = (Arc::new(definition), fetcher.clone());
        let (publisher, stop) = (publisher.clone(), stop.clone());
        tasks.spawn(async move { run(&definition, &fetcher, &publisher, &stop).await });
    }
    while let Some(ended) = tasks.join_next().await {
        if let Err(error) = ended {
            error!(%error, "a source's task broke off by a fault of the collector; the others go on; restart it");
        }
    }
}

/// Reads a source until `stop`.
async fn run(
    definition: &Definition,
    fetcher: &Fetcher,
    publisher: &Publisher,
    stop: &CancellationToken,
) {
    let mut failures = 0;
    while !stop.is_cancelled() {
        let outcome = read_once(definition, fetcher, publisher, stop, Timestamp::now()).await;
        let wait = match outcome {
            Outcome::Read => {
                failures = 0;
                with_jitter(Duration::from_secs(definition.every_seconds))
            }
            Outcome::Failed => {
                failures += 1;
                full_jitter(after_failure(failures))
            }
            Outcome::NotTaken => full_jitter(RETRY_FIRST),
        };
        tokio::select! {
            () = stop.cancelled() => {}
            () = tokio::time::sleep(wait) => {}
        }
    }
}

/// Reads a source once and notes how it went.
pub async fn read_once(
    definition: &Definition,
    fetcher: &Fetcher,
    publisher: &Publisher,
    stop: &CancellationToken,
    now: Timestamp,
) -> Outcome {
    let source = definition.name.as_str();
    let round = Round {
        definition,
        fetcher,
        publisher,
        stop,
        now,
    };
    let read = definition.read(&round).await;
    let outcome = match &read {
        Ok(()) => Outcome::Read,
        Err(SourceError::Publish(_) | SourceError::State(_)) => Outcome::NotTaken,
        Err(_) => Outcome::Failed,
    };
    let problem = read.err().map(|error| error.to_string());
    let metrics = publisher.metrics();
    match &problem {
        None => {
            metrics
                .rounds_total
                .with_label_values(&[source, "read"])
                .inc();
            metrics
                .source_last_success_seconds
                .with_label_values(&[source])
                .set(now.as_second());
        }
        Some(problem) => {
            warn!(source, problem, "source could not be read");
            metrics
                .rounds_total
                .with_label_values(&[source, "failed"])
                .inc();
        }
    }
    metrics
        .source_up
        .with_label_values(&[source])
        .set(i64::from(problem.is_none()));
    if let Err(error) = publisher
        .state()
        .ended(source, problem.as_deref(), now)
        .await
    {
        warn!(source, %error, "the source's health cannot be noted");
    }
    outcome
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

/// Up to a tenth more, so that sources do not come all at once.
fn with_jitter(wait: Duration) -> Duration {
    wait.mul_f64(1.0 + rand::random::<f64>() / 10.0)
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
    fn jitter_adds_up_to_a_tenth() {
        let wait = Duration::from_secs(100);
        for _ in 0..1_000 {
            let jittered = with_jitter(wait);
            assert!(
                jittered >= wait && jittered <= wait.mul_f64(1.1),
                "{jittered:?}"
            );
        }
    }
}
