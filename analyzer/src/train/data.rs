//! The labelled texts that models are trained on.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::io::{BufRead, BufReader};
use std::ops::Range;
use std::path::Path;

use anyhow::{Context, bail};
use serde::Deserialize;

use super::signature::{Neighbours, Signature};
use super::{Machine, SAME, signature, words};
use crate::model::{BUCKETS, Features, Rarity, Task};
use crate::stage::clean::Cleaned;
use crate::stage::lexicon::Lexicon;
use crate::stage::signs::Signs;

/// How many first-level subjects the complaints' labels know: the first ones.
pub(super) const KNOWN_TO_COMPLAINTS: usize = 7;

/// Where a labelled text comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Source {
    /// Complaints with the subject of their board.
    Complaints,
    /// The general set of everyday texts.
    General,
    /// The same of the epidemic.
    Epidemic,
    /// Board posts and complaints labelled by the project.
    Own,
    /// Everyday posts labelled by the project: of the general sets, those that speak of a service or an office.
    Everyday,
    /// Their titles alone.
    Titles,
    /// Titles alone, of posts whose like is among the complaints: the subject is the one of their board.
    FiledTitles,
    /// Texts written by the project.
    Written,
    /// Corrections of duty officers.
    Corrections,
}

impl Source {
    pub(super) const ALL: [Self; 9] = [
        Self::Complaints,
        Self::FiledTitles,
        Self::General,
        Self::Epidemic,
        Self::Own,
        Self::Everyday,
        Self::Titles,
        Self::Written,
        Self::Corrections,
    ];

    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Complaints => "complaints of the board, its seven subjects",
            Self::General => "SMP2020-EWECT usual, three polarities",
            Self::Epidemic => "SMP2020-EWECT virus, three polarities",
            Self::Own => "board posts and complaints labelled by the project",
            Self::Everyday => "everyday posts labelled by the project",
            Self::Titles => "titles of board posts labelled by the project",
            Self::FiledTitles => {
                "titles of posts that are among the complaints, its seven subjects"
            }
            Self::Written => "texts written by the project",
            Self::Corrections => "corrections of duty officers",
        }
    }
}

/// A labelled text.
#[derive(Debug)]
pub(super) struct Example {
    pub(super) class: usize,
    pub(super) features: Features,
    pub(super) signs: Signs,
    pub(super) signature: Signature,
    pub(super) weight: f32,
    pub(super) source: Source,
    /// The classes whose machines learn from it.
    teaches: Range<usize>,
    /// Whether these are of the task's second set.
    pub(super) second: bool,
    /// The classes that its label chose from.
    pub(super) among: Range<usize>,
}

impl Example {
    /// Whether a machine is to say yes of it; nothing where that machine does not learn from it.
    pub(super) fn is(&self, task: Task, machine: usize) -> Option<bool> {
        if task.is_twofold() && machine + 1 == task.machines() {
            return Some(!self.second);
        }
        let first = if self.second { task.labels().len() } else { 0 };
        let class = machine.checked_sub(first)?;
        self.teaches.contains(&class).then_some(class == self.class)
    }
}

/// The files of labelled texts.
pub(super) struct Sources<'a> {
    pub(super) data: &'a Path,
    pub(super) labels: &'a Path,
    pub(super) written: &'a Path,
    pub(super) corrections: Option<&'a Path>,
    pub(super) lexicon: &'a Lexicon,
}

#[derive(Deserialize)]
struct BoardPost {
    id: String,
    title: String,
    text: String,
}

/// The files of board posts, and what comes before their ids in our labels.
const POSTS: [(&str, &str); 2] = [("board", "board_posts.jsonl"), ("reply", "replies.jsonl")];

/// How alike a post and a complaint must be to be the same.
const SAME_MATTER: f64 = 0.6;

/// A correction as `responder corrections` prints it.
#[derive(Deserialize)]
struct Correction {
    #[serde(default)]
    title: String,
    text: String,
    #[serde(default)]
    sentiment: String,
    #[serde(default)]
    appeal: String,
    #[serde(default)]
    subject: String,
}

