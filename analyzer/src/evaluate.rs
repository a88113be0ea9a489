//! How good a model is, and what it says of one text.

use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use backbone::id;
use backbone::message::{Certainty, Post, Reactions, SourceKind};
use backbone::region::{Region, SUBJECTS};
use jiff::Timestamp;

use crate::model::Features;
use crate::pipeline::Pipeline;
use crate::settings::Settings;
use crate::stage::clean::clean;
use crate::stage::opinion::{Opinion, SENTIMENTS};

/// Judges a model on labelled texts.
#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// Which model.
    #[arg(long, value_parser = ["subject", "sentiment"])]
    model: String,
    /// Tab-separated file with a header line and the columns label and text.
    file: PathBuf,
}

/// Right and wrong answers, class by class.
#[derive(Debug)]
pub struct Report {
    labels: Vec<String>,
    /// Rows are what is true, columns what the model said.
    confusion: Vec<Vec<u32>>,
}

impl Report {
    /// An empty report.
    #[must_use]
    pub fn new(labels: &[&str]) -> Self {
        Self {
            labels: labels.iter().map(|label| (*label).to_owned()).collect(),
            confusion: vec![vec![0; labels.len()]; labels.len()],
        }
    }

    /// Counts one answer.
    pub fn add(&mut self, truth: usize, said: usize) {
        if let Some(count) = self
            .confusion
            .get_mut(truth)
            .and_then(|row| row.get_mut(said))
        {
            *count += 1;
        }
    }

    /// How many answers were counted.
    #[must_use]
    pub fn total(&self) -> u32 {
        self.confusion.iter().flatten().sum()
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
        let right: f64 = (0..self.labels.len())
            .map(|class| self.at(class, class))
            .sum();
        right / f64::from(self.total().max(1))
    }

    /// The mean over the classes of the harmonic mean of precision and recall.
    #[must_use]
    pub fn macro_f1(&self) -> f64 {
        let classes = self.labels.len();
        let f1 = |class: usize| {
            let right = self.at(class, class);
            let truth: f64 = (0..classes).map(|said| self.at(class, said)).sum();
            let said: f64 = (0..classes).map(|truth| self.at(truth, class)).sum();
            if truth + said > 0.0 {
                2.0 * right / (truth + said)
            } else {
                0.0
            }
        };
        (0..classes).map(f1).sum::<f64>() / classes.max(1) as f64
    }

    /// Writes accuracy, macro-F1 and the confusion table.
    ///
    /// # Errors
    /// When `out` cannot be written.
    pub fn write(&self, out: &mut impl Write) -> std::io::Result<()> {
        writeln!(
            out,
            "accuracy {:.3}  macro-F1 {:.3}",
            self.accuracy(),
            self.macro_f1()
        )?;
        writeln!(out, "true \\ said\t{}", self.labels.join("\t"))?;
        for (label, row) in self.labels.iter().zip(&self.confusion) {
            let counts: Vec<String> = row.iter().map(u32::to_string).collect();
            writeln!(out, "{label}\t{}", counts.join("\t"))?;
        }
        Ok(())
    }
}

/// Judges a model of `folder` on a file.
///
/// # Errors
/// When the file cannot be read or a row does not fit; names file and line.
pub fn run(folder: &Path, arguments: &Arguments, out: &mut impl Write) -> anyhow::Result<()> {
    let opinion = Opinion::load(folder)?;
    let labels: &[&str] = if arguments.model == "subject" {
        &SUBJECTS
    } else {
        &SENTIMENTS
    };
    let path = arguments.file.display();
    let file =
        std::fs::File::open(&arguments.file).with_context(|| format!("cannot read {path}"))?;
    let mut report = Report::new(labels);
    for (line, row) in BufReader::new(file).lines().enumerate().skip(1) {
        let row = row.with_context(|| format!("{path}:{}", line + 1))?;
        let Some((label, text)) = row.split_once('\t') else {
            bail!(
                "{path}:{}: expected label and text, separated by a tab",
                line + 1
            );
        };
        let position = |wanted: &str| labels.iter().position(|known| *known == wanted);
        let Some(truth) = position(label) else {
            bail!(
                "{path}:{}: unknown label `{label}`; known are {}",
                line + 1,
                labels.join(" ")
            );
        };
        let features = Features::of(&clean("", text));
        let said = if arguments.model == "subject" {
            position(&opinion.subject(&features, &[]).name)
        } else {
            position(
                opinion
                    .sentiment(&features, &[], SourceKind::Board)
                    .label
                    .name(),
            )
        };
        report.add(truth, said.unwrap_or(0));
    }
    report.write(out)?;
    Ok(())
}

/// Assesses one text as if it had just been published, and says why.
///
/// # Errors
/// When the settings, a region or a model cannot be read, or the region is not served.
pub fn explain(
    settings: &Settings,
    text: &str,
    region: Option<&str>,
    kind: SourceKind,
    out: &mut impl Write,
) -> anyhow::Result<()> {
    let regions = Region::load_all(&settings.regions)?;
    let first = settings
        .regions
        .first()
        .context("no region is configured")?;
    let region = match region {
        Some(code) => code.to_owned(),
        None => Region::load(first)?.code().to_owned(),
    };
    if !regions.contains_key(&region) {
        bail!("region `{region}` is not served; add its folder to `regions`");
    }
    let pipeline = Pipeline::new(&regions, &settings.model, &settings.events, &settings.risk)?;
    let now = Timestamp::now();
    let post = Post {
        id: id::of_post("score", "", text),
        revision: 1,
        region,
        source: "score".to_owned(),
        kind,
        url: String::new(),
        title: String::new(),
        text: text.to_owned(),
        author: None,
        published_at: now,
        certainty: Certainty::Exact,
        collected_at: now,
        reactions: Reactions::default(),
    };
    let (assessment, alert) = pipeline.assess(post, &mut pipeline.window(), now);
    let relevant = if assessment.relevant { "yes" } else { "no" };
    writeln!(
        out,
        "relevant   {relevant}  {}",
        assessment.relevant_because.join(" ")
    )?;
    let places: Vec<&str> = assessment
        .places
        .iter()
        .map(|place| place.name.as_str())
        .collect();
    writeln!(out, "places     {}", places.join(" "))?;
    if let Some(subject) = &assessment.subject {
        let because = subject.because.join(" ");
        writeln!(
            out,
            "subject    {}  {:.2}  {because}",
            subject.name, subject.probability
        )?;
    }
    let sentiment = &assessment.sentiment;
    writeln!(
        out,
        "sentiment  {}  {:+.2} (confidence {:.2})  {}",
        sentiment.label.name(),
        sentiment.score,
        sentiment.confidence,
        sentiment.because.join(" ")
    )?;
    writeln!(out, "intensity  {}", assessment.intensity.join(" "))?;
    match alert {
        None => writeln!(out, "risk       below level 4")?,
        Some(alert) => {
            writeln!(out, "risk       level {}  {:.2}", alert.level, alert.score)?;
            for term in &alert.terms {
                writeln!(
                    out,
                    "           {:<10} {:.2} → {:.3}",
                    term.name, term.value, term.share
                )?;
            }
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_report_counts_as_the_textbook_does() {
        let mut report = Report::new(&["a", "b"]);
        for (truth, said) in [(0, 0), (0, 0), (0, 1), (1, 1)] {
            report.add(truth, said);
        }
        assert!((report.accuracy() - 0.75).abs() < 1e-9);
        assert!((report.macro_f1() - (0.8 + 2.0 / 3.0) / 2.0).abs() < 1e-9);
    }
}
