//! Reports: what the archive and the store know of a period, put into words by a template and into a document by
//! [`::report`]. Facts are gathered (`gather.rs`), worded (`weekly.md`) and drawn (`figures.rs`); the same facts give the same
//! report, byte for byte.

pub mod command;
mod facts;
mod figures;
mod gather;
mod suggestion;
mod timely;
mod view;
mod wanted;

use std::path::Path;

use clickhouse::Client;
use jiff::civil::Date;
use report::template::Templates;
use report::{Document, Figures, ReportError, markdown};
use serde::Serialize;
use thiserror::Error;

use self::facts::Facts;
pub use self::wanted::{Kind, Wanted};
use crate::case::{Cases, StoreError};
use crate::commitment::{CommitmentError, Commitments};
use crate::routing::Routing;
use crate::trend::Period;

/// Longest period of a report, in days.
pub const LONGEST: u32 = 731;

/// What a report is made from.
#[derive(Debug)]
pub struct Desk<'a> {
    /// ClickHouse.
    pub archive: Client,
    /// The cases, with what their clocks run by.
    pub cases: Cases,
    /// What units promised.
    pub commitments: Commitments,
    /// The region; in its folder templates of its own may lie in `report/`.
    pub routing: &'a Routing,
    /// Where the console is: links lead there.
    pub public_url: url::Url,
}

/// A report that cannot be made.
#[derive(Debug, Error)]
pub enum MakeError {
    /// ClickHouse did not answer.
    #[error(
        "ClickHouse did not answer, or not in time; see that `clickhouse.url` is right and it runs, and try again"
    )]
    Archive,
    /// The period ends beyond the end of time.
    #[error("the period ends beyond the end of time; give an earlier day")]
    Time,
    /// The facts cannot be kept.
    #[error("the facts cannot be kept")]
    Facts(#[from] serde_json::Error),
    /// The store failed.
    #[error("the store failed")]
    Store(#[from] StoreError),
    /// The commitments could not be read.
    #[error("the commitments could not be read")]
    Commitments(#[from] CommitmentError),
    /// The template or the document is wrong.
    #[error(transparent)]
    Report(#[from] ReportError),
    /// A template of the region cannot be read.
    #[error(
        "cannot read the template {0}; give it back, or remove it so that the usual one is used"
    )]
    Template(String, #[source] std::io::Error),
}

/// A report in the making: its facts, as they were worded, and the document.
#[derive(Debug, Serialize)]
pub struct Made {
    /// The facts, as the template got them: what a signed report is kept with.
    pub facts: serde_json::Value,
    /// The wording.
    pub text: String,
    /// Its tables and charts.
    pub figures: Figures,
    /// The document.
    pub document: Document,
}

/// Makes a report.
///
/// # Errors
/// When a store does not answer, or the template of the region is wrong.
pub async fn make(desk: &Desk<'_>, wanted: &Wanted) -> Result<Made, MakeError> {
    match wanted {
        Wanted::Weekly(period) => weekly(desk, *period).await,
    }
}

/// The trend report of a period (舆情周报 where it has seven days).
async fn weekly(desk: &Desk<'_>, period: Period) -> Result<Made, MakeError> {
    let facts = gather::facts(desk, period).await?;
    let figures = figures::of(&facts);
    let values = serde_json::to_value(&facts)?;
    let text = templates(desk.routing.folder())?.render(WEEKLY, &values)?;
    let document = Document {
        title: title(&facts),
        subtitle: subtitle(period),
        head: None,
        issuer: facts.issuer.clone(),
        date: period.to,
        blocks: markdown::read(&text, &figures)?,
    };
    Ok(Made {
        facts: values,
        text,
        figures,
        document,
    })
}

fn title(facts: &Facts) -> String {
    let kind = if facts.days == 7 { "周报" } else { "报告" };
    format!("{}舆情{kind}", facts.region)
}

fn subtitle(period: Period) -> String {
    let day = |day: Date| report::wording::full_day(day);
    if period.from == period.to {
        day(period.from)
    } else {
        format!("{}至{}", day(period.from), day(period.to))
    }
}

const WEEKLY: &str = "weekly";

/// The usual templates, and in their place those of the region.
fn templates(folder: &Path) -> Result<Templates, MakeError> {
    let usual = [
        (WEEKLY, include_str!("report/weekly.md")),
        ("method", include_str!("report/method.md")),
    ];
    let mut sources = Vec::new();
    for (name, usual) in usual {
        let path = folder.join("report").join(format!("{name}.md"));
        let source = match std::fs::read_to_string(&path) {
            Ok(own) => own,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => usual.to_owned(),
            Err(error) => return Err(MakeError::Template(path.display().to_string(), error)),
        };
        sources.push((name, source));
    }
    Ok(Templates::new(sources)?)
}

#[cfg(test)]
mod tests {
    /// The figure of a row of the model card.
    fn accuracy(task: &str) -> &str {
        let card = include_str!("../../analyzer/model/CARD.md");
        let row = card.lines().find(|line| line.starts_with(task)).unwrap();
        row.split('|').nth(3).unwrap().trim()
    }

    #[test]
    fn the_error_rates_told_are_those_of_the_model_card() {
        let told = include_str!("report/method.md");
        for (words, task) in [
            ("七类事项准确率", "| subject, seven, from the body"),
            ("本领域情感准确率", "| sentiment, this field"),
            ("诉求类型准确率", "| appeal |"),
        ] {
            let expected = format!("{words}{}", accuracy(task));
            assert!(told.contains(&expected), "{expected}");
        }
    }
}
