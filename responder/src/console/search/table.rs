//! Posts as a table for spreadsheets: CSV and XLSX. What people wrote stays text: no cell becomes a formula.

use rust_xlsxwriter::{ExcelDateTime, Format as Style, Workbook, Worksheet};

/// How a table is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Format {
    /// Comma-separated, in UTF-8 with the mark by which Excel and WPS tell it.
    Csv,
    /// A workbook.
    Xlsx,
}

impl Format {
    /// The format of that name.
    pub(super) fn named(name: &str) -> Option<Self> {
        match name {
            "csv" => Some(Self::Csv),
            "xlsx" => Some(Self::Xlsx),
            _ => None,
        }
    }

    /// Its name, and the end of a file's name.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Csv => "csv",
            Self::Xlsx => "xlsx",
        }
    }

    /// The content type.
    pub(super) fn content_type(self) -> &'static str {
        match self {
            Self::Csv => "text/csv; charset=utf-8",
            Self::Xlsx => "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
        }
    }
}

/// A column: its head, and its width in a workbook.
pub(super) type Column = (&'static str, u16);

/// A cell.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Cell {
    Text(String),
    /// A time as it reads: `2026-11-26 08:30`; empty for none.
    Time(String),
}

/// Longest text of a cell, in characters: what a workbook takes.
const LONGEST_CELL: usize = 32_000;

/// A table that is being written. A workbook's rows go to a temporary file.
pub(super) enum Table {
    Csv(Box<csv::Writer<Vec<u8>>>),
    Xlsx { book: Box<Workbook>, rows: u32 },
}

impl Table {
    /// A table with its head.
    pub(super) fn begin(format: Format, columns: &[Column]) -> anyhow::Result<Self> {
        match format {
            Format::Csv => {
                let mut writer = csv::WriterBuilder::new()
                    .terminator(csv::Terminator::CRLF)
                    .from_writer("\u{feff}".as_bytes().to_vec());
                writer.write_record(columns.iter().map(|(title, _)| title))?;
                Ok(Self::Csv(Box::new(writer)))
            }
            Format::Xlsx => {
                let mut book = Workbook::new();
                let sheet = book.add_worksheet_with_constant_memory()?;
                sheet.set_name("帖文")?.set_freeze_panes(1, 0)?;
                let head = Style::new().set_bold();
                for (at, (_, width)) in (0..).zip(columns) {
                    sheet.set_column_width(at, *width)?;
                }
                for (at, (title, _)) in (0..).zip(columns) {
                    sheet.write_string_with_format(0, at, *title, &head)?;
                }
                Ok(Self::Xlsx {
                    book: Box::new(book),
                    rows: 1,
                })
            }
        }
    }

    /// Writes a row.
    pub(super) fn row(&mut self, cells: &[Cell]) -> anyhow::Result<()> {
        match self {
            Self::Csv(writer) => {
                let texts = cells.iter().map(|cell| match cell {
                    Cell::Text(text) => no_formula(plain(text)),
                    Cell::Time(time) => time.clone(),
                });
                writer.write_record(texts)?;
            }
            Self::Xlsx { book, rows } => {
                write_cells(book.worksheet_from_index(0)?, *rows, cells)?;
                *rows += 1;
            }
        }
        Ok(())
    }

    /// The file. `about` is told on a sheet of its own where there are sheets.
    pub(super) fn finish(self, about: &[(&str, String)]) -> anyhow::Result<Vec<u8>> {
        match self {
            Self::Csv(writer) => Ok(writer.into_inner()?),
            Self::Xlsx { mut book, .. } => {
                let sheet = book.add_worksheet();
                sheet.set_name("说明")?;
                sheet.set_column_width(0, 14)?.set_column_width(1, 80)?;
                for (row, (title, text)) in (0..).zip(about) {
                    sheet.write_string(row, 0, *title)?;
                    sheet.write_string(row, 1, plain(text))?;
                }
                Ok(book.save_to_buffer()?)
            }
        }
    }
}

fn write_cells(sheet: &mut Worksheet, row: u32, cells: &[Cell]) -> anyhow::Result<()> {
    let style = Style::new().set_num_format("yyyy-mm-dd hh:mm");
    for (at, cell) in (0..).zip(cells) {
        match cell {
            Cell::Text(text) if text.is_empty() => {}
            // A string is no formula, whatever it begins with.
            Cell::Text(text) => {
                sheet.write_string(row, at, plain(text))?;
            }
            Cell::Time(time) => {
                // A workbook has no times before 1900.
                match ExcelDateTime::parse_from_str(time) {
                    Ok(at_time) => sheet.write_datetime_with_format(row, at, &at_time, &style)?,
                    Err(_) => sheet.write_string(row, at, time)?,
                };
            }
        }
    }
    Ok(())
}

