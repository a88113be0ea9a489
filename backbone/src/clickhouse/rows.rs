//! The rows of the tables, one per kind of message. Times are milliseconds since 1970, UTC.

mod assessed;
mod cleansed;

use std::collections::HashMap;

use clickhouse::Row;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::erased::Erased;
use crate::message::{self, Alert, Assessment, CaseEvent, Count, Signal, Unreadable};

/// A kind of row that is made of a message.
pub trait OfMessage: Send + Sync + 'static {
    /// The table's name.
    const TABLE: &'static str;
    /// The row to be written; it may borrow from the message's bytes.
    type Written<'a>: Serialize + for<'v> Row<Value<'v> = Self::Written<'a>>;

    /// The row of a message.
    ///
    /// # Errors
    /// [`Unreadable`] says why the bytes are no such message.
    fn read(bytes: &[u8]) -> Result<Self::Written<'_>, Unreadable>;

    /// The row without what was erased on request.
    fn cleansed<'a>(row: Self::Written<'a>, erased: &Erased) -> Self::Written<'a>;

    /// The post of a message, where its time was worked out when it was collected: another collector, or one that has lost its
    /// state, works out another.
    #[must_use]
    fn worked_out(_bytes: &[u8]) -> Option<WorkedOut> {
        None
    }

    /// The row under the time that is known for its post.
    #[must_use]
    fn dated<'a>(row: Self::Written<'a>, _times: &Times) -> Self::Written<'a> {
        row
    }
}

/// A post whose time was worked out when it was collected.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WorkedOut {
    /// The post's id.
    pub post: String,
    /// Its time.
    pub published_at: i64,
}

/// Times of posts by their ids.
pub type Times = HashMap<String, i64>;

/// Implements [`OfMessage`] by way of the whole message, for rows of which few come.
macro_rules! of_message {
    ($row:ty, $message:ty, $table:literal) => {
        impl $row {
            /// The table's name.
            pub const TABLE: &'static str = $table;
        }

        impl OfMessage for $row {
            const TABLE: &'static str = Self::TABLE;
            type Written<'a> = Self;

            fn read(bytes: &[u8]) -> Result<Self, Unreadable> {
                message::decode::<$message>(bytes).map(|message| Self::from(&message))
            }

            fn cleansed<'a>(mut row: Self::Written<'a>, erased: &Erased) -> Self::Written<'a> {
                row.cleanse(erased);
                row
            }
        }
    };
}

of_message!(AlertRow, Alert, "alerts");
of_message!(SignalRow, Signal, "signals");
of_message!(CaseEventRow, CaseEvent, "case_events");

/// Table `assessments` as it is read.
pub type AssessmentRow = AssessmentOf<String>;

impl AssessmentRow {
    /// The table's name.
    pub const TABLE: &'static str = "assessments";
}

/// Table `assessments`: a post with what was found in it. Absent values are empty or 0.
#[derive(Debug, Clone, PartialEq, Row, Serialize, Deserialize)]
#[allow(
    missing_docs,
    reason = "columns are the fields of the message of the same names"
)]
pub struct AssessmentOf<T> {
    pub region: T,
    pub post_id: T,
    pub revision: u32,
    pub source: T,
    pub kind: T,
    pub url: T,
    pub title: T,
    pub text: T,
    pub author: T,
    pub published_at: i64,
    pub collected_at: i64,
    pub likes: u32,
    pub opposes: u32,
    pub relevant: bool,
    pub relevant_because: Vec<T>,
    pub places: Vec<T>,
    pub subject: T,
    pub subject_probability: f64,
    pub subject_because: Vec<T>,
    pub sentiment: T,
    pub sentiment_score: f64,
    pub sentiment_confidence: f64,
    pub sentiment_because: Vec<T>,
    pub intensity: Vec<T>,
    pub event_id: T,
    pub event_title: T,
    pub event_similarity: f64,
    pub event_level: u8,
    pub model: T,
    pub assessed_at: i64,
    pub subject_second: T,
    pub appeal: T,
    pub appeal_probability: f64,
    pub appeal_because: Vec<T>,
    pub units: Vec<T>,
    pub unit_reasons: Vec<T>,
    pub keywords: Vec<T>,
    /// The message's `evidence` as JSON.
    pub evidence: T,
    /// The message's `second_opinion` as JSON; empty where there is none.
    pub second_opinion: T,
    /// 0 while the source shows no answer.
    pub answered_at: i64,
}

