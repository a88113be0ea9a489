//! 专报: one event up to the end of a day. What it is, its course and spread, what people say, how its level came about, what was
//! done, what was promised, and what is suggested.

use backbone::clickhouse::rows::AlertRow;
use backbone::region::Region;
use jiff::civil::Date;
use jiff::{Timestamp, ToSpan};
use report::{Chart, ChartKind, Figures, Mark, Series, Shape, Table, Value};
use serde::Serialize;

use super::cell::{cited, column, number, percent, text};
use super::facts::{CommitmentFacts, EventCase, EventFacts, Number, Suggestion};
use super::gather::{Links, case_of, tell, told_case};
use super::{Desk, Kind, Made, MakeError, finish};
use crate::calendar::day_of;
use crate::case::{Case, Move, Role};
use crate::commitment;
use crate::console::archive::event::{SeenIn, Step, alerts_of, course, related, spread};
use crate::console::archive::{self, EventRow, period};
use crate::console::story::term_title;
use crate::trend::Period;

/// Longest course that is told by day; a longer one is told by week.
const BY_DAY: u32 = 62;
/// Moves of its case, and like events, that are told of.
const MOVES: usize = 40;
const LIKE: u32 = 5;
/// Voices from which a matter without an answer asks for a public one.
const VOICES: u64 = 5;

#[derive(Debug, Serialize)]
struct Facts {
    region: String,
    to: Date,
    event: EventFacts,
    gist: Option<String>,
    days: u32,
    /// `day` or `week`.
    step: &'static str,
    course: Vec<Point>,
    /// Posts of the last day told of, and of the day before.
    last_day: u64,
    day_before: u64,
    spread: Vec<Seen>,
    level: Option<LevelFacts>,
    answered_after: Option<String>,
    moves: Vec<Turn>,
    moves_in_all: usize,
    commitments: Vec<CommitmentFacts>,
    /// Like events of the weeks around, those that began earlier.
    like: Vec<Like>,
    suggestions: Vec<Suggestion>,
}

#[derive(Debug, Serialize)]
struct Point {
    from: Date,
    posts: u64,
    negative: u64,
}

/// A source that it was seen in.
#[derive(Debug, Serialize)]
struct Seen {
    name: String,
    first: String,
    posts: Number,
    voices: u64,
}

/// How its level came about.
#[derive(Debug, Serialize)]
struct LevelFacts {
    level: u8,
    at: String,
    score: f64,
    terms: Vec<Term>,
}

#[derive(Debug, Serialize)]
struct Term {
    name: &'static str,
    value: f64,
    share: f64,
}

/// A move of its case: who acted is told by the unit, never by name.
#[derive(Debug, Serialize)]
struct Turn {
    at: String,
    what: &'static str,
    who: String,
    state: &'static str,
    choice: String,
}

#[derive(Debug, Serialize)]
struct Like {
    title: String,
    link: String,
    first: Date,
    posts: u64,
    stand: &'static str,
}

pub(super) async fn make(desk: &Desk<'_>, event: &str, to: Date) -> Result<Made, MakeError> {
    let facts = gather(desk, event, to).await?;
    let figures = Figures {
        tables: vec![sources(&facts), terms(&facts), moves(&facts), like(&facts)],
        charts: vec![drawn(&facts)],
    };
    let title = format!("关于“{}”的舆情专报", facts.event.title);
    let subtitle = format!("截至{}", report::wording::full_day(to));
    finish(desk, Kind::Event, title, &subtitle, to, &facts, figures)
}

