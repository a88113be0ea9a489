//! The dispatch sheet (政务舆情交办处置单): what is handed to the units and by when, and what they did, for print and signature.

use std::sync::Arc;

use askama::Template;
use axum::extract::{Path, State as Shared};
use axum::response::Response;
use jiff::Timestamp;

use super::facts::{Step, step};
use crate::case::{Action, Case, Move};
use crate::console::Console;
use crate::console::access::SignedIn;
use crate::console::page::{Frame, render};
use crate::console::problem::Problem;
use crate::console::show::{self, Level};

#[derive(Template)]
#[template(path = "sheet.html")]
struct SheetPage {
    frame: Frame,
    id: String,
    title: String,
    level: Level,
    /// When it was handed over last; empty before.
    sent_at: String,
    /// What the office asks for, beyond what a level brings.
    asks: String,
    lead: String,
    assists: String,
    sources: String,
    posts: u32,
    voices: u32,
    last_at: String,
    gist: String,
    /// What is due by when.
    clocks: Vec<(&'static str, String)>,
    /// What the units did.
    done: Vec<Step>,
    reply: String,
    answered_at: String,
}

/// The page.
pub(in crate::console) async fn page(
    Shared(console): Shared<Arc<Console>>,
    signed_in: SignedIn,
    Path(id): Path<String>,
) -> Result<Response, Problem> {
    let actor = signed_in.user.actor();
    let case = console.cases.get(&id, &actor).await?;
    let case = case.ok_or(Problem::NotFound)?;
    let moves = console.cases.moves(&id).await?;
    console
        .accounts
        .audit(&actor.name, "print-case", &id, Timestamp::now())
        .await?;
    let unit = |code: &str| console.unit_name(&case.region, code).to_owned();
    let sent = moves.iter().rev().find(|made| sends(made));
    let event = &case.alert.event;
    let assists: Vec<String> = case
        .assisting()
        .iter()
        .map(|part| unit(&part.unit))
        .collect();
    // A sheet goes from hand to hand: who made a move stands there by their unit.
    let by_unit = |made: &Move| {
        let who = match made.unit.as_str() {
            "" => made.role.title().to_owned(),
            code => unit(code),
        };
        step(made, who)
    };
    let frame = Frame::new(&console, &signed_in, "/cases", "交办处置单");
    render(&SheetPage {
        frame,
        id: case.id.clone(),
        title: show::case_title(&case),
        level: show::level(case.level),
        sent_at: sent.map(|made| show::time(made.at)).unwrap_or_default(),
        asks: sent.map(|made| made.note.clone()).unwrap_or_default(),
        lead: unit(case.lead()),
        assists: assists.join("、"),
        sources: event.sources.join("、"),
        posts: event.posts,
        voices: event.voices,
        last_at: show::time(event.last_at),
        gist: event.gist.clone(),
        clocks: clocks(&case),
        done: moves
            .iter()
            .filter(|made| tells(made))
            .map(by_unit)
            .collect(),
        reply: case.reply.clone(),
        answered_at: case.answered_at.map(show::time).unwrap_or_default(),
    })
}

fn sends(made: &Move) -> bool {
    matches!(made.action, Action::Dispatch | Action::Redispatch)
}

/// Whether a move belongs to what was done about the matter.
fn tells(made: &Move) -> bool {
    let action = made.action;
    let of_units = matches!(action, Action::Sign | Action::Report | Action::Return);
    of_units || matches!(action, Action::Approve | Action::Close | Action::FollowUp)
}

fn clocks(case: &Case) -> Vec<(&'static str, String)> {
    let mut clocks: Vec<(&str, String)> = Vec::new();
    for (clock, _, due) in case.clocks() {
        if clocks.iter().all(|(title, _)| *title != clock.title()) {
            clocks.push((clock.title(), show::time(due)));
        }
    }
    clocks
}
