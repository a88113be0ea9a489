//! How fast the whole chain is beside bare segmentation, on the same texts, in turn: `throughput TEXTS REGION MODELS`,
//! TEXTS with a text a line. Prints a line of JSON; `tests/bench/analyzer/run` makes a table of it.

#![allow(clippy::unwrap_used, reason = "a benchmark that cannot go on fails")]

use std::io::Write;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use analyzer::pipeline::Pipeline;
use analyzer::settings::{Events, Risk};
use analyzer::stage::clean::Cleaned;
use backbone::message::{Certainty, Post, Reactions, SourceKind};
use backbone::region::Region;
use jieba_rs::Jieba;
use jiff::Timestamp;
use mimalloc::MiMalloc;

#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

/// Passes over the texts; of each way the fastest counts.
const PASSES: usize = 5;

fn main() -> anyhow::Result<()> {
    let arguments: Vec<PathBuf> = std::env::args_os().skip(1).map(PathBuf::from).collect();
    let [texts, region, models] = arguments.as_slice() else {
        anyhow::bail!("usage: throughput TEXTS REGION MODELS");
    };
    let begun = Instant::now();
    let regions = Region::load_all(std::slice::from_ref(region))?;
    let pipeline = Pipeline::new(&regions, models, &Events::default(), &Risk::default())?;
    let start = begun.elapsed();
    let memory_of_chain = memory()?;
    let code = regions.keys().next().unwrap();
    let texts = std::fs::read_to_string(texts)?;
    let posts: Vec<Post> = (texts.lines().enumerate())
        .map(|(number, text)| post(code, number, text))
        .collect();
    let bytes: usize = posts.iter().map(|post| post.text.len()).sum();
    let jieba = Jieba::new();
    let (mut bare, mut chain, mut whole) = (Duration::MAX, Duration::MAX, Duration::MAX);
    for _ in 0..PASSES {
        let begun = Instant::now();
        for post in &posts {
            std::hint::black_box(jieba.cut(&post.text, true));
        }
        bare = bare.min(begun.elapsed());
        let given = posts.clone();
        let begun = Instant::now();
        for post in given {
            let cleaned = Cleaned::of(&post.title, &post.text);
            std::hint::black_box(pipeline.read(post, &cleaned, Timestamp::UNIX_EPOCH));
        }
        chain = chain.min(begun.elapsed());
        let (given, mut state) = (posts.clone(), pipeline.state());
        let begun = Instant::now();
        for post in given {
            let now = post.published_at;
            std::hint::black_box(pipeline.assess_as_relevant(post, &mut state, now));
        }
        whole = whole.min(begun.elapsed());
    }
    let line = serde_json::json!({
        "texts": posts.len(),
        "bytes": bytes,
        "start_seconds": start.as_secs_f64(),
        "memory_megabytes": memory_of_chain,
        "jieba_seconds": bare.as_secs_f64(),
        "chain_seconds": chain.as_secs_f64(),
        "with_events_seconds": whole.as_secs_f64(),
    });
    writeln!(std::io::stdout(), "{line}")?;
    Ok(())
}

/// Memory of this process at its most, in megabytes.
fn memory() -> anyhow::Result<u64> {
    let status = std::fs::read_to_string("/proc/self/status")?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let kilobytes: u64 = line
        .unwrap_or("0 kB")
        .trim()
        .trim_end_matches(" kB")
        .parse()?;
    Ok(kilobytes / 1024)
}

/// Posts of the texts are a minute apart.
fn post(region: &str, number: usize, text: &str) -> Post {
    let at = Timestamp::from_second(60 * number as i64).unwrap();
    Post {
        id: number.to_string(),
        revision: 1,
        region: region.to_owned(),
        source: "bench".to_owned(),
        kind: SourceKind::Import,
        url: String::new(),
        title: String::new(),
        text: text.to_owned(),
        author: None,
        published_at: at,
        certainty: Certainty::Exact,
        collected_at: at,
        reactions: Reactions::default(),
        answered_at: None,
    }
}
