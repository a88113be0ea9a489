//! Replay: past posts through the chain, without Kafka, to see and tune the events they make.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{BufRead, BufReader, BufWriter, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::time::Instant;

use anyhow::{Context, bail};
use backbone::clickhouse::client;
use backbone::message::{Alert, Certainty, Post, Reactions, RiskTerm, Signal, SourceKind};
use backbone::settings::ClickHouse;
use clickhouse::Row;
use jiff::civil::Date;
use jiff::tz::offset;
use jiff::{Timestamp, ToSpan};
use serde::{Deserialize, Serialize};
use tracing::info;

use crate::pipeline::Pipeline;
use crate::state::State;

/// Runs past posts through the chain and writes the events they make, the gravest first.
#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// JSON lines, a post each: `id`, `title`, `time` (with its offset), `text`; also `user`, `source`, `like`, `oppose`,
    /// `answered_at`.
    #[arg(long, required_unless_present = "from", conflicts_with_all = ["from", "to"])]
    input: Option<PathBuf>,
    /// Reads the archive instead: posts published from this day on, such as 2026-10-01 (Asia/Shanghai).
    #[arg(long)]
    from: Option<Date>,
    /// … up to and with this day; to the newest where absent.
    #[arg(long, requires = "from")]
    to: Option<Date>,
    /// Folder for `events.jsonl` and `signals.jsonl`, made where missing.
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

/// Posts between two lines of progress.
const PROGRESS: usize = 100_000;

/// Replays the posts in the order of their times, those of one time in the order of the file or of their ids, and writes
/// `events.jsonl`, and `signals.jsonl` with the bursts and common problems.
///
/// # Errors
/// When the input cannot be read, with the line and the field, or the output not be written.
pub async fn run(
    pipeline: &Pipeline,
    region: &str,
    archive: &ClickHouse,
    arguments: &Arguments,
    out: &mut impl Write,
) -> anyhow::Result<()> {
    let mut replay = Replay {
        pipeline,
        relevant: arguments.relevant,
        state: pipeline.state(),
        found: BTreeMap::new(),
        posts: 0,
        alerts: [0; 4],
        signals: BTreeMap::new(),
        since: Instant::now(),
    };
    match (&arguments.input, arguments.from) {
        (Some(path), _) => replay_file(path, region, &mut replay)?,
        (None, from) => replay_archive(archive, region, from, arguments.to, &mut replay).await?,
    }
    if replay.posts == 0 {
        bail!(
            "there are no posts to replay; correct --input, or --from, --to and --region (it is {region})"
        );
    }
    replay.write(&arguments.out, out)
}

/// A replay under way.
struct Replay<'a> {
    pipeline: &'a Pipeline,
    relevant: bool,
    state: State,
    found: BTreeMap<String, Found>,
    posts: usize,
    /// Alerts raised, by level.
    alerts: [usize; 4],
    /// Signals as last told, by the time they were found.
    signals: BTreeMap<(Timestamp, String), Signal>,
    /// When progress was last told.
    since: Instant,
}

/// An event as `events.jsonl` tells it: at its gravest, with all its posts.
#[derive(Debug, Default, Serialize)]
struct Found {
    event_id: String,
    title: String,
    posts: Vec<String>,
    first: Timestamp,
    last: Timestamp,
    level: Option<u8>,
    score: f64,
    subjects: Vec<String>,
    places: Vec<String>,
    voices: u32,
    sentiment: f64,
    terms: Vec<RiskTerm>,
    gist: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    recurrence: Option<String>,
}

