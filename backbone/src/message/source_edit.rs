//! What an officer decides of a source: it is paused, or read again.

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Message;

/// An officer paused a source or resumed it. Of one source the newest by `at` holds. Why stays with the responder: free text
/// goes nowhere that does not need it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct SourceEdit {
    /// Its id.
    pub id: String,
    /// Code of the region the source is about.
    pub region: String,
    /// The source's name.
    pub source: String,
    /// The source's id, see [`crate::id::of_source`].
    pub source_id: String,
    /// Whether it is paused from now on.
    pub paused: bool,
    /// The role that decided: `duty-officer`, `administrator`. Never a person's name.
    pub role: String,
    /// When. Later than what was decided of the source before.
    #[schemars(with = "String", extend("format" = "date-time"))]
    pub at: Timestamp,
}

impl Message for SourceEdit {
    const SCHEMA: &'static str = "source-edit";
    const VERSION: u32 = 1;

    fn region(&self) -> &str {
        &self.region
    }

    fn id(&self) -> &str {
        &self.id
    }

    /// What is decided of one source stays in order, and the topic may be compacted.
    fn key(&self) -> &str {
        &self.source_id
    }

    fn check(&self) -> Result<(), String> {
        super::nonempty("id", &self.id)?;
        super::nonempty("region", &self.region)?;
        super::nonempty("source", &self.source)?;
        if self.source_id != crate::id::of_source(&self.region, &self.source) {
            return Err("`source_id` is not that of `region` and `source`".to_owned());
        }
        Ok(())
    }
}
