//! Keywords: the words that tell a post from others.

use std::ops::Range;

use crate::model::{Models, Reading};
use crate::stage::segment::Words;

/// Keywords of a post, at most.
const KEYWORDS: usize = 6;
/// Least idf of a word's rarest pair of characters: what most posts have is no keyword.
const LEAST: f32 = 5.5;

/// The keywords of a text as ranges of its bytes: words of several characters, those with the rarest pair of
/// neighbours first.
#[must_use]
pub fn keywords(reading: &Reading, words: &Words<'_>) -> Vec<Range<usize>> {
    Models::rarest(reading, words, LEAST, KEYWORDS)
}
