//! Reads an assessment's bytes straight into its row, which borrows from them. A backlog is millions of assessments: what
//! is only passed on is neither copied nor taken apart, and what the table does not hold is passed over.

use std::borrow::Cow;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use super::{AssessmentOf, AssessmentRow, OfMessage, Times, WorkedOut};
use crate::erased::Erased;
use crate::message::{
    self, Assessment, Certainty, Message, Polarity, Reactions, SourceKind, Unreadable, assessment,
    post,
};

/// A text of a message: a part of its bytes where no character of it is escaped.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Text<'a>(#[serde(borrow)] Cow<'a, str>);

impl From<String> for Text<'_> {
    fn from(text: String) -> Self {
        Self(text.into())
    }
}

impl<'a> From<&'a str> for Text<'a> {
    fn from(text: &'a str) -> Self {
        Self(text.into())
    }
}

impl AsRef<str> for Text<'_> {
    fn as_ref(&self) -> &str {
        &self.0
    }
}

/// What the table holds of an [`Assessment`].
#[derive(Deserialize)]
struct Assessed<'a> {
    #[serde(borrow)]
    schema: Text<'a>,
    version: u64,
    #[serde(borrow)]
    post: Post<'a>,
    relevant: bool,
    #[serde(borrow)]
    relevant_because: Vec<Text<'a>>,
    #[serde(borrow)]
    places: Vec<Place<'a>>,
    #[serde(borrow)]
    subject: Option<Subject<'a>>,
    #[serde(borrow, default)]
    appeal: Option<Appeal<'a>>,
    #[serde(borrow)]
    sentiment: Sentiment<'a>,
    #[serde(borrow)]
    intensity: Vec<Text<'a>>,
    #[serde(borrow, default)]
    units: Vec<Unit<'a>>,
    #[serde(borrow, default)]
    keywords: Vec<Text<'a>>,
    #[serde(borrow, default)]
    evidence: Option<&'a RawValue>,
    #[serde(borrow, default)]
    second_opinion: Option<&'a RawValue>,
    #[serde(borrow)]
    event: Option<Event<'a>>,
    #[serde(borrow)]
    model: Text<'a>,
    assessed_at: Timestamp,
}

#[derive(Deserialize)]
struct Post<'a> {
    #[serde(borrow)]
    id: Text<'a>,
    revision: u32,
    #[serde(borrow)]
    region: Text<'a>,
    #[serde(borrow)]
    source: Text<'a>,
    kind: SourceKind,
    #[serde(borrow, default)]
    url: Text<'a>,
    #[serde(borrow, default)]
    title: Text<'a>,
    #[serde(borrow)]
    text: Text<'a>,
    #[serde(borrow, default)]
    author: Option<Text<'a>>,
    published_at: Timestamp,
    collected_at: Timestamp,
    #[serde(default)]
    reactions: Reactions,
    #[serde(default)]
    answered_at: Option<Timestamp>,
}

/// What tells of an [`Assessment`] how far its post's time can be relied on.
#[derive(Deserialize)]
struct Timed<'a> {
    #[serde(borrow)]
    post: TimedPost<'a>,
}

#[derive(Deserialize)]
struct TimedPost<'a> {
    #[serde(borrow)]
    id: Text<'a>,
    published_at: Timestamp,
    #[serde(default)]
    certainty: Certainty,
}

#[derive(Deserialize)]
struct Place<'a> {
    #[serde(borrow)]
    name: Text<'a>,
}

#[derive(Deserialize, Default)]
struct Subject<'a> {
    #[serde(borrow)]
    name: Text<'a>,
    #[serde(borrow, default)]
    second: Text<'a>,
    probability: f64,
    #[serde(borrow)]
    because: Vec<Text<'a>>,
}

#[derive(Deserialize, Default)]
struct Appeal<'a> {
    #[serde(borrow)]
    name: Text<'a>,
    probability: f64,
    #[serde(borrow)]
    because: Vec<Text<'a>>,
}

#[derive(Deserialize)]
struct Sentiment<'a> {
    score: f64,
    label: Polarity,
    confidence: f64,
    #[serde(borrow)]
    because: Vec<Text<'a>>,
}

#[derive(Deserialize)]
struct Unit<'a> {
    #[serde(borrow)]
    code: Text<'a>,
    #[serde(borrow)]
    reason: Text<'a>,
}

#[derive(Deserialize, Default)]
struct Event<'a> {
    #[serde(borrow)]
    id: Text<'a>,
    #[serde(borrow)]
    title: Text<'a>,
    similarity: f64,
    #[serde(default)]
    level: Option<u8>,
}

impl Assessed<'_> {
    /// Whether [`Assessment::check`] would have it.
    fn is_sound(&self) -> bool {
        let post = &self.post;
        self.schema.0 == Assessment::SCHEMA
            && self.version == u64::from(Assessment::VERSION)
            && post::check(
                [&post.id.0, &post.region.0, &post.source.0],
                &post.title.0,
                &post.text.0,
                post.revision,
            )
            .is_ok()
            && assessment::check(
                self.sentiment.score,
                self.event.as_ref().and_then(|event| event.level),
            )
            .is_ok()
    }
}

