//! Something seen across posts and events: a burst, or a problem that many places or subjects have in common.

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Message;
use super::alert::Count;

/// More posts than usual, or a problem common to many events (共性问题). Raised once for as long as it lasts, and sent
/// again with the same id when there is more to tell and when it is over.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Signal {
    /// Deterministic id, see [`crate::id::of_signal`].
    pub id: String,
    /// Code of the region.
    pub region: String,
    /// What was seen.
    pub kind: SignalKind,
    /// The first-level subject; empty where it is about all subjects.
    #[serde(default)]
    pub subject: String,
    /// The second-level subject; empty where it is about all of the first level.
    #[serde(default)]
    pub second: String,
    /// The place, such as a town; empty where it is about the whole region.
    #[serde(default)]
    pub place: String,
    /// The same in plain Chinese, with its numbers.
    pub title: String,
    /// What was counted, see [`SignalKind`].
    pub count: u32,
    /// How many would be usual.
    pub usual: f64,
    /// How many weeks of posts that rests on.
    pub weeks: u32,
    /// Begin of the time that was counted.
    #[schemars(with = "String", extend("format" = "date-time"))]
    pub begins: Timestamp,
    /// End of the time that was counted.
    #[schemars(with = "String", extend("format" = "date-time"))]
    pub ends: Timestamp,
    /// The counts of the weeks, the newest last; empty where it is not a rise.
    #[serde(default)]
    pub weekly: Vec<u32>,
    /// The subjects of its posts or events, the most frequent first, at most 20.
    #[serde(default)]
    pub subjects: Vec<Count>,
    /// The places of its posts or events, the most frequent first, at most 20.
    #[serde(default)]
    pub places: Vec<Count>,
    /// Its events, those with most posts first, at most 20.
    #[serde(default)]
    pub events: Vec<SignalEvent>,
    /// How many events it has in all.
    #[serde(default)]
    pub event_count: u32,
    /// When it was first found.
    #[schemars(with = "String", extend("format" = "date-time"))]
    pub found_at: Timestamp,
    /// When it was found, or brought up to date.
    #[schemars(with = "String", extend("format" = "date-time"))]
    pub raised_at: Timestamp,
    /// 0 when it was found; one more each time it was brought up to date.
    #[serde(default)]
    pub update: u32,
    /// When it was over; absent while it lasts.
    #[serde(default)]
    #[schemars(with = "Option<String>", extend("format" = "date-time"))]
    pub over_at: Option<Timestamp>,
}

/// What a signal tells of, and so what it counts.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "kebab-case")]
pub enum SignalKind {
    /// 突增: more people heard in an hour, six hours or a day than at other times of that kind. Counts the people heard on the subject, each
    /// once a day.
    Burst,
    /// 多地同类: events of one subject in many places. Counts the places.
    ManyPlaces,
    /// 一地多类: events of many subjects in one place. Counts the subjects.
    ManySubjects,
    /// 持续上升: posts of a subject grow from week to week. Counts those of the newest week.
    Rise,
}

impl SignalKind {
    /// The name in messages and tables.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Burst => "burst",
            Self::ManyPlaces => "many-places",
            Self::ManySubjects => "many-subjects",
            Self::Rise => "rise",
        }
    }
}

/// An event that a signal tells of.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct SignalEvent {
    /// Its id.
    pub id: String,
    /// Its title.
    pub title: String,
    /// How many of its posts were counted.
    pub posts: u32,
}

impl Message for Signal {
    const SCHEMA: &'static str = "signal";
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
        super::nonempty("title", &self.title)?;
        if self.ends < self.begins {
            return Err("`ends` is before `begins`".to_owned());
        }
        Ok(())
    }
}