impl Replay<'_> {
    fn take(&mut self, post: Post) {
        let (id, now) = (post.id.clone(), post.published_at);
        let overdue = self.pipeline.look_again(&mut self.state, now);
        let (assessment, raised) = if self.relevant {
            self.pipeline.assess(post, &mut self.state, now)
        } else {
            self.pipeline.assess_as_relevant(post, &mut self.state, now)
        };
        self.count(&overdue);
        self.count(&raised);
        for signal in self.pipeline.signals(&mut self.state) {
            (self.signals).insert((signal.found_at, signal.id.clone()), signal);
        }
        self.posts += 1;
        if self.posts.is_multiple_of(PROGRESS) {
            let events = self.state.window.len();
            let took = std::mem::replace(&mut self.since, Instant::now()).elapsed();
            let rate = (PROGRESS as f64 / took.as_secs_f64()).round();
            info!(
                posts = self.posts,
                events,
                posts_a_second = rate,
                "replayed"
            );
        }
        if let Some(event) = assessment.event {
            let found = self.found.entry(event.id.clone()).or_default();
            found.posts.push(id);
            self.look_at(&event.id, now);
        }
    }

    fn count(&mut self, raised: &[Alert]) {
        for alert in raised {
            if alert.update == 0
                && let Some(count) = self.alerts.get_mut(usize::from(alert.level) - 1)
            {
                *count += 1;
            }
            if self.found.contains_key(&alert.event.id) {
                self.look_at(&alert.event.id, alert.raised_at);
            }
        }
    }

    /// Notes how an event stands.
    fn look_at(&mut self, id: &str, now: Timestamp) {
        let (Some(event), Some(found)) = (self.state.window.event(id), self.found.get_mut(id))
        else {
            return;
        };
        let summary = event.summary();
        found.event_id = summary.id;
        found.title = summary.title;
        found.gist = summary.gist;
        (found.first, found.last) = (summary.first_at, summary.last_at);
        (found.voices, found.sentiment) = (summary.voices, summary.sentiment);
        found.level = event.alerted().level();
        found.subjects = (summary.subjects.into_iter())
            .map(|subject| subject.name)
            .collect();
        found.places = (summary.places.into_iter())
            .map(|place| place.name)
            .collect();
        found.recurrence = summary.recurrence.map(|earlier| earlier.event);
        if let Some(risk) = self.pipeline.risk(event, now)
            && risk.score >= found.score
        {
            (found.score, found.terms) = (risk.score, risk.terms);
        }
    }

    fn write(self, folder: &Path, out: &mut impl Write) -> anyhow::Result<()> {
        let mut events: Vec<Found> = self.found.into_values().collect();
        events.sort_by(|one, other| {
            let graver = other.score.total_cmp(&one.score);
            graver
                .then(other.posts.len().cmp(&one.posts.len()))
                .then(one.event_id.cmp(&other.event_id))
        });
        std::fs::create_dir_all(folder)
            .with_context(|| format!("cannot make the folder {}", folder.display()))?;
        write_lines(&folder.join("events.jsonl"), &events)?;
        write_lines(&folder.join("signals.jsonl"), self.signals.values())?;
        let [one, two, three, four] = self.alerts;
        let (posts, folder) = (self.posts, folder.display());
        let beside = match posts - events.iter().map(|event| event.posts.len()).sum::<usize>() {
            0 => String::new(),
            beside => format!(", of which {beside} do not concern the region"),
        };
        writeln!(out, "{posts} posts replayed{beside}; nothing was sent")?;
        writeln!(
            out,
            "{} events, the gravest first, are in {folder}/events.jsonl",
            events.len()
        )?;
        writeln!(
            out,
            "{} signals are in {folder}/signals.jsonl",
            self.signals.len()
        )?;
        writeln!(
            out,
            "alerts would have been raised: Ⅰ {one}, Ⅱ {two}, Ⅲ {three}, Ⅳ {four}"
        )?;
        writeln!(
            out,
            "to compare, change [events], [risk] or [trends] in a copy of the settings and replay the same posts into another folder"
        )?;
        Ok(())
    }
}

fn write_lines<T: Serialize>(
    path: &Path,
    things: impl IntoIterator<Item = T>,
) -> anyhow::Result<()> {
    let file = File::create(path).with_context(|| format!("cannot write {}", path.display()))?;
    let mut lines = BufWriter::new(file);
    for thing in things {
        serde_json::to_writer(&mut lines, &thing)?;
        lines.write_all(b"\n")?;
    }
    Ok(lines.flush()?)
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
    #[serde(default)]
    answered_at: Option<Timestamp>,
}

/// Longest line, in bytes.
const LONGEST: u64 = 4 << 20;

