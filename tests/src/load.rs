//! What the benchmarks share: the standalone program, real posts to measure with, and what the measured programs used.

use std::collections::BTreeMap;
use std::fs::File;
use std::path::Path;
use std::process::Command;

use backbone::message::{Certainty, Post, Reactions, SourceKind};
use jiff::Timestamp;

use crate::duty::PASSWORD;
use crate::{Program, project, shared_data, wait_for};

/// Starts the standalone program on a folder and waits until it says where its parts are: their addresses by name. The
/// administrator's password is [`PASSWORD`].
///
/// # Panics
/// When it does not start.
pub async fn standalone(folder: &Path) -> (Program, BTreeMap<String, String>) {
    let library = Command::new(project().join("deploy/libchdb")).output();
    let library = library.expect("the library's path").stdout;
    let mut command = Program::command("standalone");
    command
        .args(["--port", "0", "--config"])
        .arg(project().join("deploy/config"))
        .arg("--data")
        .arg(folder)
        .env("CHDB_LIB", String::from_utf8_lossy(&library).trim())
        .env("WENSHENG_ADMIN_PASSWORD", PASSWORD)
        .env("RUST_LOG", "warn")
        .stderr(File::create(folder.join("log")).expect("a log"));
    let program = Program::start(command);
    let said = wait_for("the standalone program", || async {
        let text = std::fs::read_to_string(folder.join("standalone.json")).ok()?;
        serde_json::from_str::<BTreeMap<String, serde_json::Value>>(&text).ok()
    })
    .await;
    let addresses = said
        .into_iter()
        .filter_map(|(name, value)| Some((name, value.as_str()?.to_owned())));
    (program, addresses.collect())
}

/// A post of a region that was published now: one of the texts, of a house that seven posts share, so that they are not all copies.
#[must_use]
pub fn post_now(number: u64, texts: &[(String, String)], region: &str) -> Post {
    let (title, text) = &texts[number as usize % texts.len()];
    let house = number / 7;
    let now = Timestamp::now();
    Post {
        id: backbone::id::of_post("bench", "", &number.to_string()),
        revision: 1,
        region: region.to_owned(),
        source: "信箱".to_owned(),
        kind: SourceKind::Import,
        url: String::new(),
        title: format!("{title}（{house}号）"),
        text: format!("{text}（{house}号院）"),
        author: Some(backbone::id::of("author", &[&(number % 9_973).to_string()])),
        published_at: now,
        certainty: Certainty::Exact,
        collected_at: now,
        reactions: Reactions::default(),
        answered_at: None,
    }
}

/// Titles and texts of the message board's posts in the shared data, or of the sample county's where that is not there.
///
/// # Panics
/// When the file cannot be read.
#[must_use]
pub fn board_texts() -> Vec<(String, String)> {
    match shared_data() {
        Some(folder) => texts_of(&folder.join("board_posts.jsonl")),
        None => texts_of(&project().join("deploy/sample/posts.jsonl")),
    }
}

fn texts_of(file: &Path) -> Vec<(String, String)> {
    let text = std::fs::read_to_string(file).expect("posts to measure with");
    text.lines()
        .map(|line| {
            let row: serde_json::Value = serde_json::from_str(line).expect("a post a line");
            let of = |field: &str| row[field].as_str().unwrap_or_default().to_owned();
            (of("title"), of("text"))
        })
        .collect()
}

/// Processor time used so far by the programs of these names that were started together with this one, in seconds.
///
/// # Panics
/// Where there is no `/proc`.
#[must_use]
pub fn processor_seconds(names: &[&str]) -> BTreeMap<String, f64> {
    let stat_of = |process: &Path| {
        let stat = std::fs::read_to_string(process.join("stat")).ok()?;
        let (heading, rest) = stat.rsplit_once(')')?;
        let name = heading.split_once(" (")?.1.to_owned();
        Some((name, rest.split_whitespace().map(str::to_owned).collect()))
    };
    let group_of = |fields: &Vec<String>| fields.get(2).cloned();
    let (_, own): (String, Vec<String>) = stat_of(Path::new("/proc/self")).expect("Linux");
    let mut used = BTreeMap::new();
    for process in std::fs::read_dir("/proc").expect("Linux").flatten() {
        let Some((name, fields)) = stat_of(&process.path()) else {
            continue;
        };
        if names.contains(&name.as_str()) && group_of(&fields) == group_of(&own) {
            let ticks: f64 = [11, 12]
                .iter()
                .filter_map(|at| fields.get(*at)?.parse::<f64>().ok())
                .sum();
            *used.entry(name).or_default() += ticks / 100.0;
        }
    }
    used
}
