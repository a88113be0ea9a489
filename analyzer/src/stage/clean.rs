//! Clean: one running text of title and text, in one writing, without what carries no meaning; and
//! where each of its characters stands in the post.

use std::sync::LazyLock;

use backbone::message::Part;

/// Longest text that is analysed, in characters; what follows is rarely about anything new.
pub const LIMIT: usize = 4_000;

/// A cleaned text.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Cleaned {
    /// The title, a line's end, and the text: white space collapsed, control characters gone,
    /// full-width letters and digits narrowed, Latin letters in upper case as gazetteers write them,
    /// traditional characters simplified, and names put together that were pulled apart (奉 新 县).
    pub text: String,
    /// Where each character stands in the title followed by the text, in characters.
    origins: Vec<u32>,
    /// Characters of the title.
    title: u32,
}

impl Cleaned {
    /// Cleans a post's title and text. A title that the text repeats at its beginning is left out.
    #[must_use]
    pub fn of(title: &str, text: &str) -> Self {
        let length = title.chars().count() as u32;
        let said = title.trim();
        let repeated = !said.is_empty() && text.trim_start().starts_with(said);
        let mut written = Writer::with_capacity((title.len() + text.len()).min(3 * LIMIT));
        if !repeated {
            for (character, origin) in title.chars().zip(0..) {
                written.push(character, origin);
            }
            written.end_line(length);
        }
        for (character, origin) in text.chars().zip(length..) {
            if written.full() {
                break;
            }
            written.push(character, origin);
        }
        let mut cleaned = Self {
            text: written.text,
            origins: written.origins,
            title: length,
        };
        while cleaned.text.ends_with([' ', '\n']) {
            cleaned.text.pop();
            cleaned.origins.pop();
        }
        cleaned
    }

    /// How many characters it has.
    #[must_use]
    pub fn length(&self) -> usize {
        self.origins.len()
    }

    /// Where the bytes from `start` to `end` of the text stand in the post: in the title or the text,
    /// from which character up to which.
    #[must_use]
    pub fn origin(&self, start: usize, end: usize) -> Option<(Part, u32, u32)> {
        let before = self.text.get(..start)?.chars().count();
        let length = self.text.get(start..end)?.chars().count();
        let first = *self.origins.get(before)?;
        let last = *self.origins.get(before + length.checked_sub(1)?)? + 1;
        Some(if first < self.title {
            (Part::Title, first, last.min(self.title))
        } else {
            (Part::Text, first - self.title, last - self.title)
        })
    }
}

/// Whether a character is a Chinese one.
pub(crate) fn is_han(character: char) -> bool {
    matches!(character, '\u{4e00}'..='\u{9fff}' | '\u{3400}'..='\u{4dbf}')
}

/// What puts a name's characters apart without being part of it.
fn separates(character: char) -> bool {
    matches!(
        character,
        ' ' | '*'
            | '·'
            | '•'
            | '.'
            | '_'
            | '-'
            | '—'
            | '|'
            | '/'
            | '~'
            | '^'
            | '+'
            | '#'
            | '&'
            | '@'
            | '丶'
            | '`'
            | '｜'
            | '＊'
            | '・'
    ) || ('\u{1f000}'..='\u{1faff}').contains(&character)
        || ('\u{2600}'..='\u{27bf}').contains(&character)
}

struct Writer {
    text: String,
    origins: Vec<u32>,
    /// Chinese characters written in a row up to here, or up to the separators held back.
    run: u32,
    /// Whether the row began after something else than a letter or digit, as it does not in `A3区`.
    alone: bool,
    /// Separators after the run, held back until it is known what follows.
    held: Vec<(char, u32)>,
}

impl Writer {
    fn with_capacity(bytes: usize) -> Self {
        Self {
            text: String::with_capacity(bytes),
            origins: Vec::with_capacity(bytes / 3),
            run: 0,
            alone: true,
            held: Vec::new(),
        }
    }

    fn full(&self) -> bool {
        self.origins.len() >= LIMIT
    }

    fn push(&mut self, character: char, origin: u32) {
        let character = one_writing(character);
        if is_han(character) {
            if !self.held.is_empty() {
                // 奉 新 县: a character alone between separators belongs to its neighbours.
                if self.run == 1 && self.alone {
                    self.held.clear();
                    self.run = 0;
                } else {
                    self.release();
                }
            }
            if self.run == 0 {
                self.alone = !self.text.ends_with(|c: char| c.is_ascii_alphanumeric());
            }
            self.run += 1;
            self.write(character, origin);
            return;
        }
        if unseen(character) {
            return;
        }
        let character = if character.is_whitespace() {
            ' '
        } else {
            character
        };
        if separates(character) && self.run > 0 && self.held.len() < 3 {
            self.held.push((character, origin));
            return;
        }
        self.release();
        self.run = 0;
        if character == ' ' && (self.text.is_empty() || self.text.ends_with([' ', '\n'])) {
            return;
        }
        self.write(character, origin);
    }

