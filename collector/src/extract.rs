//! What is made of what was fetched: text of bytes, times, masked numbers, addresses.

pub mod address;
pub mod author;
pub mod charset;
pub mod mask;
pub mod time;

use scraper::Html;

/// The text of an HTML fragment: tags gone, references resolved, blocks on lines of their own.
#[must_use]
pub fn text_of_html(fragment: &str) -> String {
    let parsed = Html::parse_fragment(fragment);
    tidy(&parsed.root_element().text().collect::<Vec<_>>().join("\n"))
}

/// Lines trimmed, empty ones gone.
#[must_use]
pub fn tidy(text: &str) -> String {
    let lines: Vec<&str> = text
        .lines()
        .map(str::trim)
        .filter(|line| !line.is_empty())
        .collect();
    lines.join("\n")
}
