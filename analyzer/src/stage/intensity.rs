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
    /// The kind of each word, by its place.
    of: HashMap<String, usize>,
}

impl Intensity {
    /// The kinds of the rules.
    #[must_use]
    pub fn new(rules: &Rules) -> Self {
        let mut of = HashMap::new();
        for (place, kind) in rules.intensity.iter().enumerate() {
            for word in &kind.words {
                of.entry(word.clone()).or_insert(place);
            }
        }
        Self {
            kinds: rules.intensity.clone(),
            of,
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

    /// How intense the words of some posts are on the mean, in `[0, 1]`: the weights of their kinds, each times the part of the
    /// posts that use its most used word, added up to 1.
    #[must_use]
    pub fn value<'a>(&self, words: impl IntoIterator<Item = (&'a str, f64)>) -> f64 {
        let mut parts = vec![0.0_f64; self.kinds.len()];
        for (word, part) in words {
            if let Some(most) = self.of.get(word).and_then(|place| parts.get_mut(*place)) {
                *most = most.max(part);
            }
        }
        let weighed = self.kinds.iter().zip(parts);
        let sum: f64 = weighed.map(|(kind, part)| kind.weight * part).sum();
        sum.min(1.0)
    }
}
