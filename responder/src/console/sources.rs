//! Sources: how each is, what is wrong with the government's own sites, and pausing one.

use std::sync::Arc;

use askama::Template;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use backbone::message::{Condition, Finding, SourceHealth};
use jiff::{SignedDuration, Timestamp};

use super::Console;
use super::access::SignedIn;
use super::fields::Fields;
use super::page::{Frame, render_as};
use super::problem::Problem;
use super::routes::DUTY;
use super::show;
use crate::case::StoreError;
use crate::source;
use crate::source_edit::{Pause, REASON_LIMIT, SourceEditError};

/// Seconds after which the page is loaded again.
const REFRESH: u32 = 60;

/// Why a source is paused.
struct PauseLine {
    reason: String,
    officer: String,
    at: String,
}

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
    pause: Option<PauseLine>,
    /// What the collector has not done yet of what was decided.
    pending: &'static str,
}

impl SourceLine {
    fn new(health: &SourceHealth, pause: Option<&Pause>, now: Timestamp) -> Self {
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
            pending: match (pause, health.condition) {
                (Some(_), Condition::Paused) => "",
                (Some(_), _) => "待采集程序停止读取",
                (None, Condition::Paused) => "待采集程序恢复读取",
                (None, _) => "",
            },
            pause: pause.map(|pause| PauseLine {
                reason: pause.reason.clone(),
                officer: pause.officer.clone(),
                at: show::time(pause.at),
            }),
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
    paused: usize,
    /// Whether a site of the region is watched, and not paused.
    watched: bool,
    findings: Vec<FindingLine>,
}

#[derive(Template)]
#[template(path = "sources.html")]
struct SourcesPage {
    frame: Frame,
    /// Those of which a source was told of.
    regions: Vec<RegionSources>,
    may_change: bool,
    /// Longest reason, in characters.
    longest: usize,
    /// The source of which a pause was refused, and the reason typed.
    typed_id: String,
    typed: String,
    problem: String,
    done: &'static str,
}

/// The page.
pub(super) async fn list(
    State(console): State<Arc<Console>>,
    signed_in: SignedIn,
    fields: Fields,
) -> Result<Response, Problem> {
    let done = match fields.get("done") {
        "paused" => "已提交暂停。采集程序收到后不再读取该来源，一般只需几秒。",
        "resumed" => "已提交恢复。采集程序收到后从上次读到的地方继续，一般只需几秒。",
        _ => "",
    };
    page(&console, &signed_in, ("", ""), String::new(), done).await
}

/// Pauses a source.
pub(super) async fn pause(
    State(console): State<Arc<Console>>,
    signed_in: SignedIn,
    Path(id): Path<String>,
    fields: Fields,
) -> Result<Response, Problem> {
    let (source, reason) = (served(&console, &id).await?, fields.get("reason"));
    let (actor, now) = (signed_in.user.actor(), Timestamp::now());
    let made = (console.source_edits)
        .pause(source.as_ref(), reason, &actor, now)
        .await;
    answer(&console, &signed_in, made, (&id, reason), "paused").await
}

/// Has a source read again.
pub(super) async fn resume(
    State(console): State<Arc<Console>>,
    signed_in: SignedIn,
    Path(id): Path<String>,
) -> Result<Response, Problem> {
    let source = served(&console, &id).await?;
    let (actor, now) = (signed_in.user.actor(), Timestamp::now());
    let made = (console.source_edits)
        .resume(source.as_ref(), &actor, now)
        .await;
    answer(&console, &signed_in, made, ("", ""), "resumed").await
}

/// A source of the regions served.
pub(crate) async fn served(
    console: &Console,
    id: &str,
) -> Result<Option<SourceHealth>, StoreError> {
    let source = console.sources.get(id).await?;
    Ok(source.filter(|source| console.regions.contains_key(&source.region)))
}

async fn answer(
    console: &Console,
    signed_in: &SignedIn,
    made: Result<(), SourceEditError>,
    typed: (&str, &str),
    done: &str,
) -> Result<Response, Problem> {
    match made {
        Ok(()) => Ok(Redirect::to(&format!("/sources?done={done}")).into_response()),
        Err(SourceEditError::Store(error)) => Err(error.into()),
        Err(refused) => page(console, signed_in, typed, format!("{refused}。"), "").await,
    }
}

async fn page(
    console: &Console,
    signed_in: &SignedIn,
    (typed_id, typed): (&str, &str),
    problem: String,
    done: &'static str,
) -> Result<Response, Problem> {
    let now = Timestamp::now();
    let pauses = console.source_edits.paused().await?;
    let is_paused = |source: &SourceHealth| pauses.contains_key(&source.id);
    let mut regions = Vec::new();
    for region in console.regions.values() {
        let sources = console.sources.list(region.code()).await?;
        if sources.is_empty() {
            continue;
        }
        regions.push(RegionSources {
            name: region.gazetteer.name.clone(),
            in_trouble: (sources.iter())
                .filter(|source| source.condition.is_trouble() && !is_paused(source))
                .count(),
            paused: sources.iter().filter(|source| is_paused(source)).count(),
            watched: (sources.iter()).any(|source| source.kind == "watch" && !is_paused(source)),
            findings: sources
                .iter()
                .flat_map(|source| &source.findings)
                .map(|finding| FindingLine::new(finding, now))
                .collect(),
            sources: sources
                .iter()
                .map(|source| SourceLine::new(source, pauses.get(&source.id), now))
                .collect(),
        });
    }
    let mut frame = Frame::new(console, signed_in, "/sources", "来源");
    let status = if problem.is_empty() {
        frame.refresh = REFRESH;
        StatusCode::OK
    } else {
        // The address is that of a form: it is not loaded again.
        StatusCode::UNPROCESSABLE_ENTITY
    };
    let page = SourcesPage {
        frame,
        regions,
        may_change: DUTY.contains(&signed_in.user.role),
        longest: REASON_LIMIT,
        typed_id: typed_id.to_owned(),
        typed: typed.to_owned(),
        problem,
        done,
    };
    render_as(status, &page)
}

/// How many sources of the regions served want to be looked at.
#[derive(Default)]
pub(super) struct Standing {
    /// In trouble.
    pub(super) troubled: usize,
    /// Paused by officers.
    pub(super) paused: usize,
}

/// How the sources of the regions served stand.
pub(super) async fn standing(console: &Console) -> Result<Standing, Problem> {
    let pauses = console.source_edits.paused().await?;
    let mut standing = Standing::default();
    for code in console.regions.keys() {
        for source in console.sources.list(code).await? {
            if pauses.contains_key(&source.id) {
                standing.paused += 1;
            } else if source.condition.is_trouble() {
                standing.troubled += 1;
            }
        }
    }
    Ok(standing)
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
