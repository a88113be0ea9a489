//! The rows of an Excel workbook's first sheet.

use std::collections::HashMap;
use std::fs::File;
use std::io::{self, BufReader, Read, Seek};

use calamine::{Data, Range, Reader, Xlsx};
use zip::ZipArchive;

use super::export::Row;

/// Most bytes that a workbook may unpack to.
const MOST_UNPACKED: u64 = 256 * 1024 * 1024;
/// Most files that a workbook may be made of.
const MOST_PARTS: usize = 1_000;

/// The header's columns, and the rows behind it.
pub(super) type Sheet = (
    Vec<String>,
    Box<dyn Iterator<Item = io::Result<Row>> + Send>,
);

/// Reads the first sheet. It is unpacked as a whole, so one that is too large unpacked is refused first.
pub(super) fn read(file: &File) -> io::Result<Sheet> {
    check_size(file)?;
    let damaged =
        |_| io::Error::other("is no Excel workbook of the kind .xlsx; save it as such, or as CSV");
    let mut reader = BufReader::new(file);
    reader.rewind()?;
    let mut workbook = Xlsx::new(reader).map_err(damaged)?;
    let range = workbook
        .worksheet_range_at(0)
        .ok_or_else(|| io::Error::other("has no sheet"))?
        .map_err(damaged)?;
    let first = range.start().map_or(0, |(row, _)| u64::from(row)) + 1;
    let header: Vec<String> = range
        .rows()
        .next()
        .map(|cells| cells.iter().map(written).collect())
        .unwrap_or_default();
    let rows = rows(range, header.clone(), first);
    Ok((header, Box::new(rows)))
}

fn rows(
    range: Range<Data>,
    header: Vec<String>,
    first: u64,
) -> impl Iterator<Item = io::Result<Row>> {
    let (height, width) = range.get_size();
    let mut index = 0;
    std::iter::from_fn(move || {
        loop {
            index += 1;
            if index >= height {
                return None;
            }
            let values: Vec<String> = (0..width)
                .map(|column| range.get((index, column)).map(written).unwrap_or_default())
                .collect();
            if values.iter().all(String::is_empty) {
                continue;
            }
            let raw = values.join("\u{1f}");
            let fields: HashMap<String, String> = header.iter().cloned().zip(values).collect();
            return Some(Ok(Row {
                line: first + index as u64,
                raw,
                fields: Ok(fields),
            }));
        }
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
