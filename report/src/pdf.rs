//! An official paper to be printed and kept, laid out after GB/T 9704-2012 by typst.
//!
//! The template is fixed and the report comes to it as data, so nothing in a report is ever markup. The world that typst
//! sees holds the template, that data, the charts and the fonts, and nothing else: no file, package or clock.

use serde_json::{Value as Json, json};
use typst::diag::{FileError, FileResult, SourceDiagnostic};
use typst::ecow::EcoVec;
use typst::foundations::{Bytes, Datetime, Duration, Smart};
use typst::syntax::{FileId, RootedPath, Source, VirtualPath, VirtualRoot};
use typst::text::{Font, FontBook};
use typst::utils::LazyHash;
use typst::{Library, LibraryExt, World};
use typst_layout::PagedDocument;
use typst_pdf::{PdfOptions, Timestamp};

use crate::document::whole_link;
use crate::fonts::{Faces, Use};
use crate::layout::{DATE_FROM_RIGHT, MANY_COLUMNS, column_widths, issuer_from_right, office_size};
use crate::xml::plain;
use crate::{Block, Cell, Chart, Document, Fonts, Form, ReportError, Run, Table, chart, wording};

const TEMPLATE: &str = include_str!("../assets/report.typ");

/// The document.
///
/// # Errors
/// If there is no font, or typst fails.
pub(crate) fn write(document: &Document, fonts: &Fonts) -> Result<Vec<u8>, ReportError> {
    let world = Desk::of(document, fonts)?;
    let fault = |problems: EcoVec<SourceDiagnostic>| {
        let told: Vec<&str> = problems
            .iter()
            .map(|problem| problem.message.as_str())
            .collect();
        Form::Pdf.fault(told.join("; "))
    };
    let pages = typst::compile::<PagedDocument>(&world)
        .output
        .map_err(fault)?;
    let options = PdfOptions {
        creator: Smart::Custom(None),
        timestamp: day(document).map(Timestamp::new_utc),
        ..PdfOptions::default()
    };
    let written = typst_pdf::pdf(&pages, &options).map_err(fault);
    // What typst keeps for a next time would grow with each report.
    typst::comemo::evict(0);
    written
}

fn day(document: &Document) -> Option<Datetime> {
    let date = document.date;
    let (month, day) = (date.month().unsigned_abs(), date.day().unsigned_abs());
    Datetime::from_ymd_hms(i32::from(date.year()), month, day, 0, 0, 0)
}

/// All that typst sees.
struct Desk<'a> {
    library: LazyHash<Library>,
    book: LazyHash<FontBook>,
    faces: &'a Faces,
    main: Source,
    files: Vec<(FileId, Bytes)>,
}

impl<'a> Desk<'a> {
    fn of(document: &Document, fonts: &'a Fonts) -> Result<Self, ReportError> {
        let data = data(document, fonts)?;
        let family = fonts.family(Use::Strong)?;
        let mut files = vec![(file("report.json")?, Bytes::from_string(data.to_string()))];
        for (at, chart) in document.charts().enumerate() {
            let drawing = Bytes::from_string(chart::svg_in(chart, family));
            files.push((file(&format!("chart{at}.svg"))?, drawing));
        }
        let faces = fonts.faces();
        Ok(Self {
            library: LazyHash::new(Library::default()),
            book: LazyHash::new(faces.book.clone()),
            faces,
            main: Source::new(file("report.typ")?, TEMPLATE.to_owned()),
            files,
        })
    }
}

fn file(name: &str) -> Result<FileId, ReportError> {
    let path = VirtualPath::new(name).map_err(|problem| Form::Pdf.fault(format!("{problem:?}")))?;
    Ok(RootedPath::new(VirtualRoot::Project, path).intern())
}