impl Sources<'_> {
    /// The features of all texts that tell how rare words are.
    pub(super) fn all_features(&self) -> anyhow::Result<Vec<Features>> {
        let mut all = Vec::new();
        for (_, text) in self.complaints()? {
            all.push(Features::of(&Cleaned::of("", &text).text));
        }
        for post in self.posts()?.values() {
            all.push(Features::of(&Cleaned::of(&post.title, &post.text).text));
        }
        for (_, _, text) in self.general()? {
            all.push(Features::of(&Cleaned::of("", &text).text));
        }
        Ok(all)
    }

    /// The labelled texts of a task.
    pub(super) fn examples(&self, task: Task) -> anyhow::Result<Vec<Example>> {
        let mut examples = Vec::new();
        match task {
            Task::Subject => {
                for (label, text) in self.complaints()? {
                    let class = class_of(task, &label).with_context(|| {
                        self.data
                            .join("complaints_subject.tsv")
                            .display()
                            .to_string()
                    })?;
                    let mut example = self.example("", &text, class, 1.0, Source::Complaints, task);
                    example.teaches = 0..KNOWN_TO_COMPLAINTS;
                    example.among = 0..KNOWN_TO_COMPLAINTS;
                    examples.push(example);
                }
                self.add_filed_titles(&mut examples)?;
            }
            Task::Sentiment => self.add_general(&mut examples)?,
            Task::Appeal => {}
        }
        self.add_own(task, &mut examples)?;
        self.add_written(task, &mut examples)?;
        self.add_corrections(task, &mut examples)?;
        Ok(examples)
    }

    /// The weights of models of other sets that bear on a task: their scores are features of it. They learn from no text
    /// that we labelled, nor from one like it, so that these are judged by what never saw them.
    pub(super) fn priors(&self, task: Task, rarity: &Rarity) -> anyhow::Result<Vec<Vec<f32>>> {
        if task != Task::Sentiment {
            return Ok(Vec::new());
        }
        let mut sets: BTreeMap<String, Vec<(super::Vector, bool)>> = BTreeMap::new();
        let (general, labelled) = (self.general()?, self.everyday()?);
        let of = |text: &str| signature(&Cleaned::of("", text).text);
        let ours: Vec<Signature> = (labelled.iter())
            .filter_map(|at| general.get(*at))
            .map(|(_, _, text)| of(text))
            .collect();
        let mut neighbours = Neighbours::default();
        for (number, ours) in (0..).zip(&ours) {
            neighbours.add("", ours, number);
        }
        for (set, label, text) in general {
            let good = match label.as_str() {
                "positive" => true,
                "negative" => false,
                _ => continue,
            };
            let like = of(&text);
            let labelled = (neighbours.candidates("", &like).into_iter())
                .filter_map(|number| ours.get(number as usize))
                .any(|ours| ours.similarity(&like) >= SAME);
            if labelled {
                continue;
            }
            let features = Features::of(&Cleaned::of("", &text).text);
            sets.entry(set)
                .or_default()
                .push((words(&features, rarity), good));
        }
        Ok(sets
            .values()
            .map(|rows| {
                let rows: Vec<_> = rows
                    .iter()
                    .map(|(vector, good)| (vector, *good, 1.0))
                    .collect();
                Machine::fit(&rows, BUCKETS, 0.5, 0.0).0
            })
            .collect())
    }

    fn example(
        &self,
        title: &str,
        text: &str,
        class: usize,
        weight: f32,
        source: Source,
        task: Task,
    ) -> Example {
        let cleaned = Cleaned::of(title, text);
        let found = self.lexicon.find(&cleaned);
        let classes = task.labels().len();
        Example {
            class,
            features: Features::of(&cleaned.text),
            signs: Signs::read(&cleaned.text, &found, &self.lexicon.seconds),
            signature: signature(&cleaned.text),
            weight,
            source,
            // A text of the other subjects has one of the complaints' seven too, which nobody told.
            teaches: match task {
                Task::Subject if class >= KNOWN_TO_COMPLAINTS => KNOWN_TO_COMPLAINTS..classes,
                _ => 0..classes,
            },
            second: task.is_twofold() && matches!(source, Source::General | Source::Epidemic),
            among: 0..classes,
        }
    }

    fn complaints(&self) -> anyhow::Result<Vec<(String, String)>> {
        let path = self.data.join("complaints_subject.tsv");
        let mut complaints = Vec::new();
        for (number, row) in lines(&path)?.into_iter().enumerate().skip(1) {
            let Some((label, text)) = row.split_once('\t') else {
                bail!(
                    "{}:{}: expected label and text, separated by a tab",
                    path.display(),
                    number + 1
                );
            };
            complaints.push((label.to_owned(), text.to_owned()));
        }
        Ok(complaints)
    }

    /// The posts of the board by their ids, such as `board:188414`.
    fn posts(&self) -> anyhow::Result<BTreeMap<String, BoardPost>> {
        let mut posts = BTreeMap::new();
        for (kind, file) in POSTS {
            let path = self.data.join(file);
            for (number, row) in lines(&path)?.into_iter().enumerate() {
                let post: BoardPost = serde_json::from_str(&row)
                    .with_context(|| format!("{}:{}", path.display(), number + 1))?;
                posts.insert(format!("{kind}:{}", post.id), post);
            }
        }
        Ok(posts)
    }

    fn general(&self) -> anyhow::Result<Vec<(String, String, String)>> {
        let path = self.data.join("sentiment.tsv");
        let mut texts = Vec::new();
        for (number, row) in lines(&path)?.into_iter().enumerate().skip(1) {
            let mut fields = row.splitn(3, '\t').map(str::to_owned);
            let (Some(set), Some(label), Some(text)) =
                (fields.next(), fields.next(), fields.next())
            else {
                bail!(
                    "{}:{}: expected set, label and text",
                    path.display(),
                    number + 1
                );
            };
            texts.push((set, label, text));
        }
        Ok(texts)
    }

    /// Where among the [general](Self::general) texts those stand that we labelled.
    fn everyday(&self) -> anyhow::Result<BTreeSet<usize>> {
        let rows = table(self.labels, &["id"])?;
        let lines = rows
            .iter()
            .filter_map(|row| row.get("id")?.strip_prefix("everyday:"));
        Ok(lines.filter_map(place_of_line).collect())
    }

    /// Six emotions as three polarities; surprise is none. What we labelled ourselves is judged, but not learnt from.
    fn add_general(&self, examples: &mut Vec<Example>) -> anyhow::Result<()> {
        let labelled = self.everyday()?;
        for (at, (set, label, text)) in self.general()?.into_iter().enumerate() {
            let source = match set.as_str() {
                "smp2020_usual" => Source::General,
                "smp2020_virus" => Source::Epidemic,
                _ => continue,
            };
            let class = match label.as_str() {
                "angry" | "sad" | "fear" => 0,
                "neural" => 1,
                "happy" => 2,
                _ => continue,
            };
            let weight = match source {
                _ if labelled.contains(&at) => 0.0,
                Source::Epidemic => 0.25,
                _ => 1.0,
            };
            examples.push(self.example("", &text, class, weight, source, Task::Sentiment));
        }
        Ok(())
    }

    fn add_own(&self, task: Task, examples: &mut Vec<Example>) -> anyhow::Result<()> {
        let rows = table(self.labels, &["id", "sentiment", "appeal", "subject"])?;
        let (posts, complaints, general) = (self.posts()?, self.complaints()?, self.general()?);
        for (number, row) in rows.iter().enumerate() {
            let at = || format!("{}:{}", self.labels.display(), number + 2);
            let id = row.get("id").map_or("", String::as_str);
            let label = label_of(task, row);
            // An everyday post may speak of no one subject.
            if label.is_empty() && id.starts_with("everyday:") {
                continue;
            }
            let class = class_of(task, label).with_context(at)?;
            let (source, title, text) = match id.split_once(':') {
                Some(("complaint", line)) => {
                    match place_of_line(line).and_then(|place| complaints.get(place)) {
                        Some((_, text)) => (Source::Own, "", text.as_str()),
                        None => bail!("{}: complaints_subject.tsv has no line `{line}`", at()),
                    }
                }
                Some(("everyday", line)) => {
                    match place_of_line(line).and_then(|place| general.get(place)) {
                        Some((_, _, text)) => (Source::Everyday, "", text.as_str()),
                        None => bail!("{}: sentiment.tsv has no line `{line}`", at()),
                    }
                }
                Some(_) => match posts.get(id) {
                    Some(post) => (Source::Own, post.title.as_str(), post.text.as_str()),
                    None => bail!("{}: no file of posts has `{id}`", at()),
                },
                None => bail!(
                    "{}: expected an id such as board:188414, reply:2549, complaint:17 or everyday:3002",
                    at()
                ),
            };
            let weight = weight_of_own(task);
            let mut example = self.example(title, text, class, weight, source, task);
            // The board's own label of a complaint tells its seven apart.
            if task == Task::Subject && id.starts_with("complaint:") && class < KNOWN_TO_COMPLAINTS
            {
                example.weight *= 0.3;
            }
            // Titles teach how short posts are worded. The sentiment loses more by them than it gains: what a title does not
            // tell, its post does.
            if task != Task::Sentiment && !title.is_empty() {
                let weight = weight * 0.5;
                let mut alone = self.example(title, "", class, weight, Source::Titles, task);
                alone.signature = example.signature.clone();
                examples.push(alone);
            }
            examples.push(example);
        }
        Ok(())
    }

    /// The titles of posts whose like is among the complaints, for which the board's own subject is known; nothing is
    /// learnt from them, they only tell how well titles are judged.
    fn add_filed_titles(&self, examples: &mut Vec<Example>) -> anyhow::Result<()> {
        let mut neighbours = Neighbours::default();
        for (complaint, number) in examples.iter().zip(0..) {
            neighbours.add("", &complaint.signature, number);
        }
        let mut titles = Vec::new();
        for post in self.posts()?.values() {
            let like = signature(&Cleaned::of("", &post.text).text);
            let same = (neighbours.candidates("", &like).into_iter())
                .filter_map(|number| examples.get(number as usize))
                .find(|complaint| complaint.signature.similarity(&like) >= SAME_MATTER);
            let Some(same) = same else { continue };
            let (class, source) = (same.class, Source::FiledTitles);
            let mut title = self.example(&post.title, "", class, 0.0, source, Task::Subject);
            title.signature = same.signature.clone();
            title.among = same.among.clone();
            titles.push(title);
        }
        examples.append(&mut titles);
        Ok(())
    }

    fn add_written(&self, task: Task, examples: &mut Vec<Example>) -> anyhow::Result<()> {
        let rows = table(self.written, &["sentiment", "appeal", "subject", "text"])?;
        for (number, row) in rows.iter().enumerate() {
            let class = class_of(task, label_of(task, row))
                .with_context(|| format!("{}:{}", self.written.display(), number + 2))?;
            let text = row.get("text").map_or("", String::as_str);
            let weight = weight_of_written(task);
            examples.push(self.example("", text, class, weight, Source::Written, task));
        }
        Ok(())
    }

    fn add_corrections(&self, task: Task, examples: &mut Vec<Example>) -> anyhow::Result<()> {
        let Some(path) = self.corrections else {
            return Ok(());
        };
        for (number, row) in lines(path)?.into_iter().enumerate() {
            let at = || format!("{}:{}", path.display(), number + 1);
            let correction: Correction = serde_json::from_str(&row).with_context(at)?;
            let label = match task {
                Task::Subject => &correction.subject,
                Task::Sentiment => &correction.sentiment,
                Task::Appeal => &correction.appeal,
            };
            if label.is_empty() {
                continue;
            }
            let class = class_of(task, label).with_context(at)?;
            let (title, text) = (correction.title.as_str(), correction.text.as_str());
            examples.push(self.example(title, text, class, 3.0, Source::Corrections, task));
        }
        Ok(())
    }
}

