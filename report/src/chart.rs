//! Charts as SVG: one drawing for all forms, the same for the same chart.
//!
//! It is written by hand: a plotting library brings its own fonts' measures and far more than two kinds of charts. Series
//! differ in dashes, markers and patterns as well as in colours, so that they are told apart in grey print and by
//! those who do not see colours; the colours are those of Okabe and Ito.

mod over;
mod ranked;
mod scale;

use std::fmt::Write;

use resvg::tiny_skia::{Pixmap, Transform};
use resvg::usvg::{Options, Tree};

use crate::fonts::Use;
use crate::xml::escape;
use crate::{Chart, ChartKind, Fonts, Form, ReportError};

/// How wide each chart is, in its own units; what a form makes of that is its own matter.
pub const WIDTH: f64 = 720.0;

const INK: &str = "#1a1a1a";
const SOFT_INK: &str = "#555555";
const GRID: &str = "#dddddd";
const BAND: &str = "#d9e6f0";
const COLOURS: [&str; 6] = [
    "#0072b2", "#d55e00", "#009e73", "#7a4f9a", "#b8860b", "#333333",
];
const DASHES: [&str; 6] = ["", "9 4", "3 3", "12 3 3 3", "6 2", "1 3"];
const TEXT: f64 = 14.0;

/// The chart as SVG, whole in itself.
pub fn svg(chart: &Chart) -> String {
    let (height, drawing) = match &chart.kind {
        ChartKind::Over { points } => over::draw(chart, points),
        ChartKind::Ranked { items } => ranked::draw(chart, items),
    };
    let mut svg = Drawing::default();
    svg.raw(&format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {} {}\" width=\"{}\" height=\"{}\" role=\"img\" aria-label=\"{}\" \
         font-family=\"'SimHei', '黑体', 'Noto Sans CJK SC', 'Source Han Sans SC', 'Microsoft YaHei', 'PingFang SC', sans-serif\" font-size=\"{}\">",
        short(WIDTH), short(height), short(WIDTH), short(height), escape(&chart.title), short(TEXT),
    ));
    svg.raw(&format!("<title>{}</title>", escape(&chart.title)));
    svg.raw(&format!("<desc>{}</desc>", escape(&chart.words)));
    svg.raw(&patterns(chart));
    svg.raw(&format!(
        "<rect width=\"{}\" height=\"{}\" fill=\"#ffffff\"/>",
        short(WIDTH),
        short(height)
    ));
    svg.raw(&drawing.0);
    svg.raw("</svg>");
    svg.0
}

/// The chart as PNG, twice as fine as its own units, with its width and height in those units.
///
/// # Errors
/// If there is no font, or the drawing is too large.
pub fn png(chart: &Chart, fonts: &Fonts) -> Result<(Vec<u8>, f64, f64), ReportError> {
    let family = fonts.family(Use::Strong)?;
    let options = Options {
        font_family: family.to_owned(),
        fontdb: fonts.database(),
        ..Options::default()
    };
    let fault = |problem: String| Form::Docx.fault(problem);
    let tree = Tree::from_str(&svg_in(chart, family), &options)
        .map_err(|problem| fault(problem.to_string()))?;
    let size = tree.size();
    let fine = size.to_int_size().scale_by(2.0);
    let fine = fine.ok_or_else(|| fault("a chart has no size".to_owned()))?;
    let mut picture = Pixmap::new(fine.width(), fine.height())
        .ok_or_else(|| fault("a chart is too large".to_owned()))?;
    resvg::render(
        &tree,
        Transform::from_scale(2.0, 2.0),
        &mut picture.as_mut(),
    );
    let bytes = picture
        .encode_png()
        .map_err(|problem| fault(problem.to_string()))?;
    Ok((bytes, f64::from(size.width()), f64::from(size.height())))
}

/// The chart as SVG in one font, for those that do not look for another.
pub(crate) fn svg_in(chart: &Chart, family: &str) -> String {
    let svg = svg(chart);
    let Some((head, rest)) = svg.split_once("font-family=\"") else {
        return svg;
    };
    let rest = rest.split_once('"').map_or(rest, |(_, rest)| rest);
    format!("{head}font-family=\"{}\"{rest}", escape(family))
}

