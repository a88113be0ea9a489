//! The blocks of a report in WordprocessingML.

use crate::document::whole_link;
use crate::layout::{MANY_COLUMNS, column_widths};
use crate::xml::escape;
use crate::{Block, Cell, Chart, Document, Fonts, ReportError, Run, Table, chart};

/// How wide the text area is, in twentieths of a point.
const AREA: usize = 8_844;
/// The same in the units of drawings: 156 mm.
const AREA_DRAWN: f64 = 5_616_000.0;
/// No drawing is higher than this: 190 mm.
const HIGHEST_DRAWN: f64 = 6_840_000.0;

/// What the blocks are, with what they refer to.
#[derive(Debug, Default)]
pub(super) struct Body {
    pub(super) xml: String,
    pub(super) links: Vec<String>,
    pub(super) pictures: Vec<Vec<u8>>,
}

impl Body {
    pub(super) fn of(document: &Document, fonts: &Fonts) -> Result<Self, ReportError> {
        let mut body = Self::default();
        for block in &document.blocks {
            match block {
                Block::Heading { level, text } => {
                    let style = format!("Heading{}", (*level).clamp(1, 3));
                    body.paragraph(&style, text);
                }
                Block::Paragraph(text) => body.paragraph("Normal", text),
                Block::List(items) => {
                    for item in items {
                        // An official paper marks what it enumerates by a dash.
                        let dash = Run::plain("——");
                        let item: Vec<Run> =
                            std::iter::once(dash).chain(item.iter().cloned()).collect();
                        body.paragraph("Normal", &item);
                    }
                }
                Block::Quote(text) => body.paragraph("Quote", text),
                Block::Table(table) => body.table(table),
                Block::Chart(chart) => body.chart(chart, fonts)?,
            }
        }
        Ok(body)
    }

    fn paragraph(&mut self, style: &str, runs: &[Run]) {
        self.xml.push_str(&format!(
            "<w:p><w:pPr><w:pStyle w:val=\"{style}\"/></w:pPr>"
        ));
        for run in runs {
            let bold = if run.bold {
                "<w:rPr><w:b/><w:bCs/></w:rPr>"
            } else {
                ""
            };
            self.linked(run.link.as_deref(), bold, &run.text);
        }
        self.xml.push_str("</w:p>");
    }

    /// Text, black and without a line below it even where it leads somewhere.
    fn linked(&mut self, link: Option<&str>, properties: &str, text: &str) {
        let run = format!(
            "<w:r>{properties}<w:t xml:space=\"preserve\">{}</w:t></w:r>",
            escape(text)
        );
        match link.and_then(whole_link) {
            Some(link) => {
                let at = self.link(link);
                self.xml.push_str(&format!(
                    "<w:hyperlink r:id=\"link{at}\">{run}</w:hyperlink>"
                ));
            }
            None => self.xml.push_str(&run),
        }
    }

    /// The number of a link, each kept once.
    fn link(&mut self, link: &str) -> usize {
        let link = uri(link);
        match self.links.iter().position(|known| *known == link) {
            Some(at) => at,
            None => {
                self.links.push(link);
                self.links.len() - 1
            }
        }
    }

    fn table(&mut self, table: &Table) {
        if table.columns.is_empty() {
            return;
        }
        let style = if table.columns.len() >= MANY_COLUMNS {
            "SmallCell"
        } else {
            "Cell"
        };
        self.xml
            .push_str(&super::paragraph("Caption", "<w:keepNext/>", &table.title));
        self.xml.push_str(&format!(
            "<w:tbl><w:tblPr><w:tblStyle w:val=\"Lines\"/><w:tblW w:w=\"{AREA}\" w:type=\"dxa\"/><w:jc w:val=\"center\"/>\
             <w:tblLayout w:type=\"fixed\"/><w:tblLook w:val=\"0020\" w:firstRow=\"1\" w:lastRow=\"0\" w:firstColumn=\"0\" w:lastColumn=\"0\" w:noHBand=\"1\" w:noVBand=\"1\"/>\
             <w:tblCaption w:val=\"{}\"/></w:tblPr><w:tblGrid>",
            escape(&table.title)
        ));
        let widths = column_widths(table, AREA);
        for width in &widths {
            self.xml.push_str(&format!("<w:gridCol w:w=\"{width}\"/>"));
        }
        self.xml
            .push_str("</w:tblGrid><w:tr><w:trPr><w:cantSplit/><w:tblHeader/></w:trPr>");
        let bold = "<w:rPr><w:rFonts w:ascii=\"黑体\" w:hAnsi=\"黑体\" w:eastAsia=\"黑体\" w:cs=\"黑体\"/></w:rPr>";
        for (column, width) in table.columns.iter().zip(&widths) {
            self.cell_start(*width, style, "<w:keepNext/>", "center");
            self.linked(None, bold, &column.name);
            self.xml.push_str("</w:p></w:tc>");
        }
        self.xml.push_str("</w:tr>");
        for row in &table.rows {
            self.row(table, row, &widths, style);
        }
        self.xml.push_str("</w:tbl>");
        self.xml.push_str(&super::paragraph("Space", "", ""));
    }

