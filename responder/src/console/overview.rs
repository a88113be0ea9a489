//! The first page: for the office what is new, what waits and what is late; for a unit what it has to do.

use std::sync::Arc;

use askama::Template;
use axum::extract::State;
use axum::response::Response;
use jiff::{SignedDuration, Timestamp};

use super::Console;
use super::access::SignedIn;
use super::archive::{self, Share, Totals, Unavailable};
use super::page::{Frame, render};
use super::problem::Problem;
use super::show::{self, CaseLine, Level};
use super::signals::SignalLine;
use super::sources;
use super::towns::{self, TileMap};
use crate::api::{self, Figures};
use crate::case::{Actor, Case, Query, State as Stage};

/// Seconds after which the page is loaded again.
const REFRESH: u32 = 60;
/// An hour in milliseconds.
const HOUR: i64 = 3_600_000;
/// Cases in each list.
const SHOWN: u32 = 10;

/// Bursts and common problems shown.
const SIGNALS: u32 = 6;

/// Cases in one state, by level.
struct StateRow {
    name: &'static str,
    title: &'static str,
    levels: Vec<u64>,
    total: u64,
}

/// A bar of a chart.
struct Bar {
    title: String,
    posts: u64,
    /// Of 100: the length of the bar, and of its negative part.
    length: u64,
    negative: u64,
    percent: u64,
}

/// A part of the sentiment bar.
struct Part {
    label: String,
    word: &'static str,
    percent: u64,
    posts: u64,
    /// Of 100: where it begins.
    from: u64,
}

struct AlertLine {
    level: Level,
    title: String,
    event: String,
    posts: u32,
    raised_at: String,
}

/// What ClickHouse says of the posts.
struct Opinion {
    totals: Totals,
    newest: String,
    sentiments: Vec<Part>,
    subjects: Vec<Bar>,
    hours: Vec<Bar>,
    alerts: Vec<AlertLine>,
    signals: Vec<SignalLine>,
}

#[derive(Template)]
#[template(path = "overview.html")]
struct OverviewPage {
    frame: Frame,
    figures: Figures,
    troubled_sources: usize,
    states: Vec<StateRow>,
    waiting: Vec<CaseLine>,
    overdue: Vec<CaseLine>,
    opinion: Option<Opinion>,
    maps: Vec<TileMap>,
}

#[derive(Template)]
#[template(path = "tasks.html")]
struct TasksPage {
    frame: Frame,
    to_sign: Vec<CaseLine>,
    to_answer: Vec<CaseLine>,
    in_review: Vec<CaseLine>,
}

/// The page.
pub(super) async fn page(
    State(console): State<Arc<Console>>,
    signed_in: SignedIn,
) -> Result<Response, Problem> {
    let now = Timestamp::now();
    let actor = signed_in.user.actor();
    let mut frame = Frame::new(&console, &signed_in, "/", "总览");
    frame.refresh = REFRESH;
    if actor.role.of_unit() {
        return tasks(&console, frame, &actor, now).await;
    }
    let figures = api::figures(&console.cases, &actor, now).await?;
    let states = (figures.states.iter())
        .filter_map(|counted| {
            let state = Stage::named(counted.state)?;
            Some(StateRow {
                name: state.name(),
                title: state.title(),
                levels: counted.levels.clone(),
                total: counted.total,
            })
        })
        .collect();
    let waiting = cases(&console, &actor, vec![Stage::Pending], SHOWN).await?;
    let late = Query {
        due_before: Some(now),
        limit: SHOWN,
        ..Query::default()
    };
    let overdue = console.cases.list(&late, &actor).await?.cases;
    let lines = |cases: &[Case]| {
        cases
            .iter()
            .map(|case| CaseLine::new(&console, case, now))
            .collect()
    };
    let own = &signed_in.user.region;
    let (opinion, maps) = tokio::join!(opinion(&console), towns::lately(&console, own, now));
    render(&OverviewPage {
        frame,
        figures,
        troubled_sources: sources::troubled(&console).await?,
        states,
        waiting: lines(&waiting),
        overdue: lines(&overdue),
        opinion: opinion.ok(),
        maps: maps.unwrap_or_default(),
    })
}

