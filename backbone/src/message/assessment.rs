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
    /// What the matter is about.
    pub subject: Option<Subject>,
    /// The first-level subjects that it may be about, the most probable first.
    #[serde(default)]
    pub subjects: Vec<SubjectShare>,
    /// What the writer wants; absent in messages of analyzers that did not tell yet.
    #[serde(default)]
    pub appeal: Option<Appeal>,
    /// How the writer feels about local government and its services.
    pub sentiment: Sentiment,
    /// Words of harm or urgency found, such as 受伤 or 拖欠.
    pub intensity: Vec<String>,
    /// The units responsible by place and duty, the lead first; empty for a post that is not relevant.
    #[serde(default)]
    pub units: Vec<Responsible>,
    /// The words that tell the post from others, the most telling first.
    #[serde(default)]
    pub keywords: Vec<String>,
    /// Where in the post the words stand that decided the findings.
    #[serde(default)]
    pub evidence: Vec<Evidence>,
    /// What another model said when the first was unsure; absent where none was asked. It stands beside the findings
    /// and changes none.
    #[serde(default)]
    pub second_opinion: Option<SecondOpinion>,
    /// The event the post belongs to; absent for a post that is not relevant.
    pub event: Option<EventMembership>,
    /// Which analyzer and models made this, such as `0.1.0/subject-1/sentiment-1`.
    pub model: String,
    /// When it was made.
    #[schemars(with = "String", extend("format" = "date-time"))]
    pub assessed_at: Timestamp,
}

/// What another model said of a post.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct SecondOpinion {
    /// The model, as its endpoint names it.
    pub model: String,
    /// How the writer feels.
    pub sentiment: Polarity,
    /// What the writer wants, one of [`APPEALS`].
    pub appeal: String,
    /// The first-level subject.
    pub subject: String,
    /// When it was asked.
    #[schemars(with = "String", extend("format" = "date-time"))]
    pub asked_at: Timestamp,
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
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Subject {
    /// Its first level, such as 城乡建设.
    pub name: String,
    /// Its second level, such as 物业管理; empty where no word tells it.
    #[serde(default)]
    pub second: String,
    /// The model's probability for it, in `[0, 1]`.
    pub probability: f64,
    /// The words that decided it.
    pub because: Vec<String>,
}

/// A first-level subject and how probable it is.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct SubjectShare {
    /// Its name.
    pub name: String,
    /// The model's probability for it, in `[0, 1]`.
    pub probability: f64,
}

/// What a writer wants (诉求类型).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Appeal {
    /// One of [`APPEALS`].
    pub name: String,
    /// The model's probability for it, in `[0, 1]`.
    pub probability: f64,
    /// The words that decided it.
    pub because: Vec<String>,
}

/// The appeals that are told apart; `analyzer/model/GUIDELINES.md` defines them.
pub const APPEALS: [&str; 7] = ["咨询", "求助", "投诉", "建议", "表扬", "举报", "陈述"];

/// A unit responsible for the matter of a post.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Responsible {
    /// The unit's code.
    pub code: String,
    /// The unit's name.
    pub name: String,
    /// Whether it leads (牵头) or assists (协办).
    pub role: Role,
    /// Why it is responsible, in the duty team's words.
    pub reason: String,
}

/// A unit's part in a matter.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// 牵头.
    Lead,
    /// 协办.
    Assist,
}

/// A word that decided a finding, and where it stands in the post as shown.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Evidence {
    /// What it decided.
    pub finding: FindingKind,
    /// The word as it was read: in simplified characters, narrow and upper-case letters.
    pub word: String,
    /// What the word stands for there: a place's name, a kind of harm, a unit's code; may be empty.
    #[serde(default)]
    pub detail: String,
    /// Whether it stands in the title or in the text.
    #[serde(rename = "in")]
    pub part: Part,
    /// Where it begins there, in characters (Unicode code points) from 0.
    pub start: u32,
    /// Where it ends there: the character after its last one.
    pub end: u32,
}

/// What a word decided.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "lowercase")]
pub enum FindingKind {
    /// That the post concerns the region, or that it does not.
    Relevance,
    /// A place.
    Place,
    /// The subject.
    Subject,
    /// The appeal.
    Appeal,
    /// The sentiment.
    Sentiment,
    /// A responsible unit.
    Unit,
    /// Harm or urgency.
    Intensity,
    /// A keyword.
    Keyword,
}

/// A part of a post.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Part {
    /// Its title.
    Title,
    /// Its text.
    Text,
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

    /// The sentiment of that name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        [Self::Negative, Self::Neutral, Self::Positive]
            .into_iter()
            .find(|polarity| polarity.name() == name)
    }
}

/// The event a post joined.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct EventMembership {
    /// The event's id, see [`crate::id::of_event`].
    pub id: String,
    /// The event's title in plain words: that of its first post.
    pub title: String,
    /// How like the event's nearest post this one is, in `[0, 1]`; 1 for the post that opened it and for one that an
    /// officer put there.
    pub similarity: f64,
    /// The event's risk level once this post was in, 1 (gravest) to 4; absent below level 4.
    #[serde(default)]
    pub level: Option<u8>,
    /// The edit by which a duty officer put the post there: its offset in the partition of `event-edits` of the same
    /// number. Absent where the analyzer did.
    #[serde(default)]
    pub edit: Option<i64>,
}

impl Assessment {
    /// A post of which nothing was found yet.
    #[must_use]
    pub fn unread(post: Post, model: &str, now: Timestamp) -> Self {
        Self {
            post,
            relevant: false,
            relevant_because: Vec::new(),
            places: Vec::new(),
            subject: None,
            subjects: Vec::new(),
            appeal: None,
            sentiment: Sentiment {
                score: 0.0,
                label: Polarity::Neutral,
                confidence: 0.0,
                because: Vec::new(),
            },
            intensity: Vec::new(),
            units: Vec::new(),
            keywords: Vec::new(),
            evidence: Vec::new(),
            second_opinion: None,
            event: None,
            model: model.to_owned(),
            assessed_at: now,
        }
    }
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
        check(
            self.sentiment.score,
            self.event.as_ref().and_then(|event| event.level),
        )
    }
}

/// What the schema cannot say of the findings: of the sentiment's score and the event's level.
pub(crate) fn check(score: f64, level: Option<u8>) -> Result<(), String> {
    if !(-1.0..=1.0).contains(&score) {
        return Err("`sentiment.score` is outside [-1, 1]".to_owned());
    }
    match level {
        Some(level) => super::check_level("event.level", level),
        None => Ok(()),
    }
}
