//! One report: what it says, where it stands, what is done with it.

use std::sync::Arc;

use askama::Template;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use jiff::Timestamp;
use report::numbers::changes;

use super::{PLACE, found, said};
use crate::console::access::SignedIn;
use crate::console::fields::{Choice, Fields};
use crate::console::page::{Frame, render_as};
use crate::console::problem::Problem;
use crate::console::{Console, show};
use crate::erasure;
use crate::notify;
use crate::paper::difference::{self, Fate};
use crate::paper::{Action, Paper, State as Stage, edit, link};

/// Seconds between looks whether a report is made.
const REFRESH: u32 = 2;
/// Lines that are shown as changed.
const MOST_LINES: usize = 200;

/// A line that an edit took out or put in.
struct Changed {
    removed: bool,
    text: String,
}

/// A file to take along.
struct Download {
    file: String,
    title: String,
    size: String,
    sha256: String,
}

/// One who was told.
struct Told {
    who: String,
    channel: String,
    state: &'static str,
    problem: String,
    at: String,
}

/// A file as it was before an erasure.
struct Earlier {
    file: String,
    sha256: String,
    at: String,
}

/// What was done.
struct Done {
    title: &'static str,
    actor: String,
    at: String,
    note: String,
}

#[derive(Template)]
#[template(path = "paper.html")]
struct PaperPage {
    frame: Frame,
    id: String,
    version: i64,
    title: String,
    number: String,
    region: String,
    kind: &'static str,
    days: String,
    state: &'static str,
    state_name: &'static str,
    /// Whether it is being made, and what keeps it.
    making: bool,
    problem_of_making: String,
    /// Whether there is anything to look at.
    made: bool,
    signed: bool,
    made_at: String,
    asked_by: String,
    edited: (String, String),
    approved: (String, String),
    returned: String,
    /// How many paragraphs a language model reworded since it was made.
    polished: usize,
    /// Why its numbers are not those that were generated, and which are not.
    reason: String,
    numbers: String,
    changed: Vec<Changed>,
    more_changed: bool,
    downloads: Vec<Download>,
    tables: Vec<Download>,
    may_edit: bool,
    may_submit: bool,
    may_approve: bool,
    may_return: bool,
    may_remake: bool,
    may_withdraw: bool,
    may_send: bool,
    typed: String,
    lists: Vec<Choice>,
    told: Vec<Told>,
    /// What the files were before an erasure changed them.
    were: Vec<Earlier>,
    moves: Vec<Done>,
    problem: String,
    done: &'static str,
}

/// The page of a report.
pub(in crate::console) async fn show(
    State(console): State<Arc<Console>>,
    signed_in: SignedIn,
    Path(id): Path<String>,
    fields: Fields,
) -> Result<Response, Problem> {
    let paper = found(&console, &id).await?;
    // While it is made there is nothing to read yet, and the page is loaded again and again.
    if paper.state != Stage::Making {
        (console.accounts)
            .audit(&signed_in.user.name, "read-report", &id, Timestamp::now())
            .await?;
    }
    let done = match fields.get("done") {
        "known" => "这份报告已有人生成，以下是已有的一份。",
        "edit" => "修改已保存。",
        "polish" => "已采用润色后的段落，请看差异。",
        "submit" => "已提交审核。",
        "return" => "已退回修改。",
        "approve" => "已签发，内容和数据从此不再变动。",
        "withdraw" => "已撤回。",
        "send" => "已发送，送达情况见“送阅”。",
        _ => "",
    };
    let refused = Refused {
        status: StatusCode::OK,
        problem: String::new(),
        typed: String::new(),
    };
    page(&console, &signed_in, &paper, refused, done).await
}