async fn tasks(
    console: &Console,
    frame: Frame,
    actor: &Actor,
    now: Timestamp,
) -> Result<Response, Problem> {
    let mut lists = Vec::new();
    for states in [
        vec![Stage::Dispatched],
        vec![Stage::Signed, Stage::Handling],
        vec![Stage::Review, Stage::Answered],
    ] {
        let cases = cases(console, actor, states, 50).await?;
        lists.push(
            cases
                .iter()
                .map(|case| CaseLine::new(console, case, now))
                .collect::<Vec<_>>(),
        );
    }
    let mut lists = lists.into_iter();
    render(&TasksPage {
        frame,
        to_sign: lists.next().unwrap_or_default(),
        to_answer: lists.next().unwrap_or_default(),
        in_review: lists.next().unwrap_or_default(),
    })
}

async fn cases(
    console: &Console,
    actor: &Actor,
    states: Vec<Stage>,
    limit: u32,
) -> Result<Vec<Case>, Problem> {
    let query = Query {
        states,
        limit,
        ..Query::default()
    };
    Ok(console.cases.list(&query, actor).await?.cases)
}

/// The 24 hours, and the 30 days, up to the newest post: of an old export they tell something, too.
async fn opinion(console: &Console) -> Result<Opinion, Unavailable> {
    let client = &console.archive;
    let totals = archive::totals(client).await?;
    let newest = Timestamp::from_millisecond(totals.newest_at).unwrap_or(Timestamp::UNIX_EPOCH);
    let first_hour = (newest - SignedDuration::from_hours(23)).as_millisecond();
    let first_hour = first_hour - first_hour.rem_euclid(HOUR);
    let month = (newest - SignedDuration::from_hours(24 * 30)).as_millisecond();
    let hours = archive::by_hour(client, first_hour).await?;
    let most = hours
        .iter()
        .map(|hour| hour.posts)
        .max()
        .unwrap_or(1)
        .max(1);
    let hours = (0..24)
        .map(|hour| {
            let begins = first_hour + hour * HOUR;
            let posts = hours
                .iter()
                .find(|found| found.begins == begins)
                .map_or(0, |found| found.posts);
            Bar {
                title: show::hour_of(begins),
                posts,
                length: show::percent(posts, most),
                negative: 0,
                percent: 0,
            }
        })
        .collect();
    let alerts = archive::alerts(client, 8).await?;
    let signals = archive::signals(client, SIGNALS).await.unwrap_or_default();
    Ok(Opinion {
        newest: show::time(newest),
        sentiments: parts(&archive::by_sentiment(client, month).await?),
        subjects: bars(archive::by_subject(client, month).await?),
        hours,
        alerts: alerts
            .into_iter()
            .map(|alert| AlertLine {
                level: show::level(alert.level),
                title: show::excerpt(&alert.title, 40),
                event: alert.event_id,
                posts: alert.posts,
                raised_at: show::time_of(alert.raised_at),
            })
            .collect(),
        signals: signals.into_iter().map(SignalLine::new).collect(),
        totals,
    })
}

fn parts(shares: &[Share]) -> Vec<Part> {
    let all: u64 = shares.iter().map(|share| share.posts).sum();
    let mut from = 0;
    ["negative", "neutral", "positive"]
        .into_iter()
        .map(|label| {
            let posts = shares
                .iter()
                .find(|share| share.name == label)
                .map_or(0, |share| share.posts);
            let percent = show::percent(posts, all).min(100 - from);
            let part = Part {
                label: label.to_owned(),
                word: show::sentiment(label),
                percent,
                posts,
                from,
            };
            from += percent;
            part
        })
        .collect()
}

fn bars(shares: Vec<Share>) -> Vec<Bar> {
    let most = shares
        .iter()
        .map(|share| share.posts)
        .max()
        .unwrap_or(1)
        .max(1);
    shares
        .into_iter()
        .map(|share| Bar {
            title: share.name,
            posts: share.posts,
            length: show::percent(share.posts, most),
            negative: show::percent(share.negative, most),
            percent: show::percent(share.negative, share.posts),
        })
        .collect()
}
