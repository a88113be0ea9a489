//! How many messages a channel may send now, by the tries in the log: so that responders that run together, and one that
//! was started again, keep the service's limit too. A bucket of tokens would let twice as many through in its first minute.

use jiff::{SignedDuration, Timestamp};

/// How many messages a service takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rate {
    /// In any minute.
    pub per_minute: u32,
    /// In any stretch of the given, shorter length.
    pub short: Option<(u32, SignedDuration)>,
    /// To one recipient in any minute.
    pub of_one: Option<u32>,
}

impl Rate {
    /// So many in any minute.
    #[must_use]
    pub const fn per_minute(per_minute: u32) -> Self {
        Self {
            per_minute,
            short: None,
            of_one: None,
        }
    }
}

/// The stretch that limits are for.
pub(super) const MINUTE: SignedDuration = SignedDuration::from_secs(60);

/// A try in the log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Recent {
    /// When it began.
    pub(super) at: Timestamp,
    /// To whom.
    pub(super) to: String,
}

/// What may be sent now, given the tries of the last minute.
#[derive(Debug)]
pub(super) struct Allowance<'a> {
    rate: &'a Rate,
    room: usize,
    recent: Vec<&'a str>,
}

impl<'a> Allowance<'a> {
    pub(super) fn new(rate: &'a Rate, recent: &'a [Recent], now: Timestamp) -> Self {
        let within = |length: SignedDuration| {
            let since = now - length;
            recent.iter().filter(|one| one.at > since).count()
        };
        let mut room = (rate.per_minute as usize).saturating_sub(within(MINUTE));
        if let Some((most, length)) = rate.short {
            room = room.min((most as usize).saturating_sub(within(length)));
        }
        let since = now - MINUTE;
        Self {
            rate,
            room,
            recent: recent
                .iter()
                .filter(|one| one.at > since)
                .map(|one| one.to.as_str())
                .collect(),
        }
    }

    /// Takes one message to a recipient out of what may be sent, or says that it must wait.
    pub(super) fn take(&mut self, to: &'a str) -> bool {
        let full =
            |most: u32| self.recent.iter().filter(|known| **known == to).count() >= most as usize;
        if self.room == 0 || self.rate.of_one.is_some_and(full) {
            return false;
        }
        self.room -= 1;
        self.recent.push(to);
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn after(milliseconds: i64) -> Timestamp {
        Timestamp::UNIX_EPOCH + SignedDuration::from_millis(milliseconds)
    }

    /// How many of many waiting messages go out when they are looked at every `step` milliseconds for `span`, and the
    /// most of them in any minute and in any second.
    fn play(rate: &Rate, step: i64, span: i64) -> (usize, usize, usize) {
        let mut sent: Vec<Recent> = Vec::new();
        for at in (0..span).step_by(usize::try_from(step).unwrap()) {
            let now = after(at);
            let before = sent.clone();
            let mut allowance = Allowance::new(rate, &before, now);
            while allowance.take("a") {
                sent.push(Recent {
                    at: now,
                    to: "a".to_owned(),
                });
            }
        }
        let most = |length: i64| {
            let windows = sent.iter().map(|first| {
                let end = first.at + SignedDuration::from_millis(length);
                sent.iter()
                    .filter(|one| one.at >= first.at && one.at < end)
                    .count()
            });
            windows.max().unwrap_or(0)
        };
        (sent.len(), most(60_000), most(1_000))
    }

    #[test]
    fn no_minute_has_more_than_the_service_takes() {
        let (sent, minute, _) = play(&Rate::per_minute(20), 250, 300_000);
        assert_eq!((sent, minute), (100, 20));
    }

    #[test]
    fn no_second_has_more_either_where_that_is_limited() {
        let rate = Rate {
            short: Some((5, SignedDuration::from_secs(1))),
            ..Rate::per_minute(100)
        };
        let (sent, minute, second) = play(&rate, 100, 120_000);
        assert_eq!((sent, minute, second), (200, 100, 5));
    }

    #[test]
    fn one_recipient_has_a_limit_of_its_own() {
        let rate = Rate {
            of_one: Some(2),
            ..Rate::per_minute(600)
        };
        let recent = [Recent {
            at: after(59_000),
            to: "a".to_owned(),
        }];
        let mut allowance = Allowance::new(&rate, &recent, after(60_000));
        assert!(allowance.take("a"));
        assert!(!allowance.take("a"));
        assert!(allowance.take("b"));
    }
}
