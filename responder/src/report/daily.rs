//! 每日舆情: one page on a day. What came against what is usual on such a weekday, what is grave, grows or is new, what was done,
//! what falls due, and so what to do.

use std::collections::BTreeSet;

use backbone::region::Region;
use jiff::civil::{Date, Weekday};
use jiff::{SignedDuration, Timestamp, ToSpan};
use report::{Figures, Table};
use serde::Serialize;

use super::cell::{cited, column, event_level, linked, number, text};
use super::facts::{CommitmentFacts, Number, Suggestion};
use super::gather::{FEWEST_BEFORE, Links, case_of, commitments, of, silent, word};
use super::view::{first_line, quote};
use super::{Desk, Kind, Made, MakeError, finish};
use crate::calendar::day_of;
use crate::case::{Actor, Case, Query};
use crate::clock::time;
use crate::console::archive::period::{self, EventOfPeriod};
use crate::console::archive::trends::{Days, Scope, covered};
use crate::trend::{Day, Period, Verdict, change, dispersion, in_all};

/// Weeks before from whose like days the usual is the mean, and the fewest of them.
const WEEKS: u32 = 8;
const FEWEST_WEEKS: u32 = 4;
/// Events that are looked at, and told of in each part.
const EVENTS: u32 = 40;
const TOLD: usize = 4;
/// Characters of what is said of an event.
const GIST: usize = 48;
/// Cases told of in each part.
const CASES: usize = 6;
/// Posts of a day from which an event that has more than the day before is said to grow.
const GROWS: u64 = 3;
/// Cases that are looked at for what is overdue or due.
const LOOKED_AT: u32 = 200;

#[derive(Debug, Serialize)]
struct Facts {
    region: String,
    day: Date,
    weekday: &'static str,
    posts: Number,
    negative: Number,
    day_before: Option<u64>,
    usual: Option<Usual>,
    /// Level Ⅰ or Ⅱ.
    grave: Vec<Told>,
    /// More posts than the day before.
    growing: Vec<Told>,
    /// Without a post before.
    new: Vec<Told>,
    new_in_all: usize,
    opened: Vec<CaseLine>,
    opened_in_all: usize,
    answered: u64,
    overdue: Vec<CaseLine>,
    overdue_in_all: usize,
    due: Vec<CaseLine>,
    due_in_all: usize,
    commitments: Vec<CommitmentFacts>,
    silent: Vec<String>,
    collected: u64,
    sources: usize,
    to_do: Vec<Suggestion>,
}

/// What is usual on such a weekday.
#[derive(Debug, Serialize)]
struct Usual {
    posts: f64,
    weeks: u32,
    /// How many times the usual, less one; absent where that is too little.
    change: Option<f64>,
    verdict: &'static str,
}

/// An event.
#[derive(Debug, Clone, Serialize)]
struct Told {
    id: String,
    title: String,
    link: String,
    level: Option<u8>,
    posts: Number,
    day_before: u64,
    voices: u64,
    subject: Option<String>,
    gist: Option<String>,
    /// 未立案, or where its case stands.
    stand: &'static str,
}

/// A case.
#[derive(Debug, Serialize)]
struct CaseLine {
    title: String,
    link: String,
    level: u8,
    unit: String,
    /// What is due, and when: `签收 11-22 10:30`.
    due: String,
    state: &'static str,
}

pub(super) async fn make(desk: &Desk<'_>, day: Date) -> Result<Made, MakeError> {
    let facts = gather(desk, day).await?;
    let figures = Figures {
        tables: vec![
            events("grave", "重大事件", &facts.grave),
            events("growing", "升温事件", &facts.growing),
            events("new", "新事件", &facts.new),
            cases("overdue", "已逾期", &facts.overdue),
            cases("due", "一日内到期", &facts.due),
        ],
        charts: Vec::new(),
    };
    let title = format!("{}每日舆情", facts.region);
    let subtitle = format!("{}（{}）", report::wording::full_day(day), facts.weekday);
    finish(desk, Kind::Daily, title, &subtitle, day, &facts, figures)
}

