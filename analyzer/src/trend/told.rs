//! What was found, as it is told: once for as long as it lasts, and in plain Chinese.

use std::collections::BTreeMap;
use std::ops::Range;

use backbone::id;
use backbone::message::{Count, Signal, SignalEvent, SignalKind};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::burst::Excess;
use super::hour::{begin_of, civil, hour_of};

/// Events, subjects and places told of, at most.
const MOST_TOLD: usize = 20;
/// Places and subjects named in a title.
const NAMED: usize = 3;

/// Something found, not yet told.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Found {
    pub(super) kind: SignalKind,
    pub(super) subject: String,
    pub(super) second: String,
    pub(super) place: String,
    pub(super) count: u32,
    pub(super) usual: f64,
    /// The hours that were counted.
    pub(super) hours: Range<i64>,
    pub(super) weekly: Vec<u32>,
    subjects: BTreeMap<String, u32>,
    places: BTreeMap<String, u32>,
    events: BTreeMap<String, u32>,
}

impl Found {
    /// In a stretch of days.
    pub(super) fn new(kind: SignalKind, count: u32, usual: f64, days: &Range<i64>) -> Self {
        Self {
            kind,
            subject: String::new(),
            second: String::new(),
            place: String::new(),
            count,
            usual,
            hours: days.start * 24..days.end * 24,
            weekly: Vec::new(),
            subjects: BTreeMap::new(),
            places: BTreeMap::new(),
            events: BTreeMap::new(),
        }
    }

    /// A burst.
    pub(super) fn burst(subject: &str, excess: &Excess) -> Self {
        Self {
            subject: subject.to_owned(),
            hours: excess.begins..excess.begins + excess.hours,
            ..Self::new(SignalKind::Burst, excess.count, excess.usual, &(0..0))
        }
    }

    /// Counts a post, or an event, in it.
    pub(super) fn add(&mut self, subject: &str, place: &str, event: &str) {
        let count = |counts: &mut BTreeMap<String, u32>, name: &str| {
            if !name.is_empty() {
                *counts.entry(name.to_owned()).or_default() += 1;
            }
        };
        count(&mut self.subjects, subject);
        count(&mut self.places, place);
        count(&mut self.events, event);
    }

    /// What part of it its largest event is.
    pub(super) fn largest(&self) -> f64 {
        let largest = self.events.values().max().copied().unwrap_or(0);
        f64::from(largest) / f64::from(self.events.values().sum::<u32>().max(1))
    }

    /// As a signal first found at an hour.
    pub(super) fn signal(&self, region: &str, weeks: u32, hour: i64, now: Timestamp) -> Signal {
        let (subjects, places) = (ranked(&self.subjects), ranked(&self.places));
        let events = ranked(&self.events);
        let about = [&self.subject, &self.second, &self.place].map(String::as_str);
        Signal {
            id: id::of_signal(region, self.kind.name(), about, hour),
            region: region.to_owned(),
            kind: self.kind,
            subject: self.subject.clone(),
            second: self.second.clone(),
            place: self.place.clone(),
            title: self.title(weeks, &subjects, &places),
            count: self.count,
            usual: self.usual,
            weeks,
            begins: begin_of(self.hours.start),
            ends: begin_of(self.hours.end),
            weekly: self.weekly.clone(),
            subjects,
            places,
            event_count: self.events.len() as u32,
            events: events
                .into_iter()
                .map(|count| SignalEvent {
                    id: count.name,
                    title: String::new(),
                    posts: count.posts,
                })
                .collect(),
            found_at: now,
            raised_at: now,
            update: 0,
            over_at: None,
        }
    }

