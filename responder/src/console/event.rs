//! One event: its course, where it is seen, how its level came about, its case, its posts, and the events like it.

mod opening;

use std::collections::BTreeMap;
use std::sync::Arc;

use askama::Template;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use backbone::id;
use jiff::Timestamp;

use super::Console;
use super::access::SignedIn;
use super::archive::event::{Fold, SeenIn, Step};
use super::archive::{self, EventRow};
use super::chart::{Chart, Series};
use super::edits::{self, EditLine, NotMade};
use super::events::EventLine;
use super::fields::{Choice, Fields, Pages};
use super::page::{Frame, archive_unavailable, render_as};
use super::posts::PostLine;
use super::problem::Problem;
use super::show::{self, CaseLine, Level};
use super::story::{Earlier, KeyDateLine, Term, earlier, key_dates, terms};
use crate::clock::CHINA;

pub(crate) use opening::{LONGEST_NOTE, open_case};

const PER_PAGE: u32 = 20;
/// Events like it that are shown.
const RELATED: u32 = 6;

const HOUR: i64 = 3_600_000;
const DAY: i64 = 24 * HOUR;

/// A post, with those that say the same.
struct FoldLine {
    post: PostLine,
    /// How many others say the same.
    others: u64,
    /// Of these, the first: id, source, time.
    shown: Vec<(String, String, String)>,
}

/// A source that it was seen in.
struct SourceLine {
    name: String,
    posts: u64,
    voices: u64,
    first_at: String,
    /// Of 100: the length of its bar.
    length: u64,
}

/// A level that it reached.
struct Reached {
    level: Level,
    at: String,
    posts: u32,
    score: String,
}

#[derive(Template)]
#[template(path = "event.html")]
struct EventPage {
    frame: Frame,
    /// Code of its region.
    region: String,
    event: EventLine,
    course: Chart,
    sources: Vec<SourceLine>,
    reached: Vec<Reached>,
    terms: Vec<Term>,
    key_dates: Vec<KeyDateLine>,
    /// The earlier event that it repeats.
    recurrence: Option<Earlier>,
    related: Vec<EventLine>,
    folds: Vec<FoldLine>,
    pages: Pages,
    cases: Vec<CaseLine>,
    may_edit: bool,
    /// What officers said of it.
    edits: Vec<EditLine>,
    /// What was just done: `merge`, `split` or nothing.
    done: String,
    /// The event that was just split off.
    new: String,
    /// What was typed to open a case, and why it was not opened.
    note: String,
    levels: Vec<Choice>,
    problem: &'static str,
}

/// The page.
pub(super) async fn page(
    State(console): State<Arc<Console>>,
    signed_in: SignedIn,
    Path(id): Path<String>,
    fields: Fields,
) -> Result<Response, Problem> {
    show(&console, &signed_in, &id, &fields, "").await
}

/// Opens a case of an event that reached no level of risk.
pub(super) async fn open(
    State(console): State<Arc<Console>>,
    signed_in: SignedIn,
    Path(id): Path<String>,
    fields: Fields,
) -> Result<Response, Problem> {
    let now = Timestamp::now();
    let note = fields.get("note");
    if note.is_empty() || note.chars().count() > LONGEST_NOTE {
        let problem = "请写明立案理由，不超过500字。";
        return show(&console, &signed_in, &id, &fields, problem).await;
    }
    let Some(level) = (1..=4).find(|level: &u8| level.to_string() == fields.get("level")) else {
        return show(&console, &signed_in, &id, &fields, "请选择级别。").await;
    };
    let actor = signed_in.user.actor();
    let opened = open_case(&console, &id, (level, note), &actor, now).await;
    let (case, opened) = match opened {
        Ok(opened) => opened,
        Err(NotMade::Store(error)) => return Err(error.into()),
        Err(NotMade::NotFound) => return Err(Problem::NotFound),
        Err(NotMade::Archive | NotMade::Refused(_)) => {
            let frame = Frame::new(&console, &signed_in, "/events", "立案");
            return archive_unavailable(frame);
        }
    };
    if opened {
        let accounts = &console.accounts;
        accounts.audit(&actor.name, "open", &case, now).await?;
    }
    Ok(Redirect::to(&format!("/cases/{case}")).into_response())
}

