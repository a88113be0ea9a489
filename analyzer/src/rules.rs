//! The words that tell what a post is about, how its writer feels and how grave it is: data in the
//! folder of rules that regions share, so that a county can mend them without code.

use std::collections::BTreeMap;
use std::path::Path;

use backbone::settings::{Flaw, SettingsError, faultless, load};
use serde::Deserialize;

/// The contents of a folder of rules.
#[derive(Debug, Clone)]
pub struct Rules {
    /// `subjects.toml`: second-level subjects of each first-level one.
    pub subjects: BTreeMap<String, Vec<Second>>,
    /// `opinion.toml`.
    pub opinion: Opinion,
    /// `intensity.toml`.
    pub intensity: Vec<Kind>,
    /// `divisions.tsv`: names of provinces, cities and counties.
    pub divisions: Vec<String>,
}

/// A second-level subject and the words that tell it.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Second {
    /// Its name.
    pub name: String,
    /// Words that tell it.
    pub words: Vec<String>,
}

/// A kind of harm or urgency.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Kind {
    /// Its name.
    pub name: String,
    /// What a word of it adds to the risk term, in `[0, 1]`.
    pub weight: f64,
    /// Its words.
    pub words: Vec<String>,
}

/// Words by which feeling and wish show; `opinion.toml` says what each list is.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
#[allow(missing_docs, reason = "the file itself explains its lists")]
pub struct Opinion {
    pub praise: Vec<String>,
    pub thanks: Vec<String>,
    pub formula: Vec<String>,
    pub solved: Vec<String>,
    pub blame: Vec<String>,
    pub trouble: Vec<String>,
    pub negation: Vec<String>,
    pub strong: Vec<String>,
    pub weak: Vec<String>,
    pub contrast: Vec<String>,
    pub concession: Vec<String>,
    pub sarcasm: Vec<String>,
    pub quote: Vec<String>,
    pub question: Vec<String>,
    pub reproach: Vec<String>,
    pub suggestion: Vec<String>,
    pub plea: Vec<String>,
    pub report: Vec<String>,
    pub complaint: Vec<String>,
    pub notice: Vec<String>,
    pub again: Vec<String>,
    pub comparison: Vec<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Intensity {
    kind: Vec<Kind>,
}

impl Intensity {
    fn check(&self) -> Vec<Flaw> {
        (self.kind.iter().enumerate())
            .filter(|(_, kind)| !(0.0..=1.0).contains(&kind.weight))
            .map(|(index, kind)| {
                let flaw = format!("`weight` of the kind {} must be 0 to 1", kind.name);
                Flaw::from(flaw).of(format!("kind[{index}]"))
            })
            .collect()
    }
}

/// A kind of cue: a list of `opinion.toml`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[allow(missing_docs, reason = "opinion.toml explains its lists")]
pub enum Cue {
    Praise,
    Thanks,
    Formula,
    Solved,
    Blame,
    Trouble,
    Negation,
    Strong,
    Weak,
    Contrast,
    Concession,
    Sarcasm,
    Quote,
    Question,
    Reproach,
    Suggestion,
    Plea,
    Report,
    Complaint,
    Notice,
    Again,
    Comparison,
}

/// How many kinds of cues there are.
pub const CUES: usize = Cue::Comparison as usize + 1;

impl Cue {
    /// Every kind with its list.
    #[must_use]
    pub fn lists(opinion: &Opinion) -> [(Self, &Vec<String>); CUES] {
        [
            (Self::Praise, &opinion.praise),
            (Self::Thanks, &opinion.thanks),
            (Self::Formula, &opinion.formula),
            (Self::Solved, &opinion.solved),
            (Self::Blame, &opinion.blame),
            (Self::Trouble, &opinion.trouble),
            (Self::Negation, &opinion.negation),
            (Self::Strong, &opinion.strong),
            (Self::Weak, &opinion.weak),
            (Self::Contrast, &opinion.contrast),
            (Self::Concession, &opinion.concession),
            (Self::Sarcasm, &opinion.sarcasm),
            (Self::Quote, &opinion.quote),
            (Self::Question, &opinion.question),
            (Self::Reproach, &opinion.reproach),
            (Self::Suggestion, &opinion.suggestion),
            (Self::Plea, &opinion.plea),
            (Self::Report, &opinion.report),
            (Self::Complaint, &opinion.complaint),
            (Self::Notice, &opinion.notice),
            (Self::Again, &opinion.again),
            (Self::Comparison, &opinion.comparison),
        ]
    }

    /// Whether it is good or bad; nothing where it is neither.
    #[must_use]
    pub fn feels(self) -> Option<bool> {
        match self {
            Self::Praise | Self::Thanks | Self::Solved => Some(true),
            Self::Blame | Self::Trouble => Some(false),
            _ => None,
        }
    }
}

impl Rules {
    /// Reads a folder of rules.
    ///
    /// # Errors
    /// Names the file, the entry at fault and the remedy.
    pub fn load(folder: &Path) -> Result<Self, SettingsError> {
        faultless(|problems| {
            let subjects = load(
                &folder.join("subjects.toml"),
                |_| Vec::<Flaw>::new(),
                problems,
            );
            let opinion = load(
                &folder.join("opinion.toml"),
                |_| Vec::<Flaw>::new(),
                problems,
            );
            let intensity = load(&folder.join("intensity.toml"), Intensity::check, problems);
            let divisions = folder.join("divisions.tsv");
            let divisions = problems.tried(&divisions, divisions_of(&divisions));
            Some(Self {
                subjects: subjects?,
                opinion: opinion?,
                intensity: intensity?.kind,
                divisions: divisions?,
            })
        })
    }
}

/// The first column of `divisions.tsv`; lines that begin with # are comments.
fn divisions_of(path: &Path) -> Result<Vec<String>, csv::Error> {
    csv::ReaderBuilder::new()
        .delimiter(b'\t')
        .comment(Some(b'#'))
        .from_path(path)?
        .into_records()
        .map(|record| Ok(record?.get(0).unwrap_or_default().to_owned()))
        .collect()
}
