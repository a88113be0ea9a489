//! What an official paper measures, the same in DOCX and PDF.

use crate::{Document, Table, wording};

/// From so many columns on a table is set smaller.
pub(crate) const MANY_COLUMNS: usize = 7;

/// How large a red head is set, in points: as one line of the text area takes, no larger than the pattern of the standard.
pub(crate) fn office_size(office: &str) -> usize {
    const AREA: usize = 440;
    (AREA / office.chars().count().max(1)).clamp(16, 48)
}

/// How wide a text is, in half letters.
pub(crate) fn halves(text: &str) -> usize {
    text.chars()
        .map(|letter| if letter.is_ascii() { 1 } else { 2 })
        .sum()
}

/// How far the date stands from the right, in half letters: four letters.
pub(crate) const DATE_FROM_RIGHT: usize = 8;

/// How far the issuer stands from the right, in half letters, to be centred over the date.
pub(crate) fn issuer_from_right(document: &Document) -> usize {
    let date = halves(&wording::full_day(document.date));
    let doubled = (2 * DATE_FROM_RIGHT + date).saturating_sub(halves(&document.issuer));
    doubled / 2
}

/// The widths of a table's columns as parts of `whole`: after their longest texts, none too narrow.
pub(crate) fn column_widths(table: &Table, whole: usize) -> Vec<usize> {
    const NARROWEST: usize = 4;
    const WIDEST: usize = 40;
    const MARGIN: usize = 2;
    let wanted: Vec<usize> = (table.columns.iter().enumerate())
        .map(|(at, column)| {
            let cells = table.rows.iter().filter_map(|row| row.get(at));
            let longest = cells.map(|cell| halves(&cell.value.shown())).max();
            let longest = longest.unwrap_or_default().max(halves(&column.name));
            longest.clamp(NARROWEST, WIDEST) + MARGIN
        })
        .collect();
    let all: usize = wanted.iter().sum();
    let mut widths: Vec<usize> = (wanted.iter())
        .map(|width| whole * width / all.max(1))
        .collect();
    let rest = whole - widths.iter().sum::<usize>();
    if let Some(last) = widths.last_mut() {
        *last += rest;
    }
    widths
}
