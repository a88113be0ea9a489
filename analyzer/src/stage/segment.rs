//! Segment: the words of a text. Models need none; names, keywords and explanations, which people read, do, and
//! only where they look: a text is cut clause by clause as it is asked for.

use std::ops::Range;

use backbone::region::Region;
use jieba_rs::Jieba;

use crate::stage::clean::is_han;

/// Cuts texts into words, knowing the regions' own names.
#[derive(Debug)]
pub struct Segmenter {
    jieba: Jieba,
}

impl Segmenter {
    /// With the default dictionary and the names of the regions' places and units.
    #[must_use]
    pub fn new<'a>(regions: impl IntoIterator<Item = &'a Region>) -> Self {
        let mut jieba = Jieba::new();
        for region in regions {
            let gazetteer = &region.gazetteer;
            let places = gazetteer.place.iter().flat_map(|place| {
                std::iter::once(&place.name)
                    .chain(&place.aliases)
                    .chain(&place.short)
            });
            let units = region
                .units
                .iter()
                .flat_map(|unit| std::iter::once(&unit.name).chain(&unit.short));
            let own = std::iter::once(&gazetteer.name).chain(&gazetteer.aliases);
            for name in own.chain(places).chain(units) {
                jieba.add_word(name, None, None);
            }
        }
        Self { jieba }
    }

    /// The words of a cleaned text, to be asked for.
    #[must_use]
    pub fn words<'a>(&'a self, text: &'a str) -> Words<'a> {
        Words {
            jieba: &self.jieba,
            text,
            clauses: Vec::new(),
        }
    }
}

/// Bytes of a Chinese character.
const HAN: usize = 3;

/// Whether a clause ends with a character. The segmenter joins no words across any of these.
fn ends_clause(character: char) -> bool {
    matches!(
        character,
        '。' | '！'
            | '？'
            | '；'
            | '，'
            | '、'
            | '：'
            | '…'
            | '“'
            | '”'
            | '（'
            | '）'
            | '《'
            | '》'
            | '【'
            | '】'
            | '!'
            | '?'
            | ';'
            | ','
            | ':'
            | '('
            | ')'
            | '"'
            | ' '
            | '\n'
    )
}

/// The words of a text.
pub struct Words<'a> {
    jieba: &'a Jieba,
    text: &'a str,
    /// The clauses cut so far, each with where its words begin and where the last one ends.
    clauses: Vec<(Range<usize>, Vec<usize>)>,
}

impl<'a> Words<'a> {
    /// The text.
    #[must_use]
    pub fn text(&self) -> &'a str {
        self.text
    }

    /// The word that a byte belongs to; none at the end of a clause or beyond the text.
    pub fn at(&mut self, byte: usize) -> Option<Range<usize>> {
        let bounds = self.clause(byte)?;
        let next = bounds.partition_point(|bound| *bound <= byte);
        Some(*bounds.get(next.checked_sub(1)?)?..*bounds.get(next)?)
    }

    /// Whether a word begins or ends before a byte.
    pub fn is_bound(&mut self, byte: usize) -> bool {
        self.at(byte).is_none_or(|word| word.start == byte)
    }

    /// Whether no clause ends between two bytes.
    #[must_use]
    pub fn in_one_clause(&self, start: usize, end: usize) -> bool {
        let between = self.text.get(start..end);
        between.is_some_and(|between| !between.contains(ends_clause))
    }

    /// Whether a word begins or ends within a part of the text and goes on beyond it: 停电 in 乱停|电动车.
    pub fn crosses(&mut self, part: Range<usize>) -> bool {
        let mut inside = |byte: usize| {
            self.at(byte)
                .filter(|word| word.start != byte)
                .map(|word| (word.start, word.end))
        };
        inside(part.start).is_some_and(|(_, end)| end < part.end)
            || inside(part.end).is_some_and(|(start, _)| start > part.start)
    }

    /// Whether a word of the dictionary begins at a byte in the middle of one, with what is left of that or with its last
    /// character: 城区 in 奉新城区, 城管 in 奉新城管, but nothing in 上高速公路.
    pub fn goes_on(&mut self, byte: usize) -> bool {
        let Some(word) = self.at(byte) else {
            return false;
        };
        let end = word.end.max(byte + 2 * HAN);
        let rest = self.text.get(byte..end).unwrap_or_default();
        rest.len() >= 2 * HAN && self.jieba.has_word(rest)
    }

    /// The shortest word of the dictionary, of two to four characters, that holds the pair of Chinese characters which
    /// ends at a byte.
    #[must_use]
    pub fn holding(&self, end: usize) -> Option<Range<usize>> {
        let start = end.checked_sub(2 * HAN)?;
        // Six bytes of Chinese characters are two of them.
        let is_pair = |pair: &str| pair.chars().all(is_han);
        self.text.get(start..end).filter(|pair| is_pair(pair))?;
        let is_word = |start: Option<usize>, end: usize| {
            let written = start.and_then(|start| self.text.get(start..end));
            written.is_some_and(|written| is_pair(written) && self.jieba.has_word(written))
        };
        // The end of one word and the beginning of the next: 公*交公*司.
        if is_word(start.checked_sub(HAN), end - HAN) && is_word(Some(end - HAN), end + HAN) {
            return None;
        }
        for more in 0..=2 {
            for before in (0..=more).rev() {
                let word = start.saturating_sub(before * HAN)..end + (more - before) * HAN;
                let written = self.text.get(word.clone()).unwrap_or_default();
                if written.len() == (2 + more) * HAN && self.jieba.has_word(written) {
                    return Some(word);
                }
            }
        }
        None
    }

    fn clause(&mut self, byte: usize) -> Option<&[usize]> {
        let known = self
            .clauses
            .iter()
            .position(|(clause, _)| clause.contains(&byte));
        let index = match known {
            Some(index) => index,
            None => {
                let at = self.text.floor_char_boundary(byte);
                let (before, after) = self.text.split_at_checked(at)?;
                if after.chars().next().is_none_or(ends_clause) {
                    return None;
                }
                let start = before
                    .char_indices()
                    .rev()
                    .find(|(_, character)| ends_clause(*character))
                    .map_or(0, |(at, character)| at + character.len_utf8());
                let end = after
                    .find(ends_clause)
                    .map_or(self.text.len(), |length| at + length);
                let mut bounds = vec![start];
                for token in self.jieba.cut(self.text.get(start..end)?, false) {
                    let before = bounds.last().copied().unwrap_or(start);
                    bounds.push(before + token.word.len());
                }
                self.clauses.push((start..end, bounds));
                self.clauses.len() - 1
            }
        };
        self.clauses.get(index).map(|(_, bounds)| bounds.as_slice())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_those_of_the_whole_text() {
        let segmenter = Segmenter::new([]);
        let text = "冯川镇的路灯坏了三个月，打了12345也没人管！（见照片）快来修";
        let mut position = 0;
        for token in segmenter.jieba.cut(text, false) {
            let mut words = segmenter.words(text);
            let word = position..position + token.word.len();
            for byte in word.clone() {
                let expected = (!token.word.chars().all(ends_clause)).then(|| word.clone());
                assert_eq!(words.at(byte), expected, "byte {byte}");
            }
            position = word.end;
        }
        assert_eq!(segmenter.words(text).at(position), None);
        assert_eq!(segmenter.words("").at(7), None);
    }
}
