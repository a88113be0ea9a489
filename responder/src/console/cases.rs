//! Cases: the list with its filters.

use std::sync::Arc;

use askama::Template;
use axum::extract::State;
use axum::response::Response;
use jiff::Timestamp;

use super::Console;
use super::access::SignedIn;
use super::events::levels;
use super::fields::{Choice, Fields, Pages};
use super::page::{Frame, render};
use super::problem::Problem;
use super::show::CaseLine;
use super::units;
use crate::case::{Actor, Query, State as Stage};

const PER_PAGE: u32 = 30;

/// What the cases of a page are chosen by.
pub(super) struct Choices {
    pub(super) text: String,
    pub(super) states: Vec<Choice>,
    pub(super) levels: Vec<Choice>,
    pub(super) dues: Vec<Choice>,
    pub(super) units: Vec<Choice>,
}

/// The cases that a page's address asks for.
pub(super) fn asked(fields: &Fields, now: Timestamp) -> Query {
    let level = fields.get("level").parse().unwrap_or(0);
    let due = match fields.get("due") {
        "late" => Query::late(now),
        "soon" => Query::due_soon(now),
        _ => Query::default(),
    };
    let (region, unit) = fields.get("unit").split_once('/').unwrap_or_default();
    Query {
        region: region.to_owned(),
        states: Stage::named(fields.get("state")).into_iter().collect(),
        level: (1..=4).contains(&level).then_some(level),
        unit: unit.to_owned(),
        text: fields.get("text").to_owned(),
        ..due
    }
}

/// What may be asked for, and what was.
pub(super) fn choices(console: &Console, fields: &Fields, actor: &Actor) -> Choices {
    Choices {
        text: fields.get("text").to_owned(),
        states: Stage::ALL
            .into_iter()
            .map(|state| Choice::new(state.name(), state.title(), fields.get("state")))
            .collect(),
        levels: levels(fields.get("level").parse().unwrap_or(0)),
        dues: [("late", "已超时"), ("soon", "2小时内到期")]
            .map(|(value, title)| Choice::new(value, title, fields.get("due")))
            .into(),
        units: if actor.role.of_unit() {
            Vec::new()
        } else {
            units::choices(console, fields.get("unit"))
        },
    }
}

#[derive(Template)]
#[template(path = "cases.html")]
struct CasesPage {
    frame: Frame,
    cases: Vec<CaseLine>,
    pages: Pages,
    choices: Choices,
}

/// The list.
pub(super) async fn list(
    State(console): State<Arc<Console>>,
    signed_in: SignedIn,
    fields: Fields,
) -> Result<Response, Problem> {
    let now = Timestamp::now();
    let actor = signed_in.user.actor();
    let query = Query {
        offset: (fields.page() - 1).saturating_mul(PER_PAGE),
        limit: PER_PAGE,
        ..asked(&fields, now)
    };
    let found = console.cases.list(&query, &actor).await?;
    render(&CasesPage {
        frame: Frame::new(&console, &signed_in, "/cases", "案件"),
        cases: found
            .cases
            .iter()
            .map(|case| CaseLine::new(&console, case, now))
            .collect(),
        pages: Pages::new("/cases", &fields, PER_PAGE, found.total),
        choices: choices(&console, &fields, &actor),
    })
}
