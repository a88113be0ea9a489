//! The load: systems that hand posts over by push, to whichever collector answers, and exports that grow. A post counts as handed over when a
//! collector has said that it took it, or when it stands in the file.

use std::collections::BTreeSet;
use std::fs::File;
use std::io::Write as _;
use std::path::PathBuf;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use crate::project;
use anyhow::{Context, ensure};
use jiff::Timestamp;
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use serde_json::{Value, json};
use tokio::sync::{OwnedRwLockWriteGuard, RwLock};
use tokio::task::JoinSet;

/// Longer than a collector takes to say no.
const ANSWER: Duration = Duration::from_secs(70);
/// Wait before posts that nobody took are offered again.
const AGAIN: Duration = Duration::from_millis(250);
/// Rows of an export after which the next one begins.
const ROWS: u64 = 500;

/// A system that hands posts over, of one region.
#[derive(Debug, Clone)]
pub(crate) struct Caller {
    /// The source's name.
    pub(crate) source: String,
    /// What it shows that it is.
    pub(crate) token: String,
}

/// Held while nothing may be handed over and no case be moved.
pub(crate) type Quiet = OwnedRwLockWriteGuard<()>;

/// The load, as long as this is kept.
#[derive(Debug)]
pub(crate) struct Load {
    flow: Arc<RwLock<()>>,
    handed_over: Arc<Mutex<BTreeSet<String>>>,
    tasks: JoinSet<anyhow::Result<()>>,
}

impl Load {
    /// Nothing yet; `flow` is what holds it up.
    #[must_use]
    pub(crate) fn new(flow: Arc<RwLock<()>>) -> Self {
        Self {
            flow,
            handed_over: Arc::default(),
            tasks: JoinSet::new(),
        }
    }

    /// Has a system hand over so many posts a second, to the intakes at these addresses.
    pub(crate) fn push(&mut self, caller: Caller, intakes: Vec<String>, rate: u64, seed: u64) {
        let (flow, handed_over) = (Arc::clone(&self.flow), Arc::clone(&self.handed_over));
        self.tasks.spawn(async move {
            let client = reqwest::Client::builder().timeout(ANSWER).build()?;
            let turn = AtomicUsize::new(0);
            let mut writer = Writer::new(seed)?;
            let mut ticks = ticks();
            let mut times = 1;
            loop {
                ticks.tick().await;
                let _flow = flow.read().await;
                let posts = writer.lot(rate);
                // A system that heard no answer repeats itself, and may meet another collector then.
                for _ in 0..times {
                    loop {
                        let intake = &intakes[turn.fetch_add(1, Ordering::Relaxed) % intakes.len()];
                        if offer(&client, intake, &caller, &posts).await? {
                            break;
                        }
                        tokio::time::sleep(AGAIN).await;
                    }
                }
                times = 3 - times;
                remember(&handed_over, &caller.source, &posts);
            }
        });
    }

    /// Has exports of a source grow by so many rows a second in a folder.
    pub(crate) fn export(&mut self, source: String, folder: PathBuf, rate: u64, seed: u64) {
        let (flow, handed_over) = (Arc::clone(&self.flow), Arc::clone(&self.handed_over));
        self.tasks.spawn(async move {
            let mut writer = Writer::new(seed)?;
            let mut ticks = ticks();
            let mut written = 0;
            loop {
                ticks.tick().await;
                let _flow = flow.read().await;
                let posts = writer.lot(rate);
                let rows: String = posts.iter().map(|post| format!("{post}\n")).collect();
                let path = folder.join(format!("{:06}.jsonl", written / ROWS));
                let mut file = File::options().create(true).append(true).open(path)?;
                file.write_all(rows.as_bytes())?;
                written += rate;
                remember(&handed_over, &source, &posts);
            }
        });
    }

    /// Ids of the posts handed over so far.
    #[must_use]
    pub(crate) fn handed_over(&self) -> BTreeSet<String> {
        (self.handed_over.lock())
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    /// How many posts were handed over so far.
    #[must_use]
    pub(crate) fn count(&self) -> usize {
        (self.handed_over.lock())
            .unwrap_or_else(PoisonError::into_inner)
            .len()
    }

    /// Fails when a part of the load has failed.
    ///
    /// # Errors
    /// Says how.
    pub(crate) fn check(&mut self) -> anyhow::Result<()> {
        match self.tasks.try_join_next() {
            Some(ended) => ended?.context("the load broke off"),
            None => Ok(()),
        }
    }
}

fn ticks() -> tokio::time::Interval {
    let mut ticks = tokio::time::interval(Duration::from_secs(1));
    ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    ticks
}

/// Whether a collector took the posts, all of them.
async fn offer(
    client: &reqwest::Client,
    intake: &str,
    caller: &Caller,
    posts: &[Value],
) -> anyhow::Result<bool> {
    let asked = client.post(format!("{intake}/v1/posts"));
    let answer = asked.bearer_auth(&caller.token).json(posts).send().await;
    let Ok(answer) = answer else {
        return Ok(false);
    };
    let status = answer.status();
    ensure!(
        status.is_success() || status.is_server_error() || status.as_u16() == 408,
        "a collector answered {status}"
    );
    if !status.is_success() {
        return Ok(false);
    }
    // One that was killed while it answered is asked again.
    let Ok(told) = answer.json::<Value>().await else {
        return Ok(false);
    };
    ensure!(told["refused"] == 0, "a collector refused posts: {told}");
    Ok(true)
}

fn remember(handed_over: &Mutex<BTreeSet<String>>, source: &str, posts: &[Value]) {
    let id = |post: &Value| backbone::id::of_post(source, "", post["id"].as_str().unwrap_or(""));
    let mut handed_over = handed_over.lock().unwrap_or_else(PoisonError::into_inner);
    handed_over.extend(posts.iter().map(id));
}

/// A time as most sources tell it.
fn exact(now: Timestamp) -> String {
    now.to_string()
}

/// A time as some pages tell it.
fn vague(_now: Timestamp) -> String {
    "2分钟前".to_owned()
}

/// Makes posts of the sample county's texts, two in one, so that there are many matters and no two posts are the same.
struct Writer {
    random: StdRng,
    seed: u64,
    number: u64,
    texts: Vec<Value>,
}

impl Writer {
    fn new(seed: u64) -> anyhow::Result<Self> {
        let text = std::fs::read_to_string(project().join("deploy/sample/posts.jsonl"))?;
        let texts: Result<Vec<Value>, _> = text.lines().map(serde_json::from_str).collect();
        Ok(Self {
            random: StdRng::seed_from_u64(seed),
            seed,
            number: 0,
            texts: texts?,
        })
    }

    /// As exports and pages do, one post in four tells only how long ago it was written.
    fn lot(&mut self, posts: u64) -> Vec<Value> {
        (0..posts)
            .map(|number| self.post(if number % 4 == 0 { vague } else { exact }))
            .collect()
    }

    fn post(&mut self, time: impl Fn(Timestamp) -> String) -> Value {
        self.number += 1;
        let mut pick = || &self.texts[self.random.random_range(0..self.texts.len())];
        let (first, second) = (pick(), pick());
        let of = |row: &Value, field: &str| row[field].as_str().unwrap_or_default().to_owned();
        let number = self.number;
        json!({
            "id": format!("{}-{number}", self.seed),
            "title": of(first, "title"),
            "text": format!("{}另外，{}（{number}号楼）", of(first, "text"), of(second, "text")),
            "time": time(Timestamp::now()),
        })
    }
}
