//! The newest hours of a region or a subject, and whether there is more in them than usual.

use serde::{Deserialize, Serialize};

use super::baseline::{Sums, Usual, weight};
use super::hour::{When, day_of, slot_of, slot_of_day, week_of};
use super::tail::least_unlikely;
use crate::settings::Trends;

/// Hours kept apart before they count as usual.
pub(super) const KEPT: i64 = 72;
/// Hours within which a post can still be part of a burst.
const FRESH: i64 = 24;
/// Days kept apart.
const DAYS: i64 = 4;
/// Lengths of the stretches of a day in which posts are counted, in hours.
const STRETCHES: [i64; 3] = [1, 6, 24];

/// More than usual.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub(super) struct Excess {
    /// First hour.
    pub(super) begins: i64,
    /// How many hours.
    pub(super) hours: i64,
    /// How many were heard.
    pub(super) count: u32,
    /// How many are usual.
    pub(super) usual: f64,
}

/// From how many on a stretch has more than usual; worked out when first asked.
#[derive(Debug, Clone, Copy, Default, Serialize, Deserialize)]
struct Threshold {
    begins: i64,
    ends: i64,
    least: u32,
    usual: f64,
}

/// The counts of a region or a subject: the newest hours each, the older ones by slot of the week.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Series {
    pub(super) sums: Sums,
    hours: Vec<u32>,
    days: Vec<u32>,
    thresholds: [Threshold; STRETCHES.len()],
}

impl Default for Series {
    fn default() -> Self {
        Self {
            sums: Sums::default(),
            hours: vec![0; KEPT as usize],
            days: vec![0; DAYS as usize],
            thresholds: Default::default(),
        }
    }
}

impl Series {
    /// Counts a post of the newest hours.
    pub(super) fn add(&mut self, when: When) {
        if let Some(count) = match when {
            When::Hour(hour) => self.hours.get_mut(hour.rem_euclid(KEPT) as usize),
            When::Day(day) => self.days.get_mut(day.rem_euclid(DAYS) as usize),
        } {
            *count = count.saturating_add(1);
        }
    }

    /// How many an hour has.
    pub(super) fn hour(&self, hour: i64) -> u32 {
        let count = self.hours.get(hour.rem_euclid(KEPT) as usize);
        count.copied().unwrap_or(0)
    }

    fn day(&self, day: i64) -> u32 {
        let count = self.days.get(day.rem_euclid(DAYS) as usize);
        count.copied().unwrap_or(0)
    }

    /// Lets an hour go into the sums, and the day that ends with it. A burst teaches no more than its threshold `most`.
    pub(super) fn fold(
        &mut self,
        settings: &Trends,
        hour: i64,
        most: impl Fn(&Sums) -> Option<u32>,
    ) {
        let weight = weight(settings, week_of(hour));
        let count = self.hour(hour);
        if count > 0 {
            let count = most(&self.sums).map_or(count, |most| count.min(most));
            self.sums.add(slot_of(hour), weight * f64::from(count));
            if let Some(count) = self.hours.get_mut(hour.rem_euclid(KEPT) as usize) {
                *count = 0;
            }
        }
        let day = day_of(hour);
        if hour.rem_euclid(24) == 23 && self.day(day) > 0 {
            self.sums
                .add(slot_of_day(day), weight * f64::from(self.day(day)));
            if let Some(count) = self.days.get_mut(day.rem_euclid(DAYS) as usize) {
                *count = 0;
            }
        }
    }

    /// Whether the stretches of a post just counted have more than usual: the one that has most more.
    pub(super) fn excess(
        &mut self,
        settings: &Trends,
        usual: &Usual,
        is_subject: bool,
        when: When,
        clock: i64,
    ) -> Option<Excess> {
        let at = match when {
            When::Hour(hour) => hour,
            When::Day(day) => clock.min(day * 24 + 23),
        };
        if at <= clock - FRESH {
            return None;
        }
        let mut found: Option<Excess> = None;
        for (place, hours) in STRETCHES.into_iter().enumerate() {
            let whole_day = hours == 24;
            if matches!(when, When::Day(_)) && !whole_day {
                continue;
            }
            let begins = at - at.rem_euclid(hours);
            let ends = (begins + hours).min(clock + 1);
            let day = whole_day.then(|| day_of(at));
            let count = (begins..ends).map(|hour| self.hour(hour)).sum::<u32>()
                + day.map_or(0, |day| self.day(day));
            if count < settings.burst_least {
                continue;
            }
            let known = self.thresholds.get(place).copied().unwrap_or_default();
            let threshold = if (known.begins, known.ends) == (begins, ends) {
                known
            } else {
                let subject = is_subject.then_some(&self.sums);
                let expected = usual.expected(settings, subject, begins..ends, day);
                let threshold = Threshold {
                    begins,
                    ends,
                    least: least_of(settings, expected),
                    usual: expected.0,
                };
                if let Some(kept) = self.thresholds.get_mut(place) {
                    *kept = threshold;
                }
                threshold
            };
            let excess = Excess {
                begins,
                hours,
                count,
                usual: threshold.usual,
            };
            let more = |known: &Excess| {
                f64::from(count) - excess.usual > f64::from(known.count) - known.usual
            };
            if count >= threshold.least && found.as_ref().is_none_or(more) {
                found = Some(excess);
            }
        }
        found
    }
}

/// From how many on there is more than usual.
pub(super) fn least_of(settings: &Trends, (mean, dispersion): (f64, f64)) -> u32 {
    least_unlikely(mean, dispersion, settings.burst_tail)
        .max((mean * settings.burst_ratio).ceil() as u32)
        .max(settings.burst_least)
}
