//! Events: posts of the same matter belong together.
//!
//! A post joins the event it is most like within the window, see [`profile`](Profile): at least by `least_similarity`, and half as
//! much again when no post of the event has its subject, for unlike matters of one estate share the estate's name. The numbers
//! were tuned on 42 hot matters of the message board that the project read and grouped (`tests/hot_matters.tsv`); there is no
//! second set to confirm them.
//!
//! An event grows with its posts, falls quiet and may revive; when its last post is older than the window it is let go, and what
//! is left of it tells a later event that the matter returned (复发).

mod faces;
mod gist;
mod index;
mod past;
mod profile;
mod tally;
mod window;

use std::collections::VecDeque;

use backbone::message::{
    Assessment, Count, Day, EventSummary, KeyDate, Place, Polarity, Post, Recurrence, Sentiments,
    SourceKind, Subject, Turn,
};
use jiff::civil::Date;
use jiff::tz::{Offset, offset};
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use xxhash_rust::xxh3::xxh3_64;

use faces::Faces;
use gist::Gist;
use tally::Tally;

pub use profile::Profile;
pub use window::{Joined, Telling, Window};

pub(crate) use gist::plain_title;

/// Ids and times kept per event: the newest.
const NEWEST: usize = 100;
/// Distinct voices counted per event.
const VOICES: usize = 10_000;
/// Distinct places, sources, words of harm and the like kept per event.
const KINDS: usize = 64;
/// Days told of in a summary: the newest.
const DAYS: usize = 60;
/// Days kept per event.
const MOST_DAYS: usize = 1_000;
/// Posts from which the gist is made: the first.
const GIST_POSTS: u32 = 10;
/// Without a post for so long an event is quiet.
const QUIET: SignedDuration = SignedDuration::from_hours(72);
/// The clock of the days.
const CHINA: Offset = offset(8);

/// What an event is known by.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Event {
    id: String,
    title: String,
    region: String,
    gist: Gist,
    posts: u32,
    /// Those of them that are not official.
    heard: u32,
    revisions: u32,
    /// Digests of the ids of all its posts.
    members: Vec<u128>,
    newest: VecDeque<(Box<str>, Timestamp)>,
    voices: Tally<u64>,
    sources: Tally<String>,
    source_kinds: Tally<String>,
    days: Tally<Date>,
    /// Votes for and against its posts, as they were when collected.
    reactions: u64,
    /// Of the posts heard.
    sentiment_sum: f64,
    sentiments: Sentiments,
    appeals: Tally<String>,
    subjects: Tally<String>,
    parts: Tally<String>,
    places: Tally<(String, String, String)>,
    intensity: Tally<String>,
    first_at: Timestamp,
    last_at: Timestamp,
    /// When the first post came that calls for an answer and has none yet.
    unanswered_since: Option<Timestamp>,
    answered_at: Option<Timestamp>,
    /// Negative posts published after the last answer.
    negative_since_answer: u32,
    revived_at: Option<Timestamp>,
    recurrence: Option<Recurrence>,
    faces: Faces,
    alerted: Alerted,
    /// When its risk must be looked at again though nothing comes.
    due_at: Option<Timestamp>,
}

/// What was told of an event by alerts.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Alerted {
    /// The levels it reached and when, the gravest last.
    pub levels: Vec<(u8, Timestamp)>,
    /// How often the newest alert was brought up to date.
    pub update: u32,
    /// How many posts the newest alert told of.
    pub posts: u32,
    /// Whether it told of an answer.
    pub answered: bool,
}

impl Alerted {
    /// The gravest level reached.
    #[must_use]
    pub fn level(&self) -> Option<u8> {
        self.levels.last().map(|(level, _)| *level)
    }

    /// Remembers an alert that was raised; the order in which alerts are told of changes nothing.
    pub fn take(&mut self, level: u8, update: u32, event: &EventSummary, raised_at: Timestamp) {
        match self.level() {
            Some(before) if before < level => return,
            Some(before) if before == level => self.update = self.update.max(update),
            _ => {
                self.levels.push((level, raised_at));
                self.update = update;
            }
        }
        self.posts = self.posts.max(event.posts);
        self.answered |= event.answered_at.is_some();
    }
}

