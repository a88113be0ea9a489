//! Trends (趋势): volume, sentiment, subjects, places, sources and how timely units are, over a period and against another.

mod asked;
mod effect;
mod moved;
mod timely;

use std::sync::Arc;

use askama::Template;
use axum::Extension;
use axum::extract::State;
use axum::response::Response;
use jiff::Timestamp;
use jiff::civil::Date;

use self::asked::{Asked, Form, address};
use self::moved::Moved;
use self::timely::Timely;
use super::Console;
use super::access::SignedIn;
use super::archive;
use super::archive::trends::{Days, covered};
use super::chart::{Chart, Series};
use super::fields::{Choice, Fields};
use super::page::{Frame, archive_unavailable, render};
use super::problem::Problem;
use super::show;
use super::towns::{Shade, TileMap, tile_maps};
use crate::calendar::day_of;
use crate::trend::{
    Aspect, Bin, Change, Counts, Day, Mean, Period, Share, Step, by_bin, by_week, change,
    difference, dispersion, in_all, movements, negative_dispersion,
};

pub(super) use effect::page as effect_page;

/// The filters of the page.
const FILTERS: [&str; 11] = [
    "period",
    "from",
    "to",
    "against",
    "against_from",
    "against_to",
    "step",
    "subject",
    "place",
    "source",
    "map",
];

/// A number of the head of the page.
struct Figure {
    value: String,
    title: &'static str,
    /// How it has changed, and what can be said of that.
    change: String,
}

/// A table of things that have moved.
struct MovedTable {
    id: &'static str,
    title: &'static str,
    /// What each is called.
    head: &'static str,
    rows: Vec<Moved>,
}

#[derive(Template)]
#[template(path = "trends.html")]
struct TrendsPage {
    frame: Frame,
    form: Form,
    subjects: Vec<Choice>,
    sources: Vec<Choice>,
    place: String,
    period: String,
    against: String,
    /// Why nothing can be compared; empty where it can.
    not_comparable: String,
    figures: Vec<Figure>,
    charts: Vec<Chart>,
    tables: Vec<MovedTable>,
    maps: Vec<TileMap>,
    /// Whether maps are shaded by the negative share, and the address with the other shading.
    by_negative: bool,
    other_shade: String,
    timely: Option<Timely>,
    effect: String,
}

#[derive(Template)]
#[template(path = "trends-empty.html")]
struct EmptyPage {
    frame: Frame,
}

/// The page.
pub(super) async fn page(
    State(console): State<Arc<Console>>,
    Extension(days): Extension<Days>,
    signed_in: SignedIn,
    fields: Fields,
) -> Result<Response, Problem> {
    let now = Timestamp::now();
    let frame = Frame::new(&console, &signed_in, "/trends", "趋势");
    let client = &console.archive;
    let Ok(known) = covered(client, "", day_of(now)).await else {
        return archive_unavailable(frame);
    };
    let Some(known) = known else {
        return render(&EmptyPage { frame });
    };
    let asked = Asked::read(&fields, known.to);
    let shade = if fields.get("map") == "negative" {
        Shade::Negative
    } else {
        Shade::Posts
    };
    let periods = [asked.period, asked.against];
    let maps = async {
        // Of posts of one place there is no map.
        if !asked.scope.place.is_empty() {
            return Ok(Vec::new());
        }
        let own = &signed_in.user.region;
        tile_maps(&console, own, &asked.scope, asked.period, shade).await
    };
    let found = tokio::join!(
        days.read(client, &asked.scope, &periods),
        archive::sources(client),
        maps,
        Timely::read(&console, asked.period, now),
    );
    let (Ok(days), Ok(sources), Ok(maps), timely) = found else {
        return archive_unavailable(frame);
    };
    let not_comparable = not_comparable(&asked, known);
    let comparable = not_comparable.is_empty();
    let days: Vec<&Day> = days.iter().map(AsRef::as_ref).collect();
    let other = if shade == Shade::Posts {
        "negative"
    } else {
        ""
    };
    render(&TrendsPage {
        form: asked.form(&fields),
        subjects: Choice::plain(backbone::region::SUBJECTS, &asked.scope.subject),
        sources: Choice::plain(sources, &asked.scope.source),
        place: asked.scope.place.clone(),
        period: show::days(asked.period),
        against: show::days(asked.against),
        not_comparable,
        figures: figures(&days, &asked, comparable),
        charts: charts(&days, &asked, comparable, known),
        tables: tables(&days, &asked, comparable),
        maps,
        by_negative: shade == Shade::Negative,
        other_shade: address("/trends", &fields, &FILTERS, ("map", other)),
        timely: timely.ok(),
        effect: address(
            "/trends/effect",
            &fields,
            &["subject", "place", "source"],
            ("", ""),
        ),
        frame,
    })
}

