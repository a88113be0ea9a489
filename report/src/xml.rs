//! Text within XML, HTML and SVG, and which letters are written at all.

/// Whether a letter is written: not those that control a terminal, are no letters, or turn the direction of what follows.
pub(crate) fn is_written(letter: char) -> bool {
    let turns = matches!(letter, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    let none = matches!(letter, '\u{feff}' | '\u{fffe}' | '\u{ffff}');
    !(letter.is_control() || turns || none)
}

/// Text without letters that are not written, and with plain spaces; the wide space of Chinese text is one of its letters.
pub(crate) fn plain(text: &str) -> String {
    (text.chars())
        .map(|letter| {
            if letter.is_whitespace() && letter != '\u{3000}' {
                ' '
            } else {
                letter
            }
        })
        .filter(|letter| is_written(*letter))
        .collect()
}

/// Text that stays text between tags and within attributes, without what XML cannot hold.
pub(crate) fn escape(text: &str) -> String {
    let mut written = String::with_capacity(text.len() + text.len() / 8);
    for letter in text.chars() {
        match letter {
            '&' => written.push_str("&amp;"),
            '<' => written.push_str("&lt;"),
            '>' => written.push_str("&gt;"),
            '"' => written.push_str("&quot;"),
            '\'' => written.push_str("&#39;"),
            '\n' | '\r' | '\t' => written.push(' '),
            letter if is_written(letter) => written.push(letter),
            _ => {}
        }
    }
    written
}
