//! One entry of the knowledge base: proposed, changed, approved by its unit, retired.

use std::sync::Arc;

use askama::Template;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use backbone::region::{Region, SUBJECTS};
use jiff::Timestamp;

use crate::case::Actor;
use crate::console::access::SignedIn;
use crate::console::fields::{Choice, Fields};
use crate::console::page::{Frame, render_as};
use crate::console::problem::Problem;
use crate::console::routes::MOVERS;
use crate::console::{Console, place, show};
use crate::knowledge::{Content, Entry, KnowledgeError, LONGEST, Status};

#[derive(Template)]
#[template(path = "knowledge-entry.html")]
struct EntryPage {
    frame: Frame,
    id: String,
    question: String,
    answer: String,
    basis: String,
    subject: String,
    unit: String,
    /// Id of the case whose reply it is; empty where it is none, or one that may not be seen.
    source: String,
    status: &'static str,
    status_name: &'static str,
    written: (String, String),
    decided: (String, String),
    version: i64,
    may_approve: bool,
    may_retire: bool,
    may_change: bool,
    problem: String,
    done: &'static str,
}

#[derive(Template)]
#[template(path = "knowledge-form.html")]
struct FormPage {
    frame: Frame,
    /// Id and version of the entry that is changed; empty for another.
    id: String,
    version: i64,
    code: String,
    regions: Vec<Choice>,
    typed: Content,
    /// The answer that another has written meanwhile; empty where none has.
    newer: String,
    subjects: Vec<Choice>,
    units: Vec<Choice>,
    longest: [usize; 3],
    problem: String,
}

/// One entry.
pub(in crate::console) async fn show(
    State(console): State<Arc<Console>>,
    signed_in: SignedIn,
    Path(id): Path<String>,
    fields: Fields,
) -> Result<Response, Problem> {
    let done = match fields.get("done") {
        "added" => "已提出，待责任单位审定后发布。",
        "changed" => "已修改，待责任单位重新审定后发布。",
        "approved" => "已审定发布。",
        "retired" => "已停用，不再检索和公开。",
        _ => "",
    };
    let entry = found(&console, &id, &signed_in.user.actor()).await?;
    page(&console, &signed_in, &entry, String::new(), done).await
}

/// An entry that the actor may see.
async fn found(console: &Console, id: &str, actor: &Actor) -> Result<Entry, Problem> {
    let entry = console.knowledge.get(id).await?;
    let entry = entry.filter(|entry| entry.seen_by(actor));
    entry.ok_or(Problem::NotFound)
}

/// The form for an entry: another, one from the reply to a case, or a change of one.
pub(in crate::console) async fn form(
    State(console): State<Arc<Console>>,
    signed_in: SignedIn,
    fields: Fields,
) -> Result<Response, Problem> {
    let actor = signed_in.user.actor();
    let mut region = place::region(&console, &signed_in, &fields)?;
    let mut typed = Content::default();
    let (mut id, mut version) = (String::new(), 0);
    if !fields.get("entry").is_empty() {
        let entry = found(&console, fields.get("entry"), &actor).await?;
        region = console
            .regions
            .get(&entry.region)
            .ok_or(Problem::NotFound)?;
        (id, version, typed) = (entry.id, entry.version, entry.content);
    } else if !fields.get("case").is_empty() {
        let case = console.cases.get(fields.get("case"), &actor).await?;
        let case = case.ok_or(Problem::NotFound)?;
        region = console.regions.get(&case.region).ok_or(Problem::NotFound)?;
        typed = Content {
            question: case.alert.event.title.clone(),
            subject: case.alert.event.subject.clone(),
            unit: case.lead().to_owned(),
            answer: case.reply,
            basis: String::new(),
            source: case.id,
        };
    } else if actor.role.of_unit() {
        typed.unit.clone_from(&actor.unit);
    }
    let shown = Shown {
        id,
        version,
        typed,
        ..Shown::default()
    };
    form_page(&console, &signed_in, region, shown, String::new())
}

