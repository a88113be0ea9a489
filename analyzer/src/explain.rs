//! Explains how grave an event is: each term of the formula with what is behind it, the thresholds, and what was alerted.
//! The event is put together from the partitions as the analyzer itself does it.

use std::collections::BTreeMap;
use std::io::Write;

use anyhow::bail;
use backbone::kafka::{Start, partitions, search_partition};
use backbone::message::{Alert, Assessment, EventSummary};
use backbone::settings::Kafka;
use backbone::topics::{ALERTS, ASSESSMENTS};
use jiff::tz::offset;
use jiff::{SignedDuration, Timestamp};
use serde::Serialize;
use serde_json::Value;

use crate::event::Event;
use crate::pipeline::Pipeline;
use crate::settings::{Risk, Settings};
use crate::state::State;

/// Words shown of a kind, at most.
const WORDS: usize = 8;

/// Explains the risk of an event.
#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// The event: its id, as in the address of its page in the console.
    #[arg(long, value_name = "EVENT")]
    explain: String,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

/// What the partitions tell of one event.
#[derive(Debug)]
pub struct Gathered {
    event: String,
    state: State,
    alerts: Vec<Alert>,
    /// Its posts, and those that left it, with the words that decided their sentiment.
    posts: BTreeMap<String, Vec<String>>,
}

impl Gathered {
    /// Nothing yet.
    #[must_use]
    pub fn new(pipeline: &Pipeline, event: &str) -> Self {
        Self {
            event: event.to_owned(),
            state: pipeline.state(),
            alerts: Vec::new(),
            posts: BTreeMap::new(),
        }
    }

    /// Whether a message may tell of the event: it names it, or an officer's edit may have moved a post of it.
    #[must_use]
    pub fn wants(event: &str, message: &[u8]) -> bool {
        std::str::from_utf8(message).is_ok_and(|text| {
            text.contains(event) || (text.contains("\"edit\":") && !text.contains("\"edit\":null"))
        })
    }

    /// Takes an alert in.
    pub fn alert(&mut self, alert: Alert) {
        if alert.event.id == self.event {
            self.state.restore_alert(&alert);
            self.alerts.push(alert);
        }
    }

    /// Takes an assessment in, after the alerts.
    pub fn assessment(&mut self, pipeline: &Pipeline, assessment: &Assessment, offset: i64) {
        pipeline.restore(assessment, offset, &mut self.state);
        let membership = assessment.event.as_ref();
        if membership.is_some_and(|membership| membership.id == self.event) {
            let words = assessment.sentiment.because.clone();
            self.posts.insert(assessment.post.id.clone(), words);
        }
    }

    /// The event that the posts of this one are in by now; nothing where none is known.
    #[must_use]
    pub fn ended_in(&self) -> Option<String> {
        let posts = self.posts.keys();
        let mut events = posts.filter_map(|post| Some(self.state.window.membership(post)?.id));
        events.find(|event| *event != self.event)
    }

    /// How grave the event is and why; nothing where it is not held, or its region not served.
    #[must_use]
    pub fn explain(&self, pipeline: &Pipeline, risk: &Risk, now: Timestamp) -> Option<Explanation> {
        let event = self.state.window.event(&self.event)?;
        let assessed = pipeline.risk(event, now)?;
        let weights = serde_json::to_value(&risk.weights).unwrap_or_default();
        let terms = assessed.terms.iter().map(|term| Term {
            name: term.name.clone(),
            value: term.value,
            weight: weights
                .get(&term.name)
                .and_then(Value::as_f64)
                .unwrap_or_default(),
            share: term.share,
            because: self.because(&term.name, event, now),
        });
        Some(Explanation {
            region: event.region().to_owned(),
            terms: terms.collect(),
            score: assessed.score,
            thresholds: risk.thresholds,
            level: assessed.level,
            graver_at: assessed.graver_at,
            graver_level: (assessed.graver_at).map(|_| assessed.level.unwrap_or(5) - 1),
            alerts: (self.alerts.iter())
                .map(|alert| Told {
                    id: alert.id.clone(),
                    level: alert.level,
                    update: alert.update,
                    score: alert.score,
                    posts: alert.event.posts,
                    digest: alert.digest.clone(),
                    raised_at: alert.raised_at,
                })
                .collect(),
            at: now,
            event: event.summary(),
        })
    }

