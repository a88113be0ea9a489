//! Pages in the manner of common software, read without a word on their templates. Each folder of
//! `tests/layouts` has a list, posts, and what a careful reader finds on them.

use std::path::Path;

use collector::extract::article::Article;
use collector::extract::{charset, listing, page};
use jiff::Timestamp;
use serde::Deserialize;
use url::Url;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Expected {
    encoding: String,
    now: String,
    list: List,
    post: Vec<Post>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct List {
    links: Vec<String>,
    next: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Post {
    file: String,
    title: String,
    text: String,
    author: String,
    time: String,
}

fn read(folder: &Path, file: &str) -> scraper::Html {
    let bytes = std::fs::read(folder.join(file)).unwrap();
    page::parse(&charset::decode(&bytes, None, None).unwrap()).unwrap()
}

/// Reads a folder; tells what is not as expected.
fn differences(folder: &Path) -> Vec<String> {
    let expected = std::fs::read_to_string(folder.join("expected.toml")).unwrap();
    let expected: Expected = toml::from_str(&expected).unwrap();
    let now: Timestamp = expected.now.parse().unwrap();
    let base: Url = "http://site.example.test/list".parse().unwrap();
    let html = read(folder, "list.html");
    let absolute = |href: &String| base.join(href).unwrap().to_string();
    let mut found = Vec::new();
    let mut compare = |place: &str, got: String, wanted: &str| {
        if got != wanted {
            found.push(format!("{place}\n   found {got:?}\n  wanted {wanted:?}"));
        }
    };
    let links: Vec<String> = listing::entries(&html, &base, now)
        .into_iter()
        .map(|entry| entry.url.to_string())
        .collect();
    let wanted: Vec<String> = expected.list.links.iter().map(absolute).collect();
    compare("list", links.join(" "), &wanted.join(" "));
    let next = listing::next(&html, &base).map_or_else(String::new, |next| next.to_string());
    let wanted = match expected.list.next.as_str() {
        "" => String::new(),
        _ => absolute(&expected.list.next),
    };
    compare("next", next, &wanted);
    assert!(matches!(expected.encoding.as_str(), "utf-8" | "gbk"));
    for post in &expected.post {
        let html = read(folder, &post.file);
        let article = Article::new(&html);
        let value = |found: Option<collector::extract::article::Found<String>>| {
            found.map_or_else(String::new, |found| found.value)
        };
        let of = |field: &str| format!("{} {field}", post.file);
        compare(&of("title"), value(article.title()), &post.title);
        compare(&of("text"), value(article.text()), post.text.trim());
        compare(&of("author"), value(article.author()), &post.author);
        let wanted: Timestamp = post.time.parse().unwrap();
        let time = article.time(now).map(|found| found.value.at);
        let time = time.map_or_else(String::new, |time| time.to_string());
        compare(&of("time"), time, &wanted.to_string());
    }
    found
}

#[test]
fn pages_of_common_software_are_read_without_a_word_on_their_templates() {
    let layouts = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/layouts");
    let mut folders: Vec<_> = std::fs::read_dir(layouts)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.is_dir())
        .collect();
    folders.sort();
    assert!(folders.len() >= 6, "{folders:?}");
    let mut all = Vec::new();
    for folder in &folders {
        let name = folder.file_name().unwrap().to_str().unwrap();
        let found = differences(folder);
        all.extend(found.iter().map(|found| format!("{name}: {found}")));
    }
    assert!(all.is_empty(), "\n{}", all.join("\n"));
}