/// Fillings that differ without colour.
fn patterns(chart: &Chart) -> String {
    let mut written = String::from("<defs>");
    let stripes = [
        "",
        "<path d=\"M-2 2l4 -4M0 8l8 -8M6 10l4 -4\" stroke=\"#ffffff\" stroke-width=\"2.4\"/>",
        "<path d=\"M0 2h8M0 6h8\" stroke=\"#ffffff\" stroke-width=\"1.6\"/>",
        "<path d=\"M2 2h.01M6 6h.01\" stroke=\"#ffffff\" stroke-width=\"2.8\" stroke-linecap=\"round\"/>",
        "<path d=\"M2 0v8M6 0v8\" stroke=\"#ffffff\" stroke-width=\"1.6\"/>",
        "<path d=\"M0 0l8 8M8 0l-8 8\" stroke=\"#ffffff\" stroke-width=\"1.2\"/>",
    ];
    for (at, (colour, stripes)) in COLOURS
        .iter()
        .zip(stripes)
        .enumerate()
        .take(chart.series.len())
    {
        written.push_str(&format!(
            "<pattern id=\"{}-{at}\" width=\"8\" height=\"8\" patternUnits=\"userSpaceOnUse\"><rect width=\"8\" height=\"8\" fill=\"{colour}\"/>{stripes}</pattern>",
            identifier(chart),
        ));
    }
    written.push_str("</defs>");
    written
}

/// The name of the chart, as far as it can be a part of an identifier.
fn identifier(chart: &Chart) -> String {
    let name: String = (chart.name.chars())
        .filter(|letter| letter.is_ascii_alphanumeric() || matches!(letter, '-' | '_'))
        .collect();
    format!("fill-{name}")
}

fn filling(chart: &Chart, series: usize) -> String {
    // The first is plain: the tiles of a pattern show their seams in print.
    if series.is_multiple_of(COLOURS.len()) {
        return colour(series).to_owned();
    }
    format!("url(#{}-{})", identifier(chart), series % COLOURS.len())
}

fn colour(series: usize) -> &'static str {
    COLOURS.get(series % COLOURS.len()).copied().unwrap_or(INK)
}

/// What is drawn so far.
#[derive(Debug, Default)]
struct Drawing(String);

/// Where a text is held.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Hold {
    Start,
    Middle,
    End,
}

impl Drawing {
    fn raw(&mut self, svg: &str) {
        self.0.push_str(svg);
    }

    /// A line with its stroke.
    fn line(&mut self, from: (f64, f64), to: (f64, f64), stroke: &str) {
        self.raw(&format!(
            "<path d=\"M{} {}L{} {}\" fill=\"none\" {stroke}/>",
            short(from.0),
            short(from.1),
            short(to.0),
            short(to.1),
        ));
    }

    /// A bar; nothing where it has no size.
    fn bar(&mut self, corner: (f64, f64), size: (f64, f64), fill: &str, edge: &str) {
        let [width, height] = [size.0, size.1].map(|length| short(length.max(0.0)));
        if width == "0" || height == "0" {
            return;
        }
        self.raw(&format!(
            "<rect x=\"{}\" y=\"{}\" width=\"{width}\" height=\"{height}\" fill=\"{fill}\" stroke=\"{edge}\" stroke-width=\"1\"/>",
            short(corner.0), short(corner.1),
        ));
    }

    /// A text on its base line.
    fn text(&mut self, at: (f64, f64), hold: Hold, size: f64, fill: &str, text: &str) {
        let anchor = match hold {
            Hold::Start => "start",
            Hold::Middle => "middle",
            Hold::End => "end",
        };
        self.raw(&format!(
            "<text x=\"{}\" y=\"{}\" text-anchor=\"{anchor}\" font-size=\"{}\" fill=\"{fill}\">{}</text>",
            short(at.0), short(at.1), short(size), escape(text),
        ));
    }

