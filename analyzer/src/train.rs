//! Training: labelled texts in, two model files out, with how good they are on texts held out.
//!
//! Multinomial logistic regression by AdaGrad (Duchi, Hazan and Singer 2011) over the features of
//! [`crate::model`]. A fifth of the texts is held out, near-duplicates always on one side; the files
//! written are trained on all texts. The same data gives the same files.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use backbone::region::SUBJECTS;
use serde::Deserialize;
use xxhash_rust::xxh3::xxh3_64;

use crate::evaluate::Report;
use crate::event::{Neighbours, Signature};
use crate::model::{BUCKETS, Features, LinearModel, softmax};
use crate::stage::clean::clean;
use crate::stage::opinion::SENTIMENTS;

const EPOCHS: u64 = 12;
const RATE: f32 = 0.5;
/// How alike two texts must be to fall on the same side of the split.
const SAME: f64 = 0.5;
/// How much a text of our own labels counts beside one of a general set: these are the only ones
/// that say how people write to a government.
const OWN_WEIGHT: f32 = 6.0;

/// Trains the models.
#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// Folder with `complaints_subject.tsv`, `sentiment.tsv` and `board_posts.jsonl`.
    #[arg(long)]
    data: PathBuf,
    /// The project's own sentiment labels of board posts, by row id.
    #[arg(long, default_value = "analyzer/model/sentiment-labels.tsv")]
    labels: PathBuf,
    /// Folder to write the models to.
    #[arg(long, default_value = "analyzer/model")]
    out: PathBuf,
}

/// A labelled text.
#[derive(Debug)]
struct Example {
    class: usize,
    features: Features,
    signature: Signature,
    weight: f32,
    /// Whether it counts when the model is judged.
    judged: bool,
}

impl Example {
    fn new(text: &str, class: usize, weight: f32, judged: bool) -> Self {
        let text = clean("", text);
        Self {
            class,
            features: Features::of(&text),
            signature: Signature::of(&text),
            weight,
            judged,
        }
    }
}

/// Trains both models and writes them; says on `out` how good they are.
///
/// # Errors
/// When a file cannot be read or written, or a row does not fit; names file and line.
pub fn run(arguments: &Arguments, out: &mut impl Write) -> anyhow::Result<()> {
    let subjects = subject_examples(&arguments.data.join("complaints_subject.tsv"))?;
    let model = train_and_judge("subject-1", &SUBJECTS, &subjects, out)?;
    model.save(&arguments.out.join("subject.safetensors"))?;
    let mut sentiments = general_examples(&arguments.data.join("sentiment.tsv"))?;
    sentiments.extend(own_examples(
        &arguments.data.join("board_posts.jsonl"),
        &arguments.labels,
    )?);
    let model = train_and_judge("sentiment-1", &SENTIMENTS, &sentiments, out)?;
    model.save(&arguments.out.join("sentiment.safetensors"))?;
    Ok(())
}

fn train_and_judge(
    version: &str,
    labels: &[&str],
    examples: &[Example],
    out: &mut impl Write,
) -> anyhow::Result<LinearModel> {
    let groups = groups(examples);
    let (mut training, mut held_out) = (Vec::new(), Vec::new());
    for (example, group) in examples.iter().zip(groups) {
        if xxh3_64(&group.to_le_bytes()).is_multiple_of(5) {
            held_out.push(example);
        } else {
            training.push(example);
        }
    }
    let judged = fit(version, labels, &training);
    let mut report = Report::new(labels);
    for example in held_out.iter().filter(|example| example.judged) {
        let probabilities = judged.probabilities(&example.features);
        let said = (0..labels.len())
            .max_by(|one, other| {
                let of = |class: &usize| probabilities.get(*class).copied().unwrap_or(0.0);
                of(one).total_cmp(&of(other))
            })
            .unwrap_or(0);
        report.add(example.class, said);
    }
    writeln!(
        out,
        "{version}: trained on {} texts, judged on {}",
        training.len(),
        report.total()
    )?;
    report.write(out)?;
    Ok(fit(version, labels, &examples.iter().collect::<Vec<_>>()))
}

/// For each example the number of the first one that it is alike to.
fn groups(examples: &[Example]) -> Vec<u64> {
    let mut neighbours = Neighbours::default();
    let mut groups: Vec<u64> = Vec::with_capacity(examples.len());
    for (number, example) in examples.iter().enumerate() {
        let like = neighbours
            .candidates("", &example.signature)
            .into_iter()
            .find(|other| {
                examples
                    .get(*other as usize)
                    .is_some_and(|other| other.signature.similarity(&example.signature) >= SAME)
            });
        neighbours.add("", &example.signature, number as u64);
        let group = like.and_then(|other| groups.get(other as usize).copied());
        groups.push(group.unwrap_or(number as u64));
    }
    groups
}

