//! How good the analyzer is on labelled texts.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use backbone::message::Assessment;
use serde::Deserialize;
use serde_json::json;

use crate::model::Task;
use crate::pipeline::Pipeline;
use crate::score;

/// Judges the analyzer on labelled texts.
#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// What is judged.
    #[arg(long, value_parser = ["subject", "sentiment", "appeal", "relevance", UNIT])]
    task: String,
    /// Labelled texts: tab-separated `label<TAB>text`, a header line may come first; or JSON Lines with `label` and `text`
    /// (and `title`). Labels of relevance are yes and no, of units the code of the one that leads, or none.
    file: PathBuf,
    /// The region that the texts are read for: its folder or its region.toml; the first one configured where absent.
    #[arg(long)]
    region: Option<PathBuf>,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

/// Parts of the probabilities' range in which the calibration is judged.
const BINS: usize = 15;
/// The share of the texts that would be routed without a second look.
const COVERAGE: f64 = 0.8;

/// The task of the unit that leads.
const UNIT: &str = "unit";
/// What leads a text that is not relevant.
const NONE: &str = "none";

/// Right and wrong answers, class by class, and how sure they were.
#[derive(Debug, Clone)]
pub struct Report {
    labels: Vec<String>,
    /// Rows are what is true, columns what was said.
    confusion: Vec<Vec<u32>>,
    /// How sure each answer was, and whether it was right.
    answers: Vec<(f64, bool)>,
}

impl Report {
    /// An empty report.
    #[must_use]
    pub fn new<S: ToString>(labels: &[S]) -> Self {
        Self {
            labels: labels.iter().map(S::to_string).collect(),
            confusion: vec![vec![0; labels.len()]; labels.len()],
            answers: Vec::new(),
        }
    }

    /// Counts one answer and its probability.
    pub fn add(&mut self, truth: usize, said: usize, probability: f64) {
        if let Some(count) = self
            .confusion
            .get_mut(truth)
            .and_then(|row| row.get_mut(said))
        {
            *count += 1;
            self.answers.push((probability, truth == said));
        }
    }

    /// How many answers were counted.
    #[must_use]
    pub fn total(&self) -> usize {
        self.answers.len()
    }

    fn at(&self, truth: usize, said: usize) -> f64 {
        self.confusion
            .get(truth)
            .and_then(|row| row.get(said))
            .map_or(0.0, |count| f64::from(*count))
    }

    /// The share of right answers.
    #[must_use]
    pub fn accuracy(&self) -> f64 {
        share_right(&self.answers)
    }

    /// Precision, recall and their harmonic mean for a class.
    #[must_use]
    pub fn f1(&self, class: usize) -> (f64, f64, f64) {
        let classes = self.labels.len();
        let right = self.at(class, class);
        let truth: f64 = (0..classes).map(|said| self.at(class, said)).sum();
        let said: f64 = (0..classes).map(|truth| self.at(truth, class)).sum();
        let over = |whole: f64| if whole > 0.0 { right / whole } else { 0.0 };
        let f1 = if truth + said > 0.0 {
            2.0 * right / (truth + said)
        } else {
            0.0
        };
        (over(said), over(truth), f1)
    }

    /// The mean of the classes' F1.
    #[must_use]
    pub fn macro_f1(&self) -> f64 {
        let classes = self.labels.len();
        (0..classes).map(|class| self.f1(class).2).sum::<f64>() / classes.max(1) as f64
    }

    /// The expected calibration error (Naeini, Cooper and Hauskrecht 2015) in 15 bins: how far, on average, the probability
    /// said lies from the share of right answers.
    #[must_use]
    pub fn calibration_error(&self) -> f64 {
        let mut bins = vec![(0.0_f64, 0.0_f64, 0.0_f64); BINS];
        for (probability, right) in &self.answers {
            let bin = ((probability * BINS as f64) as usize).min(BINS - 1);
            if let Some((count, sure, hits)) = bins.get_mut(bin) {
                *count += 1.0;
                *sure += probability;
                *hits += f64::from(u8::from(*right));
            }
        }
        let off: f64 = bins.iter().map(|(_, sure, hits)| (sure - hits).abs()).sum();
        off / self.answers.len().max(1) as f64
    }

    /// The share of right answers among the surest 80 %.
    #[must_use]
    pub fn accuracy_of_the_sure(&self) -> f64 {
        let mut answers = self.answers.clone();
        answers.sort_by(|one, other| other.0.total_cmp(&one.0));
        answers.truncate((answers.len() as f64 * COVERAGE).round() as usize);
        share_right(&answers)
    }

