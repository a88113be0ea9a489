//! The words of the units by subject, all looked for in one pass over a text.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use backbone::region::{Region, UnitKind};
use daachorse::CharwiseDoubleArrayAhoCorasick;

/// Words that tell whose a matter is, each with the units whose it is then. Clones share them.
#[derive(Clone)]
pub(super) struct Duties {
    /// Absent where no unit has a word.
    automaton: Option<Arc<CharwiseDoubleArrayAhoCorasick<usize>>>,
    words: Arc<[Word]>,
}

/// A word of some units.
#[derive(Debug)]
pub(super) struct Word {
    /// The word.
    pub(super) text: String,
    /// The units' indices in the region's list.
    pub(super) units: Vec<usize>,
}

impl fmt::Debug for Duties {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Duties of {} words", self.words.len())
    }
}

impl Duties {
    /// The words of a region's units.
    pub(super) fn new(region: &Region) -> Self {
        let mut words: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
        for (index, unit) in region.units.iter().enumerate() {
            if unit.kind != UnitKind::Place {
                for word in unit.words.iter().filter(|word| !word.is_empty()) {
                    words.entry(word).or_default().push(index);
                }
            }
        }
        Self {
            automaton: CharwiseDoubleArrayAhoCorasick::new(words.keys())
                .ok()
                .map(Arc::new),
            words: (words.into_iter())
                .map(|(word, units)| Word {
                    text: word.to_owned(),
                    units,
                })
                .collect(),
        }
    }

    /// Those that are in a text.
    pub(super) fn found_in(&self, text: &str) -> impl Iterator<Item = &Word> {
        let found = self
            .automaton
            .iter()
            .flat_map(move |automaton| automaton.find_overlapping_iter(text));
        found.filter_map(|found| self.words.get(found.value()))
    }
}
