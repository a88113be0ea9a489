//! The roster: who is on duty now and in these two weeks, where nobody is, swaps, and the file it comes from.

use std::path::Path;
use std::sync::Arc;

use askama::Template;
use axum::Extension;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use backbone::region::Region;
use jiff::civil::{Date, Weekday};
use jiff::{Timestamp, ToSpan};

use super::access::SignedIn;
use super::fields::{Choice, Fields};
use super::page::{Frame, render_as};
use super::problem::Problem;
use super::routes::{DUTY, OFFICERS};
use super::{Console, place, show};
use crate::calendar::{Calendar, at_minute, day_of, days_from};
use crate::case::NewAttachment;
use crate::clock::CHINA;
use crate::roster::{
    FileError, Gap, Imported, Post, Shift, SwapError, gaps, known_names, read_bytes,
};

/// Days of the grid.
const DAYS: usize = 14;
/// Problems of a file that are shown.
const MOST_PROBLEMS: usize = 50;
/// Days from which shifts to swap may be chosen.
const SWAP_DAYS: i64 = 35;

/// A day of the grid.
struct DayLine {
    day: String,
    weekday: &'static str,
    /// 工作日, 休息日, or the holiday.
    kind: String,
    rest: bool,
    today: bool,
    posts: Vec<Cell>,
}

/// A post on a day.
struct Cell {
    post: &'static str,
    shifts: Vec<ShiftLine>,
    gaps: Vec<String>,
}

struct ShiftLine {
    who: String,
    /// Who had it before a swap; empty where nobody else did.
    planned: String,
    time: String,
    now: bool,
}

struct OnDuty {
    post: &'static str,
    people: String,
    until: String,
}

struct SwapLine {
    at: String,
    who: [String; 2],
    by: String,
    reason: String,
}

