//! The time of day that stands behind a day, and its zone.

use std::sync::LazyLock;

use jiff::Timestamp;
use jiff::ToSpan;
use jiff::civil::{Date, Time};
use jiff::tz::{Offset, TimeZone};
use regex::{Captures, Regex};

use super::numeral::{PART, number};
use super::{continues, pattern, zone};

const GAP: &str = r"[ ,]{0,2}(?:(?:[(\[]?(?:星期|周|礼拜)[一二三四五六日天][)\]]?|(?:mon|tues?|wed(?:nes)?|thu(?:rs)?|fri|sat(?:ur)?|sun)(?:day)?\.?)[ ,]{0,2})?(?:t|at|于|的|[-|/:@_])? ?";
const HALF: &str = r"凌晨|清晨|早晨|早上|早间|上午|中午|正午|午间|下午|午后|傍晚|晚上|晚间|夜间|夜里|夜晚|深夜|半夜|午夜|晨|早|晚|夜|[ap]m|[ap]\.m\.";

static CLOCK: LazyLock<Regex> = LazyLock::new(|| {
    pattern(&format!(
        r"\A(?<gap>{GAP})(?:(?<half>{HALF})[ :]?)?(?<hour>{PART})(?: ?: ?(?<minute>[0-9]{{1,2}})(?: ?: ?(?<second>[0-9]{{1,2}})(?:[.,:](?<fraction>[0-9]{{1,9}}))?)?| ?(?<mark>[时点])(?<other>[赞击评数阅间代段候])?[钟整许]?(?: ?(?<quarter>半|一刻|三刻)| ?(?<of_hour>{PART}) ?分(?: ?(?<of_minute>{PART}) ?秒)?|(?<just>{PART}))?)?(?: ?(?<noon>[ap]m(?-u:\b)|[ap]\.m\.?))?"
    ))
});
static COMPACT: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r"\A(?<gap>[t ]?)(?<hour>[0-9]{2})(?<minute>[0-9]{2})(?<second>[0-9]{2})?(?:[.,](?<fraction>[0-9]{1,9}))?",
    )
});
static ZONE: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r"\A(?: ?\(?(?<name>z|utc|ut|gmt|cst|bjt|hkt|sgt|jst|kst|est|edt|cdt|mst|mdt|pst|pdt|bst|cet|cest)(?-u:\b)(?<beside>[+-][0-9]{1,2}(?::?[0-9]{2})?)?\)?| ?(?<long>[+-][0-9]{2}:?[0-9]{2})|(?<near>[+-][0-9]{2}))",
    )
});

/// A time of day.
pub(super) struct Clock {
    time: Time,
    /// Whole days more: 24:00 and 晚上12点 are of the next day.
    days: i64,
    offset: Option<Offset>,
}

impl Clock {
    /// This time on a day.
    pub(super) fn on(&self, date: Date) -> Option<Timestamp> {
        let date = date.checked_add(self.days.days()).ok()?;
        let zone = self.offset.map_or_else(zone, TimeZone::fixed);
        zone.to_timestamp(date.to_datetime(self.time)).ok()
    }
}

/// The time of day a text begins with and where it ends; within it nothing for one that is impossible.
pub(super) fn clock(text: &str, is_compact: bool) -> Option<(Option<Clock>, usize)> {
    let compact = || {
        let found = COMPACT.captures(text)?;
        let gap = found.name("gap")?.as_str();
        let has_second = found.name("second").is_some();
        (gap == "t" || is_compact && (gap.is_empty() || has_second)).then_some(found)
    };
    let found = match CLOCK.captures(text).filter(is_clock) {
        Some(found) => found,
        None => compact()?,
    };
    let end = found.get(0)?.end();
    let (offset, end) = match offset(&found, text.get(end..).unwrap_or_default()) {
        Some((offset, length)) => (Some(offset), end + length),
        None => (None, end),
    };
    Some((read(&found, offset), end))
}

fn is_clock(found: &Captures<'_>) -> bool {
    let has = |name| found.name(name).is_some();
    (has("minute") || has("mark") || has("noon")) && !has("other")
}

