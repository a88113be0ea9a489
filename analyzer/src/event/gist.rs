//! The words an event is told in: a plain title, and a gist of two of its posts' own sentences.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

use super::profile::{Profile, beginning};

/// Characters of a line of the gist, at most.
const LONGEST: usize = 60;
/// Characters of a sentence that can tell a matter, at least.
const SHORTEST: usize = 8;
/// Sentences of a post that are looked at: the first.
const SENTENCES: usize = 8;
/// What of a line may be in the other already.
const OVERLAP: f64 = 0.5;

/// Two sentences that tell most of what an event is about.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Gist(Vec<Box<str>>);

impl Gist {
    /// Looks whether sentences of a post tell more of the event than those kept; `tell` gives the pairs of a text.
    pub(super) fn consider(
        &mut self,
        event: &Profile,
        text: &str,
        tell: &dyn Fn(&str) -> Vec<(u32, f32)>,
    ) {
        let kept = std::mem::take(&mut self.0);
        let mut lines: Vec<(f32, Vec<u32>, Cow<'_, str>)> = kept
            .iter()
            .map(|line| Cow::Borrowed(line.as_ref()))
            .chain(sentences(text).take(SENTENCES))
            .map(|line| {
                let mut pairs: Vec<u32> = tell(&line).into_iter().map(|(pair, _)| pair).collect();
                pairs.sort_unstable();
                pairs.dedup();
                // A longer sentence tells more, but less than its length says.
                let told = event.told_by(&pairs) / (pairs.len().max(1) as f32).sqrt();
                (told, pairs, line)
            })
            .collect();
        lines.sort_by(|one, other| other.0.total_cmp(&one.0));
        let mut lines = lines.into_iter();
        let Some((_, first, line)) = lines.next() else {
            return;
        };
        self.0.push(line.into());
        let apart = |pairs: &[u32]| {
            let shared = pairs
                .iter()
                .filter(|pair| first.binary_search(pair).is_ok());
            shared.count() as f64 <= OVERLAP * pairs.len() as f64
        };
        self.0.extend(
            lines
                .find(|(_, pairs, _)| apart(pairs))
                .map(|(_, _, line)| line.into()),
        );
        self.0.shrink_to_fit();
    }

    /// The gist, a line each.
    pub(super) fn text(&self) -> String {
        self.0.join("\n")
    }
}

/// The sentences of a text's beginning that can tell a matter, cut where they are long.
fn sentences(text: &str) -> impl Iterator<Item = Cow<'_, str>> {
    beginning(text)
        .split(['。', '！', '？', '；', '!', '?', ';', '\n', '\r'])
        .map(|sentence| {
            let sentence = sentence.trim();
            match sentence.char_indices().nth(LONGEST) {
                Some((end, _)) => Cow::Owned(format!("{}…", shortened(sentence, end))),
                None => Cow::Borrowed(sentence),
            }
        })
        // One that holds masked numbers tells of people, not of the matter.
        .filter(|sentence| sentence.chars().nth(SHORTEST - 1).is_some() && !sentence.contains("**"))
}

/// The beginning of a sentence up to `end`, or to the last comma before it where that is not far.
fn shortened(sentence: &str, end: usize) -> &str {
    let beginning = sentence.get(..end).unwrap_or_default();
    let comma = beginning.rfind(['，', ',', '、']);
    let comma = comma.filter(|comma| 2 * comma >= end).unwrap_or(end);
    beginning.get(..comma).unwrap_or_default()
}

/// What a title may begin with that says nothing of the matter.
const OPENINGS: [&str; 12] = [
    "关于", "反映", "投诉", "举报", "咨询", "再次", "强烈", "请求", "恳请", "恳求", "求助", "建议",
];
/// What a title may end with that says nothing of it.
const ENDINGS: [&str; 12] = [
    "的问题",
    "的投诉",
    "的咨询",
    "的建议",
    "的请求",
    "的反映",
    "的情况",
    "的举报",
    "求解决",
    "请领导关注",
    "请解决",
    "谢谢",
];
/// Characters of a title.
const TITLE: usize = 40;

/// The title in plain words: without forms of address, wishes and marks, unless nothing else is left.
pub(crate) fn plain_title(title: &str, text: &str) -> String {
    let marks = |c: char| {
        c.is_whitespace()
            || c.is_ascii_punctuation()
            || "！？。，：；、…—“”【】《》（）~～".contains(c)
    };
    let whole = title.trim();
    let whole = if whole.is_empty() {
        sentences(text)
            .next()
            .unwrap_or_else(|| Cow::Borrowed(text.trim()))
    } else {
        Cow::Borrowed(whole)
    };
    let mut plain = whole.trim_matches(marks);
    loop {
        let shorter = ENDINGS
            .iter()
            .find_map(|ending| plain.strip_suffix(ending))
            .or_else(|| {
                OPENINGS
                    .iter()
                    .find_map(|opening| plain.strip_prefix(opening))
            })
            .map(|shorter| shorter.trim_matches(marks));
        match shorter {
            Some(shorter) if shorter.chars().nth(5).is_some() => plain = shorter,
            _ => break,
        }
    }
    if plain.is_empty() {
        plain = &whole;
    }
    plain.chars().take(TITLE).collect()
}

#[cfg(test)]
mod tests {
    use super::super::profile::tests::tell;
    use super::*;

    #[test]
    fn a_title_says_the_matter_and_not_the_manners() {
        for (title, plain) in [
            ("关于望江花园停水的投诉！！", "望江花园停水"),
            (
                "强烈举报滨江苑捆绑销售车位，请领导关注",
                "滨江苑捆绑销售车位",
            ),
            ("求助", "求助"),
            ("投诉物业", "投诉物业"),
            ("", "柳桥镇的垃圾三天没有人收"),
        ] {
            assert_eq!(
                plain_title(title, "领导好。柳桥镇的垃圾三天没有人收。"),
                plain
            );
        }
    }

    #[test]
    fn the_gist_is_of_two_sentences_that_tell_most_and_are_not_the_same() {
        let text = "尊敬的领导您好，打扰您的工作了。望江花园小区从周一开始停水。\
            望江花园小区从周一开始就停水了。物业说水泵坏了要等配件，没有人给一个时间。祝您工作顺利身体健康。";
        let event = Profile::of(
            "望江花园停水\n望江花园小区停水，物业说水泵坏了等配件。望江花园停水无人管",
            tell,
        );
        let mut gist = Gist::default();
        gist.consider(&event, text, &tell);
        assert_eq!(
            gist.text(),
            "望江花园小区从周一开始停水\n物业说水泵坏了要等配件，没有人给一个时间"
        );
        gist.consider(&event, "谢谢领导百忙之中看我的信。", &tell);
        assert!(
            gist.text().starts_with("望江花园小区"),
            "the better ones stay"
        );
    }
}
