//! The events of one partition within the window. Rebuilt from that partition's assessments, so it
//! needs no store of its own.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use backbone::id;
use backbone::message::{Assessment, EventSummary, Place, Post};
use jiff::{SignedDuration, Timestamp};

use super::profile::{Index, Profile};

/// How much more similar a post must be whose subject no post of the event has: matters of one estate share its name.
const OTHER_SUBJECT: f64 = 1.5;
/// Ids and times kept per event: the newest.
const NEWEST: usize = 100;
/// Distinct voices counted per event.
const VOICES: usize = 10_000;
/// Characters of the gist.
const GIST: usize = 200;

/// What an event is known by.
#[derive(Debug, Clone)]
pub struct Event {
    /// Its id.
    pub id: String,
    /// Its title: that of its first post.
    pub title: String,
    /// Words of harm its posts use.
    pub intensity: BTreeSet<String>,
    /// Gravest level reached; an alert was raised for it.
    pub level: Option<u8>,
    region: String,
    gist: String,
    posts: u32,
    post_ids: Vec<String>,
    times: Vec<Timestamp>,
    voices: HashSet<String>,
    sources: BTreeSet<String>,
    sentiment_sum: f64,
    subjects: BTreeMap<String, u32>,
    places: Vec<(Place, u32)>,
    first_at: Timestamp,
    last_at: Timestamp,
    profile: Profile,
}

/// The event a post joined.
#[derive(Debug, Clone, PartialEq)]
pub struct Joined {
    /// Its id.
    pub event: String,
    /// Its title.
    pub title: String,
    /// Similarity to the event's nearest post; 1 for the post that opened it.
    pub similarity: f64,
    /// Whether the post was in already: a message delivered again.
    pub again: bool,
}

/// The events of one partition.
#[derive(Debug)]
pub struct Window {
    length: SignedDuration,
    most_events: usize,
    least_similarity: f64,
    events: BTreeMap<u64, Event>,
    numbers: HashMap<String, u64>,
    members: HashMap<String, (u64, f64)>,
    index: Index,
    next_number: u64,
}

impl Window {
    /// A window that joins a post to an event when they lie at most `days` apart and are alike by
    /// `least_similarity`, and that forgets the events opened first beyond `most_events`.
    #[must_use]
    pub fn new(days: u32, most_events: usize, least_similarity: f64) -> Self {
        Self {
            length: SignedDuration::from_hours(24 * i64::from(days)),
            most_events: most_events.max(1),
            least_similarity,
            events: BTreeMap::new(),
            numbers: HashMap::new(),
            members: HashMap::new(),
            index: Index::default(),
            next_number: 0,
        }
    }

    /// How many events it holds.
    #[must_use]
    pub fn len(&self) -> usize {
        self.events.len()
    }

    /// Whether it holds none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.events.is_empty()
    }

    /// The event of that id.
    #[must_use]
    pub fn event(&self, id: &str) -> Option<&Event> {
        self.events.get(self.numbers.get(id)?)
    }

    /// Records that an event's alert of a level was raised.
    pub fn reached(&mut self, id: &str, level: u8) {
        if let Some(event) = self
            .numbers
            .get(id)
            .and_then(|number| self.events.get_mut(number))
        {
            event.level = Some(event.level.map_or(level, |before| before.min(level)));
        }
    }

    /// Puts a post into the event of its like, or opens one for it. The assessment says all but the
    /// event; `profile` is the post's.
    pub fn join(&mut self, assessment: &Assessment, profile: &Profile) -> Joined {
        let post = &assessment.post;
        if let Some((number, similarity)) = self.members.get(&post.id)
            && let Some(event) = self.events.get(number)
        {
            return Joined {
                event: event.id.clone(),
                title: event.title.clone(),
                similarity: *similarity,
                again: true,
            };
        }
        let (number, similarity) = self.nearest(assessment, profile).unwrap_or_else(|| {
            (
                self.open(&id::of_event(&post.region, &post.id), &title_of(post), post),
                1.0,
            )
        });
        self.add(number, similarity, assessment, profile);
        let event = self.events.get(&number);
        Joined {
            event: event.map(|event| event.id.clone()).unwrap_or_default(),
            title: event.map(|event| event.title.clone()).unwrap_or_default(),
            similarity,
            again: false,
        }
    }

    /// Puts back a post that was assessed before, into the event it was in.
    pub fn restore(&mut self, assessment: &Assessment, profile: &Profile) {
        let Some(membership) = &assessment.event else {
            return;
        };
        if !self.members.contains_key(&assessment.post.id) {
            let number = match self.numbers.get(&membership.id) {
                Some(number) => *number,
                None => self.open(&membership.id, &membership.title, &assessment.post),
            };
            self.add(number, membership.similarity, assessment, profile);
        }
        if let Some(level) = membership.level {
            self.reached(&membership.id, level);
        }
    }

    fn nearest(&self, assessment: &Assessment, profile: &Profile) -> Option<(u64, f64)> {
        let post = &assessment.post;
        self.index
            .candidates(&post.region, profile)
            .into_iter()
            .filter_map(|number| {
                let event = self.events.get(&number)?;
                let after = post.published_at.duration_since(event.last_at);
                let before = event.first_at.duration_since(post.published_at);
                if after > self.length || before > self.length {
                    return None;
                }
                let similarity = event.profile.similarity(profile).min(1.0);
                let least = if event.knows_subject_of(assessment) {
                    self.least_similarity
                } else {
                    self.least_similarity * OTHER_SUBJECT
                };
                (similarity >= least).then_some((number, similarity))
            })
            .max_by(|one, other| one.1.total_cmp(&other.1))
    }

    fn open(&mut self, id: &str, title: &str, post: &Post) -> u64 {
        while self.events.len() >= self.most_events {
            self.forget_first();
        }
        let number = self.next_number;
        self.next_number += 1;
        self.numbers.insert(id.to_owned(), number);
        self.events.insert(
            number,
            Event {
                id: id.to_owned(),
                title: title.to_owned(),
                intensity: BTreeSet::new(),
                level: None,
                region: post.region.clone(),
                gist: String::new(),
                posts: 0,
                post_ids: Vec::new(),
                times: Vec::new(),
                voices: HashSet::new(),
                sources: BTreeSet::new(),
                sentiment_sum: 0.0,
                subjects: BTreeMap::new(),
                places: Vec::new(),
                first_at: post.published_at,
                last_at: post.published_at,
                profile: Profile::default(),
            },
        );
        number
    }

    fn add(&mut self, number: u64, similarity: f64, assessment: &Assessment, profile: &Profile) {
        let Some(event) = self.events.get_mut(&number) else {
            return;
        };
        let post = &assessment.post;
        self.members.insert(post.id.clone(), (number, similarity));
        event.take(assessment);
        event.profile.add(profile);
        self.index.add(&event.region, profile, number);
    }

    fn forget_first(&mut self) {
        let Some((number, event)) = self.events.pop_first() else {
            return;
        };
        self.numbers.remove(&event.id);
        self.members.retain(|_, (of, _)| *of != number);
        self.index.remove(number);
    }
}

