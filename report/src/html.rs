//! One page for browsers, whole in itself: no script, nothing from elsewhere.

use askama::Template;

use crate::xml::is_written;
use crate::{Block, Chart, Column, Document, Form, ReportError};

#[derive(Template)]
#[template(path = "report.html")]
struct Page<'a> {
    document: &'a Document,
    style: &'static str,
    date: String,
}

impl Page<'_> {
    /// The column that names a row: the first of words.
    fn names_rows(&self, columns: &[Column]) -> usize {
        (columns.iter().position(|column| !column.number)).unwrap_or(usize::MAX)
    }

    fn drawing(&self, chart: &Chart) -> String {
        crate::chart::svg(chart)
    }
}

/// The page.
///
/// # Errors
/// If the template fails.
pub(crate) fn write(document: &Document) -> Result<Vec<u8>, ReportError> {
    let page = Page {
        document,
        style: include_str!("../assets/report.css"),
        date: crate::wording::full_day(document.date),
    };
    let written = page.render().map_err(|problem| Form::Html.fault(problem))?;
    // What is no letter is no HTML, however it is written.
    let kept = |letter: &char| is_written(*letter) || *letter == '\n';
    Ok(written
        .chars()
        .filter(kept)
        .collect::<String>()
        .into_bytes())
}
