//! Sources: how each is, and what is wrong with the government's own sites.

use std::sync::Arc;

use askama::Template;
use axum::extract::State;
use axum::response::Response;
use backbone::message::{Condition, Finding, SourceHealth};
use jiff::{SignedDuration, Timestamp};

use super::Console;
use super::access::SignedIn;
use super::page::{Frame, render};
use super::problem::Problem;
use super::show;
use crate::source;

/// Seconds after which the page is loaded again.
const REFRESH: u32 = 60;

struct SourceLine {
    id: String,
    name: String,
    kind: &'static str,
    condition: &'static str,
    condition_word: &'static str,
    /// How long it has been so.
    lasting: String,
    since: String,
    last_success: String,
    today: u64,
    usual: String,
    posts: u64,
    refused: u64,
    lag: String,
    problem: String,
}

impl SourceLine {
    fn new(health: &SourceHealth, now: Timestamp) -> Self {
        let dash = || "—".to_owned();
        Self {
            id: health.id.clone(),
            name: health.source.clone(),
            kind: kind(&health.kind),
            condition: health.condition.name(),
            condition_word: source::condition(health.condition),
            lasting: show::span(now.duration_since(health.since)),
            since: show::time(health.since),
            last_success: health.last_success.map_or_else(dash, show::time),
            today: health.today,
            usual: health.usual.map_or_else(dash, usual),
            posts: health.posts,
            refused: health.refused,
            lag: health.lag_seconds.map_or_else(dash, |seconds| {
                show::span(SignedDuration::from_secs(
                    i64::try_from(seconds).unwrap_or(i64::MAX),
                ))
            }),
            problem: health.problem.clone(),
        }
    }
}

struct FindingLine {
    fault: &'static str,
    fault_word: &'static str,
    url: String,
    /// The page's address where it is safe to link to.
    link: String,
    detail: String,
    lasting: String,
    since: String,
}

impl FindingLine {
    fn new(finding: &Finding, now: Timestamp) -> Self {
        Self {
            fault: finding.fault.name(),
            fault_word: source::fault(finding.fault),
            url: finding.url.clone(),
            link: show::link(&finding.url),
            detail: finding.detail.clone(),
            lasting: show::span(now.duration_since(finding.since)),
            since: show::time(finding.since),
        }
    }
}

struct RegionSources {
    name: String,
    sources: Vec<SourceLine>,
    in_trouble: usize,
    /// Whether a site of the region is watched.
    watched: bool,
    findings: Vec<FindingLine>,
}

#[derive(Template)]
#[template(path = "sources.html")]
struct SourcesPage {
    frame: Frame,
    /// Those of which a source was told of.
    regions: Vec<RegionSources>,
}

/// The page.
pub(super) async fn list(
    State(console): State<Arc<Console>>,
    signed_in: SignedIn,
) -> Result<Response, Problem> {
    let now = Timestamp::now();
    let mut regions = Vec::new();
    for region in console.regions.values() {
        let sources = console.sources.list(region.code()).await?;
        if sources.is_empty() {
            continue;
        }
        regions.push(RegionSources {
            name: region.gazetteer.name.clone(),
            in_trouble: sources.iter().filter(|source| in_trouble(source)).count(),
            watched: sources.iter().any(|source| source.kind == "watch"),
            findings: sources
                .iter()
                .flat_map(|source| &source.findings)
                .map(|finding| FindingLine::new(finding, now))
                .collect(),
            sources: sources
                .iter()
                .map(|source| SourceLine::new(source, now))
                .collect(),
        });
    }
    let mut frame = Frame::new(&console, &signed_in, "/sources", "来源");
    frame.refresh = REFRESH;
    render(&SourcesPage { frame, regions })
}

/// How many sources of the regions served are in trouble.
pub(super) async fn troubled(console: &Console) -> Result<usize, Problem> {
    let mut troubled = 0;
    for code in console.regions.keys() {
        let sources = console.sources.list(code).await?;
        troubled += sources.iter().filter(|source| in_trouble(source)).count();
    }
    Ok(troubled)
}

fn in_trouble(source: &SourceHealth) -> bool {
    source.condition != Condition::Well
}

/// The word for what kind of source it is.
fn kind(kind: &str) -> &'static str {
    match kind {
        "board" => "留言板/论坛",
        "feed" => "订阅源",
        "sitemap" => "站点地图",
        "api" => "数据接口",
        "import" => "文件导入",
        "push" => "系统推送",
        "watch" => "站点监测",
        _ => "其他",
    }
}

/// Posts of a usual day: `12`, `11.5`.
fn usual(posts: f64) -> String {
    ((posts * 10.0).round() / 10.0).to_string()
}
