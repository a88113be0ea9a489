//! Training: labelled texts in, model files out, with how good they are on texts held out.
//!
//! One linear support vector machine per class against the others (squared hinge loss, dual coordinate descent: Hsieh, Chang,
//! Lin, Keerthi and Sundararajan 2008) over the features of [`crate::model`] and the [signs](crate::stage::signs), some of them with words
//! that count by how much they tell of the class (Wang and Manning 2012).
//! Five-fold: every text is judged by models that saw neither it nor a near-duplicate of it, and on those answers the
//! probabilities are calibrated. The files written are trained on all texts. The same data gives the same files.

mod data;
mod machine;
mod signature;

use std::io::Write;
use std::ops::Range;
use std::path::PathBuf;

use anyhow::Context;

use crate::evaluate::Report;
use crate::model::{BUCKETS, Features, Model, Rarity, Task, most, probabilities};
use crate::rules::Rules;
use crate::stage::lexicon::Lexicon;
use crate::stage::signs::{SIGNS, SUBJECT_SIGNS};

use data::{Example, KNOWN_TO_COMPLAINTS, Source};
use machine::{Machine, Vector};
use signature::{Neighbours, Signature};

/// Parts that the texts fall into, each judged by models trained on the others.
const FOLDS: u64 = 5;
/// How alike two texts must be to fall into the same part.
const SAME: f64 = 0.4;
/// Machines of a task that learn alike.
struct Group {
    machines: Range<usize>,
    /// How much a sign counts beside the words, whose vector has length 1.
    signs: f32,
    /// What an error costs, against the weights' size.
    cost: f32,
    /// How often a text of the class counts for one of the others.
    members: f32,
    /// How far a word counts by how much it tells of the class, from 0, not at all, to 1.
    telling: f32,
    /// How much a text of the second set counts for the machines of the first: words of praise, grief and anger are the same in both.
    lent: f32,
}

/// The groups of a task's machines; tried out on texts held out.
fn groups(task: Task) -> Vec<Group> {
    let group = |machines, signs, cost, members| Group {
        machines,
        signs,
        cost,
        members,
        telling: 0.0,
        lent: 0.0,
    };
    let all = task.labels().len();
    match task {
        Task::Subject => vec![
            Group {
                telling: 0.6,
                ..group(0..KNOWN_TO_COMPLAINTS, 0.1, 6.0, 1.0)
            },
            group(KNOWN_TO_COMPLAINTS..all, 1.0, 50.0, 1.0),
        ],
        Task::Sentiment => vec![
            Group {
                lent: 0.02,
                ..group(0..2, 2.0, 0.4, 1.0)
            },
            Group {
                lent: 0.3,
                ..group(2..all, 2.0, 0.3, 1.5)
            },
            group(all..2 * all, 2.0, 1.0, 1.0),
            group(2 * all..task.machines(), 1.0, 0.6, 1.0),
        ],
        Task::Appeal => vec![Group {
            telling: 0.6,
            ..group(0..all, 0.6, 1.2, 2.0)
        }],
    }
}

/// How much the score of a model of another set counts.
const PRIOR_SCALE: f32 = 0.6;

/// Trains the models.
#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// Which model; all where absent.
    #[arg(long, value_parser = ["subject", "sentiment", "appeal"])]
    task: Option<String>,
    /// Folder with `complaints_subject.tsv`, `sentiment.tsv`, `board_posts.jsonl` and `replies.jsonl`.
    #[arg(long)]
    data: PathBuf,
    /// The project's own labels of board posts and complaints, by row id.
    #[arg(long, default_value = "analyzer/model/labels.tsv")]
    labels: PathBuf,
    /// The texts that the project wrote and labelled itself.
    #[arg(long, default_value = "analyzer/model/written.tsv")]
    written: PathBuf,
    /// Corrections of duty officers, as `responder corrections` prints them.
    #[arg(long)]
    corrections: Option<PathBuf>,
    /// Folder of the rules.
    #[arg(long, default_value = "deploy/config/region/rules")]
    rules: PathBuf,
    /// Folder to write the models to.
    #[arg(long, default_value = "analyzer/model")]
    out: PathBuf,
}

