//! What keeps a report from being written, and what to do then.

/// Why there is no report.
#[derive(Debug, thiserror::Error)]
pub enum ReportError {
    /// A template is not one, or asks for what is not there.
    #[error("template `{template}`, line {line}: {problem}; {remedy}")]
    Template {
        /// The template's name.
        template: String,
        /// The line, from 1.
        line: usize,
        /// What is wrong.
        problem: String,
        /// What to do.
        remedy: String,
    },
    /// The Markdown of a report asks for what a report cannot have.
    #[error("line {line} of the report: {problem}; {remedy}")]
    Markdown {
        /// The line, from 1.
        line: usize,
        /// What is wrong.
        problem: String,
        /// What to do.
        remedy: String,
    },
    /// No font for Chinese text.
    #[error(
        "no Chinese font was found in {searched}; install one (Debian: apt-get install fonts-noto-cjk) or name a folder with fonts such as 仿宋_GB2312 in the settings"
    )]
    NoChineseFont {
        /// Where it was looked for.
        searched: String,
    },
    /// A form could not be written: the fault is in this program.
    #[error("the report could not be written as {form}: {problem}")]
    Form {
        /// The form.
        form: &'static str,
        /// What its library says.
        problem: String,
    },
}
