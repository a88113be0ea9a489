//! An event that reached a risk level.

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Message;
use super::assessment::Place;

/// An event reached a level of risk; raised once per event and level.
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
    #[schemars(with = "String")]
    pub published_at: Timestamp,
    /// When it was raised.
    #[schemars(with = "String")]
    pub raised_at: Timestamp,
}

/// One term of the risk formula.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct RiskTerm {
    /// Its name, such as `sentiment` or `voices`.
    pub name: String,
    /// Its value in `[0, 1]`.
    pub value: f64,
    /// Weight times value: its part of the score.
    pub share: f64,
}

/// An event as it stood when an alert was raised.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct EventSummary {
    /// The event's id.
    pub id: String,
    /// Its title: that of its first post.
    pub title: String,
    /// The first characters of the post that tells most, masked, for the unit to know the matter.
    pub gist: String,
    /// How many posts it has.
    pub posts: u32,
    /// Ids of its posts, the newest last, at most 100.
    pub post_ids: Vec<String>,
    /// How many distinct voices.
    pub voices: u32,
    /// Names of the sources it was seen in.
    pub sources: Vec<String>,
    /// Mean sentiment of its posts, in `[-1, 1]`.
    pub sentiment: f64,
    /// Its main subject; empty when none was found.
    pub subject: String,
    /// Places its posts name, the most named first.
    pub places: Vec<Place>,
    /// When its first post was published.
    #[schemars(with = "String")]
    pub first_at: Timestamp,
    /// When its newest post was published.
    #[schemars(with = "String")]
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
