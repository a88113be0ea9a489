//! The roster: who of the duty office is on duty when, where nobody is, and swaps.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use utoipa::openapi::{RefOr, Schema};
use utoipa::{PartialSchema, ToSchema};

use super::access::Caller;
use super::asked::{self, Asked, Body};
use super::problem::Problem;
use crate::console::Console;
use crate::roster::{Gap, Post, Shift, Swap, gaps};

/// Longest code or id, in characters.
const LONGEST_TEXT: usize = 100;
/// Longest reason, in characters.
const LONGEST_REASON: usize = 500;
/// Days that are shown where nothing else is said.
const USUAL_DAYS: i64 = 14;
/// Most days that are shown.
const MOST_DAYS: i64 = 366;
/// Hours of a day.
const DAY: i64 = 24;

/// Name of a post.
#[derive(Debug)]
pub(super) struct PostName;

impl PartialSchema for PostName {
    fn schema() -> RefOr<Schema> {
        asked::names(Post::ALL.map(Post::name))
    }
}

impl ToSchema for PostName {}

/// A shift.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Shift)]
pub(super) struct ShiftView {
    id: String,
    #[schema(value_type = PostName)]
    post: &'static str,
    /// Who was put down for it.
    planned: String,
    /// Who has it now, after swaps.
    who: String,
    #[schema(value_type = String, format = DateTime)]
    from: Timestamp,
    #[schema(value_type = String, format = DateTime)]
    until: Timestamp,
}

impl From<Shift> for ShiftView {
    fn from(shift: Shift) -> Self {
        Self {
            id: shift.id,
            post: shift.post.name(),
            planned: shift.planned,
            who: shift.who,
            from: shift.from,
            until: shift.until,
        }
    }
}

/// A time in which a post is no one's.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Gap)]
pub(super) struct GapView {
    #[schema(value_type = PostName)]
    post: &'static str,
    #[schema(value_type = String, format = DateTime)]
    from: Timestamp,
    #[schema(value_type = String, format = DateTime)]
    until: Timestamp,
}

impl From<Gap> for GapView {
    fn from(gap: Gap) -> Self {
        Self {
            post: gap.post.name(),
            from: gap.from,
            until: gap.until,
        }
    }
}

/// Two shifts that changed hands.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Swap)]
pub(super) struct SwapView {
    id: String,
    /// Ids of the shifts.
    #[schema(value_type = Vec<String>, min_items = 2, max_items = 2)]
    shifts: [String; 2],
    /// Who had them before.
    #[schema(value_type = Vec<String>, min_items = 2, max_items = 2)]
    who: [String; 2],
    /// Account name of who made the swap.
    by: String,
    reason: String,
    #[schema(value_type = String, format = DateTime)]
    at: Timestamp,
}

impl From<Swap> for SwapView {
    fn from(swap: Swap) -> Self {
        Self {
            id: swap.id,
            shifts: swap.shifts,
            who: swap.who,
            by: swap.by,
            reason: swap.reason,
            at: swap.at,
        }
    }
}

/// The roster of a time.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Roster)]
pub(super) struct RosterView {
    /// Who is on duty now, by post; of a post with several, the one who came last is first.
    on_duty: Vec<ShiftView>,
    /// The shifts that lie in the time, the first first.
    shifts: Vec<ShiftView>,
    /// When a post is no one's, by post and time.
    gaps: Vec<GapView>,
    /// The swaps of these shifts, the newest first.
    swaps: Vec<SwapView>,
}

/// The roster of a region.
#[utoipa::path(
    get,
    path = "/roster",
    tag = "roster",
    params(
        ("region" = String, Query, description = "Code of the region", min_length = 1, max_length = 100),
        ("from" = Option<String>, Query, description = "From this time on; now where it is not said", format = DateTime),
        ("until" = Option<String>, Query, description = "Until this time, at most 366 days; 14 days where it is not said", format = DateTime),
    ),
    responses((status = 200, description = "The roster", body = RosterView))
)]
pub(super) async fn show(
    State(console): State<Arc<Console>>,
    _: Caller,
    asked: Asked,
) -> Result<Json<RosterView>, Problem> {
    let asked = asked.only(&["region", "from", "until"])?;
    let region = asked.needed("region", LONGEST_TEXT)?;
    let now = Timestamp::now();
    let from = asked.time("from")?.unwrap_or(now);
    let usual = from.saturating_add(SignedDuration::from_hours(USUAL_DAYS * DAY));
    let until = asked
        .time("until")?
        .unwrap_or(usual.unwrap_or(Timestamp::MAX));
    if !console.regions.contains_key(&region) {
        return Err(Problem::no_region());
    }
    let long = until.duration_since(from);
    if long.is_negative() || long > SignedDuration::from_hours(MOST_DAYS * DAY) {
        let detail = format!("结束时间应晚于开始时间，且相隔不超过{MOST_DAYS}天。");
        return Err(Problem::Refused(detail));
    }
    let on_duty = console.roster.on_duty(&region, now).await?;
    let shifts = console.roster.between(&region, from, until).await?;
    let gaps = gaps(&shifts, from, until);
    let mut swaps = console.roster.swaps(&region).await?;
    swaps.retain(|swap| shifts.iter().any(|shift| swap.shifts.contains(&shift.id)));
    Ok(Json(RosterView {
        on_duty: on_duty.into_iter().map(ShiftView::from).collect(),
        shifts: shifts.into_iter().map(ShiftView::from).collect(),
        gaps: gaps.into_iter().map(GapView::from).collect(),
        swaps: swaps.into_iter().map(SwapView::from).collect(),
    }))
}

/// Two shifts to exchange.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = NewSwap)]
pub(super) struct SwapAsked {
    /// Code of the region.
    #[schema(max_length = 100)]
    region: String,
    /// Ids of the shifts, of one post.
    #[schema(value_type = Vec<String>, min_items = 2, max_items = 2)]
    shifts: [String; 2],
    /// Why.
    #[schema(min_length = 1, max_length = 500)]
    reason: String,
}

/// Exchanges who has two shifts of one post.
#[utoipa::path(
    post,
    path = "/roster/swaps",
    tag = "roster",
    request_body = SwapAsked,
    responses((status = 201, description = "They changed hands", body = SwapView))
)]
pub(super) async fn swap(
    State(console): State<Arc<Console>>,
    caller: Caller,
    asked: Asked,
    Body(asks): Body<SwapAsked>,
) -> Result<(StatusCode, Json<SwapView>), Problem> {
    asked.only(&[])?;
    let now = Timestamp::now();
    asked::within("region", &asks.region, LONGEST_TEXT)?;
    asked::within("reason", &asks.reason, LONGEST_REASON)?;
    for shift in &asks.shifts {
        asked::within("shifts", shift, LONGEST_TEXT)?;
    }
    if !console.regions.contains_key(&asks.region) {
        return Err(Problem::no_region());
    }
    let shifts = asks.shifts.each_ref().map(String::as_str);
    let swap = console
        .roster
        .swap(&asks.region, shifts, &caller.user.name, &asks.reason, now)
        .await?;
    caller.audit(&console, "swap-shifts", &swap.id, now).await?;
    Ok((StatusCode::CREATED, Json(swap.into())))
}