impl Event {
    /// Whether a post has a subject that posts of the event have.
    fn knows_subject_of(&self, assessment: &Assessment) -> bool {
        let subject = assessment.subject.as_ref();
        subject.is_none_or(|subject| self.subjects.contains_key(&subject.name))
    }

    fn take(&mut self, assessment: &Assessment) {
        let post = &assessment.post;
        self.posts += 1;
        self.post_ids.push(post.id.clone());
        self.times.push(post.published_at);
        if self.post_ids.len() > NEWEST {
            self.post_ids.remove(0);
            self.times.remove(0);
        }
        if let Some(author) = &post.author
            && self.voices.len() < VOICES
        {
            self.voices.insert(format!("{}/{author}", post.source));
        }
        self.sources.insert(post.source.clone());
        self.sentiment_sum += assessment.sentiment.score;
        if let Some(subject) = &assessment.subject {
            *self.subjects.entry(subject.name.clone()).or_default() += 1;
        }
        for place in &assessment.places {
            match self.places.iter_mut().find(|(known, _)| known == place) {
                Some((_, count)) => *count += 1,
                None => self.places.push((place.clone(), 1)),
            }
        }
        self.intensity.extend(assessment.intensity.iter().cloned());
        self.first_at = self.first_at.min(post.published_at);
        self.last_at = self.last_at.max(post.published_at);
        if self.gist.chars().count() < GIST / 2 {
            self.gist = post.text.trim().chars().take(GIST).collect();
        }
    }

    /// How many posts of the newest hundred were published in the 24 hours before the newest.
    #[must_use]
    pub fn posts_in_last_day(&self) -> u32 {
        let day = SignedDuration::from_hours(24);
        self.times
            .iter()
            .filter(|time| self.last_at.duration_since(**time) <= day)
            .count() as u32
    }

    /// The event as alerts tell it.
    #[must_use]
    pub fn summary(&self) -> EventSummary {
        let mut places = self.places.clone();
        places.sort_by_key(|(place, count)| (std::cmp::Reverse(*count), place.within.is_empty()));
        EventSummary {
            id: self.id.clone(),
            title: self.title.clone(),
            gist: self.gist.clone(),
            posts: self.posts,
            post_ids: self.post_ids.clone(),
            // A post without an author is a voice of its own only where no author is known at all.
            voices: (self.voices.len() as u32).max(1),
            sources: self.sources.iter().cloned().collect(),
            sentiment: self.sentiment_sum / f64::from(self.posts.max(1)),
            subject: self
                .subjects
                .iter()
                .max_by_key(|(_, count)| **count)
                .map(|(name, _)| name.clone())
                .unwrap_or_default(),
            places: places.into_iter().map(|(place, _)| place).collect(),
            first_at: self.first_at,
            last_at: self.last_at,
        }
    }
}

fn title_of(post: &Post) -> String {
    let title = post.title.trim();
    if title.is_empty() {
        return post.text.trim().chars().take(30).collect();
    }
    title.to_owned()
}
