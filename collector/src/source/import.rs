//! A file exported from a hotline or a mailbox: CSV or JSON Lines, in UTF-8 or GB18030.
//!
//! Read from where it was left: rows appended to the file are new, a file that begins otherwise is
//! another export. A row that does not fit is refused by itself.

use std::collections::HashMap;
use std::fs::File;
use std::io::{BufRead, BufReader, Read, Seek, SeekFrom};
use std::path::PathBuf;

use encoding_rs::{Encoding, GB18030, UTF_8};
use encoding_rs_io::DecodeReaderBytesBuilder;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use tracing::info;

use super::{Item, Round, Source, SourceError};
use crate::extract;
use crate::state::Cursor;

/// Rows published together.
const BATCH: usize = 200;
/// Rows between two messages on how far it is.
const PROGRESS: u64 = 1_000;
/// The longest line, in bytes.
const LONGEST_LINE: u64 = 4_000_000;

/// An export.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Import {
    /// The file, relative to this one.
    pub file: PathBuf,
    /// `csv` or `jsonl`; by the file's extension where absent.
    #[serde(default)]
    pub format: Option<Format>,
    /// Its charset, such as `gbk`; found out (UTF-8 or GB18030) where absent.
    #[serde(default)]
    pub charset: Option<String>,
    /// The names of its columns.
    #[serde(default)]
    pub columns: Columns,
}

/// The format of an export.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Format {
    /// Comma-separated values with a header line.
    Csv,
    /// One JSON object per line.
    Jsonl,
}

/// The names of an export's columns.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Columns {
    /// The row's own id.
    pub id: String,
    /// Title.
    pub title: String,
    /// Text.
    pub text: String,
    /// When it was written.
    pub time: String,
    /// Who wrote; may be missing in the file.
    pub author: String,
    /// Votes for it; may be missing in the file.
    pub likes: String,
    /// Votes against it; may be missing in the file.
    pub opposes: String,
}

impl Default for Columns {
    fn default() -> Self {
        Self {
            id: "id".to_owned(),
            title: "title".to_owned(),
            text: "text".to_owned(),
            time: "time".to_owned(),
            author: "user".to_owned(),
            likes: "like".to_owned(),
            opposes: "oppose".to_owned(),
        }
    }
}

/// A row: its line and its fields, or what is wrong with it.
type Row = (u64, Result<HashMap<String, String>, String>);

impl Import {
    fn format(&self) -> Option<Format> {
        self.format
            .or_else(|| match self.file.extension()?.to_str()? {
                "csv" => Some(Format::Csv),
                "jsonl" => Some(Format::Jsonl),
                _ => None,
            })
    }

    fn item(&self, row: &HashMap<String, String>, round: &Round<'_>) -> Result<Item, String> {
        let columns = &self.columns;
        let of = |column: &str| {
            row.get(column)
                .map(|value| value.trim())
                .unwrap_or_default()
        };
        let id = of(&columns.id);
        if id.is_empty() {
            return Err(format!(
                "field `{}` is missing or empty; a row needs an id of its own",
                columns.id
            ));
        }
        let text = extract::tidy(of(&columns.text));
        let title = of(&columns.title);
        if text.is_empty() && title.is_empty() {
            return Err(format!(
                "fields `{}` and `{}` are both empty",
                columns.title, columns.text
            ));
        }
        let published_at = extract::time::parse(of(&columns.time), round.now).ok_or_else(|| {
            format!(
                "field `{}` tells no time; write it as 2023-07-18 08:30:00",
                columns.time
            )
        })?;
        let count = |column: &str| match of(column) {
            "" => Ok(0),
            value => value
                .parse()
                .map_err(|_| format!("field `{column}` is not a whole number")),
        };
        Ok(Item {
            id: id.to_owned(),
            url: String::new(),
            title: title.to_owned(),
            text,
            author: of(&columns.author).to_owned(),
            published_at,
            likes: count(&columns.likes)?,
            opposes: count(&columns.opposes)?,
        })
    }
}

impl Source for Import {
    fn check(&self) -> Result<(), String> {
        if self.format().is_none() {
            return Err("`import.format` is not set and `import.file` ends in neither .csv nor .jsonl; set it to \"csv\" or \"jsonl\"".to_owned());
        }
        match &self.charset {
            Some(label) if Encoding::for_label(label.as_bytes()).is_none() => Err(format!(
                "`import.charset` is \"{label}\", which is no charset; use \"utf-8\" or \"gbk\""
            )),
            _ => Ok(()),
        }
    }

