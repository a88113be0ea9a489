//! History replayed: the posts of a file become events, found again as a reader would group them.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use analyzer::replay::{self, Arguments};
use analyzer::settings::Risk;
use backbone::settings::{ClickHouse, Secret};
use clap::Parser;
use serde_json::Value;

use crate::ground::{SAMPLE, pipeline, project};

#[derive(Parser)]
struct Program {
    #[command(flatten)]
    arguments: Arguments,
}

async fn replay(input: &Path) -> anyhow::Result<Vec<Value>> {
    Ok(replay_and_tell(input).await?.0)
}

/// The events, and what is told of the replay.
async fn replay_and_tell(input: &Path) -> anyhow::Result<(Vec<Value>, String)> {
    let pipeline = pipeline(SAMPLE, &Risk::default());
    let out = tempfile::tempdir().unwrap();
    let program = Program::parse_from([
        Path::new("replay"),
        Path::new("--input"),
        input,
        Path::new("--out"),
        out.path(),
    ]);
    let archive = ClickHouse {
        url: "http://127.0.0.1:9".to_owned(),
        ca: None,
        database: "none".to_owned(),
        replicated: false,
        user: String::new(),
        password: Secret::default(),
    };
    let mut told = Vec::new();
    replay::run(&pipeline, "990101", &archive, &program.arguments, &mut told).await?;
    let text = std::fs::read_to_string(out.path().join("events.jsonl")).unwrap();
    let events = text.lines().map(|line| serde_json::from_str(line).unwrap());
    Ok((events.collect(), String::from_utf8(told).unwrap()))
}

fn posts(event: &Value) -> Vec<&str> {
    let posts = event["posts"].as_array().unwrap();
    posts.iter().map(|id| id.as_str().unwrap()).collect()
}

fn file(lines: &str) -> tempfile::NamedTempFile {
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), lines).unwrap();
    file
}

#[tokio::test]
async fn copies_and_other_tellings_of_a_matter_are_one_event_and_unlike_matters_of_the_estate_are_not()
 {
    let file = file(
        r#"{"id": "1", "title": "滨江苑捆绑销售车位", "time": "2019-08-01T08:00:00+08:00", "text": "滨江苑买房必须买十二万的车位，不买车位就取消购房资格，请领导查处。"}
{"id": "4", "title": "滨江苑垃圾站臭味", "time": "2019-08-03T08:00:00+08:00", "text": "滨江苑北门的垃圾站一周没有清运，天热臭味飘进家里，窗户都不敢开。"}
{"id": "2", "title": "投诉滨江苑捆绑销售车位", "time": "2019-08-02T08:00:00+08:00", "text": "滨江苑买房必须买十二万的车位，不买车位就取消购房资格，请领导查处！谢谢"}
{"id": "3", "title": "车位捆绑违规销售", "time": "2019-08-05T08:00:00+08:00", "text": "对于滨江苑商品房，公司违规捆绑车位销售，买房必须买车位，我们反映多次没有人管。"}
{"id": "5", "title": "滨江苑捆绑销售车位", "time": "2020-08-01T08:00:00+08:00", "text": "滨江苑买房必须买十二万的车位，不买车位就取消购房资格，请领导查处。"}
"#,
    );
    let (events, told) = replay_and_tell(file.path()).await.unwrap();
    for what in [
        "5 posts replayed; nothing was sent",
        "3 events, the gravest first, are in ",
        "0 signals are in ",
        "to compare, change",
    ] {
        assert!(told.contains(what), "{told}");
    }
    let groups: BTreeSet<Vec<&str>> = events.iter().map(posts).collect();
    assert_eq!(
        groups,
        BTreeSet::from([vec!["1", "2", "3"], vec!["4"], vec!["5"]])
    );
    assert_eq!(posts(&events[0]), ["1", "2", "3"], "the gravest is first");
}

#[tokio::test]
async fn a_file_without_posts_is_a_mistake() {
    let said = replay(file("\n").path()).await.unwrap_err().to_string();
    assert!(
        said.contains("there are no posts to replay; correct --input"),
        "{said}"
    );
}

#[tokio::test]
async fn a_broken_line_is_named() {
    let file = file(
        "{\"id\": \"1\", \"text\": \"路灯不亮\", \"time\": \"2019-08-01T08:00:00+08:00\"}\n{\"id\": \"2\", \"text\": \"路灯不亮\"}\n",
    );
    let said = format!("{:#}", replay(file.path()).await.unwrap_err());
    assert!(said.contains("line 2") && said.contains("`time`"), "{said}");
}

/// The pair-F1 over the pairs that have a post of the reference: together in an event and together in a matter.
#[tokio::test]
async fn the_hot_matters_of_the_board_are_found_together() {
    let shared = std::env::var_os("WENSHENG_SHARED_DATA")
        .map_or_else(|| project().join("../shared/data"), PathBuf::from);
    let input = shared.join("board_posts.jsonl");
    if !input.exists() {
        println!("not tried: {} is not there", input.display());
        return;
    }
    let reference = std::fs::read_to_string(project().join("analyzer/tests/hot_matters.tsv"));
    let reference = reference.unwrap();
    let mut matters: BTreeMap<&str, usize> = BTreeMap::new();
    let mut wanted = 0;
    for (number, line) in reference.lines().skip(2).enumerate() {
        let ids: Vec<&str> = line.split_once('\t').unwrap().1.split(' ').collect();
        wanted += ids.len() * (ids.len() - 1) / 2;
        matters.extend(ids.into_iter().map(|id| (id, number)));
    }
    let (mut right, mut wrong) = (0, 0);
    for event in &replay(&input).await.unwrap() {
        let posts = posts(event);
        for (at, one) in posts.iter().enumerate() {
            for other in &posts[at + 1..] {
                match (matters.get(one), matters.get(other)) {
                    (None, None) => {}
                    (one, other) if one == other => right += 1,
                    _ => wrong += 1,
                }
            }
        }
    }
    let (right, wrong, wanted) = (f64::from(right), f64::from(wrong), wanted as f64);
    let (precision, recall) = (right / (right + wrong), right / wanted);
    let f1 = 2.0 * precision * recall / (precision + recall);
    println!("precision {precision:.3}, recall {recall:.3}, pair-F1 {f1:.3}");
    assert!(f1 >= 0.80, "pair-F1 {f1:.3}");
}
