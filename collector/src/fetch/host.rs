//! How a host is treated: few requests at a time, not too often, less often when it is slow or says so,
//! and not at all for a while when it fails again and again.

use std::time::Duration;

use jiff::Timestamp;
use reqwest::StatusCode;
use reqwest::header::{self, HeaderMap};
use tokio::time::Instant;

use super::robots::Robots;

/// Failures in a row after which a host is left alone.
const MOST_FAILURES: u32 = 5;
/// First such rest, at most; doubled with each further failure.
const FIRST_REST: Duration = Duration::from_secs(60);
/// Longest rest, also of those that a host asks for.
const LONGEST_REST: Duration = Duration::from_secs(3_600);
/// Longest wait of a request for its turn; a host that asks for more rests.
const LONGEST_WAIT: Duration = Duration::from_secs(60);
/// How far the delay is stretched for a host that says it is busy.
const MOST_STRAIN: u32 = 64;

/// How a request went, as far as the host is concerned.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Went {
    /// It answered.
    Served,
    /// It said that it has too much to do, and perhaps for how long.
    Busy(Option<Duration>),
    /// It failed, or could not be reached.
    Failed,
}

impl Went {
    /// Of an answer.
    pub(super) fn of(status: StatusCode, headers: &HeaderMap, now: Timestamp) -> Self {
        match status {
            StatusCode::TOO_MANY_REQUESTS | StatusCode::SERVICE_UNAVAILABLE => {
                Self::Busy(retry_after(headers, now))
            }
            status if status.is_server_error() => Self::Failed,
            _ => Self::Served,
        }
    }
}

/// `Retry-After` (RFC 9110): seconds, or a date.
pub(super) fn retry_after(headers: &HeaderMap, now: Timestamp) -> Option<Duration> {
    let told = headers.get(header::RETRY_AFTER)?.to_str().ok()?.trim();
    if let Ok(seconds) = told.parse() {
        return Some(Duration::from_secs(seconds));
    }
    let until = jiff::fmt::rfc2822::parse(told).ok()?.timestamp();
    Some(Duration::try_from(until.duration_since(now)).unwrap_or_default())
}

/// A host.
#[derive(Debug)]
pub(super) struct Host {
    /// What it allows; unknown until it was asked.
    pub(super) robots: Option<Robots>,
    /// When the next request may be made.
    next: Instant,
    /// How long it takes to answer, smoothed.
    latency: Duration,
    /// How many times longer than usual requests wait for each other.
    strain: u32,
    /// Failures in a row.
    failures: u32,
    /// Until when it is left alone.
    rests_until: Option<Instant>,
}

impl Host {
    pub(super) fn new(now: Instant) -> Self {
        Self {
            robots: None,
            next: now,
            latency: Duration::ZERO,
            strain: 1,
            failures: 0,
            rests_until: None,
        }
    }

    /// How long it is still left alone; nothing when it may be asked.
    pub(super) fn rests(&self, now: Instant) -> Option<Duration> {
        let left = self.rests_until?.saturating_duration_since(now);
        (!left.is_zero()).then_some(left)
    }

    /// When the next request may be made; it is taken to be made then. `least` is the time between two
    /// requests where nothing speaks for more, `at_once` how many may be under way. The host works for us
    /// at most half of the time.
    pub(super) fn turn(&mut self, now: Instant, least: Duration, at_once: u8) -> Instant {
        let turn = self.next.max(now);
        let delay = least.max(2 * self.latency / u32::from(at_once)) * self.strain;
        self.next = turn + delay.min(LONGEST_WAIT);
        turn
    }

