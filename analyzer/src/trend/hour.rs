//! Hours, days and weeks of Asia/Shanghai as whole numbers. A week begins on Monday.

use backbone::message::{Certainty, Post};
use jiff::civil::DateTime;
use jiff::tz::offset;
use jiff::{SignedDuration, Timestamp};

/// Hours of a day and one more: posts of which only the day is known.
pub(super) const DAY_SLOTS: usize = 25;
/// The hours of a week, and the days whose hour is not known.
pub(super) const SLOTS: usize = 7 * DAY_SLOTS;
/// From the Monday before 1970 to 1970, and from Greenwich to China.
const SHIFT: i64 = 3 * 24 + 8;

/// Whole hours since Monday, 29 December 1969, in Asia/Shanghai.
pub(super) fn hour_of(at: Timestamp) -> i64 {
    at.as_second().div_euclid(3_600) + SHIFT
}

/// When an hour begins.
pub(super) fn begin_of(hour: i64) -> Timestamp {
    let seconds = (hour - SHIFT).saturating_mul(3_600);
    Timestamp::UNIX_EPOCH
        .checked_add(SignedDuration::from_secs(seconds))
        .unwrap_or_default()
}

/// The clock and the calendar at the begin of an hour.
pub(super) fn civil(hour: i64) -> DateTime {
    offset(8).to_datetime(begin_of(hour))
}

/// The day of an hour.
pub(super) fn day_of(hour: i64) -> i64 {
    hour.div_euclid(24)
}

/// The week of an hour.
pub(super) fn week_of(hour: i64) -> i64 {
    hour.div_euclid(168)
}

/// The slot of an hour in its week.
pub(super) fn slot_of(hour: i64) -> usize {
    let day = day_of(hour).rem_euclid(7) as usize;
    day * DAY_SLOTS + hour.rem_euclid(24) as usize
}

/// The slot of a day whose hour is not known.
pub(super) fn slot_of_day(day: i64) -> usize {
    day.rem_euclid(7) as usize * DAY_SLOTS + 24
}

/// When a post was published, as far as it can be relied on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum When {
    /// In this hour.
    Hour(i64),
    /// On this day, at an hour that is not known.
    Day(i64),
}

impl When {
    /// Of a post; one dated in the future, or not at all, counts when it was collected.
    pub(super) fn of(post: &Post) -> Self {
        let at = post.published_at.min(post.collected_at);
        let hour = hour_of(at);
        let midnight = hour.rem_euclid(24) == 0 && at == begin_of(hour);
        match post.certainty {
            Certainty::Day => Self::Day(day_of(hour)),
            Certainty::Guessed if midnight => Self::Day(day_of(hour)),
            Certainty::Exact | Certainty::Guessed | Certainty::Collected => Self::Hour(hour),
        }
    }

    /// The hour, or the first of the day.
    pub(super) fn hour(self) -> i64 {
        match self {
            Self::Hour(hour) => hour,
            Self::Day(day) => day * 24,
        }
    }

    /// The day.
    pub(super) fn day(self) -> i64 {
        day_of(self.hour())
    }

    /// The slot in the week.
    pub(super) fn slot(self) -> usize {
        match self {
            Self::Hour(hour) => slot_of(hour),
            Self::Day(day) => slot_of_day(day),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn weeks_begin_on_monday_in_china() {
        let monday = hour_of("2026-03-01T16:00:00Z".parse().unwrap());
        assert_eq!(civil(monday).to_string(), "2026-03-02T00:00:00");
        assert_eq!(monday.rem_euclid(168), 0);
        assert_eq!((slot_of(monday), slot_of(monday - 1)), (0, SLOTS - 2));
        assert_eq!(week_of(monday) - week_of(monday - 1), 1);
        assert_eq!(slot_of_day(day_of(monday)), 24);
    }
}
