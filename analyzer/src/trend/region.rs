//! What is known of the posts of one region.

use std::collections::{BTreeMap, HashSet, VecDeque};

use backbone::message::{Assessment, Certainty, Place, Polarity, Signal, SignalKind, SourceKind};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use xxhash_rust::xxh3::xxh3_64;

use super::baseline::{Sources, Sums, Usual, Weeks, weight};
use super::burst::{Excess, KEPT, Series, least_of};
use super::common::Common;
use super::hour::{When, day_of, week_of};
use super::rise::Rises;
use super::told::{Found, Open};
use crate::settings::Trends;

/// Posts remembered in short: the newest.
const MOST_RECENT: usize = 20_000;
/// Voices told apart on a day.
const MOST_VOICES: usize = 200_000;
/// Days whose voices are told apart.
const VOICE_DAYS: i64 = 3;
/// The hour of the day at which rises are looked for: what was published on Sunday has come in by then.
const MORNING: i64 = 6;
/// Days without being seen after which a common problem, or a rise, is over.
const COMMON_OVER: i64 = 7;
const RISE_OVER: i64 = 14;
/// By how much more a common problem has when it is told again.
const GROWN: f64 = 1.5;

/// A post of the newest hours, in short.
#[derive(Debug, Serialize, Deserialize)]
struct Recent {
    hour: i64,
    first: Box<str>,
    second: Box<str>,
    place: Box<str>,
    event: Box<str>,
}

/// Where what is found is told.
#[derive(Debug)]
pub(super) struct Telling<'a> {
    pub(super) now: Timestamp,
    pub(super) signals: &'a mut Vec<Signal>,
}

/// The posts of a region.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(super) struct Region {
    code: String,
    weeks: Weeks,
    sources: Sources,
    /// By how much the sources that were added raise what is usual, as it was at midnight.
    growth: f64,
    all: Series,
    subjects: BTreeMap<String, Series>,
    recent: VecDeque<Recent>,
    /// Digests of voices and subjects, by day.
    voices: BTreeMap<i64, HashSet<u64>>,
    common: Common,
    rises: Rises,
    open: Vec<Open>,
    #[serde(skip)]
    usual: Option<(i64, Usual)>,
}

impl Region {
    /// Of which nothing is known.
    pub(super) fn new(code: &str) -> Self {
        Self {
            code: code.to_owned(),
            ..Self::default()
        }
    }

    /// Takes note of a signal that was told.
    pub(super) fn told(&mut self, signal: &Signal) {
        let known = (self.open.iter()).position(|open| open.signal.id == signal.id);
        let newer = known
            .and_then(|at| self.open.get(at))
            .is_none_or(|open| open.signal.update <= signal.update);
        if newer {
            if let Some(at) = known {
                self.open.remove(at);
            }
            if signal.over_at.is_none() {
                self.open.push(Open::restored(signal));
            }
        }
    }

    /// Counts a post, which has come by the hour `clock`; tells of a burst that shows by it, where it is to be told.
    pub(super) fn hear(
        &mut self,
        settings: &Trends,
        assessment: &Assessment,
        clock: i64,
        telling: Option<&mut Telling<'_>>,
    ) {
        let post = &assessment.post;
        let Some(event) = &assessment.event else {
            return;
        };
        if post.kind == SourceKind::Official {
            return;
        }
        let when = match When::of(post) {
            When::Hour(hour) => When::Hour(hour.min(clock)),
            When::Day(day) => When::Day(day.min(day_of(clock))),
        };
        let week = week_of(when.hour());
        let known = self.sources.see(&post.source, when.hour());
        if post.certainty == Certainty::Collected && !known {
            return;
        }
        self.weeks.see(when.hour());
        let subject = assessment.subject.as_ref();
        let (first, second) = subject.map_or(("", ""), |subject| {
            (subject.name.as_str(), subject.second.as_str())
        });
        let place = part_of(&assessment.places);
        let problem = !first.is_empty() && assessment.sentiment.label != Polarity::Positive;
        if problem {
            (self.common).hear((first, second), place, when.day(), &event.id);
        }
        let voice = match &post.author {
            Some(author) => xxh3_64(format!("{}/{author}", post.source).as_bytes()),
            // Nobody knows how many wrote: each matter is taken for one voice.
            None => xxh3_64(event.id.as_bytes()),
        };
        let fresh = known && when.hour() > clock - KEPT && when.day() > day_of(clock) - 3;
        let mut of_all = false;
        if self.is_new(voice, when.day(), clock) {
            of_all = true;
            self.sources.count(settings, &post.source, week);
            count(settings, &mut self.all, when, fresh);
        }
        let mut of_subject = false;
        let digest = voice ^ xxh3_64(first.as_bytes());
        if !first.is_empty() && self.is_new(digest, when.day(), clock) {
            of_subject = true;
            if !self.subjects.contains_key(first) {
                self.subjects.insert(first.to_owned(), Series::default());
            }
            if let Some(series) = self.subjects.get_mut(first) {
                count(settings, series, when, fresh);
            }
            if problem {
                self.rises.hear(first, second, week);
            }
        }
        if !fresh || !(of_all || of_subject) {
            return;
        }
        if self.recent.len() >= MOST_RECENT {
            self.recent.pop_front();
        }
        self.recent.push_back(Recent {
            hour: when.hour(),
            first: first.into(),
            second: second.into(),
            place: place.into(),
            event: event.id.as_str().into(),
        });
        if let Some(telling) = telling {
            if of_subject {
                self.look_for_burst(settings, first, when, clock, telling);
            }
            if of_all {
                self.look_for_burst(settings, "", when, clock, telling);
            }
        }
    }