    fn end_line(&mut self, origin: u32) {
        self.release();
        self.run = 0;
        if self.text.ends_with(' ') {
            self.text.pop();
            self.origins.pop();
        }
        if !self.text.is_empty() {
            self.write('\n', origin);
        }
    }

    fn release(&mut self) {
        let held = std::mem::take(&mut self.held);
        if !held.is_empty() {
            self.run = 0;
        }
        for (character, origin) in held {
            if character != ' ' || !self.text.ends_with([' ', '\n']) {
                self.write(character, origin);
            }
        }
    }

    fn write(&mut self, character: char, origin: u32) {
        self.text.push(character);
        self.origins.push(origin);
    }
}

/// Control characters, and what has no width of its own.
fn unseen(character: char) -> bool {
    (character.is_control() && !character.is_whitespace())
        || matches!(
            character,
            '\u{ad}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{fe00}'..='\u{fe0f}' | '\u{feff}' | '\u{1f3fb}'..='\u{1f3ff}'
        )
}

const FIRST_HAN: u32 = 0x3400;
const LAST_HAN: u32 = 0x9fff;

/// Characters of the General Standard Chinese Characters (通用规范汉字表, 2013) that the library takes
/// for other writings of rarer ones (呵 for 嗬, 捍 for 扞).
const STANDARD: &str = "呵呱吒捍彷煅磐祗薰阪黏";

/// The simplified form of every Chinese character of the basic plane, asked once of the library.
static SIMPLIFIED: LazyLock<Vec<u16>> = LazyLock::new(|| {
    (FIRST_HAN..=LAST_HAN)
        .map(|code| {
            let simplified = char::from_u32(code)
                .filter(|&character| !STANDARD.contains(character))
                .map(|character| fast2s::convert(character.encode_utf8(&mut [0; 4])))
                .and_then(|converted| converted.chars().next());
            simplified
                .and_then(|character| u16::try_from(u32::from(character)).ok())
                .unwrap_or(code as u16)
        })
        .collect()
});

fn one_writing(character: char) -> char {
    let code = u32::from(character);
    match code {
        0..0x80 => character.to_ascii_uppercase(),
        FIRST_HAN..=LAST_HAN => SIMPLIFIED
            .get((code - FIRST_HAN) as usize)
            .and_then(|simplified| char::from_u32(u32::from(*simplified)))
            .unwrap_or(character),
        0xff10..=0xff19 | 0xff21..=0xff3a | 0xff41..=0xff5a => char::from_u32(code - 0xfee0)
            .unwrap_or(character)
            .to_ascii_uppercase(),
        _ => character,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(title: &str, text: &str, expected: &str) {
        assert_eq!(Cleaned::of(title, text).text, expected);
    }

    #[test]
    fn title_and_text_become_one_running_text() {
        check(
            " 停水 ",
            "a３区\n\n  停水\u{200b}五天\u{3000}",
            "停水\nA3区 停水五天",
        );
        check("停水", "停水五天", "停水五天");
        check("", "", "");
        check("停水", "", "停水");
    }

    #[test]
    fn a_name_pulled_apart_is_put_together() {
        check("", "奉 新 县的路灯", "奉新县的路灯");
        check("", "奉*新县的路灯", "奉新县的路灯");
        check("", "奉🍀新县", "奉新县");
        check("", "馮川鎮的路燈壞了", "冯川镇的路灯坏了");
        check("", "服务真好👍谢谢", "服务真好👍谢谢");
        check("", "路灯坏了 没人修", "路灯坏了 没人修");
        check("", "呵呵,捍衛權益", "呵呵,捍卫权益");
    }

    #[test]
    fn every_word_is_found_again_in_the_post() {
        let cleaned = Cleaned::of(" 停水 ", "a３区\n\n  停水\u{200b}五天");
        let at = |word: &str, skip: usize| {
            let (start, _) = cleaned.text.match_indices(word).nth(skip).unwrap();
            cleaned.origin(start, start + word.len())
        };
        assert_eq!(at("停水", 0), Some((Part::Title, 1, 3)));
        assert_eq!(at("A3区", 0), Some((Part::Text, 0, 3)));
        assert_eq!(at("停水五天", 0), Some((Part::Text, 7, 12)));
    }
}
