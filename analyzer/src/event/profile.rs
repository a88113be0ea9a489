//! Profiles: what a post or an event is about, as the pairs of neighbouring characters that tell it from others, so that
//! copies and other tellings of one matter are found alike.
//!
//! A pair of a post weighs (1 + ln count) · idf, those of the title counting three times (Salton and Buckley 1988); the
//! heaviest [`PAIRS`] make up a vector of length 1. An event's profile is the sum of its posts', of which the heaviest pairs
//! are kept; a post is as similar to an event as the cosine of the two says.

use serde::{Deserialize, Serialize};

/// Pairs of a profile.
const PAIRS: usize = 128;
/// Characters of a text that are read: what a matter is about is said early.
const CHARACTERS: usize = 400;
/// How often a pair of the title counts.
const TITLE: f32 = 3.0;
/// Slots of a profile that is spread out.
const SLOTS: usize = 1024;
/// Bits of a pair's weight, beside the 18 of the pair: a million events have a profile each.
const WEIGHT_BITS: u32 = 14;
/// The heaviest weight as it is kept.
const HEAVIEST: f32 = ((1 << WEIGHT_BITS) - 1) as f32;

/// Pairs and their weights, by pair.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Profile {
    /// A pair and its part of the heaviest weight, at least a step, in each.
    packed: Box<[u32]>,
    /// What one step of a kept weight stands for.
    step: f32,
    /// The length of the vector, in steps.
    length: f32,
}

/// A profile in a table by pair, with room enough that a pair is found or missed at once.
#[derive(Debug)]
pub(super) struct SpreadOut {
    /// Each as in the profile; 0 for none.
    slots: Box<[u32; SLOTS]>,
    length: f32,
}

/// The part of a text that is read for profiles and gists.
pub(super) fn beginning(text: &str) -> &str {
    let end = text
        .char_indices()
        .nth(CHARACTERS)
        .map_or(text.len(), |(at, _)| at);
    text.get(..end).unwrap_or_default()
}

impl Profile {
    /// Of a cleaned text, whose first line is the title; `tell` gives the pairs of a text, each below 2^18, and what each
    /// tells.
    #[must_use]
    pub fn of(text: &str, tell: impl Fn(&str) -> Vec<(u32, f32)>) -> Self {
        let (title, body) = text.split_once('\n').unwrap_or(("", text));
        let of_title = tell(title)
            .into_iter()
            .map(|(pair, idf)| (pair, idf, TITLE));
        let of_body = tell(beginning(body)).into_iter();
        let mut pairs: Vec<(u32, f32, f32)> = of_title
            .chain(of_body.map(|(pair, idf)| (pair, idf, 1.0)))
            .collect();
        pairs.sort_unstable_by_key(|(pair, _, _)| *pair);
        let weighed = pairs
            .chunk_by(|one, other| one.0 == other.0)
            .filter_map(|same| {
                let count: f32 = same.iter().map(|(_, _, times)| times).sum();
                same.first()
                    .map(|(pair, idf, _)| (*pair, (1.0 + count.ln()) * idf))
            });
        let mut weighed: Vec<(u32, f32)> = weighed.collect();
        keep_heaviest(&mut weighed, PAIRS);
        let squares: f32 = weighed.iter().map(|(_, weight)| weight * weight).sum();
        let length = squares.sqrt().max(f32::MIN_POSITIVE);
        for (_, weight) in &mut weighed {
            *weight /= length;
        }
        Self::pack(&weighed)
    }

    /// Adds a post to an event.
    pub fn add(&mut self, post: &Self) {
        self.change(post, 1.0);
    }

    /// Takes a post from an event again.
    pub fn remove(&mut self, post: &Self) {
        self.change(post, -1.0);
    }

    fn change(&mut self, post: &Self, times: f32) {
        let mut weighed: Vec<(u32, f32)> = self.weighed().collect();
        weighed.extend(post.weighed().map(|(pair, weight)| (pair, weight * times)));
        weighed.sort_by_key(|(pair, _)| *pair);
        weighed.dedup_by(|later, first| {
            let same = later.0 == first.0;
            if same {
                first.1 += later.1;
            }
            same
        });
        weighed.retain(|(_, weight)| *weight > 0.0);
        keep_heaviest(&mut weighed, PAIRS);
        *self = Self::pack(&weighed);
    }

    /// The cosine of a post's profile and an event's.
    #[must_use]
    pub fn similarity(&self, post: &Self) -> f64 {
        self.similarity_to(&post.spread_out())
    }

    /// The same for a post that is compared with many.
    #[must_use]
    pub(super) fn similarity_to(&self, post: &SpreadOut) -> f64 {
        let shared = |known: &u32| kept(*known) * post.weight(known >> WEIGHT_BITS);
        let sum: f32 = self.packed.iter().map(shared).sum();
        // What has no words left is like nothing.
        let lengths = self.length * post.length;
        if lengths > 0.0 {
            f64::from(sum / lengths)
        } else {
            0.0
        }
    }

