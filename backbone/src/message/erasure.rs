//! What the office erases on request: a post, wherever its text is.

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Message;

/// Events in an erasure, at most.
const EVENTS: usize = 1_000;

/// A post is erased on request. It says nothing of what the post said, so that it may be kept for good and hold against
/// whatever is read again later. Why, and by whom, stays with the responder.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Erasure {
    /// Its id, see [`crate::id::of_erasure`]: a post is erased once.
    pub id: String,
    /// Code of the post's region.
    pub region: String,
    /// The post's id.
    pub post: String,
    /// The events that the post was in.
    #[serde(default)]
    pub events: Vec<ErasedFrom>,
    /// The role that decided: `administrator`, `leader`. Never a person's name.
    pub role: String,
    /// When.
    #[schemars(with = "String", extend("format" = "date-time"))]
    pub at: Timestamp,
}

/// An event that an erased post was in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ErasedFrom {
    /// Its id.
    pub event: String,
    /// What it is called from now on, in nobody's words but the office's; absent where its title was not the post's.
    #[serde(default)]
    pub title: Option<String>,
}

impl Message for Erasure {
    const SCHEMA: &'static str = "erasure";
    const VERSION: u32 = 1;

    fn region(&self) -> &str {
        &self.region
    }

    fn id(&self) -> &str {
        &self.id
    }

    fn check(&self) -> Result<(), String> {
        super::nonempty("region", &self.region)?;
        super::nonempty("post", &self.post)?;
        if self.id != crate::id::of_erasure(&self.post) {
            return Err("`id` is not that of `post`".to_owned());
        }
        if self.events.len() > EVENTS {
            return Err(format!("`events` has more than {EVENTS}"));
        }
        Ok(())
    }
}
