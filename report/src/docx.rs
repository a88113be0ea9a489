//! An official paper to be edited, laid out after GB/T 9704-2012.
//!
//! The parts of the package that are the same for each report are files in `assets/docx`; what differs is written here.
//! (A library for this was looked at: `docx-rs` 0.4 has no way to heads of tables that are repeated, to words for those
//! who do not see a picture, or to other names of fonts, and always names an author.)

mod blocks;

use std::io::{Cursor, Write};

use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, DateTime, ZipWriter};

use crate::layout::{DATE_FROM_RIGHT, issuer_from_right, office_size};
use crate::xml::escape;
use crate::{Document, Fonts, Form, Head, ReportError, wording};

const CONTENT_TYPES: &str = include_str!("../assets/docx/content_types.xml");
const PACKAGE_RELS: &str = include_str!("../assets/docx/package_rels.xml");
const STYLES: &str = include_str!("../assets/docx/styles.xml");
const SETTINGS: &str = include_str!("../assets/docx/settings.xml");
const FONT_TABLE: &str = include_str!("../assets/docx/fontTable.xml");
const FOOTER_ODD: &str = include_str!("../assets/docx/footer-odd.xml");
const FOOTER_EVEN: &str = include_str!("../assets/docx/footer-even.xml");

const XML: &str = "<?xml version=\"1.0\" encoding=\"UTF-8\" standalone=\"yes\"?>\n";
/// How the kinds of relationships of a document are called.
const KIND: &str = "http://schemas.openxmlformats.org/officeDocument/2006/relationships";

/// The document.
///
/// # Errors
/// If there are charts and no font to draw them, or a library fails.
pub(crate) fn write(document: &Document, fonts: &Fonts) -> Result<Vec<u8>, ReportError> {
    let body = blocks::Body::of(document, fonts)?;
    let main = main_part(document, &body);
    let relations = relations(&body);
    let core = core_properties(document);
    let mut parts: Vec<(String, &[u8])> = [
        ("[Content_Types].xml", CONTENT_TYPES),
        ("_rels/.rels", PACKAGE_RELS),
        ("docProps/core.xml", &core),
        ("word/document.xml", &main),
        ("word/_rels/document.xml.rels", &relations),
        ("word/styles.xml", STYLES),
        ("word/settings.xml", SETTINGS),
        ("word/fontTable.xml", FONT_TABLE),
        ("word/footer-odd.xml", FOOTER_ODD),
        ("word/footer-even.xml", FOOTER_EVEN),
    ]
    .map(|(name, text)| (name.to_owned(), text.as_bytes()))
    .into();
    for (at, picture) in body.pictures.iter().enumerate() {
        parts.push((format!("word/media/chart{at}.png"), picture));
    }
    packed(document, &parts)
}

fn packed(document: &Document, parts: &[(String, &[u8])]) -> Result<Vec<u8>, ReportError> {
    let date = document.date;
    // A package knows times from 1980 on.
    let time = DateTime::from_date_and_time(
        u16::try_from(date.year()).unwrap_or_default(),
        date.month().unsigned_abs(),
        date.day().unsigned_abs(),
        0,
        0,
        0,
    )
    .unwrap_or_default();
    let mut package = ZipWriter::new(Cursor::new(Vec::new()));
    for (name, bytes) in parts {
        let options = SimpleFileOptions::default()
            .compression_method(CompressionMethod::Deflated)
            .last_modified_time(time);
        package
            .start_file(name.as_str(), options)
            .map_err(|problem| Form::Docx.fault(problem))?;
        package
            .write_all(bytes)
            .map_err(|problem| Form::Docx.fault(problem))?;
    }
    let package = package
        .finish()
        .map_err(|problem| Form::Docx.fault(problem))?;
    Ok(package.into_inner())
}

fn core_properties(document: &Document) -> String {
    let title = escape(&document.title);
    let date = document.date;
    format!(
        "{XML}<cp:coreProperties xmlns:cp=\"http://schemas.openxmlformats.org/package/2006/metadata/core-properties\" \
         xmlns:dc=\"http://purl.org/dc/elements/1.1/\" xmlns:dcterms=\"http://purl.org/dc/terms/\" \
         xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\"><dc:title>{title}</dc:title><dc:language>zh-CN</dc:language>\
         <dcterms:created xsi:type=\"dcterms:W3CDTF\">{date}T00:00:00Z</dcterms:created>\
         <dcterms:modified xsi:type=\"dcterms:W3CDTF\">{date}T00:00:00Z</dcterms:modified></cp:coreProperties>"
    )
}

