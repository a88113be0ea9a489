//! Keywords: the words that tell a post from others.

use std::ops::Range;

use crate::model::{Models, Reading};
use crate::stage::lexicon::{Found, Sense};
use crate::stage::segment::Words;

/// Keywords of a post, at most.
const KEYWORDS: usize = 6;
/// Least idf of a word's rarest pair of characters: what most posts have is no keyword.
const LEAST: f32 = 5.5;
/// Words that begin with one of these count or date: 三年, 十公里.
const NUMERALS: [char; 12] = [
    '一', '二', '两', '三', '四', '五', '六', '七', '八', '九', '十', '几',
];

/// The keywords of a text as ranges of its bytes: the words of its subjects as they come, then words of several
/// characters, those with the rarest pair of neighbours first; none that has to do with a name, which is told with
/// the places.
#[must_use]
pub fn keywords(
    reading: &Reading,
    words: &Words<'_>,
    found: &[Found],
    names: &[Range<usize>],
) -> Vec<Range<usize>> {
    let of_subjects = found
        .iter()
        .filter(|word| matches!(word.sense, Sense::Subject(_)))
        .map(|word| word.start..word.end);
    let rare = Models::rarest(reading, words, names, LEAST).take(KEYWORDS);
    let text = words.text();
    let mut keywords: Vec<Range<usize>> = Vec::with_capacity(KEYWORDS);
    for word in of_subjects.chain(rare) {
        if keywords.len() == KEYWORDS {
            break;
        }
        let overlaps = |other: &Range<usize>| other.start < word.end && word.start < other.end;
        let Some(written) = text.get(word.clone()) else {
            continue;
        };
        let said = |known: &Range<usize>| {
            overlaps(known)
                || text
                    .get(known.clone())
                    .is_some_and(|known| known.contains(written))
        };
        let counts = written.starts_with(NUMERALS);
        if !counts && !names.iter().any(overlaps) && !keywords.iter().any(said) {
            keywords.push(word);
        }
    }
    keywords
}
