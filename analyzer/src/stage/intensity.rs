//! Intensity: words of harm and urgency, which make a matter graver than its subject alone.

use aho_corasick::AhoCorasick;

/// Harm to life or to many at once.
const GRAVE: [&str; 34] = [
    "死亡",
    "伤亡",
    "身亡",
    "遇难",
    "重伤",
    "受伤",
    "中毒",
    "爆炸",
    "坍塌",
    "塌方",
    "垮塌",
    "火灾",
    "起火",
    "失火",
    "溺水",
    "触电",
    "漏电",
    "泄漏",
    "自杀",
    "跳楼",
    "轻生",
    "跳河",
    "猝死",
    "拐卖",
    "性侵",
    "群体性",
    "聚集",
    "堵路",
    "游行",
    "集体上访",
    "疫情",
    "传染",
    "洪水",
    "滑坡",
];

/// Harm to a living, or a matter that lasts.
const URGENT: [&str; 28] = [
    "拖欠",
    "欠薪",
    "讨薪",
    "停水",
    "停电",
    "断水",
    "断电",
    "危房",
    "强拆",
    "烂尾",
    "诈骗",
    "骗局",
    "传销",
    "打人",
    "殴打",
    "恐吓",
    "威胁",
    "维权",
    "上访",
    "污染",
    "恶臭",
    "扰民",
    "超标",
    "安全隐患",
    "多次反映",
    "无人处理",
    "至今没有",
    "血汗钱",
];

/// Finds words of harm and urgency.
#[derive(Debug)]
pub struct Intensity {
    words: AhoCorasick,
}

impl Intensity {
    /// # Errors
    /// When the automaton cannot be built.
    pub fn new() -> anyhow::Result<Self> {
        Ok(Self {
            words: AhoCorasick::new(GRAVE.iter().chain(&URGENT))?,
        })
    }

    /// The words found in a cleaned text, each once, the gravest first.
    #[must_use]
    pub fn words(&self, text: &str) -> Vec<String> {
        let mut found: Vec<usize> = self
            .words
            .find_iter(text)
            .map(|found| found.pattern().as_usize())
            .collect();
        found.sort_unstable();
        found.dedup();
        found
            .into_iter()
            .filter_map(|index| GRAVE.iter().chain(&URGENT).nth(index))
            .map(|word| (*word).to_owned())
            .collect()
    }
}

/// How intense the words found are, in `[0, 1]`: 0.5 for a grave word and 0.25 for an urgent one,
/// added up to 1.
#[must_use]
pub fn value<'a>(words: impl IntoIterator<Item = &'a str>) -> f64 {
    // A sum of nothing would be -0.
    words
        .into_iter()
        .map(|word| if GRAVE.contains(&word) { 0.5 } else { 0.25 })
        .fold(0.0, |sum: f64, weight| (sum + weight).min(1.0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn grave_words_come_first_and_weigh_more() {
        let words = Intensity::new()
            .unwrap()
            .words("拖欠工资，有人受伤，拖欠两月");
        assert_eq!(words, ["受伤", "拖欠"]);
        assert!((value(words.iter().map(String::as_str)) - 0.75).abs() < 1e-9);
        assert!(value([]).abs() < 1e-9);
    }
}