    /// Writes the figures and the confusion table.
    ///
    /// # Errors
    /// When `out` cannot be written.
    pub fn write(&self, out: &mut impl Write) -> std::io::Result<()> {
        writeln!(
            out,
            "texts {}  accuracy {:.4}  macro-F1 {:.4}  calibration error {:.4}  accuracy at 80 % coverage {:.4}",
            self.total(),
            self.accuracy(),
            self.macro_f1(),
            self.calibration_error(),
            self.accuracy_of_the_sure(),
        )?;
        writeln!(out, "label\tprecision\trecall\tF1")?;
        for (class, label) in self.labels.iter().enumerate() {
            let (precision, recall, f1) = self.f1(class);
            writeln!(out, "{label}\t{precision:.4}\t{recall:.4}\t{f1:.4}")?;
        }
        writeln!(out, "true \\ said\t{}", self.labels.join("\t"))?;
        for (label, row) in self.labels.iter().zip(&self.confusion) {
            let counts: Vec<String> = row.iter().map(u32::to_string).collect();
            writeln!(out, "{label}\t{}", counts.join("\t"))?;
        }
        Ok(())
    }

    /// The figures as JSON.
    #[must_use]
    pub fn json(&self) -> serde_json::Value {
        let classes: BTreeMap<&str, serde_json::Value> = self
            .labels
            .iter()
            .enumerate()
            .map(|(class, label)| {
                let (precision, recall, f1) = self.f1(class);
                (
                    label.as_str(),
                    json!({ "precision": precision, "recall": recall, "f1": f1 }),
                )
            })
            .collect();
        json!({
            "texts": self.total(),
            "accuracy": self.accuracy(),
            "macro_f1": self.macro_f1(),
            "calibration_error": self.calibration_error(),
            "accuracy_at_80_percent_coverage": self.accuracy_of_the_sure(),
            "classes": classes,
            "labels": self.labels,
            "confusion": self.confusion,
        })
    }
}

fn share_right(answers: &[(f64, bool)]) -> f64 {
    let right = answers.iter().filter(|(_, right)| *right).count();
    right as f64 / answers.len().max(1) as f64
}

/// A labelled text of a file.
#[derive(Debug, Deserialize)]
pub struct Row {
    /// Its label.
    pub label: String,
    /// Its title, where it has one.
    #[serde(default)]
    pub title: String,
    /// The text.
    pub text: String,
}

/// Reads labelled texts, tab-separated or JSON Lines; `known` tells whether a label is one.
///
/// # Errors
/// Names file and line of what does not fit, and the labels known.
pub fn rows(path: &Path, labels: &[&str]) -> anyhow::Result<Vec<Row>> {
    let shown = path.display();
    let file = std::fs::File::open(path).with_context(|| format!("cannot read {shown}"))?;
    let mut rows = Vec::new();
    for (number, line) in BufReader::new(file).lines().enumerate() {
        let line = line.with_context(|| format!("{shown}:{}", number + 1))?;
        let line = line.trim_start_matches('\u{feff}').trim_end_matches('\r');
        if line.trim().is_empty() {
            continue;
        }
        let row = if line.starts_with('{') {
            serde_json::from_str(line).with_context(|| {
                format!(
                    "{shown}:{}: expected an object with `label` and `text`",
                    number + 1
                )
            })?
        } else if let Some((label, text)) = line.split_once('\t') {
            Row {
                label: label.trim().to_owned(),
                title: String::new(),
                text: text.to_owned(),
            }
        } else {
            bail!(
                "{shown}:{}: expected label and text, separated by a tab, or a JSON object",
                number + 1
            );
        };
        if labels.contains(&row.label.as_str()) {
            rows.push(row);
        } else if number > 0 || row.label != "label" {
            bail!(
                "{shown}:{}: unknown label `{}`; known are {}",
                number + 1,
                row.label,
                labels.join(" ")
            );
        }
    }
    if rows.is_empty() {
        bail!(
            "{shown}: no row to judge; expected label and text, separated by a tab, or JSON objects; known labels are {}",
            labels.join(" ")
        );
    }
    Ok(rows)
}

