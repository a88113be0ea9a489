//! The model: a report as a document, whatever form it is written in.

use jiff::civil::Date;
use serde::{Deserialize, Serialize};

/// A report, ready to be written in any [`Form`](crate::Form).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Document {
    /// The title, centred above all.
    pub title: String,
    /// What stands below the title, such as the period and the region; may be empty.
    pub subtitle: String,
    /// The red head of an official paper, where the office wants one.
    pub head: Option<Head>,
    /// Who signs it, at the end.
    pub issuer: String,
    /// The date of signing. Files carry it as the time they were made, so that the same document gives the same bytes.
    pub date: Date,
    /// What it says, in order.
    pub blocks: Vec<Block>,
}

/// The red head: whose paper it is, and its number.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Head {
    /// The office, such as `某某县人民政府办公室文件`.
    pub office: String,
    /// The number of the paper, such as `某府办〔2026〕3号`; may be empty.
    pub number: String,
}

/// A part of a document.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Block {
    /// A heading. The wording brings its own number: 一、 （一） 1.
    Heading {
        /// From 1 to 3.
        level: u8,
        /// Its text.
        text: Vec<Run>,
    },
    /// A paragraph.
    Paragraph(Vec<Run>),
    /// A list; each item is a paragraph.
    List(Vec<Vec<Run>>),
    /// What somebody said, set off from the report's own words.
    Quote(Vec<Run>),
    /// A table.
    Table(Table),
    /// A chart.
    Chart(Chart),
}

/// Text of one look.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Run {
    /// The text.
    pub text: String,
    /// Whether it is bold.
    #[serde(default)]
    pub bold: bool,
    /// Where it leads: `http`, `https` or an address within the site. Any other is written as text alone.
    #[serde(default)]
    pub link: Option<String>,
}

impl Run {
    /// Plain text.
    pub fn plain(text: impl Into<String>) -> Self {
        Self {
            text: text.into(),
            ..Self::default()
        }
    }

    /// Where it may lead.
    pub fn leads(&self) -> Option<&str> {
        self.link.as_deref().and_then(safe_link)
    }
}

/// A table.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Table {
    /// The name of its file, its sheet and in the template, such as `subjects`: ASCII letters, digits, `-` and `_`.
    pub name: String,
    /// The title above it.
    pub title: String,
    /// Its columns.
    pub columns: Vec<Column>,
    /// Its rows, a cell for each column.
    pub rows: Vec<Vec<Cell>>,
}

/// A column of a table.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Column {
    /// Its head, with the unit where it has one.
    pub name: String,
    /// Whether it holds numbers, which stand on the right.
    #[serde(default)]
    pub number: bool,
}

/// A cell of a table.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Cell {
    /// What it holds.
    pub value: Value,
    /// Where it leads, such as to the query behind a number.
    #[serde(default)]
    pub link: Option<String>,
}

impl Cell {
    /// Where it may lead.
    pub fn leads(&self) -> Option<&str> {
        self.link.as_deref().and_then(safe_link)
    }
}

impl From<Value> for Cell {
    fn from(value: Value) -> Self {
        Self { value, link: None }
    }
}

/// What a cell holds.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Value {
    /// Nothing to say: shown as `—`.
    Empty,
    /// Text.
    Text(String),
    /// A number, shown as `12,345` or `3.14`.
    Number {
        /// The number.
        value: f64,
        /// Digits after the point.
        digits: u8,
    },
    /// A share, shown as `12.3%`.
    Percent {
        /// The share of one: 0.123 is 12.3%.
        value: f64,
        /// Digits after the point of the percentage.
        digits: u8,
    },
    /// A change, shown with its sign: `+12`, `-3`, `0`.
    Signed {
        /// The change.
        value: f64,
        /// Digits after the point.
        digits: u8,
    },
}

