//! What librdkafka says, in this process's log: a client that cannot reach a broker says so many times a second, and each of a
//! process's clients does.

use std::collections::HashMap;
use std::sync::{LazyLock, Mutex, PoisonError};
use std::time::Duration;

use rdkafka::client::ClientContext;
use rdkafka::config::RDKafkaLogLevel;
use rdkafka::consumer::ConsumerContext;
use rdkafka::error::KafkaError;
use tokio::time::Instant;
use tracing::{debug, warn};

/// How often a line that comes again and again is told.
const EVERY: Duration = Duration::from_secs(60);
/// Lines that are remembered, at most.
const REMEMBERED: usize = 500;

static TOLD: LazyLock<Mutex<Told>> = LazyLock::new(Mutex::default);

/// A client that logs by [`log`].
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Logged;

impl ClientContext for Logged {
    fn log(&self, level: RDKafkaLogLevel, facility: &str, message: &str) {
        log(level, facility, message);
    }

    fn error(&self, error: KafkaError, reason: &str) {
        log_error(&error, reason);
    }
}

impl ConsumerContext for Logged {}

/// Logs a line of librdkafka: at once where it is new, else once a minute with how often it came.
pub(super) fn log(level: RDKafkaLogLevel, facility: &str, message: &str) {
    use RDKafkaLogLevel::{Debug, Info, Notice};

    if matches!(level, Debug | Info | Notice) {
        debug!(facility, message, "librdkafka");
    } else {
        log_thinned(facility, message);
    }
}

/// As [`log`], of an error that all of a client meets.
pub(super) fn log_error(error: &KafkaError, reason: &str) {
    log_thinned(&error.to_string(), reason);
}

fn log_thinned(facility: &str, message: &str) {
    let mut told = TOLD.lock().unwrap_or_else(PoisonError::into_inner);
    match told.again(what(facility, message), Instant::now()) {
        None => {}
        Some(0) => warn!(facility, message, "librdkafka"),
        Some(times) => warn!(
            facility,
            message, times, "librdkafka says this again and again"
        ),
    }
}

/// What a line says, without what differs each time: which thread says it, and for how long it has been so.
fn what(facility: &str, message: &str) -> String {
    let message = message
        .split_once("]: ")
        .map_or(message, |(_, message)| message);
    let message = message
        .split_once(" (after ")
        .map_or(message, |(message, _)| message);
    format!("{facility} {message}")
}

/// The lines that were told lately: when, and how often each came since.
#[derive(Debug, Default)]
struct Told(HashMap<String, (Instant, u64)>);

impl Told {
    /// Whether to tell a line now, and how often it came since it was told last.
    fn again(&mut self, line: String, now: Instant) -> Option<u64> {
        if self.0.len() >= REMEMBERED {
            self.0.retain(|_, (at, _)| now.duration_since(*at) < EVERY);
        }
        let is_full = self.0.len() >= REMEMBERED;
        match self.0.get_mut(&line) {
            Some((at, times)) if now.duration_since(*at) < EVERY => {
                *times += 1;
                None
            }
            Some((at, times)) => {
                *at = now;
                Some(std::mem::take(times))
            }
            None if is_full => None,
            None => {
                self.0.insert(line, (now, 0));
                Some(0)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_that_comes_again_and_again_is_told_once_a_minute_with_how_often() {
        let refused = |thread: &str, after: u32| {
            let message = format!(
                "[thrd:{thread}]: 127.0.0.1:9/bootstrap: Connect to ipv4#127.0.0.1:9 failed: Connection refused (after {after}ms in state CONNECT, {after} identical error(s) suppressed)"
            );
            what("FAIL", &message)
        };
        let mut told = Told::default();
        let begin = Instant::now();
        let mut lines = Vec::new();
        for tenth in 0..1_300 {
            let at = begin + Duration::from_millis(100) * tenth;
            lines.extend(told.again(refused("main", tenth), at));
            lines.extend(told.again(refused("127.0.0.1:9/bootstrap", tenth + 1), at));
        }
        assert_eq!(
            lines,
            [0, 1_199, 1_199],
            "at once, after a minute, after two"
        );
        let other = what(
            "FAIL",
            "[thrd:main]: 127.0.0.2:9/bootstrap: Host resolution failure",
        );
        assert_eq!(told.again(other, begin), Some(0), "another is told at once");
    }

    #[test]
    fn what_is_remembered_of_lines_is_bounded() {
        let mut told = Told::default();
        let begin = Instant::now();
        for number in 0..2 * REMEMBERED {
            told.again(number.to_string(), begin);
        }
        assert_eq!(told.0.len(), REMEMBERED);
        assert_eq!(told.again("new".to_owned(), begin + EVERY), Some(0));
    }
}