/// What stands in the form.
#[derive(Default)]
struct Shown {
    id: String,
    version: i64,
    typed: Content,
    /// The answer that another has written meanwhile.
    newer: String,
}

/// Proposes an entry.
pub(in crate::console) async fn add(
    State(console): State<Arc<Console>>,
    signed_in: SignedIn,
    fields: Fields,
) -> Result<Response, Problem> {
    let (now, actor) = (Timestamp::now(), signed_in.user.actor());
    let region = place::region(&console, &signed_in, &fields)?;
    let typed = typed(&fields);
    let source = &typed.source;
    if !source.is_empty() && console.cases.get(source, &actor).await?.is_none() {
        return Err(Problem::NotFound);
    }
    let proposed = (console.knowledge)
        .propose(region, &typed, &actor, now)
        .await;
    match proposed {
        Ok(entry) => {
            let (name, id) = (&signed_in.user.name, &entry.id);
            (console.accounts)
                .audit(name, "propose-knowledge", id, now)
                .await?;
            Ok(to(id, "added"))
        }
        Err(refused) => {
            let shown = Shown {
                typed,
                ..Shown::default()
            };
            form_page(&console, &signed_in, region, shown, said(refused)?)
        }
    }
}

/// Changes what an entry says.
pub(in crate::console) async fn change(
    State(console): State<Arc<Console>>,
    signed_in: SignedIn,
    Path(id): Path<String>,
    fields: Fields,
) -> Result<Response, Problem> {
    let (now, actor) = (Timestamp::now(), signed_in.user.actor());
    let entry = found(&console, &id, &actor).await?;
    let region = console.regions.get(&entry.region);
    let region = region.ok_or(Problem::NotFound)?;
    let mut typed = typed(&fields);
    typed.source = entry.content.source;
    let version = version(&fields);
    let changed = (console.knowledge)
        .change(region, &id, version, &typed, &actor, now)
        .await;
    match changed {
        Ok(()) => {
            (console.accounts)
                .audit(&signed_in.user.name, "change-knowledge", &id, now)
                .await?;
            Ok(to(&id, "changed"))
        }
        Err(refused) => {
            let mut shown = Shown {
                id,
                version,
                typed,
                ..Shown::default()
            };
            if matches!(refused, KnowledgeError::Stale) {
                let entry = found(&console, &shown.id, &actor).await?;
                (shown.version, shown.newer) = (entry.version, entry.content.answer);
            }
            form_page(&console, &signed_in, region, shown, said(refused)?)
        }
    }
}

/// Approves an entry for its unit.
pub(in crate::console) async fn approve(
    State(console): State<Arc<Console>>,
    signed_in: SignedIn,
    Path(id): Path<String>,
    fields: Fields,
) -> Result<Response, Problem> {
    let (now, actor) = (Timestamp::now(), signed_in.user.actor());
    let entry = found(&console, &id, &actor).await?;
    let approved = (console.knowledge)
        .approve(&id, version(&fields), &actor, now)
        .await;
    let done = ("approve-knowledge", "approved");
    decided(&console, &signed_in, &entry, approved, done, now).await
}

/// Retires an entry.
pub(in crate::console) async fn retire(
    State(console): State<Arc<Console>>,
    signed_in: SignedIn,
    Path(id): Path<String>,
    fields: Fields,
) -> Result<Response, Problem> {
    let (now, actor) = (Timestamp::now(), signed_in.user.actor());
    let entry = found(&console, &id, &actor).await?;
    let retired = (console.knowledge)
        .retire(&id, version(&fields), &actor, now)
        .await;
    let done = ("retire-knowledge", "retired");
    decided(&console, &signed_in, &entry, retired, done, now).await
}