/// How much a text of our own labels counts against one of the set that a task is learnt from besides: for sentiment
/// the everyday texts, which are many and of another field; for the subject the complaints, whose board calls 城乡建设
/// and 交通运输 not the same as our readers do.
fn weight_of_own(task: Task) -> f32 {
    match task {
        Task::Subject => 0.016,
        Task::Sentiment => 4.0,
        Task::Appeal => 1.0,
    }
}

/// The same of a text written by the project: few, but of what is rare on the board.
fn weight_of_written(task: Task) -> f32 {
    match task {
        Task::Subject => 0.048,
        Task::Sentiment => 20.0,
        Task::Appeal => 3.0,
    }
}

/// Texts without an id go by their line; the header is line 1.
fn place_of_line(line: &str) -> Option<usize> {
    line.parse::<usize>().ok()?.checked_sub(2)
}

fn label_of(task: Task, row: &HashMap<String, String>) -> &str {
    let label = row.get(task.name()).map_or("", String::as_str);
    match task {
        Task::Subject => label.split('/').next().unwrap_or_default(),
        _ => label,
    }
}

fn class_of(task: Task, label: &str) -> anyhow::Result<usize> {
    task.labels()
        .iter()
        .position(|known| *known == label)
        .with_context(|| {
            format!(
                "unknown {} `{label}`; known are {}",
                task.name(),
                task.labels().join(" ")
            )
        })
}

