//! Counts: how many posts there are, and whether that is more than before.

use super::Interval;
use super::share::wilson;

/// How a count has changed.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Change {
    /// How many times the rate before; infinite where there was nothing before.
    pub ratio: f64,
    /// Its bounds; the upper one infinite where there was nothing before.
    pub interval: Interval,
}

/// How the rate of a count has changed: `now` in `days` against `before` in `days_before`. Of two counts with equal rates,
/// and given their sum, the first is binomial with the share of its days (J. Przyborowski and H. Wilenski, Biometrika 31
/// (1940), 313–323); so the bounds of its share in the sum, by Wilson with n = sum / dispersion, are bounds of the ratio:
/// r = p/(1−p) · days_before/days. None where there is nothing to compare.
#[must_use]
pub fn change(
    now: u64,
    days: f64,
    before: u64,
    days_before: f64,
    dispersion: f64,
) -> Option<Change> {
    let sum = (now + before) as f64;
    (now + before > 0 && days > 0.0 && days_before > 0.0).then(|| {
        let share = now as f64 / sum;
        // In floating point, division by nothing is infinite, which is what is meant.
        let ratio = |share: f64| share / (1.0 - share) * days_before / days;
        Change {
            ratio: ratio(share),
            interval: wilson(share, sum / dispersion.max(1.0)).map(ratio),
        }
    })
}

/// How many times more counts vary from week to week than those of posts that come one by one would: Pearson's X² of the
/// weeks about their mean, summed over all rows, by its degrees of freedom (the quasi-Poisson model: P. McCullagh and J. A.
/// Nelder, Generalized Linear Models, 2nd ed. (1989), section 6.2). Each row is the counts of one thing in the weeks of one
/// period. At least 1; none where no row tells, that is where none has two weeks with anything in them.
#[must_use]
pub fn dispersion<'a>(rows: impl IntoIterator<Item = &'a [u64]>) -> Option<f64> {
    let (mut sum, mut degrees) = (0.0, 0usize);
    for weeks in rows {
        let total: u64 = weeks.iter().sum();
        if weeks.len() < 2 || total == 0 {
            continue;
        }
        let mean = total as f64 / weeks.len() as f64;
        sum += weeks
            .iter()
            .map(|count| (*count as f64 - mean).powi(2) / mean)
            .sum::<f64>();
        degrees += weeks.len() - 1;
    }
    (degrees > 0).then(|| (sum / degrees as f64).max(1.0))
}
