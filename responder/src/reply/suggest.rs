//! Draft help: what the knowledge base and answered cases have for the points of the posts, each with where it is from.

use serde::Serialize;

use super::Point;
use crate::knowledge::Entry;
use crate::likeness::Pairs;

/// Least similarity of what is suggested for a point.
const LEAST: f64 = 0.25;
/// Suggestions for a point, at most.
const MOST: usize = 2;

/// A case that was answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answered {
    /// Id of the case.
    pub case: String,
    /// What it was about: its title, and its gist where there is one.
    pub matter: String,
    /// The published reply.
    pub reply: String,
}

/// Where a suggestion is from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "kind", content = "id", rename_all = "kebab-case")]
pub enum Source {
    /// An entry of the knowledge base.
    Knowledge(String),
    /// An answered case.
    Case(String),
}

/// What may be used in a draft.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Suggestion {
    /// Which of the points it is for.
    pub point: usize,
    /// The answer that was given.
    pub text: String,
    /// What it rests on, where the source says so.
    pub basis: String,
    /// Where it is from.
    pub source: Source,
    /// How alike its question and the point are, in `[0, 1]`.
    pub similarity: f64,
}

/// What is known to the points, the likest first; a source is named for the point it is likest to. Only give entries
/// that are approved.
#[must_use]
pub fn suggest(points: &[Point], knowledge: &[Entry], cases: &[Answered]) -> Vec<Suggestion> {
    let known = knowledge.iter().map(|entry| {
        let source = Source::Knowledge(entry.id.clone());
        let content = &entry.content;
        (
            Pairs::of(&content.question),
            &content.answer,
            content.basis.as_str(),
            source,
        )
    });
    let answered = cases.iter().map(|case| {
        let source = Source::Case(case.case.clone());
        (Pairs::of(&case.matter), &case.reply, "", source)
    });
    let sources: Vec<_> = known.chain(answered).collect();
    let mut all: Vec<Suggestion> = Vec::new();
    for (point, raised) in points.iter().enumerate() {
        let wanted = Pairs::of(&raised.at.words);
        for (question, text, basis, source) in &sources {
            // A short question within a long point counts as much as the reverse.
            let similarity = wanted.within(question).max(question.within(&wanted)) * 0.5
                + wanted.likeness(question) * 0.5;
            if similarity >= LEAST {
                all.push(Suggestion {
                    point,
                    text: (*text).clone(),
                    basis: (*basis).to_owned(),
                    source: source.clone(),
                    similarity,
                });
            }
        }
    }
    all.sort_by(|one, other| other.similarity.total_cmp(&one.similarity));
    let mut kept: Vec<Suggestion> = Vec::new();
    for suggestion in all {
        let for_point = |known: &&Suggestion| known.point == suggestion.point;
        let told = kept.iter().any(|known| known.source == suggestion.source);
        if !told && kept.iter().filter(for_point).count() < MOST {
            kept.push(suggestion);
        }
    }
    kept
}
