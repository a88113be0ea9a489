//! Looking at a source before it is read: once, printed field by field, nothing sent.

use std::future::Future;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};

use anyhow::{Context, bail};
use backbone::kafka::SendError;
use backbone::message::{Certainty, Finding, Post, SourceHealth};
use backbone::settings::{Flaw, Problems};
use jiff::Timestamp;
use prometheus::Registry;
use tokio_util::sync::CancellationToken;

use crate::app;
use crate::extract::time::zone;
use crate::fetch::Fetcher;
use crate::item::{How, Item};
use crate::metrics::Metrics;
use crate::publish::{Outlet, Publisher};
use crate::settings::Settings;
use crate::source::{Definition, Kind, Round};
use crate::state::State;

/// Posts shown.
const SHOWN: usize = 5;
/// Characters of a text shown.
const EXCERPT: usize = 60;

/// What to look at.
#[derive(Debug, Clone)]
pub struct Look {
    /// The sources' file.
    pub file: PathBuf,
    /// Only the source of that name.
    pub source: Option<String>,
    /// Folder that what was fetched is kept in, as it came.
    pub save: Option<PathBuf>,
}

/// Keeps the posts instead of sending them; asks to stop once it has enough.
#[derive(Debug, Default)]
struct Kept {
    posts: Mutex<Vec<(Post, How)>>,
    enough: CancellationToken,
}

impl Outlet for Kept {
    fn send<'a>(
        &'a self,
        _posts: &'a [Post],
    ) -> Pin<Box<dyn Future<Output = Result<(), SendError>> + Send + 'a>> {
        Box::pin(std::future::ready(Ok(())))
    }

    fn tell<'a>(
        &'a self,
        _health: &'a SourceHealth,
    ) -> Pin<Box<dyn Future<Output = Result<(), SendError>> + Send + 'a>> {
        Box::pin(std::future::ready(Ok(())))
    }

    fn look(&self, item: &Item, post: &Post) {
        let mut kept = self.posts.lock().unwrap_or_else(PoisonError::into_inner);
        kept.push((post.clone(), item.how.clone()));
        if kept.len() >= SHOWN {
            self.enough.cancel();
        }
    }
}

/// What a source was seen to yield.
struct Seen {
    posts: Vec<(Post, How)>,
    refused: u64,
    problem: String,
    findings: Option<Vec<Finding>>,
}

/// Checks a settings file and what it leads to: adds every problem, and tells how many sources there are.
pub async fn config(path: &Path, problems: &mut Problems) -> usize {
    let Some(settings) = Settings::read(path, problems) else {
        return 0;
    };
    problems.tried(path, settings.kafka.client_config());
    problems.tried(path, settings.author_key.read("author_key"));
    if let Some(certificate) = (settings.intake.as_ref()).and_then(|intake| intake.tls.as_ref()) {
        let read = certificate.read().await.map(drop);
        problems.tried(path, read.context("`intake.tls`"));
    }
    let sources = Definition::read_all(&settings.sources, problems);
    for (file, index, source) in sources.iter().filter(|(.., source)| source.enabled) {
        let of_source =
            |problem: String| Flaw::from(format!("source \"{}\": {problem}", source.name));
        let push = source.push.iter();
        let secrets = push
            .map(|push| ("push.token".to_owned(), &push.token))
            .chain((source.api.iter()).flat_map(|api| {
                let headers = api.headers.iter();
                headers.map(|(name, value)| (format!("api.headers.{name}"), value))
            }));
        let unset = secrets.filter_map(|(field, secret)| secret.require(&field).err());
        let entry = format!("source[{index}]");
        problems.note(
            file,
            unset.map(|problem| of_source(problem.to_string()).of(entry.clone())),
        );
        if source.push.is_some() && settings.intake.is_none() {
            let needs = "has [push], and the settings have no [intake]; add one with `listen`";
            problems.note(path, [of_source(needs.to_owned())]);
        }
    }
    sources.len()
}

