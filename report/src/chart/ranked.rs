//! Bars from top to bottom.

use super::scale::Scale;
use super::{
    Drawing, Hold, INK, SOFT_INK, Sample, TEXT, WIDTH, colour, cut, filling, legend, shown, width,
};
use crate::Chart;

const BAR: f64 = 18.0;
const SMALL: f64 = 13.0;

/// The height of the drawing, and the drawing.
pub(super) fn draw(chart: &Chart, items: &[String]) -> (f64, Drawing) {
    let mut drawing = Drawing::default();
    let mut top = 6.0;
    if chart.series.len() > 1 {
        let entries: Vec<(Sample, String)> = (chart.series.iter().enumerate())
            .map(|(at, series)| {
                let sample = Sample::Fill {
                    fill: filling(chart, at),
                    edge: colour(at),
                };
                (sample, series.name.clone())
            })
            .collect();
        top += legend(&mut drawing, &entries, 8.0, 2.0);
    }
    if !chart.unit.is_empty() {
        top += 18.0;
        let words = format!("单位：{}", chart.unit);
        drawing.text((8.0, top - 4.0), Hold::Start, SMALL, SOFT_INK, &words);
    }
    let values = || {
        chart
            .series
            .iter()
            .flat_map(|series| series.values.iter().flatten().copied())
    };
    let scale = Scale::of(values());
    let names = items
        .iter()
        .map(|name| width(name, TEXT))
        .fold(0.0, f64::max)
        .min(230.0);
    let room = values()
        .map(|value| width(&shown(value), SMALL))
        .fold(0.0, f64::max)
        + 10.0;
    let left = names + 18.0 + if scale.low < 0.0 { room } else { 0.0 };
    let right = WIDTH - room - 6.0;
    let x = |value: f64| left + (right - left) * scale.part(value);
    let row = BAR * chart.series.len().max(1) as f64 + 12.0;
    let bottom = top + row * items.len() as f64;
    // Each bar has its value beside it: no lines but that of zero.
    drawing.line(
        (x(0.0), top),
        (x(0.0), bottom),
        &format!("stroke=\"{SOFT_INK}\" stroke-width=\"1\""),
    );
    for (at, name) in items.iter().enumerate() {
        let upper = top + row * at as f64 + 6.0;
        let middle = upper + (row - 12.0) / 2.0 + 5.0;
        drawing.text(
            (names + 8.0, middle),
            Hold::End,
            TEXT,
            INK,
            &cut(name, TEXT, 230.0),
        );
        for (beside, series) in chart.series.iter().enumerate() {
            let y = upper + BAR * beside as f64;
            let value = series.values.get(at).copied().flatten();
            let Some(value) = value.filter(|value| value.is_finite()) else {
                drawing.text((x(0.0) + 6.0, y + 14.0), Hold::Start, SMALL, SOFT_INK, "—");
                continue;
            };
            let (zero, end) = (x(0.0), x(value));
            drawing.bar(
                (zero.min(end), y + 1.0),
                ((end - zero).abs(), BAR - 3.0),
                &filling(chart, beside),
                colour(beside),
            );
            let (place, hold) = if value < 0.0 {
                (end - 6.0, Hold::End)
            } else {
                (end + 6.0, Hold::Start)
            };
            drawing.text((place, y + 14.0), hold, SMALL, INK, &shown(value));
        }
    }
    (bottom + 8.0, drawing)
}