/// Trains the models and writes them; says on `out` how good they are.
///
/// # Errors
/// When a file cannot be read or written, or a row does not fit; names file and line.
pub fn run(arguments: &Arguments, out: &mut impl Write) -> anyhow::Result<()> {
    let rules = Rules::load(&arguments.rules)?;
    let lexicon = Lexicon::new(None, &rules)?;
    let sources = data::Sources {
        data: &arguments.data,
        labels: &arguments.labels,
        written: &arguments.written,
        corrections: arguments.corrections.as_deref(),
        lexicon: &lexicon,
    };
    let rarity = Rarity::of(&sources.all_features()?);
    std::fs::create_dir_all(&arguments.out)
        .with_context(|| format!("cannot make {}", arguments.out.display()))?;
    for task in Task::ALL {
        if arguments
            .task
            .as_ref()
            .is_some_and(|wanted| wanted != task.name())
        {
            continue;
        }
        let examples = sources.examples(task)?;
        let priors = sources.priors(task, &rarity)?;
        let trainer = Trainer {
            task,
            rarity: &rarity,
            priors: &priors,
        };
        let model = trainer.train(&examples, out)?;
        model.save(&arguments.out, task)?;
    }
    Ok(())
}

struct Trainer<'a> {
    task: Task,
    rarity: &'a Rarity,
    /// Weights of models of other sets, whose scores are features too.
    priors: &'a [Vec<f32>],
}

/// What is added to the scores: of the subjects, which learn from texts of two kinds, of the appeals, of which some are rare,
/// and of the machine that chooses between the two sets of the sentiment.
#[derive(Debug, Clone, Default)]
struct Tuning {
    /// For the words of a subject: long complaints teach too little of what few words tell in a short post.
    words: f64,
    /// To the subjects that the complaints do not know.
    lift: f64,
    /// To what each machine says, as [`Task::machines`] counts them; none where empty.
    offsets: Vec<f64>,
}

/// The steps in which offsets are sought, on either side, and the rounds over the classes.
const OFFSET_STEP: f64 = 0.05;
const OFFSET_STEPS: i32 = 10;
const OFFSET_ROUNDS: usize = 3;

impl Tuning {
    /// The best of some, of equals the last.
    fn best(candidates: impl Iterator<Item = Self>, good: impl Fn(&Self) -> f64) -> Self {
        let valued = candidates.map(|tuning| (good(&tuning), tuning));
        let best = valued.max_by(|(one, _), (other, _)| one.total_cmp(other));
        best.map(|(_, tuning)| tuning).unwrap_or_default()
    }

    /// Makes of what the machines say what is said of the labels.
    fn apply(&self, task: Task, example: &Example, scores: &mut Vec<f64>) {
        if task.is_twofold() {
            let choice = scores.pop().unwrap_or_default() + self.constant(scores.len());
            let second = scores.split_off(task.labels().len());
            if choice <= 0.0 {
                *scores = second;
            }
        }
        let words = example.signs.values().iter().skip(SUBJECT_SIGNS);
        for ((class, score), words) in scores.iter_mut().enumerate().zip(words) {
            *score += self.words * f64::from(*words) + self.constant(class);
        }
    }

    /// What is added to a machine's score whatever the text.
    fn constant(&self, machine: usize) -> f64 {
        let lift = if machine < KNOWN_TO_COMPLAINTS {
            0.0
        } else {
            self.lift
        };
        lift + self.offsets.get(machine).copied().unwrap_or_default()
    }
}

/// The machines of a task.
struct Trained {
    /// As [`Task::machines`] counts them.
    machines: Vec<Machine>,
}