/// Reads the sources of a file once each and prints what they would publish: every field, what it was found
/// by, and what is missing.
///
/// # Errors
/// When a source cannot be read, yields nothing, or lacks what a post must have; or when `out` cannot be
/// written.
pub async fn run(settings: &Settings, look: &Look, out: &mut impl Write) -> anyhow::Result<()> {
    let mut definitions = Definition::load(&look.file)?;
    if let Some(name) = &look.source {
        definitions.retain(|definition| definition.name == *name);
        if definitions.is_empty() {
            bail!("{}: has no source \"{name}\"", look.file.display());
        }
    }
    let mut problems = Vec::new();
    for definition in &definitions {
        let kind = definition.kind().map_or("", Kind::name);
        writeln!(out, "source     {} ({kind})", definition.name)?;
        // A state of its own, gone afterwards: what is looked at counts as never seen.
        let random: u64 = rand::random();
        let folder = std::env::temp_dir().join(format!("wensheng-check-{random:x}"));
        let seen = read(settings, definition, look, &folder).await;
        std::fs::remove_dir_all(&folder)?;
        let problem = match seen {
            Ok(seen) => show(definition, &seen, out)?,
            Err(error) => Some(error.to_string()),
        };
        problems.extend(problem.map(|problem| format!("{}: {problem}", definition.name)));
        writeln!(out)?;
    }
    if !problems.is_empty() {
        bail!("{}", problems.join("\n"));
    }
    Ok(())
}

async fn read(
    settings: &Settings,
    definition: &Definition,
    look: &Look,
    folder: &Path,
) -> anyhow::Result<Seen> {
    let state = State::open(&folder.join("state.sqlite")).await?;
    let settings = Settings {
        state: folder.join("state.sqlite"),
        ..settings.clone()
    };
    let kept = Arc::new(Kept::default());
    let outlet: Arc<dyn Outlet> = Arc::<Kept>::clone(&kept);
    let metrics = Metrics::new(&Registry::new())?;
    let publisher = Publisher::new(outlet, state.clone(), app::author_key(&settings)?, metrics);
    let mut fetcher = Fetcher::new(&settings.fetch)?;
    if let Some(save) = &look.save {
        fetcher = fetcher.saving(save)?;
    }
    let now = Timestamp::now();
    let round = Round::new(definition, &fetcher, &publisher, &kept.enough, now);
    definition.read(&round).await?;
    let health = state.health(&definition.name).await?;
    state.close().await;
    let posts = kept.posts.lock().unwrap_or_else(PoisonError::into_inner);
    let (problem, refused) = health
        .map(|health| (health.problem, health.refused))
        .unwrap_or_default();
    let findings = round.tally().findings.take();
    Ok(Seen {
        posts: posts.clone(),
        refused,
        problem,
        findings,
    })
}

/// Shows what a source was seen to yield; tells what is wrong with it.
fn show(
    definition: &Definition,
    seen: &Seen,
    out: &mut impl Write,
) -> std::io::Result<Option<String>> {
    for (post, how) in seen.posts.iter().take(SHOWN) {
        show_post(post, how, out)?;
    }
    for finding in seen.findings.iter().flatten() {
        let Finding { url, detail, .. } = finding;
        writeln!(out, "{:<12}{url}  {detail}", finding.fault.name())?;
    }
    let refused = seen.refused;
    writeln!(out, "{} posts read, {refused} refused", seen.posts.len())?;
    if !seen.problem.is_empty() {
        writeln!(out, "last problem: {}", seen.problem)?;
    }
    let (mut untitled, mut untimed) = (0, 0);
    for (post, _) in &seen.posts {
        untitled += usize::from(post.title.is_empty());
        untimed += usize::from(post.certainty == Certainty::Collected);
    }
    if untitled > 0 {
        writeln!(out, "{untitled} have no title; set `title` if they should")?;
    }
    let yields_posts = !matches!(definition.kind(), Some(Kind::Push(_) | Kind::Watch(_)));
    Ok(if yields_posts && seen.posts.is_empty() {
        Some("no post could be read".to_owned())
    } else if untimed > 0 {
        Some(format!(
            "{untimed} posts tell no time; set `time` to where it is"
        ))
    } else {
        None
    })
}

