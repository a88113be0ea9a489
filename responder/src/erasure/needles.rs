//! What the words of a post are known again by, without the words: salted hashes of all stretches of it, so that whoever has the
//! store cannot read it from them, and it is still found wherever it was copied to.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};
use serde_json::Value;
use sha2::{Digest, Sha256};

/// What stands where words were.
pub const ERASED: &str = "〔已依申请删除〕";

/// Letters of a stretch.
const STRETCH: usize = 12;
/// Letters that must stand together to be the post's words and not anybody's: shorter phrases are everyone's.
const TOGETHER: usize = 16;
/// Letters of a title that is a post's own wherever it stands; shorter ones are names of matters.
const OWN_TITLE: usize = 8;
/// Letters of a title that is looked for where the post's event is told of.
const SHORTEST_TITLE: usize = 3;

/// What a post's words are known again by.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Needles {
    salt: String,
    stretches: BTreeSet<u64>,
    /// Titles, by their lengths in letters.
    titles: BTreeSet<(usize, u64)>,
}

/// Where words are looked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// Anywhere: only what is long enough to be nobody else's.
    Anywhere,
    /// Where the post's event is told of: its title too, however short.
    OfItsEvent,
}

impl Needles {
    /// Of texts and titles, under a salt that nobody else has.
    #[must_use]
    pub fn of<'a>(
        salt: &str,
        texts: impl IntoIterator<Item = &'a str>,
        titles: impl IntoIterator<Item = &'a str>,
    ) -> Self {
        let mut needles = Self {
            salt: salt.to_owned(),
            ..Self::default()
        };
        for text in texts {
            let letters = letters(text);
            for stretch in letters.windows(STRETCH) {
                let hash = needles.hash(stretch);
                needles.stretches.insert(hash);
            }
        }
        for title in titles {
            let letters = letters(title);
            if letters.len() >= SHORTEST_TITLE {
                let hash = needles.hash(&letters);
                needles.titles.insert((letters.len(), hash));
            }
        }
        needles
    }

    /// Whether nothing is known of the post's words.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.stretches.is_empty() && self.titles.is_empty()
    }

    fn hash(&self, letters: &[Letter]) -> u64 {
        let mut hash = Sha256::new();
        hash.update(self.salt.as_bytes());
        for letter in letters {
            hash.update(u32::from(letter.is).to_be_bytes());
        }
        let digest = hash.finalize();
        digest
            .iter()
            .take(8)
            .fold(0, |sum, byte| sum << 8 | u64::from(*byte))
    }

    /// A text without the post's words; nothing where it has none of them.
    #[must_use]
    pub fn without(&self, text: &str, place: Place) -> Option<String> {
        let letters = letters(text);
        let mut marked = vec![false; letters.len()];
        let mut mark = |from: usize, to: usize| {
            (marked.iter_mut().take(to).skip(from)).for_each(|marked| *marked = true);
        };
        // Stretches that follow each other are one.
        let mut run: Option<(usize, usize)> = None;
        for (at, stretch) in letters.windows(STRETCH).enumerate() {
            if !self.stretches.contains(&self.hash(stretch)) {
                continue;
            }
            run = match run {
                Some((from, to)) if at + STRETCH <= to + 1 => Some((from, at + STRETCH)),
                _ => Some((at, at + STRETCH)),
            };
            if let Some((from, to)) = run
                && (to - from >= TOGETHER || letters.len() < TOGETHER)
            {
                mark(from, to);
            }
        }
        let least = match place {
            Place::Anywhere => OWN_TITLE,
            Place::OfItsEvent => SHORTEST_TITLE,
        };
        let lengths: BTreeSet<usize> = self.titles.iter().map(|(length, _)| *length).collect();
        for length in lengths.into_iter().filter(|length| *length >= least) {
            for (at, words) in letters.windows(length).enumerate() {
                if self.titles.contains(&(length, self.hash(words))) {
                    mark(at, at + length);
                }
            }
        }
        if !marked.contains(&true) {
            return None;
        }
        let mut left = String::with_capacity(text.len());
        let (mut copied, mut before) = (0, false);
        for (letter, marked) in letters.iter().zip(&marked) {
            if *marked && !before {
                left.push_str(text.get(copied..letter.from).unwrap_or_default());
                left.push_str(ERASED);
            }
            if *marked {
                copied = letter.to;
            }
            before = *marked;
        }
        left.push_str(text.get(copied..).unwrap_or_default());
        Some(left)
    }

    /// JSON without the post's words in its texts; nothing where it has none of them.
    #[must_use]
    pub fn without_in_json(&self, json: &str, place: Place) -> Option<String> {
        let mut value: Value = match serde_json::from_str(json) {
            Ok(value) => value,
            Err(_) => return self.without(json, place),
        };
        self.cleanse(&mut value, place).then(|| value.to_string())
    }

    fn cleanse(&self, value: &mut Value, place: Place) -> bool {
        match value {
            Value::String(text) => match self.without(text, place) {
                Some(left) => {
                    *text = left;
                    true
                }
                None => false,
            },
            // None is passed over for one that was found.
            Value::Array(values) => (values.iter_mut())
                .map(|value| self.cleanse(value, place))
                .fold(false, |found, one| found | one),
            Value::Object(fields) => (fields.values_mut())
                .map(|value| self.cleanse(value, place))
                .fold(false, |found, one| found | one),
            _ => false,
        }
    }
}

