//! Clean: one running text of title and text, without what carries no meaning.

use std::iter::Peekable;

/// Longest text that is analysed, in characters; what follows is rarely about anything new.
const LIMIT: usize = 4_000;

/// The title and the text as one running text: white space collapsed, control characters gone,
/// full-width letters and digits narrowed, Latin letters in upper case as gazetteers write them.
#[must_use]
pub fn clean(title: &str, text: &str) -> String {
    let title = title.trim();
    let repeated = !title.is_empty() && text.trim_start().starts_with(title);
    let joined = (if repeated { "" } else { title })
        .chars()
        .chain(std::iter::once('\n'))
        .chain(text.chars());
    collapse(joined.map(narrow).peekable())
}

fn narrow(character: char) -> char {
    let narrowed = match character {
        '\u{ff10}'..='\u{ff19}' | '\u{ff21}'..='\u{ff3a}' | '\u{ff41}'..='\u{ff5a}' => {
            char::from_u32(u32::from(character) - 0xfee0).unwrap_or(character)
        }
        '\u{3000}' | '\u{a0}' => ' ',
        other => other,
    };
    narrowed.to_ascii_uppercase()
}

fn collapse(mut characters: Peekable<impl Iterator<Item = char>>) -> String {
    let mut cleaned = String::new();
    let mut length = 0;
    while let Some(character) = characters.next() {
        if length == LIMIT {
            break;
        }
        if character.is_whitespace() {
            while characters.next_if(|next| next.is_whitespace()).is_some() {}
            if cleaned.is_empty() || characters.peek().is_none() {
                continue;
            }
            cleaned.push(' ');
        } else if character.is_control() || ('\u{200b}'..='\u{200f}').contains(&character) {
            continue;
        } else {
            cleaned.push(character);
        }
        length += 1;
    }
    cleaned
}

#[cfg(test)]
mod tests {
    use super::clean;

    #[test]
    fn title_and_text_become_one_running_text() {
        assert_eq!(
            clean(" 停水 ", "a３区\n\n  停水\u{200b}五天\u{3000}"),
            "停水 A3区 停水五天"
        );
        assert_eq!(clean("停水", "停水五天"), "停水五天");
        assert_eq!(clean("", ""), "");
    }
}
