//! 政策执行效果: the public view of a policy before and after its day, as the console's page tells it, and beside the other posts.

use std::collections::BTreeSet;
use std::sync::Arc;

use jiff::ToSpan;
use jiff::civil::Date;
use report::{Chart, ChartKind, Figures, Mark, Series, Shape, Table};
use serde::Serialize;

use super::cell::{cited, column, number, percent, text};
use super::facts::{Bounded, Number};
use super::gather::{FEWEST_BEFORE, Links, bounded_share, of, silent, word};
use super::view::quote;
use super::{Desk, Kind, Made, MakeError, Policy, finish};
use crate::console::archive::period;
use crate::console::archive::trends::{Days, LookedUp, Said, Scope, covered, said, with_words};
use crate::trend::{
    Around, Aspect, Beside, Changes, Day, Effect, Estimate, Interval, Measured, Outside, Period,
    Share, Step, Verdict, Why, by_week, change, difference, dispersion, movements,
    negative_dispersion,
};

/// Weeks nearest to the day from which lines are quoted.
const QUOTED_WEEKS: u32 = 4;
/// Posts of each appeal that are looked at for a line, and lines of each side.
const LOOKED_AT: u32 = 12;
const LINES: usize = 3;
/// Rows of a table.
const ROWS: usize = 8;
/// Days of the archive looked at for what a policy is compared with.
const EARLIER: u32 = 28;

#[derive(Debug, Serialize)]
struct Facts {
    region: String,
    name: String,
    day: Date,
    before: Period,
    after: Period,
    weeks_before: u32,
    weeks_after: u32,
    /// Days that were asked for on each side.
    asked: u32,
    /// What the posts are chosen by, in words; empty where all are taken.
    chosen: Vec<String>,
    posts_before: Number,
    posts_after: Number,
    per_day_before: f64,
    per_day_after: f64,
    /// How many times the posts per day before, less one; absent where those were too few.
    change: Option<Bounded>,
    verdict: &'static str,
    negative_before: Option<Bounded>,
    negative_after: Option<Bounded>,
    negative_difference: Option<Bounded>,
    negative_verdict: &'static str,
    mean_before: Option<f64>,
    mean_after: Option<f64>,
    mean_difference: Option<Bounded>,
    mean_verdict: &'static str,
    /// Where the posts with the words are estimated.
    estimated: Option<LookedUp>,
    measures: Vec<Measure>,
    beside: Option<BesideFacts>,
    appeals: Vec<Moved>,
    subjects: Vec<Moved>,
    lines_before: Vec<Line>,
    lines_after: Vec<Line>,
    holidays: Vec<String>,
    holidays_unknown: bool,
    /// Sources that fell silent, or are new, between both sides.
    silent: Vec<String>,
    begun: Vec<String>,
    course: Vec<Week>,
}

/// A value of each week, and what changed in it beyond its course.
#[derive(Debug, Serialize)]
struct Measure {
    name: &'static str,
    /// Why nothing can be said: `few-weeks`, `few-posts` or `no-variation`; empty where something can.
    why: &'static str,
    mean: Option<Bounded>,
    jump: Option<Bounded>,
    slope: Option<Bounded>,
    verdict: &'static str,
}

#[derive(Debug, Serialize)]
struct Week {
    from: Date,
    posts: f64,
    /// The line of both sides, and where that before leads; absent where nothing can be said.
    fitted: Option<f64>,
    expected: Option<f64>,
}

/// The posts looked at beside all others.
#[derive(Debug, Serialize)]
struct BesideFacts {
    before: u64,
    after: u64,
    /// How many times more the volume changed than that of the others.
    volume: Option<Bounded>,
    volume_verdict: &'static str,
    negative: Option<Bounded>,
    negative_verdict: &'static str,
}

#[derive(Debug, Serialize)]
struct Moved {
    name: String,
    posts: Number,
    before: u64,
    change: Option<f64>,
    verdict: &'static str,
    negative_share: Option<f64>,
}

#[derive(Debug, Serialize)]
struct Line {
    appeal: String,
    quote: String,
}

