//! Counts of things, kept small: most events have one post.

use serde::{Deserialize, Serialize};

/// Things and how often each was counted, in their order.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Tally<T>(Vec<(T, u32)>);

impl<T> Default for Tally<T> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<T: Ord + Clone> Tally<T> {
    /// Counts a thing, unless it is new and `most` are known.
    pub(super) fn add(&mut self, thing: &T, most: usize) {
        match self.0.binary_search_by(|(known, _)| known.cmp(thing)) {
            Ok(at) => {
                if let Some((_, count)) = self.0.get_mut(at) {
                    *count = count.saturating_add(1);
                }
            }
            Err(at) if self.0.len() < most => {
                if self.0.is_empty() {
                    self.0.reserve_exact(1);
                }
                self.0.insert(at, (thing.clone(), 1));
            }
            Err(_) => {}
        }
    }

    /// Takes back what was counted once.
    pub(super) fn remove(&mut self, thing: &T) {
        let Ok(at) = self.0.binary_search_by(|(known, _)| known.cmp(thing)) else {
            return;
        };
        if let Some((_, count)) = self.0.get_mut(at) {
            *count -= 1;
            if *count == 0 {
                self.0.remove(at);
            }
        }
    }

    /// How many things there are.
    pub(super) fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether a thing was counted.
    pub(super) fn has(&self, wanted: impl Fn(&T) -> bool) -> bool {
        self.0.iter().any(|(thing, _)| wanted(thing))
    }

    /// The things in their order.
    pub(super) fn iter(&self) -> impl DoubleEndedIterator<Item = &(T, u32)> {
        self.0.iter()
    }

    /// The thing counted most often, the first of equals.
    pub(super) fn most(&self) -> Option<&(T, u32)> {
        self.0.iter().rev().max_by_key(|(_, count)| *count)
    }

    /// The things, those counted most often first.
    pub(super) fn ranked(&self) -> Vec<&(T, u32)> {
        let mut ranked: Vec<&(T, u32)> = self.0.iter().collect();
        ranked.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
        ranked
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_counted_can_be_taken_back() {
        let mut tally = Tally::default();
        for name in ["b", "a", "b", "c"] {
            tally.add(&name.to_owned(), 2);
        }
        assert_eq!(tally.most(), Some(&("b".to_owned(), 2)));
        assert_eq!(tally.len(), 2, "the third is beyond the most");
        tally.remove(&"b".to_owned());
        tally.remove(&"b".to_owned());
        tally.remove(&"c".to_owned());
        assert_eq!(tally.most(), Some(&("a".to_owned(), 1)));
    }
}