async fn gather(desk: &Desk<'_>, id: &str, to: Date) -> Result<Facts, MakeError> {
    let region = desk.routing.region();
    let (client, code) = (&desk.archive, region.code());
    let nothing = || MakeError::NoEvent(id.to_owned());
    let row = archive::event(client, id).await?;
    let mut row = row.filter(|row| row.county == code).ok_or_else(nothing)?;
    let (_, end) = desk.moments(Period::until(to, 1))?;
    row.last_at = row.last_at.min(end.as_millisecond() - 1);
    let day = |at: i64| day_of(Timestamp::from_millisecond(at).unwrap_or_default());
    if row.first_at > row.last_at {
        return Err(nothing());
    }
    let period = Period {
        from: day(row.first_at),
        to: day(row.last_at),
    };
    let (begin, _) = desk.moments(period)?;
    const DAY: i64 = 24 * 3_600_000;
    let ids = [id];
    let (of_period, views, gists, daily, seen, alerts, like) = tokio::try_join!(
        period::events_named(client, code, period, &ids),
        period::views(client, code, period, &ids),
        period::gists(client, code, Period::until(to, 1), &ids),
        course(client, &row, begin.as_millisecond(), DAY),
        spread(client, &row),
        alerts_of(client, id),
        related(client, &row, LIKE),
    )?;
    let of_period = of_period.into_iter().next().ok_or_else(nothing)?;
    let links = Links { desk, period };
    let mut event = tell(&links, &of_period, &views).await?;
    let case = case_of(desk, id).await?.filter(|case| case.opened_at < end);
    let mut made = Vec::new();
    let mut promised = Vec::new();
    if let Some(case) = &case {
        made = desk.cases.moves(&case.id).await?;
        made.retain(|made| made.at < end);
        promised = commitments(desk, &links, case, end).await?;
    }
    let answered_at = (case.as_ref())
        .and_then(|case| case.answered_at)
        .filter(|at| *at < end);
    event.case = case
        .as_ref()
        .map(|case| then(told_case(&links, case), &made, answered_at));
    let step = if period.days() <= BY_DAY {
        "day"
    } else {
        "week"
    };
    let of_day = |wanted: Date| {
        let number = period.number(wanted, crate::trend::Step::Day);
        let found = number.and_then(|number| daily.iter().find(|one| one.number == number as i64));
        found.map_or(0, sum)
    };
    let mut facts = Facts {
        region: region.gazetteer.name.clone(),
        to,
        gist: (gists.into_iter().next())
            .map(|gist| sentences(&gist.gist))
            .filter(|gist| !gist.is_empty()),
        days: period.days(),
        step,
        course: points(&daily, period, step),
        last_day: of_day(to),
        day_before: of_day(to.yesterday().unwrap_or(to)),
        spread: seen.iter().map(|seen| seen_in(&links, seen)).collect(),
        level: level(&alerts, end),
        answered_after: (answered_at.zip(Timestamp::from_millisecond(row.first_at).ok()))
            .map(|(answered, first)| length(answered.duration_since(first).as_hours())),
        moves_in_all: made.len(),
        moves: (made.iter().take(MOVES))
            .map(|made| step_of(desk, made))
            .collect(),
        commitments: promised,
        like: earlier(&links, &row, like).await?,
        suggestions: Vec::new(),
        event,
    };
    facts.suggestions = suggestions(&facts, region);
    Ok(facts)
}

/// The two lines of a gist as sentences; one that is cut off says so.
fn sentences(gist: &str) -> String {
    let lines = gist.lines().map(str::trim).filter(|line| !line.is_empty());
    let sentence = |line: &str| match line.trim_end_matches(['。', '；', '，']) {
        cut if cut.ends_with('…') => cut.to_owned(),
        whole => format!("{whole}。"),
    };
    lines.map(sentence).collect()
}

fn sum(step: &Step) -> u64 {
    step.negative + step.neutral + step.positive
}

/// The case as it stood after its moves so far.
fn then(mut case: EventCase, made: &[Move], answered_at: Option<Timestamp>) -> EventCase {
    if let Some(last) = made.last() {
        case.state = last.to.title();
    }
    if answered_at.is_none() {
        case.answered = false;
        case.late = false;
        case.reply = None;
    }
    case
}

/// `3天5小时`.
fn length(hours: i64) -> String {
    match (hours / 24, hours % 24) {
        (0, 0) => "不到1小时".to_owned(),
        (0, hours) => format!("{hours}小时"),
        (days, 0) => format!("{days}天"),
        (days, hours) => format!("{days}天{hours}小时"),
    }
}

fn points(daily: &[Step], period: Period, step: &str) -> Vec<Point> {
    let step = if step == "day" {
        crate::trend::Step::Day
    } else {
        crate::trend::Step::Week
    };
    let mut points: Vec<Point> = (period.bins(step).into_iter())
        .map(|bin| Point {
            from: bin.from,
            posts: 0,
            negative: 0,
        })
        .collect();
    for one in daily {
        let day = period.from.saturating_add(one.number.days());
        let point = period.number(day, step).and_then(|at| points.get_mut(at));
        if let Some(point) = point {
            point.posts += sum(one);
            point.negative += one.negative;
        }
    }
    points
}

fn seen_in(links: &Links<'_>, seen: &SeenIn) -> Seen {
    Seen {
        first: moment(Timestamp::from_millisecond(seen.first_at).unwrap_or_default()),
        posts: links.posts(seen.posts, &[("source", seen.name.as_str())]),
        voices: seen.voices,
        name: seen.name.clone(),
    }
}