/// Submits, returns, signs or withdraws a report, or has it made anew.
pub(in crate::console) async fn perform(
    State(console): State<Arc<Console>>,
    signed_in: SignedIn,
    Path(id): Path<String>,
    fields: Fields,
) -> Result<Response, Problem> {
    let action = Action::named(fields.get("action"));
    let action =
        (action.filter(|action| Action::MOVES.contains(action))).ok_or(Problem::NotFound)?;
    let (actor, now) = (signed_in.user.actor(), Timestamp::now());
    let (papers, version, note) = (&console.papers, version(&fields), fields.get("note"));
    let performed = if action == Action::Approve {
        (papers.approve(&id, version, &console.press, &actor, now)).await
    } else {
        (papers.perform(&id, version, action, note, &actor, now)).await
    };
    match performed {
        Ok(()) => Ok(to(&id, action)),
        Err(refused) => {
            let (status, problem) = said(refused)?;
            let paper = found(&console, &id).await?;
            let refused = Refused {
                status,
                problem,
                typed: note.to_owned(),
            };
            page(&console, &signed_in, &paper, refused, "").await
        }
    }
}

/// Sends a signed report to a list.
pub(in crate::console) async fn send(
    State(console): State<Arc<Console>>,
    signed_in: SignedIn,
    Path(id): Path<String>,
    fields: Fields,
) -> Result<Response, Problem> {
    let paper = found(&console, &id).await?;
    let region = console.regions.get(&paper.region);
    let region = region.ok_or(Problem::NotFound)?;
    let lists = console.lists.of(&paper.region).await?;
    let list = lists.iter().find(|list| list.id == fields.get("list"));
    let list = list.ok_or(Problem::NotFound)?;
    let (actor, now) = (signed_in.user.actor(), Timestamp::now());
    let to_where = (region, &console.settings.public_url);
    let sent = (console.papers)
        .send(&id, version(&fields), list, to_where, &actor, now)
        .await;
    match sent {
        Ok(_) => Ok(to(&id, Action::Send)),
        Err(refused) => {
            let (status, problem) = said(refused)?;
            let refused = Refused {
                status,
                problem,
                typed: String::new(),
            };
            page(&console, &signed_in, &paper, refused, "").await
        }
    }
}

pub(super) fn to(id: &str, done: Action) -> Response {
    Redirect::to(&format!("/reports/{id}?done={}", done.name())).into_response()
}

pub(super) fn version(fields: &Fields) -> i64 {
    fields.get("version").parse().unwrap_or(0)
}

/// What was refused; nothing, where the page is only looked at.
struct Refused {
    status: StatusCode,
    problem: String,
    typed: String,
}