    /// The facts behind a term.
    fn because(&self, term: &str, event: &Event, now: Timestamp) -> String {
        let summary = event.summary();
        match term {
            "subject" if summary.subject.is_empty() => "事项未判定".to_owned(),
            "subject" => summary.subject,
            "sentiment" => {
                let moods = summary.sentiments;
                let mut words: BTreeMap<&str, u32> = BTreeMap::new();
                for word in self.of_event().flatten() {
                    *words.entry(word).or_default() += 1;
                }
                let mut words: Vec<(&str, u32)> = words.into_iter().collect();
                words.sort_by_key(|(_, posts)| std::cmp::Reverse(*posts));
                let words: Vec<&str> = words
                    .into_iter()
                    .map(|(word, _)| word)
                    .take(WORDS)
                    .collect();
                format!(
                    "平均{:+.2}，负面{}帖、中性{}帖、正面{}帖；用词：{}",
                    summary.sentiment,
                    moods.negative,
                    moods.neutral,
                    moods.positive,
                    or_none(&words)
                )
            }
            "intensity" => {
                let words = event
                    .intensity()
                    .map(|(word, part)| format!("{word} {:.0}%", part * 100.0));
                format!(
                    "用词及所占帖文：{}",
                    or_none(&words.take(WORDS).collect::<Vec<_>>())
                )
            }
            "voices" => format!("{}人", event.voices()),
            "spread" => {
                let places: Vec<&str> = summary
                    .places
                    .iter()
                    .map(|place| place.name.as_str())
                    .collect();
                format!(
                    "来源{}个（{}），地点{}个（{}），赞同与反对{}次",
                    event.sources(),
                    or_none(&summary.sources),
                    event.places(),
                    or_none(places.get(..WORDS).unwrap_or(&places)),
                    event.reactions()
                )
            }
            "speed" => format!("最近一帖之前24小时内{}帖", event.posts_in_last_day()),
            "silence" => match event.unanswered_since() {
                Some(since) => {
                    let hours = now.duration_since(since).as_secs_f64() / 3_600.0;
                    format!("自{}起已等待答复{hours:.1}小时", local(since))
                }
                None => "没有等待答复的帖文".to_owned(),
            },
            "answer" => match (summary.answered_at, event.negative_since_answer()) {
                (Some(at), Some(negative)) => {
                    format!("{}有官方回应，其后负面{negative}帖", local(at))
                }
                _ => "尚无官方回应".to_owned(),
            },
            _ => String::new(),
        }
    }

    /// The words of the posts that are in the event still.
    fn of_event(&self) -> impl Iterator<Item = &Vec<String>> {
        self.posts.iter().filter_map(|(post, words)| {
            let membership = self.state.window.membership(post)?;
            (membership.id == self.event).then_some(words)
        })
    }
}

/// A term of the formula.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Term {
    /// Its name.
    pub name: String,
    /// Its value, in `[0, 1]`.
    pub value: f64,
    /// Its weight, from the settings.
    pub weight: f64,
    /// Its part of the score.
    pub share: f64,
    /// The facts and words behind it, in Chinese.
    pub because: String,
}

/// An alert that was raised.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Told {
    /// Its id.
    pub id: String,
    /// Its level.
    pub level: u8,
    /// 0 when the level was reached, more when it was brought up to date.
    pub update: u32,
    /// The score then.
    pub score: f64,
    /// The event's posts then.
    pub posts: u32,
    /// The digest that told of it instead of ringing by itself.
    pub digest: Option<String>,
    /// When.
    pub raised_at: Timestamp,
}

/// How grave an event is and why.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Explanation {
    /// The event.
    pub event: EventSummary,
    /// The code of its region.
    pub region: String,
    /// The terms, the largest share first.
    pub terms: Vec<Term>,
    /// Their sum, within `[0, 1]`.
    pub score: f64,
    /// Scores from which it is of level Ⅰ, Ⅱ, Ⅲ and Ⅳ.
    pub thresholds: [f64; 4],
    /// The level by its score; none below that of Ⅳ. What was alerted may be graver, for levels never fall.
    pub level: Option<u8>,
    /// When waiting alone will have made it graver.
    pub graver_at: Option<Timestamp>,
    /// The level it will have then.
    pub graver_level: Option<u8>,
    /// What was alerted, the first first.
    pub alerts: Vec<Told>,
    /// When all this is so.
    pub at: Timestamp,
}

