//! Papers as an office opens them: DOCX by its schemas and in LibreOffice, PDF as a reader sees it.
//!
//! Needs Debian's libreoffice-writer-nogui, poppler-utils, Java and Maven; `tests/run` installs them.

use std::io::{Cursor, Read};
use std::path::{Path, PathBuf};
use std::process::Command;

use report::{Block, Document, Fonts, Form, Run};

use crate::paper;

fn papers() -> [(&'static str, Document); 3] {
    [
        ("weekly", paper::weekly(30)),
        ("brief", paper::brief()),
        ("words", paper::words()),
    ]
}

fn written(document: &Document, form: Form, stem: &str, folder: &Path) -> PathBuf {
    let fonts = Fonts::find(&[]).unwrap();
    let file = document.write(form, stem, &fonts).unwrap().remove(0);
    let path = folder.join(file.name);
    std::fs::write(&path, file.bytes).unwrap();
    path
}

fn said_by(program: &str, command: &mut Command) -> String {
    let output = command.output().unwrap_or_else(|problem| {
        panic!("{program}: {problem}; apt-get install libreoffice-writer-nogui poppler-utils")
    });
    assert!(output.status.success(), "{program}: {output:?}");
    String::from_utf8(output.stdout).unwrap()
}

/// The pages of a PDF, each its text without space.
fn pages(pdf: &Path) -> Vec<String> {
    let text = said_by(
        "pdftotext",
        Command::new("pdftotext")
            .args(["-raw", "-enc", "UTF-8"])
            .arg(pdf)
            .arg("-"),
    );
    let pages = text.strip_suffix('\u{c}').unwrap_or(&text);
    pages.split('\u{c}').map(without_space).collect()
}

fn without_space(text: &str) -> String {
    text.chars()
        .filter(|letter| !letter.is_whitespace())
        .collect()
}

/// What the report says, paragraph by paragraph.
fn sayings(document: &Document) -> Vec<String> {
    let text =
        |runs: &[Run]| without_space(&runs.iter().map(|run| run.text.as_str()).collect::<String>());
    let mut sayings = vec![
        without_space(&document.title),
        without_space(&document.issuer),
    ];
    for block in &document.blocks {
        match block {
            Block::Heading { text: runs, .. } | Block::Paragraph(runs) | Block::Quote(runs) => {
                sayings.push(text(runs))
            }
            Block::List(items) => {
                sayings.extend(items.iter().map(|item| format!("——{}", text(item))))
            }
            Block::Table(table) => {
                sayings.push(without_space(&table.title));
                sayings.extend(
                    table
                        .rows
                        .iter()
                        .flatten()
                        .map(|cell| without_space(&cell.value.shown())),
                );
            }
            Block::Chart(chart) => sayings.push(without_space(&chart.title)),
        }
    }
    // What is no letter is not written, and a reader of PDF has no way to tell it.
    let kept = |letter: &char| !letter.is_control() && !matches!(letter, '\u{fffe}' | '\u{202e}');
    sayings
        .iter()
        .map(|saying| saying.chars().filter(kept).collect())
        .collect()
}

/// The papers' pages in their order, all that is said on them, and the number of each page.
fn reads_as_it_was_written(
    document: &Document,
    pages: &[String],
    expected: std::ops::RangeInclusive<usize>,
) {
    assert!(
        expected.contains(&pages.len()),
        "{}: {} pages",
        document.title,
        pages.len()
    );
    let mut whole = String::new();
    for (at, page) in pages.iter().enumerate() {
        let number = format!("—{}—", at + 1);
        assert!(
            page.contains(&number),
            "page {} of {} has no number: {page}",
            at + 1,
            document.title
        );
        whole.push_str(&page.replace(&number, ""));
    }
    for saying in sayings(document) {
        assert!(
            whole.contains(&saying),
            "{}: {saying:?} is not in {whole}",
            document.title
        );
    }
}

#[test]
fn libreoffice_opens_the_docx_and_every_page_says_what_the_report_says() {
    let folder = tempfile::tempdir().unwrap();
    for (stem, document) in papers() {
        written(&document, Form::Docx, stem, folder.path());
    }
    let profile = format!(
        "-env:UserInstallation=file://{}/profile",
        folder.path().display()
    );
    said_by(
        "soffice",
        Command::new("soffice")
            .args([&profile, "--headless", "--convert-to", "pdf", "--outdir"])
            .arg(folder.path())
            .args(papers().map(|(stem, _)| folder.path().join(format!("{stem}.docx")))),
    );
    for ((stem, document), expected) in papers().into_iter().zip([6..=8, 1..=1, 4..=4]) {
        let pages = pages(&folder.path().join(format!("{stem}.pdf")));
        reads_as_it_was_written(&document, &pages, expected);
    }
}

#[test]
fn the_pdf_says_the_same_and_is_tagged() {
    let folder = tempfile::tempdir().unwrap();
    for ((stem, document), expected) in papers().into_iter().zip([6..=8, 1..=1, 4..=4]) {
        let path = written(&document, Form::Pdf, stem, folder.path());
        reads_as_it_was_written(&document, &pages(&path), expected);
        let about = said_by(
            "pdfinfo",
            Command::new("pdfinfo").env("TZ", "UTC").arg(&path),
        );
        assert!(
            about.contains(&format!("Title:           {}", document.title)),
            "{about}"
        );
        assert!(
            about.contains("Tagged:          yes") && !about.contains("Author"),
            "{about}"
        );
        assert!(
            about.contains("Page size:       595.276 x 841.89 pts (A4)"),
            "{about}"
        );
        assert!(about.contains("2026") && about.contains("Nov"), "{about}");
    }
}

#[test]
fn the_docx_keeps_to_the_schemas_of_word() {
    let check = |parts: &[PathBuf]| {
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/schema/run");
        Command::new(script).args(parts).output().unwrap()
    };
    let folder = tempfile::tempdir().unwrap();
    let mut parts = Vec::new();
    for (stem, document) in papers() {
        let path = written(&document, Form::Docx, stem, folder.path());
        let bytes = std::fs::read(path).unwrap();
        let mut package = zip::ZipArchive::new(Cursor::new(bytes)).unwrap();
        for at in 0..package.len() {
            let mut file = package.by_index(at).unwrap();
            let name = file.name().unwrap().replace(['/', '[', ']'], "_");
            let known =
                name.ends_with(".xml") && name.starts_with("word") || name.ends_with(".rels");
            if known {
                let mut text = String::new();
                file.read_to_string(&mut text).unwrap();
                // The checker goes by the end of a name.
                let part = folder
                    .path()
                    .join(format!("{stem}{}.xml", name.replace('.', "_")));
                std::fs::write(&part, text).unwrap();
                parts.push(part);
            }
        }
    }
    assert_eq!(parts.len(), 3 * 8, "{parts:?}");
    let output = check(&parts);
    assert!(output.status.success(), "{output:?}");

    // The checker would see it if something stood where it may not.
    let main = std::fs::read_to_string(folder.path().join("briefword_document_xml.xml")).unwrap();
    let wrong = folder.path().join("wrong.xml");
    std::fs::write(
        &wrong,
        main.replace("<w:docGrid", "<w:pgSz w:w=\"1\"/><w:docGrid"),
    )
    .unwrap();
    assert!(!check(&[wrong]).status.success());
}