async fn gather(desk: &Desk<'_>, day: Date) -> Result<Facts, MakeError> {
    let region = desk.routing.region();
    let (client, code) = (&desk.archive, region.code());
    let today = Period::until(day, 1);
    let yesterday = today.before();
    let weeks = Period::until(day, 7 * WEEKS + 1);
    let month = Period::until(yesterday.to, 28);
    let links = Links {
        desk,
        period: today,
    };
    let scope = Scope {
        region: code.to_owned(),
        ..Scope::default()
    };
    let (days, read) = (Days::default(), [weeks]);
    let (known, days, (found, _), came, came_before) = tokio::try_join!(
        covered(client, code, day),
        days.read(client, &scope, &read),
        period::events(client, code, today, EVENTS),
        period::came(client, code, today),
        period::came(client, code, month),
    )?;
    let days: Vec<&Day> = of(&days).collect();
    let counts = in_all(days.iter().copied(), today);
    let known_since = known.map(|known| known.from);
    let (told, new) = tell(&links, today, &found).await?;
    let (grave, rest): (Vec<Told>, Vec<Told>) =
        (told.into_iter()).partition(|event| event.level.is_some_and(|level| level <= 2));
    let (fresh, rest): (Vec<Told>, Vec<Told>) =
        rest.into_iter().partition(|event| new.contains(&event.id));
    let growing = (rest.into_iter())
        .filter(|event| event.posts.value >= GROWS as f64)
        .filter(|event| event.posts.value > event.day_before as f64)
        .take(TOLD)
        .collect();
    let (_, end) = desk.moments(today)?;
    let looked = looked_at(desk, end).await?;
    let opened: Vec<CaseLine> = (looked.opened.iter())
        .map(|case| line(&links, case, None))
        .collect();
    let of_clock = |late: bool| -> Vec<CaseLine> {
        let mut found: Vec<(Timestamp, CaseLine)> = (looked.due.iter())
            .filter_map(|case| {
                let due = case
                    .clocks()
                    .into_iter()
                    .map(|(clock, _, at)| (at, clock))
                    .min()?;
                ((due.0 < end) == late).then(|| (due.0, line(&links, case, Some(due))))
            })
            .collect();
        found.sort_by(|one, other| (one.0, &one.1.link).cmp(&(other.0, &other.1.link)));
        found.into_iter().map(|(_, line)| line).collect()
    };
    let (overdue, due) = (of_clock(true), of_clock(false));
    let mut facts = Facts {
        region: region.gazetteer.name.clone(),
        day,
        weekday: weekday(day),
        posts: links.posts(counts.posts, &[]),
        negative: links.posts(counts.negative, &[("sentiment", "negative")]),
        day_before: (known_since.is_some_and(|first| first <= yesterday.from))
            .then(|| in_all(days.iter().copied(), yesterday).posts),
        usual: usual(&days, day, known_since),
        new_in_all: fresh.len(),
        new: first(fresh, TOLD),
        grave: first(grave, TOLD),
        growing,
        opened_in_all: opened.len(),
        opened: first(opened, CASES),
        answered: looked.answered,
        overdue_in_all: overdue.len(),
        overdue: first(overdue, CASES),
        due_in_all: due.len(),
        due: first(due, CASES),
        commitments: first(commitments(desk, &links, end, 1).await?, CASES),
        silent: silent(&came, &came_before, month),
        collected: came.iter().map(|source| source.posts).sum(),
        sources: came.len(),
        to_do: Vec::new(),
    };
    facts.to_do = to_do(&facts, region);
    Ok(facts)
}

fn first<T>(mut all: Vec<T>, most: usize) -> Vec<T> {
    all.truncate(most);
    all
}

