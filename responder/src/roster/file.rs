//! A roster from a file: CSV or an Excel workbook, with a header row. All of it is read before anything is believed.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::io::{BufReader, Cursor};
use std::path::Path;

use calamine::{Data, Reader, Xlsx};
use jiff::SignedDuration;
use jiff::civil::DateTime;
use thiserror::Error;

use super::fault::{Fault, Unreadable};
use super::{Planned, Post};
use crate::clock::CHINA;

/// The columns, each with the other name that it may have.
const COLUMNS: [[&str; 2]; 4] = [
    ["岗位", "post"],
    ["姓名", "who"],
    ["开始", "from"],
    ["结束", "until"],
];
/// Largest file read.
const MOST_BYTES: u64 = 4 * 1024 * 1024;
/// Most rows read.
const MOST_ROWS: usize = 10_000;
/// Longest shift: longer is a wrong date.
const LONGEST: SignedDuration = SignedDuration::from_hours(31 * 24);
/// Characters of a name.
const NAME_LIMIT: usize = 40;

/// A file was not taken. Nothing of it was.
#[derive(Debug, Error)]
pub enum FileError {
    /// It cannot be read at all.
    #[error("{file}: {problem}")]
    Unreadable {
        /// The file.
        file: String,
        /// Why.
        problem: Unreadable,
    },
    /// Rows of it are wrong.
    #[error("{}", told(file, problems))]
    Rows {
        /// The file.
        file: String,
        /// All that is wrong.
        problems: Vec<RowProblem>,
    },
}

/// What is wrong with a row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RowProblem {
    /// The row, the header being 1.
    pub row: u64,
    /// The column's name.
    pub column: &'static str,
    /// What is wrong.
    pub problem: Fault,
}

impl fmt::Display for RowProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "row {}, column {}: {}",
            self.row, self.column, self.problem
        )
    }
}

fn told(file: &str, problems: &[RowProblem]) -> String {
    let lines: Vec<String> = problems
        .iter()
        .map(|problem| format!("{file}: {problem}"))
        .collect();
    format!("{}\nnothing was imported", lines.join("\n"))
}

/// Reads a roster. `known` are the names that may stand in it; any where it is empty.
///
/// # Errors
/// Names the file, and every row and column at fault with the remedy.
pub fn read(path: &Path, known: &BTreeSet<String>) -> Result<Vec<Planned>, FileError> {
    let unopened = |error: std::io::Error| FileError::Unreadable {
        file: path.display().to_string(),
        problem: Unreadable::Unopened(error.to_string()),
    };
    let bytes = std::fs::metadata(path).map_err(unopened)?.len();
    if let Some(problem) = too_large(bytes) {
        return Err(FileError::Unreadable {
            file: path.display().to_string(),
            problem,
        });
    }
    read_bytes(path, std::fs::read(path).map_err(unopened)?, known)
}

fn too_large(bytes: u64) -> Option<Unreadable> {
    (bytes > MOST_BYTES).then_some(Unreadable::Large {
        bytes,
        most: MOST_BYTES,
    })
}

/// The same, of a file that was handed over.
///
/// # Errors
/// As [`read`].
pub fn read_bytes(
    name: &Path,
    bytes: Vec<u8>,
    known: &BTreeSet<String>,
) -> Result<Vec<Planned>, FileError> {
    let file = name.display().to_string();
    let unreadable = |problem| FileError::Unreadable {
        file: file.clone(),
        problem,
    };
    if let Some(problem) = too_large(bytes.len() as u64) {
        return Err(unreadable(problem));
    }
    let extension = name.extension().and_then(|extension| extension.to_str());
    let table = match extension.map(str::to_ascii_lowercase).as_deref() {
        Some("xlsx") => workbook(bytes),
        Some("csv") => separated(bytes),
        _ => Err(Unreadable::Kind),
    };
    let table = table.map_err(unreadable)?;
    if table.len() > MOST_ROWS {
        return Err(unreadable(Unreadable::Rows(MOST_ROWS)));
    }
    rows(&table, known).map_err(|problems| FileError::Rows { file, problems })
}

