//! Erasures of posts on request, and the proof that they are erased.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::access::Caller;
use super::asked::{self, Asked, Body, Id};
use super::problem::Problem;
use crate::console::Console;
use crate::erasure::{Erasures, Known, Looked, REASON_LIMIT};

/// Longest id of a post, in characters.
const LONGEST_ID: usize = 100;

/// An erasure of a post.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Erasure)]
pub(super) struct ErasureView {
    /// Id of the post.
    post: String,
    /// Code of the region that it was about.
    region: String,
    /// Why it was erased.
    reason: String,
    /// Account name of who had it erased; empty where that was done by a command.
    officer: String,
    #[schema(value_type = String, format = DateTime)]
    at: Timestamp,
    /// `erasing`; `erased`, when only topics hold copies; or `complete`, when nothing does.
    state: &'static str,
    /// How often it was looked for.
    #[schema(minimum = 0)]
    looks: i64,
    /// When it was looked for last; nothing before the first time.
    #[schema(value_type = Option<String>, format = DateTime)]
    looked_at: Option<Timestamp>,
}

impl From<Known> for ErasureView {
    fn from(known: Known) -> Self {
        Self {
            post: known.post,
            region: known.region,
            reason: known.reason,
            officer: known.officer,
            at: known.at,
            state: known.state.name(),
            looks: known.looks,
            looked_at: known.looked_at,
        }
    }
}

/// Erasures asked for, the newest first.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct ErasurePage {
    items: Vec<ErasureView>,
    /// How many there are in all.
    total: u64,
}

/// The erasures.
#[utoipa::path(
    get,
    path = "/erasures",
    tag = "erasures",
    params(
        ("offset" = Option<u32>, Query, description = "How many to pass over", minimum = 0, maximum = 1_000_000),
        ("limit" = Option<u32>, Query, description = "Most to give; 30 where it is not said", minimum = 1, maximum = 200),
    ),
    responses((status = 200, description = "The erasures", body = ErasurePage))
)]
pub(super) async fn list(
    State(console): State<Arc<Console>>,
    _: Caller,
    asked: Asked,
) -> Result<Json<ErasurePage>, Problem> {
    let (offset, limit) = asked.only(&["offset", "limit"])?.page()?;
    let erasures = Erasures::new(console.store.clone());
    let (known, total) = erasures.list(offset, limit).await?;
    Ok(Json(ErasurePage {
        items: known.into_iter().map(ErasureView::from).collect(),
        total,
    }))
}

/// A place that was looked through.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = PlaceLookedThrough)]
pub(super) struct PlaceView {
    place: String,
    /// How often words of the post were there, and how often they still are.
    before: u64,
    after: u64,
    /// When what cannot be taken out one by one is gone by itself, at the latest.
    #[schema(value_type = Option<String>, format = DateTime)]
    until: Option<Timestamp>,
    /// When it was looked through last.
    #[schema(value_type = String, format = DateTime)]
    at: Timestamp,
}

impl From<Looked> for PlaceView {
    fn from(looked: Looked) -> Self {
        Self {
            place: looked.found.place,
            before: looked.found.before,
            after: looked.found.after,
            until: looked.until,
            at: looked.at,
        }
    }
}

/// An erasure with its proof.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct ErasureProof {
    erasure: ErasureView,
    places: Vec<PlaceView>,
}

/// An erasure, and what was found at each place before and after.
#[utoipa::path(
    get,
    path = "/erasures/{id}",
    tag = "erasures",
    params(("id" = String, Path, description = "Id of the post")),
    responses((status = 200, description = "The erasure", body = ErasureProof))
)]
pub(super) async fn show(
    State(console): State<Arc<Console>>,
    _: Caller,
    Id(id): Id,
    asked: Asked,
) -> Result<Json<ErasureProof>, Problem> {
    asked.only(&[])?;
    let erasures = Erasures::new(console.store.clone());
    let known = erasures.get(&id).await?.ok_or(Problem::NotFound)?;
    let places = erasures.places(&id).await?;
    Ok(Json(ErasureProof {
        erasure: known.into(),
        places: places.into_iter().map(PlaceView::from).collect(),
    }))
}

/// A post to erase.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = NewErasure)]
pub(super) struct ErasureAsked {
    /// Id of the post.
    #[schema(min_length = 1, max_length = 100)]
    post: String,
    /// Who asked for it, and by what right.
    #[schema(min_length = 1, max_length = 500)]
    reason: String,
}

/// Has a post erased; nothing brings its words back.
#[utoipa::path(
    post,
    path = "/erasures",
    tag = "erasures",
    request_body = ErasureAsked,
    responses((status = 202, description = "It is being erased", body = ErasureView))
)]
pub(super) async fn begin(
    State(console): State<Arc<Console>>,
    caller: Caller,
    asked: Asked,
    Body(asks): Body<ErasureAsked>,
) -> Result<(StatusCode, Json<ErasureView>), Problem> {
    asked.only(&[])?;
    asked::within("post", &asks.post, LONGEST_ID)?;
    asked::within("reason", &asks.reason, REASON_LIMIT)?;
    let erasures = Erasures::new(console.store.clone());
    let (actor, now) = (caller.actor(), Timestamp::now());
    erasures
        .begin(&console.archive, &asks.post, &asks.reason, &actor, now)
        .await?;
    let known = erasures.get(&asks.post).await?.ok_or(Problem::NotFound)?;
    Ok((StatusCode::ACCEPTED, Json(known.into())))
}
