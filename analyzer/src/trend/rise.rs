//! Slow rises: subjects of which more is heard from week to week.
//!
//! With x_1 … x_k the posts of k whole weeks and n their sum, T = Σ i·x_i is, when nothing changes but by chance and p_i is the
//! part of the posts that week i should have, of mean n·Σ i·p_i and of variance n·(Σ i²·p_i − (Σ i·p_i)²): the test for trend of
//! Cox and Lewis (The Statistical Analysis of Series of Events, 1966, chapter 3), and of Armitage (1955) where the p_i differ.
//! It is made twice: with equal p_i (more is heard), and with the p_i of all other subjects (a greater part is heard), so that a
//! new source or a loud season does not make every subject rise. The variance is multiplied by the dispersion of the counts
//! about their straight line, where that is greater than 1.

use std::collections::{BTreeMap, VecDeque};

use backbone::message::SignalKind;
use serde::{Deserialize, Serialize};

use super::baseline::Weeks;
use super::tail::upper_quantile;
use super::told::Found;
use crate::settings::Trends;

/// Weeks kept.
const KEPT: i64 = 14;
/// Fewest weeks in which a rise can be seen.
const LEAST_WEEKS: i64 = 6;

/// Counts of the newest weeks.
#[derive(Debug, Default, Serialize, Deserialize)]
struct Weekly(VecDeque<(i64, u32)>);

impl Weekly {
    fn add(&mut self, week: i64) {
        match self.0.binary_search_by_key(&week, |(week, _)| *week) {
            Ok(at) => {
                if let Some((_, count)) = self.0.get_mut(at) {
                    *count = count.saturating_add(1);
                }
            }
            Err(at) => self.0.insert(at, (week, 1)),
        }
        while let (Some((oldest, _)), Some((newest, _))) = (self.0.front(), self.0.back())
            && newest - oldest >= KEPT
        {
            self.0.pop_front();
        }
    }

    fn of(&self, weeks: std::ops::Range<i64>) -> Vec<u32> {
        let count = |week: i64| {
            let at = self.0.binary_search_by_key(&week, |(week, _)| *week);
            at.ok().and_then(|at| self.0.get(at)).map_or(0, |at| at.1)
        };
        weeks.map(count).collect()
    }
}

/// Posts a week: all, and by subject.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(super) struct Rises {
    all: Weekly,
    subjects: BTreeMap<String, BTreeMap<String, Weekly>>,
}

impl Rises {
    /// Counts a post of a week.
    pub(super) fn hear(&mut self, first: &str, second: &str, week: i64) {
        self.all.add(week);
        if !self.subjects.contains_key(first) {
            self.subjects.insert(first.to_owned(), BTreeMap::new());
        }
        let Some(subject) = self.subjects.get_mut(first) else {
            return;
        };
        for name in ["", second]
            .iter()
            .take(1 + usize::from(!second.is_empty()))
        {
            if let Some(weekly) = subject.get_mut(*name) {
                weekly.add(week);
            } else {
                subject.entry((*name).to_owned()).or_default().add(week);
            }
        }
    }

    /// The subjects that rose up to the end of last week: of the second level where that tells it, else of the first.
    pub(super) fn find(&self, settings: &Trends, weeks: &Weeks, this_week: i64) -> Vec<Found> {
        let most = i64::from(settings.rise_weeks);
        let whole = (1..=most).take_while(|back| weeks.whole(this_week - back));
        let length = whole.count() as i64;
        if length < LEAST_WEEKS {
            return Vec::new();
        }
        let span = this_week - length..this_week;
        let all = self.all.of(span.clone());
        let mut found = Vec::new();
        for (first, subject) in &self.subjects {
            let risen = subject.iter().filter_map(|(second, weekly)| {
                let counts = weekly.of(span.clone());
                rises(settings, &counts, &all).then_some((second, counts))
            });
            let mut risen: Vec<(&String, Vec<u32>)> = risen.collect();
            if risen.len() > 1 {
                risen.retain(|(second, _)| !second.is_empty());
            }
            for (second, counts) in risen {
                let newest = counts.last().copied().unwrap_or(0);
                let sum: u32 = counts.iter().sum();
                let usual = f64::from(sum - newest) / (length - 1) as f64;
                let days = span.start * 7..span.end * 7;
                let mut signal = Found::new(SignalKind::Rise, newest, usual, &days);
                signal.subject.clone_from(first);
                signal.second.clone_from(second);
                signal.weekly = counts;
                found.push(signal);
            }
        }
        found
    }
}

