//! The post in the responder's store: every column that may hold words of one, looked through, and the words taken out. A value that
//! somebody changes at the same moment is left to the next look.

use std::collections::BTreeSet;

use backbone::erased::Erased;
use backbone::message::Alert;
use futures::TryStreamExt;
use sqlx::{AssertSqlSafe, Row};

use super::Found;
use super::needles::{Needles, Place};
use crate::store::Store;

/// A table, what its rows are known by, and which of its columns hold what people wrote.
struct Table {
    name: &'static str,
    place: &'static str,
    key: &'static [&'static str],
    /// Columns of plain text, and of JSON.
    texts: &'static [&'static str],
    json: &'static [&'static str],
    /// What tells the case of a row; of no case where it is empty.
    case: &'static str,
}

const fn table(
    name: &'static str,
    place: &'static str,
    key: &'static [&'static str],
    texts: &'static [&'static str],
    json: &'static [&'static str],
    case: &'static str,
) -> Table {
    Table {
        name,
        place,
        key,
        texts,
        json,
        case,
    }
}

// Papers are in `papers.rs`: their files go with them.
#[rustfmt::skip]
const TABLES: [Table; 14] = [
    table("cases", "案件", &["id"], &["title", "reply"], &["routed_because"], "id"),
    table("case_alerts", "案件的预警", &["case_id"], &[], &["alert"], "case_id"),
    table("moves", "案件办理记录", &["case_id", "sequence"], &["note", "choice"], &[], "case_id"),
    table("notices", "通知", &["id"], &["problem"], &["body"], "about"),
    table("notice_tries", "通知发送记录", &["notice", "number"], &["text", "problem"], &[],
        "coalesce((SELECT about FROM notices WHERE notices.id = notice_tries.notice), '')"),
    table("outbox", "待发消息", &["number"], &[], &["message"], ""),
    table("event_edits", "事件合并拆分记录", &["id"], &["source_title", "target_title"], &["message"], ""),
    table("corrections", "研判更正", &["post_id"], &["title", "text"], &[], ""),
    table("knowledge", "知识库", &["id"], &["question", "answer", "basis"], &[], "source"),
    table("commitments", "承诺", &["id"], &["what", "proof", "reason"], &[], "case_id"),
    table("silences", "静默", &["id"], &["reason"], &["matches"], ""),
    table("saved_searches", "保存的检索", &["id"], &["name", "query"], &[], ""),
    table("attachments", "附件名称", &["id"], &["name"], &[], "case_id"),
    table("paper_moves", "报告办理记录", &["paper", "version"], &["note"], &[], ""),
];

/// Takes a post out of the store but the papers; what was found before and is found after, by place.
pub(super) async fn erase(
    store: &Store,
    post: &str,
    needles: &Needles,
    erased: &Erased,
    cases: &BTreeSet<String>,
) -> Result<Vec<Found>, sqlx::Error> {
    let mut all = vec![verdict(store, post).await?];
    let (before, after) = told(store, erased, cases).await?;
    all.push(Found {
        place: "案件的事由与摘要".to_owned(),
        before,
        after,
    });
    for table in &TABLES {
        let before = look(store, table, needles, cases, true).await?;
        let after = match before {
            0 => 0,
            _ => look(store, table, needles, cases, false).await?,
        };
        all.push(Found {
            place: format!("案件库：{}（{}）", table.place, table.name),
            before,
            after,
        });
    }
    Ok(all)
}

/// The verdict on the post goes with the text that it was kept with.
async fn verdict(store: &Store, post: &str) -> Result<Found, sqlx::Error> {
    let gone = sqlx::query("DELETE FROM corrections WHERE post_id = $1")
        .bind(post)
        .execute(store.pool())
        .await?;
    Ok(Found {
        place: "案件库：对该帖的研判".to_owned(),
        before: gone.rows_affected(),
        after: 0,
    })
}

