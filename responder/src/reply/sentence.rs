//! Sentences, and where they stand.

use std::sync::LazyLock;

use regex::Regex;

use super::rules::{Rules, holds};
use super::{Kind, Words};
use crate::likeness::Pairs;

macro_rules! pattern {
    ($name:ident, $pattern:expr) => {
        #[allow(
            clippy::expect_used,
            reason = "a constant pattern, compiled by every test"
        )]
        pub(super) static $name: LazyLock<Regex> =
            LazyLock::new(|| Regex::new($pattern).expect("a valid pattern"));
    };
}

pattern!(
    DATE,
    "[0-9]{4}年|[0-9]{1,2}月份?[0-9]{0,2}[日号]?|[0-9]{4}[-./][0-9]{1,2}[-./][0-9]{1,2}|[0-9一二三四五六七八九十两]+个?(?:工作日|天|日|月|小时)(?:之?内|以内|左右)|(?:本|今|明|上|下)(?:日|天|周|月|季度|年)|[月年季度]底前"
);
pattern!(SIGN_OFF, "[0-9]{4}年[0-9]{1,2}月[0-9]{1,2}日\\s*$");
pattern!(
    BASIS,
    "《[^《》]{2,60}》|第[一二三四五六七八九十百零0-9]+条|[〔\\[【﹝（(][0-9]{4}[〕\\]】﹞）)]第?[0-9]*号|[0-9]+号文"
);
pattern!(
    CONTACT,
    "0[0-9]{2,3}[-—－ ]{0,2}[0-9]{7,8}|400[-0-9]{7,9}|123[0-9]{2}|12[1-9][0-9]{2}(?:热线|平台|电话)|(?:电话|拨打|热线|致电)[：:为是]{0,2}\\s*[0-9][-0-9]{2,}|地址[：:]|(?:服务中心|服务大厅|办事大厅|窗口)[^。；]{0,12}(?:办理|咨询|反映|申请)"
);
pattern!(
    AMOUNT,
    "[0-9一二三四五六七八九十百千万两.]+(?:余|多)?(?:元|万元|亿元|%|％|个|人|户|台|处|次|亩|米|公里|平方米|吨|份|家)"
);
pattern!(
    HEADING,
    "^\\s*(?:[一二三四五六七八九十]{1,2}、|（[一二三四五六七八九十]{1,2}）|[0-9]{1,2}[、．.])?(?:关于|针对|对于|就)?.{2,60}(?:问题|诉求|建议|一事|情况|方面)[。：:]\\s*$"
);
pattern!(
    NUMBERED,
    "[一二三四五六七八九十]{1,2}、|（[一二三四五六七八九十0-9]{1,2}）|\\([一二三四五六七八九十0-9]{1,2}\\)|[0-9]{1,2}[、．]|[①-⑳]|第[一二三四五六七八九][，,、]|其[一二三四五][，,、]"
);

/// A sentence of a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Sentence<'a> {
    pub(super) text: &'a str,
    /// Where it begins in the text, in characters.
    pub(super) start: usize,
}

impl Sentence<'_> {
    pub(super) fn length(&self) -> usize {
        self.text.chars().count()
    }

    pub(super) fn words(&self) -> Words {
        Words {
            words: self.text.to_owned(),
            start: self.start,
            end: self.start + self.length(),
        }
    }
}

/// The sentences of a text, with what ends them and without the white space before them. Numbered parts are sentences of their own.
pub(super) fn sentences(text: &str) -> Vec<Sentence<'_>> {
    let mut cuts: Vec<usize> = NUMBERED
        .find_iter(text)
        .map(|found| found.start())
        .collect();
    for (at, character) in text.char_indices() {
        let ends = match character {
            '。' | '！' | '？' | '!' | '?' | '；' | ';' | '\n' => true,
            '：' | ':' => text
                .get(..at)
                .is_some_and(|before| before.ends_with("如下")),
            _ => false,
        };
        if ends {
            cuts.push(at + character.len_utf8());
        }
    }
    cuts.push(text.len());
    cuts.sort_unstable();
    let (mut sentences, mut from, mut start) = (Vec::new(), 0, 0);
    for cut in cuts {
        let part = text.get(from..cut).unwrap_or_default();
        let trimmed = part.trim();
        if trimmed.chars().any(char::is_alphanumeric) {
            let before = part.chars().take_while(|one| one.is_whitespace()).count();
            sentences.push(Sentence {
                text: trimmed,
                start: start + before,
            });
        }
        start += part.chars().count();
        from = cut;
    }
    sentences
}

/// A sentence of a draft.
#[derive(Debug, Clone)]
pub(super) struct Said<'a> {
    pub(super) sentence: Sentence<'a>,
    /// Its pairs, with those of the heading it stands under.
    pub(super) pairs: Pairs,
    /// It greets, thanks, repeats what was written, or is a heading.
    pub(super) formula: bool,
    /// It has an empty phrase and, that apart, no finding, date, basis or next step.
    pub(super) empty: bool,
}

/// A draft, taken apart.
#[derive(Debug, Clone)]
pub(super) struct Draft<'a> {
    pub(super) text: &'a str,
    pub(super) said: Vec<Said<'a>>,
    /// Bytes of the text before the date it is signed with.
    unsigned: usize,
}

impl<'a> Draft<'a> {
    pub(super) fn of(text: &'a str, rules: &Rules) -> Self {
        let unsigned = SIGN_OFF
            .find(text)
            .map_or(text.len(), |found| found.start());
        let body = text.get(..unsigned).unwrap_or(text);
        let mut heading = Pairs::default();
        let mut said = Vec::new();
        for sentence in sentences(body) {
            let is_heading =
                HEADING.is_match(sentence.text) && !has_substance(sentence.text, rules);
            let mut pairs = Pairs::of(sentence.text);
            if is_heading {
                heading = pairs.clone();
            } else {
                pairs.join(&heading);
            }
            let empty = rules
                .phrases_of(Kind::Empty)
                .any(|phrase| sentence.text.contains(phrase.as_str()));
            said.push(Said {
                sentence,
                pairs,
                formula: is_heading
                    || (holds(sentence.text, &rules.formula) && sentence.length() <= 60),
                empty: empty && !has_substance(sentence.text, rules),
            });
        }
        Self {
            text,
            said,
            unsigned,
        }
    }

    /// The text without the date it is signed with: that is no date of the matter.
    pub(super) fn body(&self) -> &'a str {
        self.text.get(..self.unsigned).unwrap_or(self.text)
    }

    /// The sentences that say something.
    pub(super) fn telling(&self) -> impl Iterator<Item = &Said<'a>> {
        (self.said.iter()).filter(|said| !said.formula && !said.empty)
    }

    /// The words between two places of the text, in bytes.
    pub(super) fn words(&self, start: usize, end: usize) -> Words {
        let count = |until: usize| {
            let before = self.text.get(..until).unwrap_or_default();
            before.chars().count()
        };
        Words {
            words: self.text.get(start..end).unwrap_or_default().to_owned(),
            start: count(start),
            end: count(end),
        }
    }
}

/// Whether a sentence has more than empty phrases: a finding, a date, a basis or a next step.
pub(super) fn has_substance(sentence: &str, rules: &Rules) -> bool {
    let mut rest = sentence.to_owned();
    for phrase in rules.phrases_of(Kind::Empty) {
        rest = rest.replace(phrase.as_str(), "");
    }
    holds(&rest, &rules.found)
        || holds(&rest, &rules.next_step)
        || DATE.is_match(&rest)
        || BASIS.is_match(&rest)
        || CONTACT.is_match(&rest)
}