/// Whether the counts of weeks rise, in number and as a part of all.
fn rises(settings: &Trends, counts: &[u32], all: &[u32]) -> bool {
    let sum: u32 = counts.iter().sum();
    let mean_of = |counts: &[u32]| f64::from(counts.iter().sum::<u32>()) / counts.len() as f64;
    let (Some(first), Some(last)) = (counts.first_chunk::<2>(), counts.last_chunk::<2>()) else {
        return false;
    };
    if sum < settings.rise_least || mean_of(last) < settings.rise_ratio * mean_of(first) {
        return false;
    }
    let others: Vec<f64> = (all.iter().zip(counts))
        .map(|(all, counts)| f64::from(all.saturating_sub(*counts)) + 0.5)
        .collect();
    let least = upper_quantile(settings.rise_tail);
    let even = vec![1.0; counts.len()];
    trend(counts, &even) >= least && trend(counts, &others) >= least
}

/// How many standard deviations the trend of counts lies above that of `expected`, which need not have their sum.
fn trend(counts: &[u32], expected: &[f64]) -> f64 {
    let sum: f64 = counts.iter().copied().map(f64::from).sum();
    let whole: f64 = expected.iter().sum();
    let numbers = || (0..counts.len()).map(|number| number as f64);
    let moment = |power: i32| -> f64 {
        let each = numbers().zip(expected);
        each.map(|(number, part)| number.powi(power) * part / whole)
            .sum()
    };
    let told: f64 = numbers()
        .zip(counts)
        .map(|(number, count)| number * f64::from(*count))
        .sum();
    let variance = sum * (moment(2) - moment(1).powi(2)) * dispersion(counts);
    (told - sum * moment(1)) / variance.max(f64::MIN_POSITIVE).sqrt()
}

/// The dispersion of counts about their straight line, at least 1.
fn dispersion(counts: &[u32]) -> f64 {
    let length = counts.len() as f64;
    let mean = counts.iter().copied().map(f64::from).sum::<f64>() / length;
    let middle = (length - 1.0) / 2.0;
    let (mut with, mut without) = (0.0, 0.0);
    for (number, count) in counts.iter().enumerate() {
        let from_middle = number as f64 - middle;
        with += from_middle * f64::from(*count);
        without += from_middle * from_middle;
    }
    let slope = with / without;
    let residuals: f64 = counts
        .iter()
        .enumerate()
        .map(|(number, count)| {
            let line = mean + slope * (number as f64 - middle);
            (f64::from(*count) - line).powi(2) / line.max(mean / 4.0)
        })
        .sum();
    (residuals / (length - 2.0)).max(1.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rise(counts: &[u32], all: &[u32]) -> bool {
        rises(&Trends::default(), counts, all)
    }

    #[test]
    fn a_rise_is_one_in_number_and_as_a_part_of_all() {
        let steady = [60; 8];
        let rising = [3, 4, 4, 6, 7, 8, 11, 14];
        assert!(rise(&rising, &steady));
        let with_all: Vec<u32> = rising.iter().map(|count| count * 10).collect();
        assert!(!rise(&rising, &with_all), "everything grew");
        assert!(!rise(&[7, 5, 8, 6, 7, 9, 6, 8], &steady), "chance");
        assert!(!rise(&[4, 5, 4, 5, 4, 5, 4, 40], &steady), "one loud week");
        assert!(!rise(&[0, 0, 1, 0, 1, 1, 2, 3], &steady), "too few");
        assert!(!rise(&[14, 11, 8, 7, 6, 4, 4, 3], &steady), "a fall");
    }

    #[test]
    fn the_test_is_that_of_the_book() {
        // T = 0·1 + 1·2 + 2·3 = 8, mean 6 · 1, variance 6 · (5/3 − 1) = 4.
        assert!((trend(&[1, 2, 3], &[1.0; 3]) - 1.0).abs() < 1e-9);
    }
}
