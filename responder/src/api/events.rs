//! Events, as the archive puts them together from their posts, and the edits that duty officers made.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use backbone::region::SUBJECTS;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::openapi::{RefOr, Schema};
use utoipa::{PartialSchema, ToSchema};

use super::access::Caller;
use super::asked::{self, Asked, Body, Id};
use super::problem::Problem;
use crate::console::archive::{self, EventRow, Filter, Unavailable};
use crate::console::{Console, LONGEST_NOTE, MOST_POSTS, merging, open_case, splitting};
use crate::event_edit::{Made, TITLE_LIMIT};

/// Longest text to look for, and longest id, in characters.
const LONGEST_TEXT: usize = 100;

/// Name of a subject.
#[derive(Debug)]
pub(super) struct SubjectName;

impl PartialSchema for SubjectName {
    fn schema() -> RefOr<Schema> {
        asked::names(SUBJECTS)
    }
}

impl ToSchema for SubjectName {}

impl From<Unavailable> for Problem {
    fn from(_: Unavailable) -> Self {
        Self::Archive
    }
}

/// An event.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Event)]
pub(super) struct EventView {
    id: String,
    title: String,
    /// The gravest level it reached, 1 to 4; 0 for none.
    #[schema(minimum = 0, maximum = 4)]
    level: u8,
    posts: u64,
    /// Distinct voices.
    voices: u64,
    /// Names of the sources it was seen in.
    sources: Vec<String>,
    /// Mean sentiment of its posts, in `[-1, 1]`.
    sentiment: f64,
    subjects: Vec<String>,
    places: Vec<String>,
    #[schema(value_type = String, format = DateTime)]
    first_at: Timestamp,
    #[schema(value_type = String, format = DateTime)]
    last_at: Timestamp,
}

impl From<EventRow> for EventView {
    fn from(row: EventRow) -> Self {
        let at = |milliseconds| Timestamp::from_millisecond(milliseconds).unwrap_or_default();
        Self {
            id: row.event,
            title: row.named,
            level: row.gravest,
            posts: row.posts,
            voices: row.voices,
            sources: row.found_in,
            sentiment: row.mean_sentiment,
            subjects: row.subjects,
            places: row.named_places,
            first_at: at(row.first_at),
            last_at: at(row.last_at),
        }
    }
}

/// Events asked for, the gravest first, then the newest.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct EventPage {
    items: Vec<EventView>,
    /// How many there are in all.
    total: u64,
}

/// The events asked for.
#[utoipa::path(
    get,
    path = "/events",
    tag = "events",
    params(
        ("text" = Option<String>, Query, description = "Only those whose title holds this text", max_length = 100),
        ("level" = Option<u8>, Query, description = "Only of this level", minimum = 1, maximum = 4),
        ("subject" = Option<SubjectName>, Query, description = "Only of this subject"),
        ("place" = Option<String>, Query, description = "Only those that name this place", max_length = 100),
        ("offset" = Option<u32>, Query, description = "How many to pass over", minimum = 0, maximum = 1_000_000),
        ("limit" = Option<u32>, Query, description = "Most to give; 30 where it is not said", minimum = 1, maximum = 200),
    ),
    responses((status = 200, description = "The events", body = EventPage))
)]
pub(super) async fn list(
    State(console): State<Arc<Console>>,
    _: Caller,
    asked: Asked,
) -> Result<Json<EventPage>, Problem> {
    let asked = asked.only(&["text", "level", "subject", "place", "offset", "limit"])?;
    let (offset, limit) = asked.page()?;
    let subject = asked.choice("subject", &SUBJECTS, |subject| subject)?;
    let filter = Filter {
        text: asked.text("text", LONGEST_TEXT)?,
        level: asked.number("level", &(1..=4_u8))?.unwrap_or(0),
        subject: subject.unwrap_or_default().to_owned(),
        place: asked.text("place", LONGEST_TEXT)?,
        offset,
        limit,
        ..Filter::default()
    };
    let (rows, total) = archive::events(&console.archive, &filter).await?;
    Ok(Json(EventPage {
        items: rows.into_iter().map(EventView::from).collect(),
        total,
    }))
}

/// One event. That it was read is noted in the audit.
#[utoipa::path(
    get,
    path = "/events/{id}",
    tag = "events",
    params(("id" = String, Path, description = "The event's id")),
    responses((status = 200, description = "The event", body = EventView))
)]
pub(super) async fn show(
    State(console): State<Arc<Console>>,
    caller: Caller,
    Id(id): Id,
    asked: Asked,
) -> Result<Json<EventView>, Problem> {
    asked.only(&[])?;
    let row = archive::event(&console.archive, &id).await?;
    let row = row.ok_or(Problem::NotFound)?;
    caller
        .audit(&console, "read-event", &id, Timestamp::now())
        .await?;
    Ok(Json(row.into()))
}

/// A case to open of an event.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct NewCase {
    /// The level that it gets, 1 (gravest) to 4.
    #[serde(deserialize_with = "asked::whole")]
    #[schema(minimum = 1, maximum = 4)]
    level: u8,
    /// Why it is opened.
    #[schema(min_length = 1, max_length = 500)]
    note: String,
}

/// A case that is open now.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct OpenedCase {
    /// The case's id.
    case: String,
}

