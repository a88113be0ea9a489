//! How a source is.

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Message;

/// How a source is, told after each round of reading it: the newest by `at` holds.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct SourceHealth {
    /// Deterministic id, see [`crate::id::of_source`].
    pub id: String,
    /// Code of the region the source is about.
    pub region: String,
    /// Its name.
    pub source: String,
    /// What kind of source it is: `board`, `feed`, `watch`, ….
    pub kind: String,
    /// How it is.
    pub condition: Condition,
    /// Since when.
    #[schemars(with = "String", extend("format" = "date-time"))]
    pub since: Timestamp,
    /// What is wrong, with its place and the remedy; empty where nothing is.
    #[serde(default)]
    pub problem: String,
    /// When a round last succeeded.
    #[serde(default)]
    #[schemars(with = "Option<String>", extend("format" = "date-time"))]
    pub last_success: Option<Timestamp>,
    /// When one last failed.
    #[serde(default)]
    #[schemars(with = "Option<String>", extend("format" = "date-time"))]
    pub last_failure: Option<Timestamp>,
    /// Posts sent, all told.
    pub posts: u64,
    /// Posts sent today, in Asia/Shanghai.
    pub today: u64,
    /// Posts that it usually yields in a day: the median of the last four weeks; absent in its first.
    #[serde(default)]
    pub usual: Option<f64>,
    /// Rows, entries and pages refused, all told.
    pub refused: u64,
    /// Seconds from the publication of the last post to its collection.
    #[serde(default)]
    pub lag_seconds: Option<u64>,
    /// What is wrong with the site itself, where it is watched.
    #[serde(default)]
    pub findings: Vec<Finding>,
    /// When this was told.
    #[schemars(with = "String", extend("format" = "date-time"))]
    pub at: Timestamp,
}

/// How a source is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Condition {
    /// It is read.
    Well,
    /// Its last round failed.
    Failing,
    /// Its pages are had, but a selector finds nothing on them any more: the template has changed.
    Changed,
    /// It is read, but yields nothing although it usually does.
    Quiet,
    /// It is a site of the government's own, and something is wrong with it: see the findings.
    Faulty,
    /// An officer paused it: it is not read, and nothing is wrong with it.
    Paused,
}

impl Condition {
    /// The name in messages and tables.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Well => "well",
            Self::Failing => "failing",
            Self::Changed => "changed",
            Self::Quiet => "quiet",
            Self::Faulty => "faulty",
            Self::Paused => "paused",
        }
    }

    /// Whether something is wrong that somebody should look at.
    #[must_use]
    pub fn is_trouble(self) -> bool {
        !matches!(self, Self::Well | Self::Paused)
    }
}

/// Something wrong with a site of the government's own.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Finding {
    /// What it is.
    pub fault: Fault,
    /// The page.
    pub url: String,
    /// What was seen there, such as the date of a column's last article.
    pub detail: String,
    /// Since when.
    #[schemars(with = "String", extend("format" = "date-time"))]
    pub since: Timestamp,
}

/// What can be wrong with a site.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Fault {
    /// A page cannot be had.
    Unreachable,
    /// A column was not updated for longer than it should be.
    Stale,
    /// A link leads nowhere.
    DeadLink,
    /// The certificate runs out soon, or has.
    Certificate,
}

impl Fault {
    /// The name in messages and tables.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Unreachable => "unreachable",
            Self::Stale => "stale",
            Self::DeadLink => "dead-link",
            Self::Certificate => "certificate",
        }
    }
}

impl Message for SourceHealth {
    const SCHEMA: &'static str = "source-health";
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
        super::nonempty("source", &self.source)?;
        super::at_most("problem", &self.problem, 2_000)
    }
}
