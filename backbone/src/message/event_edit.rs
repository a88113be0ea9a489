//! What a duty officer says of events: two are one matter, or one is two.

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Message;

/// Posts of a split, at most.
pub const SPLIT_LIMIT: usize = 1_000;

/// A duty officer merged two events or split one. The analyzer moves the posts; the same edit again changes nothing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct EventEdit {
    /// Its id.
    pub id: String,
    /// Code of the region of the events.
    pub region: String,
    /// What is to be done.
    pub change: Change,
    /// The role that decided: `duty-officer`, `administrator`. Never a person's name.
    pub role: String,
    /// When.
    #[schemars(with = "String", extend("format" = "date-time"))]
    pub at: Timestamp,
}

/// How events are changed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum Change {
    /// The posts of one event belong to another.
    Merge {
        /// The event that ends.
        from: String,
        /// The event that takes its posts.
        into: String,
    },
    /// Some posts of an event are a matter of their own.
    Split {
        /// The event they leave.
        event: String,
        /// Ids of the posts; they make up the event [`crate::id::of_split`] of this edit.
        posts: Vec<String>,
        /// The title of their event; that of the first of them where absent.
        #[serde(default)]
        title: Option<String>,
    },
}

impl Change {
    /// The name of the kind of change: `merge` or `split`.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Merge { .. } => "merge",
            Self::Split { .. } => "split",
        }
    }
}

impl EventEdit {
    /// The event that posts leave by it.
    #[must_use]
    pub fn source(&self) -> &str {
        match &self.change {
            Change::Merge { from, .. } => from,
            Change::Split { event, .. } => event,
        }
    }

    /// The event that posts join by it.
    #[must_use]
    pub fn target(&self) -> String {
        match &self.change {
            Change::Merge { into, .. } => into.clone(),
            Change::Split { .. } => crate::id::of_split(&self.id),
        }
    }
}

impl Message for EventEdit {
    const SCHEMA: &'static str = "event-edit";
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
        super::nonempty("the event that posts leave", self.source())?;
        super::nonempty("the event that posts join", &self.target())?;
        if self.source() == self.target() {
            return Err("`change.into` is the event that is merged".to_owned());
        }
        if let Change::Split { posts, title, .. } = &self.change {
            if posts.is_empty() || posts.len() > SPLIT_LIMIT {
                return Err(format!("`change.posts` must be 1 to {SPLIT_LIMIT}"));
            }
            if let Some(title) = title {
                super::at_most("change.title", title, super::TITLE_LIMIT)?;
            }
        }
        Ok(())
    }
}
