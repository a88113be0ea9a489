//! Intensity: words of harm and urgency, which make a matter graver than its subject alone.

use std::collections::HashMap;

use crate::rules::{Kind, Rules};
use crate::stage::lexicon::{Found, Sense};

/// What denies a word of harm right before it.
const DENIALS: [&str; 9] = [
    "没有",
    "无",
    "未",
    "不存在",
    "未造成",
    "没有人",
    "无人",
    "未发生",
    "避免",
];

/// The kinds of harm.
#[derive(Debug)]
pub struct Intensity {
    kinds: Vec<Kind>,
    weights: HashMap<String, f64>,
}

impl Intensity {
    /// The kinds of the rules.
    #[must_use]
    pub fn new(rules: &Rules) -> Self {
        let mut weights: HashMap<String, f64> = HashMap::new();
        for kind in &rules.intensity {
            for word in &kind.words {
                let weight = weights.entry(word.clone()).or_default();
                *weight = weight.max(kind.weight);
            }
        }
        Self {
            kinds: rules.intensity.clone(),
            weights,
        }
    }

    /// The words found that are not denied, each once, the gravest first, with their kinds' names.
    #[must_use]
    pub fn read<'a>(&'a self, text: &'a str, found: &[Found]) -> Vec<(Found, &'a str, &'a Kind)> {
        let mut read: Vec<(Found, &str, &Kind)> = Vec::new();
        let mut end = 0;
        for word in found {
            let Sense::Intensity(index) = word.sense else {
                continue;
            };
            let (Some(kind), Some(said)) = (
                self.kinds.get(usize::from(index)),
                text.get(word.start..word.end),
            ) else {
                continue;
            };
            let before = text.get(..word.start).unwrap_or_default();
            let denied = DENIALS.iter().any(|denial| {
                before.ends_with(denial)
                    || before
                        .strip_suffix("人员")
                        .is_some_and(|before| before.ends_with(denial))
            });
            if word.end <= end || denied || read.iter().any(|(_, known, _)| *known == said) {
                continue;
            }
            end = word.end;
            read.push((*word, said, kind));
        }
        read.sort_by(|one, other| other.2.weight.total_cmp(&one.2.weight));
        read
    }

    /// How intense the words are together, in `[0, 1]`: their kinds' weights, added up to 1.
    #[must_use]
    pub fn value<'a>(&self, words: impl IntoIterator<Item = &'a str>) -> f64 {
        words
            .into_iter()
            .filter_map(|word| self.weights.get(word))
            .fold(0.0, |sum: f64, weight| (sum + weight).min(1.0))
    }
}
