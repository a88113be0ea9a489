//! The words of a search: each is wanted somewhere in the post, one with a minus before it is not; what stands in
//! quotation marks is looked for as it stands.

/// Words of a search that are looked for, and as many that are left out; more are passed over.
const MOST_WORDS: usize = 8;

/// The words of a search.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(in crate::console) struct Words {
    /// Those that a post must hold.
    pub(in crate::console) wanted: Vec<String>,
    /// Those that it must not.
    pub(in crate::console) unwanted: Vec<String>,
}

impl Words {
    /// Reads what was typed.
    pub(in crate::console) fn read(text: &str) -> Self {
        let mut words = Self::default();
        let mut rest = text.chars().peekable();
        loop {
            while rest.next_if(|letter| letter.is_whitespace()).is_some() {}
            if rest.peek().is_none() {
                break;
            }
            let is_unwanted = rest.next_if(|letter| is_minus(*letter)).is_some();
            let mut word = String::new();
            if rest.next_if(|letter| is_quote(*letter)).is_some() {
                word.extend(std::iter::from_fn(|| {
                    rest.next_if(|letter| !is_quote(*letter))
                }));
                // The closing mark; at the end of the text it may be missing.
                rest.next();
            } else {
                let is_of_word = |letter: &char| !letter.is_whitespace() && !is_quote(*letter);
                word.extend(std::iter::from_fn(|| rest.next_if(is_of_word)));
            }
            let list = if is_unwanted {
                &mut words.unwanted
            } else {
                &mut words.wanted
            };
            list.push(word.trim().to_owned());
        }
        for list in [&mut words.wanted, &mut words.unwanted] {
            list.retain(|word| !word.is_empty());
            list.sort_unstable();
            list.dedup();
            list.truncate(MOST_WORDS);
        }
        words
    }
}

/// The words of a post as they are indexed and looked for: narrow letters in lower case.
const OF_POST: &str = "lowerUTF8(normalizeUTF8NFKC(concat(title, '\\n', text)))";

/// Whether a word is in the index, which has pairs of characters.
pub(super) fn is_indexed(word: &str) -> bool {
    word.chars().count() > 1
}

/// Whether a word is one of the pairs themselves.
pub(in crate::console::archive) fn is_pair(word: &str) -> bool {
    word.chars().count() == 2
}

/// That a row may hold a word, the value of a parameter, by the index; nothing for a word that is not in it.
pub(in crate::console::archive) fn may_hold(word: &str, parameter: &str) -> Option<String> {
    is_indexed(word).then(|| format!("hasAllTokens({OF_POST}, {})", sought(parameter)))
}

/// That a row holds a word, the value of a parameter; the pairs of a longer word may stand apart in a text.
pub(in crate::console::archive) fn holds(parameter: &str) -> String {
    format!("position({OF_POST}, {}) > 0", sought(parameter))
}

fn sought(parameter: &str) -> String {
    format!("lowerUTF8(normalizeUTF8NFKC({{{parameter}:String}}))")
}

fn is_quote(letter: char) -> bool {
    matches!(letter, '"' | '“' | '”' | '＂')
}

fn is_minus(letter: char) -> bool {
    matches!(letter, '-' | '－' | '−')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_phrases_and_what_is_left_out() {
        for (text, wanted, unwanted) in [
            ("", vec![], vec![]),
            ("  物业　收费 物业 ", vec!["收费", "物业"], vec![]),
            ("物业 -小区", vec!["物业"], vec!["小区"]),
            (
                "“物业 收费”-\"停 车\"路灯",
                vec!["物业 收费", "路灯"],
                vec!["停 车"],
            ),
            ("－“噪音” a-b", vec!["a-b"], vec!["噪音"]),
            ("路灯“不亮", vec!["不亮", "路灯"], vec![]),
            ("\"\" - -\"\" “”", vec![], vec![]),
            ("--路灯", vec![], vec!["-路灯"]),
        ] {
            let words = Words::read(text);
            assert_eq!(
                (words.wanted, words.unwanted),
                (owned(&wanted), owned(&unwanted)),
                "{text}"
            );
        }
        let many: String = (0..50)
            .map(|number| format!("{number} -{number} "))
            .collect();
        let words = Words::read(&many);
        assert_eq!(
            (words.wanted.len(), words.unwanted.len()),
            (MOST_WORDS, MOST_WORDS)
        );
    }

    fn owned(words: &[&str]) -> Vec<String> {
        words.iter().map(|word| (*word).to_owned()).collect()
    }
}
