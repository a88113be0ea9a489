//! The course of a run: what each program has used when so many posts were archived, and what that was for each post.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use anyhow::Context;
use backbone::kafka::lags;
use backbone::topics::{ALERTS, ASSESSMENTS, CASE_EVENTS, POSTS, Topic, group};
use tokio::time::Instant;
use wensheng_tests::load::{Used, used};
use wensheng_tests::{number, wait_for};

use crate::scene::{Engines, Scene, on_disk};

/// Whom the posts are waited for by.
const GROUPS: [(Topic, &str); 4] = [
    (POSTS, group::ANALYZER),
    (ASSESSMENTS, group::ARCHIVE_ASSESSMENTS),
    (ALERTS, group::RESPONDER),
    (ALERTS, group::ARCHIVE_ALERTS),
];
/// Wait between looks at the lag, which takes a client of its own each time.
const LAG_EVERY: Duration = Duration::from_secs(10);
/// Longest time without a further post in the archive.
const PATIENCE: Duration = Duration::from_secs(120);
/// Wait between looks at the archive.
pub(crate) const LOOK: Duration = Duration::from_millis(200);

/// How it stood when so many posts were archived.
#[derive(Debug, Clone)]
struct Mark {
    archived: u64,
    after: Duration,
    used: BTreeMap<String, Used>,
    /// Bytes of the archive's parts, and of the brokers' folder.
    archive: u64,
    messages: u64,
}

/// A run.
#[derive(Debug)]
pub(crate) struct Course {
    engines: Engines,
    regions: usize,
    begun: Instant,
    marks: Vec<Mark>,
    most_lag: u64,
    lag_at: Instant,
    shown: u64,
    cases: Option<(u64, Duration)>,
    stored: Vec<(String, f64)>,
}

impl Course {
    /// Begins now.
    ///
    /// # Errors
    /// When the engines do not answer.
    pub(crate) async fn begin(scene: &Scene) -> anyhow::Result<Self> {
        let mut course = Self {
            engines: scene.engines,
            regions: scene.regions.len(),
            begun: Instant::now(),
            marks: Vec::new(),
            most_lag: 0,
            lag_at: Instant::now(),
            shown: 0,
            cases: None,
            stored: Vec::new(),
        };
        wait_for("the archive's tables", async || archived(scene).await.ok()).await;
        course.mark(scene, 0).await?;
        Ok(course)
    }

    /// How many posts are archived; now and then how far anybody is behind.
    ///
    /// # Errors
    /// When the engines do not answer.
    pub(crate) async fn look(&mut self, scene: &Scene) -> anyhow::Result<u64> {
        let archived = archived(scene).await?;
        if self.lag_at.elapsed() > LAG_EVERY {
            self.lag_at = Instant::now();
            self.most_lag = self.most_lag.max(self.lag(scene).await?);
            if archived > self.shown {
                let seconds = self.begun.elapsed().as_secs();
                println!("  {} archived after {seconds} s", posts_in_words(archived));
                self.shown = archived;
            }
        }
        Ok(archived)
    }

    /// Messages that the group that is furthest behind has not handled.
    ///
    /// # Errors
    /// When the brokers do not answer.
    pub(crate) async fn lag(&self, scene: &Scene) -> anyhow::Result<u64> {
        let lags = lags(&scene.kafka, &GROUPS).await?;
        Ok(lags.iter().map(|lag| lag.messages).max().unwrap_or(0))
    }

    /// Notes how it stands with so many posts archived.
    ///
    /// # Errors
    /// When the engines do not answer.
    pub(crate) async fn mark(&mut self, scene: &Scene, archived: u64) -> anyhow::Result<()> {
        let names: Vec<&str> = self
            .engines
            .programs()
            .iter()
            .map(|(name, _)| *name)
            .collect();
        self.marks.push(Mark {
            archived,
            after: self.begun.elapsed(),
            used: used(&names),
            archive: archive_bytes(scene, "").await?,
            messages: on_disk(&scene.messages)?,
        });
        Ok(())
    }

    /// Waits until so many posts are archived.
    ///
    /// # Errors
    /// When nothing comes any more.
    pub(crate) async fn until_archived(&mut self, scene: &Scene, posts: u64) -> anyhow::Result<()> {
        let (mut last, mut since) = (0, Instant::now());
        loop {
            let archived = self.look(scene).await?;
            if archived >= posts {
                return Ok(());
            }
            if archived > last {
                (last, since) = (archived, Instant::now());
            }
            anyhow::ensure!(
                since.elapsed() < PATIENCE,
                "{archived} of {posts} posts were archived, and no more come"
            );
            tokio::time::sleep(LOOK).await;
        }
    }