pub(super) async fn make(desk: &Desk<'_>, policy: &Policy) -> Result<Made, MakeError> {
    let facts = gather(desk, policy).await?;
    let figures = Figures {
        tables: vec![
            summary(&facts),
            moved("appeals", "诉求类型", &facts.appeals),
            moved("subjects", "事项", &facts.subjects),
        ],
        charts: vec![weekly(&facts)],
    };
    let title = format!("“{}”执行效果分析", facts.name);
    let day = report::wording::full_day;
    let subtitle = format!("{}至{}", day(facts.before.from), day(facts.after.to));
    finish(
        desk,
        Kind::Policy,
        title,
        &subtitle,
        facts.after.to,
        &facts,
        figures,
    )
}

async fn gather(desk: &Desk<'_>, policy: &Policy) -> Result<Facts, MakeError> {
    let region = desk.routing.region();
    let (client, code) = (&desk.archive, region.code());
    let known = covered(client, code, policy.period().to).await?;
    let around = around(policy, known)?;
    let Around { before, after } = around;
    let scope = Scope {
        region: code.to_owned(),
        subject: policy.subject.clone(),
        place: policy.place.clone(),
        source: String::new(),
    };
    let everything = Scope {
        region: code.to_owned(),
        ..Scope::default()
    };
    let words = policy.words.trim();
    let days = Days::default();
    let periods = [around.all()];
    let counted = async {
        if words.is_empty() {
            let days = days.read(client, &scope, &periods).await?;
            Ok((days, None))
        } else {
            let found = with_words(client, words, &scope, around.all()).await?;
            let days = found.days.into_iter().map(Arc::new).collect();
            Ok((days, found.estimated))
        }
    };
    let narrowed = !scope.subject.is_empty() || !scope.place.is_empty() || !words.is_empty();
    let other_days = Days::default();
    let others = async {
        if narrowed {
            other_days.read(client, &everything, &periods).await
        } else {
            Ok(Vec::new())
        }
    };
    let near_before = Period::until(before.to, (QUOTED_WEEKS * 7).min(before.days()));
    let last_near = after
        .from
        .saturating_add((i64::from(QUOTED_WEEKS * 7) - 1).days());
    let near_after = Period {
        to: after.to.min(last_near),
        ..after
    };
    let month_before = Period::until(before.to, EARLIER.min(before.days()));
    let ((own, estimated), all, lines_before, lines_after, came_before, came_after) = tokio::try_join!(
        counted,
        others,
        said(client, words, &scope, near_before, false, LOOKED_AT),
        said(client, words, &scope, near_after, true, LOOKED_AT),
        period::came(client, code, month_before),
        period::came(client, code, after),
    )?;
    let own: Vec<&Day> = of(&own).collect();
    let all: Vec<&Day> = of(&all).collect();
    let each = || own.iter().copied();
    let changes = around.changes(each());
    let links = Links {
        desk,
        period: around.all(),
    };
    let rate = change(
        changes.counts[1].posts,
        f64::from(after.days()),
        changes.counts[0].posts,
        f64::from(before.days()),
        spread(&changes.posts, around),
    )
    .filter(|_| changes.counts[0].posts >= FEWEST_BEFORE);
    let fields: Vec<(&str, &str)> = [
        ("subject", policy.subject.as_str()),
        ("place", policy.place.as_str()),
        ("text", policy.words.as_str()),
    ]
    .into_iter()
    .filter(|(_, value)| !value.is_empty())
    .collect();
    let negative = pair(changes.shares)
        .map(|[before, after]| (after.value - before.value, difference(after, before)));
    let mean =
        pair(changes.means).map(|[before, after]| (after.value - before.value, after.less(before)));
    let calendar = &desk.cases.timing().calendar;
    let table = |aspect, field| moved_of(&links, &own, around, aspect, field, &fields);
    let a_week = |period: Period| period.days() / 7;
    let posts =
        |at: usize, period: Period| links.posts_of(changes.counts[at].posts, period, &fields);
    Ok(Facts {
        region: region.gazetteer.name.clone(),
        name: policy.name.clone(),
        day: policy.day,
        before,
        after,
        weeks_before: a_week(before),
        weeks_after: a_week(after),
        asked: policy.days,
        chosen: chosen(policy),
        estimated,
        posts_before: posts(0, before),
        posts_after: posts(1, after),
        per_day_before: changes.counts[0].posts as f64 / f64::from(before.days()),
        per_day_after: changes.counts[1].posts as f64 / f64::from(after.days()),
        change: rate.map(|rate| bounded(rate.ratio - 1.0, less(rate.interval, 1.0))),
        verdict: word(rate.map_or(Verdict::TooFew, |rate| Verdict::of(rate.interval, 1.0))),
        negative_before: changes.shares[0].map(bounded_share),
        negative_after: changes.shares[1].map(bounded_share),
        negative_verdict: verdict(negative.map(|(_, interval)| interval), 0.0),
        negative_difference: negative.map(|(value, interval)| bounded(value, interval)),
        mean_before: changes.means[0].map(|mean| mean.value),
        mean_after: changes.means[1].map(|mean| mean.value),
        mean_verdict: verdict(mean.map(|(_, interval)| interval), 0.0),
        mean_difference: mean.map(|(value, interval)| bounded(value, interval)),
        measures: vec![
            measure("每周帖文", &changes.posts),
            measure("每周负面占比", &changes.negative),
            measure("每周平均情感", &changes.mean),
        ],
        beside: narrowed.then(|| beside(&around.beside(&own, &all))),
        appeals: table(Aspect::Appeal, "appeal"),
        subjects: if policy.subject.is_empty() {
            table(Aspect::Subject, "subject")
        } else {
            Vec::new()
        },
        lines_before: quoted(&lines_before),
        lines_after: quoted(&lines_after),
        holidays: holidays(calendar, around.all()),
        holidays_unknown: (before.from.year()..=after.to.year())
            .any(|year| !calendar.tells_of(year)),
        silent: silent(&came_after, &came_before, month_before),
        begun: silent(&came_before, &came_after, after),
        course: course(&changes, around),
    })
}

