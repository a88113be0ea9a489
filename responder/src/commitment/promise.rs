//! Promises in the text of a reply: a sentence that says that something will be done, and by when.

use std::ops::Range;
use std::sync::LazyLock;

use jiff::Span;
use jiff::civil::Date;
use regex::{Captures, Regex};

/// What makes a sentence with a date a promise.
const PROMISES: [&str; 22] = [
    "将",
    "预计",
    "计划",
    "拟",
    "力争",
    "争取",
    "确保",
    "承诺",
    "保证",
    "前完成",
    "内完成",
    "底完成",
    "前办结",
    "内办结",
    "前解决",
    "内解决",
    "前修复",
    "内修复",
    "前整改",
    "内整改",
    "前答复",
    "内答复",
];
/// What makes a clause none: a request to the writer, or what is over.
const NOT_PROMISES: [&str; 8] = [
    "请您",
    "请你",
    "您可",
    "您需",
    "您应",
    "已于",
    "已经于",
    "公示期",
];
/// Longest text of what is promised, in characters.
const LONGEST: usize = 200;

macro_rules! pattern {
    ($name:ident, $pattern:expr) => {
        #[allow(
            clippy::expect_used,
            reason = "a constant pattern, compiled by every test"
        )]
        static $name: LazyLock<Regex> =
            LazyLock::new(|| Regex::new($pattern).expect("a valid pattern"));
    };
}

pattern!(
    DAY,
    "(?:([0-9]{4})年|(今年|本年|明年))?([0-9]{1,2})月(?:份)?(?:([0-9]{1,2})[日号]|(上旬|中旬|下旬|初|中|底|末))?"
);
pattern!(
    PERIOD,
    "([0-9]{4})年(?:年)?(底|末|上半年|下半年)|(今年|本年|明年)(?:(年?底|年?末|上半年|下半年)|(?:之?内|以内))|(年)(底|末)|(本月|这个月|下月|下个月)(?:底|末|内|份)?|(月)(?:底|末)前|(本周|下周)(?:内|前)?|(本季度|下季度)(?:内|末|底)?"
);
pattern!(
    WITHIN,
    "([0-9]{1,3}|[一二两三四五六七八九十]{1,3})个?(工作日|自然日|日|天|周|星期|月|小时)(?:之?内|以内)"
);
pattern!(FEAST, "(元旦|国庆节?|五一|劳动节)(?:节)?(?:之?前)");

/// A promise.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Promise {
    /// The words that tell the date.
    pub words: String,
    /// Where they begin in the reply, in characters.
    pub start: usize,
    /// Where they end.
    pub end: usize,
    /// The sentence: what is promised.
    pub what: String,
    /// The last day on which it is kept in time.
    pub due: Date,
}

/// The promises of a reply given on that day; one a sentence, by its last date. Days before it are none.
#[must_use]
pub fn promises(reply: &str, replied: Date, is_workday: &dyn Fn(Date) -> bool) -> Vec<Promise> {
    let mut promises = Vec::new();
    let mut from = 0;
    let ends = reply
        .match_indices(['。', '！', '；', '\n', ';'])
        .map(|(at, end)| at + end.len())
        .chain([reply.len()]);
    for end in ends {
        let sentence = reply.get(from..end).unwrap_or_default();
        if let Some((words, due)) = promised(sentence, replied, is_workday) {
            let count = |until: usize| reply.get(..until).unwrap_or_default().chars().count();
            let what = sentence.trim().trim_end_matches(['。', '！', '；', ';']);
            promises.push(Promise {
                start: count(from + words.start),
                end: count(from + words.end),
                words: sentence.get(words).unwrap_or_default().to_owned(),
                what: what.chars().take(LONGEST).collect(),
                due,
            });
        }
        from = end;
    }
    promises
}

fn promised(
    sentence: &str,
    replied: Date,
    is_workday: &dyn Fn(Date) -> bool,
) -> Option<(Range<usize>, Date)> {
    let says = |text: &str, words: &[&str]| words.iter().any(|word| text.contains(word));
    let mut clauses = Vec::new();
    let mut from = 0;
    for clause in sentence.split_inclusive(['，', ',']) {
        let promising = !says(clause, &NOT_PROMISES);
        clauses.push((from..from + clause.len(), promising));
        from += clause.len();
    }
    let promising = |range: &Range<usize>| {
        let within = |(clause, promising): &(Range<usize>, bool)| {
            *promising && clause.contains(&range.start)
        };
        clauses.iter().any(within)
    };
    let promises = clauses.iter().any(|(clause, promising)| {
        let clause = sentence.get(clause.clone()).unwrap_or_default();
        *promising && says(clause, &PROMISES)
    });
    if !promises {
        return None;
    }
    let days = DAY
        .captures_iter(sentence)
        .map(|found| (day(&found, replied), found));
    let periods = PERIOD
        .captures_iter(sentence)
        .map(|found| (period(&found, replied), found));
    let terms = WITHIN
        .captures_iter(sentence)
        .map(|found| (within(&found, replied, is_workday), found));
    let feasts = FEAST
        .captures_iter(sentence)
        .map(|found| (feast(&found, replied), found));
    days.chain(periods)
        .chain(terms)
        .chain(feasts)
        .filter_map(|(due, found)| Some((found.get(0)?.range(), due?)))
        .filter(|(words, due)| *due >= replied && promising(words))
        .max_by_key(|(words, due)| (*due, words.start))
}

