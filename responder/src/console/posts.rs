//! Posts: the list with its filters, and one post with what was read in it.

use std::sync::Arc;

use askama::Template;
use axum::extract::{Path, State};
use axum::response::Response;
use backbone::clickhouse::rows::AssessmentRow;
use backbone::region::SUBJECTS;
use jiff::Timestamp;

use super::Console;
use super::access::SignedIn;
use super::archive::{self, Filter};
use super::fields::{Choice, Fields, Pages};
use super::page::{Frame, archive_unavailable, render};
use super::problem::Problem;
use super::show;

const PER_PAGE: u32 = 30;
const REFRESH: u32 = 60;

/// A post in a list.
pub(super) struct PostLine {
    pub(super) id: String,
    pub(super) title: String,
    pub(super) excerpt: String,
    pub(super) source: String,
    pub(super) kind: &'static str,
    pub(super) published_at: String,
    pub(super) sentiment: String,
    pub(super) sentiment_word: &'static str,
    pub(super) score: String,
    pub(super) because: String,
    pub(super) subject: String,
    pub(super) places: String,
    pub(super) event: String,
    pub(super) link: String,
    pub(super) relevant: bool,
}

impl PostLine {
    pub(super) fn new(row: AssessmentRow) -> Self {
        let title = if row.title.trim().is_empty() {
            show::excerpt(&row.text, 24)
        } else {
            row.title
        };
        Self {
            id: row.post_id,
            title,
            excerpt: show::excerpt(&row.text, 110),
            source: row.source,
            kind: show::kind(&row.kind),
            published_at: show::time_of(row.published_at),
            sentiment_word: show::sentiment(&row.sentiment),
            sentiment: row.sentiment,
            score: show::score(row.sentiment_score),
            because: row.sentiment_because.join("、"),
            subject: row.subject,
            places: row.places.join("、"),
            event: row.event_id,
            link: show::link(&row.url),
            relevant: row.relevant,
        }
    }
}

#[derive(Template)]
#[template(path = "posts.html")]
struct PostsPage {
    frame: Frame,
    posts: Vec<PostLine>,
    pages: Pages,
    filter: Filter,
    sentiments: Vec<Choice>,
    subjects: Vec<Choice>,
    sources: Vec<Choice>,
}

#[derive(Template)]
#[template(path = "post.html")]
struct PostPage {
    frame: Frame,
    post: PostLine,
    paragraphs: Vec<String>,
    relevant_because: String,
    subject_because: String,
    subject_percent: u64,
    confidence_percent: u64,
    intensity: String,
    model: String,
    collected_at: String,
    likes: u32,
    opposes: u32,
}

/// The list.
pub(super) async fn list(
    State(console): State<Arc<Console>>,
    signed_in: SignedIn,
    fields: Fields,
) -> Result<Response, Problem> {
    let mut frame = Frame::new(&console, &signed_in, "/posts", "舆情");
    let filter = Filter::read(&fields, PER_PAGE);
    let asked = async {
        let (rows, total) = archive::posts(&console.archive, &filter).await?;
        Ok::<_, archive::Unavailable>((rows, total, archive::sources(&console.archive).await?))
    };
    let Ok((rows, total, sources)) = asked.await else {
        return archive_unavailable(frame);
    };
    frame.refresh = REFRESH;
    render(&PostsPage {
        frame,
        posts: rows.into_iter().map(PostLine::new).collect(),
        pages: Pages::new("/posts", &fields, PER_PAGE, total),
        sentiments: ["negative", "neutral", "positive"]
            .into_iter()
            .map(|label| Choice::new(label, show::sentiment(label), &filter.sentiment))
            .collect(),
        subjects: Choice::plain(SUBJECTS, &filter.subject),
        sources: Choice::plain(sources, &filter.source),
        filter,
    })
}

/// One post.
pub(super) async fn one(
    State(console): State<Arc<Console>>,
    signed_in: SignedIn,
    Path(id): Path<String>,
) -> Result<Response, Problem> {
    let frame = Frame::new(&console, &signed_in, "/posts", "帖文");
    let Ok(row) = archive::post(&console.archive, &id).await else {
        return archive_unavailable(frame);
    };
    let row = row.ok_or(Problem::NotFound)?;
    console
        .accounts
        .audit(
            &signed_in.user.name,
            "read-post",
            &row.post_id,
            Timestamp::now(),
        )
        .await?;
    render(&PostPage {
        frame,
        paragraphs: row.text.lines().map(str::to_owned).collect(),
        relevant_because: row.relevant_because.join("、"),
        subject_because: row.subject_because.join("、"),
        subject_percent: (row.subject_probability * 100.0).round() as u64,
        confidence_percent: (row.sentiment_confidence * 100.0).round() as u64,
        intensity: row.intensity.join("、"),
        model: row.model.clone(),
        collected_at: show::time_of(row.collected_at),
        likes: row.likes,
        opposes: row.opposes,
        post: PostLine::new(row),
    })
}
