//! Intensity: words of harm and urgency, which make a matter graver than its subject alone.

use std::collections::HashMap;

use crate::rules::{Kind, Rules};
use crate::stage::lexicon::{Found, Sense};
use crate::stage::segment::Words;

/// What denies a word of harm before it, or says that it is to be kept off.
const DENIALS: [&str; 11] = [
    "没有", "没", "无", "未", "不", "避免", "杜绝", "防止", "防范", "防", "反",
];
/// What ends like one and denies nothing.
const NO_DENIALS: [&str; 4] = ["动不动", "时不时", "要不", "消防"];
/// What may stand between: 没有发生人员伤亡.
const BETWEEN: [&str; 10] = [
    "人员", "任何", "人", "发生", "造成", "出现", "导致", "存在", "再", "过",
];
/// What follows where nothing has happened: 死亡证明, 火灾演练.
const NOT_OF_HARM: [&str; 4] = ["证明", "演练", "知识", "宣传"];

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
    pub fn read<'a>(
        &'a self,
        words: &mut Words<'a>,
        found: &[Found],
    ) -> Vec<(Found, &'a str, &'a Kind)> {
        let text = words.text();
        let mut read: Vec<(Found, &str, &Kind)> = Vec::new();
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
            let is_known = read.iter().any(|(known, written, of)| {
                *written == said || (of.name == kind.name && word.end <= known.end)
            });
            if is_known || is_denied(text, word) || words.crosses(word.start..word.end) {
                continue;
            }
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

/// Whether it is said that it did not happen, or is not to.
fn is_denied(text: &str, word: &Found) -> bool {
    let after = text.get(word.end..).unwrap_or_default();
    let mut before = text.get(..word.start).unwrap_or_default();
    while let Some(rest) = BETWEEN
        .iter()
        .find_map(|between| before.strip_suffix(between))
    {
        before = rest;
    }
    let ends = |with: &[&str]| with.iter().any(|end| before.ends_with(end));
    (ends(&DENIALS) && !ends(&NO_DENIALS))
        || NOT_OF_HARM.iter().any(|thing| after.starts_with(thing))
}
