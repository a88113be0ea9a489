//! How times, levels, sentiments and cases read on pages.

use jiff::civil::Date;
use jiff::{SignedDuration, Timestamp};

use super::Console;
use super::archive::trends::Scope;
use super::fields::Fields;
use crate::case::{Case, State};
use crate::clock::CHINA;
pub(super) use crate::clock::time;
pub(super) use crate::level::{Level, level};
use crate::trend::Period;

/// A time in milliseconds since 1970, for people.
pub(super) fn time_of(milliseconds: i64) -> String {
    Timestamp::from_millisecond(milliseconds)
        .map(time)
        .unwrap_or_default()
}

/// The hour of a time in milliseconds since 1970: `16时`.
pub(super) fn hour_of(milliseconds: i64) -> String {
    Timestamp::from_millisecond(milliseconds)
        .map(|at| format!("{}时", CHINA.to_datetime(at).hour()))
        .unwrap_or_default()
}

/// A day for people: `2026年11月3日`.
pub(super) fn day(day: Date) -> String {
    format!("{}年{}月{}日", day.year(), day.month(), day.day())
}

/// The days of a period for people: `2026年10月28日—11月3日`.
pub(super) fn days(period: Period) -> String {
    let Period { from, to } = period;
    if from == to {
        return day(from);
    }
    let end = if from.year() == to.year() {
        format!("{}月{}日", to.month(), to.day())
    } else {
        day(to)
    };
    format!("{}—{end}", day(from))
}

/// A share for people: `31.2%`.
pub(super) fn share(value: f64) -> String {
    format!("{:.1}%", value * 100.0)
}

/// A number with its sign and so many digits after the point: `+12.3`, `−0.40`.
pub(super) fn signed(value: f64, digits: usize) -> String {
    let text = format!("{value:+.digits$}");
    // Nothing has no sign.
    let nothing = text.chars().all(|letter| !matches!(letter, '1'..='9'));
    if nothing {
        text.chars().skip(1).collect()
    } else {
        text.replace('-', "−")
    }
}

/// How long, in the two largest units: `3天4小时`, `2小时15分`, `12分钟`.
pub(super) fn span(length: SignedDuration) -> String {
    let minutes = length.as_mins().unsigned_abs();
    let (days, hours, rest) = (minutes / 1440, minutes / 60 % 24, minutes % 60);
    match (days, hours, rest) {
        (0, 0, 0) => "不足1分钟".to_owned(),
        (0, 0, rest) => format!("{rest}分钟"),
        (0, hours, 0) => format!("{hours}小时"),
        (0, hours, rest) => format!("{hours}小时{rest}分"),
        (days, 0, _) => format!("{days}天"),
        (days, hours, _) => format!("{days}天{hours}小时"),
    }
}

/// What is left until a time, or how long it has passed.
pub(super) fn until(due: Timestamp, now: Timestamp) -> String {
    if due < now {
        format!("已超时{}", span(now.duration_since(due)))
    } else {
        format!("剩余{}", span(due.duration_since(now)))
    }
}

/// The word for a sentiment's label.
pub(super) fn sentiment(label: &str) -> &'static str {
    match label {
        "negative" => "负面",
        "positive" => "正面",
        _ => "中性",
    }
}

/// A sentiment's score with its sign.
pub(super) fn score(score: f64) -> String {
    // -0.00 would look like a mistake.
    let score = if score.abs() < 0.005 { 0.0 } else { score };
    if score > 0.0 {
        format!("+{score:.2}")
    } else {
        format!("{score:.2}").replace('-', "−")
    }
}

/// The label of a mean score, for events.
pub(super) fn label(score: f64) -> &'static str {
    if score <= -0.2 {
        "negative"
    } else if score >= 0.2 {
        "positive"
    } else {
        "neutral"
    }
}

/// The word for a kind of source.
pub(super) fn kind(kind: &str) -> &'static str {
    match kind {
        "board" => "留言板",
        "feed" => "订阅",
        "import" => "导入",
        "official" => "官方发布",
        _ => "其他",
    }
}

/// The address of a post where it is safe to link to.
pub(super) fn link(address: &str) -> String {
    match url::Url::parse(address) {
        Ok(url) if matches!(url.scheme(), "http" | "https") => url.to_string(),
        _ => String::new(),
    }
}

/// The first characters of a text, with `…` where it goes on.
pub(super) fn excerpt(text: &str, length: usize) -> String {
    let mut letters = text.split_whitespace().collect::<Vec<_>>().join(" ");
    if letters.chars().count() > length {
        letters = letters.chars().take(length).chain(['…']).collect();
    }
    letters
}

