//! The rows of an exported file, as it stood when it was opened.

use std::collections::HashMap;
use std::fs::{File, Metadata};
use std::io::{self, BufRead, BufReader, Read, Seek, SeekFrom};
use std::path::Path;
use std::time::UNIX_EPOCH;

use encoding_rs::{DecoderResult, Encoding, GB18030, UTF_8, UTF_16BE, UTF_16LE};
use encoding_rs_io::DecodeReaderBytesBuilder;
use serde_json::Value;

use super::row::Row;
use super::{Format, sheet};
use crate::source::SourceError;

/// The longest line, in bytes.
const LONGEST_LINE: u64 = 4_000_000;
/// Bytes of a CSV by whose first line it is told what its columns are parted by.
const BEGIN: u64 = 65_536;
/// Of so many characters of more than one byte one may be damaged.
const DAMAGED: usize = 50;

/// The length of a file in bytes, and when it was last changed, in milliseconds since 1970.
pub(crate) fn stamp(about: &Metadata) -> io::Result<(u64, i64)> {
    let since = about.modified()?.duration_since(UNIX_EPOCH);
    let modified = since.map_or(0, |since| i64::try_from(since.as_millis()).unwrap_or(0));
    Ok((about.len(), modified))
}

/// An exported file, open.
pub(crate) struct Export {
    /// Its length, in bytes.
    pub(crate) length: u64,
    /// When it was last changed, in milliseconds since 1970.
    pub(crate) modified: i64,
    /// Whether its last line has an end.
    pub(crate) ends_in_full: bool,
    encoding: &'static Encoding,
    /// The header's columns; nothing where each row names its own.
    columns: Option<Vec<String>>,
    rows: Box<dyn Iterator<Item = io::Result<Row>> + Send>,
}

impl Export {
    /// Opens a file; its charset is found out where it is not given. `wanted` are columns that its header must have.
    pub(crate) fn open(
        path: &Path,
        format: Format,
        encoding: Option<&'static Encoding>,
        wanted: &[&str],
    ) -> io::Result<Self> {
        let file = File::open(path)?;
        let (length, modified) = stamp(&file.metadata()?)?;
        match format {
            Format::Xlsx => {
                let (columns, rows) = sheet::read(&file, wanted)?;
                Ok(Self {
                    length,
                    modified,
                    ends_in_full: true,
                    encoding: UTF_8,
                    columns: Some(columns),
                    rows,
                })
            }
            Format::Csv | Format::Jsonl => {
                let is_csv = format == Format::Csv;
                Self::of_text(file, length, modified, is_csv, encoding)
            }
        }
    }

    fn of_text(
        mut file: File,
        length: u64,
        modified: i64,
        is_csv: bool,
        encoding: Option<&'static Encoding>,
    ) -> io::Result<Self> {
        let encoding = match encoding {
            Some(encoding) => encoding,
            None => detect(&mut (&file).take(length))?,
        };
        let end: &[u8] = match encoding {
            encoding if encoding == UTF_16LE => b"\n\0",
            encoding if encoding == UTF_16BE => b"\0\n",
            _ => b"\n",
        };
        let mut last = Vec::new();
        file.seek(SeekFrom::Start(length.saturating_sub(end.len() as u64)))?;
        (&file).take(end.len() as u64).read_to_end(&mut last)?;
        file.seek(SeekFrom::Start(0))?;
        // What is appended meanwhile belongs to the next time.
        let mut text = DecodeReaderBytesBuilder::new()
            .encoding(Some(encoding))
            .build(file.take(length));
        let mut columns = None;
        let rows: Box<dyn Iterator<Item = io::Result<Row>> + Send> = if is_csv {
            let mut begin = Vec::new();
            text.by_ref().take(BEGIN).read_to_end(&mut begin)?;
            let mut reader = csv::ReaderBuilder::new()
                .delimiter(separator(&begin))
                .from_reader(io::Cursor::new(begin).chain(text));
            let header: Vec<String> = reader
                .headers()
                .map_err(|error| io::Error::other(describe(&error)))?
                .iter()
                .map(|name| name.trim_start_matches('\u{feff}').trim().to_owned())
                .collect();
            columns = Some(header.clone()).filter(|_| length > 0);
            Box::new(csv_rows(reader, header))
        } else {
            Box::new(json_rows(BufReader::new(text)))
        };
        Ok(Self {
            length,
            modified,
            ends_in_full: last == end,
            encoding,
            columns,
            rows,
        })
    }

    /// Whether its rows can have that column.
    pub(crate) fn has_column(&self, column: &str) -> bool {
        self.columns
            .as_ref()
            .is_none_or(|columns| columns.iter().any(|known| known == column))
    }

    /// The next row; nothing at the end.
    pub(crate) fn next_row(&mut self, path: &Path) -> Result<Option<Row>, SourceError> {
        self.rows
            .next()
            .transpose()
            .map_err(|source| SourceError::File {
                path: path.to_owned(),
                source,
            })
    }

    /// Whether the fields were text in the charset that the file was read in.
    pub(crate) fn check_charset(&self, fields: &HashMap<String, String>) -> Result<(), String> {
        // In UTF-8 the replacement character may have been written there as such.
        let damaged = fields
            .iter()
            .find(|(_, value)| self.encoding != UTF_8 && value.contains('\u{fffd}'));
        match damaged {
            Some((column, _)) => Err(format!(
                "field `{column}` is not in {}; set `import.charset` or correct the line",
                self.encoding.name()
            )),
            None => Ok(()),
        }
    }
}

