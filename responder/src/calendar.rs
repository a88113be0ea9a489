//! The working calendar: which days are workdays, by the country's holidays and make-up workdays, and what working time
//! lies between two moments. All in the time of China.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use backbone::region::{Hours, Unit};
use backbone::settings::{Flaw, SettingsError, faultless, load};
use jiff::civil::{Date, Time, Weekday};
use jiff::{SignedDuration, Timestamp, ToSpan};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::clock::CHINA;

/// No wait for a workday is longer: a calendar that has none for so long is taken to have no more.
const MOST_DAYS: u32 = 4_000;

/// Where the calendar is, and the usual working hours.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Settings {
    /// The file of holidays and make-up workdays, relative to this file.
    pub holidays: PathBuf,
    /// The working hours of units that do not say their own.
    pub working_hours: Hours,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            holidays: PathBuf::from("holidays.toml"),
            working_hours: Hours::usual(),
        }
    }
}

/// The contents of `holidays.toml`.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Holidays {
    /// The years.
    #[serde(default)]
    pub year: Vec<Year>,
}

/// The days of a year that are not as their day of the week says.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Year {
    /// The year.
    pub year: i16,
    /// Where they are from: the notice with its number and date.
    pub source: String,
    /// Whether `source` is the notice; else the days are computed and those moved around them are missing.
    #[serde(default = "yes")]
    pub official: bool,
    /// Days off.
    pub holidays: Vec<Holiday>,
    /// Days of a weekend that are worked.
    #[serde(default)]
    #[schemars(with = "Vec<String>")]
    pub workdays: Vec<Date>,
}

fn yes() -> bool {
    true
}

/// Days off in a row.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Holiday {
    /// Its name.
    pub name: String,
    /// The first day.
    #[schemars(with = "String", extend("format" = "date"))]
    pub from: Date,
    /// The last day.
    #[schemars(with = "String", extend("format" = "date"))]
    pub to: Date,
}

/// What the years say, day by day.
#[derive(Debug, Default)]
struct Days {
    off: BTreeMap<Date, String>,
    worked: BTreeSet<Date>,
    official_until: Option<Date>,
}

/// Workdays and working hours. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Calendar {
    days: Arc<Days>,
    hours: Hours,
}

impl Default for Calendar {
    /// Weekends only, and the usual hours.
    fn default() -> Self {
        Self {
            days: Arc::default(),
            hours: Hours::usual(),
        }
    }
}

impl Calendar {
    /// Reads the file of holidays.
    ///
    /// # Errors
    /// Names the file, the day at fault and the remedy.
    pub fn load(settings: &Settings) -> Result<Self, SettingsError> {
        Ok(Self {
            days: Arc::new(read(&settings.holidays)?),
            hours: settings.working_hours.clone(),
        })
    }

    /// The same days with other hours.
    #[must_use]
    pub fn with_hours(&self, hours: &Hours) -> Self {
        Self {
            days: Arc::clone(&self.days),
            hours: hours.clone(),
        }
    }

    /// The same days with the hours of a unit, where it has its own.
    #[must_use]
    pub fn of_unit(&self, unit: &Unit) -> Self {
        unit.hours
            .as_ref()
            .map_or_else(|| self.clone(), |hours| self.with_hours(hours))
    }

    /// The last day that an official notice tells of; none where no year has one.
    #[must_use]
    pub fn official_until(&self) -> Option<Date> {
        self.days.official_until
    }

    /// Whether people work on a day.
    #[must_use]
    pub fn is_workday(&self, day: Date) -> bool {
        if self.days.off.contains_key(&day) {
            return false;
        }
        self.days.worked.contains(&day)
            || !matches!(day.weekday(), Weekday::Saturday | Weekday::Sunday)
    }

    /// Whether any holiday of a year is known.
    #[must_use]
    pub fn tells_of(&self, year: i16) -> bool {
        self.days.off.keys().any(|day| day.year() == year)
    }

    /// The name of the holiday that a day is part of.
    #[must_use]
    pub fn holiday(&self, day: Date) -> Option<&str> {
        self.days.off.get(&day).map(String::as_str)
    }

    /// Whether a day of a weekend is worked.
    #[must_use]
    pub fn is_make_up(&self, day: Date) -> bool {
        self.days.worked.contains(&day)
    }

    /// Whether people work at a moment.
    #[must_use]
    pub fn is_working(&self, at: Timestamp) -> bool {
        let local = CHINA.to_datetime(at);
        self.is_workday(local.date()) && self.hours.holds(minute_of(local.time()))
    }

    /// The moment by which so much has been worked since `from`. Where the working hours of a day end just then, it is
    /// their end, not the next morning.
    #[must_use]
    pub fn add(&self, from: Timestamp, worked: SignedDuration) -> Timestamp {
        let mut left = worked;
        if left <= SignedDuration::ZERO {
            return from;
        }
        for day in days_from(day_of(from)) {
            for (begin, end) in self.spans_of(day) {
                let begin = begin.max(from);
                let length = end.duration_since(begin);
                if length <= SignedDuration::ZERO {
                    continue;
                }
                if length >= left {
                    return begin + left;
                }
                left -= length;
            }
        }
        from + worked
    }

