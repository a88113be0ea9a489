//! Reports: what the archive and the store know of a period, put into words by a template and into a document by
//! [`::report`]. Of each kind the facts are gathered, worded by `NAME.md` and drawn (the weekly report: `gather.rs`, `weekly.md`,
//! `figures.rs`; the others in a file each); the same facts give the same report, byte for byte.

mod cell;
pub mod command;
mod daily;
mod demand;
mod event;
mod facts;
mod faq;
mod figures;
mod gather;
mod head;
mod policy;
mod scorecard;
mod suggestion;
mod timely;
mod view;
mod wanted;

use std::path::Path;

use clickhouse::Client;
use jiff::Timestamp;
use jiff::civil::Date;
use report::template::Templates;
use report::{Document, Figures, ReportError, markdown};
use serde::Serialize;
use thiserror::Error;

use self::facts::Facts;
pub use self::head::Letterhead;
pub use self::wanted::{Kind, Policy, Wanted};
use crate::case::{Cases, StoreError};
use crate::commitment::{CommitmentError, Commitments};
use crate::knowledge::KnowledgeError;
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
    /// The moment it is made. Of a period that is not over nothing is late that is not late yet.
    pub now: Timestamp,
}

/// A report that cannot be made.
#[derive(Debug, Error)]
pub enum MakeError {
    /// ClickHouse did not answer.
    #[error(
        "ClickHouse did not answer, or not in time; see that `clickhouse.url` is right and it runs, and try again"
    )]
    Archive,
    /// The period has not begun.
    #[error("the period has not begun; give an earlier day")]
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
    /// The knowledge base could not be read.
    #[error("the knowledge base could not be read")]
    Knowledge(#[from] KnowledgeError),
    /// There is no such event.
    #[error(
        "the archive has no post of the event `{0}` up to that day; take its id from the end of its page's address"
    )]
    NoEvent(String),
    /// The days of a policy note are beyond what the archive has.
    #[error("{0}")]
    Outside(String),
    /// The head of the region's papers is wrong.
    #[error(
        "{0}: {1}; it has `office`, and `number` with {{year}} and {{n}} where papers are numbered"
    )]
    Head(String, String),
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
    // Each kind holds much while it waits.
    match wanted {
        Wanted::Weekly(period) => Box::pin(weekly(desk, *period)).await,
        Wanted::Daily(period) => Box::pin(daily::make(desk, period.to)).await,
        Wanted::Event { event, to } => Box::pin(event::make(desk, event, *to)).await,
        Wanted::Scorecard(period) => Box::pin(scorecard::make(desk, *period)).await,
        Wanted::Faq(period) => Box::pin(faq::make(desk, *period)).await,
        Wanted::Demand(period) => Box::pin(demand::make(desk, *period)).await,
        Wanted::Policy(policy) => Box::pin(policy::make(desk, policy)).await,
    }
}

/// The trend report of a period (舆情周报 where it has seven days).
async fn weekly(desk: &Desk<'_>, period: Period) -> Result<Made, MakeError> {
    let facts = gather::facts(desk, period).await?;
    let figures = figures::of(&facts);
    let title = title(&facts);
    finish(
        desk,
        Kind::Weekly,
        title,
        &subtitle(period),
        period.to,
        &facts,
        figures,
    )
}

/// Words facts by the template of their kind, and puts them into a document.
fn finish(
    desk: &Desk<'_>,
    kind: Kind,
    title: String,
    subtitle: &str,
    date: Date,
    facts: &impl Serialize,
    figures: Figures,
) -> Result<Made, MakeError> {
    let folder = desk.routing.folder();
    let values = serde_json::to_value(facts)?;
    let text = templates(folder)?.render(kind.name(), &values)?;
    let document = Document {
        title,
        subtitle: subtitle.to_owned(),
        head: Letterhead::read(folder)?.map(|head| head.head(date, None)),
        issuer: issuer(desk),
        date,
        blocks: markdown::read(&text, &figures)?,
    };
    Ok(Made {
        facts: values,
        text,
        figures,
        document,
    })
}

/// Who signs the reports of the region.
fn issuer(desk: &Desk<'_>) -> String {
    format!("{}人民政府办公室", desk.routing.region().gazetteer.name)
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

/// The usual templates, and in their place those of the region.
fn templates(folder: &Path) -> Result<Templates, MakeError> {
    let usual = [
        ("daily", include_str!("report/daily.md")),
        ("weekly", include_str!("report/weekly.md")),
        ("scorecard", include_str!("report/scorecard.md")),
        ("event", include_str!("report/event.md")),
        ("policy", include_str!("report/policy.md")),
        ("faq", include_str!("report/faq.md")),
        ("demand", include_str!("report/demand.md")),
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