fn relations(body: &blocks::Body) -> String {
    let mut written = format!(
        "{XML}<Relationships xmlns=\"http://schemas.openxmlformats.org/package/2006/relationships\">"
    );
    for (id, kind, target) in [
        ("styles", "styles", "styles.xml"),
        ("settings", "settings", "settings.xml"),
        ("fonts", "fontTable", "fontTable.xml"),
        ("odd", "footer", "footer-odd.xml"),
        ("even", "footer", "footer-even.xml"),
    ] {
        written.push_str(&format!(
            "<Relationship Id=\"{id}\" Type=\"{KIND}/{kind}\" Target=\"{target}\"/>"
        ));
    }
    for at in 0..body.pictures.len() {
        written.push_str(&format!(
            "<Relationship Id=\"chart{at}\" Type=\"{KIND}/image\" Target=\"media/chart{at}.png\"/>"
        ));
    }
    for (at, link) in body.links.iter().enumerate() {
        written.push_str(&format!(
            "<Relationship Id=\"link{at}\" Type=\"{KIND}/hyperlink\" Target=\"{}\" TargetMode=\"External\"/>",
            escape(link)
        ));
    }
    written.push_str("</Relationships>");
    written
}

fn main_part(document: &Document, body: &blocks::Body) -> String {
    let mut written = format!(
        "{XML}<w:document xmlns:w=\"http://schemas.openxmlformats.org/wordprocessingml/2006/main\" xmlns:r=\"{KIND}\" \
         xmlns:wp=\"http://schemas.openxmlformats.org/drawingml/2006/wordprocessingDrawing\" \
         xmlns:a=\"http://schemas.openxmlformats.org/drawingml/2006/main\" \
         xmlns:pic=\"http://schemas.openxmlformats.org/drawingml/2006/picture\"><w:body>"
    );
    if let Some(head) = &document.head {
        written.push_str(&red_head(head));
    }
    written.push_str(&paragraph("Title", "", &document.title));
    if !document.subtitle.is_empty() {
        written.push_str(&paragraph("Subtitle", "", &document.subtitle));
    }
    written.push_str(&paragraph("Normal", "", ""));
    written.push_str(&body.xml);
    written.push_str(&signing(document));
    // A4 with the text area of 156 mm by 225 mm: 22 lines of 28 letters.
    written.push_str(
        "<w:sectPr><w:footerReference w:type=\"default\" r:id=\"odd\"/><w:footerReference w:type=\"even\" r:id=\"even\"/>\
         <w:pgSz w:w=\"11906\" w:h=\"16838\"/>\
         <w:pgMar w:top=\"2098\" w:right=\"1474\" w:bottom=\"1984\" w:left=\"1588\" w:header=\"851\" w:footer=\"1440\" w:gutter=\"0\"/>\
         <w:docGrid w:type=\"lines\" w:linePitch=\"579\"/></w:sectPr></w:body></w:document>",
    );
    written
}

/// A paragraph of one text.
fn paragraph(style: &str, properties: &str, text: &str) -> String {
    let text = match text {
        "" => String::new(),
        text => format!(
            "<w:r><w:t xml:space=\"preserve\">{}</w:t></w:r>",
            escape(text)
        ),
    };
    format!("<w:p><w:pPr><w:pStyle w:val=\"{style}\"/>{properties}</w:pPr>{text}</w:p>")
}

/// Whose paper it is in red, its number, and the red line.
fn red_head(head: &Head) -> String {
    // In half points.
    let size = 2 * office_size(&head.office);
    let office = format!(
        "<w:p><w:pPr><w:pStyle w:val=\"Office\"/></w:pPr><w:r><w:rPr><w:sz w:val=\"{size}\"/><w:szCs w:val=\"{size}\"/></w:rPr>\
         <w:t xml:space=\"preserve\">{}</w:t></w:r></w:p>",
        escape(&head.office)
    );
    let empty = paragraph("Normal", "", "");
    let number = paragraph("Number", "", &head.number);
    // Two empty lines above the number, two below the line.
    format!("{office}{empty}{empty}{number}{empty}{empty}")
}

/// The issuer centred over the date, which stands four letters from the right.
fn signing(document: &Document) -> String {
    let date = wording::full_day(document.date);
    // In half letters, of which one is 8 points or 160 twentieths.
    let indent = |halves: usize| {
        format!(
            "<w:ind w:rightChars=\"{}\" w:right=\"{}\"/>",
            halves * 50,
            halves * 160
        )
    };
    let mut written = paragraph("Sign", "", "");
    if !document.issuer.is_empty() {
        written.push_str(&paragraph(
            "Sign",
            &indent(issuer_from_right(document)),
            &document.issuer,
        ));
    }
    let last = format!("<w:keepNext w:val=\"0\"/>{}", indent(DATE_FROM_RIGHT));
    written.push_str(&paragraph("Sign", &last, &date));
    written
}