impl Trainer<'_> {
    fn train(&self, examples: &[Example], out: &mut impl Write) -> anyhow::Result<Model> {
        let groups = groups(self.task);
        let vectors: Vec<Vec<Vector>> = groups
            .iter()
            .map(|group| {
                let of = |example: &Example| self.vector(example, group.signs);
                examples.iter().map(of).collect()
            })
            .collect();
        let parts = parts(examples);
        let mut scores: Vec<Vec<f64>> = vec![Vec::new(); examples.len()];
        for part in 0..FOLDS {
            let training: Vec<usize> = (0..examples.len())
                .filter(|at| parts[*at] != part)
                .collect();
            let trained = self.fit(&groups, examples, &vectors, &training);
            for at in (0..examples.len()).filter(|at| parts[*at] == part) {
                scores[at] = trained.scores(&groups, &vectors, at);
            }
        }
        let tuning = self.tuning(examples, &scores, |_| true);
        // A text's own label does not tune what it is judged by.
        let apart: Vec<Tuning> = (0..FOLDS)
            .map(|part| self.tuning(examples, &scores, |at| parts[at] != part))
            .collect();
        for ((example, scores), part) in examples.iter().zip(&mut scores).zip(&parts) {
            if let Some(tuning) = apart.get(*part as usize) {
                tuning.apply(self.task, example, scores);
            }
        }
        let sharpness = self.sharpness(examples, &scores);
        writeln!(out, "== {} ({} texts)", self.task.name(), examples.len())?;
        for source in Source::ALL {
            let judged = |example: &Example| example.source == source;
            self.report(source.name(), judged, examples, &scores, sharpness, out)?;
        }
        let ours = |example: &Example| matches!(example.source, Source::Own | Source::Everyday);
        let name = "both, of the board and everyday, labelled by the project";
        self.report(name, ours, examples, &scores, sharpness, out)?;
        let all: Vec<usize> = (0..examples.len()).collect();
        let trained = self.fit(&groups, examples, &vectors, &all);
        Ok(self.model(&groups, &trained, &tuning, sharpness))
    }

    /// A text's words scaled to length 1, then its signs, then what the other sets' models say, then 1 for the bias.
    fn vector(&self, example: &Example, scale: f32) -> Vector {
        let mut vector = words(&example.features, self.rarity);
        let said: Vec<f32> = self.priors.iter().map(|prior| vector.dot(prior)).collect();
        let signs = example.signs.values().iter().map(|value| value * scale);
        let more = signs
            .chain(said.iter().map(|score| score * PRIOR_SCALE))
            .chain([1.0]);
        for (value, place) in more.zip(BUCKETS as u32..) {
            if value != 0.0 {
                vector.0.push((place, value));
            }
        }
        vector
    }

    fn width(&self) -> usize {
        BUCKETS + SIGNS.len() + self.priors.len() + 1
    }

    fn fit(
        &self,
        groups: &[Group],
        examples: &[Example],
        vectors: &[Vec<Vector>],
        training: &[usize],
    ) -> Trained {
        let mut machines = Vec::new();
        for (group, vectors) in groups.iter().zip(vectors) {
            for machine in group.machines.clone() {
                let rows: Vec<(&Vector, bool, f32)> = training
                    .iter()
                    .filter_map(|at| {
                        let example = &examples[*at];
                        let (is, counts) = match example.is(self.task, machine) {
                            Some(is) => (is, 1.0),
                            None if example.second => (example.class == machine, group.lent),
                            None => return None,
                        };
                        let members = if is { group.members } else { 1.0 };
                        let counts = example.weight * counts * members;
                        (counts > 0.0).then_some((&vectors[*at], is, counts))
                    })
                    .collect();
                machines.push(Machine::fit(&rows, self.width(), group.cost, group.telling));
            }
        }
        Trained { machines }
    }

    /// The tuning found best on the texts asked for.
    fn tuning(
        &self,
        examples: &[Example],
        scores: &[Vec<f64>],
        asked: impl Fn(usize) -> bool,
    ) -> Tuning {
        let judged: Vec<(&Example, &Vec<f64>)> = (examples.iter().zip(scores).enumerate())
            .filter(|(at, (example, _))| example.weight > 0.0 && asked(*at))
            .map(|(_, judged)| judged)
            .collect();
        match self.task {
            Task::Subject => Self::tuning_of_subjects(&judged),
            Task::Sentiment => self.tuning_of_sentiment(&judged),
            Task::Appeal => self.tuning_of_appeals(&judged),
        }
    }

    /// The tuning of the subjects by which most of the complaints and most of our own labels come out right, either
    /// counting the same.
    fn tuning_of_subjects(judged: &[(&Example, &Vec<f64>)]) -> Tuning {
        let right = |tuning: &Tuning| {
            let (mut right, mut all) = ([0.0; 2], [0.0; 2]);
            for (example, scores) in judged {
                let mut tuned = scores.to_vec();
                tuning.apply(Task::Subject, example, &mut tuned);
                tuned.truncate(example.among.end);
                let own = usize::from(example.source != Source::Complaints);
                all[own] += 1.0;
                right[own] += f64::from(u8::from(most(&tuned).0 == example.class));
            }
            right[0] / f64::max(all[0], 1.0) + right[1] / f64::max(all[1], 1.0)
        };
        let candidates = (0..=2).flat_map(|words| {
            (0..=40).map(move |lift| Tuning {
                words: f64::from(words) * 0.05,
                lift: f64::from(lift) * 0.05 - 0.5,
                ..Tuning::default()
            })
        });
        Tuning::best(candidates, right)
    }

    /// The choice between the two sets of the sentiment by which our own labels and those of the general set come out best, by macro-F1,
    /// either counting the same.
    fn tuning_of_sentiment(&self, judged: &[(&Example, &Vec<f64>)]) -> Tuning {
        let good = |tuning: &Tuning| {
            let mut reports = [(); 2].map(|()| Report::new(self.task.labels()));
            for (example, scores) in judged {
                let of = match example.source {
                    Source::Own | Source::Everyday => 0,
                    Source::General => 1,
                    _ => continue,
                };
                let mut tuned = scores.to_vec();
                tuning.apply(self.task, example, &mut tuned);
                reports[of].add(example.class, most(&tuned).0, 0.0);
            }
            reports.iter().map(Report::macro_f1).sum::<f64>()
        };
        let candidates = (-10..=20).map(|step| {
            let mut offsets = vec![0.0; self.task.machines()];
            if let Some(chooses) = offsets.last_mut() {
                *chooses = f64::from(step) * OFFSET_STEP;
            }
            Tuning {
                offsets,
                ..Tuning::default()
            }
        });
        Tuning::best(candidates, good)
    }

    /// The offsets of the appeals by which accuracy and macro-F1 are highest together, sought class by class: without them
    /// what is rare is taken for 投诉, of which there is most.
    fn tuning_of_appeals(&self, judged: &[(&Example, &Vec<f64>)]) -> Tuning {
        let good = |offsets: &[f64]| {
            let mut report = Report::new(self.task.labels());
            for (example, scores) in judged {
                let tuned = scores.iter().zip(offsets);
                let (said, _) = most(
                    &tuned
                        .map(|(score, offset)| score + offset)
                        .collect::<Vec<_>>(),
                );
                report.add(example.class, said, 0.0);
            }
            report.accuracy() + report.macro_f1()
        };
        let mut offsets = vec![0.0; self.task.labels().len()];
        let mut best = good(&offsets);
        for _ in 0..OFFSET_ROUNDS {
            for class in 0..offsets.len() {
                for step in -OFFSET_STEPS..=OFFSET_STEPS {
                    let mut tried = offsets.clone();
                    tried[class] = f64::from(step) * OFFSET_STEP;
                    let reached = good(&tried);
                    if reached > best {
                        (best, offsets) = (reached, tried);
                    }
                }
            }
        }
        Tuning {
            offsets,
            ..Tuning::default()
        }
    }

    /// The factor by which scores become probabilities that are right as often as they say: the one of least
    /// log loss on the texts held out.
    fn sharpness(&self, examples: &[Example], scores: &[Vec<f64>]) -> f32 {
        let loss = |sharpness: f64| {
            let mut sum = 0.0;
            for (example, scores) in examples.iter().zip(scores) {
                let among = example.among.clone();
                let own = example.class - among.start;
                let scores = scores[among].iter().map(|score| score * sharpness);
                let said = probabilities(scores.collect());
                sum -= f64::from(example.weight) * said[own].max(1e-12).ln();
            }
            sum
        };
        let candidates = (2..=60).map(|step| f64::from(step) * 0.1);
        let best = candidates.min_by(|one, other| loss(*one).total_cmp(&loss(*other)));
        best.unwrap_or(1.0) as f32
    }

    fn report(
        &self,
        name: &str,
        of: impl Fn(&Example) -> bool,
        examples: &[Example],
        scores: &[Vec<f64>],
        sharpness: f32,
        out: &mut impl Write,
    ) -> anyhow::Result<()> {
        let labels = self.task.labels();
        let judged: Vec<usize> = (0..examples.len())
            .filter(|at| of(&examples[*at]))
            .collect();
        let used: Vec<usize> = (0..labels.len())
            .filter(|class| judged.iter().any(|at| examples[*at].class == *class))
            .collect();
        if used.is_empty() {
            return Ok(());
        }
        let names: Vec<&str> = used.iter().map(|class| labels[*class]).collect();
        let mut report = Report::new(&names);
        for at in judged {
            let among = used
                .iter()
                .map(|class| scores[at][*class] * f64::from(sharpness))
                .collect();
            let (said, probability) = most(&probabilities(among));
            if let Some(truth) = used.iter().position(|class| *class == examples[at].class) {
                report.add(truth, said, probability);
            }
        }
        writeln!(out, "-- {name}")?;
        report.write(out)?;
        Ok(())
    }

    /// The machines as a model: what the other sets' models add is folded into the weights.
    fn model(&self, groups: &[Group], trained: &Trained, tuning: &Tuning, sharpness: f32) -> Model {
        let machines = trained.machines.len();
        let mut weights = vec![0.0_f32; BUCKETS * machines];
        let mut signs = vec![0.0_f32; SIGNS.len() * machines];
        let mut biases = vec![0.0_f32; machines];
        for (at, machine) in trained.machines.iter().enumerate() {
            let (of_words, more) = machine.0.split_at(BUCKETS);
            let (of_signs, more) = more.split_at(SIGNS.len());
            let (of_priors, bias) = more.split_at(self.priors.len());
            for (place, weight) in of_words.iter().enumerate() {
                let prior: f32 = of_priors
                    .iter()
                    .zip(self.priors)
                    .map(|(weight, prior)| weight * PRIOR_SCALE * prior[place])
                    .sum();
                weights[place * machines + at] = weight + prior;
            }
            let scale = groups
                .iter()
                .find(|group| group.machines.contains(&at))
                .map_or(0.0, |group| group.signs);
            for (sign, weight) in of_signs.iter().enumerate() {
                signs[sign * machines + at] = weight * scale;
            }
            biases[at] = bias.first().copied().unwrap_or_default();
            biases[at] += tuning.constant(at) as f32;
            if self.task == Task::Subject {
                signs[(SUBJECT_SIGNS + at) * machines + at] += tuning.words as f32;
            }
        }
        Model::round(self.task, &weights, &signs, &biases, sharpness, self.rarity)
    }
}

