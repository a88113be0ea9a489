//! A report as a document, and the forms it is written in: HTML, DOCX, XLSX, CSV and PDF.
//!
//! Nothing here reads a database, a network or a clock: the same document gives the same bytes.

pub mod document;
pub mod wording;

pub use document::{
    Block, Cell, Chart, ChartKind, Column, Document, Figures, Head, Mark, Run, Series, Shape,
    Table, Value,
};
