//! Times as pages, feeds and exports write them, in Asia/Shanghai where they do not say otherwise.
//!
//! A text is folded first: full-width characters become narrow, letters small, the traditional characters
//! of times simplified. Then it is read from its beginning, each place at which a time may begin in every
//! form there is. What is in such a form but impossible, or part of a longer number, tells nothing.

mod clock;
mod day;
mod label;
mod numeral;
mod place;

use std::sync::LazyLock;

use backbone::message::Certainty;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp, ZonedDateTime};
use regex::Regex;

use clock::Clock;
use day::Day;
use label::Label;

/// What is read of a text.
const LONGEST: usize = 4096;

/// How far before a time the words are that say what it is.
const WINDOW: usize = 40;

/// How far ahead of ours the clock of a site may be.
const AHEAD: SignedDuration = SignedDuration::from_mins(10);

/// A time that a text tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Told {
    /// The time.
    pub at: Timestamp,
    /// How far it can be relied on.
    pub certainty: Certainty,
}

impl Told {
    /// The time as that of something there is at `now`: what a clock that is a little ahead of ours tells was just now.
    /// Nothing where it is to come.
    #[must_use]
    pub fn by(self, now: Timestamp) -> Option<Self> {
        let is_past = self.at.duration_since(now) <= AHEAD;
        is_past.then(|| Self {
            at: self.at.min(now),
            ..self
        })
    }
}

/// The time zone of sources that do not name one: China has one, of fixed offset since 1991.
#[must_use]
pub fn zone() -> TimeZone {
    TimeZone::fixed(jiff::tz::offset(8))
}

/// The time a text tells, seen at `now`; nothing when it tells none.
#[must_use]
pub fn parse(text: &str, now: Timestamp) -> Option<Timestamp> {
    tell(text, now).map(|told| told.at)
}

/// The time a text tells, seen at `now`, and how far it can be relied on. Of several the one said to be
/// that of publishing is told, else the first. A short date without a year is the latest such day that is
/// not after tomorrow.
#[must_use]
pub fn tell(text: &str, now: Timestamp) -> Option<Told> {
    let text = fold(text);
    times(&text, &now.to_zoned_datetime(zone()))
        .into_iter()
        .min_by_key(|time| (time.label != Some(Label::Published), time.is_vague))
        .map(|time| time.told)
}

/// Whether a text tells a time and says that it is that of publishing.
#[must_use]
pub fn is_labelled_published(text: &str, now: Timestamp) -> bool {
    times(&fold(text), &now.to_zoned_datetime(zone()))
        .iter()
        .any(|time| time.label == Some(Label::Published))
}

#[allow(
    clippy::expect_used,
    reason = "a constant pattern, compiled by every test"
)]
fn pattern(text: &str) -> Regex {
    Regex::new(text).expect("a valid pattern")
}

/// A time in a text.
struct Time {
    told: Told,
    label: Option<Label>,
    /// No more than a word such as 今天 or 周三, which gives way to a date.
    is_vague: bool,
    end: usize,
}

static PARTED: LazyLock<Regex> = LazyLock::new(|| pattern(r"\A[ ,|()\[\]]{0,4}(?:on )?\z"));

fn times(text: &str, now: &ZonedDateTime) -> Vec<Time> {
    let mut times: Vec<Time> = Vec::new();
    let mut ahead: Option<(usize, usize, Clock)> = None;
    let mut at = 0;
    let mut since = 0;
    while let Some(place) = day::START.find_at(text, at) {
        let start = place.start();
        let before = window(text.get(since..start).unwrap_or_default());
        let Some(found) = place::day_at(text, start, before, now) else {
            match clock_ahead(text, start) {
                Some((end, clock)) => {
                    ahead = Some((start, end, clock));
                    at = end;
                }
                None => at = next(text, start),
            }
            continue;
        };
        at = found.end;
        let from = since;
        since = found.end;
        let is_beside = |end: usize| text.get(end..start).is_some_and(|gap| PARTED.is_match(gap));
        let (start, clock) = match (found.clock, ahead.take()) {
            (None, Some((first, end, clock))) if is_beside(end) => (first, Some(clock)),
            (clock, _) => (start, clock),
        };
        let Some(told) = found.day.and_then(|day| settle(&day, clock.as_ref(), now)) else {
            continue;
        };
        let mut label = label::before(window(text.get(from..start).unwrap_or_default()));
        if !found.is_vague
            && let Some(vague) = times.pop_if(|last| last.is_vague && is_beside(last.end))
        {
            label = label.or(vague.label);
        }
        if label.is_none()
            && let Some((behind, length)) = label::after(text.get(found.end..).unwrap_or_default())
        {
            label = Some(behind);
            since += length;
        }
        times.push(Time {
            told,
            label,
            is_vague: found.is_vague && clock.is_none(),
            end: found.end,
        });
    }
    times
}

