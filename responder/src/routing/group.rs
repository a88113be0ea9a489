//! Groups: alerts told of in one notice, when it is due, and when it is sent again.

use backbone::message::Alert;
use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::calendar::Calendar;
use crate::deadline::Term;
use crate::level::level;

/// What alerts can be alike in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Label {
    /// The event.
    Event,
    /// The region.
    Region,
    /// The main subject.
    Subject,
    /// The place named most.
    Place,
    /// The lead unit.
    Lead,
    /// The level.
    Level,
    /// The first source.
    Source,
}

impl Label {
    /// What an alert that `lead` leads has for it; empty where it has nothing.
    pub(super) fn of(self, alert: &Alert, lead: &str) -> String {
        let event = &alert.event;
        match self {
            Self::Event => event.id.clone(),
            Self::Region => alert.region.clone(),
            Self::Subject => event.subject.clone(),
            Self::Place => event
                .places
                .first()
                .map(|place| place.name.clone())
                .unwrap_or_default(),
            Self::Lead => lead.to_owned(),
            Self::Level => level(alert.level).numeral.to_owned(),
            Self::Source => event.sources.first().cloned().unwrap_or_default(),
        }
    }
}

/// How the alerts that a rule decided on are gathered.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Grouping {
    /// The rule.
    pub rule: String,
    /// By what; by event where empty.
    pub by: Vec<Label>,
    /// How long the first alert waits for others.
    pub wait: Option<Term>,
    /// How often a notice is sent again while the case is not signed for.
    pub repeat: Option<Term>,
}

/// What is known of a group when it is asked when its notice is due.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Group {
    /// When the first of the alerts came that no notice has told of; none where all are told of.
    pub untold_since: Option<Timestamp>,
    /// When the last notice went out.
    pub told_at: Option<Timestamp>,
    /// Whether a case of it is not signed for.
    pub unsigned: bool,
}

impl Grouping {
    /// The group that an alert belongs to: those with the same key are told of together.
    #[must_use]
    pub fn key(&self, alert: &Alert, lead: &str) -> String {
        let by: &[Label] = if self.by.is_empty() {
            &[Label::Event]
        } else {
            &self.by
        };
        let values = by.iter().map(|label| label.of(alert, lead));
        // Lengths keep `a|b` and `c` apart from `a` and `b|c`.
        let parts = values.map(|value| format!("{}:{value}", value.len()));
        [alert.region.clone(), self.rule.clone()]
            .into_iter()
            .chain(parts)
            .collect::<Vec<_>>()
            .join("|")
    }

    /// When the group's next notice is due: its first or one with what is new, or the last one again.
    #[must_use]
    pub fn due(&self, group: &Group, calendar: &Calendar) -> Option<Timestamp> {
        let after = |term: Option<Term>, at: Timestamp| term.map(|term| term.after(at, calendar));
        let fresh = (group.untold_since).map(|at| after(self.wait, at).unwrap_or(at));
        let again = (group.told_at)
            .filter(|_| group.unsigned)
            .and_then(|at| after(self.repeat, at));
        fresh.into_iter().chain(again).min()
    }
}