fn weekday(day: Date) -> &'static str {
    match day.weekday() {
        Weekday::Monday => "星期一",
        Weekday::Tuesday => "星期二",
        Weekday::Wednesday => "星期三",
        Weekday::Thursday => "星期四",
        Weekday::Friday => "星期五",
        Weekday::Saturday => "星期六",
        Weekday::Sunday => "星期日",
    }
}

/// The mean of the same weekday of the weeks before, as far as the archive has them.
fn usual(days: &[&Day], day: Date, first: Option<Date>) -> Option<Usual> {
    let first = first?;
    let counts: Vec<u64> = (1..=WEEKS)
        .map(|week| day.saturating_sub(i64::from(7 * week).days()))
        .take_while(|earlier| *earlier >= first)
        .map(|earlier| in_all(days.iter().copied(), Period::until(earlier, 1)).posts)
        .collect();
    let weeks = u32::try_from(counts.len()).ok()?;
    if weeks < FEWEST_WEEKS {
        return None;
    }
    let before: u64 = counts.iter().sum();
    let now = in_all(days.iter().copied(), Period::until(day, 1)).posts;
    let spread = dispersion([counts.as_slice()]);
    let moved = change(now, 1.0, before, f64::from(weeks), spread.unwrap_or(1.0));
    let tells = before >= FEWEST_BEFORE;
    Some(Usual {
        posts: before as f64 / f64::from(weeks),
        weeks,
        change: moved.filter(|_| tells).map(|moved| moved.ratio - 1.0),
        verdict: word(match moved {
            Some(moved) if tells => Verdict::of(moved.interval, 1.0),
            _ => Verdict::TooFew,
        }),
    })
}

/// The events of a day, and the ids of those that began on it.
async fn tell(
    links: &Links<'_>,
    today: Period,
    found: &[EventOfPeriod],
) -> Result<(Vec<Told>, BTreeSet<String>), MakeError> {
    let desk = links.desk;
    let (client, code) = (&desk.archive, desk.routing.region().code());
    let ids: Vec<&str> = found.iter().map(|event| event.event.as_str()).collect();
    let (new, earlier, gists, views) = tokio::try_join!(
        period::new_events(client, code, today, &ids),
        period::events_named(client, code, today.before(), &ids),
        period::gists(client, code, today, &ids),
        period::views(client, code, today, &ids),
    )?;
    let mut told = Vec::new();
    for event in found {
        let before = earlier.iter().find(|other| other.event == event.event);
        let alerted = gists.iter().find(|gist| gist.event == event.event);
        let said = || {
            (views.iter())
                .filter(|view| view.event == event.event)
                .find_map(|view| view.texts.iter().find_map(|text| quote(text)))
        };
        let page = links.of(&format!("/events/{}", event.event), &[]);
        told.push(Told {
            gist: (alerted.map(|gist| first_line(&gist.gist, GIST)))
                .filter(|gist| !gist.is_empty())
                .or_else(said),
            stand: case_of(desk, &event.event)
                .await?
                .map_or("未立案", |case| case.state.title()),
            posts: Number {
                value: event.posts as f64,
                link: page.clone(),
            },
            link: page,
            day_before: before.map_or(0, |before| before.posts),
            voices: event.voices,
            level: (event.gravest > 0).then_some(event.gravest),
            subject: event.subjects.first().cloned(),
            title: event.title.clone(),
            id: event.event.clone(),
        });
    }
    Ok((told, new.into_iter().collect()))
}

/// The cases that a day is told by.
struct Looked {
    opened: Vec<Case>,
    answered: u64,
    /// Those with a clock that is past, or ends within a day after.
    due: Vec<Case>,
}

