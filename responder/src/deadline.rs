//! Deadlines by level, each in calendar or in working time.
//!
//! Answering within 24 or 48 hours and first information within 5 hours are 国办发〔2016〕61号 and the
//! implementation rules of 2016, in calendar time; the others are the project's own defaults.

use jiff::{SignedDuration, Timestamp};
use schemars::JsonSchema;
use serde::de::Error;
use serde::{Deserialize, Deserializer, Serialize};
use toml::Value;

use crate::calendar::Calendar;

/// No term is longer, so that no date lies beyond the calendar.
const MOST_HOURS: u64 = 10 * 366 * 24;
const REMEDY: &str =
    "write such as { minutes = 30 }, { hours = 48 } or { days = 5, time = \"working\" }";

/// Deadlines by level, Ⅰ to Ⅳ. Each is one term for all levels, such as `{ days = 5, time = "working" }`, or a list of four.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Deadlines {
    /// From dispatch until the lead unit must sign for the case; a plain number is minutes.
    #[serde(alias = "sign_minutes", deserialize_with = "minutes")]
    #[schemars(with = "Vec<Term>")]
    pub sign: Terms,
    /// From the opening until first information must go out: a list of two, for Ⅰ and Ⅱ; a plain number is hours.
    #[serde(alias = "first_information_hours", deserialize_with = "hours_of_two")]
    #[schemars(with = "Vec<Term>")]
    pub first_information: Terms,
    /// From the opening until the people must be answered; a plain number is hours.
    #[serde(alias = "response_hours", deserialize_with = "hours")]
    #[schemars(with = "Vec<Term>")]
    pub response: Terms,
    /// What an extension adds; a plain number is hours.
    #[serde(alias = "extension_hours", deserialize_with = "hours")]
    #[schemars(with = "Vec<Term>")]
    pub extension: Terms,
    /// From a unit's asking for more time until the office must decide; a plain number is hours.
    #[serde(deserialize_with = "hours")]
    #[schemars(with = "Vec<Term>")]
    pub decision: Terms,
    /// From a reply being handed in until it must be reviewed; a plain number is hours.
    #[serde(deserialize_with = "hours")]
    #[schemars(with = "Vec<Term>")]
    pub review: Terms,
    /// From the close until the writers must have been asked whether it helped; a plain number is hours.
    #[serde(deserialize_with = "hours")]
    #[schemars(with = "Vec<Term>")]
    pub follow_up: Terms,
}

impl Default for Deadlines {
    fn default() -> Self {
        Self {
            sign: Terms(vec![
                Term::minutes(30),
                Term::hours(1),
                Term::hours(2),
                Term::hours(4),
            ]),
            first_information: Terms([5, 5].map(Term::hours).into()),
            response: Terms([24, 24, 48, 48].map(Term::hours).into()),
            extension: Terms(vec![Term::hours(24); 4]),
            decision: Terms(vec![
                Term::hours(1),
                Term::hours(2),
                Term::hours(4).working(),
                Term::hours(4).working(),
            ]),
            review: Terms(vec![
                Term::hours(1),
                Term::hours(2),
                Term::hours(4).working(),
                Term::hours(6).working(),
            ]),
            follow_up: Terms(vec![Term::days(5).working(); 4]),
        }
    }
}

impl Deadlines {
    /// Until when a case dispatched now must be signed for.
    #[must_use]
    pub fn sign(&self, level: u8, now: Timestamp, calendar: &Calendar) -> Timestamp {
        self.sign.after(level, now, calendar)
    }

    /// Until when first information on a case opened now must go out; none for Ⅲ and Ⅳ.
    #[must_use]
    pub fn first_information(
        &self,
        level: u8,
        now: Timestamp,
        calendar: &Calendar,
    ) -> Option<Timestamp> {
        let term = self.first_information.of(level)?;
        Some(term.after(now, calendar))
    }

    /// Until when the people must be answered on a case opened now.
    #[must_use]
    pub fn response(&self, level: u8, now: Timestamp, calendar: &Calendar) -> Timestamp {
        self.response.after(level, now, calendar)
    }

    /// Until when the office says whether there is more time, asked now.
    #[must_use]
    pub fn decision(&self, level: u8, now: Timestamp, calendar: &Calendar) -> Timestamp {
        self.decision.after(level, now, calendar)
    }

    /// A deadline extended now: from the deadline, or from now where it has passed.
    #[must_use]
    pub fn extended(
        &self,
        level: u8,
        due: Timestamp,
        now: Timestamp,
        calendar: &Calendar,
    ) -> Timestamp {
        self.extension.after(level, due.max(now), calendar)
    }

    /// Until when a reply handed in now must be reviewed.
    #[must_use]
    pub fn review(&self, level: u8, now: Timestamp, calendar: &Calendar) -> Timestamp {
        self.review.after(level, now, calendar)
    }

