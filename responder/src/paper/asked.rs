//! What the kinds of reports have to be told: a row for each, from which a form is drawn and a [`Wanted`] is made.

use jiff::ToSpan;
use jiff::civil::Date;
use serde_json::{Map, Value};

use super::PaperError;
use crate::report::{Kind, LONGEST, Wanted};
use crate::trend::Period;

/// Most characters of a field.
pub const LONGEST_FIELD: usize = 200;

/// How often a report comes, and so which days it is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Every {
    /// A day.
    Day,
    /// A week, from Monday to Sunday.
    Week,
    /// A month.
    Month,
}

impl Every {
    /// The one that ended last before a day.
    #[must_use]
    pub fn ended_before(self, day: Date) -> Period {
        let back = |days: i64| day.saturating_sub(days.days());
        match self {
            Self::Day => Period::until(back(1), 1),
            Self::Week => {
                let since_monday = i64::from(day.weekday().to_monday_zero_offset());
                Period::until(back(since_monday + 1), 7)
            }
            Self::Month => {
                let to = day.first_of_month().saturating_sub(1.day());
                Period {
                    from: to.first_of_month(),
                    to,
                }
            }
        }
    }
}

/// A field of a form.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Field {
    /// Its name, in forms and in what is asked for.
    pub name: &'static str,
    /// Its label.
    pub label: &'static str,
    /// What it takes.
    pub takes: Takes,
    /// Whether it may be left empty.
    pub optional: bool,
}

/// What a field takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Takes {
    /// Text.
    Text,
    /// A day.
    Day,
    /// A whole number, 1 or more.
    Number,
}

/// What a kind has to be told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Needs {
    /// How often it comes, where it is about days that end of themselves.
    pub every: Option<Every>,
    /// Its fields.
    pub fields: &'static [Field],
}

const fn field(name: &'static str, label: &'static str, takes: Takes) -> Field {
    Field {
        name,
        label,
        takes,
        optional: false,
    }
}

const fn optional(name: &'static str, label: &'static str, takes: Takes) -> Field {
    Field {
        optional: true,
        ..field(name, label, takes)
    }
}

const DAYS: &[Field] = &[
    field("from", "起始日", Takes::Day),
    field("to", "截止日", Takes::Day),
];
const DAY: &[Field] = &[field("to", "日期", Takes::Day)];
const EVENT: &[Field] = &[
    field("event", "事件编号（事件页地址的末段）", Takes::Text),
    field("to", "截至", Takes::Day),
];
const POLICY: &[Field] = &[
    field("name", "政策名称", Takes::Text),
    field("day", "实施日", Takes::Day),
    field("days", "前后各比较几天", Takes::Number),
    optional("subject", "事项（可不填）", Takes::Text),
    optional("place", "地点（可不填）", Takes::Text),
    optional("words", "帖文中的词语（可不填）", Takes::Text),
];

/// What a kind has to be told.
#[must_use]
pub const fn needs(kind: Kind) -> Needs {
    let (every, fields) = match kind {
        Kind::Daily => (Some(Every::Day), DAY),
        Kind::Weekly => (Some(Every::Week), DAYS),
        Kind::Scorecard | Kind::Faq | Kind::Demand => (Some(Every::Month), DAYS),
        Kind::Event => (None, EVENT),
        Kind::Policy => (None, POLICY),
    };
    Needs { every, fields }
}

/// The report of a kind about the days that ended last before a day; none of a kind that does not come again and again.
#[must_use]
pub fn ended(kind: Kind, day: Date) -> Option<Wanted> {
    let period = needs(kind).every?.ended_before(day);
    let get = |name: &str| match name {
        "from" => period.from.to_string(),
        "to" => period.to.to_string(),
        _ => String::new(),
    };
    wanted(kind, get).ok()
}

/// What is asked for by the fields of a form.
///
/// # Errors
/// Names the field at fault.
pub fn wanted(kind: Kind, get: impl Fn(&str) -> String) -> Result<Wanted, PaperError> {
    let mut object = Map::new();
    object.insert("kind".to_owned(), Value::from(kind.name()));
    for field in needs(kind).fields {
        let typed = get(field.name);
        let typed = typed.trim();
        let value = match field.takes {
            _ if typed.is_empty() && field.optional => continue,
            _ if typed.chars().count() > LONGEST_FIELD => {
                return Err(PaperError::TooLong(field.label, LONGEST_FIELD));
            }
            Takes::Text if !typed.is_empty() => Some(Value::from(typed)),
            Takes::Text => None,
            Takes::Day => typed.parse().ok().map(|day: Date| day.to_string().into()),
            Takes::Number => (typed.parse::<u32>().ok())
                .filter(|number| *number > 0)
                .map(Value::from),
        };
        let value = value.ok_or(PaperError::Missing(field.label))?;
        object.insert(field.name.to_owned(), value);
    }
    // A report of one day is of the days from that day to that day.
    if needs(kind).every == Some(Every::Day)
        && let Some(day) = object.get("to").cloned()
    {
        object.insert("from".to_owned(), day);
    }
    let wanted: Wanted = serde_json::from_value(Value::Object(object))
        .map_err(|_| PaperError::Missing("各项内容"))?;
    let period = wanted.period();
    if period.from > period.to {
        return Err(PaperError::Wording("起始日不能晚于截止日".to_owned()));
    }
    if period.days() > LONGEST {
        let problem = format!("一份报告至多{LONGEST}天，请缩短起止日期");
        return Err(PaperError::Wording(problem));
    }
    Ok(wanted)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn days(every: Every, day: &str) -> String {
        let Period { from, to } = every.ended_before(day.parse().unwrap());
        format!("{from} {to}")
    }

    #[test]
    fn the_days_that_ended_last() {
        // A Monday: the week that ended the day before.
        assert_eq!(days(Every::Week, "2026-11-23"), "2026-11-16 2026-11-22");
        assert_eq!(days(Every::Week, "2026-11-22"), "2026-11-09 2026-11-15");
        assert_eq!(days(Every::Day, "2027-01-01"), "2026-12-31 2026-12-31");
        assert_eq!(days(Every::Month, "2028-03-01"), "2028-02-01 2028-02-29");
        assert_eq!(days(Every::Month, "2028-03-31"), "2028-02-01 2028-02-29");
    }

    #[test]
    fn every_kind_can_be_asked_for_by_its_form() {
        for kind in Kind::ALL {
            let filled = |name: &str| match name {
                "from" | "to" | "day" => "2026-11-20".to_owned(),
                "days" => "84".to_owned(),
                _ => "路灯".to_owned(),
            };
            assert_eq!(
                wanted(kind, filled).map(|wanted| wanted.kind()).ok(),
                Some(kind)
            );
            let day = "2026-11-26".parse().unwrap();
            assert_eq!(ended(kind, day).is_some(), needs(kind).every.is_some());
        }
    }

    #[test]
    fn a_form_that_lacks_something_is_told_which_field() {
        let of = |from: &'static str, to: &'static str| {
            wanted(Kind::Weekly, move |name| {
                (if name == "from" { from } else { to }).to_owned()
            })
        };
        assert!(of("2026-11-16", "2026-11-22").is_ok());
        for (from, to, told) in [
            ("", "2026-11-22", "起始日"),
            ("2026-11-16", "22", "截止日"),
            ("2026-11-23", "2026-11-22", "不能晚于"),
            ("2020-11-23", "2026-11-22", "至多"),
        ] {
            let problem = of(from, to).unwrap_err().to_string();
            assert!(problem.contains(told), "{problem}");
        }
    }
}
