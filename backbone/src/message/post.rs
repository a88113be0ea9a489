//! What the collector found: one post as its writer published it, masked.

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Message;

/// The longest title, in characters; the collector cuts what is longer.
pub const TITLE_LIMIT: usize = 500;
/// The longest text, in characters; the collector cuts what is longer.
pub const TEXT_LIMIT: usize = 100_000;

/// A post from a public page, feed or export. Phone and identity numbers are masked before it is
/// made, and its author is a keyed hash or nothing: no message carries who wrote.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Post {
    /// Deterministic id, see [`crate::id::of_post`].
    pub id: String,
    /// 1 for the first sight of the post; one more for each change of its words seen since.
    pub revision: u32,
    /// Code of the region the source belongs to (GB/T 2260): the Kafka key.
    pub region: String,
    /// Name of the source, as in its settings.
    pub source: String,
    /// What kind of place the source is.
    pub kind: SourceKind,
    /// Canonical address of the post; empty when the source has none (an export).
    #[serde(default)]
    pub url: String,
    /// Title, at most [`TITLE_LIMIT`] characters; may be empty.
    #[serde(default)]
    pub title: String,
    /// Text, at most [`TEXT_LIMIT`] characters.
    pub text: String,
    /// Keyed hash of the author's name at that source, for counting distinct voices only.
    #[serde(default)]
    pub author: Option<String>,
    /// When it was published; the same in each of its revisions.
    #[schemars(with = "String", extend("format" = "date-time"))]
    pub published_at: Timestamp,
    /// How far that can be relied on.
    #[serde(default)]
    pub certainty: Certainty,
    /// When the collector found it.
    #[schemars(with = "String", extend("format" = "date-time"))]
    pub collected_at: Timestamp,
    /// Reactions counted by the source: for (likes) and against.
    #[serde(default)]
    pub reactions: Reactions,
    /// When the source shows that it was officially answered; absent while it shows no answer.
    #[serde(default)]
    #[schemars(with = "Option<String>", extend("format" = "date-time"))]
    pub answered_at: Option<Timestamp>,
}

/// How far the time of a post can be relied on.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Certainty {
    /// Its day with the year and its time of day were told.
    #[default]
    Exact,
    /// Its day with the year was told; the time is its midnight.
    Day,
    /// It was worked out from what was told, such as `3小时前` or a day without a year.
    Guessed,
    /// Nothing was told: it is the time of collection.
    Collected,
}

impl Certainty {
    /// Whether the time depends on when the post was collected, so that who collects it again finds another.
    #[must_use]
    pub fn is_worked_out(self) -> bool {
        matches!(self, Self::Guessed | Self::Collected)
    }
}

/// What kind of place a post was found in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum SourceKind {
    /// A message board, a leader's mailbox, a forum.
    Board,
    /// An RSS, Atom or JSON feed.
    Feed,
    /// A file exported from a hotline or a mailbox.
    Import,
    /// An official column: notices and news of the government itself.
    Official,
}

impl SourceKind {
    /// The name in messages and tables.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Board => "board",
            Self::Feed => "feed",
            Self::Import => "import",
            Self::Official => "official",
        }
    }

    /// The kind of that name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        [Self::Board, Self::Feed, Self::Import, Self::Official]
            .into_iter()
            .find(|kind| kind.name() == name)
    }
}

/// Reactions counted by the source.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Reactions {
    /// Likes or votes for the post.
    #[serde(default)]
    pub likes: u32,
    /// Votes against it.
    #[serde(default)]
    pub opposes: u32,
}

impl Message for Post {
    const SCHEMA: &'static str = "post";
    const VERSION: u32 = 1;

    fn region(&self) -> &str {
        &self.region
    }

    fn id(&self) -> &str {
        &self.id
    }

    fn check(&self) -> Result<(), String> {
        check(
            [&self.id, &self.region, &self.source],
            &self.title,
            &self.text,
            self.revision,
        )
    }
}

/// What the schema cannot say of a post: of its id, region and source, its title and text, and its revision.
pub(crate) fn check(
    [id, region, source]: [&str; 3],
    title: &str,
    text: &str,
    revision: u32,
) -> Result<(), String> {
    super::nonempty("id", id)?;
    super::nonempty("region", region)?;
    super::nonempty("source", source)?;
    super::at_most("title", title, TITLE_LIMIT)?;
    super::at_most("text", text, TEXT_LIMIT)?;
    if revision == 0 {
        return Err("`revision` must be 1 or more".to_owned());
    }
    if title.trim().is_empty() && text.trim().is_empty() {
        return Err("`title` and `text` are both empty".to_owned());
    }
    Ok(())
}
