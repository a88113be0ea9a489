//! Editing the wording of a draft.

use std::sync::Arc;

use askama::Template;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::Response;
use jiff::Timestamp;

use super::one::{to, version};
use super::{PLACE, made, said};
use crate::console::Console;
use crate::console::access::SignedIn;
use crate::console::fields::Fields;
use crate::console::page::{Frame, render_as};
use crate::console::problem::Problem;
use crate::paper::edit::{Edit, LONGEST, LONGEST_NUMBER, LONGEST_REASON, LONGEST_TITLE};
use crate::paper::{Action, Content, PaperError};

#[derive(Template)]
#[template(path = "paper-edit.html")]
struct EditPage {
    frame: Frame,
    id: String,
    version: i64,
    typed: Edit,
    /// What may be placed: its name, and its title.
    figures: Vec<(String, String)>,
    /// Whether a number was changed, so that a reason is asked for.
    asks_reason: bool,
    longest: [usize; 4],
    problem: String,
}

/// The form with the wording.
pub(in crate::console) async fn form(
    State(console): State<Arc<Console>>,
    signed_in: SignedIn,
    Path(id): Path<String>,
) -> Result<Response, Problem> {
    let (paper, content) = made(&console, &id).await?;
    if !Action::Edit.is_for(signed_in.user.role, paper.state) {
        return Err(Problem::NotFound);
    }
    let typed = Edit {
        title: paper.title.clone(),
        number: paper.number.clone(),
        text: content.text.clone(),
        reason: paper.reason.clone(),
    };
    let shown = Shown {
        version: paper.version,
        asks_reason: !typed.reason.is_empty(),
        typed,
        status: StatusCode::OK,
        problem: String::new(),
    };
    page(&console, &signed_in, &id, &content, shown)
}

/// Keeps what was typed.
pub(in crate::console) async fn save(
    State(console): State<Arc<Console>>,
    signed_in: SignedIn,
    Path(id): Path<String>,
    fields: Fields,
) -> Result<Response, Problem> {
    let typed = Edit {
        title: fields.get("title").to_owned(),
        number: fields.get("number").to_owned(),
        text: fields.raw("text").to_owned(),
        reason: fields.get("reason").to_owned(),
    };
    let (actor, now, version) = (signed_in.user.actor(), Timestamp::now(), version(&fields));
    let edited = console.papers.edit(&id, version, &typed, &actor, now).await;
    let Err(refused) = edited else {
        return Ok(to(&id, Action::Edit));
    };
    let asks_reason = matches!(refused, PaperError::Numbers(_)) || !typed.reason.is_empty();
    let (status, problem) = said(refused)?;
    let (_, content) = made(&console, &id).await?;
    let shown = Shown {
        version,
        typed,
        asks_reason,
        status,
        problem,
    };
    page(&console, &signed_in, &id, &content, shown)
}

/// What stands in the form.
struct Shown {
    version: i64,
    typed: Edit,
    asks_reason: bool,
    status: StatusCode,
    problem: String,
}

fn page(
    console: &Console,
    signed_in: &SignedIn,
    id: &str,
    content: &Content,
    shown: Shown,
) -> Result<Response, Problem> {
    let figures = &content.figures;
    let tables = figures.tables.iter();
    let charts = figures.charts.iter();
    let page = EditPage {
        frame: Frame::new(console, signed_in, PLACE, "修改报告"),
        id: id.to_owned(),
        version: shown.version,
        typed: shown.typed,
        figures: tables
            .map(|table| (format!("table:{}", table.name), table.title.clone()))
            .chain(charts.map(|chart| (format!("chart:{}", chart.name), chart.title.clone())))
            .collect(),
        asks_reason: shown.asks_reason,
        longest: [LONGEST_TITLE, LONGEST_NUMBER, LONGEST, LONGEST_REASON],
        problem: shown.problem,
    };
    render_as(shown.status, &page)
}
