//! One case: what it is about, its clocks, its units, the moves that may be made, and those that were.

use std::sync::Arc;

use askama::Template;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use backbone::message::{EventSummary, Turn};
use backbone::region::UnitKind;
use jiff::Timestamp;

use super::Console;
use super::access::SignedIn;
use super::fields::Fields;
use super::page::{Frame, render_as};
use super::problem::Problem;
use super::show::{self, CaseLine};
use crate::case::{Action, Actor, Case, Deed, Move, MoveError, Rule, allowed};
use crate::notify::{self, Notice};

/// A deadline of the case.
struct Clock {
    title: &'static str,
    due: String,
    left: String,
    late: bool,
}

/// A term of the risk formula.
struct Term {
    title: &'static str,
    value: String,
    share: String,
    /// Of 100: the length of its bar.
    length: u64,
}

/// A date in the story of the event.
struct KeyDateLine {
    title: &'static str,
    at: String,
}

/// The earlier event that one repeats.
struct Earlier {
    event: String,
    title: String,
    last_at: String,
}

/// A move that may be made.
struct Form {
    action: &'static str,
    title: &'static str,
    /// What must be written; empty where nothing must.
    note: &'static str,
    dispatch: bool,
    /// What was typed before the move was refused.
    typed: String,
    /// The most usual next move, shown first and strongest.
    first: bool,
}

struct UnitChoice {
    code: String,
    name: String,
    lead: bool,
    assists: bool,
}

struct UnitGroup {
    title: &'static str,
    units: Vec<UnitChoice>,
}

struct Step {
    title: &'static str,
    state: &'static str,
    who: String,
    at: String,
    note: String,
}

struct NoticeLine {
    unit: String,
    what: String,
    channel: String,
    state: &'static str,
    failed: bool,
    attempts: u32,
    problem: String,
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
    assists: Vec<String>,
    because: Vec<String>,
    reply: String,
    forms: Vec<Form>,
    groups: Vec<UnitGroup>,
    steps: Vec<Step>,
    notices: Vec<NoticeLine>,
    problem: String,
    done: &'static str,
}

/// The page.
pub(super) async fn show(
    State(console): State<Arc<Console>>,
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

/// A refused move: what was typed, and why it was refused.
struct Refused<'a> {
    deed: &'a Deed,
    problem: String,
}

/// Makes a move.
pub(super) async fn perform(
    State(console): State<Arc<Console>>,
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
        lead: fields.get("lead").to_owned(),
        assists: fields.all("assists"),
    };
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
                MoveError::Stale | MoveError::NotAllowed { .. } => StatusCode::CONFLICT,
                _ => StatusCode::UNPROCESSABLE_ENTITY,
            };
            let refused = Refused {
                deed: &deed,
                problem: format!("{refused}。"),
            };
            page(&console, &signed_in, &id, status, "", Some(refused)).await
        }
    }
}

async fn page(
    console: &Console,
    signed_in: &SignedIn,
    id: &str,
    status: StatusCode,
    done: &'static str,
    refused: Option<Refused<'_>>,
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
    let event = &case.alert.event;
    let sentiment = show::label(event.sentiment);
    let unit_name = |code: &str| console.unit_name(&case.region, code).to_owned();
    let users = console.accounts.list().await?;
    let person = |name: &str| match users.iter().find(|user| user.name == name) {
        Some(user) => user.display_name.clone(),
        None => name.to_owned(),
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
        key_dates: (event.key_dates.iter())
            .map(|date| KeyDateLine {
                title: turn(date.what),
                at: show::time(date.at),
            })
            .collect(),
        recurrence: (event.recurrence.as_ref()).map(|earlier| Earlier {
            event: earlier.event.clone(),
            title: earlier.title.clone(),
            last_at: show::time(earlier.last_at),
        }),
        risk_score: format!("{:.2}", case.alert.score),
        terms: terms(&case),
        clocks: clocks(&case, now),
        assists: case.assists.iter().map(|code| unit_name(code)).collect(),
        because: case.routed_because.split('；').map(str::to_owned).collect(),
        reply: case.reply.clone(),
        forms: forms(&case, &actor, refused.as_ref()),
        groups: groups(console, &case, refused.as_ref()),
        steps: moves.iter().rev().map(|made| step(made, &person)).collect(),
        notices: notices
            .iter()
            .map(|notice| notice_line(notice, &unit_name))
            .collect(),
        problem: refused.map(|refused| refused.problem).unwrap_or_default(),
        done,
        frame,
    };
    render_as(status, &page)
}