/// A chart. It is drawn once, by [`crate::chart`], and looks the same in every form.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Chart {
    /// Its name in the template, such as `volume`.
    pub name: String,
    /// The title below it.
    pub title: String,
    /// What it shows, for those who do not see it.
    pub words: String,
    /// The unit of its values, such as `件`; may be empty.
    pub unit: String,
    /// What its values are set against.
    pub kind: ChartKind,
    /// What is drawn, in order; the items of a ranking come ranked.
    pub series: Vec<Series>,
    /// Points that the report speaks of.
    #[serde(default)]
    pub marks: Vec<Mark>,
}

/// What the values of a chart are set against.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ChartKind {
    /// Time runs from left to right.
    Over {
        /// What each point is called, such as `11月3日`.
        points: Vec<String>,
    },
    /// Bars from top to bottom, one for each item and series.
    Ranked {
        /// What each item is called.
        items: Vec<String>,
    },
}

impl ChartKind {
    /// The names of what values are set against.
    pub fn names(&self) -> &[String] {
        match self {
            Self::Over { points } => points,
            Self::Ranked { items } => items,
        }
    }
}

/// Values of one kind in a chart.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Series {
    /// What it is called in the legend.
    pub name: String,
    /// How it is drawn. In a ranking all are bars.
    pub shape: Shape,
    /// A value for each point; none where it is not known, which leaves a gap.
    pub values: Vec<Option<f64>>,
    /// The bounds for each point, drawn as a band behind; empty where there are none.
    #[serde(default)]
    pub between: Vec<Option<(f64, f64)>>,
}

/// How a series is drawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Shape {
    /// A line.
    Line,
    /// A dashed line, such as of what is usual.
    Dashes,
    /// Bars.
    Bars,
}

/// A point of a chart that the report speaks of.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Mark {
    /// Which series, from 0.
    pub series: usize,
    /// Which point, from 0.
    pub point: usize,
    /// A few words beside it.
    pub words: String,
}

/// What a template may place in a report: `![](table:subjects)`, `![](chart:volume)`.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Figures {
    /// The tables.
    pub tables: Vec<Table>,
    /// The charts.
    pub charts: Vec<Chart>,
}

impl Document {
    /// Its tables, in order.
    pub fn tables(&self) -> impl Iterator<Item = &Table> {
        self.blocks.iter().filter_map(|block| match block {
            Block::Table(table) => Some(table),
            _ => None,
        })
    }

    /// Its tables, each once, with a name for a file or a sheet that no other of them has.
    pub(crate) fn named_tables(&self) -> Vec<(String, &Table)> {
        // A sheet's name takes 31 letters; some are left for what tells it from others.
        const LONGEST: usize = 27;
        let mut named: Vec<(String, &Table)> = Vec::new();
        for table in self.tables() {
            if named.iter().any(|(_, other)| *other == table) {
                continue;
            }
            let kept =
                |letter: &char| letter.is_ascii_alphanumeric() || matches!(letter, '-' | '_');
            let name: String = table.name.chars().filter(kept).take(LONGEST).collect();
            let name = if name.is_empty() {
                "table".to_owned()
            } else {
                name
            };
            let taken = |name: &String| {
                named
                    .iter()
                    .any(|(other, _)| other.to_lowercase() == name.to_lowercase())
            };
            let again = (2..).map(|time| format!("{name}-{time}"));
            let unused = std::iter::once(name.clone())
                .chain(again)
                .find(|name| !taken(name));
            named.extend(unused.map(|name| (name, table)));
        }
        named
    }

    /// Its charts, in order.
    pub fn charts(&self) -> impl Iterator<Item = &Chart> {
        self.blocks.iter().filter_map(|block| match block {
            Block::Chart(chart) => Some(chart),
            _ => None,
        })
    }
}

impl Value {
    /// As people read it.
    pub fn shown(&self) -> String {
        match self {
            Self::Empty => "—".to_owned(),
            Self::Text(text) => text.clone(),
            Self::Number { value, digits } => crate::wording::number(*value, *digits),
            Self::Percent { value, digits } => crate::wording::percent(*value, *digits),
            Self::Signed { value, digits } => crate::wording::signed(*value, *digits),
        }
    }
}