    /// The profile laid out for comparison with many.
    #[must_use]
    pub(super) fn spread_out(&self) -> SpreadOut {
        let mut slots = Box::new([0; SLOTS]);
        for known in &self.packed {
            let mut at = *known >> WEIGHT_BITS;
            while slots[at as usize % SLOTS] != 0 {
                at += 1;
            }
            slots[at as usize % SLOTS] = *known;
        }
        SpreadOut {
            slots,
            length: self.length,
        }
    }

    /// How much of what the event is about some pairs tell.
    #[must_use]
    pub(super) fn told_by(&self, pairs: &[u32]) -> f32 {
        let weight = |pair: &u32| {
            let at = self
                .packed
                .binary_search_by_key(pair, |known| known >> WEIGHT_BITS);
            at.ok().and_then(|at| self.packed.get(at)).copied()
        };
        pairs.iter().filter_map(weight).map(kept).sum::<f32>() * self.step
    }

    /// The heaviest pairs alone.
    #[must_use]
    pub(super) fn heaviest(&self, count: usize) -> Self {
        Self::pack(&self.heaviest_pairs(count))
    }

    /// The heaviest pairs with their weights, in the order of the pairs.
    pub(super) fn heaviest_pairs(&self, count: usize) -> Vec<(u32, f32)> {
        let mut weighed: Vec<(u32, f32)> = self.weighed().collect();
        keep_heaviest(&mut weighed, count);
        weighed
    }

    /// The pairs with their weights.
    pub(super) fn weighed(&self) -> impl Iterator<Item = (u32, f32)> {
        (self.packed.iter()).map(|known| (known >> WEIGHT_BITS, kept(*known) * self.step))
    }

    fn pack(weighed: &[(u32, f32)]) -> Self {
        let heaviest = weighed
            .iter()
            .map(|(_, weight)| *weight)
            .fold(0.0, f32::max);
        let step = (heaviest / HEAVIEST).max(f32::MIN_POSITIVE);
        let packed = (weighed.iter())
            .map(|(pair, weight)| pair << WEIGHT_BITS | ((weight / step).round() as u32).max(1))
            .collect();
        let mut profile = Self {
            packed,
            step,
            length: 0.0,
        };
        let squares: f32 = profile
            .packed
            .iter()
            .map(|known| kept(*known).powi(2))
            .sum();
        profile.length = squares.sqrt().max(f32::MIN_POSITIVE);
        profile
    }
}

impl SpreadOut {
    /// The kept weight of a pair; 0 for one that the profile does not have.
    fn weight(&self, pair: u32) -> f32 {
        let mut at = pair;
        loop {
            let slot = self.slots[at as usize % SLOTS];
            if slot == 0 {
                return 0.0;
            }
            if slot >> WEIGHT_BITS == pair {
                return kept(slot);
            }
            at += 1;
        }
    }
}

fn kept(packed: u32) -> f32 {
    (packed & ((1 << WEIGHT_BITS) - 1)) as f32
}

/// Keeps the `count` heaviest pairs, in the order of the pairs.
fn keep_heaviest(weighed: &mut Vec<(u32, f32)>, count: usize) {
    if weighed.len() > count {
        let heavier = |one: &(u32, f32), other: &(u32, f32)| {
            other.1.total_cmp(&one.1).then(one.0.cmp(&other.0))
        };
        weighed.select_nth_unstable_by(count, heavier);
        weighed.truncate(count);
        weighed.sort_unstable_by_key(|(pair, _)| *pair);
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    /// Every pair of characters tells as much as any other.
    pub(in crate::event) fn tell(text: &str) -> Vec<(u32, f32)> {
        let characters: Vec<u32> = text.chars().map(u32::from).collect();
        (characters.windows(2))
            .map(|pair| ((pair[0] * 397 + pair[1]) % (1 << 18), 1.0))
            .collect()
    }

    #[test]
    fn another_telling_of_the_matter_is_nearer_than_another_matter_of_the_estate() {
        let profile = |text| Profile::of(text, tell);
        let event =
            profile("滨河苑捆绑销售车位\n滨河苑买房必须买十二万的车位，不买车位就取消购房资格");
        let again = profile(
            "车位捆绑违规销售\n对于滨河苑，公司违规捆绑车位，买房必须买车位，反映多次没有人查",
        );
        let other = profile("滨河苑垃圾堆成山\n小区保洁一周没有来过，夏天臭味难闻，业主怨声载道");
        assert!((event.similarity(&event) - 1.0).abs() < 1e-5);
        assert!(event.similarity(&again) > 2.0 * event.similarity(&other));
    }

    #[test]
    fn a_post_that_is_taken_away_leaves_the_profile_as_it_was() {
        let first = Profile::of("望江花园停水\n望江花园小区停水五天无人管", tell);
        let second = Profile::of("垃圾没人收\n柳桥镇的垃圾桶满了三天", tell);
        let mut event = first.clone();
        event.add(&second);
        assert!(event.similarity(&second) > 0.5);
        event.remove(&second);
        assert!(event.similarity(&first) > 0.999 && event.similarity(&second) < 0.05);
    }
}
