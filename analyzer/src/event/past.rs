//! Events that were let go, remembered by what tells them, so that a matter that returns after months is known again (复发).

use std::collections::VecDeque;

use backbone::erased::Erased;
use backbone::message::Recurrence;
use serde::{Deserialize, Serialize};

use super::index::Index;
use super::{Event, Profile};

/// Events remembered: the newest.
const MOST: usize = 200_000;
/// Pairs remembered of each.
const PAIRS: usize = 48;

/// What is left of events.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(super) struct Past {
    events: VecDeque<Remembered>,
    /// The number of the first.
    first: u32,
    index: Index,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
struct Remembered {
    subject: String,
    recurrence: Recurrence,
    profile: Profile,
}

impl Past {
    /// Remembers an event that is let go.
    pub(super) fn remember(&mut self, event: &Event) {
        for face in event.faces.iter() {
            self.remember_as(event, face);
        }
    }

    fn remember_as(&mut self, event: &Event, face: &Profile) {
        if self.events.len() == MOST {
            self.events.pop_front();
            self.first = self.first.wrapping_add(1);
        }
        let number = self.first.wrapping_add(self.events.len() as u32);
        let profile = face.heaviest(PAIRS);
        self.index.add(&event.region, &profile, number);
        self.events.push_back(Remembered {
            subject: event.subject().to_owned(),
            recurrence: Recurrence {
                event: event.id.clone(),
                title: event.title.clone(),
                last_at: event.last_at,
            },
            profile,
        });
    }

    /// What is remembered, without what was erased.
    pub(super) fn without(&self, erased: &Erased) -> Self {
        let mut past = self.clone();
        let from = |event: &&mut Remembered| erased.is_from(&event.recurrence.event);
        for event in past.events.iter_mut().filter(from) {
            event.profile = Profile::default();
            if let Some(title) = erased.title(&event.recurrence.event) {
                event.recurrence.title = title;
            }
        }
        past
    }

    /// The past event that a post of a region is most like: by what `least` wants for one of that subject, or more.
    #[must_use]
    pub(super) fn like(
        &self,
        region: &str,
        post: &Profile,
        least: impl Fn(&str) -> f64,
    ) -> Option<Recurrence> {
        let candidates = self.index.candidates(region, post).into_iter();
        candidates
            .filter_map(|number| {
                let event = self.events.get(number.wrapping_sub(self.first) as usize)?;
                let similarity = event.profile.similarity(post);
                (similarity >= least(&event.subject)).then_some((similarity, event))
            })
            .max_by(|one, other| one.0.total_cmp(&other.0))
            .map(|(_, event)| event.recurrence.clone())
    }
}