/// The weeks that are compared.
fn around(policy: &Policy, known: Option<Period>) -> Result<Around, MakeError> {
    let weeks = policy.days / 7;
    if weeks == 0 {
        return Err(MakeError::Outside(format!(
            "whole weeks are compared; give 7 days or more on each side, not {}",
            policy.days
        )));
    }
    let Some(known) = known else {
        return Err(MakeError::Outside(
            "the archive has no posts up to those days; choose an earlier day".to_owned(),
        ));
    };
    Around::new(policy.day, weeks, weeks, known).map_err(|outside| {
        let (from, to) = (known.from, known.to);
        MakeError::Outside(match outside {
            Outside::Day => format!(
                "the archive has posts from {from} to {to}; choose a day after the first of them, not {}",
                policy.day
            ),
            Outside::Weeks => format!(
                "there is no whole week with posts on both sides of {}; the archive has {from} to {to}",
                policy.day
            ),
        })
    })
}

fn chosen(policy: &Policy) -> Vec<String> {
    let mut chosen = Vec::new();
    if !policy.subject.is_empty() {
        chosen.push(format!("事项为{}", policy.subject));
    }
    if !policy.place.is_empty() {
        chosen.push(format!("提到{}", policy.place));
    }
    if !policy.words.trim().is_empty() {
        let words: Vec<&str> = policy.words.split_whitespace().collect();
        chosen.push(format!("含有“{}”", words.join("”“")));
    }
    chosen
}

fn pair<T: Copy>([before, after]: [Option<T>; 2]) -> Option<[T; 2]> {
    Some([before?, after?])
}

fn bounded(value: f64, interval: Interval) -> Bounded {
    // Without bound where there was nothing before; facts are written as JSON, which has no such number.
    let finite = |value: f64| if value.is_finite() { value } else { f64::MAX };
    Bounded {
        value: finite(value),
        low: finite(interval.low),
        high: finite(interval.high),
    }
}

fn less(interval: Interval, value: f64) -> Interval {
    Interval {
        low: interval.low - value,
        high: interval.high - value,
    }
}

fn estimated(estimate: Estimate) -> Bounded {
    bounded(estimate.value, estimate.interval)
}

fn verdict(interval: Option<Interval>, unchanged: f64) -> &'static str {
    word(interval.map_or(Verdict::TooFew, |interval| Verdict::of(interval, unchanged)))
}

/// How much counts vary from week to week on either side.
fn spread(posts: &Measured, around: Around) -> f64 {
    let weeks: Vec<u64> = (posts.weeks.iter())
        .map(|week| week.unwrap_or(0.0) as u64)
        .collect();
    let (before, after) = weeks.split_at(around.before.bins_of(Step::Week));
    dispersion([before, after]).unwrap_or(1.0)
}

