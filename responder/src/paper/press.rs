//! The press: a document as files, in all forms. Layout takes seconds and memory, so that few are written at a time.

use std::path::PathBuf;
use std::sync::{Arc, OnceLock};

use report::{Document, Fonts, Form, ReportError};
use sha2::{Digest, Sha256};
use tokio::sync::Semaphore;

use super::PaperError;

/// Documents written at a time.
const AT_ONCE: usize = 2;

/// A file of a paper.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Printed {
    /// Its form, such as `docx`; of a table `subjects.csv`.
    pub file: String,
    /// What it is called where it is saved.
    pub name: String,
    /// Its media type.
    pub kind: String,
    /// Its bytes.
    pub bytes: Vec<u8>,
}

impl Printed {
    /// The SHA-256 of its bytes, in hexadecimal digits.
    #[must_use]
    pub fn sha256(&self) -> String {
        hex::encode(Sha256::digest(&self.bytes))
    }
}

/// Writes documents.
#[derive(Debug, Clone)]
pub struct Press {
    folders: Arc<Vec<PathBuf>>,
    fonts: Arc<OnceLock<Fonts>>,
    turns: Arc<Semaphore>,
}

impl Press {
    /// One that looks for fonts in these folders, and where the system keeps its own.
    #[must_use]
    pub fn new(folders: Vec<PathBuf>) -> Self {
        Self {
            folders: Arc::new(folders),
            fonts: Arc::default(),
            turns: Arc::new(Semaphore::new(AT_ONCE)),
        }
    }

    /// Writes a document in some forms.
    ///
    /// # Errors
    /// When there is no Chinese font, or a form fails.
    pub async fn print(
        &self,
        document: Document,
        stem: String,
        forms: Vec<Form>,
    ) -> Result<Vec<Printed>, PaperError> {
        let failed = |problem: &dyn ToString| PaperError::Press(problem.to_string());
        let _turn = (self.turns.acquire().await).map_err(|closed| failed(&closed))?;
        let press = self.clone();
        let printing =
            tokio::task::spawn_blocking(move || press.print_all(&document, &stem, &forms));
        let printed = printing.await.map_err(|ended| failed(&ended))?;
        printed.map_err(|problem| failed(&problem))
    }

    fn print_all(
        &self,
        document: &Document,
        stem: &str,
        forms: &[Form],
    ) -> Result<Vec<Printed>, ReportError> {
        let no_fonts = Fonts::default();
        let mut printed = Vec::new();
        for form in forms {
            let fonts = match form {
                Form::Docx | Form::Pdf => self.fonts()?,
                _ => &no_fonts,
            };
            for file in document.write(*form, stem, fonts)? {
                let of_table = || file.name.strip_prefix(stem)?.strip_prefix('-');
                printed.push(Printed {
                    file: match form {
                        Form::Csv => of_table().unwrap_or(&file.name).to_owned(),
                        form => form.name().to_owned(),
                    },
                    kind: form.content_type().to_owned(),
                    name: file.name,
                    bytes: file.bytes,
                });
            }
        }
        Ok(printed)
    }

    /// The fonts, once they were found.
    fn fonts(&self) -> Result<&Fonts, ReportError> {
        if let Some(found) = self.fonts.get() {
            return Ok(found);
        }
        let found = Fonts::find(&self.folders)?;
        Ok(self.fonts.get_or_init(|| found))
    }
}