async fn looked_at(desk: &Desk<'_>, end: Timestamp) -> Result<Looked, MakeError> {
    let (office, code) = (Actor::system(), desk.routing.region().code());
    let day = day_of(end - SignedDuration::from_secs(1));
    let of_day = |at: Timestamp| day_of(at) == day;
    let query = |due_before| Query {
        region: code.to_owned(),
        due_before,
        limit: LOOKED_AT,
        ..Query::default()
    };
    let soon = end + SignedDuration::from_hours(24);
    let mut due = desk.cases.list(&query(Some(soon)), &office).await?.cases;
    due.retain(|case| case.opened_at < end);
    let opened = desk.cases.opened(code, day, &office, LOOKED_AT).await?;
    let answered = desk.cases.answered(code, &office, 1_000).await?;
    Ok(Looked {
        opened,
        answered: (answered.iter())
            .filter(|case| case.answered_at.is_some_and(of_day))
            .count() as u64,
        due,
    })
}

fn line(links: &Links<'_>, case: &Case, due: Option<(Timestamp, crate::case::Clock)>) -> CaseLine {
    CaseLine {
        title: case.alert.event.title.clone(),
        link: links.of(&format!("/cases/{}", case.id), &[]),
        level: case.level,
        unit: links
            .desk
            .routing
            .region()
            .unit_name(case.lead())
            .to_owned(),
        due: due.map_or_else(String::new, |(at, clock)| {
            format!("{} {}", clock.title(), time(at))
        }),
        state: case.state.title(),
    }
}

/// What to do, each with what it rests on: the gravest first.
fn to_do(facts: &Facts, region: &Region) -> Vec<Suggestion> {
    let mut to_do = Vec::new();
    let mut say = |text: String, link: &str| {
        to_do.push(Suggestion {
            text,
            link: link.to_owned(),
        });
    };
    for case in &facts.overdue {
        let unit = if case.unit.is_empty() {
            "值班员"
        } else {
            &case.unit
        };
        say(
            format!("催办“{}”：{unit}，{}到期", case.title, case.due),
            &case.link,
        );
    }
    for event in facts.grave.iter().filter(|event| event.stand == "未立案") {
        say(format!("研判“{}”，达级而未立案", event.title), &event.link);
    }
    for event in (facts.growing.iter()).filter(|event| event.stand == "未立案") {
        let unit = (event.subject.as_deref()).and_then(|subject| region.in_charge(subject));
        let unit = unit.map_or(String::new(), |unit| format!("，必要时请{unit}核实"));
        say(
            format!(
                "关注“{}”：当日{}帖，前一日{}帖{unit}",
                event.title,
                report::wording::number(event.posts.value, 0),
                event.day_before
            ),
            &event.link,
        );
    }
    for one in &facts.commitments {
        let what = if one.broken {
            "核实逾期承诺"
        } else {
            "提醒到期承诺"
        };
        say(format!("{what}：{}，“{}”", one.unit, one.what), &one.link);
    }
    if !facts.silent.is_empty() {
        say(
            format!("检查没有来帖的来源：{}", facts.silent.join("、")),
            "",
        );
    }
    first(to_do, 8)
}

fn events(name: &str, title: &str, rows: &[Told]) -> Table {
    Table {
        name: name.to_owned(),
        title: title.to_owned(),
        columns: vec![
            column("级别", false),
            column("事件", false),
            column("当日帖文", true),
            column("前一日", true),
            column("人数", true),
            column("办理", false),
        ],
        rows: (rows.iter())
            .map(|event| {
                vec![
                    event_level(event.level),
                    linked(&event.title, &event.link),
                    cited(&event.posts),
                    number(event.day_before as f64),
                    number(event.voices as f64),
                    text(event.stand),
                ]
            })
            .collect(),
    }
}

fn cases(name: &str, title: &str, rows: &[CaseLine]) -> Table {
    Table {
        name: name.to_owned(),
        title: title.to_owned(),
        columns: vec![
            column("级别", false),
            column("案件", false),
            column("牵头单位", false),
            column("时限", false),
            column("状态", false),
        ],
        rows: (rows.iter())
            .map(|case| {
                vec![
                    event_level(Some(case.level)),
                    linked(&case.title, &case.link),
                    text(if case.unit.is_empty() {
                        "—"
                    } else {
                        &case.unit
                    }),
                    text(&case.due),
                    text(case.state),
                ]
            })
            .collect(),
    }
}