/// A whole percentage.
pub(super) fn percent(part: u64, whole: u64) -> u64 {
    (part * 100 + whole / 2).checked_div(whole).unwrap_or(0)
}

/// Where the posts of a period and a scope are of which one filter says more.
pub(super) fn posts_of(period: Period, scope: &Scope, filter: &str, value: &str) -> String {
    let fields = [
        ("from", period.from.to_string()),
        ("to", period.to.to_string()),
        ("subject", scope.subject.clone()),
        ("place", scope.place.clone()),
        ("source", scope.source.clone()),
    ];
    let fields = fields.map(|(name, value)| (name.to_owned(), value));
    let fields = Fields::from(Vec::from(fields)).with(filter, value);
    format!("/posts?{}", fields.query())
}

/// A case in a list.
pub(super) struct CaseLine {
    pub(super) id: String,
    pub(super) title: String,
    pub(super) level: Level,
    pub(super) state: &'static str,
    pub(super) state_name: &'static str,
    pub(super) lead: String,
    pub(super) assists: usize,
    pub(super) posts: u32,
    pub(super) voices: u32,
    /// What is due next, and when.
    pub(super) due: String,
    pub(super) overdue: bool,
}

impl CaseLine {
    pub(super) fn new(console: &Console, case: &Case, now: Timestamp) -> Self {
        Self {
            id: case.id.clone(),
            title: case_title(case),
            level: level(case.level),
            state: case.state.title(),
            state_name: case.state.name(),
            lead: console.unit_name(&case.region, case.lead()).to_owned(),
            assists: case.assisting().len(),
            posts: case.alert.event.posts,
            voices: case.alert.event.voices,
            due: next_due(case, now),
            overdue: case.overdue(now),
        }
    }
}

/// The title of a case's event.
pub(super) fn case_title(case: &Case) -> String {
    let title = case.alert.event.title.trim();
    if title.is_empty() {
        "（无标题）".to_owned()
    } else {
        title.to_owned()
    }
}

fn next_due(case: &Case, now: Timestamp) -> String {
    match case.state {
        State::Answered | State::Closed | State::Followed => match case.answered_at {
            Some(at) => format!("{} 已回应", time(at)),
            None => "已回应".to_owned(),
        },
        State::Dismissed | State::Merged => "—".to_owned(),
        _ if case.paused_at.is_some() => "计时暂停".to_owned(),
        _ => (case.clocks().iter())
            .min_by_key(|(_, _, due)| *due)
            .map(|(clock, _, due)| format!("{}{}", clock.title(), until(*due, now)))
            .unwrap_or_default(),
    }
}

/// A number of bytes for people.
pub(super) fn bytes(size: u64) -> String {
    match size {
        0..1_024 => format!("{size}B"),
        1_024..1_048_576 => format!("{}KB", size.div_ceil(1_024)),
        _ => format!("{:.1}MB", size as f64 / 1_048_576.0),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_those_of_china() {
        assert_eq!(
            time("2026-11-23T16:03:59Z".parse().unwrap()),
            "2026-11-24 00:03"
        );
        assert_eq!(hour_of(0), "8时");
    }

    #[test]
    fn spans_and_what_is_left() {
        let now: Timestamp = "2026-11-23T08:00:00Z".parse().unwrap();
        for (minutes, expected) in [
            (0, "剩余不足1分钟"),
            (12, "剩余12分钟"),
            (120, "剩余2小时"),
            (135, "剩余2小时15分"),
            (1440, "剩余1天"),
            (4 * 1440 + 61, "剩余4天1小时"),
            (-135, "已超时2小时15分"),
        ] {
            assert_eq!(
                until(now + SignedDuration::from_mins(minutes), now),
                expected
            );
        }
    }

    #[test]
    fn only_web_addresses_are_links() {
        assert_eq!(link("https://board.test/1?a=b"), "https://board.test/1?a=b");
        assert_eq!(link("javascript:alert(1)"), "");
        assert_eq!(link("不是网址"), "");
    }

    #[test]
    fn scores_and_excerpts() {
        assert_eq!(score(-0.001), "0.00");
        assert_eq!(score(-0.5), "−0.50");
        assert_eq!(score(0.5), "+0.50");
        assert_eq!(excerpt("路灯  不亮了\n三天", 5), "路灯 不亮…");
        assert_eq!(percent(1, 3), 33);
        assert_eq!(percent(0, 0), 0);
        let numbers = [-0.5, -0.04, 12.34].map(|value| signed(value, 1));
        assert_eq!(numbers, ["−0.5", "0.0", "+12.3"]);
    }
}
