//! Templates of reports: Markdown with minijinja in it. Whatever a value holds comes out as plain text.
//!
//! Numbers are worded by filters (`{{ posts | thousands }}`, `{{ share | percent }}`), and lead to the query behind them
//! with `cite`: `{{ posts | thousands | cite(link) }}`. A value that is missing or `none` is an error that names the
//! line: a report with a gap in a sentence is never made.

use jiff::civil::{Date, DateTime, Time};
use minijinja::value::ValueKind;
use minijinja::{
    AutoEscape, Environment, Error, ErrorKind, Output, State, UndefinedBehavior, Value,
};
use serde::Serialize;

use crate::document::safe_link;
use crate::xml::is_written;
use crate::{ReportError, wording};

/// What values are escaped for.
const MARKDOWN: &str = "markdown";

/// Templates by their names.
#[derive(Debug)]
pub struct Templates {
    environment: Environment<'static>,
}

impl Templates {
    /// Reads templates, each with its name. They may include and extend each other by name.
    ///
    /// # Errors
    /// If one is no template.
    pub fn new<N, S>(templates: impl IntoIterator<Item = (N, S)>) -> Result<Self, ReportError>
    where
        N: Into<String>,
        S: Into<String>,
    {
        let mut environment = Environment::new();
        environment.set_undefined_behavior(UndefinedBehavior::Strict);
        environment.set_formatter(write_value);
        environment.set_auto_escape_callback(|_| AutoEscape::Custom(MARKDOWN.into()));
        // Nothing that a post says is Markdown, whatever a template wants.
        environment.remove_filter("safe");
        environment.remove_filter("tojson");
        environment.add_filter("thousands", thousands);
        environment.add_filter("percent", percent);
        environment.add_filter("signed", signed);
        environment.add_filter("day", |date: &str| read_date(date).map(wording::day));
        environment.add_filter("full_day", |date: &str| {
            read_date(date).map(wording::full_day)
        });
        environment.add_filter("clock", |time: &str| read_clock(time));
        environment.add_filter("chinese", wording::chinese);
        environment.add_filter("level", |level: u64| {
            wording::level(level).ok_or_else(|| wrong("levels go from 1 to 4".to_owned()))
        });
        environment.add_filter("list", list);
        environment.add_filter("cite", cite);
        environment.add_function("cite", cite);
        for (name, source) in templates {
            let name = name.into();
            environment
                .add_template_owned(name.clone(), source.into())
                .map_err(|problem| told(&name, &problem))?;
        }
        Ok(Self { environment })
    }

    /// The Markdown of a template with values.
    ///
    /// # Errors
    /// If the template asks for what is not there.
    pub fn render(&self, name: &str, values: impl Serialize) -> Result<String, ReportError> {
        self.environment
            .get_template(name)
            .and_then(|template| template.render(Value::from(minijinja::value::Serde(&values))))
            .map_err(|problem| told(name, &problem))
    }
}

fn told(template: &str, problem: &Error) -> ReportError {
    // What went wrong within an included template is told of that one.
    let mut inner = problem;
    while let Some(source) =
        std::error::Error::source(inner).and_then(|source| source.downcast_ref())
    {
        inner = source;
    }
    let kind = inner.kind();
    let remedy = match kind {
        ErrorKind::TemplateNotFound => "name a template that is there",
        ErrorKind::UndefinedError => {
            "name a value that the report has, or ask first: {% if value is defined %}"
        }
        ErrorKind::UnknownFilter | ErrorKind::UnknownFunction | ErrorKind::UnknownTest => {
            "use thousands, percent, signed, day, full_day, clock, chinese, level, list, cite, or what minijinja itself has"
        }
        ErrorKind::SyntaxError => "close each {{ with }} and each {% if %} with {% endif %}",
        _ => "mend the line",
    };
    let problem = match inner.detail() {
        Some(detail) if kind == ErrorKind::InvalidOperation => detail.to_owned(),
        Some(detail) => format!("{kind}: {detail}"),
        None => kind.to_string(),
    };
    ReportError::Template {
        template: inner.name().unwrap_or(template).to_owned(),
        line: inner.line().unwrap_or(1),
        problem,
        remedy: remedy.to_owned(),
    }
}

fn wrong(problem: String) -> Error {
    Error::new(ErrorKind::InvalidOperation, problem)
}

