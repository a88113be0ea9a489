//! The search: posts by their words and what was read in them, with the counts, the saved searches and the files that go
//! with it.

mod export;
mod facets;
mod form;
mod found;
mod saved;
mod table;

use std::sync::Arc;

use askama::Template;
use axum::extract::State;
use axum::response::Response;
use backbone::clickhouse::rows::AssessmentRow;
use jiff::Timestamp;

use super::Console;
use super::access::SignedIn;
use super::archive::{self, Filter, MOST_EXPORTED, Total, Words};
use super::fields::{Fields, Pages};
use super::marks::Piece;
use super::page::{Frame, archive_unavailable, render};
use super::posts::PostLine;
use super::problem::Problem;
use crate::saved_search::LONGEST_NAME;

pub(super) use export::export;
pub(super) use facets::facets;
pub(super) use saved::{delete, keep, open, saved};

use form::{Chip, Form, chips, filters};
use saved::SavedLine;

const PER_PAGE: u32 = 30;
/// Characters of a text that a list shows.
const EXCERPT: usize = 110;

/// A post that was found, with the words that were looked for.
struct Found {
    post: PostLine,
    title: Vec<Piece>,
    excerpt: Vec<Piece>,
}

impl Found {
    fn new(row: AssessmentRow, words: &[String]) -> Self {
        let excerpt = found::excerpt(&row.text, words, EXCERPT);
        let post = PostLine::new(row);
        Self {
            title: found::pieces(&post.title, words),
            excerpt,
            post,
        }
    }
}

#[derive(Template)]
#[template(path = "search.html")]
struct SearchPage {
    frame: Frame,
    form: Form,
    chips: Vec<Chip>,
    found: Vec<Found>,
    pages: Pages,
    /// The filters as an address has them.
    query: String,
    saved: Vec<SavedLine>,
    longest_name: usize,
    most_exported: usize,
}

/// The posts found.
pub(super) async fn list(
    State(console): State<Arc<Console>>,
    signed_in: SignedIn,
    fields: Fields,
) -> Result<Response, Problem> {
    let frame = Frame::new(&console, &signed_in, "/posts", "检索");
    let asked = filters(&fields);
    let filter = Filter::read(&fields, PER_PAGE, Timestamp::now());
    let regions: Vec<&str> = console.regions.keys().map(String::as_str).collect();
    let saved = console.searches.of(&signed_in.user.name).await?;
    let found = tokio::try_join!(
        archive::posts(&console.archive, &regions, &filter),
        archive::sources(&console.archive)
    );
    let Ok(((rows, total), sources)) = found else {
        return archive_unavailable(frame);
    };
    let words = Words::read(&filter.text).wanted;
    let turned = asked.with("page", fields.get("page"));
    let pages = |posts| Pages::new("/posts", &turned, PER_PAGE, posts);
    render(&SearchPage {
        frame,
        form: Form::new(&console, &asked, sources),
        chips: chips(&console, &asked),
        found: (rows.into_iter())
            .map(|row| Found::new(row, &words))
            .collect(),
        pages: match total {
            Total::Exactly(posts) => pages(posts),
            Total::About(posts) => pages(posts).about(),
            Total::MoreThan(posts) => pages(posts).at_least(),
        },
        query: asked.query(),
        saved: saved.into_iter().map(SavedLine::from).collect(),
        longest_name: LONGEST_NAME,
        most_exported: MOST_EXPORTED,
    })
}
