//! Saved searches: kept, opened and deleted by their owner, with how much is new in each.

use std::sync::Arc;

use askama::Template;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use futures::future::join_all;
use jiff::Timestamp;

use super::super::Console;
use super::super::access::SignedIn;
use super::super::archive::{self, Filter};
use super::super::fields::Fields;
use super::super::page::{Frame, render_as};
use super::super::problem::Problem;
use super::super::show;
use super::form::filters;
use crate::saved_search::{SavedSearch, SavedSearchError};

/// New posts that are counted; beyond, there are more.
const MOST_NEW: u64 = 99;
/// Searches whose new posts are counted at the same time.
const AT_ONCE: usize = 4;

/// A saved search in a list.
pub(super) struct SavedLine {
    pub(super) id: String,
    pub(super) name: String,
    pub(super) opened_at: String,
    /// How many are new: `新 12`; empty where none is, or it is not known.
    pub(super) new: String,
}

impl From<SavedSearch> for SavedLine {
    fn from(search: SavedSearch) -> Self {
        Self {
            opened_at: show::time_of(search.opened_at),
            id: search.id,
            name: search.name,
            new: String::new(),
        }
    }
}

#[derive(Template)]
#[template(path = "saved.html")]
struct SavedPage {
    frame: Frame,
    saved: Vec<SavedLine>,
    problem: String,
    /// Whether ClickHouse did not say how much is new.
    uncounted: bool,
}

/// The searches of the account, with how much is new in each.
pub(in crate::console) async fn saved(
    State(console): State<Arc<Console>>,
    signed_in: SignedIn,
) -> Result<Response, Problem> {
    page(&console, &signed_in, StatusCode::OK, String::new()).await
}

async fn page(
    console: &Console,
    signed_in: &SignedIn,
    status: StatusCode,
    problem: String,
) -> Result<Response, Problem> {
    let now = Timestamp::now();
    let searches = console.searches.of(&signed_in.user.name).await?;
    let mut counts = Vec::new();
    for some in searches.chunks(AT_ONCE) {
        let each = some.iter().map(|search| count_new(console, search, now));
        counts.extend(join_all(each).await);
    }
    let page = SavedPage {
        frame: Frame::new(console, signed_in, "/posts", "已保存的检索"),
        uncounted: counts.iter().any(Result::is_err),
        saved: (searches.into_iter().zip(counts))
            .map(|(search, new)| SavedLine {
                new: match new {
                    Ok(0) | Err(_) => String::new(),
                    Ok(new) if new > MOST_NEW => format!("新 {MOST_NEW}+"),
                    Ok(new) => format!("新 {new}"),
                },
                ..search.into()
            })
            .collect(),
        problem,
    };
    render_as(status, &page)
}

async fn count_new(
    console: &Console,
    search: &SavedSearch,
    now: Timestamp,
) -> Result<u64, archive::Unavailable> {
    let fields = Fields::read(search.query.as_bytes());
    let filter = Filter::read(&fields, 0, now);
    let regions: Vec<&str> = console.regions.keys().map(String::as_str).collect();
    let most = MOST_NEW + 1;
    archive::count_new(&console.archive, &regions, &filter, search.opened_at, most).await
}

/// Keeps the search of the form.
pub(in crate::console) async fn keep(
    State(console): State<Arc<Console>>,
    signed_in: SignedIn,
    fields: Fields,
) -> Result<Response, Problem> {
    let query = filters(&Fields::read(fields.get("query").as_bytes())).query();
    let account = &signed_in.user.name;
    let kept = (console.searches)
        .keep(account, fields.get("name"), &query, Timestamp::now())
        .await;
    match kept {
        Ok(()) => Ok(Redirect::to(&format!("/posts?{query}")).into_response()),
        Err(SavedSearchError::Store(error)) => Err(error.into()),
        Err(refused) => {
            let status = StatusCode::UNPROCESSABLE_ENTITY;
            page(&console, &signed_in, status, format!("{refused}。")).await
        }
    }
}

/// Opens a search: what is found from now on is new the next time.
pub(in crate::console) async fn open(
    State(console): State<Arc<Console>>,
    signed_in: SignedIn,
    Path(id): Path<String>,
) -> Result<Response, Problem> {
    let account = &signed_in.user.name;
    let opened = console
        .searches
        .open(account, &id, Timestamp::now())
        .await?;
    let search = opened.ok_or(Problem::NotFound)?;
    Ok(Redirect::to(&format!("/posts?{}", search.query)).into_response())
}

/// Deletes a search.
pub(in crate::console) async fn delete(
    State(console): State<Arc<Console>>,
    signed_in: SignedIn,
    Path(id): Path<String>,
) -> Result<Response, Problem> {
    if console.searches.delete(&signed_in.user.name, &id).await? {
        Ok(Redirect::to("/posts/saved").into_response())
    } else {
        Err(Problem::NotFound)
    }
}
