//! One case: what it is about, its clocks, its units, the moves that may be made, and those that were.

use std::sync::Arc;

use askama::Template;
use axum::extract::{Path, State as Shared};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use backbone::message::{EventSummary, Turn};
use backbone::region::UnitKind;
use jiff::Timestamp;

use super::Console;
use super::access::SignedIn;
use super::fields::{Choice, Fields};
use super::page::{Frame, render_as};
use super::problem::Problem;
use super::reply_check::{self, Against, Checked};
use super::show::{self, CaseLine};
use crate::case::{self, Action, Actor, Case, Deed, Move, MoveError, Query, Rule, State, allowed};
use crate::notify::{self, Notice};
use crate::reply::suggest::Source;
use crate::reply::{Finding, Severity};

/// Most cases offered to merge into.
const MERGEABLE: u32 = 100;

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

/// A unit and how far it is.
struct PartLine {
    unit: String,
    leads: bool,
    progress: &'static str,
}

/// What the check says of the reply, or of a draft.
struct CheckLines {
    /// Whether nothing stands that must be mended.
    good: bool,
    /// How many points of the posts it answers, and of how many.
    answered: usize,
    points: usize,
    /// Whether the posts could not be had.
    by_gist: bool,
    findings: Vec<FindingLine>,
    suggestions: Vec<SuggestionLine>,
}

/// Something to mend.
struct FindingLine {
    severity: &'static str,
    must: bool,
    title: &'static str,
    /// The words of the draft, or those of the posts that it does not answer; empty where something is missing.
    words: String,
    advice: String,
}

/// A text that may be used, and where it comes from.
struct SuggestionLine {
    text: String,
    source: &'static str,
    /// The case that it comes from; empty where that is the knowledge base.
    case: String,
}

/// A file of the case.
struct AttachmentLine {
    id: String,
    name: String,
    size: String,
    who: String,
    at: String,
}

/// A move that may be made.
struct Form {
    action: &'static str,
    title: &'static str,
    /// What must be written; empty where nothing must.
    note: &'static str,
    dispatch: bool,
    /// Whether another case is to be chosen.
    merge: bool,
    /// Whether a unit may be proposed.
    propose: bool,
    /// What is to be chosen.
    choices: Vec<Choice>,
    /// Whether what is written is checked as a reply.
    reply: bool,
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
    to: String,
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
    parts: Vec<PartLine>,
    hand_backs: u32,
    /// Id of the case that it is merged into; empty where it is not.
    merged_into: String,
    /// The cases that it may be merged into.
    others: Vec<Choice>,
    because: Vec<String>,
    reply: String,
    check: Option<CheckLines>,
    forms: Vec<Form>,
    groups: Vec<UnitGroup>,
    attachments: Vec<AttachmentLine>,
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

/// A refused move: what was typed, and why it was refused.
pub(super) struct Refused<'a> {
    pub(super) deed: &'a Deed,
    pub(super) problem: String,
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
        into: fields.get("into").to_owned(),
    };
    if action == Action::Reply && !fields.get("check").is_empty() {
        let draft = Refused {
            deed: &deed,
            problem: String::new(),
        };
        return page(&console, &signed_in, &id, StatusCode::OK, "", Some(draft)).await;
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
            let refused = Refused {
                deed: &deed,
                problem: format!("{refused}。"),
            };
            page(&console, &signed_in, &id, status, "", Some(refused)).await
        }
    }
}