fn write_value(
    out: &mut Output<'_>,
    state: &mut State<'_, '_>,
    value: &Value,
) -> Result<(), Error> {
    if !matches!(state.auto_escape(), AutoEscape::Custom(_)) {
        return Err(wrong(
            "a report has no {% autoescape %}: what posts say stays text".to_owned(),
        ));
    }
    match value.kind() {
        ValueKind::Undefined => return Err(Error::from(ErrorKind::UndefinedError)),
        ValueKind::None => {
            return Err(wrong(
                "this value is none in this report: say with {% if … is not none %} what is written then"
                    .to_owned(),
            ));
        }
        ValueKind::Seq | ValueKind::Map | ValueKind::Iterable => {
            return Err(wrong(
                "this is more than one value: write `| list`, or go through it with {% for %}"
                    .to_owned(),
            ));
        }
        _ => {}
    }
    let text = value.to_string();
    let written = if value.is_safe() { text } else { escape(&text) };
    out.write_str(&written).map_err(Error::from)
}

/// Text that Markdown takes for itself: one line, and nothing in it marks anything.
pub fn escape(text: &str) -> String {
    let mut written = String::with_capacity(text.len() + text.len() / 8);
    // Whether all so far are digits, which a point would make the number of a list.
    let mut only_digits = true;
    let line = one_line(text);
    let mut letters = line.chars().peekable();
    while let Some(letter) = letters.next() {
        let next = letters.peek().copied();
        let ends_marker = next.is_none_or(|next| !next.is_ascii_digit());
        let marks = match letter {
            '\\' | '`' | '*' | '_' | '[' | ']' | '(' | ')' | '{' | '}' | '<' | '>' | '#' | '|'
            | '&' | '!' | '~' | '$' | '^' => true,
            '.' => only_digits && ends_marker,
            '-' | '+' | '=' | ':' => written.is_empty() && ends_marker,
            _ => false,
        };
        if marks {
            written.push('\\');
        }
        written.push(letter);
        only_digits &= letter.is_ascii_digit();
    }
    written
}

/// Text without line breaks, control characters, and those that turn the direction of what follows.
fn one_line(text: &str) -> String {
    let mut line = String::with_capacity(text.len());
    for letter in text.chars() {
        if letter.is_whitespace() {
            if !line.is_empty() && !line.ends_with(' ') {
                // The wide space of Chinese text is one of its letters.
                line.push(if letter == '\u{3000}' { letter } else { ' ' });
            }
        } else if is_written(letter) {
            line.push(letter);
        }
    }
    line.truncate(line.trim_end().len());
    line
}

fn float(value: &Value) -> Result<f64, Error> {
    f64::try_from(value.clone()).map_err(|_| wrong(format!("`{value}` is no number")))
}

fn digits(given: Option<u8>, usual: u8) -> Result<u8, Error> {
    match given.unwrap_or(usual) {
        digits @ 0..=9 => Ok(digits),
        digits => Err(wrong(format!(
            "{digits} digits after the point are too many"
        ))),
    }
}

fn thousands(value: &Value, after_point: Option<u8>) -> Result<String, Error> {
    Ok(wording::number(float(value)?, digits(after_point, 0)?))
}

fn percent(value: &Value, after_point: Option<u8>) -> Result<String, Error> {
    Ok(wording::percent(float(value)?, digits(after_point, 1)?))
}

fn signed(value: &Value, after_point: Option<u8>) -> Result<String, Error> {
    Ok(wording::signed(float(value)?, digits(after_point, 0)?))
}

/// The date as written: an instant in another time zone would name another day.
fn read_date(text: &str) -> Result<Date, Error> {
    (text.parse::<Date>()).map_err(|_| wrong(format!("`{text}` is no date such as 2026-11-03")))
}

fn read_clock(text: &str) -> Result<String, Error> {
    let time = (text.parse::<DateTime>().map(DateTime::time))
        .or_else(|_| text.parse::<Time>())
        .map_err(|_| wrong(format!("`{text}` is no time such as 2026-11-03T08:30")))?;
    Ok(format!("{:02}:{:02}", time.hour(), time.minute()))
}

/// `甲、乙、丙`, each as plain text.
fn list(values: &Value, between: Option<&str>) -> Result<Value, Error> {
    let mut written = String::new();
    for value in values.try_iter()? {
        if !written.is_empty() {
            written.push_str(&escape(between.unwrap_or("、")));
        }
        let text = value.to_string();
        written.push_str(&if value.is_safe() { text } else { escape(&text) });
    }
    Ok(Value::from_safe_string(written))
}

