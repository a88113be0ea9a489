//! Commitments: what units promised in replies by a date, kept, broken or withdrawn.

use std::sync::Arc;

use askama::Template;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use jiff::Timestamp;

use super::access::SignedIn;
use super::fields::{Choice, Fields, Pages};
use super::page::{Frame, render_as};
use super::problem::Problem;
use super::routes::MOVERS;
use super::{Console, place, show};
use crate::case::{Actor, StoreError};
use crate::commitment::{Commitment, CommitmentError, Query, State as Stage};

/// Commitments of a page.
const PER_PAGE: u32 = 30;

/// A commitment as pages show it; the macro `commitments` of `macros.html` does, also on the page of its case.
pub(super) struct CommitmentLine {
    pub(super) id: String,
    pub(super) case: String,
    pub(super) what: String,
    pub(super) unit: String,
    pub(super) state: &'static str,
    pub(super) state_name: &'static str,
    /// The last day on which it is kept in time, and what is left until it is over.
    pub(super) due: String,
    pub(super) left: String,
    pub(super) proof: String,
    /// Id of the case's file that shows it; may be empty.
    pub(super) attachment: String,
    pub(super) reason: String,
    pub(super) ended: String,
    pub(super) ended_by: String,
    /// Whether it was kept after its day.
    pub(super) late: bool,
    /// Whether the one who looks may keep or withdraw it.
    pub(super) may_end: bool,
}

impl CommitmentLine {
    pub(super) fn new(
        console: &Console,
        commitment: &Commitment,
        actor: &Actor,
        now: Timestamp,
    ) -> Self {
        let open = matches!(commitment.state, Stage::Open | Stage::Broken);
        let own = !actor.role.of_unit()
            || (actor.region == commitment.region && actor.unit == commitment.unit);
        Self {
            id: commitment.id.clone(),
            case: commitment.case_id.clone(),
            what: commitment.what.clone(),
            unit: (console.unit_name(&commitment.region, &commitment.unit)).to_owned(),
            state: commitment.state.title(),
            state_name: commitment.state.name(),
            due: commitment.due().to_string(),
            left: if open {
                show::until(commitment.due_at, now)
            } else {
                String::new()
            },
            proof: commitment.proof.clone(),
            attachment: commitment.attachment.clone(),
            reason: commitment.reason.clone(),
            ended: commitment.ended_at.map(show::time).unwrap_or_default(),
            ended_by: commitment.ended_by.clone(),
            late: commitment.state == Stage::Kept && commitment.escalated_at.is_some(),
            may_end: open && own && MOVERS.contains(&actor.role),
        }
    }
}

#[derive(Template)]
#[template(path = "commitments.html")]
struct CommitmentsPage {
    frame: Frame,
    regions: Vec<Choice>,
    units: Vec<Choice>,
    states: Vec<Choice>,
    commitments: Vec<CommitmentLine>,
    pages: Pages,
    /// What was typed for the commitment of this id.
    typed_id: String,
    typed: String,
    problem: String,
    done: &'static str,
}

/// The commitments asked for; those that are to be kept, the one due first before the others, where nothing is.
pub(super) async fn list(
    State(console): State<Arc<Console>>,
    signed_in: SignedIn,
    fields: Fields,
) -> Result<Response, Problem> {
    let done = match fields.get("done") {
        "kept" => "已登记兑现。",
        "withdrawn" => "已撤回。",
        _ => "",
    };
    page(&console, &signed_in, &fields, Refused::default(), done).await
}

/// Marks a commitment as kept.
pub(super) async fn keep(
    State(console): State<Arc<Console>>,
    signed_in: SignedIn,
    Path(id): Path<String>,
    fields: Fields,
) -> Result<Response, Problem> {
    let (now, actor) = (Timestamp::now(), signed_in.user.actor());
    let note = fields.get("note");
    let kept = console.commitments.keep(&id, note, "", &actor, now).await;
    let done = ("keep-commitment", "kept");
    ended(&console, &signed_in, &fields, &id, kept, done).await
}

