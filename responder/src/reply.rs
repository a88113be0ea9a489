//! Reply check: what a draft to the people lacks or should not say, before anyone reviews it.
//!
//! The posts are taken apart into points, and for each the sentence of the draft that answers it is sought; then the
//! draft is read for what every answer should have (a unit, a basis, a contact, a date, a next step, courtesy) and for
//! what none should (personal data, empty phrases, blame, the language of offices). Each finding says which words it
//! is about and what to do. Two probabilities, that a reader would mark the reply complete (完整性) and explaining
//! (可解释性), come from a few numbers measured on the way, see [`model`]. It advises; whoever drafts may leave a finding as it is.
//!
//! Everything but [`Checks::load`] and [`command`] is pure. Words, severities and advice are data, `reply.toml` in the region's folder of rules.

mod checks;
pub mod command;
pub mod draft;
mod element;
pub mod model;
mod phrase;
mod point;
mod rules;
mod sentence;
pub mod suggest;
pub mod train;

use serde::{Deserialize, Serialize};

pub use checks::Checks;
use model::{Measures, Model};
pub use point::{Answer, Asks, Point, PointKind};
pub use rules::{Advice, Rules};
use sentence::Draft;

/// Characters of a post or draft that are read, at most.
pub const LIMIT: usize = 6_000;

/// A post that is answered, masked as it was collected.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Post {
    /// Its title; may be empty.
    #[serde(default)]
    pub title: String,
    /// Its text.
    pub text: String,
}

/// What a finding is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// A point of the posts has no answer.
    Unanswered,
    /// A question is answered, but not what it asks: when, how much, whom, why.
    AskedOtherwise,
    /// No unit is named.
    Unit,
    /// No law, regulation or document is named.
    Basis,
    /// No office line and no address is named.
    Contact,
    /// No date and no term is named.
    Date,
    /// Nothing is said of what comes next.
    NextStep,
    /// It does not greet.
    Greeting,
    /// It does not thank.
    Thanks,
    /// It says 你 to the writer.
    Address,
    /// A sentence is too long.
    LongSentence,
    /// The language of offices.
    Officialese,
    /// A mobile, identity or card number, a plate, a person's mail address.
    Personal,
    /// The name of a writer or another person.
    Name,
    /// An empty phrase and nothing else.
    OnlyEmpty,
    /// An empty phrase.
    Empty,
    /// A phrase that promises nothing in particular.
    Vague,
    /// Blame of the writer.
    Blame,
}

impl Kind {
    /// All kinds.
    pub const ALL: [Self; 18] = [
        Self::Unanswered,
        Self::AskedOtherwise,
        Self::Unit,
        Self::Basis,
        Self::Contact,
        Self::Date,
        Self::NextStep,
        Self::Greeting,
        Self::Thanks,
        Self::Address,
        Self::LongSentence,
        Self::Officialese,
        Self::Personal,
        Self::Name,
        Self::OnlyEmpty,
        Self::Empty,
        Self::Vague,
        Self::Blame,
    ];

    /// The name on pages.
    #[must_use]
    pub fn title(self) -> &'static str {
        match self {
            Self::Unanswered => "未答到的问题",
            Self::AskedOtherwise => "答非所问",
            Self::Unit => "缺责任单位",
            Self::Basis => "缺依据",
            Self::Contact => "缺联系方式",
            Self::Date => "缺日期期限",
            Self::NextStep => "缺下一步",
            Self::Greeting => "缺问候",
            Self::Thanks => "缺致谢",
            Self::Address => "称呼",
            Self::LongSentence => "长句",
            Self::Officialese => "公文腔",
            Self::Personal => "个人信息",
            Self::Name => "个人姓名",
            Self::OnlyEmpty => "没有实质内容",
            Self::Empty => "空话",
            Self::Vague => "笼统",
            Self::Blame => "责怪来信人",
        }
    }
}

/// How much a finding matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Severity {
    /// Not to be sent like this.
    Must,
    /// Should be mended.
    Should,
    /// Reads better when mended.
    May,
}

impl Severity {
    /// The name on pages.
    #[must_use]
    pub fn title(self) -> &'static str {
        match self {
            Self::Must => "必须改",
            Self::Should => "应当改",
            Self::May => "可以改",
        }
    }
}

/// Words of a text and where they stand, in characters.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Words {
    /// The words.
    pub words: String,
    /// Where they begin.
    pub start: usize,
    /// Where they end: the place after the last.
    pub end: usize,
}

/// Something to mend.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// What it is about.
    pub kind: Kind,
    /// How much it matters.
    pub severity: Severity,
    /// The words of the draft; absent where something is missing.
    pub at: Option<Words>,
    /// For [`Kind::Unanswered`] and [`Kind::AskedOtherwise`]: which of the points.
    pub point: Option<usize>,
    /// What to do, for the person who drafts.
    pub advice: String,
}

/// Something that an answer should have and the draft has.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Element {
    /// What it is, by the finding that would tell of its absence.
    pub kind: Kind,
    /// Where it stands first.
    pub at: Words,
}

/// What there is to say of a draft.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Check {
    /// The points of the posts, and what answers them.
    pub points: Vec<Point>,
    /// What the draft has of what it should.
    pub elements: Vec<Element>,
    /// What to mend, the gravest first, then in the order of the draft.
    pub findings: Vec<Finding>,
    /// What was measured for the probabilities.
    pub measures: Measures,
    /// Probability that a reader marks the reply complete, in `[0, 1]`.
    pub complete: f64,
    /// Probability that a reader marks it explaining, in `[0, 1]`.
    pub explains: f64,
}

impl Check {
    /// Whether nothing stands that must be mended.
    #[must_use]
    pub fn may_go_to_review(&self) -> bool {
        let must = |finding: &Finding| finding.severity == Severity::Must;
        !self.findings.iter().any(must)
    }
}

/// Checks a draft that answers posts. `units` are the names by which the region's units are known.
#[must_use]
pub fn check(posts: &[Post], draft: &str, units: &[&str], rules: &Rules, model: &Model) -> Check {
    let text: String = draft.chars().take(LIMIT).collect();
    let draft = Draft::of(&text, rules);
    let points = point::points(posts, &draft, rules);
    let elements = element::elements(&draft, units, rules);
    let mut findings = point::findings(&points, &draft, &elements, rules);
    findings.extend(element::findings(&draft, &elements, rules));
    findings.extend(phrase::findings(&draft, rules));
    let place = |finding: &Finding| finding.at.as_ref().map_or(0, |at| at.start);
    findings.sort_by_key(|finding| (finding.severity, place(finding), finding.kind));
    let measures = Measures::of(posts, &draft, &points, &findings);
    Check {
        complete: model.complete.probability(&measures),
        explains: model.explains.probability(&measures),
        points,
        elements,
        findings,
        measures,
    }
}