    /// Notes the end, and waits until all alerts are cases.
    ///
    /// # Errors
    /// When the engines do not answer.
    pub(crate) async fn end(&mut self, scene: &Scene, posts: u64) -> anyhow::Result<()> {
        if self.marks.last().is_none_or(|mark| mark.archived < posts) {
            self.mark(scene, posts).await?;
        }
        while self.lag(scene).await? > 0 {
            tokio::time::sleep(LOOK).await;
        }
        let opened = "SELECT uniqExact(case_id) FROM case_events WHERE action = 'open'";
        let opened = number(&scene.clickhouse, opened)
            .await
            .context("ClickHouse")?;
        self.cases = Some((opened, self.begun.elapsed()));
        self.stored = stored(scene, posts, opened).await?;
        Ok(())
    }
}

/// What is stored where, in bytes for each of what it is of.
async fn stored(scene: &Scene, posts: u64, cases: u64) -> anyhow::Result<Vec<(String, f64)>> {
    let mut stored = Vec::new();
    let mut add = |what: String, bytes: u64, number: u64| {
        stored.push((what, bytes as f64 / number.max(1) as f64));
    };
    add(
        "collector's state, a post".to_owned(),
        on_disk(&scene.state)?,
        posts,
    );
    add(
        "case store, a case".to_owned(),
        scene.store_bytes().await?,
        cases,
    );
    for (topic, table) in [
        (POSTS, "assessments"),
        (ASSESSMENTS, "assessments"),
        (ALERTS, "alerts"),
        (CASE_EVENTS, "case_events"),
    ] {
        let rows = number(&scene.clickhouse, &format!("SELECT count() FROM {table}")).await;
        let rows = rows.context("ClickHouse")?;
        if let Some(bytes) = scene.topic_bytes(&topic)? {
            add(format!("topic {}, a message", topic.name), bytes, rows);
        }
        if topic != POSTS {
            let bytes = archive_bytes(scene, &format!("AND table = '{table}'")).await?;
            add(format!("archive's {table}, a row"), bytes, rows);
        }
    }
    Ok(stored)
}

/// Bytes of the archive's parts that also are so.
async fn archive_bytes(scene: &Scene, that: &str) -> anyhow::Result<u64> {
    let bytes = format!(
        "SELECT sum(bytes_on_disk) FROM system.parts WHERE active AND database = 'wensheng' {that}"
    );
    number(&scene.clickhouse, &bytes)
        .await
        .context("ClickHouse")
}

async fn archived(scene: &Scene) -> anyhow::Result<u64> {
    let count = "SELECT count() FROM assessments";
    number(&scene.clickhouse, count)
        .await
        .context("ClickHouse does not answer")
}

/// Posts as the tables say them: 1,000,000.
pub(crate) fn posts_in_words(posts: u64) -> String {
    format!("{} posts", grouped(posts))
}

fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut grouped = String::new();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    grouped
}

impl fmt::Display for Course {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let programs = self.engines.programs();
        let last = self.marks.last().expect("it has begun");
        writeln!(
            out,
            "{} of {} in {:.0} s: {:.0} a second; at most {} messages behind",
            posts_in_words(last.archived),
            match self.regions {
                1 => "one region".to_owned(),
                regions => format!("{regions} regions"),
            },
            last.after.as_secs_f64(),
            last.archived as f64 / last.after.as_secs_f64(),
            grouped(self.most_lag)
        )?;
        if let Some((cases, after)) = self.cases {
            writeln!(
                out,
                "{} cases were open after {:.0} s",
                grouped(cases),
                after.as_secs_f64()
            )?;
        }
        for (what, bytes) in &self.stored {
            writeln!(out, "{what}: {bytes:.0} bytes")?;
        }
        write!(out, "| posts so far | posts/s since the line before |")?;
        for (_, title) in programs {
            write!(out, " {title} µs a post | {title} MB |")?;
        }
        writeln!(
            out,
            " all, µs a post | archive, bytes a post | brokers, bytes a post |"
        )?;
        writeln!(out, "|{}", "---:|".repeat(programs.len() * 2 + 5))?;
        for pair in self.marks.windows(2) {
            let [before, mark] = pair else { continue };
            let posts = (mark.archived - before.archived) as f64;
            let seconds = (mark.after - before.after).as_secs_f64();
            write!(
                out,
                "| {} | {:.0} |",
                grouped(mark.archived),
                posts / seconds
            )?;
            let mut all = 0.0;
            for (name, _) in programs {
                let now = mark.used.get(*name).copied().unwrap_or_default();
                let then = before.used.get(*name).copied().unwrap_or_default();
                let micros = (now.processor_seconds - then.processor_seconds) / posts * 1e6;
                all += micros;
                write!(out, " {micros:.0} | {:.0} |", now.memory_bytes as f64 / 1e6)?;
            }
            writeln!(
                out,
                " {all:.0} | {:.0} | {:.0} |",
                mark.archive as f64 / mark.archived as f64,
                mark.messages as f64 / mark.archived as f64
            )?;
        }
        Ok(())
    }
}
