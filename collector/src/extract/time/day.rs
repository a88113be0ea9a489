//! The forms in which a day is written.

use std::sync::LazyLock;

use jiff::civil::Date;
use jiff::{Span, Timestamp, ToSpan, ZonedDateTime};
use regex::{Captures, Regex};

use super::numeral::{NUMERALS, PART, number};
use super::pattern;

/// What a form tells.
pub(super) enum Day {
    /// A moment.
    At(Timestamp),
    /// A day of a year that is told.
    On(Date),
    /// A day of a year that is not.
    OfYear { month: i8, day: i8 },
    /// A day worked out from now.
    Near(Date),
    /// Days or more before now.
    DaysAgo(ZonedDateTime),
    /// Hours or less before now.
    Ago(Timestamp),
}

/// Where a form can be taken for what it looks like.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Stands {
    Anywhere,
    /// Not within other numbers, beside a currency or before what is counted.
    Bare,
    /// With a time of day, behind a label, or parted from everything else.
    Alone,
    /// As the whole text but for a label.
    Whole,
    /// Not as one end of a span, nor within a longer word.
    Word,
}

/// A way to write a day.
pub(super) struct Form {
    pub(super) pattern: Regex,
    pub(super) stands: Stands,
    pub(super) is_compact: bool,
    pub(super) read: fn(&Captures<'_>, &ZonedDateTime) -> Option<Day>,
}

const MONTH: &str = r"(?<month>jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?|sept?(?:ember)?|oct(?:ober)?|nov(?:ember)?|dec(?:ember)?)";
const MONTHS: [&str; 12] = [
    "jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec",
];
const UNIT: &str = "秒钟?|分钟?|刻钟|个?小时|个?钟头|天|日|周|个?星期|个?礼拜|个月|年";

/// Where a time may begin.
pub(super) static START: LazyLock<Regex> = LazyLock::new(|| {
    pattern(&format!(
        r"[0-9]+|[{NUMERALS}半]|民国|刚[刚才]|大?前天|前日|[今昨][天日晚早晨夜]|[今去前]年|(?:上上|上|本|这|下下|下|每)?个?(?:星期|周|礼拜)|凌晨|清晨|早[晨上间]|[上中下]午|正午|午[间后夜]|傍晚|晚[上间]|夜[间里晚]|深夜|(?-u:\b)(?:{MONTH}|just now|today|yesterday|an? |one |[ap]\.?m)"
    ))
});

/// The forms, of those that begin alike the longer ones first.
pub(super) static FORMS: LazyLock<Vec<Form>> = LazyLock::new(|| {
    use Stands::{Alone, Anywhere, Bare, Whole, Word};
    let day_month = r"(?<day>[0-9]{1,2})(?:st|nd|rd|th)?(?: of)?[ ./,-]{0,2}";
    vec![
        form(
            Anywhere,
            &format!(
                r"(?<year>[0-9]{{4}}|[0-9o〇零一二三四五六七八九]{{4}}) ?(?<first>[-/._年]) ?(?<month>{PART}) ?(?<second>[-/._月]) ?(?<day>{PART})(?: ?[日号])?"
            ),
            full,
        ),
        form(
            Anywhere,
            &format!(
                r"民国 ?(?<year>[0-9]{{1,3}}|[{NUMERALS}]{{1,5}}) ?[-/.年] ?(?<month>{PART}) ?[-/.月] ?(?<day>{PART})(?: ?[日号])?"
            ),
            of_the_republic,
        ),
        form(
            Bare,
            &format!(
                r"(?<year>1[0-9]{{2}}) ?年 ?(?<month>{PART}) ?月 ?(?<day>{PART})(?: ?[日号])?"
            ),
            of_the_republic,
        ),
        form(
            Bare,
            &format!(
                r"(?<year>[0-9]{{2}}|[〇零一二三四五六七八九]{{2}}) ?年 ?(?<month>{PART}) ?月 ?(?<day>{PART})(?: ?[日号])?"
            ),
            full,
        ),
        form(
            Anywhere,
            &format!(
                r"(?:(?<which>[今去前])年 ?)?(?<month>{PART}) ?月 ?(?<day>{PART})(?: ?[日号])?"
            ),
            of_month,
        ),
        form(
            Bare,
            r"(?<one>[0-9]{1,2})(?<first>[-/.])(?<two>[0-9]{1,2})(?<second>[-/.])(?<year>[0-9]{4})",
            year_last,
        ),
        form(
            Bare,
            r"(?<year>[0-9]{2})(?<first>[-/])(?<month>[0-9]{1,2})(?<second>[-/])(?<day>[0-9]{1,2})",
            full,
        ),
        form(
            Alone,
            r"(?<year>[0-9]{2})(?<first>\.)(?<month>[0-9]{1,2})(?<second>\.)(?<day>[0-9]{1,2})",
            full,
        ),
        form(
            Bare,
            &format!(r"{day_month}{MONTH}\.?[ ./,-]{{0,2}}(?<year>[0-9]{{4}}|[0-9]{{2}})"),
            english,
        ),
        form(Bare, &format!(r"{day_month}{MONTH}(?-u:\b)\.?"), english),
        form(
            Anywhere,
            &format!(
                r"{MONTH}\.?[ -]?(?<day>[0-9]{{1,2}})(?:st|nd|rd|th)?(?:[ ,-]{{1,3}}(?<year>[0-9]{{4}}))?"
            ),
            english,
        ),
        Form {
            is_compact: true,
            ..form(
                Bare,
                "(?<year>[0-9]{4})(?<month>[0-9]{2})(?<day>[0-9]{2})",
                full,
            )
        },
        // The zone that .NET puts behind changes nothing: /Date(1689640200000+0800)/.
        form(
            Whole,
            r"(?<epoch>[0-9]{13}|[0-9]{10})(?:[+-][0-9]{4}\))?",
            epoch,
        ),
        form(
            Bare,
            &format!(
                r"(?<parts>(?:(?:[0-9]{{1,6}}|[{NUMERALS}]{{1,5}}|半) ?(?:个半)?(?:{UNIT}) ?){{1,3}})[之以]?前"
            ),
            ago,
        ),
        form(
            Bare,
            r"(?<count>[0-9]{1,6}|an?|one) ?(?<unit>second|sec|minute|min|hour|hr|day|week|month|year)s? ago(?-u:\b)",
            english_ago,
        ),
        form(Anywhere, "刚[刚才]|just now", |_, now| {
            Some(Day::Ago(now.timestamp()))
        }),
        form(
            Anywhere,
            r"(?<word>大前天|前天|昨天|今天|today|yesterday)",
            near,
        ),
        form(Anywhere, r"(?<word>[今昨])(?<rest>[晚早晨夜])", near),
        form(Word, r"(?<word>[今昨前])日", near),
        form(
            Word,
            r"(?<week>上上|上|本|这|下下|下|每)?个?(?:星期|周|礼拜)(?<week_day>[一二三四五六日天])",
            weekday,
        ),
        form(
            Alone,
            r"(?<month>[0-9]{1,2})[-/.](?<day>[0-9]{1,2})",
            of_month,
        ),
    ]
});

fn form(
    stands: Stands,
    text: &str,
    read: fn(&Captures<'_>, &ZonedDateTime) -> Option<Day>,
) -> Form {
    Form {
        pattern: pattern(&format!(r"\A(?:{text})")),
        stands,
        is_compact: false,
        read,
    }
}

/// A day of a year in which something may have been published here.
pub(super) fn day(year: i64, month: i8, day: i8) -> Option<Date> {
    let year = i16::try_from(year).ok()?;
    let is_told = (1900..=2100).contains(&year);
    Date::new(year, month, day).ok().filter(|_| is_told)
}

/// The latest such day that is not after tomorrow.
pub(super) fn latest(month: i8, of_month: i8, now: &ZonedDateTime) -> Option<Date> {
    let tomorrow = now.date().tomorrow().ok()?;
    let year = i64::from(tomorrow.year());
    // A leap day is at most eight years back.
    (year - 8..=year)
        .rev()
        .filter_map(|year| day(year, month, of_month))
        .find(|date| *date <= tomorrow)
}

fn part(found: &Captures<'_>, name: &str) -> Option<i8> {
    number(found.name(name)?.as_str())?.try_into().ok()
}

fn word<'a>(found: &Captures<'a>, name: &str) -> &'a str {
    found.name(name).map_or("", |found| found.as_str())
}