    /// The end of work on the so manyth workday after the day of `from`, which itself does not count (民法典 Articles 201
    /// and 203).
    #[must_use]
    pub fn add_workdays(&self, from: Timestamp, workdays: u32) -> Timestamp {
        let last = days_from(day_of(from))
            .skip(1)
            .filter(|day| self.is_workday(*day))
            .nth(workdays.saturating_sub(1) as usize)
            .filter(|_| workdays > 0);
        last.and_then(|day| self.spans_of(day).last())
            .map_or(from, |(_, end)| end)
    }

    /// How much is worked between two moments; nothing where the second is not after the first.
    #[must_use]
    pub fn between(&self, from: Timestamp, until: Timestamp) -> SignedDuration {
        let (first, last) = (day_of(from), day_of(until));
        days_from(first)
            .take_while(|day| *day <= last)
            .flat_map(|day| self.spans_of(day))
            .map(|(begin, end)| end.min(until).duration_since(begin.max(from)))
            .filter(|length| *length > SignedDuration::ZERO)
            .sum()
    }

    /// The spans of a day in which people work.
    fn spans_of(&self, day: Date) -> impl Iterator<Item = (Timestamp, Timestamp)> {
        let spans = if self.is_workday(day) {
            self.hours.spans()
        } else {
            &[]
        };
        spans
            .iter()
            .filter_map(move |(begin, end)| Some((at_minute(day, *begin)?, at_minute(day, *end)?)))
    }
}

/// The day of a moment in China.
#[must_use]
pub fn day_of(at: Timestamp) -> Date {
    CHINA.to_datetime(at).date()
}

/// The moment of a minute of a day in China; none beyond the end of time.
pub(crate) fn at_minute(day: Date, minute: u32) -> Option<Timestamp> {
    let midnight = CHINA.to_timestamp(day.to_datetime(Time::midnight())).ok()?;
    midnight
        .checked_add(SignedDuration::from_mins(i64::from(minute)))
        .ok()
}

/// The minute of the day.
pub(crate) fn minute_of(time: Time) -> u32 {
    u32::from(time.hour().unsigned_abs()) * 60 + u32::from(time.minute().unsigned_abs())
}

/// A day and those after it.
pub(crate) fn days_from(day: Date) -> impl Iterator<Item = Date> {
    (0..MOST_DAYS).map_while(move |after| day.checked_add(i64::from(after).days()).ok())
}

fn read(path: &Path) -> Result<Days, SettingsError> {
    let holidays = faultless(|problems| load(path, check, problems)).map_err(|error| match error {
        SettingsError::Read { path, source } => SettingsError::Invalid {
            problem: format!(
                "cannot be read ({source}); put the file of holidays there, or name it by `calendar.holidays`"
            )
            .into(),
            line: None,
            path,
        },
        other => other,
    })?;
    let mut days = Days::default();
    for year in holidays.year {
        if year.official {
            let last = Date::new(year.year, 12, 31).ok();
            days.official_until = days.official_until.max(last);
        }
        for holiday in year.holidays {
            for day in days_from(holiday.from).take_while(|day| *day <= holiday.to) {
                days.off.insert(day, holiday.name.clone());
            }
        }
        days.worked.extend(year.workdays);
    }
    Ok(days)
}

fn check(holidays: &Holidays) -> Vec<Flaw> {
    let mut off = BTreeSet::new();
    let mut flaws = Vec::new();
    for (index, year) in holidays.year.iter().enumerate() {
        let number = year.year;
        let mut wrong =
            |problem: String| flaws.push(Flaw::from(problem).of(format!("year[{index}]")));
        if year.source.trim().is_empty() {
            wrong(format!(
                "year {number} has no `source`; name the notice with its number and date"
            ));
        }
        if (holidays.year.iter().take(index)).any(|before| before.year == number) {
            wrong(format!("year {number} is listed twice; remove one"));
        }
        for holiday in &year.holidays {
            let (name, from, to) = (&holiday.name, holiday.from, holiday.to);
            if from > to {
                wrong(format!(
                    "year {number}: `{name}` ends on {to}, before it begins on {from}; exchange the two"
                ));
            }
            // Of a holiday that is wrong one day is told.
            let problem = days_from(from)
                .take_while(|day| *day <= to)
                .find_map(|day| {
                    let twice =
                        format!("year {number}: {day} is listed as a holiday twice; remove one");
                    not_of_year(number, day).or((!off.insert(day)).then_some(twice))
                });
            problem.into_iter().for_each(&mut wrong);
        }
        for day in &year.workdays {
            let both = format!("year {number}: {day} is a holiday and a workday; remove one");
            let problem = not_of_year(number, *day).or(off.contains(day).then_some(both));
            problem.into_iter().for_each(&mut wrong);
        }
    }
    flaws
}

fn not_of_year(year: i16, day: Date) -> Option<String> {
    // 元旦 may begin in December.
    let is_of_year = day.year() == year || (day.year() == year - 1 && day.month() == 12);
    (!is_of_year).then(|| {
        format!(
            "year {year}: {day} is not of that year; correct the date or list it under its own year"
        )
    })
}
