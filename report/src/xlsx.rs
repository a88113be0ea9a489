//! The tables as a workbook: a sheet each, numbers as numbers, and a first sheet that lists them.

use rust_xlsxwriter::{
    DocProperties, ExcelDateTime, Format as Style, FormatAlign, FormatBorder, Url, Workbook,
    Worksheet, XlsxError,
};

use crate::csv::plain;
use crate::document::whole_link;
use crate::{Cell, Column, Document, Form, ReportError, Table, Value};

/// What a cell is, if no word of it is wider.
const NARROWEST: f64 = 8.0;
/// A column wider than this is wrapped.
const WIDEST: f64 = 60.0;

/// The workbook.
///
/// # Errors
/// If the library that writes it fails.
pub(crate) fn write(document: &Document) -> Result<Vec<u8>, ReportError> {
    book(document).map_err(|problem| Form::Xlsx.fault(problem))
}

fn book(document: &Document) -> Result<Vec<u8>, XlsxError> {
    let mut book = Workbook::new();
    let date = document.date;
    let created = ExcelDateTime::from_ymd(
        u16::try_from(date.year()).unwrap_or(1900),
        date.month().unsigned_abs(),
        date.day().unsigned_abs(),
    )?;
    let properties = DocProperties::new()
        .set_title(plain(&document.title))
        .set_company(plain(&document.issuer))
        .set_creation_datetime(&created);
    book.set_properties(&properties);

    let tables = document.named_tables();
    let contents = book.add_worksheet();
    contents.set_name("目录")?;
    list_sheets(contents, document, &tables)?;
    for (name, table) in tables {
        let sheet = book.add_worksheet();
        sheet.set_name(name)?;
        write_table(sheet, table)?;
    }
    book.save_to_buffer()
}

fn list_sheets(
    sheet: &mut Worksheet,
    document: &Document,
    tables: &[(String, &Table)],
) -> Result<(), XlsxError> {
    let bold = Style::new().set_bold();
    sheet
        .set_column_width(0, 20)?
        .set_column_width(1, 60)?
        .set_column_width(2, 10)?;
    let title = Style::new().set_bold().set_font_size(16);
    sheet.write_string_with_format(0, 0, plain(&document.title), &title)?;
    sheet.write_string(1, 0, plain(&document.subtitle))?;
    sheet.write_string(2, 0, plain(&document.issuer))?;
    sheet.write_string(3, 0, crate::wording::full_day(document.date))?;
    for (at, head) in (0..).zip(["工作表", "内容", "行数"]) {
        sheet.write_string_with_format(5, at, head, &bold)?;
    }
    for (row, (name, table)) in (6..).zip(tables) {
        let link = Url::new(format!("internal:'{name}'!A1")).set_text(name);
        sheet.write_url(row, 0, link)?;
        sheet.write_string(row, 1, plain(&table.title))?;
        let rows = u32::try_from(table.rows.len()).unwrap_or(u32::MAX);
        sheet.write_number(row, 2, rows)?;
    }
    Ok(())
}

fn write_table(sheet: &mut Worksheet, table: &Table) -> Result<(), XlsxError> {
    sheet.set_freeze_panes(1, 0)?;
    sheet.set_repeat_rows(0, 0)?;
    for (at, column) in (0..).zip(&table.columns) {
        let align = if column.number {
            FormatAlign::Right
        } else {
            FormatAlign::Left
        };
        let head = Style::new()
            .set_bold()
            .set_align(align)
            .set_border_bottom(FormatBorder::Thin);
        sheet.write_string_with_format(0, at, plain(&column.name), &head)?;
        sheet.set_column_width(at, width(table, usize::from(at), column))?;
    }
    for (row, cells) in (1..).zip(&table.rows) {
        for (at, cell) in (0..).zip(cells) {
            write_cell(sheet, row, at, cell)?;
        }
    }
    Ok(())
}

fn write_cell(sheet: &mut Worksheet, row: u32, at: u16, cell: &Cell) -> Result<(), XlsxError> {
    // Only whole addresses: one within the site leads nowhere from a file.
    let link = cell.link.as_deref().and_then(whole_link);
    let style = match link {
        Some(link) => {
            sheet.write_url(row, at, Url::new(link))?;
            Style::new().set_hyperlink()
        }
        None => Style::new(),
    };
    let (value, format) = match &cell.value {
        Value::Number { value, digits } => (*value, format!("#,##0{}", after_point(*digits))),
        Value::Percent { value, digits } => (*value, format!("0{}%", after_point(*digits))),
        Value::Signed { value, digits } => {
            let number = format!("#,##0{}", after_point(*digits));
            (*value, format!("+{number};-{number};0"))
        }
        Value::Text(text) => {
            let wrapped = style.set_text_wrap().set_align(FormatAlign::Top);
            // A string is no formula, whatever it begins with.
            sheet.write_string_with_format(row, at, plain(text), &wrapped)?;
            return Ok(());
        }
        Value::Empty => (f64::NAN, String::new()),
    };
    if value.is_finite() {
        sheet.write_number_with_format(row, at, value, &style.set_num_format(format))?;
    } else {
        let right = style.set_align(FormatAlign::Right);
        sheet.write_string_with_format(row, at, Value::Empty.shown(), &right)?;
    }
    Ok(())
}

fn after_point(digits: u8) -> String {
    if digits == 0 {
        String::new()
    } else {
        format!(".{}", "0".repeat(usize::from(digits)))
    }
}

/// As wide as its longest text, a Chinese letter counting as two.
fn width(table: &Table, at: usize, column: &Column) -> f64 {
    let texts = (table.rows.iter())
        .filter_map(|row| row.get(at))
        .map(|cell| cell.value.shown());
    let longest = texts
        .chain([column.name.clone()])
        .map(|text| -> u32 {
            text.chars()
                .take(200)
                .map(|letter| if letter.is_ascii() { 1 } else { 2 })
                .sum()
        })
        .max()
        .unwrap_or_default();
    (f64::from(longest) + 2.0).clamp(NARROWEST, WIDEST)
}