#[derive(Template)]
#[template(path = "roster.html")]
struct RosterPage {
    frame: Frame,
    region: String,
    code: String,
    regions: Vec<Choice>,
    on_duty: Vec<OnDuty>,
    weeks: Vec<Vec<DayLine>>,
    posts: [&'static str; 3],
    /// First days of the fortnights before and after.
    before: String,
    after: String,
    /// The first times of the fortnight in which a post is nobody's, and how many there are.
    gaps: Vec<String>,
    gap_count: usize,
    swaps: Vec<SwapLine>,
    may_swap: bool,
    may_import: bool,
    first: Vec<Choice>,
    second: Vec<Choice>,
    reason: String,
    problem: String,
    /// What is wrong with the rows of a file.
    rows: Vec<RowLine>,
    more_rows: usize,
    done: String,
}

struct RowLine {
    row: u64,
    column: &'static str,
    problem: String,
}

/// What a form led to.
#[derive(Default)]
struct Told {
    status: StatusCode,
    problem: String,
    rows: Vec<RowLine>,
    more_rows: usize,
    done: String,
}

impl Told {
    fn refused(problem: String) -> Self {
        Self {
            status: StatusCode::UNPROCESSABLE_ENTITY,
            problem,
            ..Self::default()
        }
    }
}

/// The page.
pub(super) async fn show(
    State(console): State<Arc<Console>>,
    signed_in: SignedIn,
    fields: Fields,
) -> Result<Response, Problem> {
    let count = |name| fields.get(name).parse::<usize>().unwrap_or(0);
    let done = match fields.get("done") {
        "swapped" => "班次已调换。".to_owned(),
        "imported" => format!(
            "已导入：新增{}个班次，{}个原已在表上，撤下{}个。",
            count("added"),
            count("known"),
            count("dropped")
        ),
        _ => String::new(),
    };
    let told = Told {
        done,
        ..Told::default()
    };
    page(&console, &signed_in, &fields, told).await
}

/// Exchanges who has two shifts.
pub(super) async fn swap(
    State(console): State<Arc<Console>>,
    signed_in: SignedIn,
    fields: Fields,
) -> Result<Response, Problem> {
    let now = Timestamp::now();
    let region = place::region(&console, &signed_in, &fields)?;
    let (by, shifts) = (&signed_in.user.name, ["first", "second"]);
    let shifts = shifts.map(|name| fields.get(name));
    let swapped = (console.roster)
        .swap(region.code(), shifts, by, fields.get("reason"), now)
        .await;
    match swapped {
        Ok(swap) => {
            (console.accounts)
                .audit(by, "swap-shifts", &swap.id, now)
                .await?;
            let to = format!("/roster?region={}&done=swapped", region.code());
            Ok(Redirect::to(&to).into_response())
        }
        Err(SwapError::Store(error)) => Err(error.into()),
        Err(refused) => {
            let told = Told::refused(format!("{refused}。"));
            page(&console, &signed_in, &fields, told).await
        }
    }
}

/// Takes a roster in from a file.
pub(super) async fn import(
    State(console): State<Arc<Console>>,
    signed_in: SignedIn,
    Extension(file): Extension<NewAttachment>,
    fields: Fields,
) -> Result<Response, Problem> {
    let now = Timestamp::now();
    let region = place::region(&console, &signed_in, &fields)?;
    if file.name.is_empty() {
        let told = Told::refused("请选择值班表文件。".to_owned());
        return page(&console, &signed_in, &fields, told).await;
    }
    let shifts = match read_bytes(Path::new(&file.name), file.content, &known_names(region)) {
        Ok(shifts) => shifts,
        Err(refused) => return page(&console, &signed_in, &fields, of_file(refused)).await,
    };
    let replace = !fields.get("replace").is_empty();
    let Imported {
        added,
        known,
        dropped,
    } = (console.roster)
        .import(region.code(), &shifts, replace, now)
        .await?;
    (console.accounts)
        .audit(&signed_in.user.name, "import-roster", region.code(), now)
        .await?;
    let from = shifts.iter().map(|shift| shift.from).min().unwrap_or(now);
    let to = format!(
        "/roster?region={}&from={}&done=imported&added={added}&known={known}&dropped={dropped}",
        region.code(),
        day_of(from.max(now))
    );
    Ok(Redirect::to(&to).into_response())
}

fn of_file(refused: FileError) -> Told {
    match refused {
        FileError::Unreadable { problem, .. } => {
            Told::refused(format!("{}。没有导入任何班次。", problem.told()))
        }
        FileError::Rows { problems, .. } => {
            let count = problems.len();
            Told {
                more_rows: count.saturating_sub(MOST_PROBLEMS),
                rows: (problems.into_iter().take(MOST_PROBLEMS))
                    .map(|problem| RowLine {
                        row: problem.row,
                        column: problem.column,
                        problem: problem.problem.told(),
                    })
                    .collect(),
                ..Told::refused(format!(
                    "文件有{count}处错误，没有导入任何班次。请更正后重新上传。"
                ))
            }
        }
    }
}

async fn page(
    console: &Console,
    signed_in: &SignedIn,
    fields: &Fields,
    told: Told,
) -> Result<Response, Problem> {
    let now = Timestamp::now();
    let region = place::region(console, signed_in, fields)?;
    let first = fields
        .get("from")
        .parse::<Date>()
        .unwrap_or_else(|_| day_of(now));
    let first = monday(first);
    let days: Vec<Date> = days_from(first).take(DAYS).collect();
    let (from, until) = (midnight(first), midnight(later(first, DAYS as i64)));
    let shifts = console.roster.between(region.code(), from, until).await?;
    // What is over cannot be mended.
    let missing = gaps(&shifts, from.max(now).min(until), until);
    let coming = midnight(later(day_of(now), SWAP_DAYS));
    let to_swap = console.roster.between(region.code(), now, coming).await?;
    let mut swaps = console.roster.swaps(region.code()).await?;
    swaps.truncate(20);
    let choices = |chosen: &str| to_swap.iter().map(|shift| choice(shift, chosen)).collect();
    let role = signed_in.user.role;
    let lines: Vec<DayLine> = (days.iter())
        .map(|day| {
            day_line(
                (*day, *day == first),
                &shifts,
                &missing,
                &console.calendar,
                now,
            )
        })
        .collect();
    let mut weeks = vec![lines];
    let second = (weeks.first_mut()).map(|all| all.split_off(7.min(all.len())));
    weeks.extend(second);
    let page = RosterPage {
        region: region.gazetteer.name.clone(),
        code: region.code().to_owned(),
        regions: place::regions(console, signed_in, region),
        on_duty: on_duty(console, region, now).await?,
        weeks,
        posts: Post::ALL.map(Post::title),
        before: later(first, -(DAYS as i64)).to_string(),
        after: later(first, DAYS as i64).to_string(),
        gaps: missing.iter().take(6).map(Gap::told).collect(),
        gap_count: missing.len(),
        swaps: swaps
            .into_iter()
            .map(|swap| SwapLine {
                at: show::time(swap.at),
                who: swap.who,
                by: swap.by,
                reason: swap.reason,
            })
            .collect(),
        may_swap: OFFICERS.contains(&role),
        may_import: DUTY.contains(&role),
        first: choices(fields.get("first")),
        second: choices(fields.get("second")),
        reason: fields.get("reason").to_owned(),
        problem: told.problem,
        rows: told.rows,
        more_rows: told.more_rows,
        done: told.done,
        frame: Frame::new(console, signed_in, "/roster", "值班表"),
    };
    render_as(told.status, &page)
}

async fn on_duty(
    console: &Console,
    region: &Region,
    now: Timestamp,
) -> Result<Vec<OnDuty>, Problem> {
    let shifts = console.roster.on_duty(region.code(), now).await?;
    let line = |post: Post| {
        let of_post = || shifts.iter().filter(|shift| shift.post == post);
        let people: Vec<&str> = of_post().map(|shift| shift.who.as_str()).collect();
        OnDuty {
            post: post.title(),
            people: people.join("、"),
            until: (of_post().map(|shift| shift.until).max()).map_or_else(String::new, show::time),
        }
    };
    Ok(Post::ALL.map(line).into_iter().collect())
}

fn day_line(
    (day, first): (Date, bool),
    shifts: &[Shift],
    missing: &[Gap],
    calendar: &Calendar,
    now: Timestamp,
) -> DayLine {
    let (begin, end) = (midnight(day), midnight(later(day, 1)));
    let kind = match calendar.holiday(day) {
        Some(holiday) => holiday,
        None if calendar.is_make_up(day) => "调休上班",
        None if calendar.is_workday(day) => "",
        None => "休息日",
    };
    let cell = |post: Post| Cell {
        post: post.title(),
        // A night's shift stands on the day on which it begins, one of a week on each that is wholly its own.
        shifts: (shifts.iter())
            .filter(|shift| shift.post == post && shift.from < end && begin < shift.until)
            .filter(|shift| begin <= shift.from || end <= shift.until || first)
            .map(|shift| ShiftLine {
                who: shift.who.clone(),
                planned: if shift.who == shift.planned {
                    String::new()
                } else {
                    shift.planned.clone()
                },
                time: span(shift.from, shift.until),
                now: shift.from <= now && now < shift.until,
            })
            .collect(),
        gaps: (missing.iter())
            .filter(|gap| gap.post == post && gap.from < end && begin < gap.until)
            .map(|gap| {
                let (from, until) = (gap.from.max(begin), gap.until.min(end));
                if (from, until) == (begin, end) {
                    "全天无人".to_owned()
                } else {
                    format!("{}无人", span(from, until))
                }
            })
            .collect(),
    };
    DayLine {
        day: day.strftime("%m-%d").to_string(),
        weekday: weekday(day),
        kind: kind.to_owned(),
        rest: !calendar.is_workday(day),
        today: day == day_of(now),
        posts: Post::ALL.map(cell).into_iter().collect(),
    }
}

/// From when until when, the day said only where it is another.
fn span(from: Timestamp, until: Timestamp) -> String {
    let (begin, end) = (CHINA.to_datetime(from), CHINA.to_datetime(until));
    let clock = |at: jiff::civil::DateTime| at.strftime("%H:%M").to_string();
    let days = (end.date() - begin.date()).get_days();
    match days {
        0 => format!("{}–{}", clock(begin), clock(end)),
        1 if clock(end) == "00:00" => format!("{}–24:00", clock(begin)),
        1 => format!("{}–次日{}", clock(begin), clock(end)),
        _ => format!("{}–{}", clock(begin), end.strftime("%m-%d %H:%M")),
    }
}

fn choice(shift: &Shift, chosen: &str) -> Choice {
    let begin = CHINA.to_datetime(shift.from);
    let title = format!(
        "{} {} {} {}",
        begin.strftime("%m-%d"),
        span(shift.from, shift.until),
        shift.post.title(),
        shift.who
    );
    Choice::new(shift.id.clone(), title, chosen)
}

fn later(day: Date, days: i64) -> Date {
    day.saturating_add(days.days())
}

fn monday(day: Date) -> Date {
    later(day, -i64::from(day.weekday().to_monday_zero_offset()))
}

fn midnight(day: Date) -> Timestamp {
    at_minute(day, 0).unwrap_or(Timestamp::MAX)
}

fn weekday(day: Date) -> &'static str {
    match day.weekday() {
        Weekday::Monday => "周一",
        Weekday::Tuesday => "周二",
        Weekday::Wednesday => "周三",
        Weekday::Thursday => "周四",
        Weekday::Friday => "周五",
        Weekday::Saturday => "周六",
        Weekday::Sunday => "周日",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_week_begins_on_monday_and_a_night_ends_on_the_next_day() {
        let day = |text: &str| text.parse::<Date>().unwrap();
        assert_eq!(monday(day("2026-11-26")), day("2026-11-23"));
        assert_eq!(monday(day("2026-11-23")), day("2026-11-23"));
        let at = |text: &str| crate::clock::local(text).unwrap();
        for (from, until, said) in [
            ("2026-11-26 08:30", "2026-11-26 17:30", "08:30–17:30"),
            ("2026-11-26 17:30", "2026-11-27 08:30", "17:30–次日08:30"),
            ("2026-11-26 17:30", "2026-11-27 00:00", "17:30–24:00"),
            ("2026-11-26 17:30", "2026-11-28 08:30", "17:30–11-28 08:30"),
        ] {
            assert_eq!(span(at(from), at(until)), said);
        }
    }
}