/// Withdraws a commitment.
pub(super) async fn withdraw(
    State(console): State<Arc<Console>>,
    signed_in: SignedIn,
    Path(id): Path<String>,
    fields: Fields,
) -> Result<Response, Problem> {
    let (now, actor) = (Timestamp::now(), signed_in.user.actor());
    let note = fields.get("note");
    let withdrawn = console.commitments.withdraw(&id, note, &actor, now).await;
    let done = ("withdraw-commitment", "withdrawn");
    ended(&console, &signed_in, &fields, &id, withdrawn, done).await
}

/// A form that was refused.
#[derive(Default)]
struct Refused {
    id: String,
    typed: String,
    problem: String,
}

async fn ended(
    console: &Console,
    signed_in: &SignedIn,
    fields: &Fields,
    id: &str,
    result: Result<(), CommitmentError>,
    (action, done): (&str, &str),
) -> Result<Response, Problem> {
    match result {
        Ok(()) => {
            let name = &signed_in.user.name;
            (console.accounts)
                .audit(name, action, id, Timestamp::now())
                .await?;
            // A form of a case's page leads back to it.
            let to = match fields.get("case") {
                "" => format!("/commitments?done={done}"),
                case if case.chars().all(|letter| letter.is_ascii_alphanumeric()) => {
                    format!("/cases/{case}")
                }
                _ => return Err(Problem::NotFound),
            };
            Ok(Redirect::to(&to).into_response())
        }
        Err(CommitmentError::Store(error)) => Err(error.into()),
        Err(CommitmentError::Unknown) => Err(StoreError::Unknown { what: "commitment" }.into()),
        Err(CommitmentError::NotFound) => Err(Problem::NotFound),
        Err(error) => {
            let refused = Refused {
                id: id.to_owned(),
                typed: fields.get("note").to_owned(),
                problem: format!("{error}。"),
            };
            page(console, signed_in, fields, refused, "").await
        }
    }
}

async fn page(
    console: &Console,
    signed_in: &SignedIn,
    fields: &Fields,
    refused: Refused,
    done: &'static str,
) -> Result<Response, Problem> {
    let (now, actor) = (Timestamp::now(), signed_in.user.actor());
    let region = place::region(console, signed_in, fields)?;
    let of_unit = actor.role.of_unit();
    let state = match fields.get("state") {
        "all" => None,
        name => Some(Stage::named(name).unwrap_or(Stage::Open)),
    };
    let query = Query {
        region: region.code().to_owned(),
        unit: if of_unit {
            actor.unit.clone()
        } else {
            fields.get("unit").to_owned()
        },
        case_id: String::new(),
        state,
        offset: (fields.page() - 1) * PER_PAGE,
        // One more, to know whether there is another page.
        limit: PER_PAGE + 1,
    };
    let listed = |query: Query| async move {
        (console.commitments.list(&query).await)
            .map_err(|error| Problem::from(StoreError::from(error)))
    };
    let found = listed(query.clone()).await?;
    let pages = Pages::new(
        "/commitments",
        fields,
        PER_PAGE,
        u64::from(query.offset) + found.len() as u64,
    );
    let more = found.len() > PER_PAGE as usize;
    let chosen = state.map_or("all", Stage::name);
    let mut states = vec![Choice::new("all", "全部", chosen)];
    states.extend(Stage::ALL.map(|state| Choice::new(state.name(), state.title(), chosen)));
    let page = CommitmentsPage {
        regions: place::regions(console, signed_in, region),
        units: if of_unit {
            Vec::new()
        } else {
            (region.units.iter())
                .map(|unit| Choice::new(unit.code.clone(), unit.name.clone(), fields.get("unit")))
                .collect()
        },
        states,
        commitments: (found.iter().take(PER_PAGE as usize))
            .map(|commitment| CommitmentLine::new(console, commitment, &actor, now))
            .collect(),
        pages: if more { pages.at_least() } else { pages },
        typed_id: refused.id,
        typed: refused.typed,
        done,
        frame: Frame::new(console, signed_in, "/commitments", "承诺"),
        problem: refused.problem,
    };
    let status = if page.problem.is_empty() {
        StatusCode::OK
    } else {
        StatusCode::UNPROCESSABLE_ENTITY
    };
    render_as(status, &page)
}
