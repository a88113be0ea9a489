//! What is held of one post, for who asks to see it: the post as it was sent, masked, what was found in it, the matter and the cases
//! that it is part of, the reports that quote it, and until when each is kept. By the post and never by who wrote it: nothing
//! here leads from one post of a writer to another.

use backbone::clickhouse::rows::AssessmentRow;
use backbone::topics::{ALERTS, ASSESSMENTS, POSTS};
use clickhouse::Client;
use jiff::Timestamp;
use serde::{Serialize, Serializer};
use serde_json::{Value, json};

use crate::case::StoreError;
use crate::correction::{Corrections, Kept};
use crate::erasure::{Erasures, Needles, copies_in, quoting};
use crate::store::Store;

/// Rows of a post, at most.
const MOST_ROWS: u32 = 200;

/// What is held of a post.
#[derive(Debug, Clone, Serialize)]
pub struct Held {
    /// The post's id.
    pub post: String,
    /// When it was looked for.
    pub asked_at: Timestamp,
    /// The post in the archive, the newest first: a row for each time that it was changed or assessed, as far as they are kept
    /// apart. Who wrote it is not in it but as a keyed hash, which is left out.
    #[serde(serialize_with = "as_told")]
    pub rows: Vec<AssessmentRow>,
    /// What a duty officer said of the findings; nothing where nobody did.
    pub verdict: Option<Value>,
    /// The matter, with how many posts it has.
    pub event: Option<Event>,
    /// The cases that handle it.
    pub cases: Vec<Case>,
    /// The reports that have words of it.
    pub reports: Vec<Report>,
    /// When and how far it was erased on request; nothing where it was not.
    pub erased: Option<Value>,
    /// Where else copies of what is above are, and until when at the latest.
    pub copies: Vec<Elsewhere>,
}

/// The matter that a post is part of.
#[derive(Debug, Clone, Serialize)]
pub struct Event {
    /// Its id.
    pub id: String,
    /// What it is called.
    pub title: String,
}

/// A case that handles it.
#[derive(Debug, Clone, Serialize)]
pub struct Case {
    /// Its id.
    pub id: String,
    /// What it is called.
    pub title: String,
    /// Where it stands.
    pub state: String,
    /// When it was opened.
    pub opened_at: Timestamp,
}

/// A report with words of a post.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Report {
    /// Its id.
    pub id: String,
    /// Its title.
    pub title: String,
}

/// A place with a copy.
#[derive(Debug, Clone, Serialize)]
pub struct Elsewhere {
    /// The place.
    pub place: String,
    /// Until when, at the latest.
    pub until: Timestamp,
}

/// What is held could not be found out.
#[derive(Debug, thiserror::Error)]
pub enum HeldError {
    /// ClickHouse does not answer.
    #[error("the archive does not answer: {0}")]
    Archive(#[from] clickhouse::error::Error),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// What is held of a post, by its id or its address; nothing where nothing is.
///
/// # Errors
/// When the archive does not answer, or the store fails.
pub async fn held(
    store: &Store,
    archive: &Client,
    post: &str,
    now: Timestamp,
) -> Result<Option<Held>, HeldError> {
    let rows: Vec<AssessmentRow> = archive
        .query(
            "SELECT ?fields FROM assessments WHERE post_id = {post:String} OR (url = {post:String} AND url != '') \
             ORDER BY version DESC LIMIT {most:UInt32}",
        )
        .param("post", post)
        .param("most", MOST_ROWS)
        .fetch_all()
        .await?;
    let Some(newest) = rows.first() else {
        return Ok(None);
    };
    // An address may be that of several posts: those of the newest are told.
    let id = newest.post_id.clone();
    let newest = newest.clone();
    let rows: Vec<AssessmentRow> = (rows.into_iter()).filter(|row| row.post_id == id).collect();
    let verdict = Corrections::new(store.clone()).of(&id).await;
    let verdict: Option<Kept> = verdict.map_err(|error| match error {
        crate::correction::CorrectionError::Store(error) => error,
        crate::correction::CorrectionError::Unknown(_) => StoreError::Unknown { what: "verdict" },
    })?;
    let needles = Needles::of(
        &id,
        (rows.iter()).flat_map(|row| [row.title.as_str(), row.text.as_str()]),
        rows.iter().map(|row| row.title.as_str()),
    );
    let erased = Erasures::new(store.clone()).get(&id).await?;
    let copies = [
        (POSTS, newest.collected_at),
        (ASSESSMENTS, newest.assessed_at),
        (ALERTS, newest.assessed_at),
    ];
    Ok(Some(Held {
        asked_at: now,
        rows,
        verdict: verdict.map(|kept| {
            json!({ "relevant": kept.correction.relevant, "sentiment": kept.correction.sentiment,
                "appeal": kept.correction.appeal, "subject": kept.correction.subject, "unit": kept.correction.unit, "at": kept.at })
        }),
        event: (!newest.event_id.is_empty()).then(|| Event {
            id: newest.event_id.clone(),
            title: newest.event_title.clone(),
        }),
        cases: cases(store, &newest.event_id).await?,
        reports: quoting(store, &needles).await?,
        erased: erased.map(|known| json!({ "at": known.at, "state": known.state.name() })),
        copies: copies
            .into_iter()
            .map(|(topic, at)| {
                let at = Timestamp::from_millisecond(at).unwrap_or(now);
                let (place, until) = copies_in(&topic, at);
                Elsewhere { place, until }
            })
            .collect(),
        post: id,
    }))
}

fn as_told<S: Serializer>(rows: &[AssessmentRow], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_seq(rows.iter().map(told))
}

/// A row as it is told: all that is in it but who wrote it.
fn told(row: &AssessmentRow) -> Value {
    let mut value = serde_json::to_value(row).unwrap_or_default();
    if let Some(fields) = value.as_object_mut() {
        fields.remove("author");
        for (name, at) in [
            ("published_at", row.published_at),
            ("collected_at", row.collected_at),
            ("assessed_at", row.assessed_at),
            ("answered_at", row.answered_at),
        ] {
            let at = Timestamp::from_millisecond(at).ok().filter(|_| at > 0);
            fields.insert(name.to_owned(), json!(at));
        }
        for (name, text) in [
            ("evidence", &row.evidence),
            ("second_opinion", &row.second_opinion),
        ] {
            let read: Value = serde_json::from_str(text).unwrap_or_default();
            fields.insert(name.to_owned(), read);
        }
    }
    value
}

async fn cases(store: &Store, event: &str) -> Result<Vec<Case>, StoreError> {
    let rows: Vec<(String, String, String, i64)> = sqlx::query_as(
        "SELECT id, title, state, opened_at FROM cases WHERE event = $1 AND event <> '' ORDER BY opened_at, id",
    )
    .bind(event)
    .fetch_all(store.pool())
    .await?;
    Ok(rows
        .into_iter()
        .map(|(id, title, state, opened_at)| Case {
            id,
            title,
            state,
            opened_at: Timestamp::from_millisecond(opened_at).unwrap_or_default(),
        })
        .collect())
}
