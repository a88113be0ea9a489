//! A channel's circuit: after failures in a row nothing is sent for a while, then one message is tried.

use jiff::{SignedDuration, Timestamp};

/// Failures in a row that open it.
const FAILURES: u32 = 5;
/// How long it stays open at first; twice as long each time the try fails.
const FIRST_SECONDS: i64 = 30;
/// The longest it stays open.
const LONGEST_SECONDS: i64 = 600;

/// A circuit.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Circuit {
    failures: u32,
    opened: u32,
    until: Option<Timestamp>,
}

/// What a circuit lets through.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Passage {
    /// All.
    Closed,
    /// One, to see.
    HalfOpen,
    /// Nothing.
    Open,
}

impl Circuit {
    /// What it lets through now.
    pub(super) fn passage(&self, now: Timestamp) -> Passage {
        match self.until {
            None => Passage::Closed,
            Some(until) if now < until => Passage::Open,
            Some(_) => Passage::HalfOpen,
        }
    }

    /// A message was taken.
    pub(super) fn succeeded(&mut self) {
        *self = Self::default();
    }

    /// The service failed.
    pub(super) fn failed(&mut self, now: Timestamp) {
        self.failures = self.failures.saturating_add(1);
        if self.failures < FAILURES || self.passage(now) == Passage::Open {
            return;
        }
        let seconds = FIRST_SECONDS.saturating_mul(1 << self.opened.min(10));
        self.until = Some(now + SignedDuration::from_secs(seconds.min(LONGEST_SECONDS)));
        self.opened = self.opened.saturating_add(1);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn after(seconds: i64) -> Timestamp {
        Timestamp::UNIX_EPOCH + SignedDuration::from_secs(seconds)
    }

    #[test]
    fn it_opens_after_five_failures_and_tries_one_message_later_and_later() {
        let mut circuit = Circuit::default();
        for at in 0..4 {
            circuit.failed(after(at));
            assert_eq!(circuit.passage(after(at)), Passage::Closed);
        }
        circuit.failed(after(4));
        // Those sent at the same time fail too, which is not another opening.
        circuit.failed(after(4));
        assert_eq!(circuit.passage(after(33)), Passage::Open);
        assert_eq!(circuit.passage(after(34)), Passage::HalfOpen);
        circuit.failed(after(40));
        assert_eq!(circuit.passage(after(99)), Passage::Open);
        assert_eq!(circuit.passage(after(100)), Passage::HalfOpen);
        circuit.succeeded();
        assert_eq!(circuit, Circuit::default());
    }

    #[test]
    fn it_stays_open_for_ten_minutes_at_most() {
        let mut circuit = Circuit::default();
        let mut at = 0;
        for _ in 0..40 {
            circuit.failed(after(at));
            at += 600;
            assert_ne!(circuit.passage(after(at)), Passage::Open);
        }
    }

    #[test]
    fn one_success_forgets_the_failures_before() {
        let mut circuit = Circuit::default();
        for at in 0..40 {
            circuit.failed(after(at));
            if at % 4 == 3 {
                circuit.succeeded();
            }
            assert_eq!(circuit.passage(after(at)), Passage::Closed);
        }
    }
}
