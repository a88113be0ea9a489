//! Looking at a source before it is read: once, printed, nothing sent.

use std::future::Future;
use std::io::Write;
use std::path::Path;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};

use backbone::kafka::SendError;
use backbone::message::Post;
use jiff::Timestamp;
use prometheus::Registry;
use tokio_util::sync::CancellationToken;

use crate::app;
use crate::extract::time::zone;
use crate::fetch::Fetcher;
use crate::metrics::Metrics;
use crate::publish::{Outlet, Publisher};
use crate::settings::Settings;
use crate::source::{Definition, Round};
use crate::state::State;

/// Posts shown.
const SHOWN: usize = 5;
/// Characters of a text shown.
const EXCERPT: usize = 60;

/// Keeps the posts instead of sending them; asks to stop once it has enough.
#[derive(Debug, Default)]
struct Kept {
    posts: Mutex<Vec<Post>>,
    enough: CancellationToken,
}

impl Outlet for Kept {
    fn send<'a>(
        &'a self,
        posts: &'a [Post],
    ) -> Pin<Box<dyn Future<Output = Result<(), SendError>> + Send + 'a>> {
        let mut kept = self.posts.lock().unwrap_or_else(PoisonError::into_inner);
        kept.extend_from_slice(posts);
        if kept.len() >= SHOWN {
            self.enough.cancel();
        }
        Box::pin(std::future::ready(Ok(())))
    }
}

/// Checks what the settings lead to: tells how many sources there are, and every problem.
#[must_use]
pub fn config(settings: &Settings) -> (usize, Vec<String>) {
    let (sources, problems) = Definition::read_all(&settings.sources);
    let mut problems: Vec<String> = problems.iter().map(ToString::to_string).collect();
    problems.extend(
        settings
            .kafka
            .client_config()
            .err()
            .map(|error| error.to_string()),
    );
    problems.extend(
        settings
            .author_key
            .read("author_key")
            .err()
            .map(|error| error.to_string()),
    );
    (sources.len(), problems)
}

/// Reads a source once and prints what it would publish, field by field.
///
/// # Errors
/// When the source cannot be read or `out` cannot be written.
pub async fn run(settings: &Settings, file: &Path, out: &mut impl Write) -> anyhow::Result<()> {
    let definition = Definition::load(file)?;
    // A state of its own, gone afterwards: what is looked at counts as never seen.
    let folder = std::env::temp_dir().join(format!("wensheng-check-{}", std::process::id()));
    let looked = look(settings, &definition, &folder).await;
    let removed = std::fs::remove_dir_all(&folder);
    let (posts, problem, refused) = looked?;
    removed?;
    for post in posts.iter().take(SHOWN) {
        show(post, out)?;
    }
    writeln!(out, "{} posts read, {refused} refused", posts.len())?;
    if !problem.is_empty() {
        writeln!(out, "last problem: {problem}")?;
    }
    Ok(())
}

async fn look(
    settings: &Settings,
    definition: &Definition,
    folder: &Path,
) -> anyhow::Result<(Vec<Post>, String, u64)> {
    let state = State::open(&folder.join("state.sqlite")).await?;
    let settings = Settings {
        state: folder.join("state.sqlite"),
        ..settings.clone()
    };
    let kept = Arc::new(Kept::default());
    let outlet: Arc<dyn Outlet> = Arc::<Kept>::clone(&kept);
    let metrics = Metrics::new(&Registry::new())?;
    let publisher = Publisher::new(outlet, state.clone(), app::author_key(&settings)?, metrics);
    let fetcher = Fetcher::new(&settings.fetch)?;
    let round = Round {
        definition,
        fetcher: &fetcher,
        publisher: &publisher,
        stop: &kept.enough,
        now: Timestamp::now(),
    };
    definition.read(&round).await?;
    let health = state.health(&definition.name).await?;
    state.close().await;
    let posts = kept
        .posts
        .lock()
        .unwrap_or_else(PoisonError::into_inner)
        .clone();
    let (problem, refused) = health
        .map(|health| (health.problem, health.refused))
        .unwrap_or_default();
    Ok((posts, problem, refused))
}

fn show(post: &Post, out: &mut impl Write) -> std::io::Result<()> {
    let or_missing = |text: &str| {
        if text.is_empty() {
            "(missing)".to_owned()
        } else {
            text.to_owned()
        }
    };
    let excerpt: String = post.text.chars().take(EXCERPT).collect();
    writeln!(out, "id         {}", post.id)?;
    writeln!(out, "url        {}", or_missing(&post.url))?;
    writeln!(out, "title      {}", or_missing(&post.title))?;
    writeln!(
        out,
        "text       {} ({} characters)",
        excerpt.replace('\n', " "),
        post.text.chars().count()
    )?;
    writeln!(out, "published  {}", in_shanghai(post.published_at))?;
    writeln!(
        out,
        "author     {}",
        or_missing(post.author.as_deref().unwrap_or_default())
    )?;
    writeln!(
        out,
        "reactions  {} for, {} against\n",
        post.reactions.likes, post.reactions.opposes
    )
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
        "failures",
        "last problem",
    ];
    let mut table = vec![head.map(str::to_owned)];
    for definition in definitions {
        let health = state.health(&definition.name).await?;
        let health = health.as_ref();
        let status = match health {
            _ if !definition.enabled => "off",
            Some(health) if health.last_failure > health.last_success => "failing",
            Some(health) if health.last_success.is_some() => "up",
            _ => "not read yet",
        };
        let success = health.and_then(|health| health.last_success);
        table.push([
            definition.name.clone(),
            definition.kind().name().to_owned(),
            status.to_owned(),
            success.map_or_else(|| "-".to_owned(), in_shanghai),
            health.map_or(0, |health| health.posts).to_string(),
            health.map_or(0, |health| health.refused).to_string(),
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
