//! Sources: how each is.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use backbone::message::SourceHealth;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::access::Caller;
use super::asked::{self, Asked, Body, Id};
use super::problem::Problem;
use crate::console::{Console, served_source};
use crate::source_edit::{Pause, REASON_LIMIT};

/// How a source is, as the collector last told.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Source)]
pub(super) struct SourceView {
    id: String,
    /// Code of the region it is about.
    region: String,
    name: String,
    /// What kind of source it is: `board`, `feed`, `watch`, ….
    kind: String,
    /// `well`, `failing`, `changed`, `quiet`, `faulty` or `paused`.
    condition: &'static str,
    #[schema(value_type = String, format = DateTime)]
    since: Timestamp,
    /// What is wrong; empty where nothing is.
    problem: String,
    #[schema(value_type = Option<String>, format = DateTime)]
    last_success: Option<Timestamp>,
    /// Posts sent, all told.
    posts: u64,
    /// Posts sent today.
    today: u64,
    /// Posts that it usually yields in a day.
    usual: Option<f64>,
    /// Rows, entries and pages refused, all told.
    refused: u64,
    /// Seconds from the publication of the last post to its collection.
    lag_seconds: Option<u64>,
    /// What is wrong with the site itself, where it is watched.
    findings: Vec<FindingView>,
    /// Why it is paused, where an officer paused it.
    pause: Option<PauseView>,
    #[schema(value_type = String, format = DateTime)]
    at: Timestamp,
}

/// A pause that an officer decided.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Pause)]
pub(super) struct PauseView {
    reason: String,
    /// The officer's name to sign in with.
    by: String,
    #[schema(value_type = String, format = DateTime)]
    at: Timestamp,
}

/// What is wrong with a page of a watched site.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Finding)]
pub(super) struct FindingView {
    fault: &'static str,
    url: String,
    detail: String,
    #[schema(value_type = String, format = DateTime)]
    since: Timestamp,
}

impl SourceView {
    fn new(health: SourceHealth, pause: Option<&Pause>) -> Self {
        Self {
            pause: pause.map(|pause| PauseView {
                reason: pause.reason.clone(),
                by: pause.officer.clone(),
                at: pause.at,
            }),
            id: health.id,
            region: health.region,
            name: health.source,
            kind: health.kind,
            condition: health.condition.name(),
            since: health.since,
            problem: health.problem,
            last_success: health.last_success,
            posts: health.posts,
            today: health.today,
            usual: health.usual,
            refused: health.refused,
            lag_seconds: health.lag_seconds,
            findings: (health.findings.into_iter())
                .map(|finding| FindingView {
                    fault: finding.fault.name(),
                    url: finding.url,
                    detail: finding.detail,
                    since: finding.since,
                })
                .collect(),
            at: health.at,
        }
    }
}

/// The sources of all regions served; those in trouble first.
#[utoipa::path(get, path = "/sources", tag = "sources", responses((status = 200, description = "The sources", body = Vec<SourceView>)))]
pub(super) async fn list(
    State(console): State<Arc<Console>>,
    _: Caller,
    asked: Asked,
) -> Result<Json<Vec<SourceView>>, Problem> {
    asked.only(&[])?;
    let pauses = console.source_edits.paused().await?;
    let mut sources = Vec::new();
    for code in console.regions.keys() {
        let known = console.sources.list(code).await?;
        sources.extend(known.into_iter().map(|health| {
            let pause = pauses.get(&health.id);
            SourceView::new(health, pause)
        }));
    }
    Ok(Json(sources))
}

/// Why a source is paused.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct NewPause {
    #[schema(min_length = 1, max_length = 200)]
    reason: String,
}

/// Pauses a source: the collector is told, and asks it for nothing until it is read again.
#[utoipa::path(
    post,
    path = "/sources/{id}/pause",
    tag = "sources",
    params(("id" = String, Path, description = "The source's id")),
    request_body = NewPause,
    responses((status = 202, description = "The collector is told", body = SourceView))
)]
pub(super) async fn pause(
    State(console): State<Arc<Console>>,
    caller: Caller,
    Id(id): Id,
    asked: Asked,
    Body(asks): Body<NewPause>,
) -> Result<(StatusCode, Json<SourceView>), Problem> {
    asked.only(&[])?;
    asked::within("reason", &asks.reason, REASON_LIMIT)?;
    let source = served_source(&console, &id).await?;
    (console.source_edits)
        .pause(
            source.as_ref(),
            &asks.reason,
            &caller.actor(),
            Timestamp::now(),
        )
        .await?;
    as_told(&console, source).await
}

/// Has a paused source read again, from where the collector was.
#[utoipa::path(
    post,
    path = "/sources/{id}/resume",
    tag = "sources",
    params(("id" = String, Path, description = "The source's id")),
    responses((status = 202, description = "The collector is told", body = SourceView))
)]
pub(super) async fn resume(
    State(console): State<Arc<Console>>,
    caller: Caller,
    Id(id): Id,
    asked: Asked,
) -> Result<(StatusCode, Json<SourceView>), Problem> {
    asked.only(&[])?;
    let source = served_source(&console, &id).await?;
    (console.source_edits)
        .resume(source.as_ref(), &caller.actor(), Timestamp::now())
        .await?;
    as_told(&console, source).await
}

async fn as_told(
    console: &Console,
    source: Option<SourceHealth>,
) -> Result<(StatusCode, Json<SourceView>), Problem> {
    let source = source.ok_or(Problem::NotFound)?;
    let pauses = console.source_edits.paused().await?;
    let pause = pauses.get(&source.id).cloned();
    let view = SourceView::new(source, pause.as_ref());
    Ok((StatusCode::ACCEPTED, Json(view)))
}