async fn decided(
    console: &Console,
    signed_in: &SignedIn,
    entry: &Entry,
    result: Result<(), KnowledgeError>,
    (action, done): (&str, &str),
    now: Timestamp,
) -> Result<Response, Problem> {
    match result {
        Ok(()) => {
            (console.accounts)
                .audit(&signed_in.user.name, action, &entry.id, now)
                .await?;
            Ok(to(&entry.id, done))
        }
        Err(refused) => page(console, signed_in, entry, said(refused)?, "").await,
    }
}

fn to(id: &str, done: &str) -> Response {
    Redirect::to(&format!("/knowledge/{id}?done={done}")).into_response()
}

/// What is said of a refusal; a store that fails is no refusal.
fn said(refused: KnowledgeError) -> Result<String, Problem> {
    match refused {
        KnowledgeError::Store(_) | KnowledgeError::Unknown | KnowledgeError::NotFound => {
            Err(refused.into())
        }
        refused => Ok(format!("{refused}。")),
    }
}

fn version(fields: &Fields) -> i64 {
    fields.get("version").parse().unwrap_or(0)
}

fn typed(fields: &Fields) -> Content {
    let get = |name: &str| fields.get(name).to_owned();
    Content {
        question: get("question"),
        answer: get("answer"),
        subject: get("subject"),
        unit: get("unit"),
        basis: get("basis"),
        source: get("source"),
    }
}

fn form_page(
    console: &Console,
    signed_in: &SignedIn,
    region: &Region,
    Shown {
        id,
        version,
        typed,
        newer,
    }: Shown,
    problem: String,
) -> Result<Response, Problem> {
    let actor = signed_in.user.actor();
    let units = region.units.iter();
    let status = if problem.is_empty() {
        StatusCode::OK
    } else {
        StatusCode::UNPROCESSABLE_ENTITY
    };
    let page = FormPage {
        code: region.code().to_owned(),
        // An entry stays in its region.
        regions: if id.is_empty() && typed.source.is_empty() {
            place::regions(console, signed_in, region)
        } else {
            Vec::new()
        },
        newer,
        subjects: Choice::plain(SUBJECTS, &typed.subject),
        units: units
            .filter(|unit| !actor.role.of_unit() || unit.code == actor.unit)
            .map(|unit| Choice::new(unit.code.clone(), unit.name.clone(), &typed.unit))
            .collect(),
        longest: LONGEST,
        frame: Frame::new(console, signed_in, "/knowledge", "知识库"),
        id,
        version,
        typed,
        problem,
    };
    render_as(status, &page)
}

async fn page(
    console: &Console,
    signed_in: &SignedIn,
    entry: &Entry,
    problem: String,
    done: &'static str,
) -> Result<Response, Problem> {
    let actor = signed_in.user.actor();
    let content = &entry.content;
    let own = actor.region == entry.region && actor.unit == content.unit;
    let may_write = MOVERS.contains(&actor.role) && (!actor.role.of_unit() || own);
    let source = match content.source.as_str() {
        "" => None,
        case => console.cases.get(case, &actor).await?,
    };
    let status = if problem.is_empty() {
        StatusCode::OK
    } else {
        StatusCode::CONFLICT
    };
    let page = EntryPage {
        id: entry.id.clone(),
        question: content.question.clone(),
        answer: content.answer.clone(),
        basis: content.basis.clone(),
        subject: content.subject.clone(),
        unit: (console.unit_name(&entry.region, &content.unit)).to_owned(),
        source: source.map(|case| case.id).unwrap_or_default(),
        status: entry.status.title(),
        status_name: entry.status.name(),
        written: (entry.written_by.clone(), show::time(entry.written_at)),
        decided: (
            entry.decided_by.clone(),
            entry.decided_at.map(show::time).unwrap_or_default(),
        ),
        version: entry.version,
        may_approve: actor.role.of_unit() && own && entry.status == Status::Proposed,
        may_retire: may_write && entry.status != Status::Retired,
        may_change: may_write,
        problem,
        done,
        frame: Frame::new(console, signed_in, "/knowledge", "知识库"),
    };
    render_as(status, &page)
}
