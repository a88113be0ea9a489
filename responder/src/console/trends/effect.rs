//! Before and after (政策执行效果): what has changed since a day, beyond what would have come anyway.

use std::sync::Arc;

use askama::Template;
use axum::Extension;
use axum::extract::State;
use axum::response::Response;
use jiff::Timestamp;
use jiff::civil::Date;

use super::super::Console;
use super::super::access::SignedIn;
use super::super::archive::trends::{Days, LookedUp, Scope, covered, with_words};
use super::super::archive::{self, Unavailable};
use super::super::chart::{Chart, Series};
use super::super::fields::{Choice, Fields};
use super::super::page::{Frame, archive_unavailable, render};
use super::super::problem::Problem;
use super::super::show;
use super::moved::{self, Moved};
use super::{EmptyPage, asked, named, tick};
use crate::calendar::{Calendar, day_of};
use crate::trend::{
    Around, Aspect, Bin, Day, Effect, Estimate, Measured, Outside, Period, Share, Step, Why,
    by_week, difference, movements, negative_dispersion,
};

/// Weeks on each side where nothing is said of it, and the most.
const WEEKS: (u32, u32) = (12, 52);
/// A value that may have changed.
struct Measure {
    chart: Chart,
    /// What can be said.
    verdict: &'static str,
    class: &'static str,
    /// Why, with the numbers.
    words: Vec<String>,
}

/// What was asked for, and could be answered.
struct Answer {
    day: String,
    before: String,
    after: String,
    posts_before: u64,
    posts_after: u64,
    /// The negative share on each side with its bounds, and what the difference tells.
    shares: String,
    measures: Vec<Measure>,
    appeals: Vec<Moved>,
    subjects: Vec<Moved>,
    holidays: String,
}

#[derive(Template)]
#[template(path = "effect.html")]
struct EffectPage {
    frame: Frame,
    date: String,
    weeks_before: u32,
    weeks_after: u32,
    text: String,
    place: String,
    subjects: Vec<Choice>,
    sources: Vec<Choice>,
    event: String,
    event_title: String,
    /// What is wrong with what was asked for; empty where nothing is.
    problem: String,
    /// Where the posts with the words are estimated.
    estimated: Option<LookedUp>,
    answer: Option<Answer>,
}

/// The page.
pub(in crate::console) async fn page(
    State(console): State<Arc<Console>>,
    Extension(days): Extension<Days>,
    signed_in: SignedIn,
    fields: Fields,
) -> Result<Response, Problem> {
    let now = Timestamp::now();
    let mut frame = Frame::new(&console, &signed_in, "/trends", "执行效果");
    let client = &console.archive;
    let Ok(known) = covered(client, "", day_of(now)).await else {
        return archive_unavailable(frame);
    };
    let Some(known) = known else {
        frame.title = "趋势".to_owned();
        return render(&EmptyPage { frame });
    };
    let scope = asked::scope(&fields);
    let event = fields.get("event");
    let found = if event.is_empty() {
        None
    } else {
        match archive::event(client, event).await {
            Err(Unavailable) => return archive_unavailable(frame),
            Ok(None) => return Err(Problem::NotFound),
            Ok(Some(found)) => Some(found),
        }
    };
    let began = found.as_ref().and_then(|event| {
        let at = Timestamp::from_millisecond(event.first_at).ok()?;
        Some(day_of(at))
    });
    let day = fields.get("date").parse::<Date>().ok().or(began);
    let weeks = |name| match fields.get(name).parse() {
        Ok(weeks) => u32::clamp(weeks, 4, WEEKS.1),
        Err(_) => WEEKS.0,
    };
    let (weeks_before, weeks_after) = (weeks("before"), weeks("after"));
    let sides = day.map(|day| sides(day, weeks_before, weeks_after, known));
    let (problem, sides) = match sides {
        None if fields.get("date").is_empty() => (String::new(), None),
        None => ("请填写日期，如 2026-03-01。".to_owned(), None),
        Some(Err(problem)) => (problem, None),
        Some(Ok(sides)) => (String::new(), Some(sides)),
    };
    let text = fields.get("text");
    let counting = async {
        let Some(all) = sides.map(|sides| sides.all()) else {
            return Ok((Vec::new(), None));
        };
        if text.is_empty() {
            return Ok((days.read(client, &scope, &[all]).await?, None));
        }
        let found = with_words(client, text, &scope, all).await?;
        let counted = found.days.into_iter().map(Arc::new).collect();
        Ok((counted, found.estimated))
    };
    let asked = tokio::try_join!(counting, archive::sources(client));
    let Ok(((counted, estimated), sources)) = asked else {
        return archive_unavailable(frame);
    };
    let counted: Vec<&Day> = counted.iter().map(AsRef::as_ref).collect();
    let calendar = &console.cases.timing().calendar;
    let answer = sides.map(|sides| answer(&counted, sides, &scope, calendar));
    render(&EffectPage {
        frame,
        date: day.map_or(String::new(), |day| day.to_string()),
        weeks_before,
        weeks_after,
        text: text.to_owned(),
        subjects: Choice::plain(backbone::region::SUBJECTS, &scope.subject),
        sources: Choice::plain(sources, &scope.source),
        place: {
            let Scope { place, .. } = scope;
            place
        },
        event: event.to_owned(),
        event_title: found.map_or(String::new(), |event| event.named),
        problem,
        estimated,
        answer,
    })
}

