//! The rows of an Excel workbook's first sheet.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, BufReader, Read, Seek};

use calamine::{Data, Reader, Xlsx};
use zip::ZipArchive;

use super::row::Row;

/// Most bytes that a workbook may unpack to.
const MOST_UNPACKED: u64 = 256 * 1024 * 1024;
/// Columns read, from the left.
const MOST_COLUMNS: u32 = 1_000;
/// Rows from the top among which the header is: exports often begin with a title and the time of the export.
const HEADS: usize = 20;
/// Most files that a workbook may be made of.
const MOST_PARTS: usize = 1_000;

/// The header's columns, and the rows behind it.
pub(super) type Sheet = (
    Vec<String>,
    Box<dyn Iterator<Item = io::Result<Row>> + Send>,
);

/// Reads the first sheet, cell by cell, its header being the first row with all of the wanted columns, or else the first row: a workbook of two cells may claim billions between them. It is
/// unpacked as a whole, so one that is too large unpacked is refused first.
pub(super) fn read(file: &File, wanted: &[&str]) -> io::Result<Sheet> {
    check_size(file)?;
    let damaged =
        |_| io::Error::other("is no Excel workbook of the kind .xlsx; save it as such, or as CSV");
    let mut reader = BufReader::new(file);
    reader.rewind()?;
    let mut workbook = Xlsx::new(reader).map_err(damaged)?;
    let name = workbook.sheet_names().first().cloned();
    let name = name.ok_or_else(|| io::Error::other("has no sheet"))?;
    let mut cells = workbook.worksheet_cells_reader(&name).map_err(damaged)?;
    let mut rows: BTreeMap<u32, BTreeMap<u32, String>> = BTreeMap::new();
    while let Some(cell) = cells.next_cell().map_err(damaged)? {
        let (row, column) = cell.get_position();
        let value = written(&Data::from(cell.get_value().clone()));
        if column < MOST_COLUMNS && !value.is_empty() {
            rows.entry(row).or_default().insert(column, value);
        }
    }
    let is_header = |cells: &BTreeMap<u32, String>| {
        (wanted.iter()).all(|name| cells.values().any(|cell| cell == name))
    };
    let mut heads = rows.iter().take(HEADS);
    let head = heads.find_map(|(row, cells)| is_header(cells).then_some(*row));
    rows = rows.split_off(&head.unwrap_or(0));
    let header = rows.pop_first().map(|(_, cells)| cells).unwrap_or_default();
    let width = header.last_key_value().map_or(0, |(column, _)| column + 1);
    let columns: Vec<String> = (0..width)
        .map(|column| header.get(&column).cloned().unwrap_or_default())
        .collect();
    Ok((columns, Box::new(rows_of(rows, header))))
}

fn rows_of(
    rows: BTreeMap<u32, BTreeMap<u32, String>>,
    header: BTreeMap<u32, String>,
) -> impl Iterator<Item = io::Result<Row>> {
    rows.into_iter().map(move |(row, mut cells)| {
        let values: Vec<String> = header
            .keys()
            .map(|column| cells.remove(column).unwrap_or_default())
            .collect();
        Ok(Row {
            line: u64::from(row) + 1,
            raw: values.join("\u{1f}"),
            fields: Ok(header.values().cloned().zip(values).collect()),
        })
    })
}

/// A cell as it would be written. Numbers are ids more often than amounts: no decimals where there are none.
fn written(cell: &Data) -> String {
    match cell {
        Data::Empty | Data::Error(_) => String::new(),
        Data::String(text) => text.trim().to_owned(),
        Data::Float(number) if number.fract() == 0.0 && number.abs() < 1e15 => {
            format!("{number:.0}")
        }
        Data::DateTime(time) => {
            let (year, month, day, hour, minute, second, _) = time.to_ymd_hms_milli();
            format!("{year:04}-{month:02}-{day:02} {hour:02}:{minute:02}:{second:02}")
        }
        other => other.to_string(),
    }
}

/// Unpacks every part to nowhere, for what a part says of its own size may be a lie.
fn check_size(file: &File) -> io::Result<()> {
    let damaged = |_| io::Error::other("is no Excel workbook; save it as .xlsx, or as CSV");
    let mut reader = BufReader::new(file);
    reader.rewind()?;
    let mut parts = ZipArchive::new(reader).map_err(damaged)?;
    let mut left = MOST_UNPACKED;
    if parts.len() > MOST_PARTS {
        return Err(too_large());
    }
    for index in 0..parts.len() {
        let part = parts.by_index(index).map_err(damaged)?;
        let unpacked = io::copy(&mut part.take(left + 1), &mut io::sink())?;
        left = left.checked_sub(unpacked).ok_or_else(too_large)?;
    }
    Ok(())
}

fn too_large() -> io::Error {
    io::Error::other(format!(
        "unpacks to more than {MOST_UNPACKED} bytes or {MOST_PARTS} parts; export fewer rows, or CSV"
    ))
}