impl Trained {
    fn scores(&self, groups: &[Group], vectors: &[Vec<Vector>], at: usize) -> Vec<f64> {
        let mut machines = self.machines.iter();
        let mut scores = Vec::with_capacity(self.machines.len());
        for (group, vectors) in groups.iter().zip(vectors) {
            let machines = machines.by_ref().take(group.machines.len());
            scores.extend(machines.map(|machine| f64::from(vectors[at].dot(&machine.0))));
        }
        scores
    }
}

/// A text's words, weighted by their rarity and scaled to length 1.
fn words(features: &Features, rarity: &Rarity) -> Vector {
    let values = features.0.iter();
    let values = values.map(|(place, often)| (*place, often * rarity.idf(*place)));
    let mut vector = Vector(values.collect());
    let length = vector.square().sqrt().max(f32::MIN_POSITIVE);
    for (_, value) in &mut vector.0 {
        *value /= length;
    }
    vector
}

/// For each example the part it falls into, the same for those that are alike.
fn parts(examples: &[Example]) -> Vec<u64> {
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
        .into_iter()
        .map(|group| xxhash_rust::xxh3::xxh3_64(&group.to_le_bytes()) % FOLDS)
        .collect()
}

/// The signature by which near-duplicates are found.
fn signature(text: &str) -> Signature {
    Signature::of(text)
}
