//! Times as boards write them, in Asia/Shanghai where they do not say otherwise.

use std::sync::LazyLock;

use jiff::civil::{Date, DateTime, Time};
use jiff::tz::TimeZone;
use jiff::{Span, Timestamp, ToSpan, ZonedDateTime};
use regex::{Captures, Regex};

#[allow(
    clippy::expect_used,
    reason = "a constant pattern, compiled by every test"
)]
static FULL: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"(\d{4})\s*[-/.年]\s*(\d{1,2})\s*[-/.月]\s*(\d{1,2})\s*日?[T\s]*(?:(\d{1,2})\s*[:：时点]\s*(\d{1,2})?(?:\s*[:：分]\s*(\d{1,2}))?)?")
        .expect("a valid pattern")
});
#[allow(
    clippy::expect_used,
    reason = "a constant pattern, compiled by every test"
)]
static SHORT: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"(\d{1,2})\s*[-/月]\s*(\d{1,2})\s*日?\s+(\d{1,2})[:：](\d{2})")
        .expect("a valid pattern")
});
#[allow(
    clippy::expect_used,
    reason = "a constant pattern, compiled by every test"
)]
static DAY: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"(今天|昨天|前天)\s*(\d{1,2})[:：](\d{2})").expect("a valid pattern")
});
#[allow(
    clippy::expect_used,
    reason = "a constant pattern, compiled by every test"
)]
static AGO: LazyLock<Regex> =
    LazyLock::new(|| Regex::new(r"(\d{1,4})\s*(秒|分钟|小时|天)前").expect("a valid pattern"));

/// The time zone of sources that do not name one: China has one, of fixed offset since 1991.
#[must_use]
pub fn zone() -> TimeZone {
    TimeZone::fixed(jiff::tz::offset(8))
}

/// The time a text tells, seen at `now`; nothing when it tells none. A short date without a year is the
/// latest such day that is not after tomorrow.
#[must_use]
pub fn parse(text: &str, now: Timestamp) -> Option<Timestamp> {
    let text = text.trim();
    if let Ok(time) = text.parse::<Timestamp>() {
        return Some(time);
    }
    if let Ok(time) = jiff::fmt::rfc2822::parse(text) {
        return Some(time.timestamp());
    }
    let now = now.to_zoned_datetime(zone());
    full(text)
        .or_else(|| relative(text, &now))
        .or_else(|| short(text, &now))
}

fn number(found: &Captures<'_>, group: usize) -> Option<i16> {
    found.get(group)?.as_str().parse().ok()
}

fn part(found: &Captures<'_>, group: usize) -> Option<i8> {
    number(found, group)?.try_into().ok()
}

fn full(text: &str) -> Option<Timestamp> {
    let found = FULL.captures(text)?;
    let date = Date::new(number(&found, 1)?, part(&found, 2)?, part(&found, 3)?).ok()?;
    let of = |group| part(&found, group).unwrap_or(0);
    let time = Time::new(of(4), of(5), of(6), 0).ok()?;
    local(date.to_datetime(time))
}

fn relative(text: &str, now: &ZonedDateTime) -> Option<Timestamp> {
    if text.contains("刚刚") {
        return Some(now.timestamp());
    }
    if let Some(found) = AGO.captures(text) {
        let count = i64::from(number(&found, 1)?);
        let span: Span = match found.get(2)?.as_str() {
            "秒" => count.seconds(),
            "分钟" => count.minutes(),
            "小时" => count.hours(),
            _ => count.days(),
        };
        return now.checked_sub(span).ok().map(|time| time.timestamp());
    }
    let found = DAY.captures(text)?;
    let back: i64 = match found.get(1)?.as_str() {
        "今天" => 0,
        "昨天" => 1,
        _ => 2,
    };
    let date = now.date().checked_sub(back.days()).ok()?;
    local(date.to_datetime(Time::new(part(&found, 2)?, part(&found, 3)?, 0, 0).ok()?))
}

fn short(text: &str, now: &ZonedDateTime) -> Option<Timestamp> {
    let found = SHORT.captures(text)?;
    let of_year = |year: i16| {
        let date = Date::new(year, part(&found, 1)?, part(&found, 2)?).ok()?;
        local(date.to_datetime(Time::new(part(&found, 3)?, part(&found, 4)?, 0, 0).ok()?))
    };
    let tomorrow = now.checked_add(1.day()).ok()?.timestamp();
    of_year(now.year())
        .filter(|time| *time <= tomorrow)
        .or_else(|| of_year(now.year() - 1))
}

fn local(time: DateTime) -> Option<Timestamp> {
    zone().to_timestamp(time).ok()
}

#[cfg(test)]
mod tests {
    use super::parse;

    #[test]
    fn times_are_read_as_boards_write_them() {
        let now = "2026-11-23T04:00:00Z".parse().unwrap();
        for (text, expected) in [
            ("2017-06-08T17:31:20+08:00", "2017-06-08T09:31:20Z"),
            ("2017-06-08 17:31:20", "2017-06-08T09:31:20Z"),
            ("2017/6/8 17:31", "2017-06-08T09:31:00Z"),
            ("发布时间：2023年7月18日 08:30", "2023-07-18T00:30:00Z"),
            ("2023-07-18", "2023-07-17T16:00:00Z"),
            ("Tue, 18 Jul 2023 08:30:00 +0800", "2023-07-18T00:30:00Z"),
            ("Tue, 18 Jul 2023 08:30:00 GMT", "2023-07-18T08:30:00Z"),
            ("11-20 12:30", "2026-11-20T04:30:00Z"),
            ("12-30 12:30", "2025-12-30T04:30:00Z"),
            ("3小时前", "2026-11-23T01:00:00Z"),
            ("昨天 12:30", "2026-11-22T04:30:00Z"),
            ("刚刚", "2026-11-23T04:00:00Z"),
        ] {
            assert_eq!(parse(text, now), Some(expected.parse().unwrap()), "{text}");
        }
        for text in ["", "不详", "2023-13-40", "25:00"] {
            assert_eq!(parse(text, now), None, "{text}");
        }
    }
}