/// Where to go on when no time is at a place: past its digits or its character.
fn next(text: &str, start: usize) -> usize {
    let rest = text.get(start..).unwrap_or_default();
    let digits = rest.len() - rest.trim_start_matches(|c: char| c.is_ascii_digit()).len();
    let first = rest.chars().next().map_or(1, char::len_utf8);
    start + digits.max(first)
}

fn window(before: &str) -> &str {
    let start = before.char_indices().rev().nth(WINDOW - 1);
    start.map_or(before, |(start, _)| before.get(start..).unwrap_or_default())
}

fn settle(day: &Day, clock: Option<&Clock>, now: &ZonedDateTime) -> Option<Told> {
    let of = |date| match clock {
        Some(clock) => clock.on(date),
        None => zone().to_timestamp(date.at(0, 0, 0, 0)).ok(),
    };
    let (at, certainty) = match day {
        Day::At(at) => (*at, Certainty::Exact),
        Day::On(date) if clock.is_some() => (of(*date)?, Certainty::Exact),
        Day::On(date) => (of(*date)?, Certainty::Day),
        Day::OfYear { month, day } => (of(day::latest(*month, *day, now)?)?, Certainty::Guessed),
        Day::Near(date) => (of(*date)?, Certainty::Guessed),
        Day::DaysAgo(then) if clock.is_some() => (of(then.date())?, Certainty::Guessed),
        Day::DaysAgo(then) => (then.timestamp(), Certainty::Guessed),
        Day::Ago(at) => (*at, Certainty::Guessed),
    };
    Some(Told { at, certainty })
}

static CLOCK_AHEAD: LazyLock<Regex> =
    LazyLock::new(|| pattern(r"\A(?:[0-9]{1,2}:[0-9]{2}|[^0-9〇零一二两三四五六七八九十百廿卅])"));

/// The time of day at a place, which the day may follow, and where it ends.
fn clock_ahead(text: &str, start: usize) -> Option<(usize, Clock)> {
    let rest = text
        .get(start..)
        .filter(|rest| CLOCK_AHEAD.is_match(rest))?;
    let ahead = text.get(..start)?;
    let is_end = ahead.ends_with(['-', '~', '至', '到'])
        || ahead
            .strip_suffix([':', '.'])
            .is_some_and(|ahead| ahead.ends_with(|last: char| last.is_ascii_digit()));
    let (clock, length) = clock::clock(rest, false)?;
    let is_whole = !continues(rest.get(length..)?);
    clock
        .filter(|_| is_whole && !is_end)
        .map(|clock| (start + length, clock))
}

/// Whether the number or time of day a text follows goes on in it.
fn continues(after: &str) -> bool {
    let mut characters = after.chars();
    match characters.next() {
        Some(':') => characters.next().is_some_and(|next| next.is_ascii_digit()),
        next => next.is_some_and(|next| next.is_ascii_digit()),
    }
}

fn fold(text: &str) -> String {
    let mut folded = String::new();
    for character in text.chars().take(LONGEST) {
        let character = narrow(character);
        if character == ' ' && (folded.is_empty() || folded.ends_with(' ')) {
            continue;
        }
        if !is_invisible(character) {
            folded.push(character.to_ascii_lowercase());
        }
    }
    folded.truncate(folded.trim_end().len());
    folded
}

const fn is_invisible(character: char) -> bool {
    matches!(character, '\u{ad}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}' | '\u{feff}')
}

