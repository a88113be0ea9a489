//! What there is to say of a reply, or of the draft of one.

use crate::console::reply_check::{Against, Checked};
use crate::reply::draft::Drafted;
use crate::reply::suggest::Source;
use crate::reply::{Finding, Severity};

/// What the check says of the reply, or of a draft.
pub(super) struct CheckLines {
    /// Whether nothing stands that must be mended.
    pub(super) good: bool,
    /// How many points of the posts it answers, and of how many.
    pub(super) answered: usize,
    pub(super) points: usize,
    /// Whether the posts could not be had.
    pub(super) by_gist: bool,
    pub(super) findings: Vec<FindingLine>,
    pub(super) suggestions: Vec<SuggestionLine>,
}

/// Something to mend.
pub(super) struct FindingLine {
    pub(super) severity: &'static str,
    pub(super) must: bool,
    pub(super) title: &'static str,
    /// The words of the draft, or those of the posts that it does not answer; empty where something is missing.
    pub(super) words: String,
    pub(super) advice: String,
}

/// A text that may be used, and where it comes from.
pub(super) struct SuggestionLine {
    pub(super) text: String,
    pub(super) source: &'static str,
    /// The case that it comes from; empty where that is the knowledge base.
    pub(super) case: String,
}

pub(super) fn check_lines(checked: Checked) -> CheckLines {
    let check = checked.check;
    let points = &check.points;
    // What is missing stands in the posts, not in the draft.
    let words = |finding: &Finding| match (&finding.at, finding.point) {
        (Some(at), _) => at.words.clone(),
        (None, Some(point)) => (points.get(point))
            .map(|point| point.at.words.clone())
            .unwrap_or_default(),
        (None, None) => String::new(),
    };
    CheckLines {
        good: check.may_go_to_review(),
        answered: (check.points.iter())
            .filter(|point| point.answer.is_some())
            .count(),
        points: check.points.len(),
        by_gist: checked.against == Against::Gist,
        findings: (check.findings.iter())
            .map(|finding| FindingLine {
                severity: finding.severity.title(),
                must: finding.severity == Severity::Must,
                title: finding.kind.title(),
                words: words(finding),
                advice: finding.advice.clone(),
            })
            .collect(),
        suggestions: (checked.suggestions.into_iter())
            .map(|suggestion| {
                let (source, case) = match suggestion.source {
                    Source::Case(id) => ("已答复案件", id),
                    Source::Knowledge(_) => ("政策咨询问答库", String::new()),
                };
                SuggestionLine {
                    text: suggestion.text,
                    source,
                    case,
                }
            })
            .collect(),
    }
}

/// A draft by a language model.
pub(super) struct DraftLines {
    pub(super) model: String,
    /// From how many texts of the knowledge base and of answered cases.
    pub(super) sources: usize,
    /// Dates, amounts, documents and numbers without a source.
    pub(super) unsupported: Vec<String>,
}

pub(super) fn draft_lines(drafted: &Drafted) -> DraftLines {
    let unsupported = drafted.unsupported.iter();
    DraftLines {
        model: drafted.model.clone(),
        sources: drafted.sources.len(),
        unsupported: unsupported.map(|one| one.words.clone()).collect(),
    }
}
