//! Any text gives an answer, and every finding stands in the post: the posts of `relevance.tsv`, what random bytes spell, and posts
//! with that put in. Runs for a bounded time (`WENSHENG_FUZZ_SECONDS`, 1 by default), and under any engine that bolero drives.

use std::sync::LazyLock;
use std::time::Duration;

use analyzer::pipeline::Pipeline;
use analyzer::score;
use analyzer::settings::Risk;
use backbone::message::{Part, SourceKind};

use crate::ground::{FENGXIN, pipeline};

/// Pieces that the stages look out for; a byte below their number stands for one of them.
const PIECES: [&str; 48] = [
    "奉新",
    "奉新县",
    "信奉新教",
    "冯川镇",
    "赤岸镇",
    "宜春",
    "靖安县",
    "百丈山",
    "路灯",
    "没有",
    "不",
    "没",
    "投诉",
    "感谢",
    "点赞",
    "但是",
    "虽然",
    "难道",
    "请问",
    "建议",
    "举报",
    "呵呵",
    "受伤",
    "死亡",
    "孩子",
    "“",
    "”",
    "，",
    "。",
    "？",
    "！",
    "\n",
    " ",
    "\u{200b}",
    "\u{feff}",
    "馮川鎮",
    "ＦＸ",
    "FX",
    "奉 新",
    "*",
    "｜",
    "👍",
    "a\u{301}",
    "\0",
    "物业",
    "拖欠工资",
    "0",
    "﷽",
];

static PIPELINE: LazyLock<Pipeline> = LazyLock::new(|| pipeline(FENGXIN, &Risk::default()));

fn written(bytes: &[u8]) -> String {
    let (pieces, raw) = bytes.split_at(bytes.len() / 2);
    let mut text: String = pieces
        .iter()
        .map(|byte| PIECES[usize::from(*byte) % PIECES.len()])
        .collect();
    text.push_str(&String::from_utf8_lossy(raw));
    text
}

/// A post of the corpus with something put in, or that alone.
fn with(posts: &[&str], post: u16, place: u16, put_in: &str) -> String {
    match posts.get(usize::from(post) % (posts.len() + 1)) {
        Some(post) => {
            let place = usize::from(place) % (post.chars().count() + 1);
            let mut letters = post.chars();
            let before: String = letters.by_ref().take(place).collect();
            before + put_in + letters.as_str()
        }
        None => put_in.to_owned(),
    }
}

fn every_finding_stands_in(title: &str, text: &str) {
    let read = score::assess(&PIPELINE, "360921", title, text, SourceKind::Board);
    for found in &read.evidence {
        let length = match found.part {
            Part::Title => title.chars().count(),
            Part::Text => text.chars().count(),
        };
        assert!(found.start < found.end, "{found:?}");
        assert!(found.end as usize <= length, "{found:?} of {length}");
    }
    let shares = read.subjects.iter().map(|share| share.probability);
    assert!(shares.sum::<f64>() <= 1.0 + 1e-9);
    assert!((-1.0..=1.0).contains(&read.sentiment.score));
    assert_eq!(read.relevant, !read.units.is_empty());
}

#[test]
fn every_finding_stands_in_the_post() {
    let posts: Vec<&str> = (include_str!("../relevance.tsv").lines())
        .filter_map(|line| line.split_once('\t'))
        .map(|(_, post)| post)
        .collect();
    for post in &posts {
        every_finding_stands_in("", post);
    }
    let seconds = std::env::var("WENSHENG_FUZZ_SECONDS");
    let seconds = seconds.ok().and_then(|seconds| seconds.parse().ok());
    bolero::check!()
        .with_type::<(u16, u16, Vec<u8>, Vec<u8>)>()
        .with_test_time(Duration::from_secs(seconds.unwrap_or(1)))
        .for_each(|(post, place, title, text)| {
            let text = with(&posts, *post, *place, &written(text));
            every_finding_stands_in(&written(title), &text);
        });
}