/// The year as told, one of two digits in full.
fn year(text: &str, now: &ZonedDateTime) -> Option<i64> {
    let told = number(text)?;
    if text.chars().count() > 2 {
        return Some(told);
    }
    if 2000 + told <= i64::from(now.year()) + 1 {
        return Some(2000 + told);
    }
    Some(1900 + told).filter(|year| *year >= 1970)
}

fn full(found: &Captures<'_>, now: &ZonedDateTime) -> Option<Day> {
    let (first, second) = (word(found, "first"), word(found, "second"));
    if first != second && first != "年" {
        return None;
    }
    let year = year(word(found, "year"), now)?;
    day(year, part(found, "month")?, part(found, "day")?).map(Day::On)
}

fn of_the_republic(found: &Captures<'_>, _: &ZonedDateTime) -> Option<Day> {
    let year = number(word(found, "year"))?.checked_add(1911)?;
    day(year, part(found, "month")?, part(found, "day")?).map(Day::On)
}

fn of_month(found: &Captures<'_>, now: &ZonedDateTime) -> Option<Day> {
    let (month, of_month) = (part(found, "month")?, part(found, "day")?);
    let back = match word(found, "which") {
        "今" => 0,
        "去" => 1,
        "前" => 2,
        _ => {
            return Some(Day::OfYear {
                month,
                day: of_month,
            });
        }
    };
    day(i64::from(now.year()) - back, month, of_month).map(Day::Near)
}