/// A cell: as written, or the time that a workbook holds.
#[derive(Debug, Clone)]
enum Cell {
    Text(String),
    Time(DateTime),
}

/// Rows that are not empty, with their numbers, the cells by column.
type Table = BTreeMap<u64, BTreeMap<usize, Cell>>;

fn separated(bytes: Vec<u8>) -> Result<Table, Unreadable> {
    let text = String::from_utf8(bytes).map_err(|_| Unreadable::Encoding)?;
    let mut reader = csv::ReaderBuilder::new()
        .has_headers(false)
        .flexible(true)
        .from_reader(text.trim_start_matches('\u{feff}').as_bytes());
    let mut table = Table::new();
    for record in reader.records() {
        let record = record.map_err(|error| Unreadable::Damaged(error.to_string()))?;
        let row = record.position().map_or(0, csv::Position::line);
        for (column, value) in record.iter().enumerate() {
            if !value.trim().is_empty() {
                let cell = Cell::Text(value.trim().to_owned());
                table.entry(row).or_default().insert(column, cell);
            }
        }
    }
    Ok(table)
}

fn workbook(bytes: Vec<u8>) -> Result<Table, Unreadable> {
    let damaged = |_| Unreadable::Workbook;
    let mut workbook = Xlsx::new(BufReader::new(Cursor::new(bytes))).map_err(damaged)?;
    let sheet = workbook
        .sheet_names()
        .first()
        .cloned()
        .ok_or(Unreadable::Empty)?;
    // Cell by cell: a sheet of two cells may claim billions between them.
    let mut cells = workbook.worksheet_cells_reader(&sheet).map_err(damaged)?;
    let mut table = Table::new();
    while let Some(cell) = cells.next_cell().map_err(damaged)? {
        let (row, column) = cell.get_position();
        let value = match Data::from(cell.get_value().clone()) {
            Data::DateTime(time) => {
                let (year, month, day, hour, minute, second, _) = time.to_ymd_hms_milli();
                civil([
                    year.into(),
                    month.into(),
                    day.into(),
                    hour.into(),
                    minute.into(),
                    second.into(),
                ])
                .map_or_else(|| Cell::Text(time.to_string()), Cell::Time)
            }
            Data::DateTimeIso(text) => Cell::Text(text),
            Data::String(text) if text.trim().is_empty() => continue,
            Data::String(text) => Cell::Text(text.trim().to_owned()),
            Data::Empty => continue,
            other => Cell::Text(other.to_string()),
        };
        table
            .entry(u64::from(row) + 1)
            .or_default()
            .insert(column as usize, value);
        if table.len() > MOST_ROWS {
            break;
        }
    }
    Ok(table)
}

fn rows(table: &Table, known: &BTreeSet<String>) -> Result<Vec<Planned>, Vec<RowProblem>> {
    let mut rows = table.iter();
    let (header_row, header) = rows
        .next()
        .map_or((1, None), |(row, cells)| (*row, Some(cells)));
    let mut problems = Vec::new();
    let mut places = [0; 4];
    for (names, place) in COLUMNS.iter().zip(&mut places) {
        let found = header.and_then(|header| {
            header.iter().find(
                |(_, cell)| matches!(cell, Cell::Text(text) if names.contains(&text.as_str())),
            )
        });
        match found {
            Some((column, _)) => *place = *column,
            None => problems.push(RowProblem {
                row: header_row,
                column: names[0],
                problem: Fault::Column(COLUMNS.map(|names| names[0])),
            }),
        }
    }
    if !problems.is_empty() {
        return Err(problems);
    }
    let mut shifts: Vec<(u64, Planned)> = Vec::new();
    for (row, cells) in rows {
        match shift(*row, places.map(|place| cells.get(&place)), known) {
            Ok(shift) => {
                problems.extend(twice(*row, &shift, &shifts));
                shifts.push((*row, shift));
            }
            Err(found) => problems.extend(found),
        }
    }
    if shifts.is_empty() && problems.is_empty() {
        problems.push(RowProblem {
            row: header_row + 1,
            column: COLUMNS[0][0],
            problem: Fault::Nothing,
        });
    }
    if problems.is_empty() {
        Ok(shifts.into_iter().map(|(_, shift)| shift).collect())
    } else {
        Err(problems)
    }
}