fn read(found: &Captures<'_>, offset: Option<Offset>) -> Option<Clock> {
    let of = |name: &str| found.name(name).map(|found| number(found.as_str()));
    let hour = of("hour")??;
    let quarter = found.name("quarter").map(|quarter| match quarter.as_str() {
        "半" => 30,
        "一刻" => 15,
        _ => 45,
    });
    let minute = match of("minute").or(of("of_hour")).or(of("just")) {
        Some(minute) => minute?,
        None => quarter.unwrap_or(0),
    };
    // A leap second is the one before it.
    let second = match of("second").or(of("of_minute")) {
        Some(second) => second.map(|second| if second == 60 { 59 } else { second })?,
        None => 0,
    };
    let nanosecond = match found.name("fraction") {
        Some(digits) => format!("{:0<9}", digits.as_str()).parse().ok()?,
        None => 0,
    };
    let half = found.name("noon").or(found.name("half"));
    let is_spoken = found.name("mark").is_some();
    let (hour, days) = match half {
        Some(half) => of_half(half.as_str(), hour, is_spoken)?,
        None if hour == 24 && minute == 0 && second == 0 => (0, 1),
        None => (hour, 0),
    };
    let part = |value: i64| i8::try_from(value).ok();
    let time = Time::new(part(hour)?, part(minute)?, part(second)?, nanosecond).ok()?;
    Some(Clock { time, days, offset })
}

/// The hour of the day, and the days more, of an hour in a part of the day.
fn of_half(half: &str, hour: i64, is_spoken: bool) -> Option<(i64, i64)> {
    if !(0..24).contains(&hour) {
        return (hour == 24).then_some((0, 1));
    }
    Some(match half {
        "凌晨" | "am" | "a.m." | "a.m" => (hour % 12, 0),
        "上午" | "早上" | "早晨" | "早间" | "清晨" | "晨" | "早" => {
            if hour > 12 {
                return None;
            }
            // Programs write 上午12:30 for half past midnight; people say 上午12点 for noon.
            (if is_spoken { hour } else { hour % 12 }, 0)
        }
        "中午" | "正午" | "午间" => (if hour < 4 { hour + 12 } else { hour }, 0),
        "下午" | "午后" | "pm" | "p.m." | "p.m" => {
            (if hour < 12 { hour + 12 } else { hour }, 0)
        }
        _ if hour == 12 => (0, 1),
        // 半夜两点, 晚上8点.
        _ => (
            if (5..12).contains(&hour) {
                hour + 12
            } else {
                hour
            },
            0,
        ),
    })
    .filter(|_| hour < 13 || !matches!(half, "凌晨" | "am" | "a.m." | "a.m"))
}

fn offset(clock: &Captures<'_>, text: &str) -> Option<(Offset, usize)> {
    let found = ZONE.captures(text)?;
    let end = found.get(0)?.end();
    if continues(text.get(end..).unwrap_or_default()) {
        return None;
    }
    let hours = |hours: i32| Offset::from_seconds(hours * 3600).ok();
    if let Some(beside) = found.name("beside") {
        return Some((written(beside.as_str())?, end));
    }
    if let Some(name) = found.name("name") {
        let offset = hours(match name.as_str() {
            // Of China where China writes it.
            "cst" | "bjt" | "hkt" | "sgt" => 8,
            "jst" | "kst" => 9,
            "est" | "cdt" => -5,
            "edt" => -4,
            "mst" | "pdt" => -7,
            "mdt" => -6,
            "pst" => -8,
            "bst" | "cet" => 1,
            "cest" => 2,
            _ => 0,
        })?;
        return Some((offset, end));
    }
    let told = found.name("long").or(found.name("near"))?.as_str();
    // 08:30-09:30 is a span of the day.
    let is_iso = clock.name("gap").is_some_and(|gap| gap.as_str() == "t");
    if told.starts_with('-') && !is_iso && clock.name("second").is_none() {
        return None;
    }
    Some((written(told)?, end))
}

fn written(text: &str) -> Option<Offset> {
    let sign = if text.starts_with('-') { -1 } else { 1 };
    let digits: String = text.chars().filter(char::is_ascii_digit).collect();
    let told: i32 = digits.parse().ok()?;
    let (hours, minutes) = if digits.len() > 2 {
        (told / 100, told % 100)
    } else {
        (told, 0)
    };
    if hours > 14 || minutes > 59 {
        return None;
    }
    Offset::from_seconds(sign * (hours * 3600 + minutes * 60)).ok()
}
