//! The events of one partition within the window. Rebuilt from that partition's assessments, so it
//! needs no store of its own.

use std::collections::{BTreeSet, HashMap};

use backbone::erased::Erased;
use backbone::id;
use backbone::message::{Alert, Assessment, Change, EventEdit, EventMembership, Post};
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use xxhash_rust::xxh3::xxh3_128;

use super::index::Index;
use super::past::Past;
use super::{Alerted, Event, Profile, plain_title};

/// How much more similar a post must be whose subject no post of the event has: matters of one estate share its name.
const OTHER_SUBJECT: f64 = 1.5;
/// How much more similar a past event must be than one of the window to be the same matter.
const RETURNED: f64 = 1.5;

/// What a post tells of its matter.
pub struct Telling<'a> {
    profile: Profile,
    body: &'a str,
    tell: &'a dyn Fn(&str) -> Vec<(u32, f32)>,
}

impl<'a> Telling<'a> {
    /// Of a cleaned text, whose first line is the title, and its body as the writer wrote it; `tell` gives the pairs of
    /// a text, each below 2^18, and what each tells.
    #[must_use]
    pub fn of(cleaned: &str, body: &'a str, tell: &'a dyn Fn(&str) -> Vec<(u32, f32)>) -> Self {
        Self {
            profile: Profile::of(cleaned, tell),
            body,
            tell,
        }
    }

    pub(super) fn profile(&self) -> &Profile {
        &self.profile
    }

    pub(super) fn body(&self) -> &str {
        self.body
    }

    pub(super) fn tell(&self) -> &dyn Fn(&str) -> Vec<(u32, f32)> {
        self.tell
    }
}

/// The event a post joined.
#[derive(Debug, Clone, PartialEq)]
pub struct Joined {
    /// Its id.
    pub event: String,
    /// Similarity to the event before; 1 for the post that opened it.
    pub similarity: f64,
    /// The edit by which an officer put the post there, if one did.
    pub edit: Option<i64>,
    /// Whether the event changed; not when a message was delivered again.
    pub changed: bool,
}

/// Where a post is.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
struct Member {
    event: u32,
    revision: u32,
    similarity: f32,
    /// Which face of the event it was added to.
    face: u32,
    /// Where its newest assessment stands in the partition of `assessments`; -1 while that is not known.
    written: i64,
    /// The edit that put it there; -1 where none did.
    edit: i64,
}

impl Member {
    fn edit(&self) -> Option<i64> {
        (self.edit >= 0).then_some(self.edit)
    }
}

/// The events of one partition.
#[derive(Debug, Serialize, Deserialize)]
pub struct Window {
    length: SignedDuration,
    most_events: usize,
    least_similarity: f64,
    events: HashMap<u32, Box<Event>>,
    numbers: HashMap<u128, u32>,
    members: HashMap<u128, Member>,
    /// What was told of events that no post of is known yet.
    early: HashMap<String, Alerted>,
    index: Index,
    /// Events by the time of their newest post.
    ages: BTreeSet<(Timestamp, u32)>,
    /// Events whose risk must be looked at again by a time.
    due: BTreeSet<(Timestamp, u32)>,
    past: Past,
    next_number: u32,
    /// The last edit that was applied or left a trace.
    edited: Option<i64>,
    /// The latest time by which posts were both published and collected.
    watermark: Timestamp,
}

impl Window {
    /// A window that joins a post to an event when they lie at most `days` apart and are alike by
    /// `least_similarity`, and that lets go the events that grew least lately beyond `most_events`.
    #[must_use]
    pub fn new(days: u32, most_events: usize, least_similarity: f64) -> Self {
        Self {
            length: SignedDuration::from_hours(24 * i64::from(days)),
            most_events: most_events.max(1),
            least_similarity,
            events: HashMap::new(),
            numbers: HashMap::new(),
            members: HashMap::new(),
            early: HashMap::new(),
            index: Index::default(),
            ages: BTreeSet::new(),
            due: BTreeSet::new(),
            past: Past::default(),
            next_number: 0,
            edited: None,
            watermark: Timestamp::default(),
        }
    }

