//! What is usual at an hour of the week, learnt from the weeks seen, see the documentation of [`trend`](super).

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::hour::{DAY_SLOTS, SLOTS, slot_of, slot_of_day, week_of};
use crate::settings::Trends;

/// Weeks remembered as seen, and the longest gap between two.
const MOST_WEEKS: usize = 104;
const LONGEST_GAP: i64 = 3;
/// Weeks in which a source was seen before it is known what it brings.
const LEAST_OF_SOURCE: u32 = 3;
/// Sources told apart.
const MOST_SOURCES: usize = 500;
/// The week that weighs 1, late in 2025: only ratios of weights matter.
const BASE_WEEK: i64 = 2_917;
/// What a subject that was never seen has of all posts: one of fifteen kinds.
const SHARE: f64 = 1.0 / 15.0;
/// Weeks that this share counts for.
const SHARE_WEEKS: f64 = 1.0;
/// Posts that each hour of the day is taken to have had before any was seen.
const FLAT: f64 = 1.0;
/// Most by which new sources raise what is expected.
const MOST_GROWTH: f64 = 10.0;

/// What a post of a week weighs against those of other weeks (forward decay, Cormode and others 2009): it does not change with
/// time, so the order in which posts come changes nothing.
pub(super) fn weight(settings: &Trends, week: i64) -> f64 {
    ((week - BASE_WEEK) as f64 / settings.half_life_weeks).exp2()
}

/// Weighted counts of posts by slot of the week.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(super) struct Sums {
    /// As many as slots, or none yet.
    slots: Vec<f64>,
    total: f64,
}

impl Sums {
    pub(super) fn add(&mut self, slot: usize, weight: f64) {
        self.slots.resize(SLOTS, 0.0);
        if let Some(sum) = self.slots.get_mut(slot) {
            *sum += weight;
        }
        self.total += weight;
    }

    fn at(&self, slot: usize) -> f64 {
        self.slots.get(slot).copied().unwrap_or(0.0)
    }
}

/// The weeks in which posts of a region or a source were seen without a long gap, up to the newest. What lies before a gap is no
/// history: single old posts stay on top of many lists.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(super) struct Weeks {
    /// The first hour that was seen of each.
    seen: BTreeMap<i64, i64>,
    /// The first of them that is not before a gap.
    start: i64,
}

impl Weeks {
    /// Takes note of a post of an hour.
    pub(super) fn see(&mut self, hour: i64) {
        let week = week_of(hour);
        if let Some(first) = self.seen.get_mut(&week) {
            *first = hour.min(*first);
            return;
        }
        self.seen.insert(week, hour);
        if self.seen.len() > MOST_WEEKS {
            self.seen.pop_first();
        }
        let mut weeks = self.seen.keys().rev().copied();
        self.start = weeks.next().unwrap_or(week);
        for earlier in weeks {
            if self.start - earlier > LONGEST_GAP {
                break;
            }
            self.start = earlier;
        }
    }

    /// The hour of the first post.
    pub(super) fn first(&self) -> Option<i64> {
        self.seen.get(&self.start).copied()
    }

    /// How many were seen before a week.
    pub(super) fn before(&self, week: i64) -> u32 {
        if week <= self.start {
            return 0;
        }
        self.seen.range(self.start..week).count() as u32
    }

    /// Whether a week was seen from its begin.
    pub(super) fn whole(&self, week: i64) -> bool {
        self.seen.contains_key(&week) && self.first().is_some_and(|first| first <= week * 168 + 24)
    }

    /// Weighted weeks from the week `since` up to an hour; of the first and the last the part that was seen.
    fn exposure(&self, settings: &Trends, since: i64, until: i64) -> f64 {
        let first = self.first().unwrap_or(until);
        let weeks = self
            .seen
            .range(since.max(self.start)..)
            .map(|(week, _)| *week);
        weeks
            .map(|week| {
                let (begins, ends) = ((week * 168).max(first), ((week + 1) * 168).min(until));
                weight(settings, week) * (ends - begins).max(0) as f64 / 168.0
            })
            .sum()
    }
}

/// When a source was seen and how much came of it, so that a new one does not look like a burst.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(super) struct Sources {
    each: BTreeMap<String, Source>,
    /// Posts of all.
    sum: f64,
}

#[derive(Debug, Default, Serialize, Deserialize)]
struct Source {
    weeks: Weeks,
    sum: f64,
}

