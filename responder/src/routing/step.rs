//! How a matter was routed, rule by rule.

use serde::Serialize;

/// A rule that was tried.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Step {
    /// Where it stands in `routing.toml`, such as `route.routes[2]`.
    pub rule: String,
    /// What it is for.
    pub comment: String,
    /// What came of it.
    pub outcome: Outcome,
    /// Why it took the matter or did not.
    pub why: String,
}

/// What came of a rule.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Outcome {
    /// It does not take the matter.
    Passed,
    /// It takes the matter, and a rule below it decided.
    DecidedBelow,
    /// It added who assists, and the walk went on.
    Added,
    /// It decided.
    Decided,
}

impl Outcome {
    /// The same in words.
    #[must_use]
    pub fn told(self) -> &'static str {
        match self {
            Self::Passed => "不适用",
            Self::DecidedBelow => "适用，由下级规则决定",
            Self::Added => "适用，补充后继续",
            Self::Decided => "适用，决定",
        }
    }
}
