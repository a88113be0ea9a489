//! Markdown with figures, read as the blocks of a document.
//!
//! Only what a report needs: headings to `###`, paragraphs, lists, quotes, bold, links, and figures alone in a paragraph.
//! Raw HTML is text. A list with numbers becomes paragraphs that begin with them.

use pulldown_cmark::{Event, HeadingLevel, Options, Parser, Tag, TagEnd};

use crate::document::safe_link;
use crate::xml::plain;
use crate::{Block, Figures, ReportError, Run};

/// The blocks of a report.
///
/// # Errors
/// If it places a figure that is not there, or anything a report cannot have; the line is named.
pub fn read(markdown: &str, figures: &Figures) -> Result<Vec<Block>, ReportError> {
    let mut reader = Reader {
        markdown,
        figures,
        blocks: Vec::new(),
        runs: Vec::new(),
        bold: 0,
        links: Vec::new(),
        places: Vec::new(),
        quote: 0,
        figure: None,
    };
    for (event, range) in Parser::new_ext(markdown, Options::empty()).into_offset_iter() {
        reader.take(event, range.start)?;
    }
    reader.end_paragraph()?;
    Ok(reader.blocks)
}

/// Where paragraphs go.
enum Place {
    /// The items of a list so far.
    List(Vec<Vec<Run>>),
    /// A list whose next item has this number.
    Numbered(u64),
}

struct Reader<'a> {
    markdown: &'a str,
    figures: &'a Figures,
    blocks: Vec<Block>,
    runs: Vec<Run>,
    bold: usize,
    links: Vec<Option<String>>,
    places: Vec<Place>,
    quote: usize,
    /// A figure of this paragraph, and where it was asked for.
    figure: Option<(Block, usize)>,
}