/// What cases tell of their events: their titles and gists where they were the post's.
async fn told(
    store: &Store,
    erased: &Erased,
    cases: &BTreeSet<String>,
) -> Result<(u64, u64), sqlx::Error> {
    let (mut before, mut after) = (0, 0);
    for case in cases {
        let row: Option<(String, String, String)> = sqlx::query_as(
            "SELECT event, title, alert FROM cases JOIN case_alerts ON case_id = id WHERE id = $1",
        )
        .bind(case)
        .fetch_optional(store.pool())
        .await?;
        let Some((event, title, told)) = row else {
            continue;
        };
        if let Some(named) = erased.title(&event)
            && named != title
        {
            before += 1;
            let changed = sqlx::query("UPDATE cases SET title = $1 WHERE id = $2 AND title = $3")
                .bind(&named)
                .bind(case)
                .bind(&title)
                .execute(store.pool())
                .await?;
            after += 1 - changed.rows_affected().min(1);
        }
        let Ok(mut alert) = serde_json::from_str::<Alert>(&told) else {
            continue;
        };
        let known = alert.clone();
        erased.cleanse_alert(&mut alert);
        if alert != known {
            before += 1;
            let left =
                serde_json::to_string(&alert).map_err(|error| sqlx::Error::Encode(error.into()))?;
            let changed =
                sqlx::query("UPDATE case_alerts SET alert = $1 WHERE case_id = $2 AND alert = $3")
                    .bind(left)
                    .bind(case)
                    .bind(&told)
                    .execute(store.pool())
                    .await?;
            after += 1 - changed.rows_affected().min(1);
        }
    }
    Ok((before, after))
}

/// A value with words of the post, and what is left of it without them.
struct Hit {
    column: &'static str,
    key: Vec<String>,
    was: String,
    left: String,
}

/// Looks a table through, once; takes the words out where it `takes`. How many values have them.
async fn look(
    store: &Store,
    table: &Table,
    needles: &Needles,
    cases: &BTreeSet<String>,
    takes: bool,
) -> Result<u64, sqlx::Error> {
    let hits = hits(store, table, needles, cases).await?;
    if takes {
        for hit in &hits {
            replace(store, table, hit).await?;
        }
    }
    Ok(hits.len() as u64)
}

async fn hits(
    store: &Store,
    table: &Table,
    needles: &Needles,
    cases: &BTreeSet<String>,
) -> Result<Vec<Hit>, sqlx::Error> {
    let columns: Vec<&'static str> = (table.texts.iter().chain(table.json)).copied().collect();
    let key: Vec<String> = (table.key.iter())
        .map(|key| format!("CAST({key} AS TEXT)"))
        .collect();
    let case = match table.case {
        "" => "''",
        case => case,
    };
    // Safe: tables and columns are this program's own.
    let statement = AssertSqlSafe(format!(
        "SELECT {case} AS of_case, {}, {} FROM {}",
        key.join(", "),
        columns.join(", "),
        table.name
    ));
    let mut rows = sqlx::query(statement).fetch(store.pool());
    let mut hits = Vec::new();
    while let Some(row) = rows.try_next().await? {
        let of_case: String = row.try_get(0)?;
        let place = if cases.contains(&of_case) {
            Place::OfItsEvent
        } else {
            Place::Anywhere
        };
        let mut key = Vec::new();
        for at in 1..=table.key.len() {
            key.push(row.try_get::<String, _>(at)?);
        }
        for (index, column) in columns.iter().copied().enumerate() {
            let was: String = row.try_get(1 + table.key.len() + index)?;
            let left = if table.json.contains(&column) {
                needles.without_in_json(&was, place)
            } else {
                needles.without(&was, place)
            };
            hits.extend(left.map(|left| Hit {
                column,
                key: key.clone(),
                was,
                left,
            }));
        }
    }
    Ok(hits)
}

async fn replace(store: &Store, table: &Table, hit: &Hit) -> Result<(), sqlx::Error> {
    let of: Vec<String> = (table.key.iter())
        .enumerate()
        .map(|(at, key)| format!("CAST({key} AS TEXT) = ${}", at + 3))
        .collect();
    let column = hit.column;
    // Safe: tables and columns are this program's own.
    let statement = AssertSqlSafe(format!(
        "UPDATE {} SET {column} = $1 WHERE {column} = $2 AND {}",
        table.name,
        of.join(" AND ")
    ));
    let mut query = sqlx::query(statement).bind(&hit.left).bind(&hit.was);
    for key in &hit.key {
        query = query.bind(key);
    }
    query.execute(store.pool()).await?;
    Ok(())
}