/// `11月3日 08:30`.
fn moment(at: Timestamp) -> String {
    let at = crate::clock::CHINA.to_datetime(at);
    format!(
        "{} {:02}:{:02}",
        report::wording::day(at.date()),
        at.hour(),
        at.minute()
    )
}

/// The gravest level that was reached, by the first alert that says so.
fn level(alerts: &[AlertRow], end: Timestamp) -> Option<LevelFacts> {
    let raised = alerts
        .iter()
        .filter(|alert| alert.raised_at < end.as_millisecond());
    let alert = raised.min_by_key(|alert| (alert.level, alert.raised_at))?;
    let terms = alert
        .term_names
        .iter()
        .zip(&alert.term_values)
        .zip(&alert.term_shares);
    Some(LevelFacts {
        level: alert.level,
        at: moment(Timestamp::from_millisecond(alert.raised_at).ok()?),
        score: alert.score,
        terms: terms
            .map(|((name, value), share)| Term {
                name: term_title(name),
                value: *value,
                share: *share,
            })
            .collect(),
    })
}

fn step_of(desk: &Desk<'_>, made: &Move) -> Turn {
    Turn {
        at: moment(made.at),
        what: made.action.title(),
        who: match (made.unit.as_str(), made.role) {
            ("", Role::System) => "系统".to_owned(),
            ("", Role::Leader) => "分管领导".to_owned(),
            ("", _) => "值班室".to_owned(),
            (unit, _) => desk.routing.region().unit_name(unit).to_owned(),
        },
        state: made.to.title(),
        choice: made.choice.clone(),
    }
}

async fn commitments(
    desk: &Desk<'_>,
    links: &Links<'_>,
    case: &Case,
    end: Timestamp,
) -> Result<Vec<CommitmentFacts>, MakeError> {
    let query = commitment::Query {
        case_id: case.id.clone(),
        limit: 50,
        ..commitment::Query::default()
    };
    let found = desk.commitments.list(&query).await?;
    Ok((found.into_iter())
        .filter(|one| one.added_at < end && one.state != commitment::State::Withdrawn)
        .map(|one| CommitmentFacts {
            due: one.due(),
            unit: desk.routing.region().unit_name(&one.unit).to_owned(),
            link: links.of(&format!("/cases/{}", one.case_id), &[]),
            kept: one.state == commitment::State::Kept && one.ended_at.is_some_and(|at| at < end),
            broken: one.due_at < end && one.ended_at.is_none_or(|at| at >= end),
            what: one.what,
        })
        .collect())
}

/// Of the like events those that began before it.
async fn earlier(
    links: &Links<'_>,
    event: &EventRow,
    like: Vec<EventRow>,
) -> Result<Vec<Like>, MakeError> {
    let mut told = Vec::new();
    for other in like
        .into_iter()
        .filter(|other| other.first_at < event.first_at)
    {
        let case = case_of(links.desk, &other.event).await?;
        told.push(Like {
            link: links.of(&format!("/events/{}", other.event), &[]),
            first: day_of(Timestamp::from_millisecond(other.first_at).unwrap_or_default()),
            posts: other.posts,
            stand: case.map_or("未立案", |case| case.state.title()),
            title: other.named,
        });
    }
    Ok(told)
}

fn suggestions(facts: &Facts, region: &Region) -> Vec<Suggestion> {
    let event = &facts.event;
    let mut said = Vec::new();
    let mut say = |text: String, link: &str| {
        said.push(Suggestion {
            text,
            link: link.to_owned(),
        });
    };
    let in_charge = (event.subject.as_deref())
        .and_then(|subject| region.in_charge(subject))
        .unwrap_or("责任单位");
    match &event.case {
        None if event.level.is_some() => say(
            format!("本事件已达级而未立案。建议立案并由{in_charge}先行核实。"),
            &event.link,
        ),
        Some(case) if !case.answered && event.voices >= VOICES => say(
            format!(
                "已有{}人反映，尚未答复，案件处于“{}”。建议尽快公开回应已核实的情况。",
                event.voices, case.state
            ),
            &case.link,
        ),
        Some(case) if case.late => say(
            "答复超过期限。建议办理单位说明原因。".to_owned(),
            &case.link,
        ),
        _ => {}
    }
    if facts.last_day > facts.day_before && facts.last_day >= 3 {
        say(
            format!(
                "{}有{}帖，前一日{}帖，仍在增多。建议持续关注，答复口径及时更新。",
                report::wording::day(facts.to),
                facts.last_day,
                facts.day_before
            ),
            &event.link,
        );
    }
    for one in facts.commitments.iter().filter(|one| one.broken) {
        say(
            format!(
                "{}承诺的“{}”应于{}前兑现，未见登记。建议核实并向反映人说明。",
                one.unit,
                one.what,
                report::wording::day(one.due)
            ),
            &one.link,
        );
    }
    if facts.like.len() >= 2 {
        say(
            format!(
                "此前一个月内已有{}个相近事件。建议{in_charge}查找共同原因，一并解决。",
                facts.like.len()
            ),
            "",
        );
    }
    said
}

