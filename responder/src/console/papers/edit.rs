//! Editing the wording of a draft.

use std::sync::Arc;

use askama::Template;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::Response;
use jiff::Timestamp;

use super::one::{to, version};
use super::{PLACE, made, said};
use crate::console::access::SignedIn;
use crate::console::fields::{Choice, Fields};
use crate::console::page::{Frame, render_as};
use crate::console::problem::Problem;
use crate::console::{Console, show};
use crate::paper::edit::{Edit, LONGEST, LONGEST_NUMBER, LONGEST_REASON, LONGEST_TITLE};
use crate::paper::{Action, Content, Paper, PaperError, link, polish};

/// Characters of a paragraph by which one chooses it.
const EXCERPT: usize = 40;

#[derive(Template)]
#[template(path = "paper-edit.html")]
struct EditPage {
    frame: Frame,
    id: String,
    version: i64,
    typed: Edit,
    /// The text that another has saved meanwhile; empty where none has.
    newer: String,
    /// What may be placed: its name, and its title.
    figures: Vec<(String, String)>,
    /// The paragraphs that a language model may reword: their places, and how they begin. None where it is not set.
    paragraphs: Vec<Choice>,
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
    (console.accounts)
        .audit(&signed_in.user.name, "read-report", &id, Timestamp::now())
        .await?;
    let typed = as_it_is(&paper, &content);
    let shown = Shown {
        version: paper.version,
        asks_reason: !typed.reason.is_empty(),
        typed,
        newer: None,
        status: StatusCode::OK,
        problem: String::new(),
    };
    page(&console, &signed_in, &id, &content, shown)
}

/// A draft as it stands, for the form.
fn as_it_is(paper: &Paper, content: &Content) -> Edit {
    Edit {
        title: paper.title.clone(),
        number: paper.number.clone(),
        text: link::shortened(&content.text, &content.generated),
        reason: paper.reason.clone(),
        polished_by: String::new(),
    }
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
        polished_by: String::new(),
    };
    let (actor, now, version) = (signed_in.user.actor(), Timestamp::now(), version(&fields));
    let edited = console.papers.edit(&id, version, &typed, &actor, now).await;
    let Err(refused) = edited else {
        return Ok(to(&id, Action::Edit));
    };
    let asks_reason = matches!(refused, PaperError::Numbers(_)) || !typed.reason.is_empty();
    let stale = matches!(refused, PaperError::Stale);
    let (status, problem) = said(refused)?;
    let (paper, content) = made(&console, &id).await?;
    let shown = Shown {
        version: if stale { paper.version } else { version },
        typed,
        newer: stale.then(|| link::shortened(&content.text, &content.generated)),
        asks_reason,
        status,
        problem,
    };
    page(&console, &signed_in, &id, &content, shown)
}

/// Has a paragraph of the draft reworded. It is kept at once where it says the same, and marked for who signs; what was typed
/// into the form and not saved is not part of it.
pub(in crate::console) async fn polish(
    State(console): State<Arc<Console>>,
    signed_in: SignedIn,
    Path(id): Path<String>,
    fields: Fields,
) -> Result<Response, Problem> {
    let polisher = console.polisher.as_ref().ok_or(Problem::NotFound)?;
    let (paper, content) = made(&console, &id).await?;
    if !Action::Polish.is_for(signed_in.user.role, paper.state) {
        return Err(Problem::NotFound);
    }
    let (version, name) = (version(&fields), &signed_in.user.name);
    let typed = as_it_is(&paper, &content);
    let place: Option<usize> = fields.get("paragraph").parse().ok();
    let paragraph = polish::paragraphs(&typed.text).into_iter();
    let mut paragraph = paragraph.filter(|(known, _)| Some(*known) == place);
    let (place, paragraph) = paragraph.next().ok_or(Problem::NotFound)?;
    (console.accounts)
        .audit(name, "ask-polish", &id, Timestamp::now())
        .await?;
    let problem = match polisher.polish(paragraph).await {
        Err(none) => (StatusCode::OK, format!("{none}。")),
        Ok(polished) => {
            let edit = Edit {
                text: polish::replaced(&typed.text, place, &polished).ok_or(Problem::NotFound)?,
                polished_by: polisher.name().to_owned(),
                ..typed.clone()
            };
            let (actor, now) = (signed_in.user.actor(), Timestamp::now());
            match console.papers.edit(&id, version, &edit, &actor, now).await {
                Ok(()) => return Ok(to(&id, Action::Polish)),
                Err(refused) => said(refused)?,
            }
        }
    };
    let (status, problem) = problem;
    let shown = Shown {
        version,
        asks_reason: !typed.reason.is_empty(),
        typed,
        newer: None,
        status,
        problem,
    };
    page(&console, &signed_in, &id, &content, shown)
}

/// What stands in the form.
struct Shown {
    version: i64,
    typed: Edit,
    /// The text that another has saved meanwhile.
    newer: Option<String>,
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
    let short = link::shortened(&content.text, &content.generated);
    let paragraphs = match console.polisher {
        Some(_) => polish::paragraphs(&short),
        None => Vec::new(),
    };
    let page = EditPage {
        frame: Frame::new(console, signed_in, PLACE, "修改报告"),
        id: id.to_owned(),
        version: shown.version,
        typed: shown.typed,
        newer: shown.newer.unwrap_or_default(),
        figures: tables
            .map(|table| (format!("table:{}", table.name), table.title.clone()))
            .chain(charts.map(|chart| (format!("chart:{}", chart.name), chart.title.clone())))
            .collect(),
        paragraphs: (paragraphs.into_iter())
            .map(|(place, text)| Choice::new(place.to_string(), show::excerpt(text, EXCERPT), ""))
            .collect(),
        asks_reason: shown.asks_reason,
        longest: [LONGEST_TITLE, LONGEST_NUMBER, LONGEST, LONGEST_REASON],
        problem: shown.problem,
    };
    render_as(shown.status, &page)
}
