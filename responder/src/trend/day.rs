//! Posts counted by day, and put together for the periods that are asked for.

use std::collections::BTreeMap;
use std::ops::AddAssign;

use jiff::civil::Date;

use super::{Counted, Period, Step, dispersion_of_shares};

/// Posts, by sentiment; those that are neither negative nor positive are neutral.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counts {
    /// All.
    pub posts: u64,
    /// Negative ones.
    pub negative: u64,
    /// Positive ones.
    pub positive: u64,
}

impl AddAssign for Counts {
    fn add_assign(&mut self, other: Self) {
        self.posts += other.posts;
        self.negative += other.negative;
        self.positive += other.positive;
    }
}

/// What posts are told apart by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Aspect {
    /// 事项.
    Subject,
    /// 来源.
    Source,
    /// 诉求类型.
    Appeal,
    /// 地点: a post is counted for each place that it names.
    Place,
}

/// The posts of one day of China's time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Day {
    /// The day.
    pub date: Date,
    /// All of its posts.
    pub all: Counts,
    /// The same by each aspect, and name.
    pub by: BTreeMap<Aspect, BTreeMap<String, Counts>>,
}

impl Day {
    /// A day without posts.
    #[must_use]
    pub fn empty(date: Date) -> Self {
        Self {
            date,
            all: Counts::default(),
            by: BTreeMap::new(),
        }
    }
}

/// The posts of a period, by its days or weeks. A day that is not given had none.
#[must_use]
pub fn by_bin<'a>(
    days: impl IntoIterator<Item = &'a Day>,
    period: Period,
    step: Step,
) -> Vec<Counts> {
    let mut bins = vec![Counts::default(); period.bins(step).len()];
    for day in days {
        if let Some(number) = period.number(day.date, step)
            && let Some(bin) = bins.get_mut(number)
        {
            *bin += day.all;
        }
    }
    bins
}

/// The posts of a period.
#[must_use]
pub fn in_all<'a>(days: impl IntoIterator<Item = &'a Day>, period: Period) -> Counts {
    let mut sum = Counts::default();
    for day in days {
        if period.holds(day.date) {
            sum += day.all;
        }
    }
    sum
}

/// The posts of two periods by an aspect and by week, for [`super::movements`].
#[must_use]
pub fn by_week<'a>(
    days: impl IntoIterator<Item = &'a Day>,
    aspect: Aspect,
    period: Period,
    before: Period,
) -> Vec<Counted> {
    let mut weeks: BTreeMap<(&str, bool, usize), Counts> = BTreeMap::new();
    for day in days {
        for (side, period) in [(false, period), (true, before)] {
            let Some(number) = period.number(day.date, Step::Week) else {
                continue;
            };
            let week = period.bins_of(Step::Week) - 1 - number;
            for (name, counts) in day.by.get(&aspect).into_iter().flatten() {
                *weeks.entry((name, side, week)).or_default() += *counts;
            }
        }
    }
    weeks
        .into_iter()
        .map(|((name, before, week), counts)| Counted {
            name: name.to_owned(),
            before,
            week,
            posts: counts.posts,
            negative: counts.negative,
        })
        .collect()
}

/// How much more the negative share varies from day to day than chance would have it, see [`dispersion_of_shares`].
#[must_use]
pub fn negative_dispersion<'a>(days: impl IntoIterator<Item = &'a Day>, period: Period) -> f64 {
    let mut weeks = vec![Vec::new(); period.bins_of(Step::Week)];
    for day in days {
        if let Some(number) = period.number(day.date, Step::Week)
            && let Some(week) = weeks.get_mut(number)
        {
            week.push((day.all.negative, day.all.posts));
        }
    }
    dispersion_of_shares(&weeks)
}