/// The address, where a report may lead there: `http`, `https` or within the site.
pub(crate) fn safe_link(link: &str) -> Option<&str> {
    // A workbook takes no more.
    const LONGEST: usize = 2_000;
    let link = link.trim();
    if link.chars().count() > LONGEST {
        return None;
    }
    // Browsers read over control characters and take a backslash for a slash.
    if link.is_empty() || link.contains(|letter: char| letter.is_control() || letter == '\\') {
        return None;
    }
    let before_path = link.split(['/', '?', '#']).next().unwrap_or_default();
    match before_path.split_once(':') {
        Some((scheme, _)) => ["http", "https"]
            .iter()
            .any(|known| scheme.eq_ignore_ascii_case(known))
            .then_some(link),
        // `//host` would be another site by the scheme of this one.
        None => (!link.starts_with("//")).then_some(link),
    }
}

/// The address, where a file by itself may lead there: an address within the site leads nowhere from one.
pub(crate) fn whole_link(link: &str) -> Option<&str> {
    safe_link(link).filter(|link| {
        let scheme = link.split_once("://").map(|(scheme, _)| scheme);
        scheme.is_some_and(|scheme| scheme.chars().all(|letter| letter.is_ascii_alphabetic()))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_read_as_an_official_writes_them() {
        let shown = |value: Value| value.shown();
        assert_eq!(shown(Value::Empty), "—");
        let number = |value, digits| Value::Number { value, digits }.shown();
        assert_eq!(number(1_234_567.0, 0), "1,234,567");
        assert_eq!(number(-1_234.56, 1), "-1,234.6");
        assert_eq!(number(999.0, 0), "999");
        assert_eq!(number(-0.001, 1), "0.0");
        assert_eq!(number(f64::NAN, 1), "—");
        let percent = |value, digits| Value::Percent { value, digits }.shown();
        assert_eq!(percent(0.1234, 1), "12.3%");
        assert_eq!(percent(12.5, 0), "1,250%");
        let signed = |value, digits| Value::Signed { value, digits }.shown();
        assert_eq!(signed(12.0, 0), "+12");
        assert_eq!(signed(-3.0, 0), "-3");
        assert_eq!(signed(0.0, 0), "0");
        assert_eq!(signed(0.04, 1), "0.0");
    }

    #[test]
    fn a_link_leads_to_the_web_or_within_the_site() {
        for good in [
            "http://a.example/b",
            "HTTPS://a.example",
            "/search?q=a:b",
            "cases/3",
            "#part",
        ] {
            assert_eq!(safe_link(good), Some(good));
        }
        for bad in [
            "javascript:alert(1)",
            "JaVaScRiPt:alert(1)",
            "java\nscript:alert(1)",
            "data:text/html,a",
            "file:///etc/passwd",
            "//elsewhere.example",
            "/\\elsewhere.example",
            "",
        ] {
            assert_eq!(safe_link(bad), None, "{bad}");
        }
    }

    #[test]
    fn a_document_is_the_same_after_a_journey_as_json() {
        let document = Document {
            title: "周报".to_owned(),
            subtitle: String::new(),
            head: None,
            issuer: "某县".to_owned(),
            date: jiff::civil::date(2026, 11, 9),
            blocks: vec![
                Block::Paragraph(vec![Run::plain("文")]),
                Block::Chart(Chart {
                    name: "volume".to_owned(),
                    title: "量".to_owned(),
                    words: "平稳".to_owned(),
                    unit: "件".to_owned(),
                    kind: ChartKind::Over {
                        points: vec!["11月3日".to_owned()],
                    },
                    series: vec![Series {
                        name: "本周".to_owned(),
                        shape: Shape::Line,
                        values: vec![Some(0.1)],
                        between: vec![Some((0.0, 1.0))],
                    }],
                    marks: vec![],
                }),
            ],
        };
        let json = serde_json::to_string(&document).unwrap();
        assert_eq!(serde_json::from_str::<Document>(&json).unwrap(), document);
    }
}
