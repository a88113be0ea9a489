//! Replay: posts of a file through the chain, without Kafka, to see and tune the events they make.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{BufRead, BufReader, BufWriter, Write};
use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use backbone::message::{Post, Reactions, SourceKind};
use jiff::Timestamp;
use serde::Deserialize;
use serde_json::json;

use crate::pipeline::Pipeline;

/// Runs posts of a file through the chain and writes the events they make.
#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// JSON lines, a post each: `id`, `title`, `time` (with its offset), `text`; also `user`, `source`, `like`, `oppose`.
    #[arg(long)]
    input: PathBuf,
    /// Folder for `events.jsonl`, made where missing.
    #[arg(long)]
    out: PathBuf,
    /// The region they are read for: its folder or its region.toml; the first one configured where absent.
    #[arg(long)]
    region: Option<PathBuf>,
    /// Leave out posts that do not concern the region; without it every post is taken to.
    #[arg(long)]
    relevant: bool,
}

impl Arguments {
    /// The region asked for.
    #[must_use]
    pub fn region(&self) -> Option<&Path> {
        self.region.as_deref()
    }
}

/// A post of the file.
#[derive(Debug, Deserialize)]
struct Line {
    id: String,
    #[serde(default)]
    title: String,
    #[serde(default)]
    text: String,
    #[serde(alias = "published_at")]
    time: Timestamp,
    #[serde(default, alias = "author")]
    user: Option<String>,
    #[serde(default)]
    source: String,
    #[serde(default)]
    like: u32,
    #[serde(default)]
    oppose: u32,
}

/// Longest line, in bytes.
const LONGEST: u64 = 4 << 20;

/// Replays the posts in the order of their times, those of one time in the order of the file, and writes
/// `events.jsonl`, the gravest first.
///
/// # Errors
/// When the input cannot be read, with the line and the field, or the output not be written.
pub fn run(
    pipeline: &Pipeline,
    region: &str,
    arguments: &Arguments,
    out: &mut impl Write,
) -> anyhow::Result<()> {
    let mut posts = read(&arguments.input, region)?;
    posts.sort_by_key(|post| post.published_at);
    let mut window = pipeline.window();
    let mut members: BTreeMap<String, Vec<String>> = BTreeMap::new();
    let (read, mut alerts) = (posts.len(), 0);
    for post in posts {
        let (id, now) = (post.id.clone(), post.published_at);
        let (assessment, alert) = if arguments.relevant {
            pipeline.assess(post, &mut window, now)
        } else {
            pipeline.assess_as_relevant(post, &mut window, now)
        };
        alerts += usize::from(alert.is_some());
        if let Some(event) = assessment.event {
            members.entry(event.id).or_default().push(id);
        }
    }

    let mut events = Vec::with_capacity(members.len());
    for (id, posts) in &members {
        // The window may have forgotten the oldest.
        let Some(event) = window.event(id) else {
            continue;
        };
        let Some(risk) = pipeline.risk(region, event) else {
            continue;
        };
        events.push((event.summary(), event.level, risk, posts));
    }
    events.sort_by(|(one, _, risk, of_one), (other, _, other_risk, of_other)| {
        let graver = other_risk.score.total_cmp(&risk.score);
        graver
            .then(of_other.len().cmp(&of_one.len()))
            .then(one.id.cmp(&other.id))
    });

    std::fs::create_dir_all(&arguments.out)
        .with_context(|| format!("cannot make the folder {}", arguments.out.display()))?;
    let path = arguments.out.join("events.jsonl");
    let file = File::create(&path).with_context(|| format!("cannot write {}", path.display()))?;
    let mut lines = BufWriter::new(file);
    for (event, level, risk, posts) in &events {
        let places: Vec<&str> = event
            .places
            .iter()
            .map(|place| place.name.as_str())
            .collect();
        let subjects: Vec<&str> = (!event.subject.is_empty())
            .then_some(event.subject.as_str())
            .into_iter()
            .collect();
        let line = json!({
            "event_id": event.id, "title": event.title, "posts": posts, "first": event.first_at,
            "last": event.last_at, "level": level, "score": risk.score, "subjects": subjects,
            "places": places, "voices": event.voices, "sentiment": event.sentiment, "terms": risk.terms,
        });
        writeln!(lines, "{line}")?;
    }
    lines.flush()?;
    writeln!(
        out,
        "{read} posts, {} events, {alerts} alerts; written to {}",
        events.len(),
        path.display()
    )?;
    Ok(())
}

/// The posts of a file.
fn read(path: &Path, region: &str) -> anyhow::Result<Vec<Post>> {
    let file = File::open(path).with_context(|| format!("cannot read {}", path.display()))?;
    let mut reader = BufReader::new(file);
    let mut posts = Vec::new();
    let mut bytes = Vec::new();
    for number in 1.. {
        bytes.clear();
        let length = std::io::Read::take(&mut reader, LONGEST).read_until(b'\n', &mut bytes)?;
        if length == 0 {
            break;
        }
        let at = || format!("{}, line {number}", path.display());
        if length as u64 == LONGEST {
            bail!("{}: is longer than 4 MiB; shorten its text", at());
        }
        if bytes.trim_ascii().is_empty() {
            continue;
        }
        let line: Line = serde_json::from_slice(&bytes)
            .with_context(|| format!("{}: is not a post; mend the field named", at()))?;
        posts.push(Post {
            id: line.id,
            revision: 1,
            region: region.to_owned(),
            source: line.source,
            kind: SourceKind::Import,
            url: String::new(),
            title: line.title,
            text: line.text,
            author: line.user,
            published_at: line.time,
            certainty: backbone::message::Certainty::Exact,
            collected_at: line.time,
            reactions: Reactions {
                likes: line.like,
                opposes: line.oppose,
            },
        });
    }
    Ok(posts)
}