    /// Whether a voice was not heard on a day before, or the day is too long past to tell.
    fn is_new(&mut self, voice: u64, day: i64, clock: i64) -> bool {
        if day <= day_of(clock) - VOICE_DAYS {
            return true;
        }
        let voices = self.voices.entry(day).or_default();
        voices.len() >= MOST_VOICES || voices.insert(voice)
    }

    /// Lets an hour begin.
    pub(super) fn step(
        &mut self,
        settings: &Trends,
        clock: i64,
        telling: Option<&mut Telling<'_>>,
    ) {
        self.fold(settings, clock);
        let today = day_of(clock);
        if clock.rem_euclid(24) == 0 {
            self.voices.retain(|day, _| *day > today - VOICE_DAYS);
            self.recent.retain(|post| post.hour > clock - KEPT);
            self.common.forget(settings, today);
            self.growth = self.sources.growth(settings, &self.weeks, clock);
        }
        let Some(telling) = telling else {
            return;
        };
        if self.weeks.before(week_of(clock)) >= settings.least_weeks {
            if self.common.take_changed() {
                let first = self.weeks.first().map_or(today, day_of);
                for found in self.common.find(settings, first, today) {
                    self.tell(&found, clock, clock, telling);
                }
            }
            if clock.rem_euclid(24) == MORNING {
                for mut found in self.rises.find(settings, &self.weeks, week_of(clock)) {
                    let days = day_of(found.hours.end) - i64::from(settings.common_days)
                        ..day_of(found.hours.end);
                    self.common.tell(&mut found, &days);
                    self.tell(&found, clock, clock, telling);
                }
            }
        }
        self.end(settings, clock, telling);
    }

    /// Lets the oldest of the newest hours go into the sums.
    fn fold(&mut self, settings: &Trends, clock: i64) {
        let hour = clock - KEPT;
        let loud = |series: &Series| series.hour(hour) >= settings.burst_least;
        let usual = (loud(&self.all) || self.subjects.values().any(loud))
            .then(|| self.usual(settings, clock - 1));
        let most = |subject: Option<&Sums>| {
            let usual = usual.as_ref()?;
            let expected = usual.expected(settings, subject, hour..hour + 1, None);
            Some(least_of(settings, expected))
        };
        self.all.fold(settings, hour, |_| most(None));
        for series in self.subjects.values_mut() {
            series.fold(settings, hour, |sums| most(Some(sums)));
        }
        self.usual = usual.map(|usual| (clock - 1, usual));
    }

    /// What is usual, as it is known by an hour; to be put back.
    fn usual(&mut self, settings: &Trends, clock: i64) -> Usual {
        let known = self.usual.take().filter(|(at, _)| *at == clock);
        known.map(|(_, usual)| usual).unwrap_or_else(|| {
            let folded = clock - KEPT + 1;
            let growth = self.growth.max(1.0);
            Usual::of(settings, &self.all.sums, &self.weeks, growth, folded, clock)
        })
    }

