//! Requests about one post: what is held of it, having it erased, and the proof that it is.

use std::sync::Arc;

use askama::Template;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::http::header::{CONTENT_DISPOSITION, CONTENT_TYPE};
use axum::response::{IntoResponse, Redirect, Response};
use jiff::Timestamp;
use tracing::warn;

use super::access::SignedIn;
use super::fields::{Fields, Pages};
use super::page::{Frame, archive_unavailable, render, render_as};
use super::problem::Problem;
use super::{Console, show};
use crate::case::State as Stage;
use crate::erasure::{ERASERS, ErasureError, Erasures, Known, Looked, REASON_LIMIT};
use crate::held::{self, Held, HeldError};

/// Erasures of a page of the list.
const PER_PAGE: u32 = 50;

struct Line {
    post: String,
    state: &'static str,
    state_name: &'static str,
    at: String,
    officer: String,
    reason: String,
}

impl Line {
    fn new(known: Known) -> Self {
        Self {
            post: known.post,
            state: known.state.title(),
            state_name: known.state.name(),
            at: show::time(known.at),
            officer: match known.officer.as_str() {
                "" => "命令行".to_owned(),
                officer => officer.to_owned(),
            },
            reason: known.reason,
        }
    }
}

#[derive(Template)]
#[template(path = "erasures.html")]
struct ErasuresPage {
    frame: Frame,
    erasures: Vec<Line>,
    pages: Pages,
}

/// All erasures, the newest first.
pub(super) async fn list(
    State(console): State<Arc<Console>>,
    signed_in: SignedIn,
    fields: Fields,
) -> Result<Response, Problem> {
    let offset = (fields.page() - 1).saturating_mul(PER_PAGE);
    let erasures = Erasures::new(console.store.clone());
    let (known, total) = erasures.list(offset, PER_PAGE).await?;
    render(&ErasuresPage {
        frame: Frame::new(&console, &signed_in, "/erasures", "删除登记"),
        erasures: known.into_iter().map(Line::new).collect(),
        pages: Pages::new("/erasures", &fields, PER_PAGE, total),
    })
}

struct PlaceLine {
    place: String,
    before: u64,
    after: u64,
    at: String,
    until: String,
}

#[derive(Template)]
#[template(path = "erasure.html")]
struct ErasurePage {
    frame: Frame,
    line: Line,
    looked_at: String,
    looks: i64,
    /// Until when the last copy in a topic is gone; empty before it was looked for.
    last: String,
    /// Where something was found, and where nothing ever was.
    found: Vec<PlaceLine>,
    empty: Vec<PlaceLine>,
}

/// The proof of an erasure.
pub(super) async fn one(
    State(console): State<Arc<Console>>,
    signed_in: SignedIn,
    Path(post): Path<String>,
) -> Result<Response, Problem> {
    let erasures = Erasures::new(console.store.clone());
    let known = erasures.get(&post).await?.ok_or(Problem::NotFound)?;
    let places = erasures.places(&post).await?;
    let last = places.iter().filter_map(|looked| looked.until).max();
    let (found, empty) = places
        .into_iter()
        .map(|Looked { found, until, at }| PlaceLine {
            place: found.place,
            before: found.before,
            after: found.after,
            at: show::time(at),
            until: until.map_or_else(String::new, show::time),
        })
        .partition(|place| place.before + place.after > 0);
    let page = ErasurePage {
        frame: Frame::new(&console, &signed_in, "/erasures", "删除情况"),
        looked_at: known.looked_at.map_or_else(String::new, show::time),
        looks: known.looks,
        last: last.map_or_else(String::new, show::time),
        line: Line::new(known),
        found,
        empty,
    };
    render(&page)
}

/// Has a post erased.
pub(super) async fn erase(
    State(console): State<Arc<Console>>,
    signed_in: SignedIn,
    Path(post): Path<String>,
    fields: Fields,
) -> Result<Response, Problem> {
    let erasures = Erasures::new(console.store.clone());
    let (actor, now) = (signed_in.user.actor(), Timestamp::now());
    let reason = fields.get("reason");
    let begun = erasures
        .begin(&console.archive, &post, reason, &actor, now)
        .await;
    match begun {
        Ok(()) | Err(ErasureError::Known) => {
            Ok(Redirect::to(&format!("/erasures/{post}")).into_response())
        }
        Err(ErasureError::Store(error)) => Err(error.into()),
        Err(ErasureError::Unknown) => Err(Problem::NotFound),
        Err(ErasureError::NotAllowed) => Err(Problem::Forbidden),
        Err(ErasureError::Unavailable) => {
            archive_unavailable(Frame::new(&console, &signed_in, "/posts", "帖文"))
        }
        Err(refused) => {
            let asked = Asked {
                status: StatusCode::UNPROCESSABLE_ENTITY,
                problem: format!("{refused}。"),
                typed: reason.to_owned(),
            };
            held_page(&console, &signed_in, &post, asked).await
        }
    }
}

