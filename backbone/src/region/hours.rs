//! Hours of the day in which someone works.

use std::fmt;
use std::str::FromStr;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Minutes of a day.
const DAY: u32 = 24 * 60;

/// Spans of the day, such as `08:30-12:00,14:30-17:30`: in order, apart from each other, at least one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(try_from = "String", into = "String")]
#[schemars(with = "String")]
pub struct Hours(Vec<(u32, u32)>);

impl Hours {
    /// The whole day.
    #[must_use]
    pub fn all_day() -> Self {
        Self(vec![(0, DAY)])
    }

    /// The usual hours of an office in southern China: 08:30-12:00 and 14:30-17:30.
    #[must_use]
    pub fn usual() -> Self {
        Self(vec![(8 * 60 + 30, 12 * 60), (14 * 60 + 30, 17 * 60 + 30)])
    }

    /// The spans, each from a minute of the day until another, which it does not hold.
    #[must_use]
    pub fn spans(&self) -> &[(u32, u32)] {
        &self.0
    }

    /// Whether a minute of the day is in one of them.
    #[must_use]
    pub fn holds(&self, minute: u32) -> bool {
        self.0
            .iter()
            .any(|(begin, end)| (*begin..*end).contains(&minute))
    }
}

impl FromStr for Hours {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = |why: &str| {
            format!("`{text}` is no hours of a day: {why}; write such as 08:30-12:00,14:30-17:30")
        };
        let mut spans: Vec<(u32, u32)> = Vec::new();
        for span in text.split(',') {
            let (begin, end) = (span.split_once('-'))
                .and_then(|(begin, end)| Some((minute(begin)?, minute(end)?)))
                .ok_or_else(|| wrong("it needs spans of two times"))?;
            if begin >= end {
                return Err(wrong("a span ends before it begins"));
            }
            if spans.last().is_some_and(|(_, before)| *before > begin) {
                return Err(wrong("its spans are not in order, or overlap"));
            }
            spans.push((begin, end));
        }
        Ok(Self(spans))
    }
}

impl TryFrom<String> for Hours {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        text.parse()
    }
}

impl From<Hours> for String {
    fn from(hours: Hours) -> Self {
        hours.to_string()
    }
}

impl fmt::Display for Hours {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, (begin, end)) in self.0.iter().enumerate() {
            if index > 0 {
                f.write_str(",")?;
            }
            let (from, until) = (begin / 60, end / 60);
            write!(f, "{from:02}:{:02}-{until:02}:{:02}", begin % 60, end % 60)?;
        }
        Ok(())
    }
}

fn minute(time: &str) -> Option<u32> {
    let (hour, minute) = time.trim().split_once(':')?;
    let digits = |part: &str| part.len() == 2 && part.bytes().all(|byte| byte.is_ascii_digit());
    if !digits(hour) || !digits(minute) {
        return None;
    }
    let (hour, minute): (u32, u32) = (hour.parse().ok()?, minute.parse().ok()?);
    let of_day = hour * 60 + minute;
    (minute < 60 && of_day <= DAY).then_some(of_day)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hours_are_written_as_they_are_read() {
        for text in ["08:30-12:00,14:30-17:30", "00:00-24:00"] {
            assert_eq!(text.parse::<Hours>().unwrap().to_string(), text);
        }
        assert_eq!("00:00-24:00".parse(), Ok(Hours::all_day()));
        assert_eq!("08:30-12:00, 14:30-17:30".parse(), Ok(Hours::usual()));
    }

    #[test]
    fn hours_that_are_none_are_refused_with_the_reason() {
        for (text, why) in [
            ("", "two times"),
            ("8:30-12:00", "two times"),
            ("08:30", "two times"),
            ("08:30-24:01", "two times"),
            ("08:61-12:00", "two times"),
            ("17:30-08:30", "ends before it begins"),
            ("14:30-17:30,08:30-12:00", "not in order"),
            ("08:30-12:00,11:00-17:30", "overlap"),
        ] {
            let said = text.parse::<Hours>().unwrap_err();
            assert!(said.contains(why), "{said}");
        }
    }
}
