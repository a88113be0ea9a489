//! What people said of an event, in their own words: short lines, without names and personal data.

use std::sync::LazyLock;

use backbone::mask::{marks, mask};
use regex::Regex;
use serde::Serialize;

use crate::console::archive::period::{EventOfPeriod, View};

/// Groups told of an event.
const GROUPS: usize = 3;
/// Characters of a line that is quoted.
const SHORTEST: usize = 8;
const LONGEST: usize = 48;
/// Characters of a reply that are quoted.
const REPLY: usize = 120;

/// What people who want one thing said.
#[derive(Debug, Serialize)]
pub(super) struct ViewFacts {
    /// 投诉, 求助, 咨询 …
    pub(super) appeal: String,
    pub(super) posts: u64,
    /// A line of one of them; absent where none will do.
    pub(super) quote: Option<String>,
}

/// What names a person.
static NAMES: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new("先生|女士|小姐|同志|老师|医生|书记|局长|主任|县长|镇长|经理|姓|我叫|本人是|某某|[Xx×*]{2,}").ok()
});

/// What was said of an event, by what people want, the most frequent first.
pub(super) fn grouped(event: &EventOfPeriod, views: &[View]) -> Vec<ViewFacts> {
    (views.iter())
        .filter(|view| view.event == event.event && !view.appeal.is_empty())
        .take(GROUPS)
        .map(|view| ViewFacts {
            appeal: view.appeal.clone(),
            posts: view.posts,
            quote: view.texts.iter().find_map(|text| quote(text)),
        })
        .collect()
}

/// The first sentence of a text that may stand by itself: neither too short nor too long, no greeting, nobody's name.
pub(super) fn quote(text: &str) -> Option<String> {
    text.split_inclusive(['。', '！', '？', '；', '\n', '!', '?'])
        .map(str::trim)
        .find(|line| {
            let length = line.chars().count();
            (SHORTEST..=LONGEST).contains(&length)
                && line.ends_with(['。', '！', '？', '!', '?'])
                && !line.starts_with(|letter: char| {
                    letter.is_ascii_digit() || "（(一二三四五六七八九十".contains(letter)
                })
                && !line.contains("您好")
                && !line.contains("你好")
                && !line.starts_with("尊敬")
                && !line.contains("以下")
                && !line.contains("几点")
                && marks(line).is_empty()
                && NAMES.as_ref().is_some_and(|names| !names.is_match(line))
        })
        .map(|line| line.trim_end_matches(['。', '；', '\n']).to_owned())
}

/// Whether a title names nobody.
pub(super) fn nameless(title: &str) -> bool {
    NAMES.as_ref().is_some_and(|names| !names.is_match(title))
}

/// The first line of what an alert says of its matter, short.
pub(super) fn first_line(gist: &str, most: usize) -> String {
    let mut line = gist
        .lines()
        .map(str::trim)
        .find(|line| !line.is_empty())
        .unwrap_or("")
        .to_owned();
    if let Some((end, _)) = line.char_indices().nth(most) {
        line.truncate(end);
        line.push('…');
    }
    line.trim_end_matches(['。', '；', '，']).to_owned()
}

/// The beginning of a reply.
pub(super) fn opening(reply: &str) -> String {
    let masked = mask(reply);
    let mut letters = masked.split_whitespace().collect::<Vec<_>>().join(" ");
    if let Some((end, _)) = letters.char_indices().nth(REPLY) {
        letters.truncate(end);
        letters.push('…');
    }
    letters
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_quoted_that_says_something_and_names_nobody() {
        let text =
            "您好！我是张先生的邻居。手机13812345678。小区门口的路灯坏了三个月没人修。请尽快处理。";
        assert_eq!(
            quote(text).as_deref(),
            Some("小区门口的路灯坏了三个月没人修")
        );
        assert_eq!(quote("谢谢。"), None);
    }
}
