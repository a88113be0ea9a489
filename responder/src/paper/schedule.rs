//! The schedule: which reports are made again and again, and when. When an entry fires, the report about the days that ended
//! last is asked for. Nothing is written down of that: a paper that was asked for is there, whoever asked, so that one that
//! was due while no responder ran is asked for by the first that does, and by one of two.

use std::cmp::Ordering;

use croner::errors::CronError;
use croner::parser::{CronParser, Seconds, Year};
use croner::{CivilDate, CivilDateTime, CivilTime, Cron, CronDateTime, Resolution, Weekday};
use jiff::civil::DateTime;
use jiff::{SignedDuration, Timestamp};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::asked;
use crate::clock::CHINA;
use crate::report::{Kind, Wanted};

/// A report that is made again and again.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Schedule {
    /// Which kind: `weekly` of the week that ended on Sunday, `daily` of yesterday, others of last month.
    #[schemars(with = "String")]
    pub kind: Regular,
    /// Codes of the regions, of those served; all of them where it is not set.
    #[serde(default)]
    pub regions: Vec<String>,
    /// When, as a cron expression in China's time: minute, hour, day of the month, month, day of the week; `0 8 * * 1` is
    /// every Monday at eight.
    #[schemars(with = "String")]
    pub cron: Times,
    /// Whether it is submitted as soon as it is made; a draft where it is not set.
    #[serde(default)]
    pub submit: bool,
}

/// A kind of report about days that end of themselves.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Regular(Kind);

impl TryFrom<String> for Regular {
    type Error = String;

    fn try_from(name: String) -> Result<Self, String> {
        let regular = |kind: &Kind| asked::needs(*kind).every.is_some();
        let known = Kind::named(&name).filter(regular);
        known.map(Self).ok_or_else(|| {
            let names: Vec<&str> = (Kind::ALL.iter().copied())
                .filter(regular)
                .map(Kind::name)
                .collect();
            format!(
                "`{name}` is no report that comes again and again; write one of {}",
                names.join(", ")
            )
        })
    }
}

impl From<Regular> for String {
    fn from(Regular(kind): Regular) -> Self {
        kind.name().to_owned()
    }
}

/// The times of a cron expression.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Times(Cron);

impl TryFrom<String> for Times {
    type Error = String;

    fn try_from(expression: String) -> Result<Self, String> {
        let parser = CronParser::builder()
            .seconds(Seconds::Disallowed)
            .year(Year::Disallowed)
            .build();
        let cron = parser.parse(&expression).map_err(|problem| {
            format!(
                "`{expression}` is no cron expression ({problem}); write minute, hour, day of the month, month and day of the week, such as `0 8 * * 1`"
            )
        })?;
        let times = Self(cron);
        if times
            .last(Timestamp::UNIX_EPOCH + SignedDuration::from_hours(24 * 366 * 40))
            .is_none()
        {
            return Err(format!(
                "`{expression}` is never; correct the day or the month"
            ));
        }
        Ok(times)
    }
}

impl From<Times> for String {
    fn from(Times(cron): Times) -> Self {
        cron.as_str().to_owned()
    }
}

impl Times {
    /// The last of them that is not after `now`, on the clock in China.
    fn last(&self, now: Timestamp) -> Option<DateTime> {
        let clock = China(CHINA.to_datetime(now));
        let found = self.0.find_previous_occurrence(&clock, true).ok()?;
        Some(found.0)
    }
}

/// What is due.
#[derive(Debug, Clone, PartialEq)]
pub struct Due {
    /// Code of the region.
    pub region: String,
    /// The report.
    pub wanted: Wanted,
    /// Whether it is submitted as soon as it is made.
    pub submits: bool,
}

/// The reports that were due last, of the regions served.
pub fn due<'a>(
    schedules: &[Schedule],
    served: impl Iterator<Item = &'a String> + Clone,
    now: Timestamp,
) -> Vec<Due> {
    let mut found = Vec::new();
    for schedule in schedules {
        let Some(last) = schedule.cron.last(now) else {
            continue;
        };
        let Some(wanted) = asked::ended(schedule.kind.0, last.date()) else {
            continue;
        };
        let regions = served
            .clone()
            .filter(|code| schedule.regions.is_empty() || schedule.regions.contains(code));
        found.extend(regions.map(|region| Due {
            region: region.clone(),
            wanted: wanted.clone(),
            submits: schedule.submit,
        }));
    }
    found
}

/// Which regions of the schedule are not served: the entry, the region and the remedy.
pub fn check<'a>(
    schedules: &[Schedule],
    served: impl Iterator<Item = &'a String> + Clone,
) -> Vec<String> {
    let numbered = schedules.iter().enumerate();
    numbered
        .flat_map(|(number, schedule)| schedule.regions.iter().map(move |code| (number, code)))
        .filter(|(_, code)| !served.clone().any(|known| known == *code))
        .map(|(number, code)| {
            format!(
                "`reports[{number}].regions` names `{code}`, which is not served; add its folder to `regions` or remove it here"
            )
        })
        .collect()
}

/// The clock in China, which is never put forward or back.
#[derive(Clone)]
struct China(DateTime);

impl CronDateTime for China {
    fn to_civil(&self) -> CivilDateTime {
        let part = |part: i8| u32::from(part.unsigned_abs());
        let at = self.0;
        CivilDateTime::new(
            CivilDate::from_parts_unchecked(at.year().into(), part(at.month()), part(at.day())),
            CivilTime::from_parts_unchecked(part(at.hour()), part(at.minute()), part(at.second())),
        )
    }

    fn civil_weekday(&self) -> Weekday {
        let since_sunday = self.0.weekday().to_sunday_zero_offset();
        Weekday::from_days_from_sunday(since_sunday.unsigned_abs().into())
    }

    fn resolve_civil(&self, civil: CivilDateTime) -> Result<Resolution<Self>, CronError> {
        let small = |part: u32| i8::try_from(part).map_err(|_| CronError::InvalidDate);
        let year = i16::try_from(civil.year()).map_err(|_| CronError::InvalidDate)?;
        let at = DateTime::new(
            year,
            small(civil.month())?,
            small(civil.day())?,
            small(civil.hour())?,
            small(civil.minute())?,
            small(civil.second())?,
            0,
        );
        let at = at.map_err(|_| CronError::InvalidDate)?;
        Ok(Resolution::Single(Self(at)))
    }

    fn checked_add_seconds(&self, seconds: i64) -> Option<Self> {
        let later = self.0.checked_add(SignedDuration::from_secs(seconds));
        later.ok().map(Self)
    }

    fn cmp_instant(&self, other: &Self) -> Ordering {
        self.0.cmp(&other.0)
    }
}