/// What the header's columns are parted by: of comma, semicolon and tab the one that it has most of.
fn separator(begin: &[u8]) -> u8 {
    let header = begin
        .split(|byte| *byte == b'\n')
        .next()
        .unwrap_or_default();
    let count = |separator: u8| header.iter().filter(|byte| **byte == separator).count();
    // Of several alike the last is taken.
    [b'\t', b';', b',']
        .into_iter()
        .max_by_key(|separator| count(*separator))
        .unwrap_or(b',')
}

/// What a mark at the front says. Without one UTF-8 where next to every character of more than one byte is one, else GB18030:
/// a value that was cut within a character makes no file another one. A character cut off at the end may be still being written.
fn detect(bytes: &mut impl Read) -> io::Result<&'static Encoding> {
    let mut decoder = UTF_8.new_decoder();
    let (mut buffer, mut text) = (vec![0; 65_536], String::with_capacity(262_144));
    let (mut whole, mut damaged) = (0_usize, 0);
    let mut begin = true;
    loop {
        let length = bytes.read(&mut buffer)?;
        let mark = Encoding::for_bom(buffer.get(..length).unwrap_or_default());
        if let (true, Some((marked, _))) = (begin, mark) {
            return Ok(marked);
        }
        begin = false;
        if length == 0 {
            let is_utf_8 = damaged * DAMAGED <= whole;
            return Ok(if is_utf_8 { UTF_8 } else { GB18030 });
        }
        let mut rest = buffer.get(..length).unwrap_or_default();
        loop {
            text.clear();
            let (result, read) =
                decoder.decode_to_string_without_replacement(rest, &mut text, false);
            whole += text.chars().filter(|letter| !letter.is_ascii()).count();
            rest = rest.get(read..).unwrap_or_default();
            match result {
                DecoderResult::InputEmpty => break,
                DecoderResult::OutputFull => {}
                DecoderResult::Malformed(..) => damaged += 1,
            }
        }
    }
}

fn json_rows(mut lines: impl BufRead) -> impl Iterator<Item = io::Result<Row>> {
    let mut number = 0;
    let mut failed = false;
    std::iter::from_fn(move || {
        while !failed {
            number += 1;
            let mut line = Vec::new();
            match lines
                .by_ref()
                .take(LONGEST_LINE)
                .read_until(b'\n', &mut line)
            {
                Ok(0) => return None,
                Ok(_) => {}
                Err(error) => {
                    failed = true;
                    return Some(Err(error));
                }
            }
            // The decoder yields UTF-8; only a line that is too long is cut within a character.
            let raw = String::from_utf8_lossy(&line).into_owned();
            if !raw.trim().is_empty() {
                let fields = fields(&raw);
                return Some(Ok(Row {
                    line: number,
                    raw,
                    fields,
                }));
            }
        }
        None
    })
}

fn fields(line: &str) -> Result<HashMap<String, String>, String> {
    let row: HashMap<String, Value> = serde_json::from_str(line).map_err(|error| {
        format!(
            "is not a JSON object: column {}; correct or remove the line",
            error.column()
        )
    })?;
    Ok(row
        .into_iter()
        .map(|(name, value)| match value {
            Value::String(text) => (name, text),
            Value::Null => (name, String::new()),
            other => (name, other.to_string()),
        })
        .collect())
}

fn csv_rows(
    reader: csv::Reader<impl Read>,
    header: Vec<String>,
) -> impl Iterator<Item = io::Result<Row>> {
    let mut records = reader.into_records();
    let mut failed = false;
    std::iter::from_fn(move || {
        if failed {
            return None;
        }
        match records.next()? {
            Ok(record) => {
                let values: Vec<&str> = record.iter().collect();
                Some(Ok(Row {
                    line: record.position().map_or(0, csv::Position::line),
                    raw: values.join("\u{1f}"),
                    fields: Ok(header
                        .iter()
                        .cloned()
                        .zip(values.into_iter().map(str::to_owned))
                        .collect()),
                }))
            }
            Err(error) if error.is_io_error() => {
                failed = true;
                Some(Err(io::Error::other(describe(&error))))
            }
            Err(error) => {
                let problem = describe(&error);
                Some(Ok(Row {
                    line: error.position().map_or(0, csv::Position::line),
                    raw: problem.clone(),
                    fields: Err(problem),
                }))
            }
        }
    })
}

/// What is wrong with a CSV row, without its content.
fn describe(error: &csv::Error) -> String {
    match error.kind() {
        csv::ErrorKind::Io(error) => error.to_string(),
        csv::ErrorKind::UnequalLengths {
            expected_len, len, ..
        } => {
            format!(
                "has {len} fields where the header has {expected_len}; put quotes around text with commas"
            )
        }
        _ => "is no CSV row; correct or remove the line".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_cut_within_a_character_makes_no_file_another_one() {
        let row = "路灯坏了三个月没有人来修，请尽快处理\n";
        let mut utf_8 = row.repeat(5_000).into_bytes();
        let (gb, ..) = GB18030.encode(row);
        let gb = gb.repeat(5_000);
        assert_eq!(detect(&mut utf_8.as_slice()).unwrap(), UTF_8);
        assert_eq!(detect(&mut gb.as_slice()).unwrap(), GB18030);
        utf_8.remove(row.len() * 70 + 1);
        assert_eq!(detect(&mut utf_8.as_slice()).unwrap(), UTF_8);
        assert_eq!(detect(&mut "abc".as_bytes()).unwrap(), UTF_8);
        assert_eq!(detect(&mut &b"\xff\xfe1\0"[..]).unwrap(), UTF_16LE);
    }
}
