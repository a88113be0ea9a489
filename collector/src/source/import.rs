//! A file exported from a hotline or a mailbox: CSV or JSON Lines, in UTF-8 or GB18030, or an Excel workbook.
//!
//! Read from where it was left: rows appended to the file are new, a file whose first rows are others is
//! another export. A row that does not fit is refused by itself.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use encoding_rs::Encoding;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tracing::info;

pub(crate) mod export;
mod row;
mod sheet;

use export::Export;
use row::Row;

use super::{Item, Round, Source, SourceError};
use crate::extract::{text, time};
use crate::item::How;
use crate::state::Cursor;

/// Rows published together.
const BATCH: usize = 200;
/// Rows between two messages on how far it is.
const PROGRESS: u64 = 1_000;

/// An export.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Import {
    /// The file, relative to this one; or a folder, whose .csv, .jsonl and .xlsx files are all read; or a name
    /// with `*` in it, such as `export/*.csv`.
    pub file: PathBuf,
    /// `csv`, `jsonl` or `xlsx`; by the file's extension where absent.
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
    /// Values parted by commas, semicolons or tabs, with a header line.
    Csv,
    /// One JSON object per line.
    Jsonl,
    /// The first sheet of an Excel workbook, with a header row.
    Xlsx,
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
    /// When it was officially answered; may be missing in the file, empty where it was not.
    pub answered: String,
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
            answered: "answered".to_owned(),
        }
    }
}

impl Import {
    fn format(&self, file: &Path) -> Option<Format> {
        self.format.or_else(
            || match file.extension()?.to_str()?.to_ascii_lowercase().as_str() {
                "csv" => Some(Format::Csv),
                "jsonl" => Some(Format::Jsonl),
                "xlsx" => Some(Format::Xlsx),
                _ => None,
            },
        )
    }

