//! The posts of a search as a file. Whoever takes it is in the audit, with what was searched and how many there were.

use std::sync::Arc;
use std::time::Duration;

use axum::extract::State;
use axum::http::header::{CONTENT_DISPOSITION, CONTENT_TYPE};
use axum::response::{IntoResponse, Response};
use jiff::Timestamp;
use tokio::sync::Semaphore;
use tokio::time::timeout;
use tracing::error;
use url::form_urlencoded::byte_serialize;

use super::super::Console;
use super::super::access::SignedIn;
use super::super::archive::{Exported, Exporting, Filter, MOST_EXPORTED};
use super::super::fields::Fields;
use super::super::page::{Frame, archive_unavailable};
use super::super::problem::Problem;
use super::super::show;
use super::form::{chips, filters, title_of};
use super::table::{Cell, Column, Format, Table};
use crate::clock::CHINA;

/// Characters of a text that a file holds.
const TEXT: usize = 2_000;

/// Files made at a time: each reads thousands of posts.
static TURNS: Semaphore = Semaphore::const_new(2);
/// Longest that one waits for a turn.
const PATIENCE: Duration = Duration::from_secs(20);

/// What a file tells of a post. Who wrote it is not among it.
const COLUMNS: [Column; 18] = [
    ("发布时间", 17),
    ("标题", 36),
    ("正文（至多2000字）", 80),
    ("来源", 16),
    ("来源类型", 10),
    ("情感", 8),
    ("诉求", 8),
    ("事项", 16),
    ("细分事项", 16),
    ("地点", 20),
    ("牵头单位", 24),
    ("协办单位", 24),
    ("所属事件", 36),
    ("事件级别", 14),
    ("网上答复时间", 17),
    ("涉及本地", 10),
    ("原文链接", 30),
    ("编号", 34),
];

/// The file.
pub(in crate::console) async fn export(
    State(console): State<Arc<Console>>,
    signed_in: SignedIn,
    fields: Fields,
) -> Result<Response, Problem> {
    let format = Format::named(fields.get("format")).ok_or(Problem::NotFound)?;
    let now = Timestamp::now();
    let asked = filters(&fields);
    let filter = Filter::read(&asked, 0, now);
    let turn = timeout(PATIENCE, TURNS.acquire()).await;
    let Ok(Ok(_turn)) = turn else {
        return Err(Problem::Busy);
    };
    let table = Table::begin(format, &COLUMNS).map_err(broken)?;
    let Some((table, posts)) = fill(&console, &filter, table).await? else {
        let frame = Frame::new(&console, &signed_in, "/posts", "导出");
        return archive_unavailable(frame);
    };
    let conditions: Vec<String> = chips(&console, &asked)
        .into_iter()
        .map(|chip| chip.title)
        .collect();
    let conditions = if conditions.is_empty() {
        "全部涉及本地的帖文".to_owned()
    } else {
        conditions.join("，")
    };
    let about = [
        ("检索条件", conditions.clone()),
        (
            "条数",
            format!("{posts}（一次至多{MOST_EXPORTED}条，最新的在前）"),
        ),
        ("导出时间", show::time(now)),
        ("导出人", signed_in.user.display_name.clone()),
        (
            "说明",
            "来自公开网页，电话和证件号码已遮盖，不含发帖人；情感、事项等由程序判断，以原文为准。"
                .to_owned(),
        ),
    ];
    let file = tokio::task::spawn_blocking(move || table.finish(&about)).await;
    let file = file
        .map_err(|error| broken(error.into()))?
        .map_err(broken)?;
    let subject = format!("{} {posts}条：{conditions}", format.name());
    console
        .accounts
        .audit(&signed_in.user.name, "export-posts", &subject, now)
        .await?;
    let end = format!(
        "{}.{}",
        CHINA.to_datetime(now).strftime("%Y%m%d-%H%M"),
        format.name()
    );
    let name: String = byte_serialize("舆情检索".as_bytes()).collect();
    let disposition =
        format!("attachment; filename=\"posts-{end}\"; filename*=UTF-8''{name}-{end}");
    let headers = [
        (CONTENT_TYPE, format.content_type().to_owned()),
        (CONTENT_DISPOSITION, disposition),
    ];
    Ok((headers, file).into_response())
}

/// Writes the posts into a table; gives it with their number, or nothing where ClickHouse did not answer.
async fn fill(
    console: &Console,
    filter: &Filter,
    mut table: Table,
) -> Result<Option<(Table, usize)>, Problem> {
    let regions: Vec<&str> = console.regions.keys().map(String::as_str).collect();
    let Ok(mut exporting) = Exporting::begin(&console.archive, &regions, filter).await else {
        return Ok(None);
    };
    let mut posts = 0;
    loop {
        // One character more shows that the text goes on.
        let Ok(rows) = exporting.next(TEXT + 1).await else {
            return Ok(None);
        };
        let Some(rows) = rows else {
            return Ok(Some((table, posts)));
        };
        posts += rows.len();
        for row in rows {
            table.row(&cells(console, row)).map_err(broken)?;
        }
    }
}

fn cells(console: &Console, row: Exported) -> Vec<Cell> {
    let unit = |code: &String| console.unit_name(&row.region, code).to_owned();
    let mut units = row.units.iter().map(unit);
    let lead = units.next().unwrap_or_default();
    let assists: Vec<String> = units.collect();
    let answered = if row.answered_at > 0 {
        show::time_of(row.answered_at)
    } else {
        String::new()
    };
    let level = if row.level > 0 {
        title_of(console, "level", &row.level.to_string())
    } else {
        String::new()
    };
    vec![
        Cell::Time(show::time_of(row.published_at)),
        Cell::Text(row.title),
        Cell::Text(cut(&row.beginning)),
        Cell::Text(row.source),
        Cell::Text(show::kind(&row.kind).to_owned()),
        Cell::Text(show::sentiment(&row.sentiment).to_owned()),
        Cell::Text(row.appeal),
        Cell::Text(row.subject),
        Cell::Text(row.subject_second),
        Cell::Text(row.places.join("、")),
        Cell::Text(lead),
        Cell::Text(assists.join("、")),
        Cell::Text(row.event_title),
        Cell::Text(level),
        Cell::Time(answered),
        Cell::Text(if row.relevant { "是" } else { "否" }.to_owned()),
        Cell::Text(show::link(&row.url)),
        Cell::Text(row.post_id),
    ]
}

/// A text of the length that a file holds, with `…` where it goes on.
fn cut(text: &str) -> String {
    let mut letters: String = text.chars().take(TEXT).collect();
    if text.chars().count() > TEXT {
        letters.push('…');
    }
    letters
}

fn broken(error: anyhow::Error) -> Problem {
    error!(%error, "an export could not be written");
    Problem::Broken
}
