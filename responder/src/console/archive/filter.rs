//! What is asked for: the filters of a page's address, with the times that its words stand for.

use clickhouse::query::Query;
use jiff::civil::Date;
use jiff::{Span, Timestamp};

use crate::clock::CHINA;
use crate::console::fields::Fields;

/// Longest text to look for, in characters; what is longer is cut.
pub(in crate::console) const LONGEST_TEXT: usize = 200;

/// The appeals of those who wait for an answer, as one value of the filter.
pub(crate) const ASKING: &str = "咨询、投诉、求助";

/// Which posts or events are asked for.
#[derive(Debug, Default, Clone)]
pub(crate) struct Filter {
    pub(crate) text: String,
    pub(crate) sentiment: String,
    pub(crate) subject: String,
    /// One or several, put together by `、`.
    pub(crate) appeal: String,
    pub(crate) place: String,
    /// Code of a unit responsible.
    pub(crate) unit: String,
    pub(crate) source: String,
    /// Kind of the source.
    pub(crate) kind: String,
    /// Of events: the gravest level they reached. Of posts: that of their event.
    pub(crate) level: u8,
    /// Published at this time or later, in milliseconds.
    pub(crate) from: Option<i64>,
    /// Published before this time, in milliseconds.
    pub(crate) to: Option<i64>,
    /// Posts that do not concern the region too.
    pub(crate) all: bool,
    pub(crate) offset: u32,
    pub(crate) limit: u32,
}

impl Filter {
    /// Reads the filters of a page's address.
    pub(in crate::console) fn read(fields: &Fields, limit: u32, now: Timestamp) -> Self {
        let of = |name: &str| fields.get(name).to_owned();
        let (from, to) = times(fields, now);
        Self {
            text: fields.get("text").chars().take(LONGEST_TEXT).collect(),
            sentiment: of("sentiment"),
            subject: of("subject"),
            appeal: of("appeal"),
            place: of("place"),
            unit: of("unit"),
            source: of("source"),
            kind: of("kind"),
            level: fields.get("level").parse().unwrap_or(0),
            from,
            to,
            all: fields.get("all") == "1",
            offset: (fields.page() - 1).saturating_mul(limit),
            limit,
        }
    }

    /// Whether nothing is looked for, from the first on.
    pub(in crate::console) fn is_plain(&self) -> bool {
        let words = [&self.text, &self.subject, &self.place];
        words.iter().all(|word| word.is_empty()) && self.level == 0 && self.offset == 0
    }

    pub(super) fn put(&self, query: Query) -> Query {
        query
            .param("text", &self.text)
            .param("sentiment", &self.sentiment)
            .param("subject", &self.subject)
            .param("appeal", &self.appeal)
            .param("place", &self.place)
            .param("unit", &self.unit)
            .param("source", &self.source)
            .param("kind", &self.kind)
            .param("level", self.level)
            .param("from", self.from.unwrap_or(i64::MIN))
            .param("to", self.to.unwrap_or(i64::MAX))
            .param("all", u8::from(self.all))
            .param("offset", self.offset)
            .param("limit", self.limit)
    }
}

/// A time that ends today.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::console) struct Recent {
    /// Its name in addresses.
    pub(in crate::console) name: &'static str,
    /// Its name for people.
    pub(in crate::console) title: &'static str,
    /// How many whole days it has, today being one.
    days: i64,
}

/// The times that a search may choose from.
pub(in crate::console) const RECENT: [Recent; 4] = [
    recent("today", "今天", 1),
    recent("7", "近7天", 7),
    recent("30", "近30天", 30),
    recent("365", "近一年", 365),
];

const fn recent(name: &'static str, title: &'static str, days: i64) -> Recent {
    Recent { name, title, days }
}

/// The first and the last day of a search, where they are days of which an archive may have something.
pub(in crate::console) fn days(fields: &Fields) -> (Option<Date>, Option<Date>) {
    let known = |day: &Date| (1971..=2100).contains(&day.year());
    let day = |name: &str| fields.get(name).parse().ok().filter(known);
    (day("from"), day("to"))
}

/// From when, and until when, in milliseconds. A time that ends today and days of one's own are both kept to.
fn times(fields: &Fields, now: Timestamp) -> (Option<i64>, Option<i64>) {
    let (first, last) = days(fields);
    let today = CHINA.to_datetime(now).date();
    let chosen = RECENT
        .iter()
        .find(|recent| recent.name == fields.get("span"))
        .and_then(|recent| day_after(today, 1 - recent.days));
    let from = [first, chosen].into_iter().flatten().max();
    let to = last.and_then(|last| day_after(last, 1));
    (from.and_then(begins), to.and_then(begins))
}

fn day_after(day: Date, days: i64) -> Option<Date> {
    let span = Span::new().try_days(days).ok()?;
    day.checked_add(span).ok()
}

/// When a day begins in China.
fn begins(day: Date) -> Option<i64> {
    let midnight = CHINA.to_timestamp(day.at(0, 0, 0, 0)).ok()?;
    Some(midnight.as_millisecond())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_whole_days_of_china() {
        // Already the 24th in China.
        let now: Timestamp = "2026-11-23T17:00:00Z".parse().unwrap();
        let at = |time: &str| Some(time.parse::<Timestamp>().unwrap().as_millisecond());
        let midnight = |day: &str| at(&format!("{day}T00:00:00+08:00"));
        for (address, from, to) in [
            ("", None, None),
            ("span=today", midnight("2026-11-24"), None),
            ("span=7", midnight("2026-11-18"), None),
            ("from=2026-11-20&span=30", midnight("2026-11-20"), None),
            ("from=2026-01-01&span=7", midnight("2026-11-18"), None),
            (
                "from=2026-11-01&to=2026-11-01",
                midnight("2026-11-01"),
                midnight("2026-11-02"),
            ),
            ("from=yesterday&to=2026-02-30&span=9", None, None),
            ("from=9999-12-31&to=9999-12-31", None, None),
        ] {
            let filter = Filter::read(&Fields::read(address.as_bytes()), 30, now);
            assert_eq!((filter.from, filter.to), (from, to), "{address}");
        }
    }
}