fn sources(facts: &Facts) -> Table {
    Table {
        name: "spread".to_owned(),
        title: "见于来源（按首次出现）".to_owned(),
        columns: vec![
            column("来源", false),
            column("首次出现", false),
            column("帖文", true),
            column("人数", true),
        ],
        rows: (facts.spread.iter())
            .map(|seen| {
                vec![
                    text(&seen.name),
                    text(&seen.first),
                    cited(&seen.posts),
                    number(seen.voices as f64),
                ]
            })
            .collect(),
    }
}

fn terms(facts: &Facts) -> Table {
    let sum: f64 = (facts.level.iter().flat_map(|level| &level.terms))
        .map(|term| term.share.max(0.0))
        .sum();
    Table {
        name: "terms".to_owned(),
        title: "风险分构成".to_owned(),
        columns: vec![
            column("项目", false),
            column("取值（0至1）", true),
            column("计入分数", true),
            column("占加分的比重", true),
        ],
        rows: (facts.level.iter().flat_map(|level| &level.terms))
            .map(|term| {
                vec![
                    text(term.name),
                    Value::Number {
                        value: term.value,
                        digits: 2,
                    }
                    .into(),
                    Value::Signed {
                        value: term.share,
                        digits: 3,
                    }
                    .into(),
                    percent((sum > 0.0 && term.share > 0.0).then(|| term.share / sum)),
                ]
            })
            .collect(),
    }
}

fn moves(facts: &Facts) -> Table {
    Table {
        name: "moves".to_owned(),
        title: "办理经过".to_owned(),
        columns: vec![
            column("时间", false),
            column("办理", false),
            column("单位", false),
            column("之后状态", false),
        ],
        rows: (facts.moves.iter())
            .map(|made| {
                vec![
                    text(&made.at),
                    text(if made.choice.is_empty() {
                        made.what.to_owned()
                    } else {
                        format!("{}（{}）", made.what, made.choice)
                    }),
                    text(&made.who),
                    text(made.state),
                ]
            })
            .collect(),
    }
}

fn like(facts: &Facts) -> Table {
    Table {
        name: "like".to_owned(),
        title: "相近的在前事件".to_owned(),
        columns: vec![
            column("事件", false),
            column("开始", false),
            column("帖文", true),
            column("办理", false),
        ],
        rows: (facts.like.iter())
            .map(|like| {
                vec![
                    super::cell::linked(&like.title, &like.link),
                    text(report::wording::full_day(like.first)),
                    number(like.posts as f64),
                    text(like.stand),
                ]
            })
            .collect(),
    }
}

fn drawn(facts: &Facts) -> Chart {
    let top = facts
        .course
        .iter()
        .map(|point| point.posts)
        .max()
        .unwrap_or(0);
    let peak = facts
        .course
        .iter()
        .position(|point| point.posts == top && top > 0);
    let series = |name: &str, shape, of: fn(&Point) -> u64| Series {
        name: name.to_owned(),
        shape,
        values: facts
            .course
            .iter()
            .map(|point| Some(of(point) as f64))
            .collect(),
        between: Vec::new(),
    };
    let each = if facts.step == "week" {
        "每周"
    } else {
        "每日"
    };
    Chart {
        name: "course".to_owned(),
        title: format!("图1 {each}帖文数"),
        words: format!(
            "共{}帖，最多的{}{top}帖",
            report::wording::number(facts.event.posts.value, 0),
            if facts.step == "week" {
                "一周"
            } else {
                "一日"
            }
        ),
        unit: "帖".to_owned(),
        kind: ChartKind::Over {
            points: (facts.course.iter())
                .map(|point| format!("{}.{}", point.from.month(), point.from.day()))
                .collect(),
        },
        series: vec![
            series("全部", Shape::Bars, |point| point.posts),
            series("其中负面", Shape::Line, |point| point.negative),
        ],
        marks: peak
            .map(|point| Mark {
                series: 0,
                point,
                words: format!("{top}帖"),
            })
            .into_iter()
            .collect(),
    }
}