impl Sources {
    /// Takes note of a post of an hour; says whether posts of its source were seen in three weeks before it, so that it is
    /// known what the source usually brings.
    pub(super) fn see(&mut self, name: &str, hour: i64) -> bool {
        if !self.each.contains_key(name) {
            if self.each.len() >= MOST_SOURCES {
                return true;
            }
            self.each.insert(name.to_owned(), Source::default());
        }
        let Some(source) = self.each.get_mut(name) else {
            return true;
        };
        let known = source.weeks.before(week_of(hour)) >= LEAST_OF_SOURCE;
        source.weeks.see(hour);
        known
    }

    /// Counts a post of a source that was seen.
    pub(super) fn count(&mut self, settings: &Trends, name: &str, week: i64) {
        let weight = weight(settings, week);
        self.sum += weight;
        if let Some(source) = self.each.get_mut(name) {
            source.sum += weight;
        }
    }

    /// How much more the sources that are known bring a week, each since it was first seen, than all did on the mean of the weeks.
    pub(super) fn growth(&self, settings: &Trends, weeks: &Weeks, clock: i64) -> f64 {
        let level = self.sum / weeks.exposure(settings, i64::MIN, clock);
        let known = (self.each.values())
            .filter(|source| source.weeks.before(week_of(clock)) >= LEAST_OF_SOURCE);
        let levels = known.map(|source| {
            let exposure = weeks.exposure(settings, source.weeks.start, clock);
            source.sum / exposure.max(f64::MIN_POSITIVE)
        });
        let growth = levels.sum::<f64>() / level;
        if growth.is_finite() {
            growth.clamp(1.0, MOST_GROWTH)
        } else {
            1.0
        }
    }
}

/// What is usual for a region, worked out for a week.
#[derive(Debug)]
pub(super) struct Usual {
    weight: f64,
    /// Weighted weeks whose slots are known, and whose totals are.
    slots_seen: f64,
    totals_seen: f64,
    /// How much more the sources bring now than on the mean of the weeks seen.
    growth: f64,
    /// Posts a week, and in each slot.
    level: f64,
    means: Vec<f64>,
    sum: f64,
}

impl Usual {
    /// For the week of the hour `clock`, when the hours before `folded` are in the sums and the sources grew so much.
    pub(super) fn of(
        settings: &Trends,
        all: &Sums,
        weeks: &Weeks,
        growth: f64,
        folded: i64,
        clock: i64,
    ) -> Self {
        let week = week_of(clock);
        let weight = weight(settings, week);
        let slots_seen = weeks.exposure(settings, i64::MIN, week * 168);
        let totals_seen = weeks.exposure(settings, i64::MIN, folded);
        let level = all.total / totals_seen.max(f64::MIN_POSITIVE);
        let flat = FLAT * weight;
        let mut days = [flat; DAY_SLOTS];
        for slot in 0..SLOTS {
            if let Some(sum) = days.get_mut(slot % DAY_SLOTS) {
                *sum += all.at(slot);
            }
        }
        let whole: f64 = days.iter().sum();
        let prior = settings.prior_weeks * weight;
        let means: Vec<f64> = (0..SLOTS)
            .map(|slot| {
                let share = days.get(slot % DAY_SLOTS).copied().unwrap_or(0.0) / whole;
                (prior * level / 7.0 * share + all.at(slot)) / (prior + slots_seen)
            })
            .collect();
        Self {
            weight,
            slots_seen,
            totals_seen,
            growth,
            level,
            sum: means.iter().sum(),
            means,
        }
    }

    /// How many posts of all subjects, or of one with its own sums, are expected in hours of a week, and the dispersion of
    /// that number.
    pub(super) fn expected(
        &self,
        settings: &Trends,
        subject: Option<&Sums>,
        hours: std::ops::Range<i64>,
        day: Option<i64>,
    ) -> (f64, f64) {
        let prior = settings.prior_weeks * self.weight;
        let share = SHARE_WEEKS * self.weight;
        let slots = hours.map(slot_of).chain(day.map(slot_of_day));
        let mean: f64 = slots
            .map(|slot| {
                let of_all = self.means.get(slot).copied().unwrap_or(0.0);
                let Some(subject) = subject else {
                    return of_all;
                };
                let level =
                    (share * SHARE * self.level + subject.total) / (share + self.totals_seen);
                let prior_mean = level * of_all / self.sum.max(f64::MIN_POSITIVE);
                (prior * prior_mean + subject.at(slot)) / (prior + self.slots_seen)
            })
            .sum();
        let known = (prior + self.slots_seen) / self.weight;
        let shape = known.min(1.0 / (settings.dispersion - 1.0).max(1e-3));
        (mean * self.growth, 1.0 + 1.0 / shape.max(1e-3))
    }
}