impl Explanation {
    /// Writes it for people.
    ///
    /// # Errors
    /// When `out` cannot be written.
    pub fn write(&self, out: &mut impl Write) -> std::io::Result<()> {
        let event = &self.event;
        writeln!(out, "event      {}  {}", event.id, event.title)?;
        writeln!(
            out,
            "region     {}  posts {}  voices {}  {} – {}",
            self.region,
            event.posts,
            event.voices,
            local(event.first_at),
            local(event.last_at)
        )?;
        writeln!(out, "\nterm        value  weight   share  because")?;
        for term in &self.terms {
            // What is taken from the score is not negative zero.
            let share = term.share + 0.0;
            writeln!(
                out,
                "{:<10}  {:>5.2}  {:>6.2}  {share:>+6.3}  {}",
                term.name, term.value, term.weight, term.because
            )?;
        }
        writeln!(out, "{:<10}  {:>13}  {:>6.3}", "score", "", self.score)?;
        let thresholds: Vec<String> = (1..=4_u8)
            .zip(self.thresholds)
            .map(|(level, threshold)| format!("{} {threshold:.2}", numeral(level)))
            .collect();
        let level = self.level.map_or("未达预警级别", name);
        writeln!(
            out,
            "\nlevel      {level}  (from {})",
            thresholds.join(", ")
        )?;
        match (self.graver_at, self.graver_level) {
            (Some(at), Some(level)) => writeln!(
                out,
                "silence    {}起如仍无官方回应，将升为{}",
                local(at),
                name(level)
            )?,
            _ => writeln!(out, "silence    仅因无人回应不会再升级")?,
        }
        if self.alerts.is_empty() {
            writeln!(out, "alerted    尚未预警")?;
        }
        for alert in &self.alerts {
            let update = match alert.update {
                0 => "首次".to_owned(),
                number => format!("第{number}次更新"),
            };
            let digest = if alert.digest.is_some() {
                "，合并提醒"
            } else {
                ""
            };
            writeln!(
                out,
                "alerted    {}  {}  {update}，{}帖，得分{:.3}{digest}",
                local(alert.raised_at),
                name(alert.level),
                alert.posts,
                alert.score
            )?;
        }
        writeln!(out, "as of      {}", local(self.at))
    }
}

/// Finds the event in the partitions and explains it.
///
/// # Errors
/// When the event is not known, the brokers fail, or `out` cannot be written.
pub async fn run(
    pipeline: &Pipeline,
    settings: &Settings,
    arguments: &Arguments,
    out: &mut impl Write,
) -> anyhow::Result<()> {
    let (event, days) = (&arguments.explain, settings.events.window_days);
    let now = Timestamp::now();
    let since = now - SignedDuration::from_hours(24 * i64::from(days));
    for partition in partitions(&settings.kafka, &ASSESSMENTS).await? {
        let gathered = gather(pipeline, &settings.kafka, partition, event, since).await?;
        if let Some(explanation) = gathered.explain(pipeline, &settings.risk, now) {
            if arguments.json {
                writeln!(out, "{}", serde_json::to_string(&explanation)?)?;
            } else {
                explanation.write(out)?;
            }
            return Ok(());
        }
        if let Some(other) = gathered.ended_in() {
            bail!("event `{event}` was merged: its posts are in event `{other}`; explain that one");
        }
    }
    bail!(
        "no event `{event}` in `assessments` of the last {days} days in a region served; an event's id is in the address of its page in the console"
    );
}

async fn gather(
    pipeline: &Pipeline,
    kafka: &Kafka,
    partition: i32,
    event: &str,
    since: Timestamp,
) -> anyhow::Result<Gathered> {
    let mut gathered = Gathered::new(pipeline, event);
    let wants = |message: &[u8]| Gathered::wants(event, message);
    search_partition(
        kafka,
        &ALERTS,
        partition,
        Start::Time(since),
        wants,
        |received| {
            gathered.alert(received.message);
        },
    )
    .await?;
    search_partition(
        kafka,
        &ASSESSMENTS,
        partition,
        Start::Time(since),
        wants,
        |received| {
            gathered.assessment(pipeline, &received.message, received.offset);
        },
    )
    .await?;
    Ok(gathered)
}

fn or_none<T: AsRef<str>>(words: &[T]) -> String {
    if words.is_empty() {
        return "无".to_owned();
    }
    let words: Vec<&str> = words.iter().map(AsRef::as_ref).collect();
    words.join("、")
}

fn numeral(level: u8) -> &'static str {
    match level {
        1 => "Ⅰ",
        2 => "Ⅱ",
        3 => "Ⅲ",
        _ => "Ⅳ",
    }
}

fn name(level: u8) -> &'static str {
    match level {
        1 => "Ⅰ 特别重大",
        2 => "Ⅱ 重大",
        3 => "Ⅲ 较大",
        _ => "Ⅳ 一般",
    }
}

fn local(at: Timestamp) -> String {
    offset(8)
        .to_datetime(at)
        .strftime("%Y-%m-%d %H:%M")
        .to_string()
}