impl Event {
    fn open(id: &str, title: &str, post: &Post, alerted: Alerted) -> Self {
        Self {
            id: id.to_owned(),
            title: title.to_owned(),
            region: post.region.clone(),
            gist: Gist::default(),
            posts: 0,
            heard: 0,
            revisions: 0,
            members: Vec::with_capacity(1),
            newest: VecDeque::with_capacity(1),
            voices: Tally::default(),
            sources: Tally::default(),
            source_kinds: Tally::default(),
            days: Tally::default(),
            reactions: 0,
            sentiment_sum: 0.0,
            sentiments: Sentiments::default(),
            appeals: Tally::default(),
            subjects: Tally::default(),
            parts: Tally::default(),
            places: Tally::default(),
            intensity: Tally::default(),
            first_at: post.published_at,
            last_at: post.published_at,
            unanswered_since: None,
            answered_at: None,
            negative_since_answer: 0,
            revived_at: None,
            recurrence: None,
            faces: Faces::default(),
            alerted,
            due_at: None,
        }
    }

    /// Its id.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.id
    }

    /// Its title in plain words, from that of its first post.
    #[must_use]
    pub fn title(&self) -> &str {
        &self.title
    }

    /// The code of its region.
    #[must_use]
    pub fn region(&self) -> &str {
        &self.region
    }

    /// How many posts it has.
    #[must_use]
    pub fn posts(&self) -> u32 {
        self.posts
    }

    /// How many distinct people are heard; a post without an author is a voice of its own only where no author is known at all.
    #[must_use]
    pub fn voices(&self) -> u32 {
        (self.voices.len() as u32).max(u32::from(self.heard > 0))
    }

    /// How many sources it was seen in.
    #[must_use]
    pub fn sources(&self) -> u32 {
        self.sources.len() as u32
    }

    /// How many places its posts name.
    #[must_use]
    pub fn places(&self) -> u32 {
        self.places.len() as u32
    }

    /// Votes for and against its posts.
    #[must_use]
    pub fn reactions(&self) -> u64 {
        self.reactions
    }

    /// Mean sentiment of the posts heard, in `[-1, 1]`; 0 where all are official.
    #[must_use]
    pub fn sentiment(&self) -> f64 {
        self.sentiment_sum / f64::from(self.heard.max(1))
    }

    /// Its main subject; empty when none was found.
    #[must_use]
    pub fn subject(&self) -> &str {
        self.subjects.most().map_or("", |(subject, _)| subject)
    }

    /// When its newest post was published.
    #[must_use]
    pub fn last_at(&self) -> Timestamp {
        self.last_at
    }

    /// Words of harm and urgency, each with the part of the posts heard that use it.
    pub fn intensity(&self) -> impl Iterator<Item = (&str, f64)> {
        let heard = f64::from(self.heard.max(1));
        (self.intensity.iter()).map(move |(word, posts)| (word.as_str(), f64::from(*posts) / heard))
    }

    /// How many posts of the newest hundred were published in the 24 hours before the newest.
    #[must_use]
    pub fn posts_in_last_day(&self) -> u32 {
        let day = SignedDuration::from_hours(24);
        let times = self.newest.iter().map(|(_, at)| at);
        times
            .filter(|at| self.last_at.duration_since(**at) <= day)
            .count() as u32
    }

    /// When the first post came that calls for an answer and has none yet.
    #[must_use]
    pub fn unanswered_since(&self) -> Option<Timestamp> {
        self.unanswered_since
    }

    /// How many negative posts came since the last official answer; nothing where there is none.
    #[must_use]
    pub fn negative_since_answer(&self) -> Option<u32> {
        self.answered_at.map(|_| self.negative_since_answer)
    }

    /// What was told of it.
    #[must_use]
    pub fn alerted(&self) -> &Alerted {
        &self.alerted
    }

    /// Whether an alert that was raised should be brought up to date: the posts doubled since, or it was answered.
    #[must_use]
    pub fn has_news(&self) -> bool {
        let told = &self.alerted;
        told.level().is_some()
            && (self.posts >= told.posts.max(1) * 2
                || (self.answered_at.is_some() && !told.answered))
    }

    /// Whether a post has a subject that posts of the event have.
    fn knows_subject_of(&self, assessment: &Assessment) -> bool {
        let subject = assessment.subject.as_ref();
        subject.is_none_or(|subject| self.subjects.has(|known| *known == subject.name))
    }

    /// Takes a post in and gives the number of the face it was added to. One that an officer put here needs to be like a
    /// face by `least`, else it gets one of its own.
    fn take(&mut self, assessment: &Assessment, telling: &Telling<'_>, least: Option<f64>) -> u32 {
        let post = &assessment.post;
        let earlier = self.posts;
        if earlier > 0 && post.published_at.duration_since(self.last_at) > QUIET {
            self.revived_at = Some(post.published_at);
        }
        self.posts += 1;
        let at = (self.newest).partition_point(|(_, before)| *before <= post.published_at);
        self.newest
            .insert(at, (post.id.as_str().into(), post.published_at));
        if self.newest.len() > NEWEST {
            self.newest.pop_front();
        }
        if earlier == 0 {
            (self.first_at, self.last_at) = (post.published_at, post.published_at);
        }
        self.first_at = self.first_at.min(post.published_at);
        self.last_at = self.last_at.max(post.published_at);
        self.days.add(&day_of(post.published_at), MOST_DAYS);
        self.sources.add(&post.source, KINDS);
        self.source_kinds.add(&post.kind.name().to_owned(), KINDS);
        if let Some(subject) = &assessment.subject {
            self.subjects.add(&subject.name, KINDS);
            if let Some(part) = part_of(subject) {
                self.parts.add(&part, KINDS);
            }
        }
        for place in &assessment.places {
            self.places.add(&key_of(place), KINDS);
        }
        if post.kind == SourceKind::Official {
            if earlier > 0 {
                self.answer(post.published_at);
            }
        } else {
            self.hear(assessment);
        }
        let face = self.faces.add(telling.profile(), earlier == 0, least);
        if self.posts <= GIST_POSTS {
            self.gist
                .consider(self.faces.first(), telling.body(), telling.tell());
        }
        face
    }

    fn hear(&mut self, assessment: &Assessment) {
        let post = &assessment.post;
        self.heard += 1;
        if let Some(voice) = voice_of(post) {
            self.voices.add(&voice, VOICES);
        }
        self.reactions += reactions_of(post);
        self.sentiment_sum += assessment.sentiment.score;
        *self.count_of(assessment.sentiment.label) += 1;
        for word in harms(assessment) {
            self.intensity.add(word, KINDS);
        }
        if let Some(appeal) = &assessment.appeal {
            self.appeals.add(&appeal.name, KINDS);
        }
        let negative = assessment.sentiment.label == Polarity::Negative;
        let after_answer = self
            .answered_at
            .is_none_or(|answered| post.published_at > answered);
        if after_answer {
            self.negative_since_answer += u32::from(negative && self.answered_at.is_some());
            if calls_for_answer(assessment) {
                let since = self.unanswered_since.unwrap_or(post.collected_at);
                self.unanswered_since = Some(since.min(post.collected_at));
            }
        }
        if let Some(answered) = post.answered_at {
            self.answer(answered);
        }
    }

    fn answer(&mut self, at: Timestamp) {
        if self.answered_at.is_none_or(|before| before < at) {
            self.answered_at = Some(at);
            self.negative_since_answer = 0;
            self.unanswered_since = None;
        }
    }

    /// Takes note that a post was changed by its writer.
    fn revise(&mut self, assessment: &Assessment) {
        self.revisions += 1;
        if let Some(answered) = assessment.post.answered_at {
            self.answer(answered);
        }
    }

    /// Lets go a post that belongs to another event.
    fn leave(&mut self, assessment: &Assessment, telling: &Telling<'_>, face: u32) {
        let post = &assessment.post;
        self.posts = self.posts.saturating_sub(1);
        self.newest.retain(|(id, _)| **id != *post.id);
        self.days.remove(&day_of(post.published_at));
        self.sources.remove(&post.source);
        self.source_kinds.remove(&post.kind.name().to_owned());
        if let Some(subject) = &assessment.subject {
            self.subjects.remove(&subject.name);
            if let Some(part) = part_of(subject) {
                self.parts.remove(&part);
            }
        }
        for place in &assessment.places {
            self.places.remove(&key_of(place));
        }
        if post.kind != SourceKind::Official {
            self.heard = self.heard.saturating_sub(1);
            if let Some(voice) = voice_of(post) {
                self.voices.remove(&voice);
            }
            self.reactions = self.reactions.saturating_sub(reactions_of(post));
            self.sentiment_sum -= assessment.sentiment.score;
            let count = self.count_of(assessment.sentiment.label);
            *count = count.saturating_sub(1);
            for word in harms(assessment) {
                self.intensity.remove(word);
            }
            if let Some(appeal) = &assessment.appeal {
                self.appeals.remove(&appeal.name);
            }
        }
        self.faces.remove(telling.profile(), face);
        let times = || self.newest.iter().map(|(_, at)| *at);
        if (self.newest.len() as u32) == self.posts {
            self.first_at = times().min().unwrap_or(self.first_at);
        }
        self.last_at = times().max().unwrap_or(self.last_at);
    }

    fn count_of(&mut self, label: Polarity) -> &mut u32 {
        match label {
            Polarity::Negative => &mut self.sentiments.negative,
            Polarity::Neutral => &mut self.sentiments.neutral,
            Polarity::Positive => &mut self.sentiments.positive,
        }
    }

    fn key_dates(&self) -> Vec<KeyDate> {
        let date = |what, at| KeyDate { what, at };
        let mut dates = vec![date(Turn::First, self.first_at)];
        dates.extend((self.alerted.levels.iter()).map(|(_, at)| date(Turn::Level, *at)));
        dates.extend(self.answered_at.map(|at| date(Turn::Answered, at)));
        dates.extend(self.revived_at.map(|at| date(Turn::Revived, at)));
        if self.days.len() > 1 {
            let peak = self.days.most().and_then(|(day, _)| {
                let midnight = day.to_datetime(jiff::civil::Time::midnight());
                CHINA.to_timestamp(midnight).ok()
            });
            dates.extend(peak.map(|at| date(Turn::Peak, at.max(self.first_at))));
        }
        if self.posts > 1 {
            dates.push(date(Turn::Newest, self.last_at));
        }
        dates.sort_by_key(|date| (date.at, date.what));
        dates
    }

    /// The event as alerts tell it.
    #[must_use]
    pub fn summary(&self) -> EventSummary {
        let counts = |tally: &Tally<String>| -> Vec<Count> {
            (tally.ranked().into_iter())
                .map(|(name, posts)| Count {
                    name: name.clone(),
                    posts: *posts,
                })
                .collect()
        };
        let mut places = self.places.ranked();
        // Of those named as often the ones that lie within another tell more.
        places
            .sort_by_key(|((_, _, within), count)| (std::cmp::Reverse(*count), within.is_empty()));
        EventSummary {
            id: self.id.clone(),
            title: self.title.clone(),
            gist: self.gist.text(),
            posts: self.posts,
            revisions: self.revisions,
            post_ids: (self.newest.iter()).map(|(id, _)| id.to_string()).collect(),
            voices: self.voices(),
            sources: self.sources.iter().map(|(name, _)| name.clone()).collect(),
            source_kinds: (self.source_kinds.iter())
                .filter_map(|(name, _)| SourceKind::named(name))
                .collect(),
            sentiment: self.sentiment(),
            sentiments: self.sentiments,
            appeals: counts(&self.appeals),
            subject: self.subject().to_owned(),
            subjects: counts(&self.subjects),
            parts: counts(&self.parts),
            places: (places.into_iter())
                .map(|((name, kind, within), _)| Place {
                    name: name.clone(),
                    kind: kind.clone(),
                    within: within.clone(),
                })
                .collect(),
            first_at: self.first_at,
            last_at: self.last_at,
            days: (self.days.iter())
                .skip(self.days.len().saturating_sub(DAYS))
                .map(|(day, posts)| Day {
                    day: *day,
                    posts: *posts,
                })
                .collect(),
            key_dates: self.key_dates(),
            answered_at: self.answered_at,
            recurrence: self.recurrence.clone(),
        }
    }
}

