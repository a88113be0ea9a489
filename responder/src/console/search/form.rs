//! The form of a search, and the conditions chosen in words.

use backbone::message::{APPEALS, SourceKind};
use backbone::region::SUBJECTS;

use super::super::Console;
use super::super::archive::{ASKING, LONGEST_TEXT, RECENT, days};
use super::super::fields::{Choice, Fields};
use super::super::show;

/// The filters of a search with their titles: what an address may hold, in this order.
pub(super) const FILTERS: [(&str, &str); 13] = [
    ("text", "文字"),
    ("span", "时间"),
    ("from", "从"),
    ("to", "到"),
    ("subject", "事项"),
    ("sentiment", "情感"),
    ("place", "地点"),
    ("appeal", "诉求"),
    ("unit", "责任单位"),
    ("level", "事件级别"),
    ("source", "来源"),
    ("kind", "来源类型"),
    ("all", ""),
];

/// Filters that the form shows only when asked to, or when one is chosen.
const MORE: [&str; 8] = [
    "from", "to", "appeal", "unit", "level", "source", "kind", "all",
];
/// Places that are offered to be typed.
const MOST_PLACES: usize = 200;

pub(super) const SENTIMENTS: [&str; 3] = ["negative", "neutral", "positive"];
const KINDS: [SourceKind; 4] = [
    SourceKind::Board,
    SourceKind::Feed,
    SourceKind::Import,
    SourceKind::Official,
];

/// Those fields of an address that filter.
pub(super) fn filters(fields: &Fields) -> Fields {
    fields.only(&FILTERS.map(|(name, _)| name))
}

/// A condition that is chosen, and the address without it.
pub(super) struct Chip {
    /// Condition and value: `事项：城乡建设`.
    pub(super) title: String,
    pub(super) without: String,
}

/// The conditions chosen.
pub(super) fn chips(console: &Console, asked: &Fields) -> Vec<Chip> {
    FILTERS
        .iter()
        .map(|(name, title)| (name, title, asked.get(name)))
        .filter(|(_, _, value)| !value.is_empty())
        .map(|(name, title, value)| {
            let value = title_of(console, name, value);
            Chip {
                title: if title.is_empty() {
                    value
                } else {
                    format!("{title}：{value}")
                },
                without: address(&asked.without(name)),
            }
        })
        .collect()
}

/// The address of a search.
pub(super) fn address(asked: &Fields) -> String {
    let query = asked.query();
    if query.is_empty() {
        "/posts".to_owned()
    } else {
        format!("/posts?{query}")
    }
}

/// A filter's value for people.
pub(super) fn title_of(console: &Console, name: &str, value: &str) -> String {
    match name {
        "sentiment" => show::sentiment(value).to_owned(),
        "kind" => show::kind(value).to_owned(),
        "level" => level_title(value.parse().unwrap_or(0)),
        "unit" => {
            let named = console
                .regions
                .values()
                .find_map(|region| region.unit(value));
            named.map_or(value, |unit| unit.name.as_str()).to_owned()
        }
        "span" => {
            let known = RECENT.iter().find(|recent| recent.name == value);
            known.map_or(value, |recent| recent.title).to_owned()
        }
        "all" => "含与本地无关的".to_owned(),
        _ => value.to_owned(),
    }
}

fn level_title(number: u8) -> String {
    let level = show::level(number);
    format!("{} {}", level.numeral, level.word)
        .trim_end()
        .to_owned()
}

/// The form with what is chosen.
pub(super) struct Form {
    pub(super) text: String,
    pub(super) longest_text: usize,
    pub(super) place: String,
    pub(super) places: Vec<String>,
    pub(super) spans: Vec<Choice>,
    /// The first and the last day; empty where none is chosen.
    pub(super) from: String,
    pub(super) to: String,
    pub(super) subjects: Vec<Choice>,
    pub(super) sentiments: Vec<Choice>,
    pub(super) appeals: Vec<Choice>,
    pub(super) levels: Vec<Choice>,
    pub(super) units: Vec<Choice>,
    pub(super) sources: Vec<Choice>,
    pub(super) kinds: Vec<Choice>,
    pub(super) all: bool,
    /// Whether one of the filters is chosen that are shown only when asked to.
    pub(super) more: bool,
}

impl Form {
    pub(super) fn new(console: &Console, asked: &Fields, mut sources: Vec<String>) -> Self {
        let of = |name| asked.get(name);
        let (first, last) = days(asked);
        let day = |day: Option<jiff::civil::Date>| day.map(|day| day.to_string());
        let source = of("source");
        // One that was silent lately is kept.
        if !source.is_empty() && !sources.iter().any(|known| known == source) {
            sources.push(source.to_owned());
        }
        let regions = || console.regions.values();
        let units = regions().flat_map(|region| &region.units);
        let places = regions().flat_map(|region| &region.gazetteer.place);
        Self {
            text: of("text").chars().take(LONGEST_TEXT).collect(),
            longest_text: LONGEST_TEXT,
            place: of("place").to_owned(),
            places: places
                .take(MOST_PLACES)
                .map(|place| place.name.clone())
                .collect(),
            spans: (RECENT.iter())
                .map(|recent| Choice::new(recent.name, recent.title, of("span")))
                .collect(),
            from: day(first).unwrap_or_default(),
            to: day(last).unwrap_or_default(),
            subjects: Choice::plain(SUBJECTS, of("subject")),
            sentiments: (SENTIMENTS.into_iter())
                .map(|label| Choice::new(label, show::sentiment(label), of("sentiment")))
                .collect(),
            appeals: Choice::plain(APPEALS.into_iter().chain([ASKING]), of("appeal")),
            levels: (1..=4_u8)
                .map(|level| Choice::new(level.to_string(), level_title(level), of("level")))
                .collect(),
            units: units
                .map(|unit| Choice::new(unit.code.clone(), unit.name.clone(), of("unit")))
                .collect(),
            sources: Choice::plain(sources, source),
            kinds: (KINDS.into_iter())
                .map(|kind| Choice::new(kind.name(), show::kind(kind.name()), of("kind")))
                .collect(),
            all: of("all") == "1",
            more: MORE.iter().any(|name| !of(name).is_empty()),
        }
    }
}
