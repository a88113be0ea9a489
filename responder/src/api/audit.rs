//! The audit, for the administrator and the auditor: page by page, or all of a time as a file.

use std::sync::Arc;

use axum::Json;
use axum::body::Body;
use axum::extract::State;
use axum::http::header::{CONTENT_DISPOSITION, CONTENT_TYPE};
use axum::response::{IntoResponse, Response};
use futures::stream::try_unfold;
use jiff::Timestamp;
use serde::Serialize;
use tracing::error;
use utoipa::ToSchema;

use super::access::Caller;
use super::asked::Asked;
use super::problem::Problem;
use crate::account::{Entry, Format, Span};
use crate::console::Console;

/// Lines read at a time for a file.
const BATCH: u32 = 500;

/// A line of the audit.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = AuditLine)]
pub(super) struct LineView {
    /// Its number, from 1 without gaps.
    number: i64,
    #[schema(value_type = String, format = DateTime)]
    at: Timestamp,
    /// The account; empty for the responder itself and for commands.
    user: String,
    /// What was done, such as `read-case` or `dispatch`.
    action: String,
    /// To what.
    subject: String,
    /// Id of the token it was done with; empty where it was done in the console.
    via: String,
    /// The chain up to this line; empty for lines from before there was one.
    hash: String,
}

impl From<Entry> for LineView {
    fn from(entry: Entry) -> Self {
        Self {
            number: entry.number,
            at: entry.at,
            user: entry.user,
            action: entry.action,
            subject: entry.subject,
            via: entry.via,
            hash: entry.hash,
        }
    }
}

/// Lines asked for, the oldest first.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct AuditPage {
    items: Vec<LineView>,
    /// What to give as `after` for the lines that follow; absent where there are none.
    next: Option<i64>,
}

/// Lines of the audit. That it was read is noted in it.
#[utoipa::path(
    get,
    path = "/audit",
    tag = "audit",
    params(
        ("from" = Option<String>, Query, description = "Only at this time or later", format = DateTime),
        ("to" = Option<String>, Query, description = "Only before this time", format = DateTime),
        ("after" = Option<i64>, Query, description = "Only lines with a greater number", minimum = 0, maximum = 9_007_199_254_740_991_i64),
        ("limit" = Option<u32>, Query, description = "Most to give; 30 where it is not said", minimum = 1, maximum = 200),
    ),
    responses((status = 200, description = "The lines", body = AuditPage))
)]
pub(super) async fn list(
    State(console): State<Arc<Console>>,
    caller: Caller,
    asked: Asked,
) -> Result<Json<AuditPage>, Problem> {
    let asked = asked.only(&["from", "to", "after", "limit"])?;
    let (_, limit) = asked.page()?;
    let after = asked.number("after", &(0..=9_007_199_254_740_991_i64))?;
    let span = Span {
        after: after.unwrap_or(0),
        before: None,
        from: asked.time("from")?,
        to: asked.time("to")?,
    };
    let lines = console.accounts.audit_lines(span, limit).await?;
    caller
        .audit(&console, "read-audit", "", Timestamp::now())
        .await?;
    let full = lines.len() >= limit as usize;
    Ok(Json(AuditPage {
        next: lines.last().filter(|_| full).map(|line| line.number),
        items: lines.into_iter().map(LineView::from).collect(),
    }))
}

/// The lines of a time as a file, the oldest first. That it was exported is noted in the audit.
#[utoipa::path(
    get,
    path = "/audit/export",
    tag = "audit",
    params(
        ("format" = Option<FormatName>, Query, description = "`csv` where it is not said"),
        ("from" = Option<String>, Query, description = "Only at this time or later", format = DateTime),
        ("to" = Option<String>, Query, description = "Only before this time", format = DateTime),
    ),
    responses((
        status = 200,
        description = "The lines",
        content((String = "text/csv"), (String = "application/jsonl"))
    ))
)]
pub(super) async fn export(
    State(console): State<Arc<Console>>,
    caller: Caller,
    asked: Asked,
) -> Result<Response, Problem> {
    let asked = asked.only(&["format", "from", "to"])?;
    let format = asked.choice("format", &Format::ALL, Format::name)?;
    let format = format.unwrap_or(Format::Csv);
    let (from, to) = (asked.time("from")?, asked.time("to")?);
    let own = caller
        .audit(&console, "export-audit", format.name(), Timestamp::now())
        .await?;
    // What is written while the file is sent does not make it longer.
    let until = Span {
        after: 0,
        before: Some(own),
        from,
        to,
    };
    let (kind, name) = match format {
        Format::Csv => ("text/csv; charset=utf-8", "attachment; filename=audit.csv"),
        Format::Jsonl => ("application/jsonl", "attachment; filename=audit.jsonl"),
    };
    let lines = try_unfold(Some((until, true)), move |rest| {
        let accounts = console.accounts.clone();
        async move {
            let Some((span, first)) = rest else {
                return Ok(None);
            };
            let batch = accounts.audit_lines(span, BATCH).await;
            let batch =
                batch.inspect_err(|error| error!(%error, "an export of the audit broke off"))?;
            let text = format.write(&batch, first).map_err(std::io::Error::other)?;
            let rest = match batch.last() {
                Some(last) if batch.len() == BATCH as usize => {
                    let span = Span {
                        after: last.number,
                        ..span
                    };
                    Some((span, false))
                }
                _ => None,
            };
            Ok::<_, Box<dyn std::error::Error + Send + Sync>>(Some((text, rest)))
        }
    });
    let headers = [(CONTENT_TYPE, kind), (CONTENT_DISPOSITION, name)];
    Ok((headers, Body::from_stream(lines)).into_response())
}

/// Name of a format.
#[derive(Debug)]
pub(super) struct FormatName;

impl utoipa::PartialSchema for FormatName {
    fn schema() -> utoipa::openapi::RefOr<utoipa::openapi::Schema> {
        super::asked::names(Format::ALL.map(Format::name))
    }
}

impl ToSchema for FormatName {}
