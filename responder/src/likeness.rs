//! How alike two Chinese texts are: by the pairs of neighbouring characters that they share. Needs no dictionary,
//! and the same on every machine.

use std::collections::{BTreeMap, BTreeSet};

/// Characters that tell little of a matter; a pair with one of them counts for a part, a pair of two for nothing.
const FAINT: &str = "的了是在和与及有我你您他她们这那个不也就都很还又到从为以对于中上下可能会要把被给让吗呢吧啊请问";
const FAINT_SHARE: f64 = 0.3;

/// A pair of neighbouring characters.
pub type Pair = [char; 2];

/// The telling pairs of a text, each with how much it counts.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Pairs(BTreeMap<Pair, f64>);

impl Pairs {
    /// The pairs of a text. Width and case of Latin letters and digits do not matter.
    #[must_use]
    pub fn of(text: &str) -> Self {
        let mut pairs = Self::default();
        pairs.add(text);
        pairs
    }

    /// Adds those of another text.
    pub fn add(&mut self, text: &str) {
        let mut before: Option<char> = None;
        for character in text.chars().map(narrow) {
            if !character.is_alphanumeric() {
                before = None;
                continue;
            }
            if let Some(before) = before {
                let faint = [before, character]
                    .into_iter()
                    .filter(|one| FAINT.contains(*one))
                    .count();
                match faint {
                    0 => self.0.insert([before, character], 1.0),
                    1 => self.0.insert([before, character], FAINT_SHARE),
                    _ => None,
                };
            }
            before = Some(character);
        }
    }

    /// Adds the pairs of another.
    pub fn join(&mut self, other: &Self) {
        self.0.extend(&other.0);
    }

    /// The pairs alone.
    pub fn iter(&self) -> impl Iterator<Item = &Pair> {
        self.0.keys()
    }

    /// How many there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The share of these that the other text has too, in `[0, 1]`.
    #[must_use]
    pub fn within(&self, other: &Self) -> f64 {
        self.within_by(other, |_| 1.0)
    }

    /// The same, each pair counting as much more as `rarity` says.
    #[must_use]
    pub fn within_by(&self, other: &Self, rarity: impl Fn(&Pair) -> f64) -> f64 {
        let (mut shared, mut all) = (0.0, 0.0);
        for (pair, counts) in &self.0 {
            let counts = counts * rarity(pair);
            all += counts;
            if other.0.contains_key(pair) {
                shared += counts;
            }
        }
        if all > 0.0 { shared / all } else { 0.0 }
    }

    /// How alike the two are, in `[0, 1]`: what they share against what either has.
    #[must_use]
    pub fn likeness(&self, other: &Self) -> f64 {
        let shared: f64 = (self.0.iter())
            .filter(|(pair, _)| other.0.contains_key(*pair))
            .map(|(_, counts)| counts)
            .sum();
        let all = self.weight() + other.weight() - shared;
        if all > 0.0 { shared / all } else { 0.0 }
    }

    fn weight(&self) -> f64 {
        self.0.values().sum()
    }
}

fn narrow(character: char) -> char {
    let narrowed = match character {
        '！'..='～' => char::from_u32(u32::from(character) - 0xfee0).unwrap_or(character),
        other => other,
    };
    narrowed.to_ascii_lowercase()
}

/// Texts that are alike, in groups: a text joins the first group whose founder it is like. Groups and their members are in the
/// order of the texts.
#[must_use]
pub fn groups(texts: &[Pairs], least: f64) -> Vec<Vec<usize>> {
    let mut groups: Vec<Vec<usize>> = Vec::new();
    // Only those that share a pair with a text can be like it.
    let mut holding: BTreeMap<Pair, Vec<usize>> = BTreeMap::new();
    for (at, pairs) in texts.iter().enumerate() {
        let near: BTreeSet<usize> = (pairs.iter())
            .filter_map(|pair| holding.get(pair))
            .flatten()
            .copied()
            .collect();
        let joined = near.into_iter().find(|group| {
            let founder = groups.get(*group).and_then(|group| group.first());
            let founder = founder.and_then(|founder| texts.get(*founder));
            founder.is_some_and(|founder| founder.likeness(pairs) >= least)
        });
        if let Some(group) = joined.and_then(|group| groups.get_mut(group)) {
            group.push(at);
        } else {
            for pair in pairs.iter() {
                holding.entry(*pair).or_default().push(groups.len());
            }
            groups.push(vec![at]);
        }
    }
    groups
}