fn measure(name: &'static str, measured: &Measured) -> Measure {
    let nothing = |why| Measure {
        name,
        why,
        mean: None,
        jump: None,
        slope: None,
        verdict: "too-few",
    };
    match &measured.effect {
        Ok(Effect {
            mean, jump, slope, ..
        }) => Measure {
            name,
            why: "",
            mean: Some(estimated(*mean)),
            jump: Some(estimated(*jump)),
            slope: Some(estimated(*slope)),
            verdict: word(Verdict::of(mean.interval, 0.0)),
        },
        Err(Why::FewWeeks) => nothing("few-weeks"),
        Err(Why::FewPosts) => nothing("few-posts"),
        Err(Why::NoVariation) => nothing("no-variation"),
    }
}

fn beside(beside: &Beside) -> BesideFacts {
    let [before, after] = beside.others.map(|counts| counts.posts);
    BesideFacts {
        before,
        after,
        volume_verdict: verdict(beside.volume.map(|volume| volume.interval), 1.0),
        volume: beside.volume.map(estimated),
        negative_verdict: verdict(beside.negative.map(|negative| negative.interval), 0.0),
        negative: beside.negative.map(estimated),
    }
}

fn moved_of(
    links: &Links<'_>,
    days: &[&Day],
    around: Around,
    aspect: Aspect,
    field: &str,
    fields: &[(&str, &str)],
) -> Vec<Moved> {
    let Around { before, after } = around;
    let each = || days.iter().copied();
    let counted = by_week(each(), aspect, after, before);
    let varies = negative_dispersion(each(), around.all());
    (movements(&counted, after, before, None, varies).into_iter())
        .take(ROWS)
        .map(|movement| {
            let mut all = fields.to_vec();
            all.push((field, movement.name.as_str()));
            Moved {
                posts: links.posts_of(movement.posts, after, &all),
                before: movement.before,
                change: (movement.change)
                    .filter(|_| movement.before >= FEWEST_BEFORE)
                    .map(|change| change.ratio - 1.0),
                verdict: word(if movement.before >= FEWEST_BEFORE {
                    movement.verdict
                } else {
                    Verdict::TooFew
                }),
                negative_share: movement.negative_share.map(|share: Share| share.value),
                name: movement.name,
            }
        })
        .collect()
}

/// A line of each appeal, then a second of each, until there are enough.
fn quoted(said: &[Said]) -> Vec<Line> {
    let mut lines: Vec<Line> = Vec::new();
    for again in 0..2 {
        let mut seen: BTreeSet<&str> = BTreeSet::new();
        for one in said {
            let Some(quote) = quote(&one.text) else {
                continue;
            };
            if lines.iter().any(|line| line.quote == quote) {
                continue;
            }
            let of_appeal = lines.iter().filter(|line| line.appeal == one.appeal);
            if of_appeal.count() == again && lines.len() < LINES && seen.insert(&one.appeal) {
                lines.push(Line {
                    appeal: one.appeal.clone(),
                    quote,
                });
            }
        }
    }
    lines
}

fn holidays(calendar: &crate::calendar::Calendar, period: Period) -> Vec<String> {
    let mut found: Vec<String> = Vec::new();
    for bin in period.bins(Step::Day) {
        if let Some(name) = calendar.holiday(bin.from) {
            let told = format!("{}年{name}", bin.from.year());
            if found.last() != Some(&told) {
                found.push(told);
            }
        }
    }
    found
}

fn course(changes: &Changes, around: Around) -> Vec<Week> {
    let first = around.before.bins_of(Step::Week);
    let effect = changes.posts.effect.as_ref().ok();
    (around.all().bins(Step::Week).iter().enumerate())
        .map(|(at, bin)| Week {
            from: bin.from,
            posts: changes
                .posts
                .weeks
                .get(at)
                .copied()
                .flatten()
                .unwrap_or(0.0),
            fitted: effect.and_then(|effect| effect.fitted.get(at).copied()),
            expected: (effect.filter(|_| at >= first))
                .and_then(|effect| effect.expected.get(at).copied()),
        })
        .collect()
}

