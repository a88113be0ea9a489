//! The post in papers. What a paper says loses the post's words whatever state it is in; the files of a signed one are written anew,
//! with a note, and what they were is kept by their SHA-256.

use jiff::Timestamp;
use report::Form;
use sqlx::Row;

use super::Found;
use super::needles::{Needles, Place};
use crate::calendar::day_of;
use crate::case::StoreError;
use crate::held::Report;
use crate::paper::sign::{keep_files, print};
use crate::paper::{PaperError, Papers, Press};
use crate::store::Store;

const TEXTS: [&str; 6] = [
    "title",
    "generated",
    "text",
    "reason",
    "returned",
    "problem",
];
const JSON: [&str; 3] = ["cover", "figures", "facts"];

/// Takes a post out of the papers.
pub(super) async fn erase(
    store: &Store,
    press: &Press,
    post: &str,
    needles: &Needles,
    now: Timestamp,
) -> Result<Found, PaperError> {
    let ids: Vec<String> =
        sqlx::query_scalar("SELECT id FROM papers WHERE made_at > 0 ORDER BY id")
            .fetch_all(store.pool())
            .await?;
    let mut found = Found::at("案件库：报告及其文件（papers、paper_files）");
    for id in ids {
        if erase_one(store, press, &id, post, needles, now).await? {
            found.before += 1;
            found.after += u64::from(has(store, &id, needles).await?);
        }
    }
    Ok(found)
}

/// What a paper says without the post's words, by column; nothing where it has none of them.
async fn left(
    store: &Store,
    id: &str,
    needles: &Needles,
) -> Result<Option<(i64, Vec<String>)>, StoreError> {
    let row = sqlx::query(
        "SELECT version, title, generated, text, reason, returned, problem, cover, figures, facts FROM papers WHERE id = $1",
    )
    .bind(id)
    .fetch_one(store.pool())
    .await?;
    let (mut values, mut has) = (Vec::new(), false);
    for column in TEXTS.iter().chain(&JSON) {
        let was: String = row.try_get(*column)?;
        let left = if JSON.contains(column) {
            needles.without_in_json(&was, Place::Anywhere)
        } else {
            needles.without(&was, Place::Anywhere)
        };
        has |= left.is_some();
        values.push(left.unwrap_or(was));
    }
    Ok(has.then_some((row.try_get("version")?, values)))
}

async fn has(store: &Store, id: &str, needles: &Needles) -> Result<bool, StoreError> {
    Ok(left(store, id, needles).await?.is_some())
}

/// Takes the words out of a paper, if it has any; says whether it had.
async fn erase_one(
    store: &Store,
    press: &Press,
    id: &str,
    post: &str,
    needles: &Needles,
    now: Timestamp,
) -> Result<bool, PaperError> {
    let Some((version, mut values)) = left(store, id, needles).await? else {
        return Ok(false);
    };
    let papers = Papers::new(store.clone());
    let Some((mut paper, mut content)) = papers.read(id).await? else {
        return Ok(false);
    };
    let mut printed = Vec::new();
    if paper.state.is_signed() {
        if let Some(text) = values.get_mut(2) {
            text.push_str(&format!(
                "\n\n（注：本件签发后，其中引自网民留言的部分内容已于{}依申请删除，其余内容未作改动。）\n",
                day_of(now)
            ));
        }
        let value = |at: usize| values.get(at).cloned().unwrap_or_default();
        let json = |text: String| serde_json::from_str(&text).map_err(|_| PaperError::Stale);
        (paper.title, content.text) = (value(0), value(2));
        content.cover = json(value(6))?;
        content.figures = serde_json::from_str(&value(7)).map_err(|_| PaperError::Stale)?;
        printed = print(&paper, &content, press, Form::ALL.to_vec()).await?;
    }
    let mut transaction = store.begin().await?;
    let changed = {
        let mut query = sqlx::query(
            "UPDATE papers SET title = $1, generated = $2, text = $3, reason = $4, returned = $5, problem = $6, cover = $7, \
             figures = $8, facts = $9, version = version + 1 WHERE id = $10 AND version = $11",
        );
        for value in &values {
            query = query.bind(value.clone());
        }
        query
            .bind(id)
            .bind(version)
            .execute(&mut *transaction)
            .await?
    };
    if changed.rows_affected() == 0 {
        // Somebody was faster; the next look finds it again.
        return Ok(true);
    }
    if !printed.is_empty() {
        sqlx::query(
            "INSERT INTO paper_erasures (paper, post, file, sha256, at) SELECT paper, CAST($2 AS TEXT), file, sha256, \
             CAST($3 AS BIGINT) FROM paper_files WHERE paper = $1 ON CONFLICT DO NOTHING",
        )
        .bind(id)
        .bind(post)
        .bind(now.as_millisecond())
        .execute(&mut *transaction)
        .await?;
        sqlx::query("DELETE FROM paper_files WHERE paper = $1")
            .bind(id)
            .execute(&mut *transaction)
            .await?;
        keep_files(&mut transaction, id, &printed).await?;
    }
    transaction.commit().await?;
    Ok(true)
}

/// A file of a signed paper as it was before an erasure.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Was {
    /// Its form.
    pub file: String,
    /// Its SHA-256 then.
    pub sha256: String,
    /// When it was changed.
    pub at: Timestamp,
}

/// What the files of a paper were before erasures changed them.
///
/// # Errors
/// When the store fails.
pub async fn were(store: &Store, paper: &str) -> Result<Vec<Was>, StoreError> {
    let rows: Vec<(String, String, i64)> = sqlx::query_as(
        "SELECT file, sha256, at FROM paper_erasures WHERE paper = $1 ORDER BY at, file",
    )
    .bind(paper)
    .fetch_all(store.pool())
    .await?;
    Ok(rows
        .into_iter()
        .map(|(file, sha256, at)| Was {
            file,
            sha256,
            at: Timestamp::from_millisecond(at).unwrap_or_default(),
        })
        .collect())
}

/// The papers that have a post's words.
///
/// # Errors
/// When the store fails.
pub async fn quoting(store: &Store, needles: &Needles) -> Result<Vec<Report>, StoreError> {
    let ids: Vec<(String, String)> =
        sqlx::query_as("SELECT id, title FROM papers WHERE made_at > 0 ORDER BY asked_at, id")
            .fetch_all(store.pool())
            .await?;
    let mut quoting = Vec::new();
    for (id, title) in ids {
        if has(store, &id, needles).await? {
            quoting.push(Report { id, title });
        }
    }
    Ok(quoting)
}