fn shift(
    row: u64,
    [post, who, from, until]: [Option<&Cell>; 4],
    known: &BTreeSet<String>,
) -> Result<Planned, Vec<RowProblem>> {
    let mut problems = Vec::new();
    let [post_column, who_column, from_column, until_column] = COLUMNS.map(|names| names[0]);
    let mut wrong = |column, problem: Fault| {
        problems.push(RowProblem {
            row,
            column,
            problem,
        });
    };
    let text = |cell: Option<&Cell>| match cell {
        Some(Cell::Text(text)) => text.clone(),
        Some(Cell::Time(time)) => time.to_string(),
        None => String::new(),
    };
    let (post_text, who) = (text(post), text(who));
    let post = Post::named(&post_text);
    if post.is_none() {
        wrong(post_column, Fault::Post(post_text));
    }
    if who.is_empty() {
        wrong(who_column, Fault::Nobody);
    } else if who.chars().count() > NAME_LIMIT {
        wrong(who_column, Fault::LongName(NAME_LIMIT));
    } else if !known.is_empty() && !known.contains(&who) {
        wrong(who_column, Fault::Unknown(who.clone()));
    }
    let mut moment = |column, cell: Option<&Cell>| {
        let time = match cell {
            Some(Cell::Time(time)) => Some(*time),
            Some(Cell::Text(text)) => written(text),
            None => None,
        };
        let at = time.and_then(|time| CHINA.to_timestamp(time).ok());
        if at.is_none() {
            wrong(column, Fault::Time(text(cell)));
        }
        at
    };
    let (from, until) = (moment(from_column, from), moment(until_column, until));
    if let (Some(from), Some(until)) = (from, until) {
        let length = until.duration_since(from);
        if length <= SignedDuration::ZERO {
            wrong(until_column, Fault::Backwards);
        } else if length > LONGEST {
            wrong(until_column, Fault::Endless);
        }
    }
    match (post, from, until) {
        (Some(post), Some(from), Some(until)) if problems.is_empty() => Ok(Planned {
            post,
            who,
            from,
            until,
        }),
        _ => Err(problems),
    }
}

/// Whether someone has the same post twice at a time.
fn twice(row: u64, shift: &Planned, before: &[(u64, Planned)]) -> Option<RowProblem> {
    let (earlier, _) = before.iter().find(|(_, other)| {
        other.post == shift.post
            && other.who == shift.who
            && other.from < shift.until
            && shift.from < other.until
    })?;
    Some(RowProblem {
        row,
        column: COLUMNS[1][0],
        problem: Fault::Twice(*earlier),
    })
}

/// A time as people write it: `2026-10-01 08:30`, `2026/10/1 8:30`, `2026年10月1日 24:00`.
fn written(text: &str) -> Option<DateTime> {
    let numbers: Vec<u32> = text
        .split(|letter: char| !letter.is_ascii_digit())
        .filter(|digits| !digits.is_empty())
        .map(|digits| digits.parse().ok())
        .collect::<Option<_>>()?;
    match numbers[..] {
        [year, month, day, hour, minute] => civil([year, month, day, hour, minute, 0]),
        [year, month, day, hour, minute, second] => civil([year, month, day, hour, minute, second]),
        _ => None,
    }
}

fn civil([year, month, day, hour, minute, second]: [u32; 6]) -> Option<DateTime> {
    let small = |number: u32| i8::try_from(number).ok();
    // The day ends at 24:00 as well as it begins at 00:00.
    let midnight = (hour, minute, second) == (24, 0, 0);
    let hour = if midnight { 0 } else { small(hour)? };
    let time = DateTime::new(
        i16::try_from(year).ok().filter(|year| *year >= 2000)?,
        small(month)?,
        small(day)?,
        hour,
        small(minute)?,
        small(second)?,
        0,
    )
    .ok()?;
    if midnight {
        return time.checked_add(SignedDuration::from_hours(24)).ok();
    }
    Some(time)
}
