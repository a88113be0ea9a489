//! The words, severities and advice of the reply check: `reply.toml` in a folder of rules.

use std::collections::BTreeMap;
use std::path::Path;

use backbone::settings::{SettingsError, faultless, load};
use serde::Deserialize;

use super::{Kind, Severity};

/// The contents of `reply.toml`, which says what each list is.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
#[allow(missing_docs, reason = "the file itself explains its lists")]
pub struct Rules {
    pub answers_from: f64,
    pub longest_sentence: usize,
    pub most_points: usize,
    pub greeting: Vec<String>,
    pub thanks: Vec<String>,
    pub formula: Vec<String>,
    pub question: Vec<String>,
    pub asks_when: Vec<String>,
    pub asks_how_much: Vec<String>,
    pub asks_whom: Vec<String>,
    pub asks_why: Vec<String>,
    pub demand: Vec<String>,
    pub matter: Vec<String>,
    pub reason: Vec<String>,
    pub next_step: Vec<String>,
    pub found: Vec<String>,
    pub offices: Vec<String>,
    pub no_office_before: String,
    pub office_mail: Vec<String>,
    pub phrases: Vec<Phrases>,
    pub officialese: BTreeMap<String, String>,
    pub missing: BTreeMap<Kind, Advice>,
    pub names: Names,
}

/// Words that are marked wherever they stand.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
#[allow(missing_docs, reason = "the file itself explains its lists")]
pub struct Phrases {
    pub kind: Kind,
    pub severity: Severity,
    pub advice: String,
    pub words: Vec<String>,
}

/// What is said of a kind of finding.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
#[allow(missing_docs, reason = "the file itself explains its lists")]
pub struct Advice {
    pub severity: Severity,
    pub advice: String,
}

/// How names are told.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
#[allow(missing_docs, reason = "the file itself explains its lists")]
pub struct Names {
    pub titles: Vec<String>,
    pub writers: Vec<String>,
    pub compound: Vec<String>,
    pub surnames: String,
    pub never_in_names: String,
}

/// Kinds that are told by lists of phrases.
const BY_PHRASES: [Kind; 3] = [Kind::Blame, Kind::Empty, Kind::Vague];

impl Rules {
    /// Reads `reply.toml` of a folder of rules.
    ///
    /// # Errors
    /// Names the file, the line or field, and the remedy.
    pub fn load(folder: &Path) -> Result<Self, SettingsError> {
        faultless(|problems| load(&folder.join("reply.toml"), Self::check, problems))
    }

    fn check(&self) -> Vec<String> {
        let mut flaws = Vec::new();
        if !(0.0..=1.0).contains(&self.answers_from) {
            flaws.push("`answers_from` must be 0 to 1".to_owned());
        }
        for phrases in (self.phrases.iter()).filter(|one| !BY_PHRASES.contains(&one.kind)) {
            flaws.push(format!(
                "`phrases` of kind {:?} are not looked for; use blame, empty or vague",
                phrases.kind
            ));
        }
        let without = |kind: &&Kind| !BY_PHRASES.contains(kind) && !self.missing.contains_key(kind);
        for kind in Kind::ALL.iter().filter(without) {
            flaws.push(format!(
                "`missing` says nothing of {kind:?}; give its severity and advice"
            ));
        }
        flaws
    }

    /// The lists of phrases of a kind.
    pub(super) fn phrases_of(&self, kind: Kind) -> impl Iterator<Item = &String> {
        (self.phrases.iter())
            .filter(move |phrases| phrases.kind == kind)
            .flat_map(|phrases| &phrases.words)
    }

    /// Severity and advice of a kind; every kind that is asked for has one, see [`Rules::check`].
    pub(super) fn advice(&self, kind: Kind) -> (Severity, &str) {
        let known = self.missing.get(&kind);
        known.map_or((Severity::May, ""), |known| {
            (known.severity, known.advice.as_str())
        })
    }
}

/// Whether a text holds one of the words.
pub(super) fn holds(text: &str, words: &[String]) -> bool {
    words.iter().any(|word| text.contains(word.as_str()))
}
