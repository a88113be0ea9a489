//! The rows of the tables, one per kind of message. Times are milliseconds since 1970, UTC.

use clickhouse::Row;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::message::{Alert, Assessment, CaseEvent, Count, Signal};

/// Table `assessments`: a post with what was found in it. Absent values are empty or 0.
#[derive(Debug, Clone, PartialEq, Row, Serialize, Deserialize)]
#[allow(
    missing_docs,
    reason = "columns are the fields of the message of the same names"
)]
pub struct AssessmentRow {
    pub region: String,
    pub post_id: String,
    pub revision: u32,
    pub source: String,
    pub kind: String,
    pub url: String,
    pub title: String,
    pub text: String,
    pub author: String,
    pub published_at: i64,
    pub collected_at: i64,
    pub likes: u32,
    pub opposes: u32,
    pub relevant: bool,
    pub relevant_because: Vec<String>,
    pub places: Vec<String>,
    pub subject: String,
    pub subject_probability: f64,
    pub subject_because: Vec<String>,
    pub sentiment: String,
    pub sentiment_score: f64,
    pub sentiment_confidence: f64,
    pub sentiment_because: Vec<String>,
    pub intensity: Vec<String>,
    pub event_id: String,
    pub event_title: String,
    pub event_similarity: f64,
    pub event_level: u8,
    pub model: String,
    pub assessed_at: i64,
    pub subject_second: String,
    pub appeal: String,
    pub appeal_probability: f64,
    pub appeal_because: Vec<String>,
    pub units: Vec<String>,
    pub unit_reasons: Vec<String>,
    pub keywords: Vec<String>,
    /// The message's `evidence` as JSON.
    pub evidence: String,
    /// The message's `second_opinion` as JSON; empty where there is none.
    pub second_opinion: String,
    /// 0 while the source shows no answer.
    pub answered_at: i64,
}

impl AssessmentRow {
    /// The table's name.
    pub const TABLE: &'static str = "assessments";
}

impl From<&Assessment> for AssessmentRow {
    fn from(message: &Assessment) -> Self {
        let post = &message.post;
        let subject = message.subject.as_ref();
        let event = message.event.as_ref();
        let appeal = message.appeal.as_ref();
        Self {
            region: post.region.clone(),
            post_id: post.id.clone(),
            revision: post.revision,
            source: post.source.clone(),
            kind: post.kind.name().to_owned(),
            url: post.url.clone(),
            title: post.title.clone(),
            text: post.text.clone(),
            author: post.author.clone().unwrap_or_default(),
            published_at: post.published_at.as_millisecond(),
            collected_at: post.collected_at.as_millisecond(),
            likes: post.reactions.likes,
            opposes: post.reactions.opposes,
            relevant: message.relevant,
            relevant_because: message.relevant_because.clone(),
            places: message
                .places
                .iter()
                .map(|place| place.name.clone())
                .collect(),
            subject: subject
                .map(|subject| subject.name.clone())
                .unwrap_or_default(),
            subject_probability: subject.map_or(0.0, |subject| subject.probability),
            subject_because: subject
                .map(|subject| subject.because.clone())
                .unwrap_or_default(),
            sentiment: message.sentiment.label.name().to_owned(),
            sentiment_score: message.sentiment.score,
            sentiment_confidence: message.sentiment.confidence,
            sentiment_because: message.sentiment.because.clone(),
            intensity: message.intensity.clone(),
            event_id: event.map(|event| event.id.clone()).unwrap_or_default(),
            event_title: event.map(|event| event.title.clone()).unwrap_or_default(),
            event_similarity: event.map_or(0.0, |event| event.similarity),
            event_level: event.and_then(|event| event.level).unwrap_or(0),
            model: message.model.clone(),
            assessed_at: message.assessed_at.as_millisecond(),
            subject_second: subject
                .map(|subject| subject.second.clone())
                .unwrap_or_default(),
            appeal: appeal.map(|appeal| appeal.name.clone()).unwrap_or_default(),
            appeal_probability: appeal.map_or(0.0, |appeal| appeal.probability),
            appeal_because: appeal
                .map(|appeal| appeal.because.clone())
                .unwrap_or_default(),
            units: message.units.iter().map(|unit| unit.code.clone()).collect(),
            unit_reasons: message
                .units
                .iter()
                .map(|unit| unit.reason.clone())
                .collect(),
            keywords: message.keywords.clone(),
            evidence: serde_json::to_string(&message.evidence).unwrap_or_default(),
            second_opinion: message
                .second_opinion
                .as_ref()
                .and_then(|opinion| serde_json::to_string(opinion).ok())
                .unwrap_or_default(),
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

impl AlertRow {
    /// The table's name.
    pub const TABLE: &'static str = "alerts";
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

impl SignalRow {
    /// The table's name.
    pub const TABLE: &'static str = "signals";
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

impl CaseEventRow {
    /// The table's name.
    pub const TABLE: &'static str = "case_events";
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