impl Reader<'_> {
    fn take(&mut self, event: Event<'_>, at: usize) -> Result<(), ReportError> {
        match event {
            Event::Start(tag) => self.start(tag, at)?,
            Event::End(tag) => self.end(tag)?,
            Event::Text(text) => {
                self.say(&text);
            }
            // Raw HTML is text, as is what would be code.
            Event::Code(text) | Event::Html(text) | Event::InlineHtml(text) => {
                self.say(&text);
            }
            Event::SoftBreak => self.soft_break(),
            Event::HardBreak if self.places.is_empty() => self.end_paragraph()?,
            Event::HardBreak => self.soft_break(),
            Event::Rule => self.end_paragraph()?,
            // Read only where their extensions are switched on.
            Event::InlineMath(text) | Event::DisplayMath(text) | Event::FootnoteReference(text) => {
                self.say(&text);
            }
            Event::TaskListMarker(_) => {}
        }
        Ok(())
    }

    fn start(&mut self, tag: Tag<'_>, at: usize) -> Result<(), ReportError> {
        match tag {
            Tag::Strong => self.bold += 1,
            Tag::Link { dest_url, .. } => {
                self.links.push(safe_link(&dest_url).map(str::to_owned));
            }
            Tag::Image { dest_url, .. } => {
                let figure = self.figure_named(&dest_url, at)?;
                if self.figure.is_some()
                    || self.has_words()
                    || !self.places.is_empty()
                    || self.quote > 0
                {
                    return Err(self.wrong(
                        at,
                        format!("the figure `{dest_url}` does not stand alone"),
                        "put it in a paragraph of its own, between empty lines",
                    ));
                }
                self.figure = Some((figure, at));
            }
            Tag::Heading { level, .. } => {
                self.end_paragraph()?;
                if !matches!(
                    level,
                    HeadingLevel::H1 | HeadingLevel::H2 | HeadingLevel::H3
                ) {
                    return Err(self.wrong(
                        at,
                        format!("a heading of level {}", level as u8),
                        "headings of a report go from # to ###",
                    ));
                }
            }
            Tag::List(first) => {
                self.end_paragraph()?;
                self.places.push(match first {
                    Some(first) => Place::Numbered(first),
                    None => Place::List(Vec::new()),
                });
            }
            Tag::BlockQuote(_) => {
                self.end_paragraph()?;
                self.quote += 1;
            }
            Tag::Paragraph | Tag::Item | Tag::CodeBlock(_) | Tag::HtmlBlock => {
                self.end_paragraph()?
            }
            // Emphasis is plain: Chinese has no italics. The others are of extensions that are off.
            _ => {}
        }
        Ok(())
    }

    fn end(&mut self, tag: TagEnd) -> Result<(), ReportError> {
        match tag {
            TagEnd::Strong => self.bold = self.bold.saturating_sub(1),
            TagEnd::Link => {
                self.links.pop();
            }
            TagEnd::Heading(level) => {
                let text = self.words();
                if !text.is_empty() {
                    let level = level as u8;
                    self.blocks.push(Block::Heading { level, text });
                }
            }
            TagEnd::List(_) => {
                self.end_paragraph()?;
                if let Some(Place::List(items)) = self.places.pop()
                    && !items.is_empty()
                {
                    // A list within a list goes on with its items.
                    match self.places.last_mut() {
                        Some(Place::List(outer)) => outer.extend(items),
                        _ => self.blocks.push(Block::List(items)),
                    }
                }
            }
            TagEnd::BlockQuote(_) => {
                self.end_paragraph()?;
                self.quote = self.quote.saturating_sub(1);
            }
            TagEnd::Paragraph | TagEnd::Item | TagEnd::CodeBlock | TagEnd::HtmlBlock => {
                self.end_paragraph()?;
            }
            _ => {}
        }
        Ok(())
    }

    fn say(&mut self, text: &str) {
        // What would be shown in place of a figure is the chart's own words.
        if self.figure.is_some() && text.trim().is_empty() {
            return;
        }
        let run = Run {
            text: plain(text),
            bold: self.bold > 0,
            link: self.links.last().cloned().flatten(),
        };
        match self.runs.last_mut() {
            Some(last) if last.bold == run.bold && last.link == run.link => {
                last.text.push_str(&run.text);
            }
            _ => self.runs.push(run),
        }
    }

    /// Lines of Chinese are joined without a space.
    fn soft_break(&mut self) {
        let before = (self.runs.last()).and_then(|run| run.text.chars().next_back());
        if before.is_some_and(|letter| letter.is_ascii_graphic()) {
            self.say(" ");
        }
    }

    fn has_words(&self) -> bool {
        self.runs.iter().any(|run| !run.text.trim().is_empty())
    }

    /// The runs so far, without space at the ends.
    fn words(&mut self) -> Vec<Run> {
        let mut runs = std::mem::take(&mut self.runs);
        if let Some(first) = runs.first_mut() {
            first.text = first.text.trim_start().to_owned();
        }
        if let Some(last) = runs.last_mut() {
            last.text.truncate(last.text.trim_end().len());
        }
        runs.retain(|run| !run.text.is_empty());
        runs
    }

    fn end_paragraph(&mut self) -> Result<(), ReportError> {
        let words = self.words();
        if let Some((figure, at)) = self.figure.take() {
            if !words.is_empty() {
                return Err(self.wrong(
                    at,
                    "a figure does not stand alone".to_owned(),
                    "put it in a paragraph of its own, between empty lines, with nothing in its square brackets",
                ));
            }
            self.blocks.push(figure);
            return Ok(());
        }
        if words.is_empty() {
            return Ok(());
        }
        if self.quote > 0 {
            self.blocks.push(Block::Quote(words));
            return Ok(());
        }
        match self.places.last_mut() {
            Some(Place::List(items)) => items.push(words),
            Some(Place::Numbered(next)) => {
                let mut numbered = vec![Run::plain(format!("{next}. "))];
                *next += 1;
                numbered.extend(words);
                self.blocks.push(Block::Paragraph(numbered));
            }
            None => self.blocks.push(Block::Paragraph(words)),
        }
        Ok(())
    }

    fn figure_named(&self, address: &str, at: usize) -> Result<Block, ReportError> {
        let figure = match address.split_once(':') {
            Some(("table", name)) => (self.figures.tables.iter())
                .find(|table| table.name == name)
                .cloned()
                .map(Block::Table),
            Some(("chart", name)) => (self.figures.charts.iter())
                .find(|chart| chart.name == name)
                .cloned()
                .map(Block::Chart),
            _ => {
                return Err(self.wrong(
                    at,
                    format!("`{address}` is no figure of a report"),
                    "write ![](table:NAME) or ![](chart:NAME)",
                ));
            }
        };
        figure.ok_or_else(|| {
            let tables = (self.figures.tables.iter()).map(|table| format!("table:{}", table.name));
            let charts = (self.figures.charts.iter()).map(|chart| format!("chart:{}", chart.name));
            let there: Vec<String> = tables.chain(charts).collect();
            let remedy = if there.is_empty() {
                "this report has no figures".to_owned()
            } else {
                format!("this report has {}", there.join(", "))
            };
            self.wrong(at, format!("there is no figure `{address}`"), &remedy)
        })
    }

    fn wrong(&self, at: usize, problem: String, remedy: &str) -> ReportError {
        let before = self.markdown.as_bytes().get(..at).unwrap_or_default();
        ReportError::Markdown {
            line: 1 + before.iter().filter(|byte| **byte == b'\n').count(),
            problem,
            remedy: remedy.to_owned(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Table;

    fn plain(text: &str) -> Vec<Run> {
        vec![Run::plain(text)]
    }

    fn figures() -> Figures {
        Figures {
            tables: vec![Table {
                name: "subjects".to_owned(),
                title: "主题".to_owned(),
                columns: vec![],
                rows: vec![],
            }],
            charts: vec![],
        }
    }

    #[test]
    fn a_report_is_headings_paragraphs_lists_quotes_and_figures() {
        let text = "# 一、总体情况\n\n本周共 **12** 件，\n见[明细](/search?q=1)。\n\n![](table:subjects)\n\n- 甲\n- 乙\n\n> 路灯不亮\n\n1. 首先\n2. 其次\n";
        let blocks = read(text, &figures()).unwrap();
        let bold = |text: &str| Run {
            bold: true,
            ..Run::plain(text)
        };
        assert_eq!(
            blocks,
            [
                Block::Heading {
                    level: 1,
                    text: plain("一、总体情况")
                },
                Block::Paragraph(vec![
                    Run::plain("本周共 "),
                    bold("12"),
                    Run::plain(" 件，见"),
                    Run {
                        link: Some("/search?q=1".to_owned()),
                        ..Run::plain("明细")
                    },
                    Run::plain("。"),
                ]),
                Block::Table(figures().tables.remove(0)),
                Block::List(vec![plain("甲"), plain("乙")]),
                Block::Quote(plain("路灯不亮")),
                Block::Paragraph(vec![Run::plain("1. "), Run::plain("首先")]),
                Block::Paragraph(vec![Run::plain("2. "), Run::plain("其次")]),
            ]
        );
    }

    #[test]
    fn what_a_report_cannot_have_is_told_with_its_line() {
        for (text, line, about) in [
            (
                "甲\n\n![](table:places)\n",
                3,
                "there is no figure `table:places`; this report has table:subjects",
            ),
            (
                "![](chart:subjects)",
                1,
                "there is no figure `chart:subjects`",
            ),
            ("甲\n\n乙 ![](table:subjects)\n", 3, "does not stand alone"),
            ("![](table:subjects) 丙\n", 1, "does not stand alone"),
            ("\n- ![](table:subjects)\n", 2, "does not stand alone"),
            (
                "![](https://a.example/b.png)",
                1,
                "is no figure of a report",
            ),
            ("#### 深\n", 1, "from # to ###"),
        ] {
            let problem = read(text, &figures()).unwrap_err().to_string();
            assert!(
                problem.starts_with(&format!("line {line} of the report: ")),
                "{problem}"
            );
            assert!(problem.contains(about), "{problem}");
        }
    }

    #[test]
    fn raw_html_is_text_and_a_dangerous_link_leads_nowhere() {
        let blocks = read(
            "<script>\nalert(1)\n</script>\n\n甲<b>乙</b>\n\n[点](javascript:alert(1))",
            &figures(),
        )
        .unwrap();
        assert_eq!(
            blocks,
            [
                Block::Paragraph(plain("<script> alert(1) </script>")),
                Block::Paragraph(plain("甲<b>乙</b>")),
                Block::Paragraph(plain("点")),
            ]
        );
    }

    #[test]
    fn a_list_within_a_list_goes_on_with_it() {
        let blocks = read("- 甲\n  - 乙\n- 丙\n", &figures()).unwrap();
        assert_eq!(
            blocks,
            [Block::List(vec![plain("甲"), plain("乙"), plain("丙")])]
        );
    }
}