    /// Remembers what another window does of events that it let go, without what was erased.
    pub fn remember(&mut self, other: &Self, erased: &Erased) {
        self.past = other.past.without(erased);
    }

    /// How many events it holds.
    #[must_use]
    pub fn len(&self) -> usize {
        self.events.len()
    }

    /// How many posts its events have.
    #[must_use]
    pub fn posts(&self) -> usize {
        self.members.len()
    }

    /// Whether it holds none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.events.is_empty()
    }

    /// The event of that id.
    #[must_use]
    pub fn event(&self, id: &str) -> Option<&Event> {
        let number = self.numbers.get(&digest(id))?;
        self.events.get(number).map(AsRef::as_ref)
    }

    /// Whether a post is in one of its events.
    #[must_use]
    pub fn knows(&self, post: &str) -> bool {
        self.members.contains_key(&digest(post))
    }

    /// All events, in no order.
    pub fn events(&self) -> impl Iterator<Item = &Event> {
        self.events.values().map(AsRef::as_ref)
    }

    /// Takes note of an alert that was raised.
    pub fn alerted(&mut self, alert: &Alert) {
        let take = |alerted: &mut Alerted| {
            alerted.take(alert.level, alert.update, &alert.event, alert.raised_at);
        };
        match self.event_mut(&alert.event.id) {
            Some(event) => take(&mut event.alerted),
            None => take(self.early.entry(alert.event.id.clone()).or_default()),
        }
    }

    /// Notes when an event's risk must be looked at again.
    pub fn look_again(&mut self, id: &str, at: Option<Timestamp>) {
        let Some(number) = self.numbers.get(&digest(id)).copied() else {
            return;
        };
        if let Some(event) = self.events.get_mut(&number) {
            if let Some(before) = std::mem::replace(&mut event.due_at, at) {
                self.due.remove(&(before, number));
            }
            self.due.extend(at.map(|at| (at, number)));
        }
    }

    /// An event whose risk must be looked at again by now; it is due no more.
    pub fn due(&mut self, now: Timestamp) -> Option<String> {
        let (at, number) = *self.due.first()?;
        if at > now {
            return None;
        }
        self.due.pop_first();
        let event = self.events.get_mut(&number)?;
        event.due_at = None;
        Some(event.id.clone())
    }

    /// Puts a post into the event of its like, or opens one for it. The assessment says all but the event.
    pub fn join(&mut self, assessment: &Assessment, telling: &Telling<'_>) -> Joined {
        let post = &assessment.post;
        let known = self.members.get(&digest(&post.id)).copied();
        if let Some(member) = known
            && let Some(event) = self.events.get_mut(&member.event)
        {
            let changed = post.revision > member.revision;
            if changed {
                event.revise(assessment);
                let revision = post.revision;
                self.know(&post.id, Member { revision, ..member });
            }
            return Joined {
                event: self.id_of(member.event),
                similarity: f64::from(member.similarity),
                edit: member.edit(),
                changed,
            };
        }
        self.move_on(post);
        let nearest = self.nearest(assessment, telling.profile());
        let (number, similarity) = nearest.unwrap_or_else(|| {
            let id = id::of_event(&post.region, &post.id);
            let title = plain_title(&post.title, &post.text);
            (self.open(&id, &title, assessment, telling.profile()), 1.0)
        });
        let member = Member {
            event: number,
            revision: post.revision,
            similarity: similarity as f32,
            face: 0,
            written: -1,
            edit: -1,
        };
        self.add(member, assessment, telling);
        Joined {
            event: self.id_of(number),
            similarity,
            edit: None,
            changed: true,
        }
    }

    /// Puts a post that was assessed before into the event it is said to be in, and out of the one it was in; `written` is
    /// where the assessment stands in its partition, -1 where it is yet to be written. An assessment older than the edit that
    /// put the post where it is says nothing against that.
    pub fn restore(&mut self, assessment: &Assessment, written: i64, telling: &Telling<'_>) {
        let Some(membership) = &assessment.event else {
            return;
        };
        let post = &assessment.post;
        self.move_on(post);
        self.edited = self.edited.max(membership.edit);
        let number = self.numbers.get(&digest(&membership.id)).copied();
        let edit = membership.edit.unwrap_or(-1);
        if let Some(member) = self.members.get(&digest(&post.id)).copied() {
            if number == Some(member.event) || edit < member.edit {
                if post.revision > member.revision
                    && let Some(event) = self.events.get_mut(&member.event)
                {
                    event.revise(assessment);
                }
                if post.revision >= member.revision {
                    let member = Member {
                        revision: post.revision,
                        written: written.max(member.written),
                        edit: edit.max(member.edit),
                        ..member
                    };
                    self.know(&post.id, member);
                }
                return;
            }
            self.leave(member, assessment, telling);
        }
        let number = number.unwrap_or_else(|| {
            self.open(
                &membership.id,
                &membership.title,
                assessment,
                telling.profile(),
            )
        });
        let member = Member {
            event: number,
            revision: post.revision,
            similarity: membership.similarity as f32,
            face: 0,
            written,
            edit,
        };
        self.add(member, assessment, telling);
        if let (Some(level), Some(event)) = (membership.level, self.event_mut(&membership.id)) {
            let summary = event.summary();
            event
                .alerted
                .take(level, 0, &summary, assessment.assessed_at);
        }
    }

    /// Takes note of where the newest assessment of a post was written.
    pub fn written(&mut self, post: &Post, at: i64) {
        if let Some(member) = self.members.get_mut(&digest(&post.id))
            && post.revision >= member.revision
        {
            member.written = member.written.max(at);
        }
    }

    /// The event a post is in now, as its assessment says it.
    #[must_use]
    pub fn membership(&self, post: &str) -> Option<EventMembership> {
        let member = self.members.get(&digest(post))?;
        let event = self.events.get(&member.event)?;
        Some(EventMembership {
            id: event.id.clone(),
            title: event.title.clone(),
            similarity: f64::from(member.similarity),
            level: event.alerted.level(),
            edit: member.edit(),
        })
    }

    /// The last edit that was applied or left a trace in an assessment.
    #[must_use]
    pub fn edited(&self) -> Option<i64> {
        self.edited
    }

    /// Takes note that an edit was applied, whether it moved posts or not.
    pub fn edit(&mut self, at: i64) {
        self.edited = self.edited.max(Some(at));
    }

    /// Where the assessments stand of the posts that an edit moves, in order. Nothing where it concerns events or posts that
    /// the window does not hold, or was applied before.
    #[must_use]
    pub fn moved_by(&self, edit: &EventEdit) -> Vec<i64> {
        let of_region = |id: &str| {
            let event = self.event(id);
            event.filter(|event| event.region == edit.region)
        };
        let Some(source) = of_region(edit.source()) else {
            return Vec::new();
        };
        let is_in = |member: &&Member| self.id_of(member.event) == source.id;
        let mut moved: Vec<i64> = match &edit.change {
            Change::Merge { into, .. } if of_region(into).is_none() => Vec::new(),
            Change::Merge { .. } => (source.members.iter())
                .filter_map(|post| self.members.get(post))
                .map(|member| member.written)
                .collect(),
            Change::Split { posts, .. } => (posts.iter())
                .filter_map(|post| self.members.get(&digest(post)))
                .filter(is_in)
                .map(|member| member.written)
                .collect(),
        };
        moved.sort_unstable();
        moved.dedup();
        moved
    }

    fn id_of(&self, number: u32) -> String {
        let event = self.events.get(&number);
        event.map(|event| event.id.clone()).unwrap_or_default()
    }

    fn event_mut(&mut self, id: &str) -> Option<&mut Event> {
        let number = self.numbers.get(&digest(id))?;
        self.events.get_mut(number).map(AsMut::as_mut)
    }

    fn nearest(&self, assessment: &Assessment, profile: &Profile) -> Option<(u32, f64)> {
        let post = &assessment.post;
        let spread_out = profile.spread_out();
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
                let similarity = event.faces.similarity_to(&spread_out).min(1.0);
                let least = if event.knows_subject_of(assessment) {
                    self.least_similarity
                } else {
                    self.least_similarity * OTHER_SUBJECT
                };
                (similarity >= least).then_some((number, similarity))
            })
            .max_by(|one, other| one.1.total_cmp(&other.1))
    }

    fn open(&mut self, id: &str, title: &str, assessment: &Assessment, profile: &Profile) -> u32 {
        let post = &assessment.post;
        while self.events.len() >= self.most_events
            && let Some((_, oldest)) = self.ages.first().copied()
        {
            self.let_go(oldest);
        }
        let number = self.next_number;
        self.next_number = number.wrapping_add(1);
        let alerted = self.early.remove(id).unwrap_or_default();
        let mut event = Event::open(id, title, post, alerted);
        let subject = assessment.subject.as_ref().map(|subject| &subject.name);
        let least = |known: &str| {
            let same = subject.is_none_or(|subject| subject == known);
            self.least_similarity * RETURNED * if same { 1.0 } else { OTHER_SUBJECT }
        };
        event.recurrence = self.past.like(&post.region, profile, least);
        self.numbers.insert(digest(id), number);
        self.ages.insert((event.last_at, number));
        self.events.insert(number, Box::new(event));
        number
    }

    fn add(&mut self, mut member: Member, assessment: &Assessment, telling: &Telling<'_>) {
        let number = member.event;
        let Some(event) = self.events.get_mut(&number) else {
            return;
        };
        let before = event.last_at;
        let least = member.edit().map(|_| self.least_similarity);
        member.face = event.take(assessment, telling, least);
        if event.last_at != before {
            self.ages.remove(&(before, number));
            self.ages.insert((event.last_at, number));
        }
        event.members.push(digest(&assessment.post.id));
        self.index.add(&event.region, telling.profile(), number);
        self.know(&assessment.post.id, member);
    }

    fn know(&mut self, post: &str, member: Member) {
        self.members.insert(digest(post), member);
    }

    fn leave(&mut self, member: Member, assessment: &Assessment, telling: &Telling<'_>) {
        let number = member.event;
        let Some(event) = self.events.get_mut(&number) else {
            return;
        };
        let before = event.last_at;
        event.leave(assessment, telling, member.face);
        let left = digest(&assessment.post.id);
        event.members.retain(|member| *member != left);
        self.ages.remove(&(before, number));
        self.ages.insert((event.last_at, number));
        if event.posts == 0 {
            self.remove(number);
        }
    }

    /// Moves the watermark, and lets go what lies too far behind it. A post of the future moves it no further than the
    /// day it was collected.
    fn move_on(&mut self, post: &Post) {
        let at = post.published_at.min(post.collected_at);
        if at <= self.watermark {
            return;
        }
        self.watermark = at;
        while let Some((last_at, oldest)) = self.ages.first().copied()
            && at.duration_since(last_at) > self.length
        {
            self.let_go(oldest);
        }
    }

    fn let_go(&mut self, number: u32) {
        if let Some(event) = self.remove(number) {
            self.past.remember(&event);
        }
    }

    fn remove(&mut self, number: u32) -> Option<Box<Event>> {
        let event = self.events.remove(&number)?;
        self.ages.remove(&(event.last_at, number));
        if let Some(at) = event.due_at {
            self.due.remove(&(at, number));
        }
        self.numbers.remove(&digest(&event.id));
        for member in &event.members {
            self.members.remove(member);
        }
        Some(event)
    }
}

fn digest(id: &str) -> u128 {
    xxh3_128(id.as_bytes())
}
