//! Posts, found by their words and by what was read in them. Who wrote them is not told.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use backbone::clickhouse::rows::AssessmentRow;
use backbone::message::{APPEALS, SourceKind};
use backbone::region::SUBJECTS;
use jiff::Timestamp;
use serde::Serialize;
use utoipa::openapi::{RefOr, Schema};
use utoipa::{PartialSchema, ToSchema};

use super::access::Caller;
use super::asked::{self, Asked, Id};
use super::events::SubjectName;
use super::problem::Problem;
use crate::console::Console;
use crate::console::archive::{self, Filter, Total};
use crate::held::{self, Held, HeldError};

/// Longest text to look for, in characters.
const LONGEST_TEXT: usize = 200;
/// Longest name of a place, a unit or a source, in characters.
const LONGEST_NAME: usize = 100;
/// Characters of a post's text that are given.
const TEXT: u32 = 2_000;

const SENTIMENTS: [&str; 3] = ["negative", "neutral", "positive"];
const KINDS: [SourceKind; 4] = [
    SourceKind::Board,
    SourceKind::Feed,
    SourceKind::Import,
    SourceKind::Official,
];

/// One of several names.
macro_rules! names {
    ($(#[$says:meta])* $name:ident, $values:expr) => {
        $(#[$says])*
        #[derive(Debug)]
        pub(super) struct $name;

        impl PartialSchema for $name {
            fn schema() -> RefOr<Schema> {
                asked::names($values)
            }
        }

        impl ToSchema for $name {}
    };
}

names!(
    /// Name of an appeal: what the writer wants.
    AppealName,
    APPEALS
);
names!(
    /// Name of a sentiment.
    SentimentName,
    SENTIMENTS
);
names!(
    /// Name of a kind of source.
    KindName,
    KINDS.map(SourceKind::name)
);

/// A post as it was read.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Post)]
pub(super) struct PostView {
    id: String,
    /// Code of the region it is about.
    region: String,
    source: String,
    #[schema(value_type = KindName)]
    kind: String,
    /// Its address at the source; empty where it has none.
    url: String,
    title: String,
    /// The first 2,000 characters of its text.
    text: String,
    #[schema(value_type = String, format = DateTime)]
    published_at: Timestamp,
    #[schema(value_type = String, format = DateTime)]
    collected_at: Timestamp,
    /// Whether it concerns the region.
    relevant: bool,
    /// What the writer wants; empty where it was not read.
    appeal: String,
    /// Its subject; empty where it has none.
    subject: String,
    /// The part of the subject; empty where none was found.
    subject_second: String,
    #[schema(value_type = SentimentName)]
    sentiment: String,
    /// Its sentiment in `[-1, 1]`.
    score: f64,
    places: Vec<String>,
    /// Id of its event; empty where it has none.
    event: String,
}

impl From<AssessmentRow> for PostView {
    fn from(row: AssessmentRow) -> Self {
        let at = |milliseconds| Timestamp::from_millisecond(milliseconds).unwrap_or_default();
        Self {
            id: row.post_id,
            region: row.region,
            source: row.source,
            kind: row.kind,
            url: row.url,
            title: row.title,
            text: row.text,
            published_at: at(row.published_at),
            collected_at: at(row.collected_at),
            relevant: row.relevant,
            appeal: row.appeal,
            subject: row.subject,
            subject_second: row.subject_second,
            sentiment: row.sentiment,
            score: row.sentiment_score,
            places: row.places,
            event: row.event_id,
        }
    }
}

/// Posts asked for, the newest first.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct PostPage {
    items: Vec<PostView>,
    /// How many there are in all, as far as `certainty` says.
    total: u64,
    /// `exact`; `about`, by the index of words; or `at-least`.
    certainty: &'static str,
}

/// The posts asked for. That they were read is noted in the audit.
#[utoipa::path(
    get,
    path = "/posts",
    tag = "posts",
    params(
        ("text" = Option<String>, Query, description = "Only those that hold each of these words in title or text; a phrase in quotation marks as it stands, none that holds a word after a minus", max_length = 200),
        ("sentiment" = Option<SentimentName>, Query, description = "Only of this sentiment"),
        ("subject" = Option<SubjectName>, Query, description = "Only of this subject"),
        ("appeal" = Option<AppealName>, Query, description = "Only of this appeal"),
        ("place" = Option<String>, Query, description = "Only those that name this place", max_length = 100),
        ("unit" = Option<String>, Query, description = "Only those that the unit of this code is responsible for", max_length = 100),
        ("level" = Option<u8>, Query, description = "Only those whose event reached this level and none graver", minimum = 1, maximum = 4),
        ("source" = Option<String>, Query, description = "Only from the source of this name", max_length = 100),
        ("kind" = Option<KindName>, Query, description = "Only from sources of this kind"),
        ("from" = Option<String>, Query, description = "Only published at this time or later", format = DateTime),
        ("to" = Option<String>, Query, description = "Only published before this time", format = DateTime),
        ("all" = Option<bool>, Query, description = "`true` for those too that do not concern the region"),
        ("offset" = Option<u32>, Query, description = "How many to pass over; of 20,000 at most posts are given", minimum = 0, maximum = 1_000_000),
        ("limit" = Option<u32>, Query, description = "Most to give; 30 where it is not said", minimum = 1, maximum = 200),
    ),
    responses((status = 200, description = "The posts", body = PostPage))
)]
pub(super) async fn list(
    State(console): State<Arc<Console>>,
    caller: Caller,
    asked: Asked,
) -> Result<Json<PostPage>, Problem> {
    let asked = asked.only(&[
        "text",
        "sentiment",
        "subject",
        "appeal",
        "place",
        "unit",
        "level",
        "source",
        "kind",
        "from",
        "to",
        "all",
        "offset",
        "limit",
    ])?;
    let (offset, limit) = asked.page()?;
    let named = |name: &str, names: &[&'static str]| {
        let chosen = asked.choice(name, names, |name| name)?;
        Ok::<_, Problem>(chosen.unwrap_or_default().to_owned())
    };
    let time = |name: &str| {
        let time = asked.time(name)?;
        Ok::<_, Problem>(time.map(|time| time.as_millisecond()))
    };
    let filter = Filter {
        text: asked.text("text", LONGEST_TEXT)?,
        sentiment: named("sentiment", &SENTIMENTS)?,
        subject: named("subject", &SUBJECTS)?,
        appeal: named("appeal", &APPEALS)?,
        place: asked.text("place", LONGEST_NAME)?,
        unit: asked.text("unit", LONGEST_NAME)?,
        level: asked.number("level", &(1..=4_u8))?.unwrap_or(0),
        source: asked.text("source", LONGEST_NAME)?,
        kind: named("kind", &KINDS.map(SourceKind::name))?,
        from: time("from")?,
        to: time("to")?,
        all: asked.flag("all")?,
        offset,
        limit,
    };
    let regions: Vec<&str> = console.regions.keys().map(String::as_str).collect();
    let (rows, total) =
        archive::posts_with_texts(&console.archive, &regions, &filter, TEXT).await?;
    let subject = format!("{}条：{}", rows.len(), filter.text);
    caller
        .audit(&console, "search-posts", &subject, Timestamp::now())
        .await?;
    let (total, certainty) = match total {
        Total::Exactly(posts) => (posts, "exact"),
        Total::About(posts) => (posts, "about"),
        Total::MoreThan(posts) => (posts, "at-least"),
    };
    Ok(Json(PostPage {
        items: rows.into_iter().map(PostView::from).collect(),
        total,
        certainty,
    }))
}

/// What is held of a post, for who asks to see it: its rows in the archive, what a duty officer said of the findings, its event, cases
/// and reports, and until when copies are kept elsewhere. That it was read is noted in the audit.
#[utoipa::path(
    get,
    path = "/posts/{id}/held",
    tag = "posts",
    params(("id" = String, Path, description = "The post's id, or its address")),
    responses((status = 200, description = "What is held", body = Object))
)]
pub(super) async fn held(
    State(console): State<Arc<Console>>,
    caller: Caller,
    Id(id): Id,
    asked: Asked,
) -> Result<Json<Held>, Problem> {
    asked.only(&[])?;
    let now = Timestamp::now();
    let held = held::held(&console.store, &console.archive, &id, now).await;
    let held = held
        .map_err(|error| match error {
            HeldError::Archive(_) => Problem::Archive,
            HeldError::Store(error) => error.into(),
        })?
        .ok_or(Problem::NotFound)?;
    caller.audit(&console, "read-held", &id, now).await?;
    Ok(Json(held))
}