fn fit(version: &str, labels: &[&str], examples: &[&Example]) -> LinearModel {
    let classes = labels.len();
    let mut weights = vec![0.0_f32; BUCKETS * classes];
    let mut squares = vec![1e-3_f32; BUCKETS * classes];
    let mut biases = vec![0.0_f32; classes];
    let mut bias_squares = vec![1.0_f32; classes];
    for epoch in 0..EPOCHS {
        let mut order: Vec<(u64, &Example)> = examples
            .iter()
            .enumerate()
            .map(|(number, example)| {
                (
                    xxh3_64(&[epoch.to_le_bytes(), (number as u64).to_le_bytes()].concat()),
                    *example,
                )
            })
            .collect();
        order.sort_unstable_by_key(|(shuffled, _)| *shuffled);
        for (_, example) in order {
            let mut scores: Vec<f64> = biases.iter().map(|bias| f64::from(*bias)).collect();
            for (place, value) in &example.features.0 {
                let start = *place as usize * classes;
                for (score, weight) in scores.iter_mut().zip(weights.iter().skip(start)) {
                    *score += f64::from(weight * value);
                }
            }
            let probabilities = softmax(scores);
            for (class, probability) in probabilities.iter().enumerate() {
                let wanted = if class == example.class { 1.0 } else { 0.0 };
                let gradient = (*probability as f32 - wanted) * example.weight;
                if gradient.abs() < 1e-4 {
                    continue;
                }
                step(&mut biases, &mut bias_squares, class, gradient, 0.1 * RATE);
                for (place, value) in &example.features.0 {
                    let index = *place as usize * classes + class;
                    step(&mut weights, &mut squares, index, gradient * value, RATE);
                }
            }
        }
    }
    LinearModel::round(version, labels, &weights, &biases)
}

fn step(weights: &mut [f32], squares: &mut [f32], index: usize, gradient: f32, rate: f32) {
    if let (Some(weight), Some(square)) = (weights.get_mut(index), squares.get_mut(index)) {
        *square += gradient * gradient;
        *weight -= rate * gradient / square.sqrt();
    }
}

fn subject_examples(path: &Path) -> anyhow::Result<Vec<Example>> {
    let mut examples = Vec::new();
    for (line, row) in rows(path)?.into_iter().enumerate().skip(1) {
        let Some((label, text)) = row.split_once('\t') else {
            bail!(
                "{}:{}: expected label and text, separated by a tab",
                path.display(),
                line + 1
            );
        };
        let class = class_of(&SUBJECTS, label)
            .with_context(|| format!("{}:{}", path.display(), line + 1))?;
        examples.push(Example::new(text, class, 1.0, true));
    }
    Ok(examples)
}

/// The general set's emotions as polarities: only SMP2020, which has neutral texts.
fn general_examples(path: &Path) -> anyhow::Result<Vec<Example>> {
    let mut examples = Vec::new();
    for (line, row) in rows(path)?.into_iter().enumerate().skip(1) {
        let mut fields = row.splitn(3, '\t');
        let (Some(set), Some(label), Some(text)) = (fields.next(), fields.next(), fields.next())
        else {
            bail!(
                "{}:{}: expected set, label and text",
                path.display(),
                line + 1
            );
        };
        let class = match label {
            "angry" | "sad" | "fear" => 0,
            "neural" => 1,
            "happy" => 2,
            _ => continue,
        };
        if set.starts_with("smp2020") {
            examples.push(Example::new(text, class, 1.0, false));
        }
    }
    Ok(examples)
}

#[derive(Deserialize)]
struct BoardPost {
    id: String,
    title: String,
    text: String,
}

fn own_examples(posts: &Path, labels: &Path) -> anyhow::Result<Vec<Example>> {
    let mut classes = BTreeMap::new();
    for (line, row) in rows(labels)?.into_iter().enumerate().skip(1) {
        let Some((id, label)) = row.split_once('\t') else {
            bail!("{}:{}: expected id and label", labels.display(), line + 1);
        };
        let class = class_of(&SENTIMENTS, label)
            .with_context(|| format!("{}:{}", labels.display(), line + 1))?;
        classes.insert(id.to_owned(), class);
    }
    let mut examples = Vec::new();
    for (line, row) in rows(posts)?.into_iter().enumerate() {
        let post: BoardPost = serde_json::from_str(&row)
            .with_context(|| format!("{}:{}", posts.display(), line + 1))?;
        if let Some(class) = classes.get(&post.id) {
            let text = format!("{}\n{}", post.title, post.text);
            examples.push(Example::new(&text, *class, OWN_WEIGHT, true));
        }
    }
    Ok(examples)
}

fn class_of(labels: &[&str], label: &str) -> anyhow::Result<usize> {
    labels
        .iter()
        .position(|known| *known == label)
        .with_context(|| format!("unknown label `{label}`; known are {}", labels.join(" ")))
}

fn rows(path: &Path) -> anyhow::Result<Vec<String>> {
    let file =
        std::fs::File::open(path).with_context(|| format!("cannot read {}", path.display()))?;
    BufReader::new(file)
        .lines()
        .collect::<Result<_, _>>()
        .with_context(|| format!("cannot read {}", path.display()))
}