    fn look_for_burst(
        &mut self,
        settings: &Trends,
        subject: &str,
        when: When,
        clock: i64,
        telling: &mut Telling<'_>,
    ) {
        // What a subject's burst explains is not told again of all subjects.
        let of_subject =
            |open: &Open| open.signal.kind == SignalKind::Burst && !open.signal.subject.is_empty();
        if subject.is_empty() && self.open.iter().any(of_subject) {
            return;
        }
        let usual = self.usual(settings, clock);
        let series = if subject.is_empty() {
            Some(&mut self.all)
        } else {
            self.subjects.get_mut(subject)
        };
        let excess = series
            .and_then(|series| series.excess(settings, &usual, !subject.is_empty(), when, clock));
        self.usual = Some((clock, usual));
        let Some(excess) = excess else {
            return;
        };
        if self.weeks.before(week_of(clock)) < settings.least_weeks {
            return;
        }
        let open = (self.open.iter_mut())
            .find(|open| open.signal.kind == SignalKind::Burst && open.signal.subject == subject);
        if let Some(open) = open {
            open.last = clock;
            let more = |peak: &Excess| excess.count > peak.count;
            if open.peak.as_ref().is_none_or(more) {
                open.peak = Some(excess);
            }
            if excess.count < open.signal.count * 2 {
                return;
            }
        }
        let found = self.burst(subject, &excess);
        if found.largest() <= settings.burst_largest {
            self.tell(&found, when.hour(), clock, telling);
        }
    }

    fn burst(&self, subject: &str, excess: &Excess) -> Found {
        let mut found = Found::burst(subject, excess);
        let hours = found.hours.clone();
        for post in self.recent.iter().filter(|post| hours.contains(&post.hour)) {
            if subject.is_empty() {
                found.add(&post.first, &post.place, &post.event);
            } else if *post.first == *subject {
                found.add(&post.second, &post.place, &post.event);
            }
        }
        found
    }

    /// Tells of what was found at an hour, when it is new or has more to tell.
    fn tell(&mut self, found: &Found, hour: i64, clock: i64, telling: &mut Telling<'_>) {
        let weeks = match found.kind {
            SignalKind::Rise => found.weekly.len() as u32,
            _ => self.weeks.before(week_of(hour)),
        };
        let known = self.open.iter_mut().find(|open| open.is_of(found));
        let Some(open) = known else {
            let signal = found.signal(&self.code, weeks, hour, telling.now);
            self.open.push(Open {
                last: clock,
                found: hour,
                ..Open::restored(&signal)
            });
            telling.signals.push(signal);
            return;
        };
        open.last = clock;
        let told = &open.signal;
        let news = match found.kind {
            SignalKind::Burst => found.count >= told.count * 2,
            SignalKind::Rise => found.weekly != told.weekly && hours_of(told).end < found.hours.end,
            SignalKind::ManyPlaces | SignalKind::ManySubjects => {
                f64::from(found.count) >= f64::from(told.count) * GROWN
            }
        };
        if news {
            telling.signals.push(open.update(found, weeks, telling.now));
        }
    }

    /// Tells of what is over.
    fn end(&mut self, settings: &Trends, clock: i64, telling: &mut Telling<'_>) {
        let mut number = 0;
        while let Some(open) = self.open.get(number) {
            let wait = match open.signal.kind {
                SignalKind::Burst => i64::from(settings.burst_over_hours),
                SignalKind::ManyPlaces | SignalKind::ManySubjects => COMMON_OVER * 24,
                SignalKind::Rise => RISE_OVER * 24,
            };
            if clock - open.last <= wait {
                number += 1;
                continue;
            }
            let open = self.open.remove(number);
            let grown = open.peak.filter(|peak| peak.count > open.signal.count);
            let newest = grown.map(|peak| self.burst(&open.signal.subject, &peak));
            telling
                .signals
                .push(open.over(newest.as_ref(), telling.now));
        }
    }
}

fn hours_of(signal: &Signal) -> std::ops::Range<i64> {
    super::hour::hour_of(signal.begins)..super::hour::hour_of(signal.ends)
}

fn count(settings: &Trends, series: &mut Series, when: When, fresh: bool) {
    if fresh {
        series.add(when);
    } else {
        let weight = weight(settings, week_of(when.hour()));
        series.sums.add(when.slot(), weight);
    }
}

/// The part of the region that a post is about, such as a town; empty where it names none.
fn part_of(places: &[Place]) -> &str {
    let part = |place: &Place| match place.kind.as_str() {
        "town" | "zone" | "district" => true,
        "county" | "scenic" => !place.within.is_empty() || place.kind == "scenic",
        _ => false,
    };
    let named = places.iter().find_map(|place| {
        if part(place) {
            Some(place.name.as_str())
        } else {
            (!place.within.is_empty()).then_some(place.within.as_str())
        }
    });
    named.unwrap_or("")
}
