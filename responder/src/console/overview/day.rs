//! The day in posts: how many there were each hour against what is usual, how people feel, what about, and which events.

use jiff::Timestamp;

use crate::calendar::day_of;
use crate::console::archive::trends::Scope;
use crate::console::archive::{self, Counted, EventOfDay, Hour, Unavailable};
use crate::console::chart::{Chart, Series};
use crate::console::show::{self, Level};
use crate::console::signals::SignalLine;
use crate::trend::Period;

/// An hour in milliseconds.
const HOUR: i64 = 3_600_000;
/// Hours of a day.
const HOURS: i64 = 24;
/// A week in milliseconds.
const WEEK: i64 = 7 * 24 * HOUR;
/// Weeks that tell what is usual at an hour.
const WEEKS: i64 = 4;
/// Events, alerts and signals shown.
const EVENTS: u32 = 6;
const ALERTS: u32 = 4;
const SIGNALS: u32 = 6;
/// Subjects shown.
const SUBJECTS: usize = 8;

/// An hour against what is usual at that hour of the week.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Row {
    begins: i64,
    posts: u64,
    negative: u64,
    /// The mean of that hour in the weeks before; none where the archive does not reach back.
    usual: Option<f64>,
}

/// A bar of a chart.
pub(super) struct Bar {
    pub(super) title: String,
    pub(super) posts: u64,
    /// Of 100: the length of the bar, and of its negative part.
    pub(super) length: u64,
    pub(super) negative: u64,
    pub(super) percent: u64,
    /// Where its posts of these days are.
    pub(super) link: String,
}

/// A part of the sentiment bar.
pub(super) struct Part {
    pub(super) label: &'static str,
    pub(super) word: &'static str,
    pub(super) percent: u64,
    pub(super) posts: u64,
    /// Of 100: where it begins.
    pub(super) from: u64,
}

pub(super) struct AlertLine {
    pub(super) level: Level,
    pub(super) title: String,
    pub(super) event: String,
    pub(super) posts: u32,
    pub(super) raised_at: String,
}

pub(super) struct EventLine {
    pub(super) id: String,
    pub(super) title: String,
    pub(super) level: Option<Level>,
    pub(super) posts: u64,
    pub(super) voices: u64,
    pub(super) negative: u64,
}

/// What ClickHouse says of the posts.
pub(super) struct Day {
    /// When the newest was published.
    pub(super) newest: String,
    /// Posts of the 24 hours.
    pub(super) posts: u64,
    /// The hours against what is usual.
    pub(super) chart: Chart,
    pub(super) sentiments: Vec<Part>,
    pub(super) subjects: Vec<Bar>,
    pub(super) events: Vec<EventLine>,
    pub(super) alerts: Vec<AlertLine>,
    pub(super) signals: Vec<SignalLine>,
}

/// The 24 hours up to the newest post: of an old export they tell something, too.
pub(super) async fn day(client: &clickhouse::Client) -> Result<Day, Unavailable> {
    let span = archive::span(client).await?;
    let first = hour_of(span.last) - (HOURS - 1) * HOUR;
    let hours: Vec<i64> = (0..HOURS).map(|hour| first + hour * HOUR).collect();
    let with_earlier: Vec<i64> = (0..=WEEKS)
        .flat_map(|week| hours.iter().map(move |hour| hour - week * WEEK))
        .collect();
    let (counted, by_hour, events, alerts, signals) = tokio::try_join!(
        archive::counted(client, &hours),
        archive::counted_by_hour(client, &with_earlier),
        archive::events_of_day(client, first, EVENTS),
        archive::alerts(client, ALERTS),
        // An archive of an earlier version has none yet.
        async { Ok(archive::signals(client, SIGNALS).await.unwrap_or_default()) },
    )?;
    let rows = rows(&hours, &by_hour, span.first);
    let day = |hour| day_of(Timestamp::from_millisecond(hour).unwrap_or_default());
    let days = Period {
        from: day(first),
        to: day(span.last),
    };
    Ok(Day {
        newest: show::time(Timestamp::from_millisecond(span.last).unwrap_or_default()),
        posts: counted.iter().map(|counted| counted.posts).sum(),
        chart: chart(&rows),
        sentiments: parts(&counted),
        subjects: bars(&counted, days),
        events: events.into_iter().map(event_line).collect(),
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
    })
}

fn hour_of(time: i64) -> i64 {
    time - time.rem_euclid(HOUR)
}

/// Each hour, with the mean of the same hour of the weeks before that the archive had begun by.
fn rows(hours: &[i64], counted: &[Hour], archive_begins: i64) -> Vec<Row> {
    let at = |begins: i64| counted.iter().find(|hour| hour.begins == begins);
    hours
        .iter()
        .map(|&begins| {
            let earlier: Vec<u64> = (1..=WEEKS)
                .map(|week| begins - week * WEEK)
                .filter(|earlier| *earlier >= hour_of(archive_begins))
                .map(|earlier| at(earlier).map_or(0, |hour| hour.posts))
                .collect();
            let mean = || earlier.iter().sum::<u64>() as f64 / earlier.len() as f64;
            Row {
                begins,
                posts: at(begins).map_or(0, |hour| hour.posts),
                negative: at(begins).map_or(0, |hour| hour.negative),
                usual: (!earlier.is_empty()).then(mean),
            }
        })
        .collect()
}

