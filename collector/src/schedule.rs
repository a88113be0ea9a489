//! The schedule: each source by itself, round after round; one that fails waits longer and hurts no other.

use std::time::Duration;

use jiff::Timestamp;
use tokio_util::sync::CancellationToken;
use tracing::warn;

use crate::fetch::Fetcher;
use crate::publish::Publisher;
use crate::source::{Definition, Round};

/// First wait after a round that failed; doubled each time.
const RETRY_FIRST: Duration = Duration::from_secs(30);
/// Longest such wait.
const RETRY_LONGEST: Duration = Duration::from_secs(3_600);

/// Reads a source until `stop`.
pub async fn run(
    definition: &Definition,
    fetcher: &Fetcher,
    publisher: &Publisher,
    stop: &CancellationToken,
) {
    let mut failures = 0;
    while !stop.is_cancelled() {
        let read = read_once(definition, fetcher, publisher, stop, Timestamp::now()).await;
        let wait = if read {
            failures = 0;
            Duration::from_secs(definition.every_seconds)
        } else {
            failures += 1;
            after_failure(failures)
        };
        tokio::select! {
            () = stop.cancelled() => {}
            () = tokio::time::sleep(with_jitter(wait)) => {}
        }
    }
}

/// Reads a source once and notes how it went; tells whether it succeeded.
pub async fn read_once(
    definition: &Definition,
    fetcher: &Fetcher,
    publisher: &Publisher,
    stop: &CancellationToken,
    now: Timestamp,
) -> bool {
    let source = definition.name.as_str();
    let round = Round {
        definition,
        fetcher,
        publisher,
        stop,
        now,
    };
    let problem = definition
        .read(&round)
        .await
        .err()
        .map(|error| error.to_string());
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
    problem.is_none()
}

fn after_failure(failures: u32) -> Duration {
    RETRY_FIRST
        .saturating_mul(1 << failures.saturating_sub(1).min(16))
        .min(RETRY_LONGEST)
}

/// Up to a tenth more, so that sources do not come all at once.
fn with_jitter(wait: Duration) -> Duration {
    wait.mul_f64(1.0 + rand::random::<f64>() / 10.0)
}
