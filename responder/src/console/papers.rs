//! Reports as papers: asked for, looked at, worded, signed, sent, taken along.

mod edit;
mod files;
mod list;
mod lists;
mod one;

pub(super) use edit::{form as edit_form, polish, save};
pub(crate) use files::saved;
pub(super) use files::{download, preview, snapshot};
pub(super) use list::{ask, form, list};
pub(super) use lists::{delete as delete_list, keep as keep_list, list as lists};
pub(super) use one::{perform, send, show};

use axum::http::StatusCode;
use tracing::error;

use super::Console;
use super::problem::Problem;
use crate::paper::{Content, Paper, PaperError};

/// Where the nav points while one looks at a report.
const PLACE: &str = "/reports";

/// A paper, made or not.
async fn found(console: &Console, id: &str) -> Result<Paper, Problem> {
    let paper = console.papers.get(id).await?;
    paper.ok_or(Problem::NotFound)
}

/// A paper that was made, with what it says.
async fn made(console: &Console, id: &str) -> Result<(Paper, Content), Problem> {
    let read = console.papers.read(id).await?;
    read.ok_or(Problem::NotFound)
}

/// What is said of a refusal, and how it is answered; a store that fails is no refusal.
fn said(refused: PaperError) -> Result<(StatusCode, String), Problem> {
    match refused {
        PaperError::Store(error) => Err(error.into()),
        PaperError::NotFound | PaperError::NoList => Err(Problem::NotFound),
        PaperError::NotAllowed => Err(Problem::Forbidden),
        PaperError::Stale | PaperError::Own => Ok((StatusCode::CONFLICT, format!("{refused}。"))),
        PaperError::Press(_) => {
            error!(error = %refused, "a report could not be written");
            Ok((StatusCode::INTERNAL_SERVER_ERROR, format!("{refused}。")))
        }
        refused => Ok((StatusCode::UNPROCESSABLE_ENTITY, format!("{refused}。"))),
    }
}
