//! An event that reached a risk level.

use jiff::Timestamp;
use jiff::civil::Date;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Message;
use super::assessment::Place;
use super::post::SourceKind;

/// An event reached a level of risk; raised once per event and level, and sent again with the same id when there is
/// more to tell of the event.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Alert {
    /// Deterministic id, see [`crate::id::of_alert`].
    pub id: String,
    /// Code of the region.
    pub region: String,
    /// Level: 1 特别重大, 2 重大, 3 较大, 4 一般.
    pub level: u8,
    /// Risk score in `[0, 1]` that reached the level.
    pub score: f64,
    /// The terms of the risk formula that make up the score, the largest share first.
    pub terms: Vec<RiskTerm>,
    /// The event, as it stood then.
    pub event: EventSummary,
    /// When the post whose arrival raised it was published.
    #[schemars(with = "String", extend("format" = "date-time"))]
    pub published_at: Timestamp,
    /// When it was raised, or brought up to date.
    #[schemars(with = "String", extend("format" = "date-time"))]
    pub raised_at: Timestamp,
    /// 0 when the level was reached; one more each time the alert was brought up to date.
    #[serde(default)]
    pub update: u32,
    /// The alert that tells of this one together with others, when many came at once: the matter is handled like any
    /// other, but does not ring by itself.
    #[serde(default)]
    pub digest: Option<String>,
}

/// One term of the risk formula.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct RiskTerm {
    /// Its name, such as `sentiment` or `voices`.
    pub name: String,
    /// Its value in `[0, 1]`.
    pub value: f64,
    /// Weight times value: its part of the score. An official answer takes from the score: its share is negative.
    pub share: f64,
}

/// An event as it stood when an alert was raised.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct EventSummary {
    /// The event's id.
    pub id: String,
    /// Its title in plain words, from that of its first post.
    pub title: String,
    /// The matter in two lines: the sentences of its posts that tell most, masked.
    pub gist: String,
    /// How many posts it has.
    pub posts: u32,
    /// How many of them were changed by their writers, counted each time.
    #[serde(default)]
    pub revisions: u32,
    /// Ids of its posts, the newest last, at most 100.
    pub post_ids: Vec<String>,
    /// How many distinct voices.
    pub voices: u32,
    /// Names of the sources it was seen in.
    pub sources: Vec<String>,
    /// The kinds of these sources.
    #[serde(default)]
    pub source_kinds: Vec<SourceKind>,
    /// Mean sentiment of its posts, in `[-1, 1]`.
    pub sentiment: f64,
    /// How many posts are negative, neutral and positive.
    #[serde(default)]
    pub sentiments: Sentiments,
    /// How many posts want what, the most frequent first.
    #[serde(default)]
    pub appeals: Vec<Count>,
    /// Its main subject; empty when none was found.
    pub subject: String,
    /// How many posts have which subject, the most frequent first.
    #[serde(default)]
    pub subjects: Vec<Count>,
    /// How many posts have which part of a subject, such as 环境保护/噪声污染, the most frequent first.
    #[serde(default)]
    pub parts: Vec<Count>,
    /// Places its posts name, the most named first.
    pub places: Vec<Place>,
    /// When its first post was published.
    #[schemars(with = "String", extend("format" = "date-time"))]
    pub first_at: Timestamp,
    /// When its newest post was published.
    #[schemars(with = "String", extend("format" = "date-time"))]
    pub last_at: Timestamp,
    /// Posts of each day that had any, in Asia/Shanghai, the newest sixty days.
    #[serde(default)]
    pub days: Vec<Day>,
    /// The dates of its story, in order.
    #[serde(default)]
    pub key_dates: Vec<KeyDate>,
    /// When an official answer was last seen among its posts; absent while there is none.
    #[serde(default)]
    #[schemars(with = "Option<String>", extend("format" = "date-time"))]
    pub answered_at: Option<Timestamp>,
    /// The earlier event that this one repeats (复发), when it is like one that ended long ago.
    #[serde(default)]
    pub recurrence: Option<Recurrence>,
}

/// Posts by sentiment.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Sentiments {
    /// Complaint, anger, disappointment.
    pub negative: u32,
    /// A question, a notice, a plain report.
    pub neutral: u32,
    /// Thanks, praise, satisfaction.
    pub positive: u32,
}

/// How many posts have something.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Count {
    /// What they have.
    pub name: String,
    /// How many.
    pub posts: u32,
}

/// Posts of a day.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Day {
    /// The day.
    #[schemars(with = "String", extend("format" = "date"))]
    pub day: Date,
    /// How many.
    pub posts: u32,
}

/// A date in the story of an event.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct KeyDate {
    /// What was then.
    pub what: Turn,
    /// When.
    #[schemars(with = "String", extend("format" = "date-time"))]
    pub at: Timestamp,
}

/// What a date in the story of an event stands for.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "kebab-case")]
pub enum Turn {
    /// Its first post.
    First,
    /// It reached a level.
    Level,
    /// The day of most posts, where it had more than one day.
    Peak,
    /// An official answer.
    Answered,
    /// A post after a long quiet.
    Revived,
    /// Its newest post.
    Newest,
}

/// An earlier event of the same matter.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Recurrence {
    /// Its id.
    pub event: String,
    /// Its title.
    pub title: String,
    /// When its last post was published.
    #[schemars(with = "String", extend("format" = "date-time"))]
    pub last_at: Timestamp,
}

impl Message for Alert {
    const SCHEMA: &'static str = "alert";
    const VERSION: u32 = 1;

    fn region(&self) -> &str {
        &self.region
    }

    fn id(&self) -> &str {
        &self.id
    }

    fn check(&self) -> Result<(), String> {
        super::nonempty("id", &self.id)?;
        super::nonempty("region", &self.region)?;
        super::nonempty("event.id", &self.event.id)?;
        super::check_level("level", self.level)
    }
}
