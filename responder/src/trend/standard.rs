//! A fair comparison of units (标准化比较): graver matters have shorter terms, and units have different ones, so a plain share of
//! clocks that were met compares matters rather than units.
//!
//! By indirect standardisation (N. E. Breslow and N. E. Day, Statistical Methods in Cancer Research II (1987), chapter 2), a unit's
//! clocks that were met are held against those it would have met if it met of each kind of clock at each level the share that all
//! units together do:
//!
//! E = Σ n(clock, level) · p(clock, level),   ratio = O / E
//!
//! with n the unit's clocks, p the share of all units and O its clocks that were met. E is taken as known; the bounds of the ratio
//! are those of O/n by Wilson, times n/E. Clocks of one case are met or missed together, by how much more than chance is
//! measured over all units ([`dispersion_of_shares`] over the cases of each) and makes the bounds wider. A ratio compares a
//! unit with all units; two units with different kinds of matters are not compared with each other by it.

use std::collections::BTreeMap;

use super::share::wilson;
use super::{Interval, Judged, Tally, Verdict, dispersion_of_shares};
use crate::case::Clock;

/// Fewest clocks from which a unit is compared.
const FEWEST: u64 = 10;

/// A unit against all units.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Standard {
    /// Its clocks.
    pub tally: Tally,
    /// How many it would have met if it were as all units together are.
    pub expected: f64,
    /// Those it met by those expected; absent where it has too few clocks, or none would be met.
    pub ratio: Option<Ratio>,
}

/// A ratio that 1 stands for as all, with its bounds.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Ratio {
    /// The value.
    pub value: f64,
    /// Its bounds.
    pub interval: Interval,
    /// Whether it is above or below that of all units, beyond chance.
    pub verdict: Verdict,
}

/// Each unit against all, by its code, and the dispersion that was measured; `cases` has the clocks of each case.
#[must_use]
pub fn standardised(cases: &[Vec<Judged>]) -> (BTreeMap<String, Standard>, f64) {
    let mut kinds: BTreeMap<(Clock, u8), Tally> = BTreeMap::new();
    let mut of_cases: BTreeMap<&str, Vec<(u64, u64)>> = BTreeMap::new();
    for case in cases {
        let mut of_case: BTreeMap<&str, (u64, u64)> = BTreeMap::new();
        for one in case {
            let kind = kinds.entry((one.clock, one.level)).or_default();
            kind.all += 1;
            kind.in_time += u64::from(one.in_time);
            let (met, all) = of_case.entry(&one.unit).or_default();
            *met += u64::from(one.in_time);
            *all += 1;
        }
        for (unit, counts) in of_case {
            of_cases.entry(unit).or_default().push(counts);
        }
    }
    let spread = dispersion_of_shares(&of_cases.into_values().collect::<Vec<_>>());
    let mut units: BTreeMap<String, Standard> = BTreeMap::new();
    for one in cases.iter().flatten() {
        let unit = units.entry(one.unit.clone()).or_insert(Standard {
            tally: Tally::default(),
            expected: 0.0,
            ratio: None,
        });
        unit.tally.all += 1;
        unit.tally.in_time += u64::from(one.in_time);
        if let Some(kind) = kinds.get(&(one.clock, one.level)) {
            unit.expected += kind.in_time as f64 / kind.all as f64;
        }
    }
    for unit in units.values_mut() {
        let Tally { in_time, all } = unit.tally;
        if all >= FEWEST && unit.expected > 0.0 {
            let clocks = all as f64;
            let interval = wilson(in_time as f64 / clocks, clocks / spread)
                .map(|share| share * clocks / unit.expected);
            unit.ratio = Some(Ratio {
                value: in_time as f64 / unit.expected,
                interval,
                verdict: Verdict::of(interval, 1.0),
            });
        }
    }
    (units, spread)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn clocks(unit: &str, level: u8, met: usize, missed: usize) -> Vec<Vec<Judged>> {
        (0..met + missed)
            .map(|number| {
                vec![Judged {
                    unit: unit.to_owned(),
                    clock: Clock::Response,
                    level,
                    in_time: number < met,
                    opened_at: jiff::Timestamp::UNIX_EPOCH,
                }]
            })
            .collect()
    }

    #[test]
    fn who_has_the_graver_matters_is_not_the_worse_for_it() {
        // Of level 2 half are met by all, of level 4 nine of ten: each unit does just as all do with its own.
        let cases = [
            clocks("grave", 2, 20, 20),
            clocks("light", 4, 36, 4),
            clocks("few", 4, 9, 0),
        ]
        .concat();
        let (units, _) = standardised(&cases);
        assert!((units["grave"].expected - 20.0).abs() < 1e-9);
        let light = units["light"].ratio.unwrap();
        // All: 45 of 49.
        assert!((light.value - 36.0 / (40.0 * 45.0 / 49.0)).abs() < 1e-9);
        assert_eq!(light.verdict, Verdict::Unclear);
        assert_eq!(units["few"].ratio, None, "too few to compare");
        let cases = [clocks("good", 3, 60, 0), clocks("poor", 3, 30, 30)].concat();
        let (units, _) = standardised(&cases);
        let verdict = |unit: &str| units[unit].ratio.unwrap().verdict;
        assert_eq!(
            (verdict("good"), verdict("poor")),
            (Verdict::Up, Verdict::Down)
        );
    }
}
