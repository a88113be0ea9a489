//! Near-duplicates by MinHash and locality-sensitive hashing: the share of equal minima estimates
//! the Jaccard similarity of two texts' character 3-grams (Broder 1997). Texts that share a band of
//! minima are candidates, so finding the nearest costs the same however many are known.

use std::collections::{HashMap, VecDeque};

use xxhash_rust::xxh3::{xxh3_64, xxh3_64_with_seed};

/// Minima in a band.
const ROWS: usize = 3;
/// Bands: two texts of similarity 0.5 share one with probability 1 - (1 - 0.5³)²¹ = 0.94.
const BANDS: usize = 21;
/// Texts remembered per band value; the newest push the oldest out.
const BUCKET: usize = 32;

/// A text's minima.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Signature([u32; ROWS * BANDS]);

impl Signature {
    /// Of a cleaned text; punctuation and white space do not count.
    #[must_use]
    pub(super) fn of(text: &str) -> Self {
        let characters: Vec<char> = text.chars().filter(|c| c.is_alphanumeric()).collect();
        let mut minima = [u32::MAX; ROWS * BANDS];
        let mut buffer = [0_u8; 12];
        for shingle in characters.windows(3.min(characters.len().max(1))) {
            let mut length = 0;
            for character in shingle {
                length += buffer
                    .get_mut(length..)
                    .map_or(0, |rest| character.encode_utf8(rest).len());
            }
            let hash = xxh3_64(buffer.get(..length).unwrap_or_default());
            let (low, high) = (hash as u32, (hash >> 32) as u32 | 1);
            // Kirsch and Mitzenmacher 2006: two hashes combined make as many as are wanted.
            for (index, minimum) in minima.iter_mut().enumerate() {
                let mixed = low.wrapping_add((index as u32).wrapping_mul(high));
                *minimum = (*minimum).min(mixed.wrapping_mul(0x9e37_79b1).rotate_left(15));
            }
        }
        Self(minima)
    }

    /// Estimated similarity in `[0, 1]`.
    #[must_use]
    pub(super) fn similarity(&self, other: &Self) -> f64 {
        let equal = self
            .0
            .iter()
            .zip(&other.0)
            .filter(|(one, two)| one == two)
            .count();
        equal as f64 / (ROWS * BANDS) as f64
    }

    fn bands(&self, scope: &str) -> impl Iterator<Item = u64> {
        let (bands, _) = self.0.as_chunks::<ROWS>();
        let scope = xxh3_64(scope.as_bytes());
        bands.iter().enumerate().map(move |(band, rows)| {
            let mut bytes = [0_u8; ROWS * 4];
            for (place, row) in bytes.as_chunks_mut::<4>().0.iter_mut().zip(rows) {
                *place = row.to_le_bytes();
            }
            xxh3_64_with_seed(&bytes, scope.wrapping_add(band as u64))
        })
    }
}

/// Remembers which texts had which band values, per scope (a region).
#[derive(Debug, Default)]
pub(super) struct Neighbours {
    buckets: HashMap<u64, VecDeque<u64>>,
}

impl Neighbours {
    /// Remembers a text under a number.
    pub(super) fn add(&mut self, scope: &str, signature: &Signature, number: u64) {
        for band in signature.bands(scope) {
            let bucket = self.buckets.entry(band).or_default();
            if bucket.back() == Some(&number) {
                continue;
            }
            if bucket.len() == BUCKET {
                bucket.pop_front();
            }
            bucket.push_back(number);
        }
    }

    /// The numbers of the texts that may be like this one, each once.
    #[must_use]
    pub(super) fn candidates(&self, scope: &str, signature: &Signature) -> Vec<u64> {
        let mut numbers: Vec<u64> = signature
            .bands(scope)
            .filter_map(|band| self.buckets.get(&band))
            .flatten()
            .copied()
            .collect();
        numbers.sort_unstable();
        numbers.dedup();
        numbers
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn similarity_follows_the_shared_text() {
        let text =
            "望江花园小区已经停水五天了，物业说是水压问题，请有关部门尽快处理，居民生活很不方便";
        let one = Signature::of(text);
        let again = Signature::of(&format!("领导好！{text}。谢谢"));
        let other = Signature::of("石门镇砖厂夜间偷排黑烟，窗户都不敢开，希望环保部门查一查");
        assert!((one.similarity(&Signature::of(text)) - 1.0).abs() < 1e-9);
        assert!(one.similarity(&again) > 0.6, "{}", one.similarity(&again));
        assert!(one.similarity(&other) < 0.2, "{}", one.similarity(&other));
    }

    #[test]
    fn a_near_duplicate_is_a_candidate_in_its_own_region_only() {
        let mut neighbours = Neighbours::default();
        let signature = Signature::of("望江花园小区停水五天无人管");
        neighbours.add("990101", &signature, 7);
        assert_eq!(neighbours.candidates("990101", &signature), [7]);
        assert!(neighbours.candidates("990102", &signature).is_empty());
    }
}
