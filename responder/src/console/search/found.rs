//! Words found: a text in pieces, those that were looked for apart.

use super::super::marks::Piece;

/// The style of words found.
const FOUND: &str = "found";
/// Characters before the first word found.
const BEFORE: usize = 24;

/// A text in pieces.
pub(super) fn pieces(text: &str, words: &[String]) -> Vec<Piece> {
    let letters: Vec<char> = text.chars().collect();
    let found = places(&letters, words);
    cut(&letters, &found)
}

/// The part of a text around the first word found, in pieces, with `…` where the text goes on; the beginning where none is.
pub(super) fn excerpt(text: &str, words: &[String], length: usize) -> Vec<Piece> {
    let letters: Vec<char> = (text.split_whitespace().collect::<Vec<_>>().join(" "))
        .chars()
        .collect();
    let found = places(&letters, words);
    let first = found.iter().position(|is_found| *is_found).unwrap_or(0);
    let from = (first.saturating_sub(BEFORE)).min(letters.len().saturating_sub(length));
    let to = (from + length).min(letters.len());
    let mut pieces = cut(
        letters.get(from..to).unwrap_or_default(),
        found.get(from..to).unwrap_or_default(),
    );
    if from > 0 {
        pieces.insert(0, plain('…'));
    }
    if to < letters.len() {
        pieces.push(plain('…'));
    }
    pieces
}

/// Whether each character belongs to a word, in whatever width and case both are written.
fn places(letters: &[char], words: &[String]) -> Vec<bool> {
    let letters: Vec<char> = letters.iter().copied().map(one_writing).collect();
    let mut found = vec![false; letters.len()];
    for word in words {
        let word: Vec<char> = word.chars().map(one_writing).collect();
        if word.is_empty() {
            continue;
        }
        for (at, there) in letters.windows(word.len()).enumerate() {
            if there == word {
                found
                    .iter_mut()
                    .skip(at)
                    .take(word.len())
                    .for_each(|is_found| *is_found = true);
            }
        }
    }
    found
}

/// A character as narrow lower case has it.
fn one_writing(letter: char) -> char {
    let narrow = match letter {
        '\u{3000}' => ' ',
        '\u{ff01}'..='\u{ff5e}' => char::from_u32(u32::from(letter) - 0xfee0).unwrap_or(letter),
        letter => letter,
    };
    let mut lower = narrow.to_lowercase();
    match (lower.next(), lower.next()) {
        (Some(lower), None) => lower,
        _ => narrow,
    }
}

fn cut(letters: &[char], found: &[bool]) -> Vec<Piece> {
    let mut pieces: Vec<Piece> = Vec::new();
    let mut before = None;
    for (letter, is_found) in letters.iter().zip(found) {
        if before != Some(is_found) {
            pieces.push(Piece {
                finding: if *is_found { FOUND } else { "" },
                ..Piece::default()
            });
        }
        if let Some(piece) = pieces.last_mut() {
            piece.text.push(*letter);
        }
        before = Some(is_found);
    }
    pieces
}

fn plain(letter: char) -> Piece {
    Piece {
        text: letter.to_string(),
        ..Piece::default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The pieces in one line, those found in brackets.
    fn shown(pieces: &[Piece]) -> String {
        let each = pieces.iter().map(|piece| match piece.finding {
            "" => piece.text.clone(),
            _ => format!("[{}]", piece.text),
        });
        each.collect()
    }

    fn words(words: &[&str]) -> Vec<String> {
        words.iter().map(|word| (*word).to_owned()).collect()
    }

    #[test]
    fn words_are_found_in_any_width_and_case() {
        for (text, sought, expected) in [
            (
                "ＥＴＣ车道，etc设备",
                vec!["Etc"],
                "[ＥＴＣ]车道，[etc]设备",
            ),
            ("物业乱收费", vec!["收费", "物业"], "[物业]乱[收费]"),
            ("哈哈哈", vec!["哈哈"], "[哈哈哈]"),
            ("物业　收费", vec!["物业 收费"], "[物业　收费]"),
            ("没有", vec!["路灯", ""], "没有"),
            ("", vec!["路灯"], ""),
        ] {
            assert_eq!(shown(&pieces(text, &words(&sought))), expected);
        }
    }

    #[test]
    fn an_excerpt_is_what_stands_around_the_first_word() {
        let text = format!("{}路灯\n不亮{}", "前".repeat(50), "后".repeat(50));
        let around = shown(&excerpt(&text, &words(&["路灯"]), 34));
        assert_eq!(
            around,
            format!("…{}[路灯] 不亮{}…", "前".repeat(24), "后".repeat(5))
        );
        let end = shown(&excerpt(&text, &words(&["后后"]), 200));
        assert!(end.starts_with('前') && end.ends_with("后]"), "{end}");
        let beginning = shown(&excerpt(&text, &words(&["不在"]), 3));
        assert_eq!(beginning, "前前前…");
        assert_eq!(shown(&excerpt("路灯", &[], 3)), "路灯");
    }
}