pub(super) async fn page(
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
    let attachments = console.cases.attachments(id).await?;
    let event = &case.alert.event;
    let sentiment = show::label(event.sentiment);
    let draft = match &refused {
        Some(refused) if refused.deed.action == Action::Reply => refused.deed.note.trim(),
        _ if case.state == State::Review => case.reply.as_str(),
        _ => "",
    };
    let check = if draft.is_empty() {
        None
    } else {
        let checked = reply_check::of_case(console, &case, draft, &actor).await?;
        checked.map(check_lines)
    };
    let others = mergeable(console, &case, &actor).await?;
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
        forms: forms(&case, &actor, refused.as_ref()),
        groups: groups(console, &case, refused.as_ref()),
        attachments: (attachments.into_iter())
            .map(|file| AttachmentLine {
                size: show::bytes(file.size),
                who: person(&file.actor),
                at: show::time(file.at),
                id: file.id,
                name: file.name,
            })
            .collect(),
        may_attach: (allowed(&case, &actor).iter()).any(|rule| rule.action == Action::Attach),
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

/// The open cases of the region that a case may be merged into, where the actor may do that.
async fn mergeable(console: &Console, case: &Case, actor: &Actor) -> Result<Vec<Choice>, Problem> {
    if !(allowed(case, actor).iter()).any(|rule| rule.action == Action::Merge) {
        return Ok(Vec::new());
    }
    let query = Query {
        region: case.region.clone(),
        states: State::ALL
            .into_iter()
            .filter(|state| state.open())
            .collect(),
        limit: MERGEABLE,
        ..Query::default()
    };
    let page = console.cases.list(&query, actor).await?;
    Ok((page.cases.iter())
        .filter(|other| other.id != case.id)
        .map(|other| Choice::new(other.id.clone(), show::case_title(other), ""))
        .collect())
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
    let answered = case.answered_at.map(|at| Clock {
        title: "回应",
        due: show::time(case.respond_by),
        left: format!("{} 已回应", show::time(at)),
        late: at > case.respond_by,
    });
    let paused = case.paused_at.map(|since| Clock {
        title: "全部",
        due: format!("{} 起", show::time(since)),
        left: "计时暂停".to_owned(),
        late: false,
    });
    // Of several units that have to sign, the first due.
    let mut shown: Vec<case::Clock> = Vec::new();
    let running = case.clocks();
    let running = running.iter().filter_map(|(clock, _, due)| {
        let first = !shown.contains(clock);
        shown.push(*clock);
        first.then(|| Clock {
            title: clock.title(),
            due: show::time(*due),
            left: show::until(*due, now),
            late: *due < now,
        })
    });
    running.chain(answered).chain(paused).collect()
}

fn check_lines(checked: Checked) -> CheckLines {
    let check = checked.check;
    let points = &check.points;
    // What is missing stands in the posts, not in the draft.
    let words = |finding: &Finding| match (&finding.at, finding.point) {
        (Some(at), _) => at.words.clone(),
        (None, Some(point)) => (points.get(point))
            .map(|point| point.at.words.clone())
            .unwrap_or_default(),
        (None, None) => String::new(),
    };
    CheckLines {
        good: check.may_go_to_review(),
        answered: (check.points.iter())
            .filter(|point| point.answer.is_some())
            .count(),
        points: check.points.len(),
        by_gist: checked.against == Against::Gist,
        findings: (check.findings.iter())
            .map(|finding| FindingLine {
                severity: finding.severity.title(),
                must: finding.severity == Severity::Must,
                title: finding.kind.title(),
                words: words(finding),
                advice: finding.advice.clone(),
            })
            .collect(),
        suggestions: (checked.suggestions.into_iter())
            .map(|suggestion| {
                let (source, case) = match suggestion.source {
                    Source::Case(id) => ("已答复案件", id),
                    Source::Knowledge(_) => ("政策咨询问答库", String::new()),
                };
                SuggestionLine {
                    text: suggestion.text,
                    source,
                    case,
                }
            })
            .collect(),
    }
}

fn forms(case: &Case, actor: &Actor, refused: Option<&Refused<'_>>) -> Vec<Form> {
    let form = |(index, rule): (usize, &'static Rule)| Form {
        action: rule.action.name(),
        title: rule.action.title(),
        note: rule.note,
        dispatch: matches!(rule.action, Action::Dispatch | Action::Redispatch),
        merge: rule.action == Action::Merge,
        reply: rule.action == Action::Reply,
        propose: rule.action == Action::Return && actor.unit == case.lead(),
        choices: Choice::plain(
            rule.choices.iter().copied(),
            refused.map_or("", |refused| refused.deed.choice.as_str()),
        ),
        typed: refused
            .filter(|refused| refused.deed.action == rule.action)
            .map(|refused| refused.deed.note.clone())
            .unwrap_or_default(),
        first: index == 0,
    };
    allowed(case, actor)
        .into_iter()
        // A file has a form of its own.
        .filter(|rule| rule.action != Action::Attach)
        .enumerate()
        .map(form)
        .collect()
}

fn groups(console: &Console, case: &Case, refused: Option<&Refused<'_>>) -> Vec<UnitGroup> {
    let Some(region) = console.regions.get(&case.region) else {
        return Vec::new();
    };
    let (lead, assists) = match refused {
        Some(refused) if matches!(refused.deed.action, Action::Dispatch | Action::Redispatch) => {
            (refused.deed.lead.as_str(), refused.deed.assists.clone())
        }
        _ => (
            case.lead(),
            (case.assisting().iter())
                .map(|part| part.unit.clone())
                .collect(),
        ),
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
                lead: unit.code == lead,
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
        note: match made.choice.as_str() {
            "" => made.note.clone(),
            choice => format!("{choice}。{}", made.note),
        },
    }
}

fn notice_line(notice: &Notice, unit_name: &impl Fn(&str) -> String) -> NoticeLine {
    let unit = unit_name(&notice.addressee.unit);
    NoticeLine {
        to: format!("{unit}{}", notice.addressee.contact),
        what: notice.body.action().to_owned(),
        channel: notice.channel().to_owned(),
        state: notice.state.title(),
        failed: notice.state == notify::State::Failed,
        attempts: notice.attempts,
        problem: notice.problem.clone(),
        at: show::time(notice.updated_at),
    }
}