impl<'a> From<Assessed<'a>> for AssessmentOf<Text<'a>> {
    fn from(message: Assessed<'a>) -> Self {
        let json = |value: Option<&'a RawValue>, absent: &'a str| {
            Text::from(value.map_or(absent, RawValue::get))
        };
        let post = message.post;
        let subject = message.subject.unwrap_or_default();
        let appeal = message.appeal.unwrap_or_default();
        let event = message.event.unwrap_or_default();
        let units = message.units.into_iter();
        let (units, unit_reasons) = units.map(|unit| (unit.code, unit.reason)).unzip();
        Self {
            region: post.region,
            post_id: post.id,
            revision: post.revision,
            source: post.source,
            kind: post.kind.name().into(),
            url: post.url,
            title: post.title,
            text: post.text,
            author: post.author.unwrap_or_default(),
            published_at: post.published_at.as_millisecond(),
            collected_at: post.collected_at.as_millisecond(),
            likes: post.reactions.likes,
            opposes: post.reactions.opposes,
            relevant: message.relevant,
            relevant_because: message.relevant_because,
            places: message.places.into_iter().map(|place| place.name).collect(),
            subject: subject.name,
            subject_probability: subject.probability,
            subject_because: subject.because,
            sentiment: message.sentiment.label.name().into(),
            sentiment_score: message.sentiment.score,
            sentiment_confidence: message.sentiment.confidence,
            sentiment_because: message.sentiment.because,
            intensity: message.intensity,
            event_id: event.id,
            event_title: event.title,
            event_similarity: event.similarity,
            event_level: event.level.unwrap_or(0),
            model: message.model,
            assessed_at: message.assessed_at.as_millisecond(),
            subject_second: subject.second,
            appeal: appeal.name,
            appeal_probability: appeal.probability,
            appeal_because: appeal.because,
            units,
            unit_reasons,
            keywords: message.keywords,
            evidence: json(message.evidence, "[]"),
            second_opinion: json(message.second_opinion, ""),
            answered_at: post.answered_at.map_or(0, Timestamp::as_millisecond),
        }
    }
}

impl OfMessage for AssessmentRow {
    const TABLE: &'static str = Self::TABLE;
    type Written<'a> = AssessmentOf<Text<'a>>;

    fn read(bytes: &[u8]) -> Result<Self::Written<'_>, Unreadable> {
        match serde_json::from_slice::<Assessed<'_>>(bytes) {
            Ok(assessed) if assessed.is_sound() => Ok(assessed.into()),
            // The long way says what is wrong with it.
            _ => message::decode::<Assessment>(bytes).map(|message| (&message).into()),
        }
    }

    fn cleansed<'a>(mut row: Self::Written<'a>, erased: &Erased) -> Self::Written<'a> {
        row.cleanse(erased);
        row
    }

    fn worked_out(bytes: &[u8]) -> Option<WorkedOut> {
        let post = serde_json::from_slice::<Timed<'_>>(bytes).ok()?.post;
        post.certainty.is_worked_out().then(|| WorkedOut {
            post: post.id.0.into_owned(),
            published_at: post.published_at.as_millisecond(),
        })
    }

    fn dated<'a>(mut row: Self::Written<'a>, times: &Times) -> Self::Written<'a> {
        if let Some(known) = times.get(row.post_id.as_ref()) {
            row.published_at = *known;
        }
        row
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every example is the same row by either way.
    #[test]
    fn a_row_is_that_of_the_whole_message() {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/examples/assessments/v1");
        let mut read = 0;
        for file in std::fs::read_dir(folder).unwrap() {
            let value: serde_json::Value =
                serde_json::from_slice(&std::fs::read(file.unwrap().path()).unwrap()).unwrap();
            let message: Assessment =
                message::decode(&serde_json::to_vec(&value).unwrap()).unwrap();
            let bytes = message::encode(&message).unwrap();
            let row = AssessmentRow::read(&bytes).unwrap();
            assert_eq!(row, AssessmentOf::from(&message));
            read += 1;
        }
        assert!(read > 0);
    }

    #[test]
    fn what_is_not_an_assessment_is_named_as_ever() {
        let path = concat!(
            env!("CARGO_MANIFEST_DIR"),
            "/examples/assessments/v1/relevant.json"
        );
        let text = std::fs::read_to_string(path).unwrap();
        for (field, wrong) in [
            ("version", serde_json::json!(9)),
            ("schema", serde_json::json!("alert")),
            ("relevant", serde_json::json!("yes")),
            (
                "sentiment",
                serde_json::json!({ "score": 2.0, "label": "negative", "confidence": 1.0, "because": [] }),
            ),
            ("post", serde_json::json!({})),
        ] {
            let mut value: serde_json::Value = serde_json::from_str(&text).unwrap();
            value[field] = wrong;
            let bytes = serde_json::to_vec(&value).unwrap();
            let refused = AssessmentRow::read(&bytes).unwrap_err();
            assert_eq!(refused, message::decode::<Assessment>(&bytes).unwrap_err());
        }
    }
}
