//! The board: cases by how far they are, a column for each stage, the gravest and most urgent on top.

use std::sync::Arc;

use askama::Template;
use axum::extract::State;
use axum::response::Response;
use futures::future::try_join_all;
use jiff::Timestamp;

use super::Console;
use super::access::SignedIn;
use super::cases::{Choices, asked, choices};
use super::fields::Fields;
use super::page::{Frame, render};
use super::problem::Problem;
use super::show::CaseLine;
use crate::case::{Query, State as Stage, StoreError};

/// Cases shown in a column.
const SHOWN: u32 = 20;
const REFRESH: u32 = 60;

/// The columns and their states.
const COLUMNS: [(&str, &[Stage]); 5] = [
    ("待研判", &[Stage::Pending]),
    ("待签收", &[Stage::Dispatched]),
    ("核查处置中", &[Stage::Signed, Stage::Handling]),
    ("待审核", &[Stage::Review]),
    ("已回应", &[Stage::Answered]),
];

struct Column {
    title: &'static str,
    total: u64,
    cases: Vec<CaseLine>,
    /// How many are not shown.
    more: u64,
    /// The lists that have them all: address and the state's name.
    lists: Vec<(String, &'static str)>,
}

#[derive(Template)]
#[template(path = "board.html")]
struct BoardPage {
    frame: Frame,
    columns: Vec<Column>,
    choices: Choices,
}

/// The page. Units see no column of what waits for the office's judgement.
pub(super) async fn page(
    State(console): State<Arc<Console>>,
    signed_in: SignedIn,
    fields: Fields,
) -> Result<Response, Problem> {
    let now = Timestamp::now();
    let actor = signed_in.user.actor();
    let of_unit = actor.role.of_unit();
    let shown = COLUMNS
        .into_iter()
        .filter(|(_, states)| !(of_unit && states.contains(&Stage::Pending)));
    let columns = shown.map(async |(title, states)| {
        let query = Query {
            states: states.to_vec(),
            limit: SHOWN,
            ..asked(&fields, now)
        };
        let found = console.cases.list(&query, &actor).await?;
        Ok::<_, StoreError>(Column {
            title,
            total: found.total,
            more: found.total - found.cases.len() as u64,
            lists: (states.iter())
                .map(|state| {
                    let query = fields.with("state", state.name()).query();
                    (format!("/cases?{query}"), state.title())
                })
                .collect(),
            cases: (found.cases.iter())
                .map(|case| CaseLine::new(&console, case, now))
                .collect(),
        })
    });
    let mut frame = Frame::new(&console, &signed_in, "/cases", "案件看板");
    frame.refresh = REFRESH;
    render(&BoardPage {
        columns: try_join_all(columns).await?,
        choices: choices(&console, &fields, &actor),
        frame,
    })
}