    fn title(&self, weeks: u32, subjects: &[Count], places: &[Count]) -> String {
        let what = match (self.subject.as_str(), self.second.as_str()) {
            ("", _) => "各类事项".to_owned(),
            (first, "") => first.to_owned(),
            (first, second) => format!("{first}·{second}"),
        };
        let (count, usual) = (self.count, number(self.usual));
        let days = (self.hours.end - self.hours.start) / 24;
        match self.kind {
            SignalKind::Burst => {
                let begins = civil(self.hours.start);
                let (month, day, hour) = (begins.month(), begins.day(), begins.hour());
                let hours = self.hours.end - self.hours.start;
                let (at, long) = match hours {
                    1 => (format!("{month}月{day}日{hour}时"), "1小时".to_owned()),
                    24 => (format!("{month}月{day}日"), "当天".to_owned()),
                    _ => (
                        format!("{month}月{day}日{hour}至{}时", i64::from(hour) + hours),
                        format!("{hours}小时"),
                    ),
                };
                format!("{at} {what} 突增：{long}{count}条，平常约{usual}条（据{weeks}周）")
            }
            SignalKind::ManyPlaces => format!(
                "{what} 多地同类：近{days}天{count}处有反映（{}），平常约{usual}处（据{weeks}周）",
                named(places)
            ),
            SignalKind::ManySubjects => format!(
                "{} 一地多类：近{days}天有{count}类事项反映（{}），平常约{usual}类（据{weeks}周）",
                self.place,
                named(subjects)
            ),
            SignalKind::Rise => {
                let first = self.weekly.first().copied().unwrap_or(0);
                let length = self.weekly.len();
                format!("{what} 持续上升：{length}周间由每周{first}条升至{count}条")
            }
        }
    }
}

fn ranked(counts: &BTreeMap<String, u32>) -> Vec<Count> {
    let mut ranked: Vec<Count> = (counts.iter())
        .map(|(name, posts)| Count {
            name: name.clone(),
            posts: *posts,
        })
        .collect();
    ranked.sort_by_key(|count| std::cmp::Reverse(count.posts));
    ranked.truncate(MOST_TOLD);
    ranked
}

fn named(counts: &[Count]) -> String {
    let names: Vec<&str> = (counts.iter().take(NAMED))
        .map(|count| count.name.as_str())
        .collect();
    let more = if counts.len() > NAMED { "等" } else { "" };
    format!("{}{more}", names.join("、"))
}

/// A mean in plain words: with one digit after the point below ten.
fn number(mean: f64) -> String {
    if mean < 9.95 {
        format!("{mean:.1}")
    } else {
        format!("{mean:.0}")
    }
}

/// What was told and is not over.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Open {
    /// As last told.
    pub(super) signal: Signal,
    /// The hour in which it was last seen.
    pub(super) last: i64,
    /// The hour in which it was found.
    pub(super) found: i64,
    /// The greatest excess of a burst.
    pub(super) peak: Option<Excess>,
}

impl Open {
    /// Of a signal told before.
    pub(super) fn restored(signal: &Signal) -> Self {
        let begins = hour_of(signal.begins);
        let peak = Excess {
            begins,
            hours: hour_of(signal.ends) - begins,
            count: signal.count,
            usual: signal.usual,
        };
        Self {
            last: hour_of(signal.raised_at),
            found: hour_of(signal.found_at),
            peak: (signal.kind == SignalKind::Burst).then_some(peak),
            signal: signal.clone(),
        }
    }

    /// Whether it is about the same.
    pub(super) fn is_of(&self, found: &Found) -> bool {
        let signal = &self.signal;
        (signal.kind, &signal.subject, &signal.second, &signal.place)
            == (found.kind, &found.subject, &found.second, &found.place)
    }

    /// Brings it up to date, and gives it to be told again.
    pub(super) fn update(&mut self, found: &Found, weeks: u32, now: Timestamp) -> Signal {
        let told = &self.signal;
        self.signal = Signal {
            id: told.id.clone(),
            found_at: told.found_at,
            update: told.update + 1,
            ..found.signal(&told.region, weeks, self.found, now)
        };
        self.signal.clone()
    }

    /// Says that it is over, with what was newer than told.
    pub(super) fn over(mut self, newest: Option<&Found>, now: Timestamp) -> Signal {
        let last = match newest {
            Some(found) => self.update(found, self.signal.weeks, now),
            None => Signal {
                update: self.signal.update + 1,
                raised_at: now,
                ..self.signal
            },
        };
        Signal {
            over_at: Some(begin_of(self.last + 1).min(now)),
            ..last
        }
    }
}