fn show_post(post: &Post, how: &How, out: &mut impl Write) -> std::io::Result<()> {
    let mut line = |field: &str, value: &str, how: &str| {
        let value = match value {
            "" => "(missing)",
            value => value,
        };
        let how = match how {
            "" => String::new(),
            how => format!("   [{how}]"),
        };
        writeln!(out, "{field:<11}{value}{how}")
    };
    let excerpt: String = post.text.chars().take(EXCERPT).collect();
    let characters = post.text.chars().count();
    let excerpt = format!("{} ({characters} characters)", excerpt.replace('\n', " "));
    let time = match post.certainty {
        Certainty::Exact => in_shanghai(post.published_at),
        Certainty::Day => format!("{} (the day is told)", in_shanghai(post.published_at)),
        Certainty::Guessed => format!("{} (worked out)", in_shanghai(post.published_at)),
        Certainty::Collected => String::new(),
    };
    line("id", &post.id, how.of("id"))?;
    line("url", &post.url, how.of("url"))?;
    line("title", &post.title, how.of("title"))?;
    line("text", &excerpt, how.of("text"))?;
    line("published", &time, how.of("time"))?;
    let author = post.author.as_deref().unwrap_or_default();
    line("author", author, how.of("author"))?;
    let reactions = format!(
        "{} for, {} against",
        post.reactions.likes, post.reactions.opposes
    );
    line("reactions", &reactions, "")?;
    writeln!(out)
}

/// Prints a table of the sources: how each is.
///
/// # Errors
/// When a source's file is at fault, the state fails or `out` cannot be written.
pub async fn sources(settings: &Settings, out: &mut impl Write) -> anyhow::Result<()> {
    let definitions = Definition::load_all(&settings.sources)?;
    let state = State::open(&settings.state).await?;
    let head = [
        "name",
        "kind",
        "state",
        "last success",
        "posts",
        "today",
        "failures",
        "lag",
        "last problem",
    ];
    let now = Timestamp::now();
    let mut table = vec![head.map(str::to_owned)];
    for definition in definitions {
        let health = state.health(&definition.name).await?;
        let yields = state.yields(&definition.name, 0, now).await?;
        let health = health.as_ref();
        let is_read = health
            .is_some_and(|health| health.last_success.is_some() || health.last_failure.is_some());
        let status = match health {
            _ if !definition.enabled => "off",
            Some(health) if is_read => health.condition.as_str(),
            _ => "not read yet",
        };
        let success = health.and_then(|health| health.last_success);
        let lag = health.and_then(|health| health.lag_seconds);
        table.push([
            definition.name.clone(),
            definition.kind().map_or("", Kind::name).to_owned(),
            status.to_owned(),
            success.map_or_else(|| "-".to_owned(), in_shanghai),
            health.map_or(0, |health| health.posts).to_string(),
            yields.last().copied().unwrap_or_default().to_string(),
            health.map_or(0, |health| health.refused).to_string(),
            lag.map_or_else(|| "-".to_owned(), lasting),
            health.map_or_else(String::new, |health| health.problem.clone()),
        ]);
    }
    state.close().await;
    let widths: Vec<usize> = (0..head.len())
        .map(|column| {
            let cells = table.iter().filter_map(|row| row.get(column));
            cells.map(|cell| width(cell)).max().unwrap_or(0)
        })
        .collect();
    for row in table {
        let mut line = String::new();
        for (cell, column) in row.iter().zip(&widths) {
            line.push_str(cell);
            line.push_str(&" ".repeat(column.saturating_sub(width(cell)) + 2));
        }
        writeln!(out, "{}", line.trim_end())?;
    }
    Ok(())
}

/// A time span in its largest unit.
fn lasting(seconds: u64) -> String {
    match seconds {
        0..120 => format!("{seconds} s"),
        120..7_200 => format!("{} min", seconds / 60),
        7_200..172_800 => format!("{} h", seconds / 3_600),
        _ => format!("{} d", seconds / 86_400),
    }
}

/// The columns of a terminal that a text takes: two for each Chinese character.
fn width(text: &str) -> usize {
    text.chars()
        .map(|character| if character >= '\u{1100}' { 2 } else { 1 })
        .sum()
}

fn in_shanghai(time: Timestamp) -> String {
    time.to_zoned_datetime(zone())
        .strftime("%Y-%m-%d %H:%M:%S")
        .to_string()
}
