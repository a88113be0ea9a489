//! How timely units were with the cases of the period.

use std::collections::BTreeMap;

use jiff::Timestamp;
use jiff::civil::Date;

use super::super::Console;
use super::super::chart::{Chart, Series};
use super::super::show;
use super::{named, tick};
use crate::calendar::{at_minute, day_of};
use crate::case::{Clock, StoreError};
use crate::trend::{Judged, Period, Step, Tally, judge, tally};

/// The clocks that are told of, and how they read.
pub(super) const CLOCKS: [(Clock, &str, &str); 3] = [
    (Clock::Sign, "按时签收", "blue-2"),
    (Clock::FirstInformation, "首次信息按时", "dim"),
    (Clock::Response, "按时回应", "positive"),
];

/// How timely the units were.
pub(super) struct Timely {
    pub(super) cases: usize,
    pub(super) units: Vec<UnitRow>,
    pub(super) chart: Option<Chart>,
    /// The weeks, and of each unit how many of its answers were in time.
    pub(super) weeks: Vec<String>,
    pub(super) by_week: Vec<WeekRow>,
}

/// A unit.
pub(super) struct UnitRow {
    pub(super) name: String,
    /// For each clock: how many were met, and which share that is.
    pub(super) clocks: Vec<Met>,
}

/// How many clocks were met.
pub(super) struct Met {
    pub(super) title: &'static str,
    pub(super) count: String,
    pub(super) share: String,
}

/// A unit by week.
pub(super) struct WeekRow {
    pub(super) name: String,
    pub(super) weeks: Vec<String>,
}

impl Timely {
    /// How timely the units were with the cases that were opened in a period.
    pub(super) async fn read(
        console: &Console,
        period: Period,
        now: Timestamp,
    ) -> Result<Self, StoreError> {
        let moment = |day: Date| at_minute(day, 0).unwrap_or(now);
        let until = moment(period.to.tomorrow().unwrap_or(period.to));
        let cases = console.cases.tracked(moment(period.from), until).await?;
        let timing = console.cases.timing();
        let mut judged = Vec::new();
        // The units of different regions may have one code.
        let mut names: BTreeMap<String, String> = BTreeMap::new();
        for case in &cases {
            for mut one in judge(case, timing, now) {
                let name = console.unit_name(&case.region, &one.unit).to_owned();
                one.unit = format!("{}/{}", case.region, one.unit);
                names.insert(one.unit.clone(), name);
                judged.push(one);
            }
        }
        Ok(Self {
            cases: cases.len(),
            units: units(&judged, &names),
            chart: chart(&judged, period),
            weeks: (period.bins(Step::Week).iter())
                .map(|bin| tick(bin.from) + "起")
                .collect(),
            by_week: by_week(&judged, &names, period),
        })
    }
}

/// The units, those with the most answers due first.
fn units(judged: &[Judged], names: &BTreeMap<String, String>) -> Vec<UnitRow> {
    let tallies = tally(judged);
    let of = |unit: &str, clock| {
        tallies
            .get(&(unit.to_owned(), clock))
            .copied()
            .unwrap_or_default()
    };
    let mut units: Vec<(&String, &String)> = names.iter().collect();
    units.sort_by_key(|(unit, name)| {
        let most = CLOCKS
            .iter()
            .map(|(clock, ..)| of(unit, *clock).all)
            .sum::<u64>();
        (std::cmp::Reverse(most), name.as_str())
    });
    units
        .into_iter()
        .map(|(unit, name)| UnitRow {
            name: name.clone(),
            clocks: CLOCKS
                .iter()
                .map(|(clock, title, _)| met(title, of(unit, *clock)))
                .collect(),
        })
        .collect()
}

fn met(title: &'static str, tally: Tally) -> Met {
    match tally.share() {
        None => Met {
            title,
            count: "—".to_owned(),
            share: String::new(),
        },
        Some(share) => Met {
            title,
            count: format!("{}/{}件", tally.in_time, tally.all),
            share: format!(
                "{}（{}至{}）",
                show::share(share.value),
                show::share(share.interval.low),
                show::share(share.interval.high)
            ),
        },
    }
}

/// The shares of all units by week; none where no clock has ended.
fn chart(judged: &[Judged], period: Period) -> Option<Chart> {
    if judged.is_empty() {
        return None;
    }
    let bins = period.bins(Step::Week);
    let points = bins
        .iter()
        .map(|bin| (tick(bin.to), named(*bin, Step::Week)));
    let chart = Chart::new("每周按时办理占比", "%", points)
        .digits(1)
        .words("按立案日期分周；色带为按时回应的95%区间");
    Some(CLOCKS.iter().fold(chart, |chart, (clock, title, colour)| {
        let mut weeks = vec![Tally::default(); bins.len()];
        for one in judged.iter().filter(|one| one.clock == *clock) {
            if let Some(number) = period.number(day_of(one.opened_at), Step::Week)
                && let Some(week) = weeks.get_mut(number)
            {
                week.all += 1;
                week.in_time += u64::from(one.in_time);
            }
        }
        let series = Series::line(
            *title,
            colour,
            weeks.iter().map(|week| Some(week.share()?.value * 100.0)),
        );
        chart.with(match clock {
            Clock::Response => series.between(weeks.iter().map(|week| {
                let interval = week.share()?.interval;
                Some((interval.low * 100.0, interval.high * 100.0))
            })),
            _ => series,
        })
    }))
}

/// Of each unit and week, how many answers were in time, of how many.
fn by_week(judged: &[Judged], names: &BTreeMap<String, String>, period: Period) -> Vec<WeekRow> {
    let mut units: BTreeMap<&str, Vec<Tally>> = BTreeMap::new();
    for one in judged.iter().filter(|one| one.clock == Clock::Response) {
        let weeks = units
            .entry(&one.unit)
            .or_insert_with(|| vec![Tally::default(); period.bins_of(Step::Week)]);
        if let Some(number) = period.number(day_of(one.opened_at), Step::Week)
            && let Some(week) = weeks.get_mut(number)
        {
            week.all += 1;
            week.in_time += u64::from(one.in_time);
        }
    }
    let cell = |tally: &Tally| match tally.all {
        0 => "—".to_owned(),
        all => format!("{}/{all}", tally.in_time),
    };
    units
        .into_iter()
        .map(|(unit, weeks)| WeekRow {
            name: names.get(unit).cloned().unwrap_or_default(),
            weeks: weeks.iter().map(cell).collect(),
        })
        .collect()
}
