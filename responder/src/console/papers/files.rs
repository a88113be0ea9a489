//! What leaves the console of a report: a look at it, its files, the data behind it. Whoever takes a file is in the audit.

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::http::header::{CONTENT_DISPOSITION, CONTENT_TYPE};
use axum::response::{IntoResponse, Response};
use jiff::Timestamp;

use super::{made, said};
use crate::console::Console;
use crate::console::access::{Framed, SignedIn};
use crate::console::attachments::as_file;
use crate::console::problem::Problem;
use crate::paper::Printed;

/// What makes the links of a report open beside the console: the look at it is a frame that leads nowhere by itself.
const BESIDE: &str = "<head>\n<base target=\"_blank\">";

/// The report as a page in a frame. It has no script and may run none, and reaches nothing.
pub(in crate::console) async fn preview(
    State(console): State<Arc<Console>>,
    signed_in: SignedIn,
    Path(id): Path<String>,
) -> Result<Response, Problem> {
    // It can be opened without the page around it.
    (console.accounts)
        .audit(&signed_in.user.name, "read-report", &id, Timestamp::now())
        .await?;
    let printed = match console.papers.file(&id, "html", &console.press).await {
        Ok(printed) => printed.ok_or(Problem::NotFound)?,
        Err(refused) => return Ok(said(refused)?.into_response()),
    };
    let page = String::from_utf8(printed.bytes).map_err(|_| Problem::Broken)?;
    let page = page.replacen("<head>", BESIDE, 1);
    let mut response = ([(CONTENT_TYPE, printed.kind)], page).into_response();
    response.extensions_mut().insert(Framed);
    Ok(response)
}

/// A file of the report.
pub(in crate::console) async fn download(
    State(console): State<Arc<Console>>,
    signed_in: SignedIn,
    Path((id, file)): Path<(String, String)>,
) -> Result<Response, Problem> {
    let printed = match console.papers.file(&id, &file, &console.press).await {
        Ok(printed) => printed.ok_or(Problem::NotFound)?,
        Err(refused) => return Ok(said(refused)?.into_response()),
    };
    let subject = format!("{id} {file}");
    (console.accounts)
        .audit(
            &signed_in.user.name,
            "export-report",
            &subject,
            Timestamp::now(),
        )
        .await?;
    Ok(saved(printed))
}

/// The data that the report was made from, with its figures, as JSON.
pub(in crate::console) async fn snapshot(
    State(console): State<Arc<Console>>,
    signed_in: SignedIn,
    Path(id): Path<String>,
) -> Result<Response, Problem> {
    let (paper, content) = made(&console, &id).await?;
    (console.accounts)
        .audit(
            &signed_in.user.name,
            "export-report",
            &format!("{id} json"),
            Timestamp::now(),
        )
        .await?;
    let facts: serde_json::Value =
        serde_json::from_str(&content.facts).map_err(|_| Problem::Broken)?;
    let whole = serde_json::json!({
        "region": paper.region,
        "wanted": paper.wanted,
        "title": paper.title,
        "facts": facts,
        "figures": content.figures,
        "generated": content.generated,
        "text": content.text,
    });
    let bytes = serde_json::to_vec_pretty(&whole).map_err(|_| Problem::Broken)?;
    Ok(saved(Printed {
        file: "json".to_owned(),
        name: format!("{}.json", paper.wanted.stem(&paper.region)),
        kind: "application/json".to_owned(),
        bytes,
    }))
}

/// A file as an answer that is saved and not shown.
pub(crate) fn saved(printed: Printed) -> Response {
    let headers = [
        (CONTENT_TYPE, printed.kind),
        (CONTENT_DISPOSITION, as_file(&printed.name)),
    ];
    (headers, printed.bytes).into_response()
}