/// A link; where a report may not lead, its text alone.
fn cite(text: &Value, link: &str) -> Result<Value, Error> {
    if text.is_undefined() || text.is_none() {
        return Err(wrong(
            "there is nothing to cite: the value is missing".to_owned(),
        ));
    }
    let shown = text.to_string();
    let shown = if text.is_safe() {
        shown
    } else {
        escape(&shown)
    };
    let Some(link) = safe_link(link) else {
        return Ok(Value::from_safe_string(shown));
    };
    let mut written = format!("[{shown}](<");
    for letter in link.chars() {
        match letter {
            '<' => written.push_str("%3C"),
            '>' => written.push_str("%3E"),
            // What could be read as an entity.
            '&' if link.contains(';') => written.push_str("\\&"),
            letter if letter.is_whitespace() => written.push_str("%20"),
            letter => written.push(letter),
        }
    }
    written.push_str(">)");
    Ok(Value::from_safe_string(written))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rendered(template: &str) -> Result<String, String> {
        let values = serde_json::json!({
            "posts": 12345, "share": 0.1234, "change": 12.0, "none": null, "title": "**甲** 1. 乙",
            "names": ["甲*", "乙"], "from": "2026-11-03", "at": "2026-11-03T08:05:00+08:00",
            "zulu": "2026-11-03T20:05:00Z", "link": "/search?q=(a)&b=<c>;", "bad": "javascript:alert(1)",
        });
        Templates::new([("weekly", template)])
            .and_then(|templates| templates.render("weekly", values))
            .map_err(|problem| problem.to_string())
    }

    #[test]
    fn numbers_days_and_lists_are_worded() {
        for (template, expected) in [
            ("{{ posts | thousands }}", "12,345"),
            ("{{ share | thousands(2) }}", "0.12"),
            (
                "{{ share | percent }}，{{ share | percent(0) }}",
                "12.3%，12%",
            ),
            (
                "{{ change | signed }}，{{ -3 | signed }}，{{ 0 | signed }}",
                "+12，-3，0",
            ),
            (
                "{{ from | day }}，{{ at | full_day }}，{{ at | clock }}",
                "11月3日，2026年11月3日，08:05",
            ),
            ("{{ 12 | chinese }}，{{ 1 | level }}", "十二，Ⅰ"),
            (
                "{{ names | list }}，{{ names | list('和') }}",
                "甲\\*、乙，甲\\*和乙",
            ),
            ("{{ title }}", "\\*\\*甲\\*\\* 1. 乙"),
            (
                "{% set kept %}{{ title }}{% endset %}{{ kept }}",
                "\\*\\*甲\\*\\* 1. 乙",
            ),
            (
                "{{ posts | cite(link) }}",
                "[12345](</search?q=(a)\\&b=%3Cc%3E;>)",
            ),
            ("{{ cite(posts | thousands, '/a') }}", "[12,345](</a>)"),
            ("{{ title | cite(bad) }}", "\\*\\*甲\\*\\* 1. 乙"),
        ] {
            assert_eq!(rendered(template).unwrap(), expected, "{template}");
        }
    }

    #[test]
    fn what_is_wrong_is_told_with_template_line_and_remedy() {
        for (template, line, about) in [
            ("甲\n{{ nothing }}", 2, "{% if value is defined %}"),
            ("甲\n\n{{ none }}", 3, "{% if … is not none %}"),
            ("{{ posts | thousand }}", 1, "use thousands, percent"),
            ("甲\n{% if posts %}", 2, "{% endif %}"),
            ("{{ names }}", 1, "`| list`"),
            ("{{ title | percent }}", 1, "is no number"),
            ("{{ title | day }}", 1, "is no date such as 2026-11-03"),
            ("{{ zulu | day }}", 1, "is no date such as 2026-11-03"),
            ("{{ 5 | level }}", 1, "levels go from 1 to 4"),
            ("{{ title | safe }}", 1, "use thousands, percent"),
            (
                "{% autoescape false %}{{ title }}{% endautoescape %}",
                1,
                "a report has no {% autoescape %}",
            ),
            ("{% include 'other' %}", 1, "name a template that is there"),
        ] {
            let told = rendered(template).unwrap_err();
            assert!(
                told.starts_with(&format!("template `weekly`, line {line}: ")),
                "{told}"
            );
            assert!(told.contains(about), "{template}: {told}");
        }
    }

    #[test]
    fn templates_include_each_other_and_an_error_names_the_one_it_is_in() {
        let templates = Templates::new([
            ("weekly", "甲\n{% include 'common' %}"),
            ("common", "乙{{ title }}"),
        ])
        .unwrap();
        let values = serde_json::json!({ "title": "*" });
        assert_eq!(templates.render("weekly", values).unwrap(), "甲\n乙\\*");
        let told = templates
            .render("weekly", serde_json::json!({}))
            .unwrap_err();
        assert!(
            told.to_string().starts_with("template `common`, line 1: "),
            "{told}"
        );
    }

    #[test]
    fn only_what_marks_something_is_escaped() {
        for (text, expected) in [
            ("12.5%", "12.5%"),
            ("1. 甲", "1\\. 甲"),
            ("12", "12"),
            ("3.", "3\\."),
            ("-3", "-3"),
            ("- 甲", "\\- 甲"),
            ("+12", "+12"),
            ("a.b-c", "a.b-c"),
            ("  甲\n\n乙\t丙  ", "甲 乙 丙"),
            ("", ""),
        ] {
            assert_eq!(escape(text), expected);
        }
    }
}
