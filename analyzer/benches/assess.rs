//! How fast posts are assessed, beside segmentation alone, which bounds it.
//! `cargo bench -p analyzer` on the sample county's posts; throughput is of their text.

#![allow(
    clippy::unwrap_used,
    missing_docs,
    reason = "a benchmark that cannot go on fails"
)]

use std::path::{Path, PathBuf};

use analyzer::pipeline::Pipeline;
use analyzer::settings::{Events, Risk};
use analyzer::stage::clean::Cleaned;
use backbone::message::{Certainty, Post, Reactions, SourceKind};
use backbone::region::Region;
use criterion::{BatchSize, Criterion, Throughput, criterion_group, criterion_main};
use jieba_rs::Jieba;
use jiff::{SignedDuration, Timestamp};

fn project() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

fn posts() -> Vec<Post> {
    let text = std::fs::read_to_string(project().join("deploy/sample/posts.jsonl")).unwrap();
    let first: Timestamp = "2026-11-01T00:00:00Z".parse().unwrap();
    text.lines()
        .zip(0_i64..)
        .map(|(line, index)| {
            let row: serde_json::Value = serde_json::from_str(line).unwrap();
            let at = first + SignedDuration::from_mins(index * 10);
            Post {
                id: row["id"].as_str().unwrap().to_owned(),
                revision: 1,
                region: "990101".to_owned(),
                source: "sample".to_owned(),
                kind: SourceKind::Board,
                url: String::new(),
                title: row["title"].as_str().unwrap().to_owned(),
                text: row["text"].as_str().unwrap().to_owned(),
                author: None,
                published_at: at,
                certainty: Certainty::Exact,
                collected_at: at,
                reactions: Reactions::default(),
                answered_at: None,
            }
        })
        .collect()
}

fn assess(criterion: &mut Criterion) {
    let regions = Region::load_all(&[project().join("deploy/sample/region/990101")]).unwrap();
    let model = project().join("analyzer/model");
    let pipeline = Pipeline::new(&regions, &model, &Events::default(), &Risk::default()).unwrap();
    let posts = posts();
    let texts: Vec<String> = posts
        .iter()
        .map(|post| Cleaned::of(&post.title, &post.text).text)
        .collect();
    let bytes: usize = texts.iter().map(String::len).sum();
    let jieba = Jieba::new();

    let mut group = criterion.benchmark_group("150 posts");
    group.throughput(Throughput::Bytes(bytes as u64));
    group.bench_function("segmented", |bencher| {
        bencher.iter(|| {
            texts
                .iter()
                .map(|text| jieba.cut(text, false).len())
                .sum::<usize>()
        });
    });
    group.bench_function("assessed", |bencher| {
        bencher.iter_batched(
            || (posts.clone(), pipeline.state()),
            |(posts, mut state)| {
                for post in posts {
                    let now = post.collected_at;
                    std::hint::black_box(pipeline.assess(post, &mut state, now));
                }
            },
            BatchSize::SmallInput,
        );
    });
    group.finish();
}

criterion_group!(benches, assess);
criterion_main!(benches);
