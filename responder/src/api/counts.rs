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
use crate::case::{Actor, Cases, Counts, Query, State as Stage, StoreError};
use crate::console::Console;

/// How many cases an account may see.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = Counts)]
pub(crate) struct Figures {
    /// Waiting for the duty officer's judgement.
    pub(crate) pending: u64,
    /// Dispatched, and not signed for.
    pub(crate) unsigned: u64,
    /// Answered by the unit, and waiting for review.
    pub(crate) review: u64,
    /// Not at their end.
    pub(crate) open: u64,
    /// Not at their end, of level Ⅰ or Ⅱ.
    pub(crate) grave: u64,
    /// Something is due within two hours, and nothing is missing yet.
    pub(crate) soon: u64,
    /// Something due is missing.
    pub(crate) late: u64,
    /// By state, in the order of a case's life.
    pub(crate) states: Vec<OfState>,
}

/// How many cases are in a state.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub(crate) struct OfState {
    /// The state.
    #[schema(value_type = StateName)]
    pub(crate) state: &'static str,
    /// Of level Ⅰ, Ⅱ, Ⅲ and Ⅳ.
    #[schema(min_items = 4, max_items = 4)]
    pub(crate) levels: Vec<u64>,
    /// Of all levels.
    pub(crate) total: u64,
}

/// Counts the cases that an actor may see.
pub(crate) async fn figures(
    cases: &Cases,
    actor: &Actor,
    now: Timestamp,
) -> Result<Figures, StoreError> {
    let counts = cases.counts(actor).await?;
    let of = |wanted: &dyn Fn(&Counts) -> bool| -> u64 {
        counts
            .iter()
            .filter(|count| wanted(count))
            .map(|count| count.cases)
            .sum()
    };
    let states = Stage::ALL
        .into_iter()
        .map(|state| {
            let levels = [1, 2, 3, 4]
                .map(|level| of(&|count| count.state == state && count.level == level))
                .to_vec();
            OfState {
                state: state.name(),
                total: levels.iter().sum(),
                levels,
            }
        })
        .collect();
    let number_of = async |query: Query| {
        let query = Query { limit: 1, ..query };
        Ok::<_, StoreError>(cases.list(&query, actor).await?.total)
    };
    Ok(Figures {
        pending: of(&|count| count.state == Stage::Pending),
        unsigned: of(&|count| count.state == Stage::Dispatched),
        review: of(&|count| count.state == Stage::Review),
        open: of(&|count| count.state.open()),
        grave: of(&|count| count.state.open() && count.level <= 2),
        soon: number_of(Query::due_soon(now)).await?,
        late: number_of(Query::late(now)).await?,
        states,
    })
}

/// How many cases there are.
#[utoipa::path(get, path = "/counts", tag = "cases", responses((status = 200, description = "The counts", body = Figures)))]
pub(super) async fn show(
    State(console): State<Arc<Console>>,
    caller: Caller,
    asked: Asked,
) -> Result<Json<Figures>, Problem> {
    asked.only(&[])?;
    let counted = figures(&console.cases, &caller.actor(), Timestamp::now()).await?;
    Ok(Json(counted))
}
