//! Finds the events that a post may belong to: by the rarest pairs of its characters, in a number of steps that does not grow
//! with the number of events.

use std::collections::{HashMap, VecDeque};

use serde::{Deserialize, Serialize};
use xxhash_rust::xxh3::xxh3_64;

use super::profile::Profile;

/// Pairs of a post by which its event is found: the heaviest.
const KEYS: usize = 16;
/// Events remembered per key; those that grew last push the others out, forgotten ones too.
const BUCKET: usize = 32;
/// Events compared with a post.
const CANDIDATES: usize = 16;

/// An inverted index of heavy pairs.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(super) struct Index(HashMap<u64, VecDeque<u32>>);

impl Index {
    /// Remembers that a post with this profile is of that event.
    pub(super) fn add(&mut self, region: &str, post: &Profile, event: u32) {
        for (key, _) in keys(region, post) {
            let bucket = self.0.entry(key).or_default();
            if let Some(at) = bucket.iter().rposition(|known| *known == event) {
                bucket.remove(at);
            } else if bucket.len() == BUCKET {
                bucket.pop_front();
            }
            bucket.push_back(event);
        }
    }

    /// The events that share most with a post, those that share more first; some may be forgotten by now.
    #[must_use]
    pub(super) fn candidates(&self, region: &str, post: &Profile) -> Vec<u32> {
        let mut shared: Vec<(u32, f32)> = Vec::with_capacity(KEYS * BUCKET);
        for (key, weight) in keys(region, post) {
            let events = self.0.get(&key).into_iter().flatten();
            shared.extend(events.map(|event| (*event, weight)));
        }
        shared.sort_by_key(|(event, _)| *event);
        shared.dedup_by(|later, first| {
            let same = later.0 == first.0;
            if same {
                first.1 += later.1;
            }
            same
        });
        shared.sort_unstable_by(|one, other| other.1.total_cmp(&one.1).then(one.0.cmp(&other.0)));
        shared.truncate(CANDIDATES);
        shared.into_iter().map(|(event, _)| event).collect()
    }
}

/// The keys of a post, with what each tells.
fn keys(region: &str, post: &Profile) -> impl Iterator<Item = (u64, f32)> {
    let region = xxh3_64(region.as_bytes()) << 18;
    let heaviest = post.heaviest_pairs(KEYS).into_iter();
    heaviest.map(move |(pair, weight)| (region | u64::from(pair), weight))
}

#[cfg(test)]
mod tests {
    use super::super::profile::tests::tell;
    use super::*;

    #[test]
    fn an_event_is_found_by_its_posts_in_its_own_region() {
        let mut index = Index::default();
        let post = Profile::of("望江花园停水\n望江花园小区停水五天无人管", tell);
        index.add("990101", &post, 7);
        index.add("990101", &post, 7);
        assert_eq!(index.candidates("990101", &post), [7]);
        assert!(index.candidates("990102", &post).is_empty());
    }

    #[test]
    fn events_that_grew_last_push_the_others_out() {
        let mut index = Index::default();
        let post = Profile::of("望江花园停水\n望江花园小区停水五天无人管", tell);
        for event in 0..1_000 {
            index.add("990101", &post, event);
        }
        let found = index.candidates("990101", &post);
        assert!(found.len() == CANDIDATES && found.iter().all(|event| *event >= 936));
    }
}
