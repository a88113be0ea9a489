//! The day at a place of a text, where what is around it lets it be one.

use std::sync::LazyLock;

use jiff::ZonedDateTime;
use regex::{Captures, Regex};

use super::clock::{Clock, clock};
use super::day::{self, Day, FORMS, Stands};
use super::numeral::NUMERALS;
use super::{continues, label, pattern};

/// A day found in a text; nothing for one that is impossible.
pub(super) struct Found {
    pub(super) day: Option<Day>,
    pub(super) clock: Option<Clock>,
    pub(super) is_vague: bool,
    pub(super) end: usize,
}

/// What is around a day.
struct Place<'a> {
    /// The words since the last time.
    before: &'a str,
    /// All of the text before.
    ahead: &'a str,
    written: &'a str,
    has_clock: bool,
    after: &'a str,
}

static YEAR_BEHIND: LazyLock<Regex> = LazyLock::new(|| pattern(r"\A ([0-9]{4})(?-u:\b)"));
static LONGER: LazyLock<Regex> = LazyLock::new(|| pattern(r"\A(?:[0-9]|[-./:][0-9])"));
static SPAN: LazyLock<Regex> = LazyLock::new(|| pattern(r"\A-[0-9]{4}[-./年]"));
static COUNTED: LazyLock<Regex> = LazyLock::new(|| {
    let units = "次|元|人|个|条|件|票|万|亿|%|岁|倍|名|位|分|页|篇|点|时|米|公里|级|楼|折|赞|月|年|天|工作日";
    pattern(&format!(r"\A(?:(?:{units})| (?:{units})(?:[^\p{{L}}]|\z))"))
});
static NUMBERED: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r"(?:编号|号码|电话|手机|热线|传真|邮编|单号|文号|版本号?|价格?|qq|tel|ver|version|no)[ .:()\[-]*\z",
    )
});
static APART_AFTER: LazyLock<Regex> = LazyLock::new(|| pattern(r"\A(?:\z|[ )\]】|,;、<。])"));
static WORD_AFTER: LazyLock<Regex> =
    LazyLock::new(|| pattern(r"\A(?:[^\p{L}至到~-]|\z|[上下中]午|[早晚凌清傍由来在于发更])"));

/// The day at a place, the words since the last time being `before` it.
pub(super) fn day_at(text: &str, start: usize, before: &str, now: &ZonedDateTime) -> Option<Found> {
    let (ahead, rest) = text.split_at_checked(start)?;
    for form in FORMS.iter() {
        let Some(found) = form.pattern.captures(rest) else {
            continue;
        };
        let written = found.get(0)?.as_str();
        let mut end = found
            .name("rest")
            .map_or(written.len(), |rest| rest.start());
        let mut day = (form.read)(&found, now);
        let read = match day {
            Some(Day::At(_) | Day::Ago(_)) => None,
            _ => clock(rest.get(end..)?, form.is_compact),
        };
        let has_clock = read.is_some();
        let clock = read.and_then(|(clock, length)| {
            end += length;
            clock
        });
        let after = rest.get(end..)?;
        let place = Place {
            before,
            ahead,
            written,
            has_clock,
            after,
        };
        if !place.holds_whole() || !place.holds(form.stands, day.as_ref()) {
            continue;
        }
        if let Some((year, length)) = year_behind(written, after)
            && let Some(Day::OfYear { month, day: told }) = day
        {
            end += length;
            day = day::day(year, month, told).map(Day::On);
        }
        return Some(Found {
            day: day.filter(|_| !has_clock || clock.is_some()),
            is_vague: !has_clock && is_vague(&found),
            clock,
            end: start + end,
        });
    }
    None
}

/// The year behind the time of day: Tue Jul 18 08:30:00 2023.
fn year_behind(written: &str, after: &str) -> Option<(i64, usize)> {
    if !written.starts_with(|first: char| first.is_ascii_lowercase()) {
        return None;
    }
    let found = YEAR_BEHIND.captures(after)?;
    Some((found.get(1)?.as_str().parse().ok()?, found.get(0)?.end()))
}

fn is_vague(found: &Captures<'_>) -> bool {
    found.name("word").or(found.name("week_day")).is_some()
}

impl Place<'_> {
    /// Whether no number goes on behind.
    fn holds_whole(&self) -> bool {
        if self.has_clock {
            return !continues(self.after);
        }
        let is_number = self.written.ends_with(|last: char| last.is_ascii_digit());
        !is_number || !LONGER.is_match(self.after) || SPAN.is_match(self.after)
    }

    fn holds(&self, stands: Stands, day: Option<&Day>) -> bool {
        match stands {
            Stands::Anywhere => self.is_no_version() && self.is_no_part_of_a_date(day),
            Stands::Bare => self.is_bare(),
            Stands::Alone => self.is_bare() && self.is_alone(),
            Stands::Whole => {
                let is_end = self
                    .after
                    .chars()
                    .all(|c| matches!(c, ')' | ']' | '/' | ' '));
                is_end && self.is_bare() && (self.is_first() || self.is_labelled())
            }
            Stands::Word => {
                let is_end_of_span = self.before.ends_with(['至', '到', '~', '-', '每']);
                let stands_out =
                    WORD_AFTER.is_match(self.after) || label::after(self.after).is_some();
                !is_end_of_span && (self.has_clock || stands_out)
            }
        }
    }

    fn is_no_version(&self) -> bool {
        !self.ahead.ends_with(['v', '.'])
    }

    fn is_no_part_of_a_date(&self, day: Option<&Day>) -> bool {
        !matches!(day, Some(Day::OfYear { .. }))
            || !self.ahead.ends_with('年') && !self.is_counted()
    }

    fn is_bare(&self) -> bool {
        let mut back = self.ahead.chars().rev();
        let is_parted = match back.next() {
            None => true,
            Some('.' | '-' | '/' | ':') => !back.next().is_some_and(|c| c.is_ascii_digit()),
            Some(last) => {
                !last.is_ascii_alphanumeric()
                    && !"¥￥$€£#_@+=%&第".contains(last)
                    && !NUMERALS.contains(last)
            }
        };
        is_parted && !self.is_counted() && !NUMBERED.is_match(self.before)
    }

    /// Whether what ends in a digit is the number of something.
    fn is_counted(&self) -> bool {
        !self.has_clock
            && self.written.ends_with(|last: char| last.is_ascii_digit())
            && COUNTED.is_match(self.after)
    }

    fn is_alone(&self) -> bool {
        if self.has_clock || self.is_labelled() {
            return true;
        }
        let is_padded = self.written.len() == "07-18".len() && !self.written.contains('.');
        let is_all = self.written.contains('-') && self.is_first() && self.after.is_empty();
        let is_apart_before = self.ahead.is_empty()
            || self
                .ahead
                .ends_with(|last| " ([【<>|,;:》、·。".contains(last));
        let is_apart = is_apart_before && APART_AFTER.is_match(self.after);
        is_apart && (is_padded || is_all)
    }

    fn is_first(&self) -> bool {
        self.ahead.chars().all(|c| matches!(c, '(' | '[' | ' '))
    }

    fn is_labelled(&self) -> bool {
        label::before(self.before).is_some()
    }
}
