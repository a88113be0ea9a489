//! Hours of the day in which a source is left alone.

use std::time::Duration;

use jiff::Timestamp;
use jiff::civil::{Time, TimeDifference};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::extract::time::zone;

/// Hours of the day, in Asia/Shanghai, written as `23:00-06:00`; they may go past midnight.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(try_from = "String", into = "String")]
#[schemars(with = "String")]
pub struct QuietHours {
    from: Time,
    to: Time,
}

impl TryFrom<String> for QuietHours {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let time = |part: &str| Time::strptime("%H:%M", part.trim()).ok();
        text.split_once('-')
            .and_then(|(from, to)| Some((time(from)?, time(to)?)))
            .filter(|(from, to)| from != to)
            .map(|(from, to)| Self { from, to })
            .ok_or_else(|| format!("`{text}` are no hours of the day; write them as 23:00-06:00"))
    }
}

impl From<QuietHours> for String {
    fn from(hours: QuietHours) -> Self {
        let QuietHours { from, to } = hours;
        format!("{}-{}", from.strftime("%H:%M"), to.strftime("%H:%M"))
    }
}

impl QuietHours {
    /// How long they still last at `now`; nothing outside of them.
    #[must_use]
    pub fn left(&self, now: Timestamp) -> Option<Duration> {
        let now = now.to_zoned_datetime(zone()).time();
        let is_in = match self.from < self.to {
            true => self.from <= now && now < self.to,
            false => now >= self.from || now < self.to,
        };
        let left = now.until(TimeDifference::new(self.to)).ok()?;
        let seconds = left.total(jiff::Unit::Second).ok()?;
        // Past midnight the end is on the next day.
        let seconds = if seconds <= 0.0 {
            seconds + 86_400.0
        } else {
            seconds
        };
        is_in.then(|| Duration::from_secs_f64(seconds))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn they_last_till_morning() {
        let night = QuietHours::try_from("23:00-06:30".to_owned()).unwrap();
        let noon = QuietHours::try_from("12:00-14:00".to_owned()).unwrap();
        for (now, of_night, of_noon) in [
            ("2026-11-23T22:59:59+08:00", None, None),
            ("2026-11-23T23:00:00+08:00", Some(7 * 3_600 + 1_800), None),
            ("2026-11-24T06:29:00+08:00", Some(60), None),
            ("2026-11-24T06:30:00+08:00", None, None),
            ("2026-11-24T13:00:00+08:00", None, Some(3_600)),
        ] {
            let now = now.parse().unwrap();
            assert_eq!(night.left(now), of_night.map(Duration::from_secs), "{now}");
            assert_eq!(noon.left(now), of_noon.map(Duration::from_secs), "{now}");
        }
        assert_eq!(String::from(night), "23:00-06:30");
        for text in ["", "23:00", "23:00-23:00", "25:00-06:00", "night"] {
            let said = QuietHours::try_from(text.to_owned()).unwrap_err();
            assert!(said.contains("23:00-06:00"), "{said}");
        }
    }
}
