//! What a page of trends is asked for: the filters of its address.

use jiff::civil::Date;
use url::form_urlencoded::Serializer;

use super::super::archive::trends::Scope;
use super::super::fields::{Choice, Fields};
use crate::trend::{Period, Step};

/// Longest period, in days: two years.
const LONGEST: u32 = 731;
/// Longest period that is told by day where nothing is said of it.
const LONGEST_BY_DAY: u32 = 45;

const PERIODS: [(&str, &str); 6] = [
    ("4w", "近4周"),
    ("12w", "近12周"),
    ("1y", "近一年"),
    ("month", "本月"),
    ("last-month", "上月"),
    ("custom", "自选起止"),
];
const AGAINST: [(&str, &str); 4] = [
    ("before", "上一时段"),
    ("month", "上月同期"),
    ("year", "去年同期"),
    ("custom", "自选起止"),
];
const STEPS: [(&str, &str); 3] = [("", "自动"), ("day", "按日"), ("week", "按周")];

/// What is asked for.
pub(super) struct Asked {
    pub(super) scope: Scope,
    pub(super) period: Period,
    /// What it is compared with.
    pub(super) against: Period,
    pub(super) step: Step,
}

/// The choices of the form, as they were made.
pub(super) struct Form {
    pub(super) periods: Vec<Choice>,
    pub(super) from: Date,
    pub(super) to: Date,
    pub(super) against: Vec<Choice>,
    pub(super) against_from: Date,
    pub(super) against_to: Date,
    pub(super) steps: Vec<Choice>,
}

impl Asked {
    /// Reads the filters; periods that are said by their length end with the last day that has posts.
    pub(super) fn read(fields: &Fields, last: Date) -> Self {
        let chosen = custom(fields, "from", "to");
        let period = match fields.get("period") {
            "4w" => Period::until(last, 28),
            "1y" => Period::until(last, 364),
            "month" => month_to(last),
            "last-month" => month_to(last.first_of_month().yesterday().unwrap_or(last)),
            "custom" => chosen.unwrap_or_else(|| Period::until(last, 84)),
            _ => Period::until(last, 84),
        };
        let against = match fields.get("against") {
            "month" => period.month_before(),
            "year" => period.year_before(),
            "custom" => custom(fields, "against_from", "against_to").unwrap_or(period.before()),
            // Before a month there is a month, whatever its length.
            _ if matches!(fields.get("period"), "month" | "last-month") => period.month_before(),
            _ => period.before(),
        };
        let step = match fields.get("step") {
            "day" => Step::Day,
            "week" => Step::Week,
            _ if period.days() <= LONGEST_BY_DAY => Step::Day,
            _ => Step::Week,
        };
        Self {
            scope: scope(fields),
            period,
            against,
            step,
        }
    }

    /// The form as it was filled in.
    pub(super) fn form(&self, fields: &Fields) -> Form {
        let said = |name: &str, otherwise: &str| match fields.get(name) {
            "" => otherwise.to_owned(),
            said => said.to_owned(),
        };
        Form {
            periods: choices(&PERIODS, &said("period", "12w")),
            from: self.period.from,
            to: self.period.to,
            against: choices(&AGAINST, &said("against", "before")),
            against_from: self.against.from,
            against_to: self.against.to,
            steps: choices(&STEPS, fields.get("step")),
        }
    }
}

/// Which posts are asked for.
pub(super) fn scope(fields: &Fields) -> Scope {
    Scope {
        region: String::new(),
        subject: fields.get("subject").to_owned(),
        place: fields.get("place").to_owned(),
        source: fields.get("source").to_owned(),
    }
}

/// The address of a page with its filters, one of them as given.
pub(super) fn address(
    path: &str,
    fields: &Fields,
    names: &[&str],
    changed: (&str, &str),
) -> String {
    let mut query = Serializer::new(String::new());
    for name in names {
        let value = if *name == changed.0 {
            changed.1
        } else {
            fields.get(name)
        };
        if !value.is_empty() {
            query.append_pair(name, value);
        }
    }
    format!("{path}?{}", query.finish())
}

fn choices(all: &[(&str, &str)], chosen: &str) -> Vec<Choice> {
    all.iter()
        .map(|(value, title)| Choice::new(*value, *title, chosen))
        .collect()
}

/// The month of a day, up to it.
fn month_to(to: Date) -> Period {
    Period {
        from: to.first_of_month(),
        to,
    }
}

/// A period by its days, in whatever order; not longer than two years.
fn custom(fields: &Fields, from: &str, to: &str) -> Option<Period> {
    let one: Date = fields.get(from).parse().ok()?;
    let other: Date = fields.get(to).parse().ok()?;
    // Beyond, no calendar and no archive has anything.
    let known = |day: Date| (1971..=2100).contains(&day.year());
    (known(one) && known(other)).then(|| {
        let (from, to) = (one.min(other), one.max(other));
        let longest = Period::until(to, LONGEST);
        Period {
            from: from.max(longest.from),
            to,
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(query: &str) -> Asked {
        let last = "2026-11-17".parse().unwrap();
        Asked::read(&Fields::read(query.as_bytes()), last)
    }

    fn told(period: Period) -> String {
        format!("{} {}", period.from, period.to)
    }

    #[test]
    fn periods_and_what_they_are_compared_with() {
        for (query, period, against) in [
            ("", "2026-08-26 2026-11-17", "2026-06-03 2026-08-25"),
            (
                "period=month",
                "2026-11-01 2026-11-17",
                "2026-10-01 2026-10-17",
            ),
            (
                "period=last-month",
                "2026-10-01 2026-10-31",
                "2026-09-01 2026-09-30",
            ),
            (
                "period=last-month&against=year",
                "2026-10-01 2026-10-31",
                "2025-10-01 2025-10-31",
            ),
            (
                "period=custom&from=2026-05-09&to=2026-05-01&against=custom&against_from=2026-04-01&against_to=2026-04-30",
                "2026-05-01 2026-05-09",
                "2026-04-01 2026-04-30",
            ),
            // What cannot be read is not asked for.
            (
                "period=custom&from=0001-01-01&to=x",
                "2026-08-26 2026-11-17",
                "2026-06-03 2026-08-25",
            ),
            (
                "period=custom&from=1980-01-01&to=2026-11-17",
                "2024-11-17 2026-11-17",
                "2022-11-17 2024-11-16",
            ),
        ] {
            let asked = asked(query);
            assert_eq!(told(asked.period), period, "{query}");
            assert_eq!(told(asked.against), against, "{query}");
        }
    }

    #[test]
    fn long_periods_are_told_by_week() {
        assert_eq!(asked("period=4w").step, Step::Day);
        assert_eq!(asked("").step, Step::Week);
        assert_eq!(asked("step=day").step, Step::Day);
    }
}