    /// The marker of a series.
    fn marker(&mut self, at: (f64, f64), series: usize) {
        let (x, y) = at;
        let colour = colour(series);
        let shape = match series % 4 {
            0 => format!("<circle cx=\"{}\" cy=\"{}\" r=\"3.2\"", short(x), short(y)),
            1 => format!(
                "<rect x=\"{}\" y=\"{}\" width=\"6.4\" height=\"6.4\"",
                short(x - 3.2),
                short(y - 3.2)
            ),
            2 => format!("<path d=\"M{} {}l4 7h-8z\"", short(x), short(y - 4.2)),
            _ => format!(
                "<path d=\"M{} {}l4.2 4.2l-4.2 4.2l-4.2 -4.2z\"",
                short(x),
                short(y - 4.2)
            ),
        };
        self.raw(&format!(
            "{shape} fill=\"{colour}\" stroke=\"#ffffff\" stroke-width=\"1\"/>"
        ));
    }
}

/// A length without needless digits.
fn short(length: f64) -> String {
    let mut written = String::new();
    if write!(written, "{length:.2}").is_err() || !length.is_finite() {
        return "0".to_owned();
    }
    let kept = written.trim_end_matches('0').trim_end_matches('.');
    if kept == "-0" {
        "0".to_owned()
    } else {
        kept.to_owned()
    }
}

/// About how wide a text is.
fn width(text: &str, size: f64) -> f64 {
    text.chars()
        .map(|letter| if letter.is_ascii() { 0.56 } else { 1.0 })
        .sum::<f64>()
        * size
}

/// A text cut to a width, with a mark that it was.
fn cut(text: &str, size: f64, widest: f64) -> String {
    if width(text, size) <= widest {
        return text.to_owned();
    }
    let mut kept = String::new();
    for letter in text.chars() {
        kept.push(letter);
        if width(&kept, size) > widest - size {
            kept.pop();
            break;
        }
    }
    kept.push('…');
    kept
}

/// A value as it stands in a chart.
fn shown(value: f64) -> String {
    let hundredths = (value * 100.0).round();
    let digits = if (hundredths / 100.0).fract() == 0.0 {
        0
    } else if (hundredths / 10.0).fract() == 0.0 {
        1
    } else {
        2
    };
    crate::wording::number(value, digits)
}

/// The legend: rows of samples and names. Gives the height it takes.
fn legend(drawing: &mut Drawing, entries: &[(Sample, String)], left: f64, top: f64) -> f64 {
    const ROW: f64 = 22.0;
    const SAMPLE: f64 = 30.0;
    let (mut x, mut y) = (left, top);
    for (sample, name) in entries {
        let name = cut(name, TEXT, 260.0);
        let taken = SAMPLE + 6.0 + width(&name, TEXT) + 22.0;
        if x > left && x + taken > WIDTH {
            x = left;
            y += ROW;
        }
        let middle = y + ROW / 2.0;
        match sample {
            Sample::Line { series, dashes } => {
                drawing.line((x, middle), (x + SAMPLE, middle), &stroke(*series, dashes));
                drawing.marker((x + SAMPLE / 2.0, middle), *series);
            }
            Sample::Usual => drawing.line((x, middle), (x + SAMPLE, middle), USUAL),
            Sample::Fill { fill, edge } => {
                drawing.bar((x + 4.0, middle - 6.0), (SAMPLE - 8.0, 12.0), fill, edge);
            }
        }
        drawing.text(
            (x + SAMPLE + 6.0, middle + 5.0),
            Hold::Start,
            TEXT,
            INK,
            &name,
        );
        x += taken;
    }
    if entries.is_empty() {
        0.0
    } else {
        y + ROW - top
    }
}

/// How the dashed line of what is usual is drawn.
const USUAL: &str = "stroke=\"#555555\" stroke-width=\"1.8\" stroke-dasharray=\"6 4\"";

/// A sample in a legend.
enum Sample {
    Line { series: usize, dashes: &'static str },
    Usual,
    Fill { fill: String, edge: &'static str },
}

fn stroke(series: usize, dashes: &str) -> String {
    let dashes = if dashes.is_empty() {
        String::new()
    } else {
        format!(" stroke-dasharray=\"{dashes}\"")
    };
    format!(
        "stroke=\"{}\" stroke-width=\"2.2\" stroke-linejoin=\"round\"{dashes}",
        colour(series)
    )
}

fn dashes(line: usize) -> &'static str {
    DASHES.get(line % DASHES.len()).copied().unwrap_or_default()
}
