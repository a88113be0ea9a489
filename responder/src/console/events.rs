//! Events: the list with its filters.

use std::sync::Arc;

use askama::Template;
use axum::extract::State;
use axum::response::Response;
use backbone::region::SUBJECTS;
use jiff::Timestamp;

use super::Console;
use super::access::SignedIn;
use super::archive::{self, EventRow, Filter};
use super::fields::{Choice, Fields, Pages};
use super::page::{Frame, archive_unavailable, render};
use super::problem::Problem;
use super::show::{self, Level};
use super::signals::SignalLine;

const PER_PAGE: u32 = 30;
const REFRESH: u32 = 60;
/// Bursts and common problems shown.
const SIGNALS: u32 = 20;

pub(super) struct EventLine {
    pub(super) id: String,
    pub(super) title: String,
    pub(super) level: Level,
    pub(super) posts: u64,
    pub(super) voices: u64,
    pub(super) sources: String,
    pub(super) first_at: String,
    pub(super) last_at: String,
    pub(super) sentiment: &'static str,
    pub(super) sentiment_word: &'static str,
    pub(super) score: String,
    pub(super) subject: String,
    pub(super) places: String,
}

impl EventLine {
    pub(super) fn new(row: EventRow) -> Self {
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
    // On the first page only, and not above what was looked for.
    let signals = async {
        if filter.is_plain() {
            archive::signals(&console.archive, SIGNALS).await
        } else {
            Ok(Vec::new())
        }
    };
    let (events, signals) = tokio::join!(archive::events(&console.archive, &filter), signals);
    let Ok((rows, total)) = events else {
        return archive_unavailable(frame);
    };
    let signals = signals.unwrap_or_default();
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
