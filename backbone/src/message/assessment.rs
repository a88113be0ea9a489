//! What the analyzer reads in a post, and the event it belongs to.

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Message, Post};

/// A post with all that the analyzer found in it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Assessment {
    /// The post assessed.
    pub post: Post,
    /// Whether the post concerns the region.
    pub relevant: bool,
    /// The mentions that made it relevant; empty when it is not.
    pub relevant_because: Vec<String>,
    /// Places of the region that the post names, the most telling first.
    pub places: Vec<Place>,
    /// What the matter is about; absent for a post that is not relevant.
    pub subject: Option<Subject>,
    /// How the writer feels about local government and its services.
    pub sentiment: Sentiment,
    /// Words of harm or urgency found, such as 受伤 or 拖欠.
    pub intensity: Vec<String>,
    /// The event the post belongs to; absent for a post that is not relevant.
    pub event: Option<EventMembership>,
    /// Which analyzer and models made this, such as `0.1.0/subject-1/sentiment-1`.
    pub model: String,
    /// When it was made.
    #[schemars(with = "String")]
    pub assessed_at: Timestamp,
}

/// A place of the region's gazetteer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Place {
    /// Its name in the gazetteer.
    pub name: String,
    /// Its kind: county, town, village, road, estate, school, scenic, zone or district.
    pub kind: String,
    /// The larger place of the gazetteer that it lies in; empty when that is the region itself.
    #[serde(default)]
    pub within: String,
}

/// The subject of a post.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Subject {
    /// Its name, such as 城乡建设.
    pub name: String,
    /// The model's probability for it, in `[0, 1]`.
    pub probability: f64,
    /// The words that decided it.
    pub because: Vec<String>,
}

/// How a writer feels about local government and its services.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Sentiment {
    /// From -1 (strongly negative) through 0 to 1 (strongly positive).
    pub score: f64,
    /// The label that the score stands for.
    pub label: Polarity,
    /// How sure the model is of the label, in `[0, 1]`.
    pub confidence: f64,
    /// The words that decided it.
    pub because: Vec<String>,
}

/// A sentiment's label.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Polarity {
    /// Complaint, anger, disappointment.
    Negative,
    /// A question, a notice, a plain report.
    Neutral,
    /// Thanks, praise, satisfaction.
    Positive,
}

impl Polarity {
    /// The name in messages, tables and commands.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Negative => "negative",
            Self::Neutral => "neutral",
            Self::Positive => "positive",
        }
    }
}

/// The event a post joined.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct EventMembership {
    /// The event's id, see [`crate::id::of_event`].
    pub id: String,
    /// The event's title in plain words: that of its first post.
    pub title: String,
    /// How like the event's nearest post this one is, in `[0, 1]`; 1 for the post that opened it.
    pub similarity: f64,
    /// The event's risk level once this post was in, 1 (gravest) to 4; absent below level 4.
    #[serde(default)]
    pub level: Option<u8>,
}

impl Message for Assessment {
    const SCHEMA: &'static str = "assessment";
    const VERSION: u32 = 1;

    fn region(&self) -> &str {
        &self.post.region
    }

    fn id(&self) -> &str {
        &self.post.id
    }

    fn check(&self) -> Result<(), String> {
        self.post.check()?;
        if !(-1.0..=1.0).contains(&self.sentiment.score) {
            return Err("`sentiment.score` is outside [-1, 1]".to_owned());
        }
        if let Some(level) = self.event.as_ref().and_then(|event| event.level) {
            super::check_level("event.level", level)?;
        }
        Ok(())
    }
}