/// Judges the analyzer on a file. Among subjects only those that the file uses are said: a file of a board that
/// knows seven is not answered with an eighth.
///
/// # Errors
/// When the file cannot be read or a row does not fit; names file and line.
pub fn run(
    pipeline: &Pipeline,
    region: &str,
    arguments: &Arguments,
    out: &mut impl Write,
) -> anyhow::Result<()> {
    let task = Task::ALL
        .into_iter()
        .find(|task| task.name() == arguments.task);
    let report = match task {
        Some(task) => judge(
            pipeline,
            region,
            task,
            &rows(&arguments.file, task.labels())?,
        ),
        None if arguments.task == UNIT => {
            let units: Vec<&str> = pipeline.units(region).chain([NONE]).collect();
            let rows = rows(&arguments.file, &units)?;
            judge_whole(pipeline, region, &rows, |assessment| {
                assessment.units.first().map_or(NONE, |unit| &unit.code)
            })
        }
        None => {
            let rows = rows(&arguments.file, &["yes", "no"])?;
            judge_whole(pipeline, region, &rows, |assessment| {
                if assessment.relevant { "yes" } else { "no" }
            })
        }
    };
    if arguments.json {
        writeln!(out, "{}", report.json())?;
    } else {
        report.write(out)?;
    }
    Ok(())
}

impl Arguments {
    /// The region asked for.
    #[must_use]
    pub fn region(&self) -> Option<&Path> {
        self.region.as_deref()
    }
}

fn judge(pipeline: &Pipeline, region: &str, task: Task, rows: &[Row]) -> Report {
    let used: Vec<usize> = (0..task.labels().len())
        .filter(|class| rows.iter().any(|row| row.label == task.labels()[*class]))
        .collect();
    let labels: Vec<&str> = used.iter().map(|class| task.labels()[*class]).collect();
    let mut report = Report::new(&labels);
    for row in rows {
        let text = format!("{}\n{}", row.title, row.text);
        let probabilities = pipeline
            .probabilities(task, region, &text, |class| used.contains(&class))
            .unwrap_or_default();
        let (said, probability) = crate::model::most(&probabilities);
        let of = |class: usize| used.iter().position(|known| *known == class);
        let truth = task.labels().iter().position(|label| *label == row.label);
        if let (Some(truth), Some(said)) = (truth.and_then(of), of(said)) {
            report.add(truth, said, probability);
        }
    }
    report
}

/// Judges what the whole chain tells of each text. Only labels that are used or said count.
fn judge_whole(
    pipeline: &Pipeline,
    region: &str,
    rows: &[Row],
    told: fn(&Assessment) -> &str,
) -> Report {
    let answers: Vec<(&str, String)> = (rows.iter())
        .map(|row| {
            let read = score::assess(pipeline, region, &row.title, &row.text, score::BOARD);
            (row.label.as_str(), told(&read).to_owned())
        })
        .collect();
    let labels: BTreeSet<&str> = (answers.iter())
        .flat_map(|(truth, said)| [*truth, said])
        .collect();
    let labels: Vec<&str> = labels.into_iter().collect();
    let mut report = Report::new(&labels);
    for (truth, said) in &answers {
        let of = |label: &str| labels.binary_search(&label).unwrap_or_default();
        report.add(of(truth), of(said), 1.0);
    }
    report
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_report_counts_as_the_textbook_does() {
        let mut report = Report::new(&["a", "b"]);
        for (truth, said, probability) in [(0, 0, 0.9), (0, 0, 0.9), (0, 1, 0.6), (1, 1, 0.6)] {
            report.add(truth, said, probability);
        }
        assert!((report.accuracy() - 0.75).abs() < 1e-9);
        assert!((report.macro_f1() - (0.8 + 2.0 / 3.0) / 2.0).abs() < 1e-9);
        // In the bin of 0.9 two of two are right, in that of 0.6 one of two.
        assert!((report.calibration_error() - (0.2 + 0.2) / 4.0).abs() < 1e-9);
        assert!((report.accuracy_of_the_sure() - 2.0 / 3.0).abs() < 1e-9);
    }

    #[test]
    fn what_is_no_labelled_text_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let refused = |text: &str| {
            let path = folder.path().join("rows.tsv");
            std::fs::write(&path, text).unwrap();
            rows(&path, &["yes", "no"]).unwrap_err().to_string()
        };
        assert!(
            refused("yes\ta\nmaybe\tb\n")
                .contains("rows.tsv:2: unknown label `maybe`; known are yes no")
        );
        assert!(refused("yes\ta\nb\n").contains("rows.tsv:2: expected label and text"));
        assert!(refused("{\"label\": \"yes\"}\n").contains("rows.tsv:1"));
    }
}
