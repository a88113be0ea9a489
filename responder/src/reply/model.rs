//! How likely a reader is to mark a reply complete (完整性) or explaining (可解释性): a logistic regression over a few numbers that
//! the check measures, so small that its weights can be read. How it was made and how far to trust it is in
//! `responder/model/CARD.md`.

use serde::{Deserialize, Serialize};

use super::sentence::{AMOUNT, BASIS, DATE, Draft};
use super::{Finding, Kind, Point, PointKind, Post};

/// The weights that are built in.
const SHIPPED: &str = include_str!("../../model/reply.toml");

/// What is measured of a reply and the posts it answers.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize)]
pub struct Measures {
    /// Characters of what it says beside greeting and thanks, as a natural logarithm.
    pub length: f64,
    /// Sentences of these, likewise.
    pub sentences: f64,
    /// Characters of the posts, likewise.
    pub post_length: f64,
    /// The first against the third.
    pub length_for_post: f64,
    /// Laws, regulations and documents named, at most four.
    pub bases: f64,
    /// Dates and terms named, at most six.
    pub dates: f64,
    /// Amounts named, at most six.
    pub amounts: f64,
    /// The share of the points that it answers.
    pub answered: f64,
    /// The same of questions and demands alone; that of all points where there are none.
    pub answered_asked: f64,
    /// Phrases that promise nothing in particular, and empty ones, at most four.
    pub vague: f64,
}

/// One of the [`Measures`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[allow(missing_docs, reason = "each is the field of that name")]
pub enum Measure {
    Length,
    Sentences,
    PostLength,
    LengthForPost,
    Bases,
    Dates,
    Amounts,
    Answered,
    AnsweredAsked,
    Vague,
}

impl Measure {
    /// All of them.
    pub const ALL: [Self; 10] = [
        Self::Length,
        Self::Sentences,
        Self::PostLength,
        Self::LengthForPost,
        Self::Bases,
        Self::Dates,
        Self::Amounts,
        Self::Answered,
        Self::AnsweredAsked,
        Self::Vague,
    ];
}

impl Measures {
    /// The value of one.
    #[must_use]
    pub fn get(&self, measure: Measure) -> f64 {
        match measure {
            Measure::Length => self.length,
            Measure::Sentences => self.sentences,
            Measure::PostLength => self.post_length,
            Measure::LengthForPost => self.length_for_post,
            Measure::Bases => self.bases,
            Measure::Dates => self.dates,
            Measure::Amounts => self.amounts,
            Measure::Answered => self.answered,
            Measure::AnsweredAsked => self.answered_asked,
            Measure::Vague => self.vague,
        }
    }

    pub(super) fn of(
        posts: &[Post],
        draft: &Draft<'_>,
        points: &[Point],
        findings: &[Finding],
    ) -> Self {
        let said = || draft.said.iter().filter(|said| !said.formula);
        let length: usize = said().map(|said| said.sentence.length()).sum();
        let posted: usize = (posts.iter())
            .map(|post| post.title.chars().count() + post.text.chars().count())
            .sum();
        let logarithm = |count: usize| (1.0 + count as f64).ln();
        let most = |count: usize, most: usize| count.min(most) as f64;
        let asked: Vec<&Point> = (points.iter())
            .filter(|point| point.kind != PointKind::Matter)
            .collect();
        let all: Vec<&Point> = points.iter().collect();
        let answered = share_answered(&all);
        let vague = |finding: &&Finding| {
            matches!(finding.kind, Kind::Vague | Kind::Empty | Kind::OnlyEmpty)
        };
        let body = draft.body();
        Self {
            length: logarithm(length),
            sentences: logarithm(said().count()),
            post_length: logarithm(posted),
            length_for_post: logarithm(length) - logarithm(posted),
            bases: most(BASIS.find_iter(body).count(), 4),
            dates: most(DATE.find_iter(body).count(), 6),
            amounts: most(AMOUNT.find_iter(body).count(), 6),
            answered,
            answered_asked: if asked.is_empty() {
                answered
            } else {
                share_answered(&asked)
            },
            vague: most(findings.iter().filter(vague).count(), 4),
        }
    }
}

fn share_answered(points: &[&Point]) -> f64 {
    let answered = points.iter().filter(|point| point.answer.is_some()).count();
    if points.is_empty() {
        0.0
    } else {
        answered as f64 / points.len() as f64
    }
}

/// What one measure adds.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Term {
    /// The measure.
    pub measure: Measure,
    /// Its mean over the replies it was trained with.
    pub mean: f64,
    /// Its standard deviation there.
    pub scale: f64,
    /// What one standard deviation above the mean adds to the log-odds.
    pub weight: f64,
}

/// How one mark follows from the measures.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Mark {
    /// Log-odds at the means.
    pub bias: f64,
    /// The terms.
    pub term: Vec<Term>,
}

impl Mark {
    /// The probability of the mark, in `[0, 1]`.
    #[must_use]
    pub fn probability(&self, measures: &Measures) -> f64 {
        let terms: f64 = (self.term.iter())
            .map(|term| term.weight * (measures.get(term.measure) - term.mean) / term.scale)
            .sum();
        1.0 / (1.0 + (-self.bias - terms).exp())
    }
}

/// The weights of both marks.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Model {
    /// 完整性.
    pub complete: Mark,
    /// 可解释性.
    pub explains: Mark,
}

impl Model {
    /// The model that is built in.
    ///
    /// # Errors
    /// When its file is at fault, which no build that passes its tests is.
    pub fn shipped() -> Result<Self, toml::de::Error> {
        toml::from_str(SHIPPED)
    }

    /// The model as a file, its numbers rounded to four digits.
    #[must_use]
    pub fn to_file(&self) -> String {
        let mut file = String::from(
            "# Made by `responder reply-check train`; see CARD.md. A reply's log-odds are bias + weight * (measure - mean) / scale.\n",
        );
        for (name, mark) in [("complete", &self.complete), ("explains", &self.explains)] {
            file.push_str(&format!("\n[{name}]\nbias = {:.4}\n", mark.bias));
            for term in &mark.term {
                let measure = format!("{:?}", term.measure);
                file.push_str(&format!(
                    "\n[[{name}.term]]\nmeasure = \"{}\"\nmean = {:.4}\nscale = {:.4}\nweight = {:.4}\n",
                    kebab(&measure),
                    term.mean,
                    term.scale,
                    term.weight
                ));
            }
        }
        file
    }
}

fn kebab(name: &str) -> String {
    let mut kebab = String::new();
    for character in name.chars() {
        if character.is_uppercase() && !kebab.is_empty() {
            kebab.push('-');
        }
        kebab.push(character.to_ascii_lowercase());
    }
    kebab
}