fn not_comparable(asked: &Asked, known: Period) -> String {
    let Period { from, to } = asked.against;
    if from < known.from {
        format!(
            "对比时段（{}）早于本库最早的帖文（{}），当时的帖文不全，不作比较。",
            show::days(asked.against),
            show::day(known.from)
        )
    } else if to > known.to || asked.period.to > known.to {
        format!(
            "本库帖文至{}为止，时段没有过完，不作比较。",
            show::day(known.to)
        )
    } else {
        String::new()
    }
}

/// The numbers of the period, against those of the other.
fn figures(days: &[&Day], asked: &Asked, comparable: bool) -> Vec<Figure> {
    let each = || days.iter().copied();
    let (now, before) = (in_all(each(), asked.period), in_all(each(), asked.against));
    let of = |period| negative_dispersion(each(), period);
    let (varies, varied) = (of(asked.period), of(asked.against));
    let weeks = |period| -> Vec<u64> {
        let weeks = by_bin(each(), period, Step::Week);
        // The first may be short.
        weeks
            .iter()
            .rev()
            .take(period_weeks(period))
            .map(|week| week.posts)
            .collect()
    };
    let weeks = [weeks(asked.period), weeks(asked.against)];
    let dispersion = dispersion(weeks.iter().map(Vec::as_slice));
    let posts = change(
        now.posts,
        f64::from(asked.period.days()),
        before.posts,
        f64::from(asked.against.days()),
        dispersion.unwrap_or(1.0),
    );
    let share = Share::of(now.negative, now.posts, varies);
    let share_before = Share::of(before.negative, before.posts, varied);
    let mean = Mean::of(now.positive, now.negative, now.posts, varies);
    let mean_before = Mean::of(before.positive, before.negative, before.posts, varied);
    let unless = |change: Option<String>| {
        change
            .filter(|_| comparable)
            .unwrap_or_else(|| "无可比较".to_owned())
    };
    vec![
        Figure {
            value: now.posts.to_string(),
            title: "帖文（帖）",
            change: unless(posts.filter(|_| dispersion.is_some()).map(moved::by_day)),
        },
        Figure {
            value: share.map_or("—".to_owned(), |share| show::share(share.value)),
            title: "负面占比",
            change: unless(share.zip(share_before).map(|(now, before)| {
                moved::points(now.value - before.value, difference(now, before))
            })),
        },
        Figure {
            value: mean.map_or("—".to_owned(), |mean| show::signed(mean.value, 2)),
            title: "平均情感（−1至+1）",
            change: unless(
                mean.zip(mean_before)
                    .map(|(now, before)| moved::means(now, before)),
            ),
        },
    ]
}

/// Whole weeks of a period.
fn period_weeks(period: Period) -> usize {
    (period.days() / 7) as usize
}

