//! A report is written in every form: what people wrote stays text, and the same report is the same bytes.

use std::io::{Cursor, Read};

use calamine::{Data, Reader, Xlsx};
use report::{Block, Document, Figures, File, Fonts, Form, Run};

use crate::paper;

fn write(document: &Document, form: Form, fonts: &Fonts) -> Vec<File> {
    document.write(form, "weekly", fonts).unwrap()
}

fn one(document: &Document, form: Form) -> Vec<u8> {
    let fonts = Fonts::find(&[]).unwrap();
    let mut files = write(document, form, &fonts);
    assert_eq!(files.len(), 1);
    files.remove(0).bytes
}

fn part(package: &[u8], name: &str) -> String {
    let mut package = zip::ZipArchive::new(Cursor::new(package)).unwrap();
    let mut text = String::new();
    package
        .by_name(name)
        .unwrap()
        .read_to_string(&mut text)
        .unwrap();
    text
}

/// A hostile title as it must be read: its letters in one line.
fn as_read(title: &str) -> String {
    let kept = |letter: &char| {
        letter.is_whitespace()
            || !(letter.is_control() || matches!(letter, '\u{fffe}' | '\u{202e}'))
    };
    let text: String = title.chars().filter(kept).collect();
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[test]
fn hostile_titles_come_through_the_template_as_plain_text() {
    let document = paper::weekly(4);
    let plain = |text: &str| vec![Run::plain(text)];
    for title in paper::HOSTILE {
        let read = as_read(title);
        let paragraph = Block::Paragraph(plain(&format!("网民反映：{read}")));
        assert!(
            document.blocks.contains(&paragraph),
            "{title:?} in {:#?}",
            document.blocks
        );
        assert!(
            document.blocks.contains(&Block::Quote(plain(&read))),
            "{title:?}"
        );
        assert!(
            document.blocks.contains(&Block::List(vec![plain(&read)])),
            "{title:?}"
        );
    }
    // Nothing but what the template asks for.
    assert_eq!(document.tables().count(), 2);
    let headings = document
        .blocks
        .iter()
        .filter(|block| matches!(block, Block::Heading { .. }));
    assert_eq!(headings.count(), 6);
}

#[test]
fn the_page_is_whole_in_itself_and_runs_nothing() {
    let page = String::from_utf8(one(&paper::weekly(8), Form::Html)).unwrap();
    for never in [
        "<script",
        "href=\"javascript",
        "onclick='",
        "<b ",
        "src=",
        "url(http",
        "@import",
        "\u{7}",
        "\u{0}",
    ] {
        assert!(!page.contains(never), "{never}");
    }
    assert_eq!(page.matches("<h1").count(), 1);
    assert!(page.contains("lang=\"zh-CN\""));
    assert!(page.contains("&#60;script&#62;alert(1)&#60;/script&#62;"));
    assert!(page.contains("rel=\"noreferrer\">12,345</a>"));
    assert_eq!(page.matches("<caption>").count(), 2);
    assert_eq!(page.matches("<figcaption>").count(), 3);
    assert_eq!(page.matches("scope=\"col\"").count(), 8);
    assert_eq!(
        page.matches("scope=\"row\"").count(),
        8 + paper::HOSTILE.len()
    );
}

/// Reads XML to its end.
fn assert_is_xml(name: &str, text: &str) {
    let mut reader = quick_xml::Reader::from_str(text);
    reader.config_mut().check_end_names = true;
    loop {
        match reader.read_event() {
            Ok(quick_xml::events::Event::Eof) => break,
            Ok(_) => {}
            Err(problem) => panic!("{name}: {problem}"),
        }
    }
}

#[test]
fn a_chart_says_what_it_shows_and_its_series_differ_without_colour() {
    for title in paper::HOSTILE {
        for mut chart in paper::figures(1).charts {
            chart.title = title.to_owned();
            chart.words = title.to_owned();
            for series in &mut chart.series {
                series.name = title.to_owned();
            }
            let svg = report::chart::svg(&chart);
            assert_is_xml(title, &svg);
            assert!(svg.contains("<title>") && svg.contains("<desc>"));
            assert!(!svg.contains("<script") && !svg.contains(" style=") && !svg.contains("href"));
        }
    }
    let charts = paper::figures(1).charts;
    let year = report::chart::svg(&charts[3]);
    for dashes in ["stroke-dasharray=\"9 4\"", "stroke-dasharray=\"3 3\""] {
        assert!(year.contains(dashes), "{dashes}");
    }
    // What has no length is no bar: whoever draws it complains.
    for mut chart in charts.clone() {
        for series in &mut chart.series {
            series.values.fill(Some(0.0));
        }
        let svg = report::chart::svg(&chart);
        assert!(
            !svg.contains("width=\"0\"") && !svg.contains("height=\"0\""),
            "{svg}"
        );
    }
    let places = report::chart::svg(&charts[1]);
    assert!(places.contains("fill=\"#0072b2\"") && places.contains("fill=\"url(#fill-places-1)\""));
}

#[test]
fn every_part_of_the_docx_is_xml_and_says_what_the_report_says() {
    let bytes = one(&paper::weekly(8), Form::Docx);
    let mut package = zip::ZipArchive::new(Cursor::new(bytes.as_slice())).unwrap();
    for at in 0..package.len() {
        let mut file = package.by_index(at).unwrap();
        let name = file.name().unwrap().into_owned();
        if !name.ends_with(".png") {
            let mut text = String::new();
            file.read_to_string(&mut text).unwrap();
            assert_is_xml(&name, &text);
        }
    }
    let main = part(&bytes, "word/document.xml");
    assert!(main.contains("&lt;script&gt;alert(1)&lt;/script&gt;"));
    assert_eq!(main.matches("<w:tblHeader/>").count(), 2);
    assert_eq!(main.matches("<w:drawing>").count(), 3);
    let relations = part(&bytes, "word/_rels/document.xml.rels");
    assert!(!relations.contains("javascript"));
    assert!(relations.contains("https://console.example/search?subject=1&amp;from=2026-11-03"));
    // Word opens no document with an address that is none.
    let run = Run {
        link: Some("https://a.example/甲 [乙]%zz%20".to_owned()),
        ..Run::plain("丙")
    };
    let document = Document {
        blocks: vec![Block::Paragraph(vec![run])],
        ..paper::brief()
    };
    let relations = part(&one(&document, Form::Docx), "word/_rels/document.xml.rels");
    assert!(
        relations.contains("\"https://a.example/%E7%94%B2%20%5B%E4%B9%99%5D%25zz%20\""),
        "{relations}"
    );
    let core = part(&bytes, "docProps/core.xml");
    assert!(core.contains("2026-11-10T00:00:00Z") && !core.contains("creator"));
}

#[test]
fn the_workbook_has_numbers_as_numbers_and_no_formula() {
    let mut book: Xlsx<_> = Xlsx::new(Cursor::new(one(&paper::weekly(8), Form::Xlsx))).unwrap();
    assert_eq!(book.sheet_names(), ["目录", "subjects", "titles"]);
    for sheet in book.sheet_names() {
        let formulas = book.worksheet_formula(&sheet).unwrap();
        assert!(
            formulas
                .used_cells()
                .all(|(_, _, formula)| formula.is_empty())
        );
    }
    let subjects = book.worksheet_range("subjects").unwrap();
    assert_eq!(
        subjects.get_value((0, 2)),
        Some(&Data::String("帖文（件）".to_owned()))
    );
    assert_eq!(subjects.get_value((1, 2)), Some(&Data::Float(12_345.0)));
    assert_eq!(subjects.get_value((1, 3)), Some(&Data::Float(0.31)));
    assert_eq!(subjects.get_value((2, 4)), Some(&Data::Float(-7.0)));
    assert_eq!(
        subjects.get_value((3, 5)),
        Some(&Data::String("—".to_owned()))
    );
    let titles = book.worksheet_range("titles").unwrap();
    assert_eq!(
        titles.get_value((17, 0)),
        Some(&Data::String(paper::HOSTILE[16].to_owned()))
    );
    let contents = book.worksheet_range("目录").unwrap();
    assert_eq!(
        contents.get_value((0, 0)),
        Some(&Data::String("奉新县网络舆情周报".to_owned()))
    );
}

#[test]
fn each_table_is_a_csv_for_excel_without_formulas() {
    let files = write(&paper::weekly(8), Form::Csv, &Fonts::default());
    let names: Vec<&str> = files.iter().map(|file| file.name.as_str()).collect();
    assert_eq!(names, ["weekly-subjects.csv", "weekly-titles.csv"]);
    for file in &files {
        let text = std::str::from_utf8(&file.bytes).unwrap();
        let text = text.strip_prefix('\u{feff}').expect("the mark of UTF-8");
        let mut reader = csv::Reader::from_reader(text.as_bytes());
        for row in reader.records() {
            let row = row.unwrap();
            for cell in &row {
                let number = cell.trim_end_matches('%').parse::<f64>().is_ok();
                assert!(
                    number || !cell.starts_with(['=', '+', '-', '@', '\t']),
                    "{cell}"
                );
            }
        }
    }
    let text = String::from_utf8(files[0].bytes.clone()).unwrap();
    assert!(
        text.contains("2,交通出行,6173,15.5%,-7,-0.42\r\n")
            || text.contains("2,交通出行,6172,15.5%,-7,-0.42\r\n"),
        "{text}"
    );
}

#[test]
fn a_table_placed_twice_is_one_file_and_two_of_one_name_are_two() {
    let mut document = paper::brief();
    let table = |name: &str, title: &str| report::Table {
        name: name.to_owned(),
        title: title.to_owned(),
        columns: vec![],
        rows: vec![],
    };
    for (name, title) in [
        ("a", "甲"),
        ("a", "甲"),
        ("A", "乙"),
        ("../../etc/passwd", "丙"),
        ("", "丁"),
        ("[目录]*?", "戊"),
    ] {
        document.blocks.push(Block::Table(table(name, title)));
    }
    let files = write(&document, Form::Csv, &Fonts::default());
    let names: Vec<&str> = files.iter().map(|file| file.name.as_str()).collect();
    let expected =
        ["a", "A-2", "etcpasswd", "table", "table-2"].map(|name| format!("weekly-{name}.csv"));
    assert_eq!(names, expected);
    let book: Xlsx<_> = Xlsx::new(Cursor::new(one(&document, Form::Xlsx))).unwrap();
    assert_eq!(
        book.sheet_names(),
        ["目录", "a", "A-2", "etcpasswd", "table", "table-2"]
    );
}

#[test]
fn the_same_report_is_the_same_bytes_in_every_form() {
    for form in Form::ALL {
        let document = paper::weekly(8);
        // Fonts found anew, as another process would.
        let first = write(&document, form, &Fonts::find(&[]).unwrap());
        let second = write(&document, form, &Fonts::find(&[]).unwrap());
        assert!(first == second, "{}", form.name());
    }
}

#[test]
fn a_report_without_charts_needs_fonts_for_pdf_alone() {
    let none = Fonts::default();
    for form in Form::ALL {
        let written = paper::words().write(form, "words", &none);
        assert_eq!(written.is_err(), form == Form::Pdf, "{}", form.name());
    }
    let problem = paper::weekly(1)
        .write(Form::Docx, "weekly", &none)
        .unwrap_err();
    assert!(problem.to_string().contains("fonts-noto-cjk"), "{problem}");
}

#[test]
fn letters_that_no_font_has_keep_no_report_from_being_written() {
    let mut document = paper::brief();
    document.title = "路灯😀𠮷\u{10ffff}\u{e000}".to_owned();
    document
        .blocks
        .push(Block::Paragraph(vec![Run::plain("हिन्दी عربى \u{200d}👨‍👩‍👧")]));
    for form in Form::ALL {
        write(&document, form, &Fonts::find(&[]).unwrap());
    }
}

#[test]
fn a_report_of_nothing_is_written_in_every_form() {
    let mut document = paper::brief();
    document.blocks.clear();
    document.issuer.clear();
    let mut figures = paper::figures(0);
    for chart in &mut figures.charts {
        for series in &mut chart.series {
            series.values.clear();
            series.between.clear();
        }
    }
    for figures in [Figures::default(), figures] {
        document.blocks = (figures.tables.into_iter().map(Block::Table))
            .chain(figures.charts.into_iter().map(Block::Chart))
            .chain([
                Block::Paragraph(vec![]),
                Block::Heading {
                    level: 0,
                    text: vec![],
                },
                Block::Heading {
                    level: 9,
                    text: vec![Run::plain("")],
                },
                Block::List(vec![]),
                Block::List(vec![vec![]]),
                Block::Quote(vec![]),
            ])
            .collect();
        for form in Form::ALL {
            write(&document, form, &Fonts::find(&[]).unwrap());
        }
    }
}

/// Writes the papers where one can look at them: `PAPERS=folder cargo test -p report papers`.
#[test]
fn papers_to_look_at() {
    let Some(folder) = std::env::var_os("PAPERS").map(std::path::PathBuf::from) else {
        return;
    };
    let begin = std::time::Instant::now();
    let fonts = Fonts::find(&[]).unwrap();
    println!("fonts: {:?}", begin.elapsed());
    for (stem, document) in [
        ("weekly", paper::weekly(30)),
        ("brief", paper::brief()),
        ("words", paper::words()),
    ] {
        for form in Form::ALL {
            let begin = std::time::Instant::now();
            let files = document.write(form, stem, &fonts).unwrap();
            println!("{stem} {}: {:?}", form.name(), begin.elapsed());
            for file in files {
                std::fs::write(folder.join(file.name), file.bytes).unwrap();
            }
        }
    }
    for chart in paper::figures(1).charts {
        let svg = report::chart::svg(&chart);
        std::fs::write(folder.join(format!("{}.svg", chart.name)), svg).unwrap();
        let (png, ..) = report::chart::png(&chart, &fonts).unwrap();
        std::fs::write(folder.join(format!("{}.png", chart.name)), png).unwrap();
    }
}
