//! The tables as CSV: UTF-8 with the mark by which Excel and WPS tell it, and no cell becomes a formula.

use crate::{Document, Form, ReportError, Value};

/// The files: the name of each table and its bytes.
///
/// # Errors
/// If the library that writes them fails.
pub(crate) fn write(document: &Document) -> Result<Vec<(String, Vec<u8>)>, ReportError> {
    (document.named_tables().into_iter())
        .map(|(name, table)| {
            let mut writer = csv::WriterBuilder::new()
                .terminator(csv::Terminator::CRLF)
                .flexible(true)
                .from_writer("\u{feff}".as_bytes().to_vec());
            let fault = |problem: csv::Error| Form::Csv.fault(problem);
            let head = table.columns.iter().map(|column| no_formula(&column.name));
            writer.write_record(head).map_err(fault)?;
            for row in &table.rows {
                let cells = row.iter().map(|cell| value(&cell.value));
                writer.write_record(cells).map_err(fault)?;
            }
            let bytes = writer
                .into_inner()
                .map_err(|problem| Form::Csv.fault(problem.error()))?;
            Ok((name, bytes))
        })
        .collect()
}

/// A number without thousands, so that a spreadsheet takes it for one.
fn value(value: &Value) -> String {
    match value {
        Value::Empty => String::new(),
        Value::Text(text) => no_formula(text),
        Value::Number { value, digits } | Value::Signed { value, digits } if value.is_finite() => {
            format!("{value:.*}", usize::from(*digits))
        }
        Value::Percent { value, digits } if value.is_finite() => {
            format!("{:.*}%", usize::from(*digits), value * 100.0)
        }
        _ => String::new(),
    }
}

/// A text that a spreadsheet would take for a formula begins with an apostrophe, as its users write it.
fn no_formula(text: &str) -> String {
    const BEGINNINGS: [char; 11] = ['=', '+', '-', '@', '\t', '\r', '\n', '＝', '＋', '－', '＠'];
    let text = plain(text);
    if text.starts_with(BEGINNINGS) {
        format!("'{text}")
    } else {
        text
    }
}

/// A text without the control characters that no spreadsheet shows, no longer than a cell may be.
pub(crate) fn plain(text: &str) -> String {
    const LONGEST_CELL: usize = 32_000;
    (text.chars())
        .filter(|letter| *letter == '\n' || *letter == '\t' || !letter.is_control())
        .take(LONGEST_CELL)
        .collect()
}
