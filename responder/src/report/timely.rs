//! How the units met their clocks in a period.

use std::collections::BTreeMap;

use jiff::Timestamp;

use super::Desk;
use super::facts::{CaseFacts, Met, Number, UnitFacts};
use crate::case::{Action, Clock, State};
use crate::trend::{Tally, Tracked, judge, tally};

/// The units with clocks that ended, the one with the most first, and the cases in all.
pub(super) fn units(
    desk: &Desk<'_>,
    tracked: &[Tracked],
    end: Timestamp,
    link: String,
) -> (Vec<UnitFacts>, CaseFacts) {
    let region = desk.routing.region();
    let own: Vec<Tracked> = (tracked.iter())
        .filter(|case| case.region == region.code())
        .map(|case| case.clone().as_of(end, desk.cases.timing()))
        .collect();
    let judged: Vec<_> = (own.iter())
        .flat_map(|case| judge(case, desk.cases.timing(), end))
        .collect();
    let mut by_unit: BTreeMap<String, BTreeMap<&'static str, Tally>> = BTreeMap::new();
    for ((unit, clock), tally) in tally(&judged) {
        by_unit.entry(unit).or_default().insert(clock.name(), tally);
    }
    let mut units: Vec<UnitFacts> = by_unit
        .into_iter()
        .map(|(code, clocks)| {
            let of = |clock: Clock| clocks.get(clock.name()).copied().unwrap_or_default();
            let all = clocks.values().fold(Tally::default(), |sum, one| Tally {
                in_time: sum.in_time + one.in_time,
                all: sum.all + one.all,
            });
            UnitFacts {
                name: region.unit_name(&code).to_owned(),
                sign: Met::new(of(Clock::Sign)),
                first_information: Met::new(of(Clock::FirstInformation)),
                response: Met::new(of(Clock::Response)),
                all: Met::new(all),
                code,
            }
        })
        .collect();
    units.sort_by(|one, other| {
        (other.all.all.cmp(&one.all.all)).then_with(|| one.code.cmp(&other.code))
    });
    let count =
        |holds: &dyn Fn(&Tracked) -> bool| own.iter().filter(|case| holds(case)).count() as u64;
    let cases = CaseFacts {
        opened: Number {
            value: own.len() as f64,
            link,
        },
        answered: count(&|case| case.answered_at.is_some_and(|at| at < end)),
        dismissed: count(&|case| case.state == State::Dismissed),
        open: count(&|case| case.state.open()),
        handed_back: count(&|case| (case.moves.iter()).any(|made| made.action == Action::Return)),
        clocks: judged.len() as u64,
        in_time: judged.iter().filter(|one| one.in_time).count() as u64,
    };
    (units, cases)
}