/// The weeks before the day and from it on, as far as the archive has them whole.
fn sides(day: Date, before: u32, after: u32, known: Period) -> Result<Around, String> {
    Around::new(day, before, after, known).map_err(|outside| match outside {
        Outside::Day => format!("本库帖文自{}，请在其间选择日期。", show::days(known)),
        Outside::Weeks => "该日期前后在本库中不足一周，不能判断。".to_owned(),
    })
}

fn answer(days: &[&Day], sides: Around, scope: &Scope, calendar: &Calendar) -> Answer {
    let each = || days.iter().copied();
    let Around { before, after } = sides;
    let all = sides.all();
    let bins = all.bins(Step::Week);
    let first = before.bins_of(Step::Week);
    let changes = sides.changes(each());
    let [posts_before, posts_after] = changes.counts.map(|counts| counts.posts);
    let shares = changes.shares[0].zip(changes.shares[1]);
    let shares = shares.map_or(String::new(), |(before, after)| {
        let told = |share: Share| {
            format!(
                "{}（{}至{}）",
                show::share(share.value),
                show::share(share.interval.low),
                show::share(share.interval.high)
            )
        };
        format!(
            "负面占比此前{}，此后{}，相差{}。",
            told(before),
            told(after),
            moved::points(after.value - before.value, difference(after, before))
        )
    });
    let table = |aspect, filter| {
        let counted = by_week(each(), aspect, after, before);
        let varies = negative_dispersion(each(), all);
        let moved = movements(&counted, after, before, None, varies);
        moved::rows(&moved, true, |name| {
            show::posts_of(after, scope, filter, name)
        })
    };
    Answer {
        day: show::day(after.from),
        before: show::days(before),
        after: show::days(after),
        posts_before,
        posts_after,
        shares,
        measures: vec![
            measured("每周帖文", "帖", 1, &bins, changes.posts, first),
            measured("每周负面占比", "%", 1, &bins, changes.negative, first),
            measured("每周平均情感", "", 2, &bins, changes.mean, first),
        ],
        appeals: table(Aspect::Appeal, "appeal"),
        subjects: table(Aspect::Subject, "subject"),
        holidays: holidays(&bins, calendar),
    }
}