async fn show(
    console: &Console,
    signed_in: &SignedIn,
    id: &str,
    fields: &Fields,
    problem: &'static str,
) -> Result<Response, Problem> {
    let now = Timestamp::now();
    let frame = Frame::new(console, signed_in, "/events", "事件");
    let client = &console.archive;
    let Ok(event) = archive::event(client, id).await else {
        return archive_unavailable(frame);
    };
    let Some(event) = event else {
        return edits::instead(console, frame, id, now).await;
    };
    let (begin, length) = parts(event.first_at, event.last_at);
    let offset = (fields.page() - 1).saturating_mul(PER_PAGE);
    let asked = tokio::try_join!(
        archive::event::course(client, &event, begin, length),
        archive::event::spread(client, &event),
        archive::event::alerts_of(client, id),
        archive::event::related(client, &event, RELATED),
        folds(console, &event, offset)
    );
    let Ok((course, sources, alerts, related, (folds, total))) = asked else {
        return archive_unavailable(frame);
    };
    let actor = signed_in.user.actor();
    let mut cases = Vec::new();
    for event in console.edits.held_by(id).await? {
        cases.extend(console.cases.get(&id::of_case(&event), &actor).await?);
    }
    let edits = edits::lines(console, id).await?;
    console
        .accounts
        .audit(&signed_in.user.name, "read-event", id, now)
        .await?;
    let most = sources.iter().map(|source| source.posts).max().unwrap_or(0);
    let own = cases.iter().find(|case| case.alert.event.id == id);
    let told = own.map(|case| &case.alert);
    let page = EventPage {
        frame,
        region: event.county.clone(),
        course: chart(&event, &course, begin, length),
        sources: (sources.into_iter())
            .map(|source| source_line(source, most))
            .collect(),
        reached: (alerts.into_iter())
            .map(|alert| Reached {
                level: show::level(alert.level),
                at: show::time_of(alert.raised_at),
                posts: alert.posts,
                score: format!("{:.2}", alert.score),
            })
            .collect(),
        terms: told.map(terms).unwrap_or_default(),
        key_dates: told
            .map(|alert| key_dates(&alert.event))
            .unwrap_or_default(),
        recurrence: told.and_then(|alert| earlier(&alert.event)),
        related: related.into_iter().map(EventLine::new).collect(),
        folds,
        event: EventLine::new(event),
        may_edit: edits::may_edit(&signed_in.user),
        done: fields.get("done").to_owned(),
        new: (edits.iter().map(|edit| &edit.other))
            .find(|other| *other == fields.get("new"))
            .cloned()
            .unwrap_or_default(),
        edits,
        pages: Pages::new(&format!("/events/{id}"), fields, PER_PAGE, total),
        cases: (cases.iter())
            .map(|case| CaseLine::new(console, case, now))
            .collect(),
        note: fields.get("note").to_owned(),
        levels: opening::levels(fields.get("level")),
        problem,
    };
    let status = match problem {
        "" => StatusCode::OK,
        _ => StatusCode::UNPROCESSABLE_ENTITY,
    };
    render_as(status, &page)
}

/// The posts of a page, folded, and how many folds there are.
async fn folds(
    console: &Console,
    event: &EventRow,
    offset: u32,
) -> Result<(Vec<FoldLine>, u64), archive::Unavailable> {
    let folds = archive::event::folds(&console.archive, event, offset, PER_PAGE).await?;
    let total = folds.first().map_or(0, |fold| fold.folds);
    let ids: Vec<&str> = folds.iter().map(|fold| fold.first.as_str()).collect();
    let posts = archive::event::posts_named(&console.archive, event, &ids).await?;
    let mut posts: BTreeMap<String, PostLine> = (posts.into_iter())
        .map(|post| (post.post_id.clone(), PostLine::new(post)))
        .collect();
    let line = |fold: Fold| {
        Some(FoldLine {
            post: PostLine {
                // It is this one.
                event: String::new(),
                ..posts.remove(&fold.first)?
            },
            others: fold.posts - 1,
            shown: (fold.others.into_iter())
                .map(|(id, source, at)| (id, source, show::time_of(at)))
                .collect(),
        })
    };
    Ok((folds.into_iter().filter_map(line).collect(), total))
}

fn source_line(source: SeenIn, most: u64) -> SourceLine {
    SourceLine {
        length: show::percent(source.posts, most),
        first_at: show::time_of(source.first_at),
        name: source.name,
        posts: source.posts,
        voices: source.voices,
    }
}

/// Where the parts begin that an event's time is told in, and how long each is: hours, days or weeks, so that a chart has a
/// hundred of them at most, or as many weeks as there are.
fn parts(first_at: i64, last_at: i64) -> (i64, i64) {
    let span = last_at - first_at;
    let length = if span <= 3 * DAY {
        HOUR
    } else if span <= 90 * DAY {
        DAY
    } else {
        7 * DAY
    };
    let whole = if length == HOUR { HOUR } else { DAY };
    let east = i64::from(CHINA.seconds()) * 1_000;
    (first_at - (first_at + east).rem_euclid(whole), length)
}

fn chart(event: &EventRow, course: &[Step], begin: i64, length: i64) -> Chart {
    let parts = (event.last_at - begin).max(0) / length + 1;
    let named = |number: i64| {
        let at = show::time_of(begin + number * length);
        let (day, hour) = at.split_once(' ').unwrap_or((&at, ""));
        let short = day.split_once('-').map_or(day, |(_, rest)| rest);
        match length {
            HOUR => (format!("{short} {hour}"), at.clone()),
            DAY => (short.to_owned(), day.to_owned()),
            _ => (short.to_owned(), format!("{day}起一周")),
        }
    };
    let series = |of: fn(&Step) -> u64| {
        (0..parts).map(move |number| {
            let step = course.iter().find(|step| step.number == number);
            Some(step.map_or(0, of) as f64)
        })
    };
    let unit = match length {
        HOUR => "每小时",
        DAY => "每日",
        _ => "每周",
    };
    Chart::new("帖文走势", "帖", (0..parts).map(named))
        .words(format!("{unit}帖文数，共{}帖", event.posts))
        .with(Series::bars(
            "全部",
            "blue-2",
            series(|step| step.negative + step.neutral + step.positive),
        ))
        .with(Series::line(
            "其中负面",
            "negative",
            series(|step| step.negative),
        ))
}