impl<T: From<String>> From<&Assessment> for AssessmentOf<T> {
    fn from(message: &Assessment) -> Self {
        let text = |text: &str| T::from(text.to_owned());
        let texts = |texts: &[String]| texts.iter().map(|one| text(one)).collect::<Vec<T>>();
        let post = &message.post;
        let subject = message.subject.as_ref();
        let event = message.event.as_ref();
        let appeal = message.appeal.as_ref();
        let units = &message.units;
        let opinion = message.second_opinion.as_ref();
        Self {
            region: text(&post.region),
            post_id: text(&post.id),
            revision: post.revision,
            source: text(&post.source),
            kind: text(post.kind.name()),
            url: text(&post.url),
            title: text(&post.title),
            text: text(&post.text),
            author: text(post.author.as_deref().unwrap_or_default()),
            published_at: post.published_at.as_millisecond(),
            collected_at: post.collected_at.as_millisecond(),
            likes: post.reactions.likes,
            opposes: post.reactions.opposes,
            relevant: message.relevant,
            relevant_because: texts(&message.relevant_because),
            places: (message.places.iter())
                .map(|place| text(&place.name))
                .collect(),
            subject: text(subject.map_or("", |subject| &subject.name)),
            subject_probability: subject.map_or(0.0, |subject| subject.probability),
            subject_because: subject.map_or_else(Vec::new, |subject| texts(&subject.because)),
            sentiment: text(message.sentiment.label.name()),
            sentiment_score: message.sentiment.score,
            sentiment_confidence: message.sentiment.confidence,
            sentiment_because: texts(&message.sentiment.because),
            intensity: texts(&message.intensity),
            event_id: text(event.map_or("", |event| &event.id)),
            event_title: text(event.map_or("", |event| &event.title)),
            event_similarity: event.map_or(0.0, |event| event.similarity),
            event_level: event.and_then(|event| event.level).unwrap_or(0),
            model: text(&message.model),
            assessed_at: message.assessed_at.as_millisecond(),
            subject_second: text(subject.map_or("", |subject| &subject.second)),
            appeal: text(appeal.map_or("", |appeal| &appeal.name)),
            appeal_probability: appeal.map_or(0.0, |appeal| appeal.probability),
            appeal_because: appeal.map_or_else(Vec::new, |appeal| texts(&appeal.because)),
            units: units.iter().map(|unit| text(&unit.code)).collect(),
            unit_reasons: units.iter().map(|unit| text(&unit.reason)).collect(),
            keywords: texts(&message.keywords),
            evidence: serde_json::to_string(&message.evidence)
                .unwrap_or_default()
                .into(),
            second_opinion: opinion
                .and_then(|opinion| serde_json::to_string(opinion).ok())
                .unwrap_or_default()
                .into(),
            answered_at: post.answered_at.map_or(0, Timestamp::as_millisecond),
        }
    }
}

/// Table `alerts`: an event that reached a level.
#[derive(Debug, Clone, PartialEq, Row, Serialize, Deserialize)]
#[allow(
    missing_docs,
    reason = "columns are the fields of the message of the same names"
)]
pub struct AlertRow {
    pub region: String,
    pub alert_id: String,
    pub event_id: String,
    pub level: u8,
    pub score: f64,
    pub term_names: Vec<String>,
    pub term_values: Vec<f64>,
    pub term_shares: Vec<f64>,
    pub title: String,
    pub gist: String,
    pub posts: u32,
    pub voices: u32,
    pub sources: Vec<String>,
    pub sentiment: f64,
    pub subject: String,
    pub places: Vec<String>,
    pub first_at: i64,
    pub last_at: i64,
    pub raised_at: i64,
    pub update: u32,
}

