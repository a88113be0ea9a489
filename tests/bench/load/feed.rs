//! The posts: a history put together from real texts, pushed into the collector as other systems hand theirs over.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{BufRead, BufReader, Lines};
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, ensure};
use futures::stream::{self, StreamExt as _, TryStreamExt as _};
use jiff::{Timestamp, ToSpan as _};
use serde_json::{Value, json};
use tokio::time::Instant;
use wensheng_tests::{project, shared_data};

use crate::scene::{Scene, region_token, source_of};

/// Posts in a push, at most; the collector takes a thousand.
const PUSHED: usize = 500;
/// Pushes at a time.
const AT_ONCE: usize = 8;
/// Days over which the matters begin, and days before now when the first does: the last tellings come before now.
const DAYS: i64 = 30;
const AGO_DAYS: i64 = 45;

/// The posts to come, oldest first.
pub(crate) struct History {
    lines: Lines<BufReader<File>>,
}

impl History {
    /// Has so many posts made.
    ///
    /// # Errors
    /// When there are no texts, or they cannot be written.
    pub(crate) fn make(folder: &Path, posts: u64, seed: u64) -> anyhow::Result<Self> {
        let data =
            shared_data().context("the shared data is not there; set WENSHENG_SHARED_DATA")?;
        let begins = Timestamp::now() - (24 * AGO_DAYS).hours();
        let path = folder.join("history.jsonl");
        let made = Command::new("python3")
            .arg(project().join("tests/bench/analyzer/history.py"))
            .args([
                data.join("board_posts.jsonl"),
                data.join("complaints_subject.tsv"),
            ])
            .args([posts.to_string(), DAYS.to_string()])
            .args([
                format!("{:.0}", begins).replace('Z', "+00:00"),
                seed.to_string(),
            ])
            .stdout(File::create(&path)?)
            .status()?;
        ensure!(made.success(), "the posts were not made");
        Ok(Self {
            lines: BufReader::new(File::open(path)?).lines(),
        })
    }

    /// The next posts, each with the number of its matter.
    ///
    /// # Errors
    /// When they cannot be read, or there are no more.
    pub(crate) fn take(&mut self, most: usize) -> anyhow::Result<Vec<(usize, Value)>> {
        let lines: Vec<String> = self.lines.by_ref().take(most).collect::<Result<_, _>>()?;
        ensure!(lines.len() == most, "the history ends early");
        let post = |line: &String| {
            let line: Value = serde_json::from_str(line)?;
            let matter = line["matter"].as_u64().context("a matter")? as usize;
            let of = |field: &str| line[field].clone();
            let post = json!({
                "id": of("id"), "title": of("title"), "text": of("text"), "time": of("time"), "author": of("user"),
            });
            Ok((matter, post))
        };
        lines.iter().map(post).collect()
    }
}

/// Pushes posts.
pub(crate) struct Feed {
    client: reqwest::Client,
    intake: String,
}

impl Feed {
    /// To the collector of a scene.
    pub(crate) fn new(scene: &Scene) -> Self {
        Self {
            client: reqwest::Client::new(),
            intake: scene.intake.clone(),
        }
    }

    /// Pushes posts, those of a matter to one region, several pushes at a time; they are taken when this returns.
    ///
    /// # Errors
    /// When the collector refuses any.
    pub(crate) async fn push(
        &self,
        posts: &[(usize, Value)],
        regions: &[String],
    ) -> anyhow::Result<()> {
        let mut by_region: BTreeMap<&str, Vec<&Value>> = BTreeMap::new();
        for (matter, post) in posts {
            let region = regions[matter % regions.len()].as_str();
            by_region.entry(region).or_default().push(post);
        }
        let pushes = by_region
            .iter()
            .flat_map(|(region, posts)| posts.chunks(PUSHED).map(move |posts| (*region, posts)));
        stream::iter(pushes.map(|(region, posts)| self.push_to(region, posts)))
            .buffer_unordered(AT_ONCE)
            .try_collect()
            .await
    }

    /// Pushes posts as they are written, a few ten times a second, and tells when each was pushed, by its id.
    ///
    /// # Errors
    /// As [`Self::push`].
    pub(crate) async fn steadily(
        &self,
        history: &mut History,
        regions: &[String],
        rate: u64,
        seconds: u64,
    ) -> anyhow::Result<BTreeMap<String, Timestamp>> {
        let mut sent = BTreeMap::new();
        let begun = Instant::now();
        for tenth in 0..seconds * 10 {
            tokio::time::sleep_until(begun + Duration::from_millis(100 * tenth)).await;
            let now = Timestamp::now();
            let due = (rate * (tenth + 1) / 10 - rate * tenth / 10) as usize;
            let mut posts = history.take(due)?;
            for (matter, post) in &mut posts {
                post["time"] = now.to_string().into();
                let source = source_of(&regions[*matter % regions.len()]);
                let id = post["id"].as_str().context("an id")?;
                sent.insert(backbone::id::of_post(&source, "", id), now);
            }
            self.push(&posts, regions).await?;
        }
        Ok(sent)
    }

    async fn push_to(&self, region: &str, posts: &[&Value]) -> anyhow::Result<()> {
        let asked = self.client.post(format!("{}/v1/posts", self.intake));
        let answer = asked
            .bearer_auth(region_token(region))
            .json(posts)
            .send()
            .await?;
        let answer: Value = answer.error_for_status()?.json().await?;
        ensure!(
            answer["refused"] == 0,
            "the collector refused posts: {answer}"
        );
        Ok(())
    }
}