/// The curves of the period, with those of the other as broken lines.
fn charts(days: &[&Day], asked: &Asked, comparable: bool, known: Period) -> Vec<Chart> {
    let each = || days.iter().copied();
    let bins = asked.period.bins(asked.step);
    let now = by_bin(each(), asked.period, asked.step);
    // The last day of one stands under the last of the other.
    let before = by_bin(each(), asked.against, asked.step);
    let skipped = before.len().saturating_sub(now.len());
    let missing = now.len().saturating_sub(before.len());
    let before: Vec<Option<Counts>> = std::iter::repeat_n(None, missing)
        .chain(before.into_iter().skip(skipped).map(Some))
        .collect();
    // Where the archive does not reach, there is no number, not a number of nothing.
    let now: Vec<Option<Counts>> = (now.into_iter().zip(&bins))
        .map(|(counts, bin)| (bin.to >= known.from && bin.from <= known.to).then_some(counts))
        .collect();
    let number = |value: u64| value as f64;
    let points = |bins: &[Bin]| -> Vec<(String, String)> {
        bins.iter()
            .map(|bin| (tick(bin.to), named(*bin, asked.step)))
            .collect()
    };
    let varies = negative_dispersion(each(), asked.period);
    let share = |counts: Counts| Share::of(counts.negative, counts.posts, varies);
    let mean = |counts: Counts| Mean::of(counts.positive, counts.negative, counts.posts, varies);
    let unit = if asked.step == Step::Day {
        "日"
    } else {
        "周"
    };
    let against = comparable.then(|| show::days(asked.against));
    let dashes = |chart: Chart, values: Vec<Option<f64>>| match &against {
        Some(_) => chart.with(Series::dashes("对比时段", "dim", values)),
        None => chart,
    };
    let words = |what: &str| match &against {
        Some(against) => format!("{what}；虚线为{against}"),
        None => what.to_owned(),
    };
    let posts = Chart::new(format!("每{unit}帖文"), "帖", points(&bins))
        .words(words("红色为负面"))
        .with(Series::bars(
            "全部",
            "blue-2",
            now.iter().map(|it| it.map(|it| number(it.posts))),
        ))
        .with(Series::bars(
            "负面",
            "negative",
            now.iter().map(|it| it.map(|it| number(it.negative))),
        ));
    let posts = dashes(
        posts,
        before
            .iter()
            .map(|it| it.map(|it| number(it.posts)))
            .collect(),
    );
    let of_share = |it: &Option<Counts>| it.and_then(share);
    let shares = Chart::new(format!("每{unit}负面占比"), "%", points(&bins))
        .digits(1)
        .words(words("色带为95%区间"))
        .with(
            Series::line(
                "负面占比",
                "negative",
                now.iter().map(|it| Some(of_share(it)?.value * 100.0)),
            )
            .between(now.iter().map(|it| {
                let interval = of_share(it)?.interval;
                Some((interval.low * 100.0, interval.high * 100.0))
            })),
        );
    let shares = dashes(
        shares,
        before
            .iter()
            .map(|it| Some(of_share(it)?.value * 100.0))
            .collect(),
    );
    let of_mean = |it: &Option<Counts>| it.and_then(mean);
    let means = Chart::new(format!("每{unit}平均情感"), "", points(&bins))
        .digits(2)
        .around()
        .words(words("正面记1，中性记0，负面记−1；色带为95%区间"))
        .with(
            Series::line(
                "平均情感",
                "blue-2",
                now.iter().map(|it| Some(of_mean(it)?.value)),
            )
            .between(now.iter().map(|it| {
                let interval = of_mean(it)?.interval;
                Some((interval.low, interval.high))
            })),
        );
    let means = dashes(
        means,
        before.iter().map(|it| Some(of_mean(it)?.value)).collect(),
    );
    vec![posts, shares, means]
}

/// A day on an axis.
fn tick(day: Date) -> String {
    format!("{}-{:02}", day.month(), day.day())
}

/// The name of a day or week.
fn named(bin: Bin, step: Step) -> String {
    let days = show::days(Period {
        from: bin.from,
        to: bin.to,
    });
    match step {
        Step::Week if bin.days() < 7 => format!("{days}（不足一周）"),
        _ => days,
    }
}

fn tables(days: &[&Day], asked: &Asked, comparable: bool) -> Vec<MovedTable> {
    let varies = negative_dispersion(days.iter().copied(), asked.period);
    [
        (
            Aspect::Subject,
            "subjects",
            "事项",
            "subject",
            asked.scope.subject.is_empty(),
        ),
        (
            Aspect::Place,
            "places",
            "地点",
            "place",
            asked.scope.place.is_empty(),
        ),
        (
            Aspect::Source,
            "sources",
            "来源",
            "source",
            asked.scope.source.is_empty(),
        ),
        (Aspect::Appeal, "appeals", "诉求类型", "appeal", true),
    ]
    .into_iter()
    // Of what is asked for there is one row, which the figures are.
    .filter(|(.., shown)| *shown)
    .map(|(aspect, id, title, filter, _)| {
        let counted = by_week(days.iter().copied(), aspect, asked.period, asked.against);
        let rows = movements(&counted, asked.period, asked.against, None, varies);
        MovedTable {
            id,
            title,
            head: title,
            rows: moved::rows(&rows, comparable, |name| {
                show::posts_of(asked.period, &asked.scope, filter, name)
            }),
        }
    })
    .collect()
}

/// How much a rate has changed, for tables and figures alike.
fn percent(change: Change) -> (f64, f64, f64) {
    let of = |ratio: f64| (ratio - 1.0) * 100.0;
    (
        of(change.ratio),
        of(change.interval.low),
        of(change.interval.high),
    )
}