/// What was refused; nothing, where the page is only looked at.
struct Asked {
    status: StatusCode,
    problem: String,
    typed: String,
}

struct RowLine {
    revision: u32,
    published_at: String,
    collected_at: String,
    source: String,
    title: String,
    text: String,
    link: String,
    found: String,
}

struct CaseLine {
    id: String,
    title: String,
    state: &'static str,
    opened_at: String,
}

#[derive(Template)]
#[template(path = "held.html")]
struct HeldPage {
    frame: Frame,
    held: Held,
    asked_at: String,
    rows: Vec<RowLine>,
    cases: Vec<CaseLine>,
    copies: Vec<(String, String)>,
    may_erase: bool,
    longest: usize,
    problem: String,
    typed: String,
}

/// What is held of a post: to be read and printed, or as a file.
pub(super) async fn held(
    State(console): State<Arc<Console>>,
    signed_in: SignedIn,
    Path(post): Path<String>,
    fields: Fields,
) -> Result<Response, Problem> {
    let now = Timestamp::now();
    (console.accounts)
        .audit(&signed_in.user.name, "read-held", &post, now)
        .await?;
    if fields.get("format") != "json" {
        let asked = Asked {
            status: StatusCode::OK,
            problem: String::new(),
            typed: String::new(),
        };
        return held_page(&console, &signed_in, &post, asked).await;
    }
    match asked(&console, &post, now).await? {
        None => archive_unavailable(Frame::new(&console, &signed_in, "/posts", "帖文")),
        Some(held) => {
            let json = serde_json::to_string_pretty(&held).map_err(|_| Problem::Broken)?;
            let name = format!("attachment; filename=post-{}.json", held.post);
            let headers = [
                (CONTENT_TYPE, "application/json".to_owned()),
                (CONTENT_DISPOSITION, name),
            ];
            Ok((headers, json).into_response())
        }
    }
}

/// What is held; nothing where the archive does not answer.
async fn asked(console: &Console, post: &str, now: Timestamp) -> Result<Option<Held>, Problem> {
    match held::held(&console.store, &console.archive, post, now).await {
        Ok(held) => held.map(Some).ok_or(Problem::NotFound),
        Err(HeldError::Store(error)) => Err(error.into()),
        Err(HeldError::Archive(_)) => {
            // What it says may repeat what was looked for.
            warn!("ClickHouse did not say what is held of a post");
            Ok(None)
        }
    }
}

async fn held_page(
    console: &Console,
    signed_in: &SignedIn,
    post: &str,
    said: Asked,
) -> Result<Response, Problem> {
    let frame = Frame::new(console, signed_in, "/posts", "本系统保存的内容");
    let Some(held) = asked(console, post, Timestamp::now()).await? else {
        return archive_unavailable(frame);
    };
    let rows = held.rows.iter().map(|row| RowLine {
        revision: row.revision,
        published_at: show::time_of(row.published_at),
        collected_at: show::time_of(row.collected_at),
        source: row.source.clone(),
        title: row.title.clone(),
        text: row.text.clone(),
        link: show::link(&row.url),
        found: [
            show::sentiment(&row.sentiment),
            &row.appeal,
            &row.subject,
            &row.subject_second,
        ]
        .into_iter()
        .filter(|found| !found.is_empty())
        .collect::<Vec<_>>()
        .join("、"),
    });
    let page = HeldPage {
        rows: rows.collect(),
        asked_at: show::time(held.asked_at),
        cases: (held.cases.iter())
            .map(|case| CaseLine {
                id: case.id.clone(),
                title: case.title.clone(),
                state: Stage::named(&case.state).map_or("", Stage::title),
                opened_at: show::time(case.opened_at),
            })
            .collect(),
        copies: (held.copies.iter())
            .map(|copy| (copy.place.clone(), show::time(copy.until)))
            .collect(),
        may_erase: held.erased.is_none() && ERASERS.contains(&signed_in.user.role),
        longest: REASON_LIMIT,
        problem: said.problem,
        typed: said.typed,
        frame,
        held,
    };
    render_as(said.status, &page)
}
