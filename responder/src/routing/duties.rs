//! The words of the units by subject, all looked for in one pass over a text.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use backbone::region::{Region, UnitKind};
use backbone::settings::Flaw;
use daachorse::DoubleArrayAhoCorasick;

/// Words that tell whose a matter is, each with the units whose it is then. Clones share them.
#[derive(Clone)]
pub(super) struct Duties {
    /// Absent where no unit has a word.
    automaton: Option<Arc<DoubleArrayAhoCorasick<usize>>>,
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
    ///
    /// # Errors
    /// When they are more than one search can hold.
    pub(super) fn new(region: &Region) -> Result<Self, Flaw> {
        let mut words: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
        for (index, unit) in region.units.iter().enumerate() {
            if unit.kind != UnitKind::Place {
                for word in unit.words.iter().filter(|word| !word.is_empty()) {
                    words.entry(word).or_default().push(index);
                }
            }
        }
        let automaton = (!words.is_empty())
            .then(|| DoubleArrayAhoCorasick::new(words.keys()))
            .transpose()
            .map_err(|error| {
                Flaw::new(
                    format!("the `words` of the units cannot be searched for ({error}); give fewer or shorter ones"),
                    "各单位的 words 太多或太长，无法检索，请精简",
                )
            })?;
        Ok(Self {
            automaton: automaton.map(Arc::new),
            words: (words.into_iter())
                .map(|(word, units)| Word {
                    text: word.to_owned(),
                    units,
                })
                .collect(),
        })
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