fn narrow(character: char) -> char {
    match character {
        '！'..='～' => char::from_u32(u32::from(character) - 0xfee0).unwrap_or(character),
        '‐'..='―' | '−' => '-',
        '∶' | '︰' | '﹕' | '꞉' => ':',
        '○' | '◯' => '〇',
        '時' => '时',
        '點' => '点',
        '發' => '发',
        '佈' => '布',
        '週' => '周',
        '號' => '号',
        '間' => '间',
        '鐘' | '鍾' => '钟',
        '個' => '个',
        '剛' => '刚',
        '兩' => '两',
        '禮' => '礼',
        '來' => '来',
        '於' => '于',
        '國' => '国',
        '覆' => '复',
        '編' => '编',
        '輯' => '辑',
        '辦' => '办',
        '這' => '这',
        other if other.is_whitespace() || other.is_control() => ' ',
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 2026-11-23 12:00 in Shanghai, a Monday.
    const NOW: &str = "2026-11-23T04:00:00Z";

    fn forms() -> impl Iterator<Item = (&'static str, &'static str, &'static str)> {
        include_str!("time/forms.tsv")
            .lines()
            .filter(|line| !line.is_empty() && !line.starts_with('#'))
            .map(|line| {
                let columns: Vec<&str> = line.split('\t').collect();
                let [text, expected, certainty] = columns.as_slice() else {
                    panic!("not of three columns: {line}");
                };
                (*text, *expected, *certainty)
            })
    }

    #[test]
    fn times_are_read_in_all_the_ways_they_are_written() {
        let now = NOW.parse().unwrap();
        let mut wrong = Vec::new();
        for (text, expected, certainty) in forms() {
            let expected = (expected != "-").then(|| Told {
                at: expected.parse().unwrap(),
                certainty: match certainty {
                    "exact" => Certainty::Exact,
                    "day" => Certainty::Day,
                    "guessed" => Certainty::Guessed,
                    other => panic!("no certainty: {other}"),
                },
            });
            let told = tell(text, now);
            if told != expected {
                wrong.push(format!("{text}\n  told {told:?}\n  not  {expected:?}"));
            }
        }
        assert!(wrong.is_empty(), "{}", wrong.join("\n"));
        assert!(forms().count() >= 220);
    }

    #[test]
    fn a_time_is_told_alike_beside_other_words() {
        let now = NOW.parse().unwrap();
        for (text, expected, _) in forms() {
            // These stand alone.
            let is_epoch =
                text.contains("16896402") || text.contains("0123") || text == "4102444799";
            if expected == "-" || is_epoch || text == "7-18" {
                continue;
            }
            for around in [
                format!("  {text}\u{a0}\n"),
                format!("{text} 来源：新华网"),
                format!("{text} 浏览：123次"),
                format!("（{text}）"),
            ] {
                assert_eq!(tell(&around, now), tell(text, now), "{around}");
            }
        }
    }

    #[test]
    fn the_latest_day_of_a_month_is_not_after_tomorrow() {
        for (now, text, expected) in [
            (
                "2026-12-31T15:59:59Z",
                "01-01 08:30",
                "2027-01-01T00:30:00Z",
            ),
            ("2026-12-31T16:00:00Z", "01-02", "2027-01-01T16:00:00Z"),
            ("2026-12-31T16:00:00Z", "01-03", "2026-01-02T16:00:00Z"),
            ("2026-01-01T04:00:00Z", "昨天 08:30", "2025-12-31T00:30:00Z"),
            ("2104-02-28T04:00:00Z", "02-29", "2096-02-28T16:00:00Z"),
            ("2024-02-29T04:00:00Z", "1年前", "2023-02-28T04:00:00Z"),
        ] {
            let told = parse(text, now.parse().unwrap());
            assert_eq!(told, Some(expected.parse().unwrap()), "{text} at {now}");
        }
    }

    #[test]
    fn no_text_is_too_odd_or_too_long() {
        let now: Timestamp = NOW.parse().unwrap();
        let last: Timestamp = "2200-01-01T00:00:00Z".parse().unwrap();
        let is_sound = |told: Option<Told>| told.is_none_or(|told| told.at < last);
        let all: String = forms().map(|(text, ..)| text).collect();
        let characters: Vec<char> = all.chars().collect();
        for start in 0..characters.len() {
            for length in [3, 7, 12] {
                let text: String = characters.iter().skip(start).take(length).collect();
                assert!(is_sound(tell(&text, now)), "{text}");
                assert!(is_sound(tell(&text.repeat(3), now)), "{text}");
            }
        }
        for now in [Timestamp::MIN, now, Timestamp::MAX] {
            for (text, ..) in forms() {
                let guessed = tell(text, now).filter(|told| told.certainty == Certainty::Guessed);
                let latest = now.as_second() + 2 * 24 * 3600;
                assert!(
                    guessed.is_none_or(|told| told.at.as_second() < latest),
                    "{text}"
                );
            }
        }
        for text in [
            "1:",
            "一年",
            "2023-07-1",
            "今天",
            "8点",
            "民国",
            "年月日",
            "9999999年前 ",
        ] {
            assert!(is_sound(tell(&text.repeat(100_000), now)), "{text}");
        }
        let late = format!("{}2023-07-18", "长".repeat(LONGEST));
        assert_eq!(tell(&late, now), None);
    }
}
