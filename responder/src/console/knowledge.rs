//! The knowledge base 政策咨询问答库: search, the entries that wait for their unit, the page for the public.

mod entry;
mod frequent;

use std::sync::Arc;

use askama::Template;
use axum::extract::State;
use axum::http::header::{CONTENT_DISPOSITION, CONTENT_TYPE};
use axum::response::{IntoResponse, Response};
use backbone::region::SUBJECTS;
use jiff::Timestamp;
use tracing::error;

use super::access::SignedIn;
use super::fields::{Choice, Fields, Pages};
use super::page::{Frame, render};
use super::problem::Problem;
use super::routes::MOVERS;
use super::{Console, place, show};
use crate::calendar::day_of;
use crate::case::StoreError;
use crate::knowledge::{Entry, KnowledgeError, Query, Status, page as public_page};

pub(super) use entry::{add, approve, change, form, retire, show as one};
pub(super) use frequent::list as asked;

/// Entries of a page.
const PER_PAGE: u32 = 30;
/// Entries of the page for the public, at most.
const MOST_PUBLIC: u32 = 10_000;

/// An entry in a list.
struct EntryLine {
    id: String,
    question: String,
    answer: String,
    subject: String,
    unit: String,
    status: &'static str,
    status_name: &'static str,
    at: String,
    /// How much of the text looked for it has, in percent.
    score: Option<u64>,
}

impl EntryLine {
    fn new(console: &Console, entry: &Entry, score: Option<f64>) -> Self {
        Self {
            id: entry.id.clone(),
            question: entry.content.question.clone(),
            answer: show::excerpt(&entry.content.answer, 80),
            subject: entry.content.subject.clone(),
            unit: (console.unit_name(&entry.region, &entry.content.unit)).to_owned(),
            status: entry.status.title(),
            status_name: entry.status.name(),
            at: show::time(entry.decided_at.unwrap_or(entry.written_at)),
            score: score.map(|score| (score * 100.0).round().clamp(0.0, 100.0) as u64),
        }
    }
}

#[derive(Template)]
#[template(path = "knowledge.html")]
struct KnowledgePage {
    frame: Frame,
    regions: Vec<Choice>,
    code: String,
    text: String,
    states: Vec<Choice>,
    subjects: Vec<Choice>,
    units: Vec<Choice>,
    entries: Vec<EntryLine>,
    pages: Pages,
    may_write: bool,
    of_office: bool,
}

/// The entries asked for.
pub(super) async fn list(
    State(console): State<Arc<Console>>,
    signed_in: SignedIn,
    fields: Fields,
) -> Result<Response, Problem> {
    let region = place::region(&console, &signed_in, &fields)?;
    let subject = fields.get("subject");
    let query = Query {
        region: region.code().to_owned(),
        status: Status::named(fields.get("state")),
        unit: fields.get("unit").to_owned(),
        subject: subject.to_owned(),
        seen_by: String::new(),
        offset: (fields.page() - 1) * PER_PAGE,
        // One more, to know whether there is another page.
        limit: PER_PAGE + 1,
    };
    let (text, offset) = (fields.get("text"), u64::from(query.offset));
    let actor = signed_in.user.actor();
    let found = (console.knowledge)
        .look(query, text, [region.code()], &actor)
        .await?;
    let known = offset + found.len() as u64;
    let pages = Pages::new("/knowledge", &fields, PER_PAGE, known);
    let page = KnowledgePage {
        regions: place::regions(&console, &signed_in, region),
        code: region.code().to_owned(),
        text: text.to_owned(),
        states: Status::ALL
            .map(|status| Choice::new(status.name(), status.title(), fields.get("state")))
            .into_iter()
            .collect(),
        subjects: Choice::plain(SUBJECTS, subject),
        units: if actor.role.of_unit() {
            Vec::new()
        } else {
            (region.units.iter())
                .map(|unit| Choice::new(unit.code.clone(), unit.name.clone(), fields.get("unit")))
                .collect()
        },
        entries: (found.iter().take(PER_PAGE as usize))
            .map(|(entry, score)| EntryLine::new(&console, entry, *score))
            .collect(),
        pages: if found.len() > PER_PAGE as usize {
            pages.at_least()
        } else {
            pages
        },
        of_office: !actor.role.of_unit(),
        may_write: MOVERS.contains(&signed_in.user.role),
        frame: Frame::new(&console, &signed_in, "/knowledge", "知识库"),
    };
    render(&page)
}

/// What is approved, as one page that can be put on a site of the government.
pub(super) async fn export(
    State(console): State<Arc<Console>>,
    signed_in: SignedIn,
    fields: Fields,
) -> Result<Response, Problem> {
    let now = Timestamp::now();
    let region = place::region(&console, &signed_in, &fields)?;
    let query = Query {
        region: region.code().to_owned(),
        status: Some(Status::Approved),
        limit: MOST_PUBLIC,
        ..Query::default()
    };
    let approved = console.knowledge.list(&query).await?;
    let page = public_page(region, &approved, now).map_err(|error| {
        error!(%error, "the page for the public could not be rendered");
        Problem::Broken
    })?;
    (console.accounts)
        .audit(&signed_in.user.name, "export-knowledge", region.code(), now)
        .await?;
    let file = format!(
        "attachment; filename=knowledge-{}-{}.html",
        region.code(),
        day_of(now)
    );
    let headers = [
        (CONTENT_TYPE, "text/html; charset=utf-8".to_owned()),
        (CONTENT_DISPOSITION, file),
    ];
    Ok((headers, page).into_response())
}

impl From<KnowledgeError> for Problem {
    fn from(error: KnowledgeError) -> Self {
        match error {
            KnowledgeError::Store(error) => error.into(),
            KnowledgeError::Unknown => StoreError::Unknown { what: "entry" }.into(),
            // What can be put right is said on the form; the rest is not there for this account.
            _ => Self::NotFound,
        }
    }
}
