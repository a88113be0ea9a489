//! Lexicon: every word that any stage looks for, found in one pass over the text.

use std::collections::HashMap;

use anyhow::Context;
use backbone::region::Region;
use daachorse::{CharwiseDoubleArrayAhoCorasick, CharwiseDoubleArrayAhoCorasickBuilder};

use crate::rules::{Cue, Rules};
use crate::stage::clean::Cleaned;

/// What a word stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Sense {
    /// The region itself.
    Region,
    /// Another name of the region that counts only beside another sign.
    WeakRegion,
    /// The place at this index of the gazetteer.
    Place(u32),
    /// The same by a name that counts only beside another sign.
    ShortPlace(u32),
    /// A larger place: no sign of relevance alone.
    Parent,
    /// A place of the country that is none of these.
    Elsewhere,
    /// A string in which a name is no name.
    Trap,
    /// The unit at this index, by a name of its own.
    Unit(u32),
    /// A word that tells that a matter is that unit's.
    Duty(u32),
    /// A word of the second-level subject at this index of [`Lexicon::seconds`].
    Subject(u16),
    /// A word of the kind of harm at this index.
    Intensity(u16),
    /// A cue of opinion.
    Cue(Cue),
}

/// A word found: bytes `start` to `end` of the cleaned text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Found {
    /// Its first byte.
    pub start: usize,
    /// The byte after it.
    pub end: usize,
    /// What it stands for.
    pub sense: Sense,
}

/// A second-level subject of the rules.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SecondSubject {
    /// Index of its first level in [`backbone::region::SUBJECTS`].
    pub first: usize,
    /// Its own name.
    pub name: String,
}

/// All words of a region and of the rules, ready for search.
pub struct Lexicon {
    automaton: CharwiseDoubleArrayAhoCorasick<u32>,
    /// The senses of each word.
    senses: Vec<Vec<Sense>>,
    /// The second-level subjects.
    pub seconds: Vec<SecondSubject>,
}

impl std::fmt::Debug for Lexicon {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "Lexicon of {} words", self.senses.len())
    }
}

impl Lexicon {
    /// The words of a region, if any, and of the rules.
    ///
    /// # Errors
    /// When the automaton cannot be built.
    pub fn new(region: Option<&Region>, rules: &Rules) -> anyhow::Result<Self> {
        let mut words = Words::default();
        let mut seconds = Vec::new();
        for (name, below) in &rules.subjects {
            let first = backbone::region::SUBJECTS
                .iter()
                .position(|known| known == name)
                .with_context(|| {
                    format!(
                        "subjects.toml has the unknown subject `{name}`; known are {}",
                        backbone::region::SUBJECTS.join(" ")
                    )
                })?;
            for second in below {
                words.add(&second.words, Sense::Subject(u16::try_from(seconds.len())?));
                seconds.push(SecondSubject {
                    first,
                    name: second.name.clone(),
                });
            }
        }
        for (kind, index) in rules.intensity.iter().zip(0..) {
            words.add(&kind.words, Sense::Intensity(index));
        }
        for (cue, list) in Cue::lists(&rules.opinion) {
            words.add(list, Sense::Cue(cue));
        }
        if let Some(region) = region {
            words.add_region(region, rules)?;
        }
        let patterns: Vec<(&str, u32)> = words.order.iter().map(String::as_str).zip(0..).collect();
        let automaton = CharwiseDoubleArrayAhoCorasickBuilder::new()
            .build_with_values(patterns)
            .map_err(|error| anyhow::anyhow!("the words make no automaton: {error}"))?;
        Ok(Self {
            automaton,
            senses: words.senses,
            seconds,
        })
    }

    /// Every word of the text, from left to right, the longer first where two begin together.
    #[must_use]
    pub fn find(&self, cleaned: &Cleaned) -> Vec<Found> {
        let mut found: Vec<Found> = Vec::with_capacity(cleaned.length() / 2);
        for hit in self.automaton.find_overlapping_iter(&cleaned.text) {
            let senses = self.senses.get(hit.value() as usize).into_iter().flatten();
            found.extend(senses.map(|sense| Found {
                start: hit.start(),
                end: hit.end(),
                sense: *sense,
            }));
        }
        found.sort_unstable_by_key(|found| (found.start, std::cmp::Reverse(found.end)));
        found
    }
}

/// Words as they are written in cleaned texts, each once, with all their senses.
#[derive(Default)]
struct Words {
    order: Vec<String>,
    numbers: HashMap<String, usize>,
    senses: Vec<Vec<Sense>>,
}

impl Words {
    fn add<'a>(&mut self, words: impl IntoIterator<Item = &'a String>, sense: Sense) {
        for word in words {
            self.add_word(word, sense);
        }
    }

    fn add_word(&mut self, word: &str, sense: Sense) {
        let word = Cleaned::of("", word).text;
        if word.is_empty() {
            return;
        }
        let number = *self.numbers.entry(word.clone()).or_insert_with(|| {
            self.order.push(word);
            self.senses.push(Vec::new());
            self.order.len() - 1
        });
        if let Some(senses) = self.senses.get_mut(number)
            && !senses.contains(&sense)
        {
            senses.push(sense);
        }
    }

    fn add_region(&mut self, region: &Region, rules: &Rules) -> anyhow::Result<()> {
        let gazetteer = &region.gazetteer;
        self.add_word(&gazetteer.name, Sense::Region);
        self.add(&gazetteer.aliases, Sense::Region);
        self.add(&gazetteer.weak_aliases, Sense::WeakRegion);
        self.add(&gazetteer.traps, Sense::Trap);
        self.add(&gazetteer.parents, Sense::Parent);
        for (index, place) in gazetteer.place.iter().enumerate() {
            let index = u32::try_from(index)?;
            self.add_word(&place.name, Sense::Place(index));
            self.add(&place.aliases, Sense::Place(index));
            self.add(&place.short, Sense::ShortPlace(index));
        }
        for (index, unit) in region.units.iter().enumerate() {
            let index = u32::try_from(index)?;
            self.add_word(&unit.name, Sense::Unit(index));
            self.add(&unit.short, Sense::Unit(index));
            self.add(&unit.words, Sense::Duty(index));
        }
        for name in rules.divisions.iter().chain(&gazetteer.neighbours) {
            let own = name == &gazetteer.name
                || gazetteer.aliases.contains(name)
                || gazetteer.parents.contains(name)
                || gazetteer.place.iter().any(|place| {
                    &place.name == name
                        || place.aliases.contains(name)
                        || place.short.contains(name)
                });
            if !own {
                self.add_word(name, Sense::Elsewhere);
            }
        }
        Ok(())
    }
}