fn summary(facts: &Facts) -> Table {
    let points = |value: Option<Bounded>, digits: u8, scale: f64| {
        text(value.map_or("—".to_owned(), |value| {
            let signed = |value: f64| report::wording::signed(value * scale, digits);
            format!(
                "{}（{}至{}）",
                signed(value.value),
                signed(value.low),
                signed(value.high)
            )
        }))
    };
    let said = |verdict: &str| text(told(verdict));
    let mean =
        |value: Option<f64>| value.map_or_else(|| text("—"), |value| text(format!("{value:.2}")));
    Table {
        name: "summary".to_owned(),
        title: "前后对比（差值后为95%区间）".to_owned(),
        columns: vec![
            column("项目", false),
            column("之前", true),
            column("之后", true),
            column("差别", true),
            column("判断", false),
        ],
        rows: vec![
            vec![
                text("日均帖文（帖）"),
                text(report::wording::number(facts.per_day_before, 1)),
                text(report::wording::number(facts.per_day_after, 1)),
                text(facts.change.map_or("—".to_owned(), |change| {
                    format!(
                        "{}（{}至{}）",
                        by_percent(change.value),
                        by_percent(change.low),
                        by_percent(change.high)
                    )
                })),
                said(facts.verdict),
            ],
            vec![
                text("负面占比"),
                percent(facts.negative_before.map(|share| share.value)),
                percent(facts.negative_after.map(|share| share.value)),
                points(facts.negative_difference, 1, 100.0),
                said(facts.negative_verdict),
            ],
            vec![
                text("情感均值"),
                mean(facts.mean_before),
                mean(facts.mean_after),
                points(facts.mean_difference, 2, 1.0),
                said(facts.mean_verdict),
            ],
        ],
    }
}

/// A verdict as tables say it.
fn told(verdict: &str) -> &'static str {
    match verdict {
        "up" => "上升",
        "down" => "下降",
        "unclear" => "不能判断",
        _ => "件数过少",
    }
}

fn by_percent(value: f64) -> String {
    format!("{}%", report::wording::signed(value * 100.0, 0))
}

fn moved(name: &str, head: &str, rows: &[Moved]) -> Table {
    Table {
        name: name.to_owned(),
        title: format!("{head}前后对比"),
        columns: vec![
            column(head, false),
            column("之后（帖）", true),
            column("之前（帖）", true),
            column("日均变化", false),
            column("负面占比", true),
        ],
        rows: (rows.iter())
            .map(|row| {
                let words = told(row.verdict);
                vec![
                    text(&row.name),
                    cited(&row.posts),
                    number(row.before as f64),
                    text(match row.change {
                        Some(change) => format!("{} {words}", by_percent(change)),
                        None if row.before == 0 => "新出现".to_owned(),
                        None => words.to_owned(),
                    }),
                    percent(row.negative_share),
                ]
            })
            .collect(),
    }
}

fn weekly(facts: &Facts) -> Chart {
    let first = facts.weeks_before as usize;
    let line = |name: &str, shape, of: fn(&Week) -> Option<f64>| Series {
        name: name.to_owned(),
        shape,
        values: facts.course.iter().map(of).collect(),
        between: Vec::new(),
    };
    let mut series = vec![line("每周帖文", Shape::Bars, |week| Some(week.posts))];
    if facts.course.iter().any(|week| week.fitted.is_some()) {
        series.push(line("前后走势", Shape::Line, |week| week.fitted));
        series.push(line("按此前走势推算", Shape::Dashes, |week| {
            week.expected
        }));
    }
    Chart {
        name: "weekly".to_owned(),
        title: format!("图1 每周帖文数（{}实施）", report::wording::day(facts.day)),
        words: format!(
            "此前{}周共{}帖，此后{}周共{}帖",
            facts.weeks_before,
            report::wording::number(facts.posts_before.value, 0),
            facts.weeks_after,
            report::wording::number(facts.posts_after.value, 0)
        ),
        unit: "帖".to_owned(),
        kind: ChartKind::Over {
            points: (facts.course.iter())
                .map(|week| format!("{}.{}起", week.from.month(), week.from.day()))
                .collect(),
        },
        series,
        marks: vec![Mark {
            series: 0,
            point: first,
            words: "实施".to_owned(),
        }],
    }
}
