//! The check of a draft that answers a case.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::openapi::{RefOr, Schema};
use utoipa::{PartialSchema, ToSchema};

use super::access::Caller;
use super::asked::{self, Asked, Body, Id};
use super::cases::seen;
use super::problem::Problem;
use crate::console::Console;
use crate::console::reply_check::{Against, Checked, of_case};
use crate::reply::suggest::{Source, Suggestion};
use crate::reply::{
    Answer, Asks, Element, Finding, Kind, LIMIT, Point, PointKind, Severity, Words,
};

/// What a draft is checked against.
#[derive(Debug)]
pub(super) struct AgainstName;

impl PartialSchema for AgainstName {
    fn schema() -> RefOr<Schema> {
        asked::names(Against::ALL.map(Against::name))
    }
}

impl ToSchema for AgainstName {}

/// A draft.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct NewDraft {
    /// Its text.
    #[schema(min_length = 1, max_length = 6_000)]
    draft: String,
}

/// Words of a text and where they stand, in characters.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Words)]
pub(super) struct WordsView {
    words: String,
    /// Where they begin.
    start: usize,
    /// Where they end: the place after the last.
    end: usize,
}

impl From<Words> for WordsView {
    fn from(words: Words) -> Self {
        Self {
            words: words.words,
            start: words.start,
            end: words.end,
        }
    }
}

/// A sentence of the draft that answers a point.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = PointAnswer)]
pub(super) struct AnswerView {
    at: WordsView,
    /// How much of the point it has, in `[0, 1]`.
    similarity: f64,
}

impl From<Answer> for AnswerView {
    fn from(answer: Answer) -> Self {
        Self {
            at: answer.at.into(),
            similarity: answer.similarity,
        }
    }
}

/// A point that the posts raise.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Point)]
pub(super) struct PointView {
    /// `question`, `demand` or `matter`.
    #[schema(value_type = String)]
    kind: PointKind,
    /// Its words in the post.
    at: WordsView,
    /// For a question: `when`, `how-much`, `whom` or `why`, where that can be told.
    #[schema(value_type = Option<String>)]
    asks: Option<Asks>,
    /// What of the draft answers it; absent where nothing does.
    answer: Option<AnswerView>,
}

impl From<Point> for PointView {
    fn from(point: Point) -> Self {
        Self {
            kind: point.kind,
            at: point.at.into(),
            asks: point.asks,
            answer: point.answer.map(AnswerView::from),
        }
    }
}

/// Something that an answer should have and the draft has.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Element)]
pub(super) struct ElementView {
    /// What it is, such as `basis`.
    #[schema(value_type = String)]
    kind: Kind,
    /// Where it stands first.
    at: WordsView,
}

impl From<Element> for ElementView {
    fn from(element: Element) -> Self {
        Self {
            kind: element.kind,
            at: element.at.into(),
        }
    }
}

/// Something to mend.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ReplyFinding)]
pub(super) struct FindingView {
    /// What it is about, such as `unanswered`.
    #[schema(value_type = String)]
    kind: Kind,
    /// `must`, `should` or `may`.
    #[schema(value_type = String)]
    severity: Severity,
    /// The words of the draft; absent where something is missing.
    at: Option<WordsView>,
    /// Which of the points, from 0.
    point: Option<usize>,
    /// What to do.
    advice: String,
}

impl From<Finding> for FindingView {
    fn from(finding: Finding) -> Self {
        Self {
            kind: finding.kind,
            severity: finding.severity,
            at: finding.at.map(WordsView::from),
            point: finding.point,
            advice: finding.advice,
        }
    }
}

/// What may be used in the draft. Exactly one of `knowledge` and `case` is there.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Suggestion)]
pub(super) struct SuggestionView {
    /// Which of the points it is for, from 0.
    point: usize,
    /// The answer that was given.
    text: String,
    /// What it rests on; may be empty.
    basis: String,
    /// Id of the entry of the knowledge base that it is from.
    knowledge: Option<String>,
    /// Id of the answered case that it is from.
    case: Option<String>,
    /// How alike its question and the point are, in `[0, 1]`.
    similarity: f64,
}

impl From<Suggestion> for SuggestionView {
    fn from(suggestion: Suggestion) -> Self {
        let (knowledge, case) = match suggestion.source {
            Source::Knowledge(id) => (Some(id), None),
            Source::Case(id) => (None, Some(id)),
        };
        Self {
            point: suggestion.point,
            text: suggestion.text,
            basis: suggestion.basis,
            knowledge,
            case,
            similarity: suggestion.similarity,
        }
    }
}

/// What there is to say of a draft. It advises: whoever drafts may leave a finding as it is.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct ReplyCheck {
    /// `posts`: the newest posts of the event. `gist`: its title and gist, as the posts are not to be had.
    #[schema(value_type = AgainstName)]
    against: &'static str,
    /// Whether nothing stands that must be mended.
    may_go_to_review: bool,
    /// The points of the posts, and what answers them.
    points: Vec<PointView>,
    /// What the draft has of what it should.
    elements: Vec<ElementView>,
    /// What to mend, the gravest first.
    findings: Vec<FindingView>,
    /// What may be used for the points, the likest first.
    suggestions: Vec<SuggestionView>,
    /// Probability that a reader marks the reply complete, in `[0, 1]`.
    complete: f64,
    /// Probability that a reader marks it explaining, in `[0, 1]`.
    explains: f64,
}

impl From<Checked> for ReplyCheck {
    fn from(checked: Checked) -> Self {
        let check = checked.check;
        Self {
            against: checked.against.name(),
            may_go_to_review: check.may_go_to_review(),
            points: check.points.into_iter().map(PointView::from).collect(),
            elements: check.elements.into_iter().map(ElementView::from).collect(),
            findings: check.findings.into_iter().map(FindingView::from).collect(),
            suggestions: (checked.suggestions.into_iter())
                .map(SuggestionView::from)
                .collect(),
            complete: check.complete,
            explains: check.explains,
        }
    }
}

/// Checks a draft against the posts of the case's event. It keeps nothing of the draft; that the posts were read is noted in
/// the audit.
#[utoipa::path(
    post,
    path = "/cases/{id}/reply-check",
    tag = "cases",
    params(("id" = String, Path, description = "The case's id")),
    request_body = NewDraft,
    responses((status = 200, description = "What there is to say of it", body = ReplyCheck))
)]
pub(super) async fn check(
    State(console): State<Arc<Console>>,
    caller: Caller,
    Id(id): Id,
    asked: Asked,
    Body(asks): Body<NewDraft>,
) -> Result<Json<ReplyCheck>, Problem> {
    asked.only(&[])?;
    asked::within("draft", &asks.draft, LIMIT)?;
    if asks.draft.is_empty() {
        return Err(Problem::Body {
            field: "draft".to_owned(),
            detail: "请填写回复稿。".to_owned(),
        });
    }
    let actor = caller.actor();
    let case = seen(&console, &id, &actor).await?;
    caller
        .audit(&console, "check-reply", &id, Timestamp::now())
        .await?;
    let checked = of_case(&console, &case, &asks.draft, &actor).await?;
    Ok(Json(checked.ok_or_else(Problem::no_region)?.into()))
}