    fn encoding(&self) -> Option<&'static Encoding> {
        Encoding::for_label(self.charset.as_ref()?.as_bytes())
    }

    /// The files there are now, in the order of their names.
    fn files(&self) -> std::io::Result<Vec<PathBuf>> {
        let name = self.file.file_name().and_then(|name| name.to_str());
        let (folder, pattern) = match name {
            Some(name) if name.contains('*') => (self.file.parent(), name),
            _ if self.file.is_dir() => (Some(self.file.as_path()), "*"),
            _ => return Ok(vec![self.file.clone()]),
        };
        let mut files = Vec::new();
        for entry in std::fs::read_dir(folder.unwrap_or(Path::new(".")))? {
            let path = entry?.path();
            let fits = path
                .file_name()
                .and_then(|name| name.to_str())
                .map(str::to_ascii_lowercase)
                .is_some_and(|name| {
                    let pattern = pattern.to_ascii_lowercase();
                    !name.starts_with(['.', '~']) && matches(&pattern, &name)
                });
            if fits && path.is_file() && self.format(&path).is_some() {
                files.push(path);
            }
        }
        files.sort();
        Ok(files)
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
        let text = text::tidy(of(&columns.text));
        let title = of(&columns.title);
        if text.is_empty() && title.is_empty() {
            return Err(format!(
                "fields `{}` and `{}` are both empty",
                columns.title, columns.text
            ));
        }
        let published = time::tell(of(&columns.time), round.now).ok_or_else(|| {
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
        let answered = match of(&columns.answered) {
            "" => None,
            told => Some(time::tell(told, round.now).ok_or_else(|| {
                format!(
                    "field `{}` tells no time; leave it empty or write it as 2023-07-18 08:30:00",
                    columns.answered
                )
            })?),
        };
        Ok(Item {
            id: id.to_owned(),
            url: String::new(),
            title: title.to_owned(),
            text,
            author: of(&columns.author).to_owned(),
            published: Some(published),
            likes: count(&columns.likes)?,
            opposes: count(&columns.opposes)?,
            answered: answered.map(|told| told.at),
            how: How::default()
                .at("id", &columns.id)
                .at("title", &columns.title)
                .at("text", &columns.text)
                .at("time", &columns.time)
                .at("author", &columns.author),
        })
    }
}

/// Whether a name fits a pattern in which `*` stands for anything.
fn matches(pattern: &str, name: &str) -> bool {
    let Some((before, after)) = pattern.split_once('*') else {
        return pattern == name;
    };
    let Some(rest) = name.strip_prefix(before) else {
        return false;
    };
    rest.char_indices()
        .map(|(index, _)| index)
        .chain([rest.len()])
        .any(|index| rest.get(index..).is_some_and(|rest| matches(after, rest)))
}

impl Source for Import {
    fn check(&self) -> Result<(), String> {
        // A name without an extension is taken for a folder's.
        if self.file.extension().is_some() && self.format(&self.file).is_none() {
            return Err("`import.format` is not set and `import.file` ends in none of .csv, .jsonl and .xlsx; set it to \"csv\", \"jsonl\" or \"xlsx\"".to_owned());
        }
        match &self.charset {
            Some(label) if self.encoding().is_none() => Err(format!(
                "`import.charset` is \"{label}\", which is no charset; use \"utf-8\" or \"gbk\""
            )),
            _ => Ok(()),
        }
    }

    async fn read(&self, round: &Round<'_>) -> Result<(), SourceError> {
        let files = self.files().map_err(|source| SourceError::File {
            path: self.file.clone(),
            source,
        })?;
        let mut failed = None;
        for file in files {
            if round.stop.is_cancelled() {
                break;
            }
            match self.read_file(&file, round).await {
                Ok(()) => {}
                // A file that cannot be read does not keep the others from it.
                Err(error @ (SourceError::File { .. } | SourceError::Content(_))) => {
                    failed = failed.or(Some(error));
                }
                Err(error) => return Err(error),
            }
        }
        failed.map_or(Ok(()), Err)
    }
}

impl Import {
    fn open(&self, file: &Path) -> Result<Export, SourceError> {
        let Some(format) = self.format(file) else {
            let shown = file.display();
            return Err(SourceError::Content(if file.exists() {
                format!("{shown} ends in none of .csv, .jsonl and .xlsx; set `import.format`")
            } else {
                format!("there is no {shown}; make the folder, or name another in `import.file`")
            }));
        };
        let wanted = [self.columns.id.as_str(), self.columns.time.as_str()];
        let export = Export::open(file, format, self.encoding(), &wanted).map_err(|source| {
            SourceError::File {
                path: file.to_owned(),
                source,
            }
        })?;
        let lacks = |column: &String| !export.has_column(column);
        let Columns {
            id,
            title,
            text,
            time,
            ..
        } = &self.columns;
        for (field, missing) in [
            ("id", lacks(id).then_some(id)),
            ("text", (lacks(text) && lacks(title)).then_some(text)),
            ("time", lacks(time).then_some(time)),
        ] {
            if let Some(column) = missing {
                return Err(SourceError::Content(format!(
                    "{}:1: the header has no column `{column}`; set `import.columns.{field}` to the file's own name of it",
                    file.display()
                )));
            }
        }
        Ok(export)
    }

    /// Opens a file behind the rows read before; nothing when it is as it was.
    fn resume(
        &self,
        file: &Path,
        known: Option<Cursor>,
    ) -> Result<Option<(Export, Cursor)>, SourceError> {
        let stamp = std::fs::metadata(file)
            .and_then(|about| export::stamp(&about))
            .ok();
        if let Some(known) = &known
            && known.length > 0
            && stamp == Some((known.length, known.modified))
        {
            return Ok(None);
        }
        let mut export = self.open(file)?;
        if let Some(known) = known {
            let mut cursor = beginning(file);
            while cursor.rows < known.rows
                && let Some(row) = export.next_row(file)?
            {
                step(&mut cursor, &row);
            }
            if cursor.rows_hash == known.rows_hash {
                return Ok(Some((export, cursor)));
            }
            export = self.open(file)?;
        }
        Ok(Some((export, beginning(file))))
    }

    async fn read_file(&self, file: &Path, round: &Round<'_>) -> Result<(), SourceError> {
        let source = &round.definition.name;
        let known = round.publisher.state().cursor(source, file).await?;
        let resumed = tokio::task::block_in_place(|| self.resume(file, known))?;
        let Some((mut export, mut cursor)) = resumed else {
            return Ok(());
        };
        let before = cursor.rows;
        if before > 0 {
            info!(source, "import goes on behind {before} rows read before");
        }
        let (mut sent, mut refused) = (0_u64, 0_u64);
        let mut items = Vec::with_capacity(BATCH);
        let mut before_last = cursor.clone();
        while let Some(row) = tokio::task::block_in_place(|| export.next_row(file))? {
            if round.stop.is_cancelled() {
                return Ok(());
            }
            before_last.clone_from(&cursor);
            step(&mut cursor, &row);
            let fields = row.fields.and_then(|fields| {
                export.check_charset(&fields)?;
                self.item(&fields, round)
            });
            match fields {
                Ok(item) => items.push(item),
                Err(problem) => {
                    refused += 1;
                    let place = format!("{}:{}", file.display(), row.line);
                    round.refuse(&place, &problem).await?;
                }
            }
            if items.len() == BATCH {
                let batch = std::mem::take(&mut items);
                sent += round.publish(batch, Some(&cursor)).await?;
            }
            let rows = cursor.rows - before;
            if rows.is_multiple_of(PROGRESS) {
                info!(source, "imported {rows} rows so far");
            }
        }
        let rows = cursor.rows - before;
        // A last row without an end of line may be half written: it is read again once the file grows.
        let mut end = match export.ends_in_full || rows == 0 {
            true => cursor,
            false => before_last,
        };
        end.length = export.length;
        end.modified = export.modified;
        sent += round.publish(items, Some(&end)).await?;
        info!(
            source,
            file = %file.display(),
            "imported {rows} rows, {sent} sent, {refused} refused"
        );
        Ok(())
    }
}

fn beginning(file: &Path) -> Cursor {
    Cursor {
        file: file.to_owned(),
        rows_hash: String::new(),
        length: 0,
        modified: 0,
        rows: 0,
    }
}

fn step(cursor: &mut Cursor, row: &Row) {
    cursor.rows += 1;
    cursor.rows_hash = backbone::id::of("rows", &[&cursor.rows_hash, &row.raw]);
}

#[cfg(test)]
mod tests {
    use super::matches;

    #[test]
    fn a_star_stands_for_anything() {
        for (pattern, name, expected) in [
            ("*.csv", "热线.csv", true),
            ("*.csv", "a.csv.part", false),
            ("热线-*-*.csv", "热线-2023-07.csv", true),
            ("a*", "b", false),
            ("a.csv", "a.csv", true),
        ] {
            assert_eq!(matches(pattern, name), expected, "{pattern} {name}");
        }
    }
}