    async fn read(&self, round: &Round<'_>) -> Result<(), SourceError> {
        let file_error = |source| SourceError::File {
            path: self.file.clone(),
            source,
        };
        let (mut cursor, rows) = tokio::task::block_in_place(|| self.open()).map_err(file_error)?;
        let known = round
            .publisher
            .state()
            .cursor(&round.definition.name, &self.file)
            .await?;
        let done = match &known {
            Some(known)
                if known.first_line == cursor.first_line && known.length <= cursor.length =>
            {
                known.rows
            }
            _ => 0,
        };
        if known
            .as_ref()
            .is_some_and(|known| done > 0 && known.length == cursor.length)
        {
            return Ok(());
        }
        if done > 0 {
            info!(
                source = round.definition.name,
                rows = done,
                "import goes on after the rows read before"
            );
        }
        let (mut sent, mut refused) = (0_u64, 0_u64);
        let whole = cursor.length;
        // Until its last row is in, the file counts as longer than what was read.
        cursor.length = 0;
        let mut items = Vec::with_capacity(BATCH);
        let mut rows = rows.skip(usize::try_from(done).unwrap_or(usize::MAX));
        cursor.rows = done;
        loop {
            let row = tokio::task::block_in_place(|| rows.next());
            let ended = row.is_none();
            if let Some((line, row)) = row {
                cursor.rows += 1;
                match row.and_then(|row| self.item(&row, round)) {
                    Ok(item) => items.push(item),
                    Err(problem) => {
                        refused += 1;
                        let place = format!("{}:{line}", self.file.display());
                        round
                            .publisher
                            .refuse(round.definition, &place, &problem)
                            .await?;
                    }
                }
            }
            if ended {
                cursor.length = whole;
            }
            if items.len() == BATCH || ended {
                sent += round
                    .publisher
                    .publish(round, std::mem::take(&mut items), Some(&cursor))
                    .await?;
            }
            if !ended && cursor.rows.is_multiple_of(PROGRESS) {
                info!(
                    source = round.definition.name,
                    rows = cursor.rows,
                    "importing"
                );
            }
            if ended || round.stop.is_cancelled() {
                break;
            }
        }
        info!(
            source = round.definition.name,
            rows = cursor.rows,
            sent,
            refused,
            "import read"
        );
        Ok(())
    }
}

impl Import {
    /// The file's identity and its rows.
    fn open(&self) -> std::io::Result<(Cursor, Box<dyn Iterator<Item = Row> + Send>)> {
        let mut file = File::open(&self.file)?;
        let encoding = match self
            .charset
            .as_ref()
            .and_then(|label| Encoding::for_label(label.as_bytes()))
        {
            Some(encoding) => encoding,
            None => detect(&mut file)?,
        };
        file.seek(SeekFrom::Start(0))?;
        let mut first = Vec::new();
        BufReader::new(&file)
            .take(LONGEST_LINE)
            .read_until(b'\n', &mut first)?;
        let cursor = Cursor {
            file: self.file.clone(),
            first_line: backbone::id::of("first-line", &[&String::from_utf8_lossy(&first)]),
            length: file.metadata()?.len(),
            rows: 0,
        };
        file.seek(SeekFrom::Start(0))?;
        let text = DecodeReaderBytesBuilder::new()
            .encoding(Some(encoding))
            .build(file);
        let rows: Box<dyn Iterator<Item = Row> + Send> = match self.format() {
            Some(Format::Jsonl) => Box::new(json_rows(BufReader::new(text))),
            _ => Box::new(csv_rows(text)),
        };
        Ok((cursor, rows))
    }
}

/// UTF-8 if every byte fits, else GB18030.
fn detect(file: &mut File) -> std::io::Result<&'static Encoding> {
    let mut decoder = UTF_8.new_decoder();
    let (mut bytes, mut text) = (vec![0; 65_536], String::with_capacity(262_144));
    loop {
        let length = file.read(&mut bytes)?;
        text.clear();
        let (result, _) = decoder.decode_to_string_without_replacement(
            bytes.get(..length).unwrap_or_default(),
            &mut text,
            length == 0,
        );
        if matches!(result, encoding_rs::DecoderResult::Malformed(..)) {
            return Ok(GB18030);
        }
        if length == 0 {
            return Ok(UTF_8);
        }
    }
}

fn json_rows(mut lines: impl BufRead) -> impl Iterator<Item = Row> {
    let mut number = 0;
    std::iter::from_fn(move || {
        loop {
            number += 1;
            let mut line = String::new();
            match lines.by_ref().take(LONGEST_LINE).read_line(&mut line) {
                Ok(0) => return None,
                Ok(_) if line.trim().is_empty() => {}
                Ok(_) => return Some((number, fields(&line))),
                Err(error) => return Some((number, Err(format!("cannot be read: {error}")))),
            }
        }
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

fn csv_rows(text: impl Read) -> impl Iterator<Item = Row> {
    let mut reader = csv::ReaderBuilder::new().from_reader(text);
    let headers = reader.headers().cloned();
    let mut records = reader.into_records();
    std::iter::from_fn(move || {
        let headers = match &headers {
            Ok(headers) => headers,
            Err(_) => return None,
        };
        let record = records.next()?;
        Some(match record {
            Ok(record) => {
                let line = record.position().map_or(0, csv::Position::line);
                let row = headers
                    .iter()
                    .map(|name| name.trim_start_matches('\u{feff}').trim().to_owned());
                (
                    line,
                    Ok(row.zip(record.iter().map(str::to_owned)).collect()),
                )
            }
            Err(error) => {
                let line = error.position().map_or(0, csv::Position::line);
                (line, Err(describe(&error)))
            }
        })
    })
}

/// What is wrong with a CSV row, without its content.
fn describe(error: &csv::Error) -> String {
    match error.kind() {
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
