//! Reads sources round by round and keeps what they publish.

use std::collections::HashMap;
use std::future::Future;
use std::path::PathBuf;
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use backbone::erased::Erased;
use backbone::kafka::SendError;
use backbone::message::{Condition, Message, Post, SourceHealth};
use collector::extract::author::AuthorKey;
use collector::fetch::Fetcher;
use collector::health::tell_paused;
use collector::metrics::Metrics;
use collector::publish::{Outlet, Publisher};
use collector::schedule::{Outcome, read_once};
use collector::settings::Fetch;
use collector::source::Definition;
use collector::state::{Health, State};
use jiff::{SignedDuration, Timestamp};
use prometheus::Registry;
use tempfile::TempDir;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

pub(crate) const SOURCE: &str = "留言板";
const NOW: &str = "2023-07-19T04:00:00Z";
/// Longer than anything here takes.
pub(crate) const PATIENCE: Duration = Duration::from_secs(180);

/// Waits until it is so, however slow the machine.
pub(crate) async fn until(what: &str, mut is_so: impl FnMut() -> bool) {
    let waiting = async {
        while !is_so() {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    timeout(PATIENCE, waiting).await.expect(what);
}

/// Keeps posts; takes no more than so many batches, as brokers that go down.
#[derive(Debug, Default)]
struct Kept {
    posts: Mutex<Vec<Post>>,
    batches_left: Mutex<Option<usize>>,
    /// By the sources' names.
    told: Mutex<HashMap<String, SourceHealth>>,
    /// Held while the brokers are slow.
    slow: Arc<tokio::sync::Mutex<()>>,
}

impl Outlet for Kept {
    fn send<'a>(
        &'a self,
        posts: &'a [Post],
    ) -> Pin<Box<dyn Future<Output = Result<(), SendError>> + Send + 'a>> {
        Box::pin(async move {
            drop(self.slow.lock().await);
            if let Some(left) = self.batches_left.lock().unwrap().as_mut() {
                if *left == 0 {
                    let source = serde_json::from_str::<()>("").unwrap_err();
                    let schema = Post::SCHEMA;
                    return Err(SendError::Encode { schema, source });
                }
                *left -= 1;
            }
            for post in posts {
                post.check().unwrap();
            }
            self.posts.lock().unwrap().extend_from_slice(posts);
            Ok(())
        })
    }

    fn tell<'a>(
        &'a self,
        health: &'a SourceHealth,
    ) -> Pin<Box<dyn Future<Output = Result<(), SendError>> + Send + 'a>> {
        health.check().unwrap();
        let mut told = self.told.lock().unwrap();
        told.insert(health.source.clone(), health.clone());
        Box::pin(std::future::ready(Ok(())))
    }
}

pub(crate) struct Desk {
    pub(crate) folder: TempDir,
    pub(crate) metrics: Metrics,
    pub(crate) erased: Erased,
    state: State,
    kept: Arc<Kept>,
    fetcher: Fetcher,
    publisher: Publisher,
    now: Mutex<Timestamp>,
}

impl Desk {
    pub(crate) async fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let state = State::open(&folder.path().join("state.sqlite"))
            .await
            .unwrap();
        let kept = Arc::new(Kept::default());
        let metrics = Metrics::new(&Registry::new()).unwrap();
        let outlet: Arc<dyn Outlet> = Arc::<Kept>::clone(&kept);
        let publisher = Publisher::new(
            outlet,
            state.clone(),
            AuthorKey::new("a key"),
            metrics.clone(),
        );
        let erased = Erased::nothing();
        Self {
            fetcher: Fetcher::new(&loopback()).unwrap(),
            folder,
            metrics,
            state,
            kept,
            publisher: publisher.without(erased.clone()),
            erased,
            now: Mutex::new(NOW.parse().unwrap()),
        }
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// A source; `kind` is its table, after further fields.
    pub(crate) fn source(&self, name: &str, kind: &str) -> Definition {
        let path = self.path("source.toml");
        let text = format!(
            "[[source]]\nname = \"{name}\"\nregion = \"990101\"\nallow_private = true\n{}\n",
            tables(kind)
        );
        std::fs::write(&path, text).unwrap();
        Definition::load(&path).unwrap().remove(0)
    }

    /// Reads a source once; `kind` is its table.
    pub(crate) async fn read(&self, kind: &str) -> Outcome {
        let definition = self.source(SOURCE, kind);
        let stop = CancellationToken::new();
        let now = *self.now.lock().unwrap();
        read_once(&definition, &self.fetcher, &self.publisher, &stop, now)
            .await
            .outcome
    }

    pub(crate) fn publisher(&self) -> Publisher {
        self.publisher.clone()
    }

    /// Notes and tells that the source is paused, as it is done again and again while it is.
    pub(crate) async fn pause(&self, kind: &str) {
        let definition = self.source(SOURCE, kind);
        let now = *self.now.lock().unwrap();
        tell_paused(&definition, &self.publisher, now)
            .await
            .unwrap();
    }

    /// Lets time go by.
    pub(crate) fn wait(&self, time: SignedDuration) {
        *self.now.lock().unwrap() += time;
    }

    /// Lets the brokers take only so many batches from now on, or all.
    pub(crate) fn take_batches(&self, batches: Option<usize>) {
        *self.kept.batches_left.lock().unwrap() = batches;
    }

    /// Lets the brokers take nothing as long as this is held.
    pub(crate) async fn slow_brokers(&self) -> tokio::sync::OwnedMutexGuard<()> {
        Arc::clone(&self.kept.slow).lock_owned().await
    }

    /// What was published since the last call.
    pub(crate) fn posts(&self) -> Vec<Post> {
        std::mem::take(&mut *self.kept.posts.lock().unwrap())
    }

    pub(crate) fn titles(&self) -> Vec<String> {
        let mut titles: Vec<String> = self.posts().into_iter().map(|post| post.title).collect();
        titles.sort();
        titles
    }

    /// What was last told of how the source is.
    pub(crate) fn told(&self) -> SourceHealth {
        self.kept.told.lock().unwrap()[SOURCE].clone()
    }

    /// Whether it was last told to be in a condition.
    pub(crate) fn has_told(&self, condition: Condition) -> bool {
        let told = self.kept.told.lock().unwrap();
        (told.get(SOURCE)).is_some_and(|health| health.condition == condition)
    }

    pub(crate) async fn health(&self) -> Health {
        self.state.health(SOURCE).await.unwrap().unwrap()
    }

    /// Everything that the state has on disk.
    pub(crate) fn state_bytes(&self) -> Vec<u8> {
        ["state.sqlite", "state.sqlite-wal"]
            .iter()
            .flat_map(|name| std::fs::read(self.path(name)).unwrap_or_default())
            .collect()
    }
}

/// The tables of a kind as those of a source.
fn tables(kind: &str) -> String {
    let table = |line: &str| match line.strip_prefix("[[") {
        Some(rest) => format!("[[source.{rest}"),
        None => line
            .strip_prefix('[')
            .map_or_else(|| line.to_owned(), |rest| format!("[source.{rest}")),
    };
    kind.lines().map(table).collect::<Vec<_>>().join("\n")
}

pub(crate) fn loopback() -> Fetch {
    Fetch {
        delay_ms: 0,
        most_bytes: 50_000,
        timeout_seconds: 5,
        ..Fetch::default()
    }
}

pub(crate) fn contains(bytes: &[u8], words: &str) -> bool {
    bytes
        .windows(words.len())
        .any(|window| window == words.as_bytes())
}