impl From<&Alert> for AlertRow {
    fn from(message: &Alert) -> Self {
        let event = &message.event;
        Self {
            region: message.region.clone(),
            alert_id: message.id.clone(),
            event_id: event.id.clone(),
            level: message.level,
            score: message.score,
            term_names: message.terms.iter().map(|term| term.name.clone()).collect(),
            term_values: message.terms.iter().map(|term| term.value).collect(),
            term_shares: message.terms.iter().map(|term| term.share).collect(),
            title: event.title.clone(),
            gist: event.gist.clone(),
            posts: event.posts,
            voices: event.voices,
            sources: event.sources.clone(),
            sentiment: event.sentiment,
            subject: event.subject.clone(),
            places: event
                .places
                .iter()
                .map(|place| place.name.clone())
                .collect(),
            first_at: event.first_at.as_millisecond(),
            last_at: event.last_at.as_millisecond(),
            raised_at: message.raised_at.as_millisecond(),
            update: message.update,
        }
    }
}

/// Table `signals`: a burst or a common problem.
#[derive(Debug, Clone, PartialEq, Row, Serialize, Deserialize)]
#[allow(
    missing_docs,
    reason = "columns are the fields of the message of the same names"
)]
pub struct SignalRow {
    pub region: String,
    pub signal_id: String,
    pub kind: String,
    pub subject: String,
    pub second: String,
    pub place: String,
    pub title: String,
    pub count: u32,
    pub usual: f64,
    pub weeks: u32,
    pub begins_at: i64,
    pub ends_at: i64,
    pub weekly: Vec<u32>,
    pub subjects: Vec<String>,
    pub subject_posts: Vec<u32>,
    pub places: Vec<String>,
    pub place_posts: Vec<u32>,
    pub events: Vec<String>,
    pub event_titles: Vec<String>,
    pub event_posts: Vec<u32>,
    pub event_count: u32,
    pub found_at: i64,
    pub raised_at: i64,
    /// The message's `update`.
    pub updates: u32,
    /// 0 while it lasts.
    pub over_at: i64,
}

impl From<&Signal> for SignalRow {
    fn from(message: &Signal) -> Self {
        let names = |counts: &[Count]| counts.iter().map(|count| count.name.clone()).collect();
        let posts = |counts: &[Count]| counts.iter().map(|count| count.posts).collect();
        let events = &message.events;
        Self {
            region: message.region.clone(),
            signal_id: message.id.clone(),
            kind: message.kind.name().to_owned(),
            subject: message.subject.clone(),
            second: message.second.clone(),
            place: message.place.clone(),
            title: message.title.clone(),
            count: message.count,
            usual: message.usual,
            weeks: message.weeks,
            begins_at: message.begins.as_millisecond(),
            ends_at: message.ends.as_millisecond(),
            weekly: message.weekly.clone(),
            subjects: names(&message.subjects),
            subject_posts: posts(&message.subjects),
            places: names(&message.places),
            place_posts: posts(&message.places),
            events: events.iter().map(|event| event.id.clone()).collect(),
            event_titles: events.iter().map(|event| event.title.clone()).collect(),
            event_posts: events.iter().map(|event| event.posts).collect(),
            event_count: message.event_count,
            found_at: message.found_at.as_millisecond(),
            raised_at: message.raised_at.as_millisecond(),
            updates: message.update,
            over_at: message.over_at.map_or(0, Timestamp::as_millisecond),
        }
    }
}

/// Table `case_events`: one move of a case.
#[derive(Debug, Clone, PartialEq, Row, Serialize, Deserialize)]
#[allow(
    missing_docs,
    reason = "columns are the fields of the message of the same names"
)]
pub struct CaseEventRow {
    pub region: String,
    pub case_event_id: String,
    pub case_id: String,
    pub event_id: String,
    pub sequence: u32,
    pub action: String,
    pub from_state: String,
    pub to_state: String,
    pub level: u8,
    pub units: Vec<String>,
    pub role: String,
    pub at: i64,
}

impl From<&CaseEvent> for CaseEventRow {
    fn from(message: &CaseEvent) -> Self {
        Self {
            region: message.region.clone(),
            case_event_id: message.id.clone(),
            case_id: message.case.clone(),
            event_id: message.event.clone(),
            sequence: message.sequence,
            action: message.action.clone(),
            from_state: message.from.clone(),
            to_state: message.to.clone(),
            level: message.level,
            units: message.units.clone(),
            role: message.role.clone(),
            at: message.at.as_millisecond(),
        }
    }
}