    /// Notes how a request went that took so long. `chance` in `[0, 1)` spreads rests, so that many sources do not come back at once.
    pub(super) fn note(
        &mut self,
        went: Went,
        took: Duration,
        least: Duration,
        now: Instant,
        chance: f64,
    ) {
        self.latency = (self.latency + took) / 2;
        match went {
            Went::Served => {
                self.failures = 0;
                self.strain = (self.strain / 2).max(1);
            }
            Went::Busy(_) => self.strain = (self.strain * 2).min(MOST_STRAIN),
            Went::Failed => self.failures += 1,
        }
        if let Went::Busy(None) = went {
            self.next = self.next.max(now + (least * self.strain).min(LONGEST_WAIT));
        }
        self.rests_until = match went {
            Went::Busy(Some(asked)) if asked > LONGEST_WAIT => Some(now + asked.min(LONGEST_REST)),
            Went::Busy(Some(asked)) => {
                self.next = self.next.max(now + asked);
                None
            }
            Went::Failed if self.failures >= MOST_FAILURES => {
                let doublings = (self.failures - MOST_FAILURES).min(16);
                let most = FIRST_REST.saturating_mul(1 << doublings).min(LONGEST_REST);
                Some(now + most.mul_f64(chance).max(least))
            }
            _ => None,
        };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LEAST: Duration = Duration::from_secs(1);
    const QUICK: Duration = Duration::from_millis(100);

    /// The time between two requests.
    fn apart(host: &mut Host, now: Instant) -> Duration {
        let first = host.turn(now, LEAST, 1);
        host.turn(first, LEAST, 1) - first
    }

    #[test]
    fn a_host_that_is_slow_is_asked_less_often() {
        let now = Instant::now();
        let mut host = Host::new(now);
        host.note(Went::Served, QUICK, LEAST, now, 0.5);
        assert_eq!(apart(&mut host, now), LEAST);
        for _ in 0..10 {
            host.note(Went::Served, Duration::from_secs(8), LEAST, now, 0.5);
        }
        let slow = apart(&mut host, now);
        assert!(slow > Duration::from_secs(15), "{slow:?}");
        let first = host.turn(now, LEAST, 4);
        assert!(host.turn(now, LEAST, 4) - first < slow / 2);
    }

    #[test]
    fn a_busy_host_is_given_time_and_then_taken_up_again() {
        let now = Instant::now();
        let mut host = Host::new(now);
        let after = |host: &Host| host.next.saturating_duration_since(now);
        host.note(Went::Busy(None), QUICK, LEAST, now, 0.5);
        host.note(Went::Busy(None), QUICK, LEAST, now, 0.5);
        assert_eq!(after(&host), LEAST * 4);
        assert_eq!(apart(&mut host, now), LEAST * 4);
        host.note(Went::Served, QUICK, LEAST, now, 0.5);
        host.note(Went::Served, QUICK, LEAST, now, 0.5);
        assert_eq!(apart(&mut host, now), LEAST);
        host.note(Went::Busy(Some(LEAST * 30)), QUICK, LEAST, now, 0.5);
        assert_eq!((after(&host), host.rests(now)), (LEAST * 30, None));
        host.note(Went::Busy(Some(LEAST * 600)), QUICK, LEAST, now, 0.5);
        assert_eq!(host.rests(now), Some(LEAST * 600));
        assert_eq!(host.rests(now + LEAST * 600), None);
        host.note(Went::Busy(Some(LEAST * 86_400)), QUICK, LEAST, now, 0.5);
        assert_eq!(host.rests(now), Some(LONGEST_REST));
    }

    #[test]
    fn a_host_that_keeps_failing_rests_longer_each_time() {
        let now = Instant::now();
        let mut host = Host::new(now);
        for _ in 1..MOST_FAILURES {
            host.note(Went::Failed, QUICK, LEAST, now, 0.5);
            assert_eq!(host.rests(now), None);
        }
        let mut rest = || {
            host.note(Went::Failed, QUICK, LEAST, now, 0.5);
            host.rests(now)
        };
        assert_eq!(rest(), Some(FIRST_REST / 2));
        assert_eq!(rest(), Some(FIRST_REST));
        assert_eq!((0..30).map(|_| rest()).last(), Some(Some(LONGEST_REST / 2)));
        host.note(Went::Served, QUICK, LEAST, now, 0.5);
        assert_eq!(host.rests(now), None);
    }

    #[test]
    fn retry_after_is_read_as_seconds_and_as_a_date() {
        let now: Timestamp = "2026-11-23T04:00:00Z".parse().unwrap();
        for (told, seconds) in [
            ("120", Some(120)),
            ("Mon, 23 Nov 2026 04:05:00 GMT", Some(300)),
            ("Mon, 23 Nov 2026 03:05:00 GMT", Some(0)),
            ("soon", None),
        ] {
            let headers = HeaderMap::from_iter([(header::RETRY_AFTER, told.parse().unwrap())]);
            let expected = seconds.map(Duration::from_secs);
            assert_eq!(retry_after(&headers, now), expected, "{told}");
        }
    }
}
