//! Charts: what `assets/charts.js` draws, and the table of the same numbers for those who see no chart. Pages place one
//! with the macro `chart` of `macros.html`, and load what draws it with `chart_head`.

use serde::Serialize;

/// A chart over time.
#[derive(Debug, Clone, Serialize)]
pub(super) struct Chart {
    #[serde(skip)]
    pub(super) title: String,
    /// What it shows, in words; may be empty.
    #[serde(skip)]
    pub(super) words: String,
    unit: &'static str,
    /// Digits after the point.
    digits: usize,
    /// Whether the upright axis begins at nothing.
    zero: bool,
    ticks: Vec<String>,
    names: Vec<String>,
    pub(super) series: Vec<Series>,
    marks: Vec<Mark>,
}

/// One of its lines, or its bars.
#[derive(Debug, Clone, Serialize)]
pub(super) struct Series {
    pub(super) name: String,
    /// A colour of the stylesheet, without its two hyphens: `blue-2`.
    colour: &'static str,
    shape: &'static str,
    /// A value for each point; none where there is nothing to tell.
    values: Vec<Option<f64>>,
    /// Bounds of the values; empty where they have none.
    low: Vec<Option<f64>>,
    high: Vec<Option<f64>>,
}

/// Where something happened.
#[derive(Debug, Clone, Serialize)]
struct Mark {
    /// The number of its point, from 0; between two points where it has a half.
    at: f64,
    name: String,
}

/// A row of the table.
pub(super) struct Row {
    pub(super) name: String,
    pub(super) cells: Vec<String>,
}

impl Series {
    /// A line.
    pub(super) fn line(
        name: impl Into<String>,
        colour: &'static str,
        values: impl IntoIterator<Item = Option<f64>>,
    ) -> Self {
        Self {
            name: name.into(),
            colour,
            shape: "line",
            values: values.into_iter().map(short).collect(),
            low: Vec::new(),
            high: Vec::new(),
        }
    }

    /// A broken line: what is usual, expected or of another time.
    pub(super) fn dashes(
        name: impl Into<String>,
        colour: &'static str,
        values: impl IntoIterator<Item = Option<f64>>,
    ) -> Self {
        Self {
            shape: "dashes",
            ..Self::line(name, colour, values)
        }
    }

    /// Bars.
    pub(super) fn bars(
        name: impl Into<String>,
        colour: &'static str,
        values: impl IntoIterator<Item = Option<f64>>,
    ) -> Self {
        Self {
            shape: "bars",
            ..Self::line(name, colour, values)
        }
    }

    /// With a band between the bounds of each value.
    pub(super) fn between(self, bounds: impl IntoIterator<Item = Option<(f64, f64)>>) -> Self {
        let (low, high) = (bounds.into_iter())
            .map(|bounds| (short(bounds.map(|it| it.0)), short(bounds.map(|it| it.1))))
            .unzip();
        Self { low, high, ..self }
    }
}

impl Chart {
    /// A chart of values in a unit, at points each with a short name for the axis and a full one.
    pub(super) fn new(
        title: impl Into<String>,
        unit: &'static str,
        points: impl IntoIterator<Item = (String, String)>,
    ) -> Self {
        let (ticks, names) = points.into_iter().unzip();
        Self {
            title: title.into(),
            words: String::new(),
            unit,
            digits: 0,
            zero: true,
            ticks,
            names,
            series: Vec::new(),
            marks: Vec::new(),
        }
    }

    /// With words for what it shows.
    pub(super) fn words(self, words: impl Into<String>) -> Self {
        Self {
            words: words.into(),
            ..self
        }
    }

    /// With so many digits after the point.
    pub(super) fn digits(self, digits: usize) -> Self {
        Self { digits, ..self }
    }

    /// For values of which nothing is not the least, such as scores.
    pub(super) fn around(self) -> Self {
        Self {
            zero: false,
            ..self
        }
    }

    /// With one more series, over those before.
    pub(super) fn with(mut self, series: Series) -> Self {
        self.series.push(series);
        self
    }

    /// With a word where something happened, at the number of a point.
    pub(super) fn mark(mut self, at: f64, name: impl Into<String>) -> Self {
        let name = name.into();
        self.marks.push(Mark { at, name });
        self
    }

    /// What the script draws it from.
    pub(super) fn json(&self) -> String {
        serde_json::to_string(self).unwrap_or_default()
    }

    /// The unit as the head of a column says it; empty where there is none.
    pub(super) fn unit(&self) -> &str {
        self.unit
    }

    /// The table of the same numbers.
    pub(super) fn rows(&self) -> Vec<Row> {
        let digits = self.digits;
        let cell = |series: &Series, at: usize| {
            let of = |values: &[Option<f64>]| values.get(at).copied().flatten();
            let Some(value) = of(&series.values) else {
                return "—".to_owned();
            };
            match (of(&series.low), of(&series.high)) {
                (Some(low), Some(high)) => {
                    format!("{value:.digits$}（{low:.digits$}–{high:.digits$}）")
                }
                _ => format!("{value:.digits$}"),
            }
        };
        (self.names.iter().enumerate())
            .map(|(at, name)| Row {
                name: name.clone(),
                cells: (self.series.iter())
                    .map(|series| cell(series, at))
                    .collect(),
            })
            .collect()
    }
}

/// Without digits that nobody sees, which the page would carry.
fn short(value: Option<f64>) -> Option<f64> {
    let value = (value? * 10_000.0).round() / 10_000.0;
    value.is_finite().then_some(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_says_what_the_script_draws() {
        let points = [("18日", "11月18日"), ("19日", "11月19日")];
        let points = points.map(|(short, full)| (short.to_owned(), full.to_owned()));
        let share = [Some(12.345_678), None];
        let chart = Chart::new("负面占比", "%", points)
            .digits(1)
            .with(Series::line("负面", "negative", share).between([Some((10.0, f64::NAN)), None]))
            .with(Series::dashes("往常", "dim", share).between([Some((10.0, 15.0)), None]))
            .mark(0.5, "施行");
        let rows = chart.rows();
        assert_eq!(rows[0].name, "11月18日");
        assert_eq!(rows[0].cells, ["12.3", "12.3（10.0–15.0）"]);
        assert_eq!(rows[1].cells, ["—", "—"]);
        let json: serde_json::Value = serde_json::from_str(&chart.json()).unwrap();
        assert_eq!(json["ticks"], serde_json::json!(["18日", "19日"]));
        assert_eq!(
            json["series"][0]["values"],
            serde_json::json!([12.3457, null])
        );
        assert_eq!(json["marks"][0]["at"], 0.5);
    }
}
