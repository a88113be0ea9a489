//! What numbers of posts and cases tell over time, and with what certainty. Everything here is pure: counts come in,
//! estimates with their intervals come out, for pages and reports alike. The formulas and where they are from are in
//! `docs/statistics.md`, too.
//!
//! All intervals are of 95 %. Posts about one matter come together, so counts vary more than chance alone would have them;
//! by how much is measured ([`dispersion`], [`dispersion_of_shares`]), and makes intervals wider.

mod around;
mod count;
mod day;
mod effect;
mod movement;
mod period;
mod share;
mod standard;
mod student;
mod timeliness;

pub use around::{Around, Beside, Changes, Measured, Outside};
pub use count::{Change, change, dispersion};
pub use day::{Aspect, Counts, Day, by_bin, by_week, in_all, negative_dispersion};
pub use effect::{Effect, Estimate, Why, interrupted};
pub use movement::{Counted, Movement, Verdict, movements};
pub use period::{Bin, Period, Step};
pub use share::{Mean, Share, difference, dispersion_of_shares};
pub use standard::{Ratio, Standard, standardised};
pub use timeliness::{Judged, Tally, Traced, Tracked, judge, tally};

/// Bounds within which a value lies with 95 % certainty.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Interval {
    /// The lower bound.
    pub low: f64,
    /// The upper bound.
    pub high: f64,
}

impl Interval {
    /// Whether a value lies outside, so that it can be told from what was estimated.
    #[must_use]
    pub fn excludes(self, value: f64) -> bool {
        value < self.low || value > self.high
    }

    fn map(self, change: impl Fn(f64) -> f64) -> Self {
        Self {
            low: change(self.low),
            high: change(self.high),
        }
    }
}

/// The quantile of the standard normal distribution that leaves 2.5 % above it.
const Z: f64 = 1.959_963_984_540_054;

#[cfg(test)]
mod tests;
