//! One case: what it is about, its clocks, its units, the moves that may be made, and those that were.

mod facts;
mod forms;
mod reply;
pub(super) mod sheet;

use std::sync::Arc;

use askama::Template;
use axum::extract::{Path, State as Shared};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use jiff::Timestamp;

use self::facts::{Clock, NoticeLine, PartLine, Step, clocks, counts, notice_line, step};
use self::forms::{Form, UnitGroup, forms, groups, mergeable};
use self::reply::{CheckLines, DraftLines, check_lines, draft_lines};
use super::Console;
use super::access::SignedIn;
use super::commitments::CommitmentLine;
use super::fields::{Choice, Fields, typed_id};
use super::page::{Frame, render_as};
use super::problem::Problem;
use super::reply_check;
use super::show::{self, CaseLine};
use super::story::{Earlier, KeyDateLine, Term, earlier, key_dates, terms};
use crate::case::{
    Action, Actor, Case, Deed, Move, MoveError, State, StoreError, allowed, hindered,
};
use crate::reply::draft::Drafted;
use crate::{commitment, notify};

/// Most commitments shown of a case.
const MOST_COMMITMENTS: u32 = 50;

/// A file of the case.
struct AttachmentLine {
    id: String,
    name: String,
    size: String,
    who: String,
    at: String,
}

#[derive(Template)]
#[template(path = "case.html")]
struct CasePage {
    frame: Frame,
    line: CaseLine,
    version: i64,
    gist: String,
    event: String,
    office: bool,
    voices: u32,
    sources: String,
    places: String,
    subject: String,
    sentiment: &'static str,
    sentiment_word: &'static str,
    sentiment_score: String,
    first_at: String,
    last_at: String,
    /// Its posts by appeal and by sentiment, and how many were changed.
    counts: String,
    key_dates: Vec<KeyDateLine>,
    /// The earlier event that it repeats.
    recurrence: Option<Earlier>,
    risk_score: String,
    terms: Vec<Term>,
    clocks: Vec<Clock>,
    parts: Vec<PartLine>,
    hand_backs: u32,
    /// Id of the case that it is merged into; empty where it is not.
    merged_into: String,
    /// The cases that it may be merged into.
    others: Vec<Choice>,
    because: Vec<String>,
    reply: String,
    check: Option<CheckLines>,
    /// What a language model drafted.
    drafted: Option<DraftLines>,
    /// Whether one may be asked to.
    may_draft: bool,
    /// The move that would bring it on and may not be made yet, and why.
    hindered: Option<(&'static str, &'static str)>,
    forms: Vec<Form>,
    /// What was typed for a move that may not be made any more.
    left: String,
    groups: Vec<UnitGroup>,
    attachments: Vec<AttachmentLine>,
    /// What units promised in its reply.
    commitments: Vec<CommitmentLine>,
    /// Whether a file may be added.
    may_attach: bool,
    steps: Vec<Step>,
    notices: Vec<NoticeLine>,
    problem: String,
    done: &'static str,
}

/// The page.
pub(super) async fn show(
    Shared(console): Shared<Arc<Console>>,
    signed_in: SignedIn,
    Path(id): Path<String>,
    fields: Fields,
) -> Result<Response, Problem> {
    let done = Action::named(fields.get("done")).map_or("", Action::title);
    let now = Timestamp::now();
    console
        .accounts
        .audit(&signed_in.user.name, "read-case", &id, now)
        .await?;
    page(&console, &signed_in, &id, StatusCode::OK, done, None).await
}

/// What was typed into a form and has not been done.
pub(super) struct Typed {
    pub(super) deed: Deed,
    /// Why it was refused; empty where it was not.
    pub(super) problem: String,
    /// What a language model drafted.
    pub(super) drafted: Option<Drafted>,
}

impl Typed {
    /// What was refused, and why.
    pub(super) fn refused(deed: Deed, problem: String) -> Self {
        Self {
            deed,
            problem,
            drafted: None,
        }
    }
}

