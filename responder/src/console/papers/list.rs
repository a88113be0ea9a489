//! The list of reports, and the form to ask for one.

use std::sync::Arc;

use askama::Template;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use jiff::Timestamp;
use jiff::civil::Date;

use super::{PLACE, said};
use crate::calendar::day_of;
use crate::console::access::SignedIn;
use crate::console::fields::{Choice, Fields, Pages};
use crate::console::page::{Frame, render, render_as};
use crate::console::problem::Problem;
use crate::console::{Console, place, show};
use crate::paper::asked::{self, Takes};
use crate::paper::{Action, Paper, Query, State as Stage};
use crate::report::Kind;

/// Reports of a page.
const PER_PAGE: u32 = 30;

/// A report as the list shows it.
struct Line {
    id: String,
    title: String,
    number: String,
    kind: &'static str,
    days: String,
    state: &'static str,
    state_name: &'static str,
    asked_by: String,
    asked_at: String,
    /// Who signed it, and when; empty before.
    approved: (String, String),
}

impl Line {
    fn new(paper: &Paper) -> Self {
        Self {
            id: paper.id.clone(),
            title: paper.title.clone(),
            number: paper.number.clone(),
            kind: paper.kind().title(),
            days: show::days(paper.period),
            state: paper.state.title(),
            state_name: paper.state.name(),
            asked_by: paper.asked_by.clone(),
            asked_at: show::time(paper.asked_at),
            approved: (
                paper.approved_by.clone(),
                paper.approved_at.map(show::time).unwrap_or_default(),
            ),
        }
    }
}

#[derive(Template)]
#[template(path = "papers.html")]
struct ListPage {
    frame: Frame,
    regions: Vec<Choice>,
    kinds: Vec<Choice>,
    states: Vec<Choice>,
    from: String,
    to: String,
    papers: Vec<Line>,
    pages: Pages,
    may_ask: bool,
}

/// The reports asked for, the newest days first.
pub(in crate::console) async fn list(
    State(console): State<Arc<Console>>,
    signed_in: SignedIn,
    fields: Fields,
) -> Result<Response, Problem> {
    let region = place::region(&console, &signed_in, &fields)?;
    let (kind, state) = (fields.get("kind"), fields.get("state"));
    let query = Query {
        region: region.code().to_owned(),
        kind: Kind::named(kind),
        state: Stage::named(state),
        from: fields.get("from").parse().ok(),
        to: fields.get("to").parse().ok(),
        offset: (fields.page() - 1) * PER_PAGE,
        limit: PER_PAGE,
    };
    let (papers, total) = console.papers.list(&query).await?;
    let shown = |day: Option<Date>| day.map(|day| day.to_string()).unwrap_or_default();
    render(&ListPage {
        regions: place::regions(&console, &signed_in, region),
        kinds: kinds(kind),
        states: (Stage::ALL)
            .map(|stage| Choice::new(stage.name(), stage.title(), state))
            .into(),
        from: shown(query.from),
        to: shown(query.to),
        papers: papers.iter().map(Line::new).collect(),
        pages: Pages::new(PLACE, &fields, PER_PAGE, total),
        may_ask: Action::Ask.is_of(signed_in.user.role),
        frame: Frame::new(&console, &signed_in, PLACE, "报告"),
    })
}

fn kinds(chosen: &str) -> Vec<Choice> {
    (Kind::ALL.iter())
        .map(|kind| Choice::new(kind.name(), kind.title(), chosen))
        .collect()
}

/// A field of the form.
struct Input {
    name: &'static str,
    label: &'static str,
    /// Of the HTML input.
    kind: &'static str,
    optional: bool,
    typed: String,
}

#[derive(Template)]
#[template(path = "paper-new.html")]
struct FormPage {
    frame: Frame,
    code: String,
    regions: Vec<Choice>,
    kinds: Vec<Choice>,
    kind: &'static str,
    kind_title: &'static str,
    inputs: Vec<Input>,
    longest: usize,
    problem: String,
}

/// The form to ask for a report of a kind.
pub(in crate::console) async fn form(
    State(console): State<Arc<Console>>,
    signed_in: SignedIn,
    fields: Fields,
) -> Result<Response, Problem> {
    form_page(&console, &signed_in, &fields, StatusCode::OK, String::new())
}

fn form_page(
    console: &Console,
    signed_in: &SignedIn,
    fields: &Fields,
    status: StatusCode,
    problem: String,
) -> Result<Response, Problem> {
    let region = place::region(console, signed_in, fields)?;
    let kind = Kind::named(fields.get("kind")).unwrap_or(Kind::Weekly);
    let needs = asked::needs(kind);
    let today = day_of(Timestamp::now());
    let usual = needs.every.map(|every| every.ended_before(today));
    let inputs = needs.fields.iter().map(|field| {
        let usual = match (field.name, usual) {
            ("from", Some(period)) => period.from.to_string(),
            ("to", Some(period)) => period.to.to_string(),
            ("to", None) => today.to_string(),
            _ => String::new(),
        };
        let typed = match fields.get(field.name) {
            "" => usual,
            typed => typed.to_owned(),
        };
        Input {
            name: field.name,
            label: field.label,
            kind: match field.takes {
                Takes::Text => "text",
                Takes::Day => "date",
                Takes::Number => "number",
            },
            optional: field.optional,
            typed,
        }
    });
    let page = FormPage {
        code: region.code().to_owned(),
        regions: place::regions(console, signed_in, region),
        kinds: kinds(kind.name()),
        kind: kind.name(),
        kind_title: kind.title(),
        inputs: inputs.collect(),
        longest: asked::LONGEST_FIELD,
        frame: Frame::new(console, signed_in, PLACE, "生成报告"),
        problem,
    };
    render_as(status, &page)
}

/// Asks for a report.
pub(in crate::console) async fn ask(
    State(console): State<Arc<Console>>,
    signed_in: SignedIn,
    fields: Fields,
) -> Result<Response, Problem> {
    let region = place::region(&console, &signed_in, &fields)?;
    let kind = Kind::named(fields.get("kind")).ok_or(Problem::NotFound)?;
    let asked = async {
        let wanted = asked::wanted(kind, |name| fields.get(name).to_owned())?;
        let (actor, now) = (signed_in.user.actor(), Timestamp::now());
        (console.papers)
            .ask(region.code(), &wanted, false, &actor, now)
            .await
    };
    match asked.await {
        Ok(asked) => {
            let known = if asked.known { "?done=known" } else { "" };
            Ok(Redirect::to(&format!("/reports/{}{known}", asked.id)).into_response())
        }
        Err(refused) => {
            let (status, problem) = said(refused)?;
            form_page(&console, &signed_in, &fields, status, problem)
        }
    }
}