/// 07/18/2023 and 18/07/2023; one that may be either tells nothing.
fn year_last(found: &Captures<'_>, _: &ZonedDateTime) -> Option<Day> {
    if word(found, "first") != word(found, "second") {
        return None;
    }
    let (one, two) = (part(found, "one")?, part(found, "two")?);
    let year = number(word(found, "year"))?;
    let (month, of_month) = match (one, two) {
        (one, 13..) => (one, two),
        (13.., two) => (two, one),
        (one, two) if one == two => (one, two),
        _ => return None,
    };
    day(year, month, of_month).map(Day::On)
}

fn english(found: &Captures<'_>, now: &ZonedDateTime) -> Option<Day> {
    let name = word(found, "month");
    let index = MONTHS.iter().position(|month| name.starts_with(month))?;
    let month = i8::try_from(index + 1).ok()?;
    let of_month = part(found, "day")?;
    match found.name("year") {
        Some(told) => day(year(told.as_str(), now)?, month, of_month).map(Day::On),
        None => Some(Day::OfYear {
            month,
            day: of_month,
        }),
    }
}

fn epoch(found: &Captures<'_>, _: &ZonedDateTime) -> Option<Day> {
    let digits = word(found, "epoch");
    // 400-800-1234 is a service line, and in seconds a day of 2097.
    if digits.len() == 10 && digits.starts_with("400") {
        return None;
    }
    let told: i64 = digits.parse().ok()?;
    let at = if digits.len() == 10 {
        Timestamp::from_second(told)
    } else {
        Timestamp::from_millisecond(told)
    }
    .ok()?;
    (788_918_400..4_102_444_800)
        .contains(&at.as_second())
        .then_some(Day::At(at))
}