    fn row(&mut self, table: &Table, row: &[Cell], widths: &[usize], style: &str) {
        self.xml.push_str("<w:tr><w:trPr><w:cantSplit/></w:trPr>");
        let cells = row.iter().map(Some).chain(std::iter::repeat(None));
        for ((column, width), cell) in table.columns.iter().zip(widths).zip(cells) {
            let side = if column.number { "right" } else { "left" };
            self.cell_start(*width, style, "", side);
            if let Some(cell) = cell {
                self.linked(cell.link.as_deref(), "", &cell.value.shown());
            }
            self.xml.push_str("</w:p></w:tc>");
        }
        self.xml.push_str("</w:tr>");
    }

    fn cell_start(&mut self, width: usize, style: &str, properties: &str, side: &str) {
        self.xml.push_str(&format!(
            "<w:tc><w:tcPr><w:tcW w:w=\"{width}\" w:type=\"dxa\"/><w:vAlign w:val=\"center\"/></w:tcPr>\
             <w:p><w:pPr><w:pStyle w:val=\"{style}\"/>{properties}<w:jc w:val=\"{side}\"/></w:pPr>"
        ));
    }

    fn chart(&mut self, chart: &Chart, fonts: &Fonts) -> Result<(), ReportError> {
        let (picture, width, height) = chart::png(chart, fonts)?;
        let scale = (AREA_DRAWN / width).min(HIGHEST_DRAWN / height);
        let (across, down) = ((width * scale).round(), (height * scale).round());
        let at = self.pictures.len();
        self.pictures.push(picture);
        let (title, words) = (escape(&chart.title), escape(&chart.words));
        let id = at + 1;
        self.xml.push_str(&format!(
            "<w:p><w:pPr><w:pStyle w:val=\"Picture\"/></w:pPr><w:r><w:drawing><wp:inline distT=\"0\" distB=\"0\" distL=\"0\" distR=\"0\">\
             <wp:extent cx=\"{across}\" cy=\"{down}\"/><wp:docPr id=\"{id}\" name=\"chart{at}\" descr=\"{words}\" title=\"{title}\"/>\
             <wp:cNvGraphicFramePr><a:graphicFrameLocks noChangeAspect=\"1\"/></wp:cNvGraphicFramePr>\
             <a:graphic><a:graphicData uri=\"http://schemas.openxmlformats.org/drawingml/2006/picture\">\
             <pic:pic><pic:nvPicPr><pic:cNvPr id=\"{id}\" name=\"chart{at}.png\" descr=\"{words}\"/><pic:cNvPicPr/></pic:nvPicPr>\
             <pic:blipFill><a:blip r:embed=\"chart{at}\"/><a:stretch><a:fillRect/></a:stretch></pic:blipFill>\
             <pic:spPr><a:xfrm><a:off x=\"0\" y=\"0\"/><a:ext cx=\"{across}\" cy=\"{down}\"/></a:xfrm><a:prstGeom prst=\"rect\"><a:avLst/></a:prstGeom></pic:spPr>\
             </pic:pic></a:graphicData></a:graphic></wp:inline></w:drawing></w:r></w:p>"
        ));
        self.xml
            .push_str(&super::paragraph("Caption", "", &chart.title));
        Ok(())
    }
}

/// An address of nothing but what may stand in one: Word opens no document with another.
fn uri(link: &str) -> String {
    let mut written = String::with_capacity(link.len());
    let mut bytes = link.bytes().peekable();
    while let Some(byte) = bytes.next() {
        let stands = byte.is_ascii_alphanumeric() || b"-._~:/?#@!$&'()*+,;=".contains(&byte);
        let encoded = byte == b'%' && bytes.peek().is_some_and(u8::is_ascii_hexdigit);
        if stands || encoded {
            written.push(char::from(byte));
        } else {
            written.push_str(&format!("%{byte:02X}"));
        }
    }
    written
}
