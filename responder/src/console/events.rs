//! Events: the list with its filters, and one event with its posts and its case.

use std::sync::Arc;

use askama::Template;
use axum::extract::{Path, State};
use axum::response::Response;
use backbone::region::SUBJECTS;
use jiff::Timestamp;

use super::Console;
use super::access::SignedIn;
use super::archive::{self, EventRow, Filter};
use super::edits::{self, EditLine};
use super::fields::{Choice, Fields, Pages};
use super::page::{Frame, archive_unavailable, render};
use super::posts::PostLine;
use super::problem::Problem;
use super::show::{self, CaseLine, Level};
use super::signals::SignalLine;
use crate::case::Query;

const PER_PAGE: u32 = 30;
const REFRESH: u32 = 60;
/// Bursts and common problems shown.
const SIGNALS: u32 = 20;

struct EventLine {
    id: String,
    title: String,
    level: Level,
    posts: u64,
    voices: u64,
    sources: String,
    first_at: String,
    last_at: String,
    sentiment: &'static str,
    sentiment_word: &'static str,
    score: String,
    subject: String,
    places: String,
}

impl EventLine {
    fn new(row: EventRow) -> Self {
        let sentiment = show::label(row.mean_sentiment);
        Self {
            id: row.event,
            title: show::excerpt(&row.named, 60),
            level: show::level(row.gravest),
            posts: row.posts,
            voices: row.voices,
            sources: row.found_in.join("、"),
            first_at: show::time_of(row.first_at),
            last_at: show::time_of(row.last_at),
            sentiment,
            sentiment_word: show::sentiment(sentiment),
            score: show::score(row.mean_sentiment),
            subject: row.subjects.join("、"),
            places: row.named_places.join("、"),
        }
    }
}

#[derive(Template)]
#[template(path = "events.html")]
struct EventsPage {
    frame: Frame,
    signals: Vec<SignalLine>,
    events: Vec<EventLine>,
    pages: Pages,
    filter: Filter,
    levels: Vec<Choice>,
    subjects: Vec<Choice>,
}

#[derive(Template)]
#[template(path = "event.html")]
struct EventPage {
    frame: Frame,
    event: EventLine,
    posts: Vec<PostLine>,
    pages: Pages,
    cases: Vec<CaseLine>,
    may_edit: bool,
    /// What officers said of it.
    edits: Vec<EditLine>,
    /// What was just done: `merge`, `split` or nothing.
    done: String,
    /// The event that was just split off.
    new: String,
}

/// The levels to choose from.
pub(super) fn levels(chosen: u8) -> Vec<Choice> {
    (1..=4_u8)
        .map(show::level)
        .map(|level| {
            let title = format!("{} {}", level.numeral, level.word);
            Choice::new(level.number.to_string(), title, &chosen.to_string())
        })
        .collect()
}

/// The list.
pub(super) async fn list(
    State(console): State<Arc<Console>>,
    signed_in: SignedIn,
    fields: Fields,
) -> Result<Response, Problem> {
    let mut frame = Frame::new(&console, &signed_in, "/events", "事件");
    let filter = Filter::read(&fields, PER_PAGE, Timestamp::now());
    let Ok((rows, total)) = archive::events(&console.archive, &filter).await else {
        return archive_unavailable(frame);
    };
    // On the first page only, and not above what was looked for.
    let signals = if filter.is_plain() {
        let asked = archive::signals(&console.archive, SIGNALS).await;
        asked.unwrap_or_default()
    } else {
        Vec::new()
    };
    frame.refresh = REFRESH;
    render(&EventsPage {
        frame,
        signals: signals.into_iter().map(SignalLine::new).collect(),
        events: rows.into_iter().map(EventLine::new).collect(),
        pages: Pages::new("/events", &fields, PER_PAGE, total),
        levels: levels(filter.level),
        subjects: Choice::plain(SUBJECTS, &filter.subject),
        filter,
    })
}

/// One event.
pub(super) async fn one(
    State(console): State<Arc<Console>>,
    signed_in: SignedIn,
    Path(id): Path<String>,
    fields: Fields,
) -> Result<Response, Problem> {
    let now = Timestamp::now();
    let frame = Frame::new(&console, &signed_in, "/events", "事件");
    let offset = (fields.page() - 1).saturating_mul(PER_PAGE);
    let asked = async {
        let event = archive::event(&console.archive, &id).await?;
        Ok::<_, archive::Unavailable>((
            event,
            archive::posts_of_event(&console.archive, &id, offset, PER_PAGE).await?,
        ))
    };
    let Ok((event, (rows, total))) = asked.await else {
        return archive_unavailable(frame);
    };
    let Some(event) = event else {
        return edits::instead(&console, frame, &id, now).await;
    };
    let query = Query {
        event: id.clone(),
        limit: 1,
        ..Query::default()
    };
    let cases = console
        .cases
        .list(&query, &signed_in.user.actor())
        .await?
        .cases;
    let edits = edits::lines(&console, &id).await?;
    console
        .accounts
        .audit(&signed_in.user.name, "read-event", &id, now)
        .await?;
    render(&EventPage {
        frame,
        event: EventLine::new(event),
        posts: rows.into_iter().map(PostLine::new).collect(),
        may_edit: edits::may_edit(&signed_in.user),
        done: fields.get("done").to_owned(),
        new: (edits.iter().map(|edit| &edit.other))
            .find(|other| *other == fields.get("new"))
            .cloned()
            .unwrap_or_default(),
        edits,
        pages: Pages::new(&format!("/events/{id}"), &fields, PER_PAGE, total),
        cases: cases
            .iter()
            .map(|case| CaseLine::new(&console, case, now))
            .collect(),
    })
}