/// What has changed in a value of each week, in a chart and in words.
fn measured(
    title: &str,
    unit: &'static str,
    digits: usize,
    bins: &[Bin],
    measured: Measured,
    first: usize,
) -> Measure {
    let scale = if unit == "%" { 100.0 } else { 1.0 };
    let Measured { weeks, effect } = measured.times(scale);
    let points = bins
        .iter()
        .map(|bin| (tick(bin.from), named(*bin, Step::Week)));
    let chart = Chart::new(title, unit, points)
        .digits(digits)
        .with(Series::line(title, "blue-2", weeks))
        .mark(first as f64 - 0.5, "该日");
    let chart = if unit.is_empty() {
        chart.around()
    } else {
        chart
    };
    match effect {
        Ok(effect) => told(effect, chart, unit, digits, first),
        Err(Why::FewPosts) => untold(
            chart,
            "帖数太少：前后平均每周都要有5帖以上，走势才说明问题。",
        ),
        Err(Why::FewWeeks) => untold(
            chart,
            "周数不足：有帖的周前后至少各4周、共12周，才能区分走势与偶然。",
        ),
        Err(Why::NoVariation) => untold(chart, "各周数值没有起伏，无从估计偶然变化的大小。"),
    }
}

fn untold(chart: Chart, why: &str) -> Measure {
    Measure {
        chart,
        verdict: "不能判断",
        class: "",
        words: vec![why.to_owned()],
    }
}

fn told(effect: Effect, chart: Chart, unit: &'static str, digits: usize, first: usize) -> Measure {
    let unit = if unit == "%" { "个百分点" } else { unit };
    let number = |value: f64| format!("{value:.digits$}").replace('-', "−");
    let estimate = |estimate: Estimate| {
        format!(
            "{}{unit}（95%区间{}至{}）",
            show::signed(estimate.value, digits),
            show::signed(estimate.interval.low, digits),
            show::signed(estimate.interval.high, digits)
        )
    };
    let (verdict, class) = match effect.mean.interval {
        interval if interval.low > 0.0 => ("上升", "up"),
        interval if interval.high < 0.0 => ("下降", ""),
        _ => ("不能判断", ""),
    };
    let mut words = vec![
        format!(
            "此前{}周平均每周{}，此后{}周平均每周{}。",
            effect.before,
            number(effect.mean_before),
            effect.after,
            number(effect.mean_after)
        ),
        format!(
            "与按此前走势推算的相比，此后平均相差{}。",
            estimate(effect.mean)
        ),
        format!("当周跳变{}。", estimate(effect.jump)),
        format!("每周走势变化{}。", estimate(effect.slope)),
    ];
    if verdict == "不能判断" {
        words.push("区间含0：相差可能出于偶然，不能据此说有变化，也不能说没有变化。".to_owned());
    }
    let expected = effect.expected.into_iter().enumerate();
    let chart = chart
        .with(Series::line(
            "前后走势",
            "dim",
            effect.fitted.into_iter().map(Some),
        ))
        .with(Series::dashes(
            "按此前走势推算",
            "negative",
            expected.map(|(at, value)| (at >= first).then_some(value)),
        ));
    Measure {
        chart,
        verdict,
        class,
        words,
    }
}

/// The weeks with holidays, which are not accounted for.
fn holidays(bins: &[Bin], calendar: &Calendar) -> String {
    let mut found: Vec<String> = Vec::new();
    for bin in bins {
        let days = std::iter::successors(Some(bin.from), |day| day.tomorrow().ok());
        let name = days
            .take_while(|day| *day <= bin.to)
            .find_map(|day| calendar.holiday(day));
        if let Some(name) = name {
            found.push(format!("{}起的一周（{name}）", tick(bin.from)));
        }
    }
    let years =
        (bins.first().zip(bins.last())).map(|(first, last)| first.from.year()..=last.to.year());
    let unknown = years
        .into_iter()
        .flatten()
        .any(|year| !calendar.tells_of(year));
    if unknown {
        "各周都含一周七天，周内规律不影响比较；节假日日历中没有其中的年份，遇节假日的周请自行留意。"
            .to_owned()
    } else if found.is_empty() {
        "各周都含一周七天，周内规律不影响比较；所列各周没有法定节假日。".to_owned()
    } else {
        format!(
            "各周都含一周七天，周内规律不影响比较；法定节假日未作调整，请留意：{}。",
            found.join("、")
        )
    }
}
