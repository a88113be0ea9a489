//! Lines and bars over time.

use super::scale::Scale;
use super::{
    BAND, Drawing, GRID, Hold, INK, SOFT_INK, Sample, TEXT, USUAL, WIDTH, colour, cut, dashes,
    filling, legend, short, shown, stroke, width,
};
use crate::{Chart, Series, Shape};

const PLOT: f64 = 240.0;
const SMALL: f64 = 13.0;
/// The name of a point is cut where it is wider.
const WIDEST_NAME: f64 = 140.0;

/// Where things stand.
struct Frame {
    left: f64,
    right: f64,
    top: f64,
    scale: Scale,
    points: usize,
}

impl Frame {
    /// The middle of a point's place.
    fn x(&self, point: usize) -> f64 {
        self.left + self.place() * (point as f64 + 0.5)
    }

    /// How wide the place of a point is.
    fn place(&self) -> f64 {
        (self.right - self.left) / self.points.max(1) as f64
    }

    fn y(&self, value: f64) -> f64 {
        self.top + PLOT * (1.0 - self.scale.part(value))
    }

    fn bottom(&self) -> f64 {
        self.top + PLOT
    }
}

/// The height of the drawing, and the drawing.
pub(super) fn draw(chart: &Chart, points: &[String]) -> (f64, Drawing) {
    let mut drawing = Drawing::default();
    let bounds = (chart.series.iter()).flat_map(|series| series.between.iter().flatten());
    let values = (chart.series.iter())
        .flat_map(|series| series.values.iter().flatten().copied())
        .chain(bounds.flat_map(|(low, high)| [*low, *high]));
    let scale = Scale::of(values);
    let axis = scale
        .lines()
        .map(|value| width(&shown(value), SMALL))
        .fold(0.0, f64::max);
    let entries = entries(chart);
    let taken = legend(&mut drawing, &entries, 8.0, 4.0);
    let unit = if chart.unit.is_empty() { 12.0 } else { 26.0 };
    // Room above for words at marks.
    let marks = if chart.marks.is_empty() { 0.0 } else { 12.0 };
    let frame = Frame {
        left: axis + 18.0,
        // The name of the last point has room.
        right: WIDTH - 10.0 - widest(points) / 2.0,
        top: taken + unit + marks + 8.0,
        scale,
        points: points.len(),
    };
    if !chart.unit.is_empty() {
        let words = format!("单位：{}", chart.unit);
        drawing.text(
            (8.0, frame.top - 10.0),
            Hold::Start,
            SMALL,
            SOFT_INK,
            &words,
        );
    }
    axes(&mut drawing, &frame, points);
    for series in &chart.series {
        band(&mut drawing, &frame, series);
    }
    bars(&mut drawing, &frame, chart);
    let mut lines = 0;
    for (at, series) in chart.series.iter().enumerate() {
        match series.shape {
            Shape::Bars => {}
            Shape::Dashes => path(&mut drawing, &frame, series, USUAL, None),
            Shape::Line => {
                path(
                    &mut drawing,
                    &frame,
                    series,
                    &stroke(at, dashes(lines)),
                    Some(at),
                );
                lines += 1;
            }
        }
    }
    mark(&mut drawing, &frame, chart);
    (frame.bottom() + 32.0, drawing)
}

fn entries(chart: &Chart) -> Vec<(Sample, String)> {
    let mut entries = Vec::new();
    let mut lines = 0;
    for (at, series) in chart.series.iter().enumerate() {
        let sample = match series.shape {
            Shape::Line => {
                lines += 1;
                Sample::Line {
                    series: at,
                    dashes: dashes(lines - 1),
                }
            }
            Shape::Dashes => Sample::Usual,
            Shape::Bars => Sample::Fill {
                fill: filling(chart, at),
                edge: colour(at),
            },
        };
        entries.push((sample, series.name.clone()));
        if series.between.iter().any(Option::is_some) {
            let band = Sample::Fill {
                fill: BAND.to_owned(),
                edge: BAND,
            };
            entries.push((band, format!("{}的范围", series.name)));
        }
    }
    entries
}

/// How wide the widest name of a point is.
fn widest(points: &[String]) -> f64 {
    (points.iter().map(|name| width(name, SMALL)))
        .fold(0.0, f64::max)
        .min(WIDEST_NAME)
}

fn axes(drawing: &mut Drawing, frame: &Frame, points: &[String]) {
    for value in frame.scale.lines() {
        let y = frame.y(value);
        let colour = if value == 0.0 { SOFT_INK } else { GRID };
        drawing.line(
            (frame.left, y),
            (frame.right, y),
            &format!("stroke=\"{colour}\" stroke-width=\"1\""),
        );
        drawing.text(
            (frame.left - 8.0, y + 4.5),
            Hold::End,
            SMALL,
            SOFT_INK,
            &shown(value),
        );
    }
    // As many names as there is room for, from the last one back: the newest is named.
    let every = ((widest(points) + 14.0) / frame.place()).ceil().max(1.0) as usize;
    for (at, name) in points.iter().enumerate() {
        let x = frame.x(at);
        let named = (points.len() - 1 - at).is_multiple_of(every);
        if named || points.len() <= 60 {
            let tick = if named { 6.0 } else { 3.0 };
            drawing.line(
                (x, frame.bottom()),
                (x, frame.bottom() + tick),
                "stroke=\"#999999\" stroke-width=\"1\"",
            );
        }
        if named {
            let name = cut(name, SMALL, WIDEST_NAME);
            let half = width(&name, SMALL) / 2.0;
            let x = x.clamp(half + 2.0, (WIDTH - half - 2.0).max(half + 2.0));
            drawing.text((x, frame.bottom() + 22.0), Hold::Middle, SMALL, INK, &name);
        }
    }
}

