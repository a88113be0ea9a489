//! The points that posts raise, and what of a draft answers them.

use serde::Serialize;

use super::rules::{Rules, holds};
use super::sentence::{AMOUNT, DATE, Draft, NUMBERED, sentences};
use super::{Element, Finding, Kind, LIMIT, Post, Severity, Words};
use crate::likeness::Pairs;

/// Shares from which two sentences are one point.
const SAME: f64 = 0.7;
/// Fewest characters of a point.
const SHORTEST: usize = 5;
/// Longest sentence of a post that is but a greeting.
const LONGEST_GREETING: usize = 18;

/// What a point is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum PointKind {
    /// A question.
    Question,
    /// Something that is to be done.
    Demand,
    /// Something that is told.
    Matter,
}

impl PointKind {
    /// The name on pages.
    #[must_use]
    pub fn title(self) -> &'static str {
        match self {
            Self::Question => "问题",
            Self::Demand => "诉求",
            Self::Matter => "情况",
        }
    }
}

/// What a question asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Asks {
    /// A time.
    When,
    /// An amount.
    HowMuch,
    /// A unit or a way to it.
    Whom,
    /// A reason.
    Why,
}

impl Asks {
    /// The name on pages.
    #[must_use]
    pub fn title(self) -> &'static str {
        match self {
            Self::When => "时间",
            Self::HowMuch => "数额",
            Self::Whom => "找谁、怎么联系",
            Self::Why => "原因",
        }
    }
}

/// A point that the posts raise.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Point {
    /// What it is.
    pub kind: PointKind,
    /// Which post raises it first, from 0.
    pub post: usize,
    /// Whether it stands in that post's title; otherwise in its text.
    pub in_title: bool,
    /// Its words there.
    pub at: Words,
    /// For a question: what it asks for, where that can be told.
    pub asks: Option<Asks>,
    /// What of the draft answers it.
    pub answer: Option<Answer>,
}

/// A sentence of the draft that answers a point.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Answer {
    /// The sentence.
    pub at: Words,
    /// The share of the point's telling pairs of characters that the sentence, with the heading it stands under, has.
    pub similarity: f64,
}

/// The points of posts: questions and demands, numbered parts, titles, and sentences that tell of trouble; what is said
/// twice is one. The first are kept, questions and demands before what is told.
pub(super) fn points(posts: &[Post], draft: &Draft<'_>, rules: &Rules) -> Vec<Point> {
    let mut found: Vec<(Point, Pairs)> = Vec::new();
    for (post, written) in posts.iter().enumerate() {
        let text: String = written.text.chars().take(LIMIT).collect();
        for (in_title, text) in [(true, written.title.as_str()), (false, text.as_str())] {
            for sentence in sentences(text) {
                let length = sentence.length();
                let greets = length <= LONGEST_GREETING && holds(sentence.text, &rules.formula);
                let numbered = NUMBERED
                    .find(sentence.text)
                    .is_some_and(|number| number.start() == 0);
                let kind = if holds(sentence.text, &rules.question) {
                    PointKind::Question
                } else if holds(sentence.text, &rules.demand) {
                    PointKind::Demand
                } else if in_title || numbered || holds(sentence.text, &rules.matter) {
                    PointKind::Matter
                } else {
                    continue;
                };
                let pairs = Pairs::of(sentence.text);
                let leads_on = sentence.text.ends_with(['：', ':']);
                if length < SHORTEST || greets || leads_on || pairs.is_empty() {
                    continue;
                }
                let point = Point {
                    kind,
                    post,
                    in_title,
                    at: sentence.words(),
                    asks: asks(kind, sentence.text, rules),
                    answer: answer(&pairs, draft, rules),
                };
                let same = found.iter_mut().find(|(known, its)| {
                    pairs.within(its) >= SAME || (known.in_title && its.within(&pairs) >= SAME)
                });
                match same {
                    None => found.push((point, pairs)),
                    // The text says what its title says, and more.
                    Some((known, its)) if known.in_title && pairs.len() > its.len() => {
                        let kind = kind.min(known.kind);
                        *known = Point { kind, ..point };
                        *its = pairs;
                    }
                    Some((known, _)) if kind < known.kind => {
                        known.kind = kind;
                        known.asks = point.asks;
                    }
                    Some(_) => {}
                }
            }
        }
    }
    let mut points: Vec<Point> = found.into_iter().map(|(point, _)| point).collect();
    if points.len() > rules.most_points {
        points.sort_by_key(|point| point.kind);
        points.truncate(rules.most_points);
        points.sort_by_key(|point| (point.post, !point.in_title, point.at.start));
    }
    points
}

