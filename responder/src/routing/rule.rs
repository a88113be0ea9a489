//! What `routing.toml` says: the tree of rules, what holds notices back, and the times it names.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::group::{Grouping, Label};
use super::matching::Match;
use super::window::{Window, Windows};
use crate::deadline::Term;

/// The unit in charge of the subject leads, the unit of the place assists.
pub(super) const BY_BOTH: &str = "by-place-and-subject";
/// The unit of the place.
pub(super) const BY_PLACE: &str = "by-place";
/// The unit in charge of the subject.
pub(super) const BY_SUBJECT: &str = "by-subject";

/// The contents of `routing.toml`.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Tree {
    /// The root: its lead holds where no rule names one.
    pub route: Rule,
    /// Which alerts hold the notices of which back, beyond a graver alert of the same event, which always does.
    #[serde(default)]
    pub inhibit: Vec<Inhibition>,
    /// Times that rules name.
    #[serde(default)]
    pub time: Vec<Window>,
}

/// A rule, and the rules below it.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Rule {
    /// What the rule is for, in words; shown to the duty officer as the reason.
    #[serde(default)]
    pub comment: String,
    /// Which matters it takes; all where empty.
    #[serde(default, rename = "match")]
    pub matches: Match,
    /// Who leads: a unit's code, `by-place`, `by-subject` or `by-place-and-subject`; undecided where empty.
    #[serde(default)]
    pub lead: String,
    /// Who assists: units' codes, `by-place` or `by-subject`.
    #[serde(default)]
    pub assist: Vec<String>,
    /// Whether the walk goes on after this rule.
    #[serde(default, rename = "continue")]
    pub goes_on: bool,
    /// By what its alerts are gathered into one notice: `event`, `region`, `subject`, `place`, `lead`, `level`, `source`; those of
    /// the rule above where absent, and by event at the root.
    #[serde(default)]
    pub group_by: Option<Vec<Label>>,
    /// How long the first alert of a group waits for others; that of the rule above where absent, and not at all at the root.
    #[serde(default)]
    pub group_wait: Option<Term>,
    /// How often a notice is sent again while the case is not signed for; that of the rule above where absent, and
    /// never at the root.
    #[serde(default)]
    pub repeat: Option<Term>,
    /// Names of times in which its notices are held back; those of the rule above where absent.
    #[serde(default)]
    pub mute_times: Option<Vec<String>>,
    /// Names of times outside of which its notices are held back, where there are any; those of the rule above where absent.
    #[serde(default)]
    pub active_times: Option<Vec<String>>,
    /// Rules tried before this one decides.
    #[serde(default)]
    pub routes: Vec<Self>,
}

/// What a rule has of those above it where it says nothing itself.
#[derive(Debug, Clone, Default)]
pub(super) struct Inherited {
    by: Vec<Label>,
    wait: Option<Term>,
    repeat: Option<Term>,
    mute: Vec<String>,
    active: Vec<String>,
}

impl Inherited {
    /// What the rules below a rule have of it.
    pub(super) fn below(&self, rule: &Rule) -> Self {
        let or = |own: &Option<Vec<String>>, above: &[String]| {
            own.clone().unwrap_or_else(|| above.to_vec())
        };
        Self {
            by: rule.group_by.clone().unwrap_or_else(|| self.by.clone()),
            wait: rule.group_wait.or(self.wait),
            repeat: rule.repeat.or(self.repeat),
            mute: or(&rule.mute_times, &self.mute),
            active: or(&rule.active_times, &self.active),
        }
    }

    /// How the alerts are gathered that a rule decides on.
    pub(super) fn grouping(&self, rule: &str) -> Grouping {
        Grouping {
            rule: rule.to_owned(),
            by: self.by.clone(),
            wait: self.wait,
            repeat: self.repeat,
        }
    }

    /// When its notices go out.
    pub(super) fn windows(&self, times: &[Window]) -> Windows {
        let named = |names: &[String]| {
            let known = |name: &String| times.iter().find(|time| &time.name == name).cloned();
            names.iter().filter_map(known).collect()
        };
        Windows {
            mute: named(&self.mute),
            active: named(&self.active),
        }
    }
}

/// While an alert that `source` takes is open, the notices of those that `target` takes are held back.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Inhibition {
    /// What it is for, in words; shown to the duty officer as the reason.
    #[serde(default)]
    pub comment: String,
    /// The alerts that hold back.
    pub source: Match,
    /// The alerts held back.
    pub target: Match,
    /// In what the two must be alike, such as `["place", "subject"]`.
    pub equal: Vec<Label>,
}