static PARTS: LazyLock<Regex> = LazyLock::new(|| {
    pattern(&format!(
        "(?<count>[0-9]{{1,6}}|[{NUMERALS}]{{1,5}}|半) ?(?<more>个半)?(?<unit>{UNIT})"
    ))
});

fn ago(found: &Captures<'_>, now: &ZonedDateTime) -> Option<Day> {
    let mut then = now.clone();
    let mut is_days = true;
    for part in PARTS.captures_iter(word(found, "parts")) {
        let unit = word(&part, "unit").trim_start_matches('个');
        let count = word(&part, "count");
        let has_half = count == "半" || part.name("more").is_some();
        let whole = if count == "半" { 0 } else { number(count)? };
        let mut back = vec![whole_units(unit, whole)?];
        if has_half {
            back.push(half_unit(unit)?);
        }
        is_days &= !has_half && is_day_or_longer(unit);
        for span in back {
            then = then.checked_sub(span).ok()?;
        }
    }
    before_now(then, is_days)
}

fn english_ago(found: &Captures<'_>, now: &ZonedDateTime) -> Option<Day> {
    let unit = match word(found, "unit") {
        "second" | "sec" => "秒",
        "minute" | "min" => "分",
        "hour" | "hr" => "小时",
        "day" => "天",
        "week" => "周",
        "month" => "月",
        _ => "年",
    };
    let count = number(word(found, "count")).unwrap_or(1);
    let then = now.checked_sub(whole_units(unit, count)?).ok()?;
    before_now(then, is_day_or_longer(unit))
}

fn before_now(then: ZonedDateTime, is_days: bool) -> Option<Day> {
    if then.year() < 1970 {
        return None;
    }
    Some(if is_days {
        Day::DaysAgo(then)
    } else {
        Day::Ago(then.timestamp())
    })
}

fn is_day_or_longer(unit: &str) -> bool {
    matches!(unit, "天" | "日" | "周" | "星期" | "礼拜" | "月" | "年")
}

fn whole_units(unit: &str, count: i64) -> Option<Span> {
    let span = Span::new();
    match unit {
        "秒" | "秒钟" => span.try_seconds(count),
        "分" | "分钟" => span.try_minutes(count),
        "刻钟" => span.try_minutes(count.checked_mul(15)?),
        "小时" | "钟头" => span.try_hours(count),
        "天" | "日" => span.try_days(count),
        "周" | "星期" | "礼拜" => span.try_weeks(count),
        "月" => span.try_months(count),
        _ => span.try_years(count),
    }
    .ok()
}

fn half_unit(unit: &str) -> Option<Span> {
    Some(match unit {
        "分" | "分钟" => 30.seconds(),
        "小时" | "钟头" => 30.minutes(),
        "天" => 12.hours(),
        "月" => 15.days(),
        "年" => 6.months(),
        _ => return None,
    })
}

fn near(found: &Captures<'_>, now: &ZonedDateTime) -> Option<Day> {
    let back: i64 = match word(found, "word") {
        "今天" | "今" | "today" => 0,
        "昨天" | "昨" | "yesterday" => 1,
        "前天" | "前" => 2,
        _ => 3,
    };
    now.date().checked_sub(back.days()).ok().map(Day::Near)
}

fn weekday(found: &Captures<'_>, now: &ZonedDateTime) -> Option<Day> {
    let told: i64 = match word(found, "week_day") {
        "日" | "天" => 6,
        day => number(day)? - 1,
    };
    let today = i64::from(now.date().weekday().to_monday_zero_offset());
    let weeks = match word(found, "week") {
        "" if told <= today => 0,
        "本" | "这" if told <= today + 1 => 0,
        "" | "上" => 1,
        "上上" => 2,
        _ => return None,
    };
    let back = today - told + weeks * 7;
    now.date().checked_sub(back.days()).ok().map(Day::Near)
}
