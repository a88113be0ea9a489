//! The text of a page, as it would be read: blocks on lines of their own, words not torn apart.

use std::sync::LazyLock;

use backbone::mask::has_no_width;
use ego_tree::NodeId;
use regex::Regex;
use scraper::{ElementRef, Node};

use super::page;

/// Elements whose contents are not read by people.
const UNREAD: [&str; 6] = ["script", "style", "noscript", "template", "iframe", "head"];
/// Elements that do not begin a line.
const INLINE: [&str; 24] = [
    "a", "abbr", "b", "bdi", "bdo", "big", "cite", "code", "em", "font", "i", "ins", "label",
    "mark", "q", "s", "small", "span", "strong", "sub", "sup", "time", "u", "img",
];

/// Times that HTML is escaped too often, at most.
const ESCAPED: usize = 2;

#[allow(
    clippy::expect_used,
    reason = "a constant pattern, compiled by every test"
)]
static MARKUP: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"(?i)</?(?:p|br|div|span|img|a|b|i|strong|em|font|table|tr|td|ul|ol|li|h[1-6])(?:\s[^<>]*)?/?>|&(?:lt|gt|amp|quot|nbsp|#[0-9]{1,7});")
        .expect("a valid pattern")
});

/// The text of an HTML fragment: tags gone, references resolved, such too as were escaped more often than once; empty where
/// it is nested too deeply.
#[must_use]
pub fn of_html(fragment: &str) -> String {
    let read = |fragment: &str| {
        page::parse(fragment)
            .map(|html| of_element(html.root_element()))
            .unwrap_or_default()
    };
    let mut has_tags = fragment.contains('<');
    let mut text = read(fragment);
    for _ in 0..ESCAPED {
        // Who writes tags of their own writes of such where they escape them, and less than is no tag.
        let bare = MARKUP.replace_all(&text, "");
        if has_tags || bare.len() == text.len() || bare.contains('<') {
            break;
        }
        has_tags = text.contains('<');
        text = read(&text);
    }
    text
}

/// Stands where an element was cut out of a text.
pub(super) const CUT: char = '\u{fffc}';

/// The text of an element of a page.
#[must_use]
pub fn of_element(element: ElementRef<'_>) -> String {
    Reading {
        left_out: |_: ElementRef<'_>| false,
        cut: None,
        parts: false,
    }
    .of(element)
}

/// A way to read an element.
pub(super) struct Reading<F> {
    /// The elements within it that are left out.
    pub(super) left_out: F,
    /// The element that [`CUT`] takes the place of.
    pub(super) cut: Option<NodeId>,
    /// Whether elements within a line are parted from each other.
    pub(super) parts: bool,
}

impl<F: Fn(ElementRef<'_>) -> bool> Reading<F> {
    /// The text of an element.
    pub(super) fn of(&self, element: ElementRef<'_>) -> String {
        let mut text = String::new();
        // Nested by hand: a page may be nested deeper than the stack is.
        let mut waiting = vec![Some(*element)];
        while let Some(next) = waiting.pop() {
            let Some(node) = next else {
                text.push('\n');
                continue;
            };
            if self.cut == Some(node.id()) {
                text.extend(['\n', CUT, '\n']);
                continue;
            }
            match node.value() {
                Node::Text(words) => push_words(&mut text, words),
                Node::Element(element) if UNREAD.contains(&element.name()) => continue,
                Node::Element(inner) => {
                    if ElementRef::wrap(node).is_some_and(&self.left_out) {
                        continue;
                    }
                    if !INLINE.contains(&inner.name()) {
                        text.push('\n');
                        waiting.push(None);
                    } else if self.parts {
                        push_words(&mut text, " ");
                    }
                }
                _ => {}
            }
            waiting.extend(node.children().rev().map(Some));
        }
        tidy(&text)
    }
}

/// Line breaks of the source are spaces in HTML.
fn push_words(text: &mut String, words: &str) {
    for character in words.chars() {
        if !matches!(character, ' ' | '\t' | '\r' | '\n') {
            text.push(character);
        } else if !text.ends_with([' ', '\n']) {
            text.push(' ');
        }
    }
}

/// A text without what is not seen: control characters, and such as have no width, which people put between
/// the letters of words that they expect to be filtered. Nothing else is changed.
#[must_use]
pub fn visible(text: &str) -> String {
    let mut seen = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '\n' => seen.push('\n'),
            '\t' => seen.push(' '),
            // It joins emoji to one.
            '\u{200d}' if seen.ends_with(|last| last >= '\u{1f000}' || last == '\u{fe0f}') => {
                seen.push(character);
            }
            '\u{fff9}'..='\u{fffc}' => {}
            other if other.is_control() || has_no_width(other) => {}
            other => seen.push(other),
        }
    }
    seen
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_reads_as_it_looks() {
        for (html, expected) in [
            ("<b>冯川</b>镇的<a href='x'>路灯</a>", "冯川镇的路灯"),
            ("<p>一</p>\n  <p>二<br>三</p>", "一\n二\n三"),
            ("一<script>var x = 1;</script><style>p {}</style>二", "一二"),
            ("<div>水 &amp; 电&nbsp;</div>", "水 & 电"),
            ("<td>甲\n   乙</td>", "甲 乙"),
            ("&lt;p&gt;路灯&amp;nbsp;坏了&lt;/p&gt;", "路灯\u{a0}坏了"),
            ("&amp;lt;p&amp;gt;路灯&amp;lt;br/&amp;gt;坏了", "路灯\n坏了"),
            ("<p>网页里的&lt;br&gt;没有用</p>", "网页里的<br>没有用"),
            ("水压 &lt; 0.1，x&lt;y", "水压 < 0.1，x<y"),
            ("水 &amp;amp; 电", "水 & 电"),
            ("", ""),
        ] {
            assert_eq!(of_html(html), expected, "{html}");
        }
    }

    #[test]
    fn what_is_not_seen_goes_and_nothing_else() {
        let hidden =
            "冯\u{200b}川\u{2060}镇\u{0}的\u{feff}路灯\r\n坏\u{202e}了\u{7}\t！　🙏🏻👨‍👩‍👧1\u{200d}3";
        assert_eq!(visible(hidden), "冯川镇的路灯\n坏了 ！　🙏🏻👨‍👩‍👧13");
    }

    #[test]
    fn a_page_nested_deeply_is_read() {
        let html = format!("{}底", "<div>".repeat(500));
        assert_eq!(of_html(&html), "底");
        assert_eq!(of_html(&"<div>".repeat(1_000_000)), "");
    }
}