/// The whole hours against what is usual in them; the last hour is not over yet.
fn against_usual(rows: &[Row]) -> String {
    let whole = rows.split_last().map_or(rows, |(_, whole)| whole);
    let Some(usual) = whole.iter().map(|row| row.usual).sum::<Option<f64>>() else {
        return "数据不足一周，尚无常态可比".to_owned();
    };
    let posts: u64 = whole.iter().map(|row| row.posts).sum();
    let differs = (posts as f64 - usual) / usual * 100.0;
    let compared = if usual < 1.0 {
        String::new()
    } else if differs.abs() < 0.5 {
        "，与常态相当".to_owned()
    } else if differs > 0.0 {
        format!("，高出{differs:.0}%")
    } else {
        format!("，低{:.0}%", -differs)
    };
    format!("前23个整小时{posts}帖，前四周同时段平均{usual:.0}帖{compared}")
}

fn chart(rows: &[Row]) -> Chart {
    let hours = rows.iter().map(|row| {
        let hour = show::hour_of(row.begins);
        (hour.clone(), hour)
    });
    let of = |value: fn(&Row) -> u64| rows.iter().map(move |row| Some(value(row) as f64));
    Chart::new("每小时帖文", "帖", hours)
        .words(against_usual(rows))
        .with(Series::bars("帖文", "neutral-fill", of(|row| row.posts)))
        .with(Series::bars("其中负面", "negative", of(|row| row.negative)))
        .with(Series::dashes(
            "同时段平均",
            "ink",
            rows.iter().map(|row| row.usual),
        ))
}

fn parts(counted: &[Counted]) -> Vec<Part> {
    let of = |label: &str| -> u64 {
        let of_label = counted.iter().filter(|counted| counted.sentiment == label);
        of_label.map(|counted| counted.posts).sum()
    };
    let all: u64 = counted.iter().map(|counted| counted.posts).sum();
    let mut from = 0;
    ["negative", "neutral", "positive"]
        .into_iter()
        .map(|label| {
            let posts = of(label);
            let percent = show::percent(posts, all).min(100 - from);
            let part = Part {
                label,
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

/// The subjects of most posts.
fn bars(counted: &[Counted], days: Period) -> Vec<Bar> {
    let mut subjects: Vec<(&str, u64, u64)> = Vec::new();
    for one in counted.iter().filter(|one| !one.subject.is_empty()) {
        let negative = if one.sentiment == "negative" {
            one.posts
        } else {
            0
        };
        match subjects.iter_mut().find(|(name, ..)| *name == one.subject) {
            Some((_, posts, of_them)) => {
                *posts += one.posts;
                *of_them += negative;
            }
            None => subjects.push((&one.subject, one.posts, negative)),
        }
    }
    subjects.sort_by(|one, other| (other.1, one.0).cmp(&(one.1, other.0)));
    subjects.truncate(SUBJECTS);
    let most = subjects.first().map_or(1, |(_, posts, _)| *posts).max(1);
    subjects
        .into_iter()
        .map(|(title, posts, negative)| Bar {
            title: title.to_owned(),
            link: show::posts_of(days, &Scope::default(), "subject", title),
            posts,
            length: show::percent(posts, most),
            negative: show::percent(negative, most),
            percent: show::percent(negative, posts),
        })
        .collect()
}

fn event_line(event: EventOfDay) -> EventLine {
    EventLine {
        title: if event.title.is_empty() {
            "未命名事件".to_owned()
        } else {
            show::excerpt(&event.title, 40)
        },
        id: event.event,
        level: (event.gravest > 0).then(|| show::level(event.gravest)),
        posts: event.posts,
        voices: event.voices,
        negative: show::percent(event.negative, event.posts),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hour(begins: i64, posts: u64) -> Hour {
        Hour {
            begins,
            posts,
            negative: 0,
        }
    }

    #[test]
    fn an_hour_is_compared_with_the_same_hour_of_the_weeks_that_the_archive_has() {
        let now = 10 * WEEK;
        let counted = [
            hour(now, 9),
            hour(now - WEEK, 4),
            hour(now - 3 * WEEK, 2),
            hour(now - 4 * WEEK, 100),
        ];
        // Three weeks: of the second there is no post, the fourth is before the archive.
        let found = rows(&[now], &counted, now - 3 * WEEK + 1);
        assert_eq!(found[0].posts, 9);
        assert_eq!(found[0].usual, Some(2.0));
        assert_eq!(rows(&[now], &counted, now - HOUR)[0].usual, None);
    }

    #[test]
    fn the_hour_that_is_not_over_is_not_compared() {
        let row = |posts, usual| Row {
            begins: 0,
            posts,
            negative: 0,
            usual,
        };
        let rows = [row(30, Some(10.0)), row(0, Some(10.0)), row(1, Some(90.0))];
        assert!(against_usual(&rows).contains("30帖，前四周同时段平均20帖，高出50%"));
        assert!(against_usual(&[row(1, None), row(1, None)]).contains("尚无常态"));
    }

    #[test]
    fn subjects_are_summed_over_sentiments_the_most_first() {
        let one = |subject: &str, sentiment: &str, posts| Counted {
            subject: subject.to_owned(),
            sentiment: sentiment.to_owned(),
            posts,
        };
        let counted = [
            one("民政", "neutral", 4),
            one("环境保护", "negative", 3),
            one("环境保护", "positive", 3),
            one("", "neutral", 9),
        ];
        let day = "2026-11-20".parse().unwrap();
        let days = Period { from: day, to: day };
        let bars = bars(&counted, days);
        let shown: Vec<_> = bars
            .iter()
            .map(|bar| (bar.title.as_str(), bar.posts, bar.percent))
            .collect();
        assert_eq!(shown, [("环境保护", 6, 50), ("民政", 4, 0)]);
        assert_eq!(
            parts(&counted)
                .iter()
                .map(|part| part.posts)
                .collect::<Vec<_>>(),
            [3, 13, 3]
        );
    }
}