/// The rows of a tab-separated file with a header, by column; `wanted` are the columns it must have.
fn table(path: &Path, wanted: &[&str]) -> anyhow::Result<Vec<HashMap<String, String>>> {
    let lines = lines(path)?;
    let header: Vec<&str> = lines
        .first()
        .map(|line| line.split('\t').collect())
        .unwrap_or_default();
    if let Some(missing) = wanted.iter().find(|column| !header.contains(column)) {
        bail!("{}:1: has no column `{missing}`", path.display());
    }
    let mut rows = Vec::new();
    for (number, line) in lines.iter().enumerate().skip(1) {
        let fields: Vec<&str> = line.split('\t').collect();
        if fields.len() != header.len() {
            bail!(
                "{}:{}: has {} columns, not {}",
                path.display(),
                number + 1,
                fields.len(),
                header.len()
            );
        }
        let named = header.iter().zip(fields);
        rows.push(
            named
                .map(|(name, field)| ((*name).to_owned(), field.to_owned()))
                .collect(),
        );
    }
    Ok(rows)
}

fn lines(path: &Path) -> anyhow::Result<Vec<String>> {
    let file =
        std::fs::File::open(path).with_context(|| format!("cannot read {}", path.display()))?;
    BufReader::new(file)
        .lines()
        .collect::<Result<_, _>>()
        .with_context(|| format!("cannot read {}", path.display()))
}
