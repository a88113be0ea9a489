//! Profiles: what a post or an event is about, as the pairs of neighbouring characters that tell it from others, so that
//! copies and other tellings of one matter are found alike.
//!
//! A pair of a post weighs (1 + ln count) · idf, those of the title counting three times (Salton and Buckley 1988); the
//! heaviest [`PAIRS`] make up a vector of length 1. An event's profile is the sum of its posts', of which the heaviest pairs
//! are kept; a post is as similar to an event as the cosine of the two says. Events are found again by the [`KEYS`]
//! heaviest pairs of their posts, so that finding the nearest costs the same however many are known.

use std::collections::{HashMap, VecDeque};

use xxhash_rust::xxh3::{xxh3_64, xxh3_64_with_seed};

/// Pairs of a profile.
const PAIRS: usize = 128;
/// Pairs of a post by which its event is found.
const KEYS: usize = 16;
/// Characters of a text that are read: what a matter is about is said early.
const CHARACTERS: usize = 400;
/// How often a pair of the title counts.
const TITLE: f32 = 3.0;
/// Events remembered per key; those that grew last push the others out.
const BUCKET: usize = 64;
/// Keys by which one event is found, at most.
const EVENT_KEYS: usize = 128;
/// Events compared with a post.
const CANDIDATES: usize = 24;

/// Pairs and their weights, by pair.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Profile(Vec<(u32, f32)>);

impl Profile {
    /// Of a cleaned text, whose first line is the title; `tell` gives the pairs of a text and what each tells.
    #[must_use]
    pub fn of(text: &str, tell: impl Fn(&str) -> Vec<(u32, f32)>) -> Self {
        let (title, body) = text.split_once('\n').unwrap_or(("", text));
        let end = body
            .char_indices()
            .nth(CHARACTERS)
            .map_or(body.len(), |(at, _)| at);
        let of_title = tell(title)
            .into_iter()
            .map(|(pair, idf)| (pair, idf, TITLE));
        let of_body = tell(body.get(..end).unwrap_or_default()).into_iter();
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
        let mut profile = Self(weighed.collect());
        profile.cut();
        let length = profile.length();
        for (_, weight) in &mut profile.0 {
            *weight /= length;
        }
        profile
    }

    /// Adds a post to an event.
    pub fn add(&mut self, post: &Self) {
        self.0.extend_from_slice(&post.0);
        self.0.sort_by_key(|(pair, _)| *pair);
        self.0.dedup_by(|later, first| {
            let same = later.0 == first.0;
            if same {
                first.1 += later.1;
            }
            same
        });
        self.cut();
    }

    /// The cosine of a post's profile and an event's.
    #[must_use]
    pub fn similarity(&self, post: &Self) -> f64 {
        let (mut own, mut sum) = (self.0.iter().peekable(), 0.0);
        for (pair, weight) in &post.0 {
            while own.next_if(|(known, _)| known < pair).is_some() {}
            if let Some((_, known)) = own.next_if(|(known, _)| known == pair) {
                sum += weight * known;
            }
        }
        f64::from(sum / self.length())
    }

    fn length(&self) -> f32 {
        let squares: f32 = self.0.iter().map(|(_, weight)| weight * weight).sum();
        squares.sqrt().max(f32::MIN_POSITIVE)
    }

    /// Keeps the heaviest pairs.
    fn cut(&mut self) {
        if self.0.len() > PAIRS {
            self.0.sort_by(|one, other| other.1.total_cmp(&one.1));
            self.0.truncate(PAIRS);
            self.0.sort_unstable_by_key(|(pair, _)| *pair);
        }
    }

    /// The keys of a post, for a region, with what each tells.
    fn keys(&self, region: &str) -> Vec<(u64, f32)> {
        let region = xxh3_64(region.as_bytes());
        let mut heaviest = self.0.clone();
        heaviest.sort_by(|one, other| other.1.total_cmp(&one.1));
        heaviest.truncate(KEYS);
        heaviest
            .into_iter()
            .map(|(pair, weight)| (xxh3_64_with_seed(&pair.to_le_bytes(), region), weight))
            .collect()
    }
}

/// Finds the events that a post may belong to.
#[derive(Debug, Default)]
pub(super) struct Index {
    events: HashMap<u64, VecDeque<u64>>,
    keys: HashMap<u64, Vec<u64>>,
}

impl Index {
    /// Remembers the event of a post.
    pub(super) fn add(&mut self, region: &str, post: &Profile, event: u64) {
        let known = self.keys.entry(event).or_default();
        for (key, _) in post.keys(region) {
            if !known.contains(&key) {
                if known.len() == EVENT_KEYS {
                    continue;
                }
                known.push(key);
            }
            let bucket = self.events.entry(key).or_default();
            bucket.retain(|other| *other != event);
            if bucket.len() == BUCKET {
                bucket.pop_front();
            }
            bucket.push_back(event);
        }
    }

    /// The events that share most with a post, those that share more first.
    #[must_use]
    pub(super) fn candidates(&self, region: &str, post: &Profile) -> Vec<u64> {
        let mut shared: HashMap<u64, f32> = HashMap::new();
        for (key, weight) in post.keys(region) {
            for event in self.events.get(&key).into_iter().flatten() {
                *shared.entry(*event).or_default() += weight;
            }
        }
        let mut candidates: Vec<(u64, f32)> = shared.into_iter().collect();
        candidates
            .sort_unstable_by(|one, other| other.1.total_cmp(&one.1).then(one.0.cmp(&other.0)));
        candidates.truncate(CANDIDATES);
        candidates.into_iter().map(|(event, _)| event).collect()
    }

    /// Forgets an event.
    pub(super) fn remove(&mut self, event: u64) {
        for key in self.keys.remove(&event).unwrap_or_default() {
            if let Some(bucket) = self.events.get_mut(&key) {
                bucket.retain(|known| *known != event);
                if bucket.is_empty() {
                    self.events.remove(&key);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every pair of characters tells as much as any other.
    fn profile(text: &str) -> Profile {
        Profile::of(text, |text| {
            let characters: Vec<char> = text.chars().collect();
            characters
                .windows(2)
                .map(|pair| (u32::from(pair[0]) << 16 | u32::from(pair[1]) & 0xffff, 1.0))
                .collect()
        })
    }

    #[test]
    fn another_telling_of_the_matter_is_nearer_than_another_matter_of_the_estate() {
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
    fn an_event_is_found_by_its_posts_in_its_own_region_until_it_is_forgotten() {
        let mut index = Index::default();
        let post = profile("望江花园停水\n望江花园小区停水五天无人管");
        index.add("990101", &post, 7);
        assert_eq!(index.candidates("990101", &post), [7]);
        assert!(index.candidates("990102", &post).is_empty());
        index.remove(7);
        assert!(index.candidates("990101", &post).is_empty() && index.events.is_empty());
    }
}
