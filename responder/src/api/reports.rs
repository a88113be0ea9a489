//! Reports that the office keeps: the list, one with its text, its files.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::response::Response;
use jiff::Timestamp;
use serde::Serialize;
use utoipa::openapi::{RefOr, Schema};
use utoipa::{PartialSchema, ToSchema};

use super::access::Caller;
use super::asked::{self, Asked, Id, Ids};
use super::attachments::Content;
use super::problem::Problem;
use crate::console::{Console, saved_paper};
use crate::paper::{Paper, PaperError, Query, State as Stage};
use crate::report::Kind;

/// Longest code of a region, in characters.
const LONGEST_CODE: usize = 100;

/// A kind of report.
#[derive(Debug)]
pub(super) struct ReportKindName;

impl PartialSchema for ReportKindName {
    fn schema() -> RefOr<Schema> {
        asked::names(Kind::ALL.map(Kind::name))
    }
}

impl ToSchema for ReportKindName {}

/// Where a report stands.
#[derive(Debug)]
pub(super) struct ReportState;

impl PartialSchema for ReportState {
    fn schema() -> RefOr<Schema> {
        asked::names(Stage::ALL.map(Stage::name))
    }
}

impl ToSchema for ReportState {}

/// A report.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Report)]
pub(super) struct ReportView {
    id: String,
    /// Code of its region.
    region: String,
    #[schema(value_type = ReportKindName)]
    kind: &'static str,
    /// The first of the days that it is about.
    #[schema(value_type = String, format = Date)]
    from: String,
    /// The last of them.
    #[schema(value_type = String, format = Date)]
    to: String,
    #[schema(value_type = ReportState)]
    state: &'static str,
    title: String,
    /// Its number (文号); may be empty.
    number: String,
    /// Why its numbers are not those that were generated; empty where they are.
    reason: String,
    /// The account that asked for it; empty where the schedule did.
    asked_by: String,
    #[schema(value_type = String, format = DateTime)]
    asked_at: Timestamp,
    /// When it was made last; none before.
    #[schema(value_type = Option<String>, format = DateTime)]
    made_at: Option<Timestamp>,
    /// The account that edited it last; empty where nobody did.
    edited_by: String,
    /// The account that signed it; empty before.
    approved_by: String,
    #[schema(value_type = Option<String>, format = DateTime)]
    approved_at: Option<Timestamp>,
}

impl From<Paper> for ReportView {
    fn from(paper: Paper) -> Self {
        Self {
            kind: paper.kind().name(),
            id: paper.id,
            region: paper.region,
            from: paper.period.from.to_string(),
            to: paper.period.to.to_string(),
            state: paper.state.name(),
            title: paper.title,
            number: paper.number,
            reason: paper.reason,
            asked_by: paper.asked_by,
            asked_at: paper.asked_at,
            made_at: paper.made_at,
            edited_by: paper.edited_by,
            approved_by: paper.approved_by,
            approved_at: paper.approved_at,
        }
    }
}

/// A report with its text.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct ReportWithText {
    report: ReportView,
    /// Its wording, in Markdown with its figures placed; none where it is not made yet.
    text: Option<String>,
    /// The files that there are, by the last part of their address: `docx`, `pdf`, `xlsx`, `html` and tables such as
    /// `subjects.csv`. Those of a signed report have the SHA-256 of what was signed.
    files: Vec<FileView>,
}

/// A file of a signed report.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ReportFile)]
pub(super) struct FileView {
    /// The last part of its address.
    file: String,
    /// Its size in bytes.
    size: u64,
    /// Its SHA-256 in hexadecimal digits.
    sha256: String,
}

/// The reports asked for, the newest days first.
#[utoipa::path(
    get,
    path = "/reports",
    tag = "reports",
    params(
        ("region" = Option<String>, Query, description = "Only of this region", max_length = 100),
        ("kind" = Option<ReportKindName>, Query, description = "Only of this kind"),
        ("state" = Option<ReportState>, Query, description = "Only in this state"),
        ("offset" = Option<u32>, Query, description = "How many to pass over", minimum = 0, maximum = 1_000_000),
        ("limit" = Option<u32>, Query, description = "Most to give; 30 where it is not said", minimum = 1, maximum = 200),
    ),
    responses((status = 200, description = "The reports", body = Vec<ReportView>))
)]
pub(super) async fn list(
    State(console): State<Arc<Console>>,
    caller: Caller,
    asked: Asked,
) -> Result<Json<Vec<ReportView>>, Problem> {
    let asked = asked.only(&["region", "kind", "state", "offset", "limit"])?;
    let (offset, limit) = asked.page()?;
    let query = Query {
        region: asked.text("region", LONGEST_CODE)?,
        kind: asked.choice("kind", &Kind::ALL, Kind::name)?,
        state: asked.choice("state", &Stage::ALL, Stage::name)?,
        from: None,
        to: None,
        offset,
        limit,
    };
    let (found, _) = console.papers.list(&query).await?;
    caller
        .audit(&console, "read-reports", "", Timestamp::now())
        .await?;
    Ok(Json(found.into_iter().map(ReportView::from).collect()))
}

/// One report, with its text. That it was read is noted in the audit.
#[utoipa::path(
    get,
    path = "/reports/{id}",
    tag = "reports",
    params(("id" = String, Path, description = "The report's id")),
    responses((status = 200, description = "The report", body = ReportWithText))
)]
pub(super) async fn show(
    State(console): State<Arc<Console>>,
    caller: Caller,
    Id(id): Id,
    asked: Asked,
) -> Result<Json<ReportWithText>, Problem> {
    asked.only(&[])?;
    let paper = console.papers.get(&id).await?.ok_or(Problem::NotFound)?;
    caller
        .audit(&console, "read-report", &id, Timestamp::now())
        .await?;
    let content = console.papers.read(&id).await?;
    let files = console.papers.kept(&id).await?;
    Ok(Json(ReportWithText {
        report: paper.into(),
        text: content.map(|(_, content)| content.text),
        files: (files.into_iter())
            .map(|kept| FileView {
                file: kept.file,
                size: kept.size,
                sha256: kept.sha256,
            })
            .collect(),
    }))
}

/// A file of a report: of a signed one the bytes that were signed, else as it would be now. That it was taken is noted in the audit.
#[utoipa::path(
    get,
    path = "/reports/{id}/files/{file}",
    tag = "reports",
    params(
        ("id" = String, Path, description = "The report's id"),
        ("file" = String, Path, description = "`docx`, `pdf`, `xlsx`, `html`, or of a table its name with `.csv`"),
    ),
    responses((status = 200, description = "The file, to be saved", body = Content, content_type = "*/*"))
)]
pub(super) async fn file(
    State(console): State<Arc<Console>>,
    caller: Caller,
    Ids(id, file): Ids,
    asked: Asked,
) -> Result<Response, Problem> {
    asked.only(&[])?;
    let found = console.papers.file(&id, &file, &console.press).await?;
    let printed = found.ok_or(Problem::NotFound)?;
    let subject = format!("{id} {file}");
    caller
        .audit(&console, "export-report", &subject, Timestamp::now())
        .await?;
    Ok(saved_paper(printed))
}

impl From<PaperError> for Problem {
    fn from(error: PaperError) -> Self {
        match error {
            PaperError::Store(error) => error.into(),
            PaperError::NotFound => Self::NotFound,
            PaperError::Stale => Self::Stale(format!("{error}。")),
            PaperError::NotAllowed => Self::Forbidden,
            refused => Self::Refused(format!("{refused}。")),
        }
    }
}
