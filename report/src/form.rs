//! The forms a report is written in.

use crate::{Document, Fonts, ReportError};

/// A form of a report.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Form {
    /// One page for browsers, whole in itself.
    Html,
    /// An official paper, laid out after GB/T 9704-2012, to be edited.
    Docx,
    /// The tables as a workbook.
    Xlsx,
    /// The tables, a file each.
    Csv,
    /// An official paper, to be printed and kept.
    Pdf,
}

/// A file of a report.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct File {
    /// Its name: the stem given, with what the form adds.
    pub name: String,
    /// Its bytes.
    pub bytes: Vec<u8>,
}

impl Form {
    /// All forms.
    pub const ALL: [Self; 5] = [Self::Html, Self::Docx, Self::Xlsx, Self::Csv, Self::Pdf];

    /// Its name, which is the end of its files' names too.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Html => "html",
            Self::Docx => "docx",
            Self::Xlsx => "xlsx",
            Self::Csv => "csv",
            Self::Pdf => "pdf",
        }
    }

    /// The form of that name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|form| form.name() == name)
    }

    /// The content type.
    pub const fn content_type(self) -> &'static str {
        match self {
            Self::Html => "text/html; charset=utf-8",
            Self::Docx => "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
            Self::Xlsx => "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
            Self::Csv => "text/csv; charset=utf-8",
            Self::Pdf => "application/pdf",
        }
    }

    /// An error of what writes this form.
    pub(crate) fn fault(self, problem: impl ToString) -> ReportError {
        ReportError::Form {
            form: self.name(),
            problem: problem.to_string(),
        }
    }
}

impl Document {
    /// Writes it. Files are called `STEM.html`, …; those of tables `STEM-TABLE.csv`. Only PDF, and DOCX with charts, need fonts.
    ///
    /// # Errors
    /// If there is no font where one is needed, or a library fails.
    pub fn write(&self, form: Form, stem: &str, fonts: &Fonts) -> Result<Vec<File>, ReportError> {
        let bytes = match form {
            Form::Html => crate::html::write(self)?,
            Form::Docx => crate::docx::write(self, fonts)?,
            Form::Xlsx => crate::xlsx::write(self)?,
            Form::Csv => {
                let tables = crate::csv::write(self)?;
                return Ok(tables
                    .into_iter()
                    .map(|(name, bytes)| File {
                        name: format!("{stem}-{name}.csv"),
                        bytes,
                    })
                    .collect());
            }
            Form::Pdf => crate::pdf::write(self, fonts)?,
        };
        let name = format!("{stem}.{}", form.name());
        Ok(vec![File { name, bytes }])
    }
}