async fn page(
    console: &Console,
    signed_in: &SignedIn,
    paper: &Paper,
    refused: Refused,
    done: &'static str,
) -> Result<Response, Problem> {
    let role = signed_in.user.role;
    let may = |action: Action| action.is_for(role, paper.state);
    let making = paper.state == Stage::Making;
    let content = console.papers.read(&paper.id).await?;
    let content = content.map(|(_, content)| content).filter(|_| !making);
    let (mut numbers, mut changed, mut tables) = (String::new(), Vec::new(), Vec::new());
    if let Some(content) = &content {
        numbers = edit::told(&changes(&content.generated, &content.text));
        let short = |text: &str| link::shortened(text, &content.generated);
        let (before, after) = (short(&content.generated), short(&content.text));
        let lines = difference::lines(&before, &after).into_iter();
        changed = lines
            .filter(|(fate, _)| *fate != Fate::Kept)
            .take(MOST_LINES + 1)
            .map(|(fate, text)| Changed {
                removed: fate == Fate::Removed,
                text: text.to_owned(),
            })
            .collect();
        tables = (content.figures.tables.iter())
            .filter(|table| !table.rows.is_empty())
            .map(|table| Download {
                file: format!("{}.csv", table.name),
                title: table.title.clone(),
                size: String::new(),
                sha256: String::new(),
            })
            .collect();
    }
    let mut downloads: Vec<Download> = FORMS
        .iter()
        .filter(|_| content.is_some())
        .map(|(file, title)| Download {
            file: (*file).to_owned(),
            title: (*title).to_owned(),
            size: String::new(),
            sha256: String::new(),
        })
        .collect();
    if paper.state.is_signed() {
        let kept = console.papers.kept(&paper.id).await?;
        let signed = |download: &mut Download| {
            let found = kept.iter().find(|kept| kept.file == download.file);
            if let Some(kept) = found {
                download.size = show::bytes(kept.size);
                download.sha256.clone_from(&kept.sha256);
            }
            found.is_some()
        };
        downloads.retain_mut(signed);
        tables.retain_mut(signed);
    }
    let more_changed = changed.len() > MOST_LINES;
    changed.truncate(MOST_LINES);
    let lists = if may(Action::Send) {
        console.lists.of(&paper.region).await?
    } else {
        Vec::new()
    };
    let region = console.regions.get(&paper.region);
    let mut frame = Frame::new(console, signed_in, PLACE, paper.title.clone());
    frame.refresh = if making { REFRESH } else { 0 };
    let told = notify::of_case(&console.store, &paper.id).await?;
    let moves = console.papers.moves(&paper.id).await?;
    let were = erasure::were(&console.store, &paper.id).await?;
    let page = PaperPage {
        frame,
        id: paper.id.clone(),
        version: paper.version,
        title: paper.title.clone(),
        number: paper.number.clone(),
        region: region.map_or_else(
            || paper.region.clone(),
            |region| region.gazetteer.name.clone(),
        ),
        kind: paper.kind().title(),
        days: show::days(paper.period),
        state: paper.state.title(),
        state_name: paper.state.name(),
        making,
        problem_of_making: paper.problem.clone(),
        made: content.is_some(),
        signed: paper.state.is_signed(),
        made_at: paper.made_at.map(show::time).unwrap_or_default(),
        asked_by: paper.asked_by.clone(),
        edited: (
            paper.edited_by.clone(),
            paper.edited_at.map(show::time).unwrap_or_default(),
        ),
        approved: (
            paper.approved_by.clone(),
            paper.approved_at.map(show::time).unwrap_or_default(),
        ),
        returned: paper.returned.clone(),
        polished: (moves.iter())
            .take_while(|done| done.action != Action::Make)
            .filter(|done| done.action == Action::Polish)
            .count(),
        reason: paper.reason.clone(),
        numbers,
        changed,
        more_changed,
        downloads,
        tables,
        may_edit: may(Action::Edit),
        may_submit: may(Action::Submit),
        may_approve: may(Action::Approve),
        may_return: may(Action::Return),
        may_remake: may(Action::Remake),
        may_withdraw: may(Action::Withdraw),
        may_send: may(Action::Send),
        typed: refused.typed,
        lists: (lists.iter())
            .map(|list| {
                let title = format!("{}（{}人）", list.name, list.addressees.len());
                Choice::new(list.id.clone(), title, "")
            })
            .collect(),
        were: (were.into_iter())
            .map(|was| Earlier {
                file: was.file,
                sha256: was.sha256,
                at: show::time(was.at),
            })
            .collect(),
        told: (told.iter())
            .map(|notice| Told {
                who: format!(
                    "{} {}",
                    console.unit_name(&notice.addressee.region, &notice.addressee.unit),
                    notice.addressee.contact
                ),
                channel: notice.channel().to_owned(),
                state: notice.state.title(),
                problem: notice.problem.clone(),
                at: show::time(notice.updated_at),
            })
            .collect(),
        moves: (moves.into_iter())
            .map(|done| Done {
                title: done.action.title(),
                actor: done.actor,
                at: show::time(done.at),
                note: done.note,
            })
            .collect(),
        problem: refused.problem,
        done,
    };
    render_as(refused.status, &page)
}

/// The forms that a whole report is written in, as a page calls them.
const FORMS: [(&str, &str); 4] = [
    ("docx", "Word（公文版式）"),
    ("pdf", "PDF"),
    ("xlsx", "Excel（全部表格）"),
    ("html", "网页"),
];