    /// Until when the writers of a case closed now must have been asked whether it helped.
    #[must_use]
    pub fn follow_up(&self, level: u8, now: Timestamp, calendar: &Calendar) -> Timestamp {
        self.follow_up.after(level, now, calendar)
    }
}

/// The terms of the levels, from Ⅰ on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct Terms(Vec<Term>);

impl Terms {
    fn of(&self, level: u8) -> Option<Term> {
        self.0.get(usize::from(level.max(1)) - 1).copied()
    }

    /// For those that have a term for each level.
    fn after(&self, level: u8, now: Timestamp, calendar: &Calendar) -> Timestamp {
        self.of(level)
            .or(self.0.last().copied())
            .map_or(now, |term| term.after(now, calendar))
    }
}

/// A length of time; exactly one of `minutes`, `hours` and `days` is set.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Term {
    /// Minutes.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub minutes: u32,
    /// Hours.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub hours: u32,
    /// Days; in working time until the end of work on the so manyth workday after the first, which does not count.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub days: u32,
    /// Which time counts.
    #[serde(default)]
    pub time: Counted,
}

/// Which time counts.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Counted {
    /// All of it, day and night.
    #[default]
    Calendar,
    /// The working hours of workdays.
    Working,
}

fn is_zero(number: &u32) -> bool {
    *number == 0
}

impl Term {
    fn minutes(minutes: u32) -> Self {
        Self {
            minutes,
            ..Self::default()
        }
    }

    fn hours(hours: u32) -> Self {
        Self {
            hours,
            ..Self::default()
        }
    }

    fn days(days: u32) -> Self {
        Self {
            days,
            ..Self::default()
        }
    }

    fn working(self) -> Self {
        Self {
            time: Counted::Working,
            ..self
        }
    }

    /// Whether it is a length at all.
    pub(crate) fn check(self) -> Result<(), String> {
        let hours = u64::from(self.hours) + 24 * u64::from(self.days);
        let set = [self.minutes, self.hours, self.days].map(|number| number > 0);
        if set.into_iter().filter(|set| *set).count() == 1 && hours <= MOST_HOURS {
            return Ok(());
        }
        Err(format!(
            "a term has one of minutes, hours and days, from 1 to ten years; {REMEDY}"
        ))
    }

    /// The same in words: `2小时`, `3个工作日`.
    #[must_use]
    pub fn told(self) -> String {
        let (number, unit) = match self {
            Self { days: 1.., .. } => (self.days, "天"),
            Self { hours: 1.., .. } => (self.hours, "小时"),
            _ => (self.minutes, "分钟"),
        };
        match self.time {
            Counted::Calendar => format!("{number}{unit}"),
            Counted::Working if self.days > 0 => format!("{number}个工作日"),
            Counted::Working => format!("{number}{unit}工作时间"),
        }
    }

    /// When it has passed since `now`.
    #[must_use]
    pub fn after(self, now: Timestamp, calendar: &Calendar) -> Timestamp {
        let minutes =
            i64::from(self.minutes) + 60 * (i64::from(self.hours) + 24 * i64::from(self.days));
        match self.time {
            Counted::Calendar => now + SignedDuration::from_mins(minutes),
            Counted::Working if self.days > 0 => calendar.add_workdays(now, self.days),
            Counted::Working => calendar.add(now, SignedDuration::from_mins(minutes)),
        }
    }
}

fn minutes<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Terms, D::Error> {
    terms(deserializer, Term::minutes, 4)
}

fn hours<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Terms, D::Error> {
    terms(deserializer, Term::hours, 4)
}

fn hours_of_two<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Terms, D::Error> {
    terms(deserializer, Term::hours, 2)
}

/// Reads one term for all levels, or one for each. A plain number is what `plain` makes of it.
fn terms<'de, D: Deserializer<'de>>(
    deserializer: D,
    plain: fn(u32) -> Term,
    levels: usize,
) -> Result<Terms, D::Error> {
    let read = |value: Value| read(value, plain).map_err(Error::custom);
    let terms = match Value::deserialize(deserializer)? {
        Value::Array(values) => values.into_iter().map(read).collect::<Result<_, _>>()?,
        value => vec![read(value)?; levels],
    };
    if terms.len() != levels {
        return Err(Error::custom(format!(
            "a deadline needs one term for all levels or {levels} of them, not {}",
            terms.len()
        )));
    }
    Ok(Terms(terms))
}

fn read(value: Value, plain: fn(u32) -> Term) -> Result<Term, String> {
    let term = match value {
        Value::Integer(number) => plain(u32::try_from(number).unwrap_or(0)),
        Value::Table(_) => value
            .try_into()
            .map_err(|error: toml::de::Error| format!("{}; {REMEDY}", error.message()))?,
        _ => Term::default(),
    };
    term.check()?;
    Ok(term)
}
