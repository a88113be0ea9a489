//! A report as a document, and the forms it is written in: HTML, DOCX, XLSX, CSV and PDF.
//!
//! A template is rendered with values to Markdown ([`template`]), the Markdown is read with its tables and charts as a
//! [`Document`] ([`markdown`]), and the document is written in any [`Form`]. Nothing here reads a database, a network or a
//! clock: the same document gives the same bytes. What values hold stays text in every form.
//!
//! ```
//! use report::{Document, Figures, Form, Fonts, markdown, template::Templates};
//!
//! let templates = Templates::new([("weekly", "# 一、总体情况\n\n本周共{{ posts | thousands }}件，多为“{{ most }}”。\n")])?;
//! let text = templates.render("weekly", serde_json::json!({ "posts": 1234, "most": "**路灯**<b>" }))?;
//! let document = Document {
//!     title: "舆情周报".to_owned(),
//!     subtitle: "11月3日至11月9日".to_owned(),
//!     head: None,
//!     issuer: "某县人民政府办公室".to_owned(),
//!     date: jiff::civil::date(2026, 11, 9),
//!     blocks: markdown::read(&text, &Figures::default())?,
//! };
//! let files = document.write(Form::Html, "weekly", &Fonts::default())?;
//! assert_eq!(files[0].name, "weekly.html");
//! let page = std::str::from_utf8(&files[0].bytes)?;
//! assert!(page.contains("本周共1,234件，多为“**路灯**&#60;b&#62;”。"));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

pub mod chart;
mod csv;
pub mod document;
mod docx;
mod error;
pub mod fonts;
mod form;
mod html;
mod layout;
pub mod markdown;
pub mod numbers;
mod pdf;
pub mod template;
pub mod wording;
mod xlsx;
mod xml;

pub use document::{
    Block, Cell, Chart, ChartKind, Column, Document, Figures, Head, Mark, Run, Series, Shape,
    Table, Value,
};
pub use error::ReportError;
pub use fonts::Fonts;
pub use form::{File, Form};
