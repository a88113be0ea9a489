//! Tables with a header line, CSV or TSV, read row by row.

use std::fs::File;
use std::path::Path;

use anyhow::{Context, anyhow, bail};
use csv::{ReaderBuilder, StringRecord};

/// A row, its fields by the names of their columns.
pub(super) struct Row<'a> {
    path: &'a Path,
    columns: &'a [String],
    fields: &'a StringRecord,
}

impl Row<'_> {
    /// The field of that column without the white space around it; empty where there is none.
    pub(super) fn get(&self, column: &str) -> &str {
        let position = self.columns.iter().position(|known| known == column);
        position
            .and_then(|position| self.fields.get(position))
            .unwrap_or_default()
            .trim()
    }

    /// The words of that column.
    pub(super) fn words(&self, column: &str) -> Vec<String> {
        self.get(column)
            .split_whitespace()
            .map(str::to_owned)
            .collect()
    }

    /// Where the row is: file and line.
    pub(super) fn at(&self) -> String {
        let line = self.fields.position().map_or(1, csv::Position::line);
        format!("{}:{line}", self.path.display())
    }

    /// The error that names file, line and column.
    pub(super) fn refuse(&self, column: &str, problem: impl std::fmt::Display) -> anyhow::Error {
        anyhow!("{}: column `{column}`: {problem}", self.at())
    }
}

/// Reads a table. It must have the `required` columns; where `optional` names the others that it may
/// have, it must have no more.
pub(super) fn read(
    path: &Path,
    required: &[&str],
    optional: Option<&[&str]>,
    mut each: impl FnMut(&Row<'_>) -> anyhow::Result<()>,
) -> anyhow::Result<()> {
    let ending = path.extension().and_then(|ending| ending.to_str());
    let mut reader = ReaderBuilder::new();
    match ending.map(str::to_ascii_lowercase).as_deref() {
        Some("csv") => reader.delimiter(b','),
        // Quotation marks are plain characters between tabs.
        Some("tsv") => reader.delimiter(b'\t').quoting(false),
        _ => bail!(
            "{}: cannot tell its format; name a file that ends in .csv or .tsv",
            path.display()
        ),
    };
    let file = File::open(path).with_context(|| format!("cannot read {}", path.display()))?;
    let mut reader = reader.from_reader(file);
    let columns: Vec<String> = reader
        .headers()
        .map_err(|error| unreadable(path, &error))?
        .iter()
        .map(|column| column.trim_start_matches('\u{feff}').trim().to_owned())
        .collect();
    if let Some(missing) = required
        .iter()
        .find(|column| !columns.iter().any(|known| known == *column))
    {
        bail!(
            "{}:1: column `{missing}` is missing; the first line must name the columns, it says `{}`",
            path.display(),
            columns.join(" ")
        );
    }
    if let Some(optional) = optional
        && let Some(unknown) = columns
            .iter()
            .map(String::as_str)
            .find(|column| !required.contains(column) && !optional.contains(column))
    {
        bail!(
            "{}:1: column `{unknown}` is unknown; known are {} {}",
            path.display(),
            required.join(" "),
            optional.join(" ")
        );
    }
    let mut fields = StringRecord::new();
    while reader
        .read_record(&mut fields)
        .map_err(|error| unreadable(path, &error))?
    {
        each(&Row {
            path,
            columns: &columns,
            fields: &fields,
        })?;
    }
    Ok(())
}

fn unreadable(path: &Path, error: &csv::Error) -> anyhow::Error {
    let line = error.position().map_or(1, csv::Position::line);
    let problem = match error.kind() {
        csv::ErrorKind::Utf8 { .. } => "is not UTF-8; save the file as UTF-8".to_owned(),
        csv::ErrorKind::UnequalLengths {
            expected_len, len, ..
        } => format!("has {len} fields, not {expected_len} as the first line; correct the line"),
        _ => error.to_string(),
    };
    anyhow!("{}:{line}: {problem}", path.display())
}