/// The runs of points that are known.
fn known<T: Copy>(values: &[Option<T>]) -> Vec<Vec<(usize, T)>> {
    let mut runs: Vec<Vec<(usize, T)>> = vec![Vec::new()];
    for (at, value) in values.iter().enumerate() {
        match (value, runs.last_mut()) {
            (Some(value), Some(run)) => run.push((at, *value)),
            (None, Some(run)) if !run.is_empty() => runs.push(Vec::new()),
            _ => {}
        }
    }
    runs.retain(|run| !run.is_empty());
    runs
}

fn band(drawing: &mut Drawing, frame: &Frame, series: &Series) {
    for run in known(&series.between) {
        let there = run
            .iter()
            .map(|(at, (_, high))| (frame.x(*at), frame.y(*high)));
        let back = run
            .iter()
            .rev()
            .map(|(at, (low, _))| (frame.x(*at), frame.y(*low)));
        let points: Vec<String> = there
            .chain(back)
            .map(|(x, y)| format!("{} {}", short(x), short(y)))
            .collect();
        drawing.raw(&format!(
            "<path d=\"M{}z\" fill=\"{BAND}\"/>",
            points.join("L")
        ));
    }
}

fn bars(drawing: &mut Drawing, frame: &Frame, chart: &Chart) {
    let all: Vec<(usize, &Series)> = (chart.series.iter().enumerate())
        .filter(|(_, series)| series.shape == Shape::Bars)
        .collect();
    let each = (frame.place() * 0.72 / all.len().max(1) as f64).min(44.0);
    let whole = each * all.len() as f64;
    for (beside, (at, series)) in all.iter().enumerate() {
        for (point, value) in series.values.iter().enumerate() {
            let Some(value) = value.filter(|value| value.is_finite()) else {
                continue;
            };
            let x = frame.x(point) - whole / 2.0 + each * beside as f64;
            let (zero, y) = (frame.y(0.0), frame.y(value));
            let gap = if each > 4.0 { 1.0 } else { 0.0 };
            drawing.bar(
                (x, y.min(zero)),
                (each - gap, (zero - y).abs()),
                &filling(chart, *at),
                colour(*at),
            );
        }
    }
}

fn path(
    drawing: &mut Drawing,
    frame: &Frame,
    series: &Series,
    stroke: &str,
    markers: Option<usize>,
) {
    let finite: Vec<Option<f64>> = (series.values.iter())
        .map(|value| value.filter(|value| value.is_finite()))
        .collect();
    for run in known(&finite) {
        let places: Vec<(f64, f64)> = (run.iter())
            .map(|(at, value)| (frame.x(*at), frame.y(*value)))
            .collect();
        let points: Vec<String> = (places.iter())
            .map(|(x, y)| format!("{} {}", short(*x), short(*y)))
            .collect();
        drawing.raw(&format!(
            "<path d=\"M{}\" fill=\"none\" {stroke}/>",
            points.join("L")
        ));
        // Markers of many points would be one thick line; a point by itself has no line.
        if let Some(at) = markers
            && (frame.points <= 40 || run.len() == 1)
        {
            for place in places {
                drawing.marker(place, at);
            }
        }
    }
}

fn mark(drawing: &mut Drawing, frame: &Frame, chart: &Chart) {
    /// How high a row of words is.
    const ROW: f64 = 18.0;
    // From, to and base line of the words that are there already.
    let mut taken: Vec<(f64, f64, f64)> = Vec::new();
    let mut above = Drawing::default();
    for mark in &chart.marks {
        let value = (chart.series.get(mark.series))
            .and_then(|series| series.values.get(mark.point).copied().flatten())
            .filter(|value| value.is_finite());
        let Some(value) = value else { continue };
        let (x, y) = (frame.x(mark.point), frame.y(value));
        let words = cut(&mark.words, SMALL, 240.0);
        let half = width(&words, SMALL) / 2.0 + 4.0;
        let middle = x.clamp(half + 2.0, WIDTH - half - 2.0);
        let (from, to) = (middle - half, middle + half);
        let mut base = y - 14.0;
        let meets = |base: f64, other: &(f64, f64, f64)| {
            from < other.1 && to > other.0 && (base - other.2).abs() < ROW
        };
        while taken.iter().any(|other| meets(base, other)) && base > ROW {
            base -= ROW;
        }
        taken.push((from, to, base));
        // Words stand over the lines that lead to others.
        drawing.line(
            (x, y - 6.0),
            (x, base + 4.0),
            "stroke=\"#1a1a1a\" stroke-width=\"1\"",
        );
        above.raw(&format!(
            "<circle cx=\"{}\" cy=\"{}\" r=\"6\" fill=\"none\" stroke=\"{INK}\" stroke-width=\"1.6\"/>",
            short(x),
            short(y),
        ));
        above.raw(&format!(
            "<rect x=\"{}\" y=\"{}\" width=\"{}\" height=\"{}\" fill=\"#ffffff\" fill-opacity=\"0.9\"/>",
            short(from),
            short(base - TEXT),
            short(to - from),
            short(ROW),
        ));
        above.text((middle, base), Hold::Middle, SMALL, INK, &words);
    }
    drawing.raw(&above.0);
}