/// The part of a subject that a post is about, as units are in charge of it.
fn part_of(subject: &Subject) -> Option<String> {
    (!subject.second.is_empty()).then(|| format!("{}/{}", subject.name, subject.second))
}

/// The words of harm that a post adds to its event: who thanks those that saved a drowning child reports no drowning.
fn harms(assessment: &Assessment) -> &[String] {
    match assessment.sentiment.label {
        Polarity::Positive => &[],
        Polarity::Negative | Polarity::Neutral => &assessment.intensity,
    }
}

/// Whether a post wants something of an office, or is a complaint by its tone.
fn calls_for_answer(assessment: &Assessment) -> bool {
    let wants = assessment
        .appeal
        .as_ref()
        .is_some_and(|appeal| !["表扬", "陈述"].contains(&appeal.name.as_str()));
    wants || assessment.sentiment.label == Polarity::Negative
}

fn reactions_of(post: &Post) -> u64 {
    u64::from(post.reactions.likes) + u64::from(post.reactions.opposes)
}

fn voice_of(post: &Post) -> Option<u64> {
    let author = post.author.as_ref()?;
    Some(xxh3_64(format!("{}/{author}", post.source).as_bytes()))
}

fn key_of(place: &Place) -> (String, String, String) {
    (place.name.clone(), place.kind.clone(), place.within.clone())
}

fn day_of(at: Timestamp) -> Date {
    CHINA.to_datetime(at).date()
}
