//! Problems that events have in common: one subject in many places, one place with many subjects.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use backbone::message::SignalKind;
use serde::{Deserialize, Serialize};
use xxhash_rust::xxh3::xxh3_64;

use super::tail::least_unlikely;
use super::told::Found;
use crate::settings::Trends;

/// Stretches of days before the present one that tell what is usual.
const EARLIER: i64 = 3;
/// Events remembered of a region, and of a subject at a place: the newest.
const MOST_EVENTS: usize = 100_000;
const MOST_OF_A_CELL: usize = 300;

/// The events of a region by subject and place, each once: by its first post that says what it is about.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(super) struct Common {
    subjects: BTreeMap<String, Places>,
    /// Digests of the events, and the day each was counted.
    known: HashMap<u64, i64>,
    changed: bool,
}

/// The events of a subject by place; those of no known place under an empty name.
#[derive(Debug, Default, Serialize, Deserialize)]
struct Places {
    first: String,
    second: String,
    places: BTreeMap<String, Vec<(i64, Box<str>)>>,
}

impl Places {
    /// The places that have an event of a stretch of days.
    fn seen(&self, days: &std::ops::Range<i64>) -> impl Iterator<Item = &str> {
        let places = self.places.iter().filter(|(place, events)| {
            !place.is_empty() && events.iter().any(|(day, _)| days.contains(day))
        });
        places.map(|(place, _)| place.as_str())
    }
}

impl Common {
    /// Takes note of a post's event.
    pub(super) fn hear(&mut self, subject: (&str, &str), place: &str, day: i64, event: &str) {
        let (first, second) = subject;
        let digest = xxh3_64(event.as_bytes());
        if self.known.contains_key(&digest) || self.known.len() >= MOST_EVENTS {
            return;
        }
        self.known.insert(digest, day);
        let places = (self.subjects)
            .entry(format!("{first}/{second}"))
            .or_insert_with(|| Places {
                first: first.to_owned(),
                second: second.to_owned(),
                places: BTreeMap::new(),
            });
        let events = places.places.entry(place.to_owned()).or_default();
        if events.len() >= MOST_OF_A_CELL {
            events.remove(0);
        }
        events.push((day, event.into()));
        self.changed = true;
    }

    /// Lets go what is too old to tell what is usual.
    pub(super) fn forget(&mut self, settings: &Trends, today: i64) {
        let oldest = today - i64::from(settings.common_days) * (EARLIER + 1);
        self.known.retain(|_, day| *day > oldest);
        for places in self.subjects.values_mut() {
            for events in places.places.values_mut() {
                events.retain(|(day, _)| *day > oldest);
            }
            places.places.retain(|_, events| !events.is_empty());
        }
        self.subjects.retain(|_, places| !places.places.is_empty());
        self.changed = true;
    }

    /// Whether there may be something new to find.
    pub(super) fn take_changed(&mut self) -> bool {
        std::mem::take(&mut self.changed)
    }

    /// The problems common to the events up to today, where posts were first seen on the day `first`.
    pub(super) fn find(&self, settings: &Trends, first: i64, today: i64) -> Vec<Found> {
        let length = i64::from(settings.common_days);
        let stretch = |back: i64| {
            let ends = today + 1 - back * length;
            ends - length..ends
        };
        let earlier: Vec<_> = (1..=EARLIER)
            .map(stretch)
            .filter(|days| days.start >= first)
            .collect();
        if earlier.is_empty() {
            return Vec::new();
        }
        let now = stretch(0);
        // Predicted by the earlier counts (Poisson counts under the prior of Jeffreys): a negative binomial.
        let unusual = |count: u32, before: u32, floor: u32| {
            let stretches = earlier.len() as f64;
            let usual = (f64::from(before) + 0.5) / stretches;
            let least = least_unlikely(usual, 1.0 + 1.0 / stretches, settings.common_tail);
            (count >= least.max(floor)).then_some(f64::from(before) / stretches)
        };
        let mut found = Vec::new();
        for subject in self.subjects.values() {
            let count = subject.seen(&now).count() as u32;
            let before: usize = earlier.iter().map(|days| subject.seen(days).count()).sum();
            if let Some(usual) = unusual(count, before as u32, settings.least_places) {
                let mut signal = Found::new(SignalKind::ManyPlaces, count, usual, &now);
                signal.subject.clone_from(&subject.first);
                signal.second.clone_from(&subject.second);
                self.tell(&mut signal, &now);
                found.push(signal);
            }
        }
        let places: BTreeSet<&str> = (self.subjects.values())
            .flat_map(|subject| subject.seen(&now))
            .collect();
        for place in places {
            let subjects = |days: &std::ops::Range<i64>| {
                let seen = |subject: &&Places| subject.seen(days).any(|seen| seen == place);
                self.subjects.values().filter(seen).count() as u32
            };
            let before = earlier.iter().map(subjects).sum();
            if let Some(usual) = unusual(subjects(&now), before, settings.least_subjects) {
                let mut signal = Found::new(SignalKind::ManySubjects, subjects(&now), usual, &now);
                place.clone_into(&mut signal.place);
                self.tell(&mut signal, &now);
                found.push(signal);
            }
        }
        found
    }

    /// Adds the events of a stretch of days that a finding is about, with their subjects and places.
    pub(super) fn tell(&self, found: &mut Found, days: &std::ops::Range<i64>) {
        for subject in self.subjects.values() {
            let wanted = (found.subject.is_empty() || found.subject == subject.first)
                && (found.second.is_empty() || found.second == subject.second);
            if !wanted {
                continue;
            }
            for (place, events) in &subject.places {
                if !found.place.is_empty() && found.place != *place {
                    continue;
                }
                for (_, event) in events.iter().filter(|(day, _)| days.contains(day)) {
                    found.add(subject.told(), place, event);
                }
            }
        }
    }
}

impl Places {
    fn told(&self) -> &str {
        if self.second.is_empty() {
            &self.first
        } else {
            &self.second
        }
    }
}