/// A text without the control characters that no spreadsheet shows, no longer than a cell may be.
fn plain(text: &str) -> String {
    (text.chars())
        .filter(|letter| *letter == '\n' || *letter == '\t' || !letter.is_control())
        .take(LONGEST_CELL)
        .collect()
}

/// A text that a spreadsheet would take for a formula begins with an apostrophe, as its users write it.
fn no_formula(text: String) -> String {
    const BEGINNINGS: [char; 11] = ['=', '+', '-', '@', '\t', '\r', '\n', '＝', '＋', '－', '＠'];
    if text.starts_with(BEGINNINGS) {
        format!("'{text}")
    } else {
        text
    }
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use calamine::{Data, Reader, Xlsx};

    use super::*;

    const COLUMNS: [Column; 3] = [("标题", 30), ("正文", 60), ("时间", 16)];

    /// What people write to harm those who open a table.
    fn hostile() -> Vec<String> {
        let mut texts: Vec<String> = [
            "=cmd|'/c calc'!A1",
            "+1+1",
            "-2",
            "@SUM(A1)",
            "\t=1",
            "＝1+1",
            "\r=1",
            "<script>alert(1)</script>",
            "逗号,引号\"换行\n第二行",
            "\u{202e}颠倒\u{202c}",
            "\u{0}\u{1}\u{b}铃\u{7}",
            "_x0041_",
            "'单引号",
            "  两边空白  ",
        ]
        .map(str::to_owned)
        .to_vec();
        texts.push("长".repeat(100_000));
        texts
    }

    fn written(format: Format) -> Vec<u8> {
        let mut table = Table::begin(format, &COLUMNS).unwrap();
        for text in hostile() {
            let cells = [
                Cell::Text(text.clone()),
                Cell::Text(text),
                Cell::Time("2026-11-26 08:30".to_owned()),
            ];
            table.row(&cells).unwrap();
        }
        table.finish(&[("条件", "=1+1".to_owned())]).unwrap()
    }

    #[test]
    fn csv_is_read_back_and_no_cell_is_a_formula() {
        let bytes = written(Format::Csv);
        let text = std::str::from_utf8(&bytes).unwrap();
        let text = text.strip_prefix('\u{feff}').expect("the mark of UTF-8");
        let mut reader = csv::Reader::from_reader(text.as_bytes());
        assert_eq!(reader.headers().unwrap(), vec!["标题", "正文", "时间"]);
        let rows: Vec<csv::StringRecord> = reader.records().map(Result::unwrap).collect();
        assert_eq!(rows.len(), hostile().len());
        for (row, text) in rows.iter().zip(hostile()) {
            let cell = &row[0];
            assert!(
                !cell.starts_with(['=', '+', '-', '@', '\t', '\r', '＝']),
                "{cell}"
            );
            let plain = plain(&text);
            assert!(cell == plain || cell == format!("'{plain}"), "{cell}");
            assert_eq!(&row[2], "2026-11-26 08:30");
        }
        assert_eq!(&rows[0][0], "'=cmd|'/c calc'!A1");
        assert_eq!(&rows[8][0], "逗号,引号\"换行\n第二行");
    }

    #[test]
    fn xlsx_is_read_back_and_no_cell_is_a_formula() {
        let mut book: Xlsx<_> = Xlsx::new(Cursor::new(written(Format::Xlsx))).unwrap();
        assert_eq!(book.sheet_names(), ["帖文", "说明"]);
        for sheet in book.sheet_names() {
            let formulas = book.worksheet_formula(&sheet).unwrap();
            assert!(
                formulas
                    .used_cells()
                    .all(|(_, _, formula)| formula.is_empty())
            );
        }
        let sheet = book.worksheet_range("帖文").unwrap();
        assert_eq!(sheet.height(), hostile().len() + 1);
        for (row, text) in sheet.rows().skip(1).zip(hostile()) {
            assert_eq!(row[0], Data::String(plain(&text)));
            let Data::DateTime(time) = &row[2] else {
                panic!("{:?} is no time", row[2]);
            };
            assert!(time.is_datetime());
        }
        let about = book.worksheet_range("说明").unwrap();
        assert_eq!(
            about.get_value((0, 1)),
            Some(&Data::String("=1+1".to_owned()))
        );
    }
}