/// Reads the file twice, so that one of any length takes little memory: for the times of its lines, and in their order.
fn replay_file(path: &Path, region: &str, replay: &mut Replay<'_>) -> anyhow::Result<()> {
    let file = File::open(path).with_context(|| format!("cannot read {}", path.display()))?;
    let mut reader = BufReader::new(file);
    let mut bytes = Vec::new();
    let mut order: Vec<(Timestamp, u64)> = Vec::new();
    let mut place = 0;
    for number in 1.. {
        let length = read_line(&mut reader, &mut bytes)?;
        if length == 0 {
            break;
        }
        let at = || format!("{}, line {number}", path.display());
        if length == LONGEST {
            bail!("{}: is longer than 4 MiB; shorten its text", at());
        }
        if !bytes.trim_ascii().is_empty() {
            let line: Line = serde_json::from_slice(&bytes)
                .with_context(|| format!("{}: is not a post; mend the field named", at()))?;
            order.push((line.time, place));
        }
        place += length;
    }
    order.sort_unstable();
    for (_, place) in order {
        let here = reader.stream_position()?;
        match i64::try_from(place)?.checked_sub_unsigned(here) {
            Some(step) => reader.seek_relative(step)?,
            None => drop(reader.seek(SeekFrom::Start(place))?),
        }
        read_line(&mut reader, &mut bytes)?;
        let line: Line = serde_json::from_slice(&bytes)
            .with_context(|| format!("{} changed while it was read", path.display()))?;
        replay.take(Post {
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
            certainty: Certainty::Exact,
            collected_at: line.time,
            reactions: Reactions {
                likes: line.like,
                opposes: line.oppose,
            },
            answered_at: line.answered_at,
        });
    }
    Ok(())
}

fn read_line(reader: &mut impl BufRead, bytes: &mut Vec<u8>) -> std::io::Result<u64> {
    bytes.clear();
    Ok(reader.take(LONGEST).read_until(b'\n', bytes)? as u64)
}

/// A post of the archive.
#[derive(Debug, Row, Serialize, Deserialize)]
struct Archived {
    post_id: String,
    revision: u32,
    source: String,
    kind: String,
    url: String,
    title: String,
    text: String,
    author: String,
    published_at: i64,
    collected_at: i64,
    likes: u32,
    opposes: u32,
    answered_at: i64,
}

async fn replay_archive(
    archive: &ClickHouse,
    region: &str,
    from: Option<Date>,
    to: Option<Date>,
    replay: &mut Replay<'_>,
) -> anyhow::Result<()> {
    let midnight =
        |day: Date| offset(8).to_timestamp(day.to_datetime(jiff::civil::Time::midnight()));
    let begins = from.map_or(Ok(Timestamp::MIN), midnight)?;
    let ends = match to {
        Some(day) => midnight(day.checked_add(1.day())?)?,
        None => Timestamp::MAX,
    };
    let millisecond = Timestamp::from_millisecond;
    let mut rows = client(archive)?
        .query(
            "SELECT ?fields FROM assessments FINAL WHERE region = ? \
             AND toUnixTimestamp64Milli(published_at) >= ? AND toUnixTimestamp64Milli(published_at) < ? \
             ORDER BY published_at, post_id",
        )
        .bind(region)
        .bind(begins.as_millisecond())
        .bind(ends.as_millisecond())
        .fetch::<Archived>()?;
    while let Some(row) = rows.next().await.context("the archive cannot be read")? {
        let answered = (row.answered_at != 0).then(|| millisecond(row.answered_at));
        replay.take(Post {
            id: row.post_id,
            revision: row.revision,
            region: region.to_owned(),
            source: row.source,
            kind: SourceKind::named(&row.kind).unwrap_or(SourceKind::Import),
            url: row.url,
            title: row.title,
            text: row.text,
            author: (!row.author.is_empty()).then_some(row.author),
            published_at: millisecond(row.published_at)?,
            certainty: Certainty::Exact,
            collected_at: millisecond(row.collected_at)?,
            reactions: Reactions {
                likes: row.likes,
                opposes: row.opposes,
            },
            answered_at: answered.transpose()?,
        });
    }
    Ok(())
}