/// A letter or digit of a text: what it is, small and narrow, and where it stands, in bytes.
#[derive(Debug, Clone, Copy)]
struct Letter {
    is: char,
    from: usize,
    to: usize,
}

/// The letters of a text, without what stands between them: who quotes changes spaces and marks first.
fn letters(text: &str) -> Vec<Letter> {
    text.char_indices()
        .filter(|(_, letter)| letter.is_alphanumeric())
        .map(|(from, letter)| {
            let narrow = match letter {
                '！'..='～' => char::from_u32(u32::from(letter) - 0xfee0).unwrap_or(letter),
                other => other,
            };
            Letter {
                is: narrow.to_lowercase().next().unwrap_or(narrow),
                from,
                to: from + letter.len_utf8(),
            }
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "我家住望江花园，从周一开始停水，物业说水泵坏了要等配件，没有人给一个时间。";

    fn needles() -> Needles {
        Needles::of("salt", [TEXT], ["望江花园停水"])
    }

    #[test]
    fn what_quotes_the_post_loses_its_words_and_keeps_its_own() {
        let quote = "网友反映“从周一开始停水,物业说水泵坏了 要等配件”，经核实水泵已修好。";
        assert_eq!(
            needles().without(quote, Place::Anywhere).unwrap(),
            format!("网友反映“{ERASED}”，经核实水泵已修好。")
        );
        assert_eq!(
            needles().without(TEXT, Place::Anywhere).unwrap(),
            format!("{ERASED}。")
        );
        for own in [
            "望江花园的水泵坏了，我们已经派人去修，预计明天恢复供水，请居民们互相转告。",
            "物业说水泵坏了要等配件",
            "",
        ] {
            assert_eq!(needles().without(own, Place::Anywhere), None, "{own}");
        }
    }

    #[test]
    fn a_short_title_is_the_matters_name_and_goes_where_the_event_is_told_of() {
        let told = "【派单】望江花园停水（Ⅲ级）";
        assert_eq!(needles().without(told, Place::Anywhere), None);
        let left = needles().without(told, Place::OfItsEvent).unwrap();
        assert_eq!(left, format!("【派单】{ERASED}（Ⅲ级）"));
        let json = r#"{"a":["望江花园停水",{"b":"望江花园停水！"}],"n":1.5}"#;
        let left = needles().without_in_json(json, Place::OfItsEvent).unwrap();
        assert_eq!(
            left,
            format!(r#"{{"a":["{ERASED}",{{"b":"{ERASED}！"}}],"n":1.5}}"#)
        );
        assert_eq!(
            needles().without_in_json(r#"{"n":1}"#, Place::OfItsEvent),
            None
        );
    }

    #[test]
    fn what_is_erased_once_is_not_found_again_and_the_hashes_are_the_salts_own() {
        let left = needles().without(TEXT, Place::Anywhere).unwrap();
        assert_eq!(needles().without(&left, Place::OfItsEvent), None);
        let other = Needles::of("pepper", [TEXT], ["望江花园停水"]);
        assert!(needles().stretches.is_disjoint(&other.stretches));
        let kept = serde_json::to_string(&needles()).unwrap();
        assert_eq!(serde_json::from_str::<Needles>(&kept).unwrap(), needles());
        assert!(!kept.contains("水"));
    }
}