/// Makes a move.
pub(super) async fn perform(
    Shared(console): Shared<Arc<Console>>,
    signed_in: SignedIn,
    Path(id): Path<String>,
    fields: Fields,
) -> Result<Response, Problem> {
    let now = Timestamp::now();
    let actor = signed_in.user.actor();
    let action = Action::named(fields.get("action")).ok_or(Problem::NotFound)?;
    let deed = Deed {
        action,
        version: fields.get("version").parse().unwrap_or(0),
        note: fields.raw("note").to_owned(),
        choice: fields.get("choice").to_owned(),
        lead: fields.get("lead").to_owned(),
        assists: fields.all("assists"),
        into: match typed_id(fields.get("other")) {
            "" => fields.get("into"),
            other => other,
        }
        .to_owned(),
    };
    if action == Action::Reply && !fields.get("check").is_empty() {
        let typed = Typed::refused(deed, String::new());
        return page(&console, &signed_in, &id, StatusCode::OK, "", Some(typed)).await;
    }
    if action == Action::Reply && !fields.get("draft").is_empty() {
        let typed = drafted(&console, &signed_in, &id, deed, now).await?;
        return page(&console, &signed_in, &id, StatusCode::OK, "", Some(typed)).await;
    }
    match console
        .cases
        .perform(&id, &deed, &actor, &console.notices, now)
        .await
    {
        Ok(case) => {
            console
                .accounts
                .audit(&actor.name, action.name(), &id, now)
                .await?;
            // A unit that returns a case may not open it any more.
            let next = if actor.sees(&case) {
                format!("/cases/{id}?done={}", action.name())
            } else {
                "/cases".to_owned()
            };
            Ok(Redirect::to(&next).into_response())
        }
        Err(MoveError::NotFound) => Err(Problem::NotFound),
        Err(MoveError::Store(error)) => Err(error.into()),
        Err(refused) => {
            let status = match refused {
                MoveError::Stale | MoveError::Refused(_) => StatusCode::CONFLICT,
                _ => StatusCode::UNPROCESSABLE_ENTITY,
            };
            let typed = Typed::refused(deed, format!("{refused}。"));
            page(&console, &signed_in, &id, status, "", Some(typed)).await
        }
    }
}

/// Has a language model draft the reply, below what is typed already. Only who may hand it in may ask.
async fn drafted(
    console: &Console,
    signed_in: &SignedIn,
    id: &str,
    mut deed: Deed,
    now: Timestamp,
) -> Result<Typed, Problem> {
    let actor = signed_in.user.actor();
    let drafter = console.drafter.as_ref().ok_or(Problem::NotFound)?;
    let case = console.cases.get(id, &actor).await?;
    let case = case.ok_or(Problem::NotFound)?;
    if !may(&case, &actor, Action::Reply) {
        return Err(Problem::Forbidden);
    }
    let accounts = &console.accounts;
    accounts.audit(&actor.name, "draft-reply", id, now).await?;
    match reply_check::draft(console, drafter, &case, &actor).await? {
        Ok(drafted) => {
            deed.note = match deed.note.trim_end() {
                "" => drafted.text.clone(),
                typed => format!("{typed}\n\n{}", drafted.text),
            };
            Ok(Typed {
                deed,
                problem: String::new(),
                drafted: Some(drafted),
            })
        }
        Err(none) => Ok(Typed::refused(deed, format!("{none}。"))),
    }
}

fn may(case: &Case, actor: &Actor, action: Action) -> bool {
    allowed(case, actor)
        .iter()
        .any(|rule| rule.action == action)
}