impl World for Desk<'_> {
    fn library(&self) -> &LazyHash<Library> {
        &self.library
    }

    fn book(&self) -> &LazyHash<FontBook> {
        &self.book
    }

    fn main(&self) -> FileId {
        self.main.id()
    }

    fn source(&self, id: FileId) -> FileResult<Source> {
        if id == self.main.id() {
            Ok(self.main.clone())
        } else {
            Err(FileError::AccessDenied)
        }
    }

    fn file(&self, id: FileId) -> FileResult<Bytes> {
        let known = self.files.iter().find(|(known, _)| *known == id);
        known
            .map(|(_, bytes)| bytes.clone())
            .ok_or(FileError::AccessDenied)
    }

    fn font(&self, index: usize) -> Option<Font> {
        self.faces.font(index)
    }

    fn today(&self, _: Option<Duration>) -> Option<Datetime> {
        None
    }
}

/// The report as the template takes it.
fn data(document: &Document, fonts: &Fonts) -> Result<Json, ReportError> {
    let mut charts = 0;
    let mut level_before = 0;
    let mut blocks = Vec::new();
    for block in &document.blocks {
        blocks.push(match block {
            Block::Heading { level, text } => {
                // A reader who goes by headings would look for the one that was left out.
                level_before = (*level).clamp(1, 3).min(level_before + 1);
                json!({ "kind": "heading", "level": level_before, "look": (*level).clamp(1, 3), "runs": runs(text) })
            }
            Block::Paragraph(text) => json!({ "kind": "paragraph", "runs": runs(text) }),
            Block::List(items) => {
                let items: Vec<Json> = items.iter().map(|item| runs(item)).collect();
                json!({ "kind": "list", "items": items })
            }
            Block::Quote(text) => json!({ "kind": "quote", "runs": runs(text) }),
            Block::Table(table) if table.columns.is_empty() => continue,
            Block::Table(table) => self::table(table),
            Block::Chart(chart) => {
                charts += 1;
                self::chart(chart, charts - 1)
            }
        });
    }
    let date = document.date;
    let head = document.head.as_ref().map(|head| {
        json!({ "office": plain(&head.office), "size": office_size(&head.office), "number": plain(&head.number) })
    });
    Ok(json!({
        "title": plain(&document.title),
        "subtitle": plain(&document.subtitle),
        "head": head,
        "issuer": plain(&document.issuer),
        "issuer_from_right": issuer_from_right(document),
        "date": wording::full_day(date),
        "date_from_right": DATE_FROM_RIGHT,
        "fonts": {
            "title": fonts.family(Use::Title)?,
            "text": fonts.family(Use::Text)?,
            "strong": fonts.family(Use::Strong)?,
            "second": fonts.family(Use::Second)?,
        },
        "blocks": blocks,
    }))
}

fn runs(runs: &[Run]) -> Json {
    (runs.iter())
        .map(|run| {
            let link = run.link.as_deref().and_then(whole_link);
            json!({ "text": plain(&run.text), "bold": run.bold, "link": link })
        })
        .collect()
}

fn table(table: &Table) -> Json {
    let cell = |cell: &Cell| {
        let link = cell.link.as_deref().and_then(whole_link);
        json!({ "text": plain(&cell.value.shown()), "bold": false, "link": link })
    };
    let columns = table.columns.len();
    let rows: Vec<Vec<Json>> = (table.rows.iter())
        .map(|row| {
            let mut cells: Vec<Json> = row.iter().take(columns).map(cell).collect();
            cells.resize(columns, json!({ "text": "", "bold": false, "link": null }));
            cells
        })
        .collect();
    let heads: Vec<Json> = (table.columns.iter())
        .map(|column| json!({ "name": plain(&column.name), "number": column.number }))
        .collect();
    json!({
        "kind": "table",
        "title": plain(&table.title),
        "small": columns >= MANY_COLUMNS,
        "widths": column_widths(table, 1_000),
        "columns": heads,
        "rows": rows,
    })
}

fn chart(chart: &Chart, at: usize) -> Json {
    let words = if chart.words.is_empty() {
        &chart.title
    } else {
        &chart.words
    };
    json!({ "kind": "chart", "file": format!("chart{at}.svg"), "title": plain(&chart.title), "words": plain(words) })
}