fn terms(case: &Case) -> Vec<Term> {
    let title = |name: &str| match name {
        "subject" => "事项敏感程度",
        "sentiment" => "负面程度",
        "intensity" => "伤害与紧急用词",
        "posts" => "帖文数量",
        "voices" => "反映人数",
        "spread" => "传播范围",
        "speed" => "一天内增长",
        "silence" => "等待答复时间",
        "answer" => "已有官方回应",
        _ => "其他",
    };
    case.alert
        .terms
        .iter()
        .map(|term| Term {
            title: title(&term.name),
            value: format!("{:.2}", term.value),
            share: format!("{:+.3}", term.share),
            length: (term.value.clamp(0.0, 1.0) * 100.0).round() as u64,
        })
        .collect()
}

fn turn(what: Turn) -> &'static str {
    match what {
        Turn::First => "首次反映",
        Turn::Level => "达到等级",
        Turn::Peak => "单日最多",
        Turn::Answered => "官方回应",
        Turn::Revived => "再度出现",
        Turn::Newest => "最新反映",
    }
}

fn counts(event: &EventSummary) -> String {
    let moods = &event.sentiments;
    let moods = [
        ("负面", moods.negative),
        ("中性", moods.neutral),
        ("正面", moods.positive),
        ("修改", event.revisions),
    ];
    let appeals = (event.appeals.iter()).map(|appeal| (appeal.name.as_str(), appeal.posts));
    appeals
        .chain(moods)
        .filter(|(_, posts)| *posts > 0)
        .map(|(name, posts)| format!("{name}{posts}"))
        .collect::<Vec<_>>()
        .join(" ")
}

fn clocks(case: &Case, now: Timestamp) -> Vec<Clock> {
    let clock = |title, due: Timestamp| Clock {
        title,
        due: show::time(due),
        left: show::until(due, now),
        late: due < now,
    };
    let answered = case.answered_at.map(|at| Clock {
        title: "回应",
        due: show::time(case.respond_by),
        left: format!("{} 已回应", show::time(at)),
        late: at > case.respond_by,
    });
    let sign = case.sign_by.map(|due| clock("签收", due));
    let first = case.first_information_by.map(|due| clock("首次信息", due));
    let answer = answered.unwrap_or_else(|| clock("回应", case.respond_by));
    sign.into_iter().chain(first).chain([answer]).collect()
}

fn forms(case: &Case, actor: &Actor, refused: Option<&Refused<'_>>) -> Vec<Form> {
    let form = |(index, rule): (usize, &'static Rule)| Form {
        action: rule.action.name(),
        title: rule.action.title(),
        note: rule.note,
        dispatch: rule.action == Action::Dispatch,
        typed: refused
            .filter(|refused| refused.deed.action == rule.action)
            .map(|refused| refused.deed.note.clone())
            .unwrap_or_default(),
        first: index == 0,
    };
    allowed(case, actor)
        .into_iter()
        .enumerate()
        .map(form)
        .collect()
}

fn groups(console: &Console, case: &Case, refused: Option<&Refused<'_>>) -> Vec<UnitGroup> {
    let Some(region) = console.regions.get(&case.region) else {
        return Vec::new();
    };
    let (lead, assists) = match refused {
        Some(refused) if refused.deed.action == Action::Dispatch => {
            (&refused.deed.lead, &refused.deed.assists)
        }
        _ => (&case.lead, &case.assists),
    };
    [
        ("县直部门", UnitKind::Department),
        ("属地单位", UnitKind::Place),
        ("办公室", UnitKind::Office),
    ]
    .into_iter()
    .map(|(title, kind)| UnitGroup {
        title,
        units: region
            .units
            .iter()
            .filter(|unit| unit.kind == kind)
            .map(|unit| UnitChoice {
                code: unit.code.clone(),
                name: unit.name.clone(),
                lead: unit.code == *lead,
                assists: assists.contains(&unit.code),
            })
            .collect(),
    })
    .collect()
}

fn step(made: &Move, person: &impl Fn(&str) -> String) -> Step {
    let who = if made.actor.is_empty() {
        made.role.title().to_owned()
    } else {
        format!("{} {}", made.role.title(), person(&made.actor))
    };
    Step {
        title: made.action.title(),
        state: made.to.title(),
        who,
        at: show::time(made.at),
        note: made.note.clone(),
    }
}

fn notice_line(notice: &Notice, unit_name: &impl Fn(&str) -> String) -> NoticeLine {
    NoticeLine {
        unit: unit_name(&notice.unit),
        what: notice.body.action().to_owned(),
        channel: notice.channel.clone(),
        state: match notice.state.as_str() {
            "sent" => "已送达",
            "failed" => "失败",
            _ => "待发送",
        },
        failed: notice.state == "failed",
        attempts: notice.attempts,
        problem: notice.problem.clone(),
        at: show::time(notice.updated_at),
    }
}
