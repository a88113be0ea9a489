//! One move of a case.

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Message;

/// A case was opened, moved, urged or raised. Written in the same transaction as the change it
/// tells of; `sequence` counts a case's moves from 1 without gaps.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct CaseEvent {
    /// Deterministic id: of the case and the sequence.
    pub id: String,
    /// Code of the region.
    pub region: String,
    /// The case's id, see [`crate::id::of_case`].
    pub case: String,
    /// The event the case handles.
    pub event: String,
    /// Position among the case's moves, from 1.
    pub sequence: u32,
    /// What was done: `open`, `dispatch`, `sign`, ….
    pub action: String,
    /// State before; empty for `open`.
    #[serde(default)]
    pub from: String,
    /// State after.
    pub to: String,
    /// Level of the case after the move, 1 to 4.
    pub level: u8,
    /// Codes of the units that answer for the case after the move, the lead first.
    pub units: Vec<String>,
    /// The role that acted: `system`, `duty-officer`, `unit`, …. Never a person's name.
    pub role: String,
    /// When.
    #[schemars(with = "String", extend("format" = "date-time"))]
    pub at: Timestamp,
}

impl Message for CaseEvent {
    const SCHEMA: &'static str = "case-event";
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
        super::nonempty("case", &self.case)?;
        super::check_level("level", self.level)
    }
}
