//! What the analyzer says of a text, and why.

use std::io::{BufRead, Write};
use std::path::PathBuf;

use backbone::id;
use backbone::message::{Assessment, Certainty, FindingKind, Post, Reactions, SourceKind};
use jiff::Timestamp;
use serde_json::json;

use crate::pipeline::Pipeline;
use crate::stage::clean::Cleaned;

/// Where a text is taken to have been found when nothing is said of it.
pub const BOARD: SourceKind = SourceKind::Board;

/// Assesses texts and says why.
#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// The text, as a citizen would write it; `-` reads it from standard input.
    #[arg(default_value = "-")]
    text: String,
    /// The region it is read for: its folder or its region.toml; the first one configured where absent.
    #[arg(long)]
    region: Option<PathBuf>,
    /// Where it would have been found: board, feed, import or official.
    #[arg(long, value_parser = kind, default_value = "board")]
    kind: SourceKind,
    /// Print JSON.
    #[arg(long)]
    json: bool,
    /// Read standard input line by line, one text a line, and print one line of JSON for each.
    #[arg(long)]
    jsonl: bool,
}

impl Arguments {
    /// The region asked for.
    #[must_use]
    pub fn region(&self) -> Option<&std::path::Path> {
        self.region.as_deref()
    }
}

fn kind(name: &str) -> Result<SourceKind, String> {
    [
        SourceKind::Board,
        SourceKind::Feed,
        SourceKind::Import,
        SourceKind::Official,
    ]
    .into_iter()
    .find(|kind| kind.name() == name)
    .ok_or_else(|| "known kinds are board, feed, import and official".to_owned())
}

/// Longest line that is read as one text, in bytes.
const LONGEST: u64 = 4 << 20;

/// Assesses the text or the lines of `input`.
///
/// # Errors
/// When `input` cannot be read or `out` not be written.
pub fn run(
    pipeline: &Pipeline,
    region: &str,
    arguments: &Arguments,
    input: &mut impl BufRead,
    out: &mut impl Write,
) -> anyhow::Result<()> {
    if arguments.jsonl {
        if arguments.text != "-" {
            let assessment = assess(pipeline, region, "", &arguments.text, arguments.kind);
            writeln!(out, "{}", as_json(&assessment))?;
            return Ok(());
        }
        while let Some(line) = next_line(input)? {
            let assessment = assess(pipeline, region, "", &line, arguments.kind);
            writeln!(out, "{}", as_json(&assessment))?;
        }
        return Ok(());
    }
    let text = if arguments.text == "-" {
        let mut bytes = Vec::new();
        std::io::Read::read_to_end(&mut std::io::Read::take(input, LONGEST), &mut bytes)?;
        String::from_utf8_lossy(&bytes).into_owned()
    } else {
        arguments.text.clone()
    };
    let assessment = assess(pipeline, region, "", &text, arguments.kind);
    if arguments.json {
        writeln!(out, "{}", as_json(&assessment))?;
    } else {
        write_plain(&assessment, out)?;
    }
    Ok(())
}

/// The next line, whatever its bytes; of a longer one its first 4 MiB.
fn next_line(input: &mut impl BufRead) -> std::io::Result<Option<String>> {
    let mut line = Vec::new();
    std::io::Read::take(&mut *input, LONGEST).read_until(b'\n', &mut line)?;
    if line.is_empty() {
        return Ok(None);
    }
    if !line.ends_with(b"\n") {
        input.skip_until(b'\n')?;
    }
    let text = String::from_utf8_lossy(&line);
    Ok(Some(text.trim_end_matches(['\n', '\r']).to_owned()))
}

/// Reads a text as if it had just been published.
#[must_use]
pub fn assess(
    pipeline: &Pipeline,
    region: &str,
    title: &str,
    text: &str,
    kind: SourceKind,
) -> Assessment {
    let now = Timestamp::now();
    let post = Post {
        id: id::of_post("score", "", text),
        revision: 1,
        region: region.to_owned(),
        source: "score".to_owned(),
        kind,
        url: String::new(),
        title: title.to_owned(),
        text: text.to_owned(),
        author: None,
        published_at: now,
        certainty: Certainty::Exact,
        collected_at: now,
        reactions: Reactions::default(),
        answered_at: None,
    };
    let cleaned = Cleaned::of(title, text);
    pipeline.read(post, &cleaned, now)
}

/// The findings as one JSON object.
#[must_use]
pub fn as_json(assessment: &Assessment) -> serde_json::Value {
    let subject = assessment.subject.as_ref();
    let appeal = assessment.appeal.as_ref();
    let intensity: Vec<serde_json::Value> = assessment
        .evidence
        .iter()
        .filter(|evidence| evidence.finding == FindingKind::Intensity)
        .map(|evidence| json!({ "kind": evidence.detail, "word": evidence.word }))
        .collect();
    json!({
        "relevant": assessment.relevant,
        "places": assessment.places,
        "subject": subject.map(|subject| &subject.name),
        "subject_second": subject.map(|subject| &subject.second),
        "subject_probability": subject.map(|subject| subject.probability),
        "subjects": assessment.subjects,
        "appeal": appeal.map(|appeal| &appeal.name),
        "appeal_probability": appeal.map(|appeal| appeal.probability),
        "sentiment": {
            "score": assessment.sentiment.score,
            "label": assessment.sentiment.label,
            "confidence": assessment.sentiment.confidence,
        },
        "units": assessment.units,
        "intensity": intensity,
        "keywords": assessment.keywords,
        "because": {
            "relevant": assessment.relevant_because,
            "subject": subject.map(|subject| &subject.because),
            "appeal": appeal.map(|appeal| &appeal.because),
            "sentiment": assessment.sentiment.because,
            "evidence": assessment.evidence,
        },
        "model": assessment.model,
    })
}

fn write_plain(assessment: &Assessment, out: &mut impl Write) -> std::io::Result<()> {
    let relevant = if assessment.relevant { "yes" } else { "no" };
    writeln!(
        out,
        "relevant   {relevant}  {}",
        assessment.relevant_because.join(" ")
    )?;
    let places: Vec<String> = assessment
        .places
        .iter()
        .map(|place| match place.within.as_str() {
            "" => place.name.clone(),
            within => format!("{}（{within}）", place.name),
        })
        .collect();
    writeln!(out, "places     {}", places.join(" "))?;
    if let Some(subject) = &assessment.subject {
        writeln!(
            out,
            "subject    {}/{}  {:.2}  {}",
            subject.name,
            subject.second,
            subject.probability,
            subject.because.join(" ")
        )?;
    }
    if let Some(appeal) = &assessment.appeal {
        writeln!(
            out,
            "appeal     {}  {:.2}  {}",
            appeal.name,
            appeal.probability,
            appeal.because.join(" ")
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
    for unit in &assessment.units {
        let role = match unit.role {
            backbone::message::Role::Lead => "牵头",
            backbone::message::Role::Assist => "协办",
        };
        writeln!(out, "unit       {role} {}  {}", unit.name, unit.reason)?;
    }
    writeln!(out, "intensity  {}", assessment.intensity.join(" "))?;
    writeln!(out, "keywords   {}", assessment.keywords.join(" "))
}