/// 2026年12月20日, 12月底, 明年3月, 12月中旬. A month without a year is the next one.
fn day(found: &Captures<'_>, replied: Date) -> Option<Date> {
    let of = |group| found.get(group).map(|found| found.as_str());
    let month: i8 = of(3)?.parse().ok()?;
    let stated = match (of(1), of(2)) {
        (Some(year), _) => Some(year.parse().ok()?),
        (None, Some("明年")) => Some(replied.year() + 1),
        (None, Some(_)) => Some(replied.year()),
        (None, None) => None,
    };
    let in_year = |year: i16| -> Option<Date> {
        let first = Date::new(year, month, 1).ok()?;
        match (of(4), of(5)) {
            (Some(day), _) => Date::new(year, month, day.parse().ok()?).ok(),
            (None, Some("上旬" | "初")) => Date::new(year, month, 10).ok(),
            (None, Some("中旬" | "中")) => Date::new(year, month, 20).ok(),
            _ => Some(first.last_of_month()),
        }
    };
    match stated {
        Some(year) => in_year(year),
        None => {
            let this_year = in_year(replied.year())?;
            // Half a year back is what was, not what will be next year.
            let long_ago = this_year.checked_add(Span::new().months(6)).ok()? < replied;
            if this_year < replied && long_ago {
                in_year(replied.year() + 1)
            } else {
                Some(this_year)
            }
        }
    }
}

/// 年底, 2026年底, 今年内, 下月底, 本周内, 本季度末.
fn period(found: &Captures<'_>, replied: Date) -> Option<Date> {
    let of = |group| found.get(group).map(|found| found.as_str());
    let year_end = |year: i16, part: Option<&str>| match part {
        Some("上半年") => Date::new(year, 6, 30).ok(),
        _ => Date::new(year, 12, 31).ok(),
    };
    if let Some(year) = of(1) {
        return year_end(year.parse().ok()?, of(2));
    }
    if let Some(year) = of(3) {
        let next = i16::from(year == "明年");
        return year_end(replied.year() + next, of(4));
    }
    if of(5).is_some() {
        return year_end(replied.year(), None);
    }
    if let Some(month) = of(7) {
        let months = i32::from(month.starts_with('下'));
        let within = replied
            .first_of_month()
            .checked_add(Span::new().months(months));
        return Some(within.ok()?.last_of_month());
    }
    if of(8).is_some() {
        return Some(replied.last_of_month());
    }
    if let Some(week) = of(9) {
        let weeks = i32::from(week == "下周");
        let to_sunday = 7 - i32::from(replied.weekday().to_monday_one_offset());
        return replied
            .checked_add(Span::new().days(to_sunday + 7 * weeks))
            .ok();
    }
    let quarters = i32::from(of(10)? == "下季度");
    let months_left = 2 - i32::from((replied.month() - 1) % 3);
    let within = replied
        .first_of_month()
        .checked_add(Span::new().months(months_left + 3 * quarters));
    Some(within.ok()?.last_of_month())
}

/// 15个工作日内, 三天内, 两个月内.
fn within(found: &Captures<'_>, replied: Date, is_workday: &dyn Fn(Date) -> bool) -> Option<Date> {
    let count = number(found.get(1)?.as_str())?;
    let span = match found.get(2)?.as_str() {
        "工作日" => return workdays(replied, count, is_workday),
        "周" | "星期" => Span::new().weeks(count),
        "月" => Span::new().months(count),
        "小时" => Span::new().days((count + 23) / 24),
        _ => Span::new().days(count),
    };
    replied.checked_add(span).ok()
}

/// The day on which so many workdays after the reply are over.
fn workdays(replied: Date, count: i32, is_workday: &dyn Fn(Date) -> bool) -> Option<Date> {
    let (mut day, mut left) = (replied, count);
    // A calendar that knows no workday ends the search within a year's days.
    for _ in 0..(count * 3 + 365) {
        if left == 0 {
            return Some(day);
        }
        day = day.tomorrow().ok()?;
        left -= i32::from(is_workday(day));
    }
    None
}

/// 元旦前, 国庆节前, 五一前: the day before.
fn feast(found: &Captures<'_>, replied: Date) -> Option<Date> {
    let (month, day) = match found.get(1)?.as_str() {
        "元旦" => (1, 1),
        "五一" | "劳动节" => (5, 1),
        _ => (10, 1),
    };
    let before = |year| Date::new(year, month, day).and_then(Date::yesterday).ok();
    before(replied.year())
        .filter(|before| *before >= replied)
        .or_else(|| before(replied.year() + 1))
}

/// A number in digits or, up to ninety-nine, in characters.
fn number(text: &str) -> Option<i32> {
    if let Ok(number) = text.parse() {
        return Some(number);
    }
    let digit = |character: char| match character {
        '两' => Some(2),
        other => "一二三四五六七八九"
            .chars()
            .position(|known| known == other)
            .and_then(|at| i32::try_from(at + 1).ok()),
    };
    match text.split_once('十') {
        Some((tens, ones)) => {
            let part = |text: &str, none| match text.chars().next() {
                Some(character) => digit(character),
                None => Some(none),
            };
            Some(part(tens, 1)? * 10 + part(ones, 0)?)
        }
        None => digit(text.chars().next()?),
    }
}