pub(super) async fn page(
    console: &Console,
    signed_in: &SignedIn,
    id: &str,
    status: StatusCode,
    done: &'static str,
    typed: Option<Typed>,
) -> Result<Response, Problem> {
    let now = Timestamp::now();
    let actor = signed_in.user.actor();
    let case = console
        .cases
        .get(id, &actor)
        .await?
        .ok_or(Problem::NotFound)?;
    let moves = console.cases.moves(id).await?;
    let notices = notify::of_case(&console.store, id).await?;
    let attachments = console.cases.attachments(id).await?;
    let promised = commitment::Query {
        case_id: id.to_owned(),
        limit: MOST_COMMITMENTS,
        ..commitment::Query::default()
    };
    let commitments = console.commitments.list(&promised).await;
    let commitments = commitments.map_err(StoreError::from)?;
    let event = &case.alert.event;
    let sentiment = show::label(event.sentiment);
    let draft = match &typed {
        Some(typed) if typed.deed.action == Action::Reply => typed.deed.note.trim(),
        _ if case.state == State::Review => case.reply.as_str(),
        _ => "",
    };
    let check = if draft.is_empty() {
        None
    } else {
        let checked = reply_check::of_case(console, &case, draft, &actor).await?;
        checked.map(check_lines)
    };
    let others = mergeable(console, &case, &actor, typed.as_ref()).await?;
    let forms = forms(&case, &actor, typed.as_ref());
    let left = (typed.as_ref())
        .filter(|typed| {
            !forms
                .iter()
                .any(|form| form.action == typed.deed.action.name())
        })
        .map(|typed| typed.deed.note.clone());
    let unit_name = |code: &str| console.unit_name(&case.region, code).to_owned();
    let users = console.accounts.list().await?;
    let person = |name: &str| match users.iter().find(|user| user.name == name) {
        Some(user) => user.display_name.clone(),
        None => name.to_owned(),
    };
    let who = |made: &Move| {
        let unit = (!made.unit.is_empty()).then(|| unit_name(&made.unit));
        let name = (!made.actor.is_empty()).then(|| person(&made.actor));
        let role = Some(made.role.title().to_owned());
        let parts: Vec<String> = [unit, role, name].into_iter().flatten().collect();
        parts.join(" ")
    };
    let mut frame = Frame::new(console, signed_in, "/cases", "案件");
    frame.title = show::case_title(&case);
    let page = CasePage {
        line: CaseLine::new(console, &case, now),
        version: case.version,
        gist: event.gist.clone(),
        event: event.id.clone(),
        office: !actor.role.of_unit(),
        voices: event.voices,
        sources: event.sources.join("、"),
        places: event
            .places
            .iter()
            .map(|place| place.name.as_str())
            .collect::<Vec<_>>()
            .join("、"),
        subject: event.subject.clone(),
        sentiment,
        sentiment_word: show::sentiment(sentiment),
        sentiment_score: show::score(event.sentiment),
        first_at: show::time(event.first_at),
        last_at: show::time(event.last_at),
        counts: counts(event),
        key_dates: key_dates(event),
        recurrence: earlier(event),
        risk_score: format!("{:.2}", case.alert.score),
        terms: terms(&case.alert),
        clocks: clocks(&case, now),
        parts: (case.parts.iter())
            .map(|part| PartLine {
                unit: unit_name(&part.unit),
                leads: part.unit == case.lead(),
                progress: part.progress.title(),
            })
            .collect(),
        hand_backs: case.hand_backs,
        merged_into: case.merged_into.clone(),
        others,
        because: case.routed_because.split('；').map(str::to_owned).collect(),
        reply: case.reply.clone(),
        check,
        drafted: typed
            .as_ref()
            .and_then(|typed| typed.drafted.as_ref())
            .map(draft_lines),
        may_draft: console.drafter.is_some(),
        hindered: hindered(&case, &actor),
        forms,
        left: left.unwrap_or_default(),
        groups: groups(console, &case, typed.as_ref()),
        attachments: (attachments.into_iter())
            .map(|file| AttachmentLine {
                size: show::bytes(file.size),
                who: person(&file.actor),
                at: show::time(file.at),
                id: file.id,
                name: file.name,
            })
            .collect(),
        may_attach: may(&case, &actor, Action::Attach),
        commitments: (commitments.iter())
            .map(|commitment| CommitmentLine::new(console, commitment, &actor, now))
            .collect(),
        steps: (moves.iter().rev())
            .map(|made| step(made, who(made)))
            .collect(),
        notices: notices
            .iter()
            .map(|notice| notice_line(notice, &unit_name))
            .collect(),
        problem: typed.map(|typed| typed.problem).unwrap_or_default(),
        done,
        frame,
    };
    render_as(status, &page)
}
