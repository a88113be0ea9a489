//! Stretches of days, and the days or weeks they are told in.

use jiff::ToSpan;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};

/// Some days in a row, of China's time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Period {
    /// The first day.
    pub from: Date,
    /// The last day.
    pub to: Date,
}

/// What a period is told in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// Days.
    Day,
    /// Stretches of seven days that end with the last day of the period, so that each has every day of the week.
    Week,
}

/// A day or a week of a period.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bin {
    /// Its first day.
    pub from: Date,
    /// Its last day.
    pub to: Date,
}

impl Bin {
    /// How many days it has: the first week of a period may have less than seven.
    #[must_use]
    pub fn days(self) -> u32 {
        days_between(self.from, self.to) + 1
    }
}

impl Step {
    /// Days of one.
    #[must_use]
    pub fn days(self) -> u32 {
        match self {
            Self::Day => 1,
            Self::Week => 7,
        }
    }
}

impl Period {
    /// So many days up to a day.
    #[must_use]
    pub fn until(to: Date, days: u32) -> Self {
        Self {
            from: back(to, days.saturating_sub(1)),
            to,
        }
    }

    /// How many days it has.
    #[must_use]
    pub fn days(self) -> u32 {
        days_between(self.from, self.to) + 1
    }

    /// As many days before it.
    #[must_use]
    pub fn before(self) -> Self {
        Self::until(back(self.from, 1), self.days())
    }

    /// The same days of the year before.
    #[must_use]
    pub fn year_before(self) -> Self {
        let earlier = |day: Date| day.saturating_sub(1.year());
        Self {
            from: earlier(self.from),
            to: earlier(self.to),
        }
    }

    /// The same days of the month before; of a whole month, the whole month.
    #[must_use]
    pub fn month_before(self) -> Self {
        let earlier = |day: Date| day.saturating_sub(1.month());
        let to = if self.to == self.to.last_of_month() {
            earlier(self.to).last_of_month()
        } else {
            earlier(self.to)
        };
        Self {
            from: earlier(self.from),
            to,
        }
    }

    /// Whether a day is one of it.
    #[must_use]
    pub fn holds(self, day: Date) -> bool {
        (self.from..=self.to).contains(&day)
    }

    /// How many days or weeks it is told in.
    #[must_use]
    pub fn bins_of(self, step: Step) -> usize {
        self.days().div_ceil(step.days()) as usize
    }

    /// In which of its days or weeks a day is, from 0; none where it is in none.
    #[must_use]
    pub fn number(self, day: Date, step: Step) -> Option<usize> {
        let back = || (days_between(day, self.to) / step.days()) as usize;
        self.holds(day).then(|| self.bins_of(step) - 1 - back())
    }

    /// Its days or weeks, in order.
    #[must_use]
    pub fn bins(self, step: Step) -> Vec<Bin> {
        let length = step.days();
        (0..self.days().div_ceil(length))
            .rev()
            .map(|number| {
                let to = back(self.to, number * length);
                Bin {
                    from: back(to, length - 1).max(self.from),
                    to,
                }
            })
            .collect()
    }
}

/// Days from one day to another that is not before it.
fn days_between(from: Date, to: Date) -> u32 {
    from.until(to)
        .map_or(0, |span| u32::try_from(span.get_days()).unwrap_or(0))
}

fn back(day: Date, days: u32) -> Date {
    day.saturating_sub(i64::from(days).days())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn period(from: &str, to: &str) -> Period {
        Period {
            from: from.parse().unwrap(),
            to: to.parse().unwrap(),
        }
    }

    #[test]
    fn weeks_end_with_the_period_and_the_first_may_be_short() {
        let bins = period("2026-11-01", "2026-11-17").bins(Step::Week);
        let told: Vec<_> = bins
            .iter()
            .map(|bin| (bin.from.to_string(), bin.days()))
            .collect();
        assert_eq!(
            told,
            [
                ("2026-11-01".to_owned(), 3),
                ("2026-11-04".to_owned(), 7),
                ("2026-11-11".to_owned(), 7)
            ]
        );
        let all = period("2026-11-01", "2026-11-17");
        assert_eq!(all.bins(Step::Day).len(), 17);
        let numbers = ["2026-10-31", "2026-11-03", "2026-11-04", "2026-11-17"]
            .map(|day| all.number(day.parse().unwrap(), Step::Week));
        assert_eq!(numbers, [None, Some(0), Some(1), Some(2)]);
    }

    #[test]
    fn periods_to_compare_with() {
        let march = period("2028-03-01", "2028-03-31");
        assert_eq!(march.before(), period("2028-01-30", "2028-02-29"));
        assert_eq!(march.month_before(), period("2028-02-01", "2028-02-29"));
        assert_eq!(march.year_before(), period("2027-03-01", "2027-03-31"));
        let begun = period("2026-11-01", "2026-11-17");
        assert_eq!(begun.month_before(), period("2026-10-01", "2026-10-17"));
        assert_eq!(Period::until(begun.to, 17), begun);
    }
}
