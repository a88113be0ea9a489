//! What the benchmarks share: real posts to measure with, and what the measured programs used.

use std::collections::BTreeMap;
use std::path::Path;

use crate::{project, shared_data};

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
