//! How many cases there are, as the overview shows them.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use jiff::Timestamp;
use serde::Serialize;
use utoipa::ToSchema;

use super::access::Caller;
use super::asked::Asked;
use super::cases::StateName;
use super::problem::Problem;
use crate::case::Figures;
use crate::console::Console;

/// How many cases an account may see.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = Counts)]
pub(super) struct FiguresView {
    /// Waiting for the duty officer's judgement.
    pending: u64,
    /// Dispatched, and not signed for.
    unsigned: u64,
    /// Answered by the unit, and waiting for review.
    review: u64,
    /// Not at their end.
    open: u64,
    /// Not at their end, of level Ⅰ or Ⅱ.
    grave: u64,
    /// Something is due within two hours, and nothing is missing yet.
    soon: u64,
    /// Something due is missing.
    late: u64,
    /// By state, in the order of a case's life.
    states: Vec<OfState>,
}

/// How many cases are in a state.
#[derive(Debug, Clone, Serialize, ToSchema)]
struct OfState {
    /// The state.
    #[schema(value_type = StateName)]
    state: &'static str,
    /// Of level Ⅰ, Ⅱ, Ⅲ and Ⅳ.
    #[schema(min_items = 4, max_items = 4)]
    levels: Vec<u64>,
    /// Of all levels.
    total: u64,
}

impl From<Figures> for FiguresView {
    fn from(figures: Figures) -> Self {
        let states = figures.states.iter().map(|of| OfState {
            state: of.state.name(),
            levels: of.levels.to_vec(),
            total: of.total(),
        });
        Self {
            pending: figures.pending,
            unsigned: figures.unsigned,
            review: figures.review,
            open: figures.open,
            grave: figures.grave,
            soon: figures.soon,
            late: figures.late,
            states: states.collect(),
        }
    }
}

/// How many cases there are.
#[utoipa::path(get, path = "/counts", tag = "cases", responses((status = 200, description = "The counts", body = FiguresView)))]
pub(super) async fn show(
    State(console): State<Arc<Console>>,
    caller: Caller,
    asked: Asked,
) -> Result<Json<FiguresView>, Problem> {
    asked.only(&[])?;
    let figures = (console.cases)
        .figures(&caller.actor(), Timestamp::now())
        .await?;
    Ok(Json(figures.into()))
}
