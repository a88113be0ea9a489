//! Real texts to measure with: the posts of the board and the complaints of the project's shared data, or the sample
//! county's posts where those are not there.

use std::path::Path;

use wensheng_tests::{project, shared_data};

/// Titles and texts.
pub(crate) fn all() -> Vec<(String, String)> {
    let Some(folder) = shared_data() else {
        return posts(&project().join("deploy/sample/posts.jsonl"));
    };
    let mut texts = posts(&folder.join("board_posts.jsonl"));
    let complaints = std::fs::read_to_string(folder.join("complaints_subject.tsv")).unwrap();
    texts.extend(complaints.lines().skip(1).filter_map(|line| {
        line.split_once('\t')
            .map(|(_, text)| (String::new(), text.to_owned()))
    }));
    texts
}

fn posts(file: &Path) -> Vec<(String, String)> {
    let text = std::fs::read_to_string(file).unwrap();
    text.lines()
        .map(|line| {
            let row: serde_json::Value = serde_json::from_str(line).unwrap();
            let of = |field: &str| row[field].as_str().unwrap_or_default().to_owned();
            (of("title"), of("text"))
        })
        .collect()
}