/// Opens a case of an event that reached no level of risk. Where an alert or another officer was faster, that case is given, with
/// 200.
#[utoipa::path(
    post,
    path = "/events/{id}/case",
    tag = "events",
    params(("id" = String, Path, description = "The event's id")),
    request_body = NewCase,
    responses(
        (status = 201, description = "It was opened", body = OpenedCase),
        (status = 200, description = "It was there", body = OpenedCase),
    )
)]
pub(super) async fn open(
    State(console): State<Arc<Console>>,
    caller: Caller,
    Id(id): Id,
    asked: Asked,
    Body(asks): Body<NewCase>,
) -> Result<(StatusCode, Json<OpenedCase>), Problem> {
    asked.only(&[])?;
    if !(1..=4).contains(&asks.level) {
        return Err(Problem::Body {
            field: "level".to_owned(),
            detail: "请填写1到4的整数。".to_owned(),
        });
    }
    asked::within("note", &asks.note, LONGEST_NOTE)?;
    let note = asks.note.trim();
    if note.is_empty() {
        return Err(Problem::Refused("请写明立案理由。".to_owned()));
    }
    let (actor, now) = (caller.actor(), Timestamp::now());
    let (case, opened) = open_case(&console, &id, (asks.level, note), &actor, now).await?;
    if opened {
        caller.audit(&console, "open", &case, now).await?;
    }
    let status = match opened {
        true => StatusCode::CREATED,
        false => StatusCode::OK,
    };
    Ok((status, Json(OpenedCase { case })))
}

/// An edit that a duty officer made.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = EventEdit)]
pub(super) struct EditView {
    id: String,
    /// `merge` or `split`.
    kind: &'static str,
    /// The event that posts leave.
    source: String,
    source_title: String,
    /// The event that posts join.
    target: String,
    target_title: String,
    /// Account name of the officer.
    officer: String,
    #[schema(value_type = String, format = DateTime)]
    at: Timestamp,
}

impl From<Made> for EditView {
    fn from(made: Made) -> Self {
        Self {
            kind: made.edit.change.kind(),
            source: made.edit.source().to_owned(),
            target: made.edit.target(),
            id: made.edit.id,
            at: made.edit.at,
            source_title: made.source_title,
            target_title: made.target_title,
            officer: made.officer,
        }
    }
}

/// The edits by which posts left or joined an event, the newest first.
#[utoipa::path(
    get,
    path = "/events/{id}/edits",
    tag = "events",
    params(("id" = String, Path, description = "The event's id")),
    responses((status = 200, description = "The edits", body = Vec<EditView>))
)]
pub(super) async fn edits(
    State(console): State<Arc<Console>>,
    _: Caller,
    Id(id): Id,
    asked: Asked,
) -> Result<Json<Vec<EditView>>, Problem> {
    asked.only(&[])?;
    let made = console.edits.of(&id).await?;
    Ok(Json(made.into_iter().map(EditView::from).collect()))
}

/// The event that another's posts join.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = EventMerge)]
pub(super) struct Merge {
    /// Its id.
    #[schema(min_length = 1, max_length = 100)]
    into: String,
}

/// Merges an event into another: its posts, and those that would join it, join that one. The archive follows in a moment.
#[utoipa::path(
    post,
    path = "/events/{id}/merge",
    tag = "events",
    params(("id" = String, Path, description = "Id of the event that posts leave")),
    request_body = Merge,
    responses((status = 202, description = "The analyzer is told", body = EditView))
)]
pub(super) async fn merge(
    State(console): State<Arc<Console>>,
    caller: Caller,
    Id(id): Id,
    asked: Asked,
    Body(asks): Body<Merge>,
) -> Result<(StatusCode, Json<EditView>), Problem> {
    asked.only(&[])?;
    asked::within("into", &asks.into, LONGEST_TEXT)?;
    let now = Timestamp::now();
    let draft = merging(&console, &id, &asks.into, now).await?;
    let made = draft.make(&console, &caller.actor(), now).await?;
    Ok((StatusCode::ACCEPTED, Json(made.into())))
}

/// Posts that are an event of their own.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = EventSplit)]
pub(super) struct Split {
    /// Ids of posts, of the newest 200 of the event.
    #[schema(min_items = 1, max_items = 200)]
    posts: Vec<String>,
    /// Title of the new event; the first post's where it is not given.
    #[serde(default)]
    #[schema(max_length = 60)]
    title: String,
}

/// Makes an event of its own of some posts of one. The archive follows in a moment.
#[utoipa::path(
    post,
    path = "/events/{id}/split",
    tag = "events",
    params(("id" = String, Path, description = "Id of the event that posts leave")),
    request_body = Split,
    responses((status = 202, description = "The analyzer is told", body = EditView))
)]
pub(super) async fn split(
    State(console): State<Arc<Console>>,
    caller: Caller,
    Id(id): Id,
    asked: Asked,
    Body(asks): Body<Split>,
) -> Result<(StatusCode, Json<EditView>), Problem> {
    asked.only(&[])?;
    asked::at_most("posts", asks.posts.len(), MOST_POSTS as usize)?;
    asked::within("title", &asks.title, TITLE_LIMIT)?;
    let now = Timestamp::now();
    let draft = splitting(&console, &id, &asks.posts, &asks.title, now).await?;
    let made = draft.make(&console, &caller.actor(), now).await?;
    Ok((StatusCode::ACCEPTED, Json(made.into())))
}
