//! Times by name, in which notices of some rules are held back, or outside of which they are.

use backbone::region::Hours;
use backbone::settings::Flaw;
use jiff::Timestamp;
use jiff::civil::Weekday;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::calendar::{Calendar, at_minute, day_of, days_from, minute_of};
use crate::clock::CHINA;

/// Days looked ahead for the end of a time: the longest holidays are shorter.
const DAYS_AHEAD: usize = 31;

/// A time that comes again and again; all conditions that are set must hold.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Window {
    /// Its name in `mute_times` and `active_times`.
    pub name: String,
    /// These days of the week.
    #[serde(default)]
    pub weekdays: Vec<DayOfWeek>,
    /// These hours, such as `00:00-07:00,22:00-24:00`.
    #[serde(default)]
    pub hours: Option<Hours>,
    /// Workdays (`true`) or days off (`false`) by the working calendar.
    #[serde(default)]
    pub workdays: Option<bool>,
}

/// A day of the week.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum DayOfWeek {
    /// 星期一.
    Monday,
    /// 星期二.
    Tuesday,
    /// 星期三.
    Wednesday,
    /// 星期四.
    Thursday,
    /// 星期五.
    Friday,
    /// 星期六.
    Saturday,
    /// 星期日.
    Sunday,
}

impl From<Weekday> for DayOfWeek {
    fn from(day: Weekday) -> Self {
        match day {
            Weekday::Monday => Self::Monday,
            Weekday::Tuesday => Self::Tuesday,
            Weekday::Wednesday => Self::Wednesday,
            Weekday::Thursday => Self::Thursday,
            Weekday::Friday => Self::Friday,
            Weekday::Saturday => Self::Saturday,
            Weekday::Sunday => Self::Sunday,
        }
    }
}

impl Window {
    /// Whether it is that time.
    pub(super) fn holds(&self, at: Timestamp, calendar: &Calendar) -> bool {
        let local = CHINA.to_datetime(at);
        let day = local.date();
        (self.weekdays.is_empty() || self.weekdays.contains(&day.weekday().into()))
            && (self.hours.as_ref()).is_none_or(|hours| hours.holds(minute_of(local.time())))
            && (self.workdays).is_none_or(|workdays| calendar.is_workday(day) == workdays)
    }

    /// What is wrong where it does not say when it is.
    pub(super) fn check(&self) -> Option<Flaw> {
        let is_never = self.weekdays.is_empty() && self.hours.is_none() && self.workdays.is_none();
        is_never.then(|| {
            Flaw::new(
                format!(
                    "the time `{}` has no condition; give it `weekdays`, `hours` or `workdays`",
                    self.name
                ),
                format!(
                    "时段“{}”没有条件，请写 weekdays、hours 或 workdays",
                    self.name
                ),
            )
        })
    }
}

/// When a rule's notices go out, by the times that it names.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Windows {
    /// Not in these.
    pub(super) mute: Vec<Window>,
    /// In one of these only, where there are any.
    pub(super) active: Vec<Window>,
}

impl Windows {
    /// The name of the time that holds a notice back, and until when; none of it where it may go. No end is known where there is
    /// none within a month.
    pub(super) fn held(
        &self,
        now: Timestamp,
        calendar: &Calendar,
    ) -> Option<(String, Option<Timestamp>)> {
        let why = self.why(now, calendar)?;
        let edges = (self.mute.iter().chain(&self.active))
            .filter_map(|window| window.hours.as_ref())
            .flat_map(|hours| hours.spans().iter().flat_map(|(begin, end)| [*begin, *end]));
        let mut minutes: Vec<u32> = edges.chain([0]).collect();
        minutes.sort_unstable();
        minutes.dedup();
        let end = days_from(day_of(now))
            .take(DAYS_AHEAD)
            .flat_map(|day| {
                minutes
                    .iter()
                    .filter_map(move |minute| at_minute(day, *minute))
            })
            .find(|at| *at > now && self.why(*at, calendar).is_none());
        Some((why, end))
    }

    fn why(&self, at: Timestamp, calendar: &Calendar) -> Option<String> {
        let muted = self.mute.iter().find(|window| window.holds(at, calendar));
        if let Some(window) = muted {
            return Some(window.name.clone());
        }
        let idle = !self.active.is_empty()
            && !(self.active.iter()).any(|window| window.holds(at, calendar));
        idle.then(|| {
            let names: Vec<&str> = self
                .active
                .iter()
                .map(|window| window.name.as_str())
                .collect();
            format!("非{}", names.join("、"))
        })
    }
}