fn asks(kind: PointKind, sentence: &str, rules: &Rules) -> Option<Asks> {
    if kind != PointKind::Question {
        return None;
    }
    [
        (Asks::When, &rules.asks_when),
        (Asks::Whom, &rules.asks_whom),
        (Asks::Why, &rules.asks_why),
        (Asks::HowMuch, &rules.asks_how_much),
    ]
    .into_iter()
    .find(|(_, words)| holds(sentence, words))
    .map(|(asks, _)| asks)
}

/// The sentence that has most of the point; of those under one heading the one that has most itself.
fn answer(point: &Pairs, draft: &Draft<'_>, rules: &Rules) -> Option<Answer> {
    let similarities = draft.telling().map(|said| {
        let itself = point.within(&Pairs::of(said.sentence.text));
        (point.within(&said.pairs), itself, said)
    });
    let best = similarities.max_by(|one, other| {
        let by_heading = one.0.total_cmp(&other.0);
        let by_itself = by_heading.then(one.1.total_cmp(&other.1));
        by_itself.then(other.2.sentence.start.cmp(&one.2.sentence.start))
    });
    let (similarity, _, said) = best?;
    (similarity >= rules.answers_from).then(|| Answer {
        at: said.sentence.words(),
        similarity,
    })
}

/// What the points find missing. A matter that is told weighs less beside a question or demand, and where another is answered.
pub(super) fn findings(
    points: &[Point],
    draft: &Draft<'_>,
    elements: &[Element],
    rules: &Rules,
) -> Vec<Finding> {
    let asked = |point: &Point| point.kind != PointKind::Matter;
    let any_asked = points.iter().any(asked);
    let any_answered = points.iter().any(|point| point.answer.is_some());
    let mut findings = Vec::new();
    for (at, point) in points.iter().enumerate() {
        let (kind, advice) = match (&point.answer, point.asks) {
            (None, _) => (Kind::Unanswered, None),
            (Some(_), Some(asks)) if !has(asks, draft, elements, rules) => {
                let advice = format!("：来信问的是{}。", asks.title());
                (Kind::AskedOtherwise, Some(advice))
            }
            _ => continue,
        };
        let (severity, said) = rules.advice(kind);
        let severity = if asked(point) {
            severity
        } else if any_asked {
            Severity::May
        } else if any_answered {
            severity.max(Severity::Should)
        } else {
            severity
        };
        findings.push(Finding {
            kind,
            severity,
            at: None,
            point: Some(at),
            advice: format!("{said}{}", advice.unwrap_or_default()),
        });
    }
    findings
}

/// Whether the draft has what is asked for.
fn has(asks: Asks, draft: &Draft<'_>, elements: &[Element], rules: &Rules) -> bool {
    let element = |kind: Kind| elements.iter().any(|element| element.kind == kind);
    match asks {
        Asks::When => DATE.is_match(draft.body()),
        Asks::HowMuch => AMOUNT.is_match(draft.body()),
        Asks::Whom => element(Kind::Unit) || element(Kind::Contact),
        Asks::Why => holds(draft.body(), &rules.reason) || element(Kind::Basis),
    }
}
