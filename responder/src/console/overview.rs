//! The first page: for the office what needs it now and how the day is (今日态势); for a unit what it has to do.

mod day;

use std::sync::Arc;

use askama::Template;
use axum::extract::State;
use axum::response::Response;
use jiff::Timestamp;

use super::Console;
use super::access::SignedIn;
use super::page::{Frame, render};
use super::problem::Problem;
use super::show::{self, CaseLine};
use super::sources::{self, Standing};
use super::towns::{self, TileMap};
use crate::case::{Actor, Case, Figures, Query, State as Stage};
use day::Day;

/// Seconds after which the page is loaded again.
const REFRESH: u32 = 60;
/// Cases that need the office now, shown at once.
const SHOWN: u32 = 5;
/// Cases in each of a unit's lists.
const OF_UNIT: u32 = 50;

/// Cases in one state, by level.
struct StateRow {
    name: &'static str,
    title: &'static str,
    levels: [u64; 4],
    total: u64,
}

/// Open cases of a level.
struct LevelCount {
    level: show::Level,
    cases: u64,
}

/// Someone on duty.
struct DutyLine {
    /// The region, where there are several.
    region: String,
    post: &'static str,
    who: String,
    until: String,
}

#[derive(Template)]
#[template(path = "overview.html")]
struct OverviewPage {
    frame: Frame,
    figures: Figures,
    duty: Vec<DutyLine>,
    levels: Vec<LevelCount>,
    needed: Vec<CaseLine>,
    sources: Standing,
    states: Vec<StateRow>,
    day: Option<Day>,
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
    let mut frame = Frame::new(&console, &signed_in, "/", "今日态势");
    frame.refresh = REFRESH;
    if actor.role.of_unit() {
        return tasks(&console, frame, &actor, now).await;
    }
    let kept = async {
        tokio::try_join!(
            async { Ok(console.cases.figures(&actor, now).await?) },
            needed(&console, &actor, now),
            duty(&console, now),
            sources::standing(&console),
        )
    };
    let own = &signed_in.user.region;
    let (kept, day, maps) = tokio::join!(
        kept,
        day::day(&console.archive),
        towns::lately(&console, own, now)
    );
    let (figures, needed, duty, sources) = kept?;
    render(&OverviewPage {
        frame,
        duty,
        levels: levels(&figures),
        states: states(&figures),
        figures,
        needed: lines(&console, &needed, now),
        sources,
        day: day.ok(),
        maps: maps.unwrap_or_default(),
    })
}

/// The cases that need the office, the most urgent first: what is late, due soon, not judged yet, and to be reviewed.
async fn needed(console: &Console, actor: &Actor, now: Timestamp) -> Result<Vec<Case>, Problem> {
    let of = |stage| Query {
        states: vec![stage],
        ..Query::default()
    };
    let mut needed: Vec<Case> = Vec::new();
    for query in [
        Query::late(now),
        Query::due_soon(now),
        of(Stage::Pending),
        of(Stage::Review),
    ] {
        let missing = (SHOWN as usize).saturating_sub(needed.len());
        if missing == 0 {
            break;
        }
        let query = Query {
            limit: SHOWN,
            ..query
        };
        let found = console.cases.list(&query, actor).await?.cases;
        let others = (found.into_iter())
            .filter(|case| needed.iter().all(|known| known.id != case.id))
            .take(missing)
            .collect::<Vec<_>>();
        needed.extend(others);
    }
    Ok(needed)
}

/// Who is on duty.
async fn duty(console: &Console, now: Timestamp) -> Result<Vec<DutyLine>, Problem> {
    let several = console.regions.len() > 1;
    let mut duty = Vec::new();
    let mut everywhere = console.roster.on_duty_by_region(now).await?;
    for (code, region) in console.regions.iter() {
        let shifts = everywhere.remove(code).unwrap_or_default();
        duty.extend(shifts.into_iter().map(|shift| DutyLine {
            region: if several {
                region.gazetteer.name.clone()
            } else {
                String::new()
            },
            post: shift.post.title(),
            who: shift.who,
            until: show::time(shift.until),
        }));
    }
    Ok(duty)
}

fn levels(figures: &Figures) -> Vec<LevelCount> {
    (1..=4)
        .zip(0..)
        .map(|(number, place): (u8, usize)| LevelCount {
            level: show::level(number),
            cases: (figures.states.iter())
                .filter(|row| row.state.open())
                .filter_map(|row| row.levels.get(place))
                .sum(),
        })
        .collect()
}

fn states(figures: &Figures) -> Vec<StateRow> {
    (figures.states.iter())
        .map(|counted| StateRow {
            name: counted.state.name(),
            title: counted.state.title(),
            levels: counted.levels,
            total: counted.total(),
        })
        .collect()
}

fn lines(console: &Console, cases: &[Case], now: Timestamp) -> Vec<CaseLine> {
    (cases.iter())
        .map(|case| CaseLine::new(console, case, now))
        .collect()
}

async fn tasks(
    console: &Console,
    frame: Frame,
    actor: &Actor,
    now: Timestamp,
) -> Result<Response, Problem> {
    let cases = async |states| {
        let query = Query {
            states,
            limit: OF_UNIT,
            ..Query::default()
        };
        let found = console.cases.list(&query, actor).await?;
        Ok::<_, Problem>(lines(console, &found.cases, now))
    };
    render(&TasksPage {
        frame,
        to_sign: cases(vec![Stage::Dispatched]).await?,
        to_answer: cases(vec![Stage::Signed, Stage::Handling]).await?,
        in_review: cases(vec![Stage::Review, Stage::Answered]).await?,
    })
}
