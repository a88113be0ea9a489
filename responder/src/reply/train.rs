//! Training of the two marks: posts and replies with marks in, a file of weights out, with how good it is on replies held out.
//!
//! Few replies have marks, so there are few weights, held small. Means and scales are those of all replies, marked or not. The same
//! file gives the same weights.

use std::io::Write;
use std::path::{Path, PathBuf};

use anyhow::Context;
use serde::Deserialize;

use super::model::{Mark, Measure, Measures, Model, Term};
use super::rules::Rules;
use super::{Point, Post, check};
use crate::likeness::{Pairs, groups};

/// How alike a post or reply is to another to fall into the same part.
const SAME: f64 = 0.5;
/// Parts that the replies fall into, and how often they are parted anew.
const FOLDS: u64 = 5;
const ROUNDS: u64 = 20;
/// How small the weights are held, and the steps of the fit.
const PENALTY: f64 = 1.0;
const STEPS: usize = 4_000;
const STEP: f64 = 0.5;

/// The measures each mark is told by; chosen by hand, see the card.
const COMPLETE: [Measure; 1] = [Measure::Length];
const EXPLAINS: [Measure; 3] = [Measure::Length, Measure::LengthForPost, Measure::Bases];

/// Trains the weights of the two marks.
#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// Posts and replies, a line of JSON each: `title`, `text`, `reply`, and `complete` and `explains` as `1.0`, `0.0` or empty.
    #[arg(long)]
    pub data: PathBuf,
    /// File to write the weights to.
    #[arg(long)]
    pub out: PathBuf,
}

#[derive(Deserialize)]
struct Row {
    title: String,
    text: String,
    reply: String,
    complete: String,
    explains: String,
}

/// A reply as it is learnt from.
struct Example {
    measures: Measures,
    /// Characters of the whole reply.
    characters: f64,
    complete: Option<bool>,
    explains: Option<bool>,
    group: usize,
    /// The points of the post, how many of them its reply answers, and how many the reply to another post.
    points: [usize; 3],
}

/// Trains, writes the weights and says on `out` how good they are.
///
/// # Errors
/// When a file cannot be read or written, or a row does not fit; names file and line.
pub fn run(arguments: &Arguments, rules: &Rules, out: &mut impl Write) -> anyhow::Result<()> {
    let examples = examples(&arguments.data, rules)?;
    let mark = |chosen: &[Measure], of: &dyn Fn(&Example) -> Option<bool>| {
        let terms = terms(chosen, &examples);
        let marked: Vec<(&Example, bool)> = (examples.iter())
            .filter_map(|example| Some((example, of(example)?)))
            .collect();
        (fit(&terms, &marked), marked)
    };
    let (complete, marked_complete) = mark(&COMPLETE, &|example| example.complete);
    let (explains, marked_explains) = mark(&EXPLAINS, &|example| example.explains);
    writeln!(out, "{} replies", examples.len())?;
    let of = |at: usize| {
        examples
            .iter()
            .filter_map(|one| one.points.get(at))
            .sum::<usize>()
    };
    let share = |at: usize| of(at) as f64 / of(0).max(1) as f64;
    writeln!(
        out,
        "{} points, of which the reply answers {:.3} and the reply to another post {:.3}",
        of(0),
        share(1),
        share(2)
    )?;
    report("complete", &complete, &marked_complete, out)?;
    report("explains", &explains, &marked_explains, out)?;
    let model = Model { complete, explains };
    std::fs::write(&arguments.out, model.to_file())
        .with_context(|| format!("cannot write {}", arguments.out.display()))
}

fn examples(data: &Path, rules: &Rules) -> anyhow::Result<Vec<Example>> {
    let text =
        std::fs::read_to_string(data).with_context(|| format!("cannot read {}", data.display()))?;
    let model = Model::shipped().context("the built-in weights are at fault")?;
    let mut rows = Vec::new();
    for (line, row) in text.lines().enumerate() {
        let row: Row = serde_json::from_str(row)
            .with_context(|| format!("{}:{}", data.display(), line + 1))?;
        rows.push(row);
    }
    // Alike posts, or alike replies, are one group: the first chain that either joins.
    let posts: Vec<Pairs> = rows.iter().map(|row| Pairs::of(&row.text)).collect();
    let replies: Vec<Pairs> = rows.iter().map(|row| Pairs::of(&row.reply)).collect();
    let mut group: Vec<usize> = (0..rows.len()).collect();
    for alike in [groups(&posts, SAME), groups(&replies, SAME)] {
        for members in alike {
            let lowest = members
                .iter()
                .filter_map(|at| group.get(*at))
                .min()
                .copied();
            let joined: Vec<usize> = members
                .iter()
                .filter_map(|at| group.get(*at))
                .copied()
                .collect();
            for one in &mut group {
                if let (true, Some(lowest)) = (joined.contains(one), lowest) {
                    *one = lowest;
                }
            }
        }
    }
    let marked = |mark: &str| match mark {
        "" => Ok(None),
        mark => mark.parse::<f64>().map(|mark| Some(mark > 0.5)),
    };
    rows.iter()
        .zip(group)
        .enumerate()
        .map(|(line, (row, group))| {
            let place = || format!("{}:{}: a mark is no number", data.display(), line + 1);
            let post = Post {
                title: row.title.clone(),
                text: row.text.clone(),
            };
            let posts = [post];
            let checked = check(&posts, &row.reply, &[], rules, &model);
            let other = rows
                .get((line + rows.len() / 2) % rows.len())
                .unwrap_or(row);
            let other = check(&posts, &other.reply, &[], rules, &model);
            let answered =
                |points: &[Point]| points.iter().filter(|point| point.answer.is_some()).count();
            Ok(Example {
                measures: checked.measures,
                characters: row.reply.chars().count() as f64,
                complete: marked(&row.complete).with_context(place)?,
                explains: marked(&row.explains).with_context(place)?,
                group,
                points: [
                    checked.points.len(),
                    answered(&checked.points),
                    answered(&other.points),
                ],
            })
        })
        .collect()
}

fn terms(chosen: &[Measure], examples: &[Example]) -> Vec<Term> {
    let all = examples.len() as f64;
    (chosen.iter())
        .map(|measure| {
            let values = || examples.iter().map(|one| one.measures.get(*measure));
            let mean = values().sum::<f64>() / all;
            let variance = values().map(|value| (value - mean).powi(2)).sum::<f64>() / all;
            Term {
                measure: *measure,
                mean,
                scale: variance.sqrt().max(1e-6),
                weight: 0.0,
            }
        })
        .collect()
}

/// Logistic regression, the weights (not the bias) held small.
fn fit(terms: &[Term], marked: &[(&Example, bool)]) -> Mark {
    let mut mark = Mark {
        bias: 0.0,
        term: terms.to_vec(),
    };
    let all = marked.len().max(1) as f64;
    for _ in 0..STEPS {
        let mut bias = 0.0;
        let mut slopes: Vec<f64> = (mark.term.iter())
            .map(|term| PENALTY * term.weight / all)
            .collect();
        for (example, is) in marked {
            let error = mark.probability(&example.measures) - f64::from(u8::from(*is));
            bias += error / all;
            for (slope, term) in slopes.iter_mut().zip(&mark.term) {
                let value = (example.measures.get(term.measure) - term.mean) / term.scale;
                *slope += error * value / all;
            }
        }
        mark.bias -= STEP * bias;
        for (term, slope) in mark.term.iter_mut().zip(slopes) {
            term.weight -= STEP * slope;
        }
    }
    mark
}

fn report(
    name: &str,
    fitted: &Mark,
    marked: &[(&Example, bool)],
    out: &mut impl Write,
) -> anyhow::Result<()> {
    let of = |score: &dyn Fn(&Example) -> f64| {
        let scores: Vec<(f64, bool)> = (marked.iter())
            .map(|(example, is)| (score(example), *is))
            .collect();
        area(&scores)
    };
    let mut areas: Vec<f64> = Vec::new();
    for round in 0..ROUNDS {
        let part = |example: &Example| {
            let seed = format!("{round}/{}", example.group);
            u64::from_str_radix(
                &backbone::id::of("fold", &[&seed])
                    .chars()
                    .take(8)
                    .collect::<String>(),
                16,
            )
            .unwrap_or_default()
                % FOLDS
        };
        let mut scores = Vec::new();
        for fold in 0..FOLDS {
            let training: Vec<(&Example, bool)> = (marked.iter())
                .filter(|(example, _)| part(example) != fold)
                .copied()
                .collect();
            let trained = fit(&fitted.term, &training);
            let held = marked.iter().filter(|(example, _)| part(example) == fold);
            scores.extend(held.map(|(example, is)| (trained.probability(&example.measures), *is)));
        }
        areas.push(area(&scores));
    }
    areas.sort_by(f64::total_cmp);
    let mean = areas.iter().sum::<f64>() / areas.len() as f64;
    let yes = marked.iter().filter(|(_, is)| *is).count();
    writeln!(out, "== {name}: {} marked, {yes} of them yes", marked.len())?;
    writeln!(
        out,
        "AUC, held out     {mean:.3} ({:.3} to {:.3} over {ROUNDS} partings), standard error {:.3}",
        areas.first().copied().unwrap_or_default(),
        areas.last().copied().unwrap_or_default(),
        standard_error(mean, yes, marked.len() - yes)
    )?;
    writeln!(
        out,
        "AUC, characters   {:.3}",
        of(&|example| example.characters)
    )?;
    for measure in Measure::ALL {
        let alone = of(&|example| example.measures.get(measure));
        writeln!(out, "AUC, {:<13}{alone:.3}", format!("{measure:?}"))?;
    }
    Ok(())
}

/// The area under the curve: how often a reply with the mark scores higher than one without.
fn area(scores: &[(f64, bool)]) -> f64 {
    let (mut above, mut pairs) = (0.0, 0.0);
    for (with, _) in scores.iter().filter(|(_, is)| *is) {
        for (without, _) in scores.iter().filter(|(_, is)| !is) {
            pairs += 1.0;
            above += match with.total_cmp(without) {
                std::cmp::Ordering::Greater => 1.0,
                std::cmp::Ordering::Equal => 0.5,
                std::cmp::Ordering::Less => 0.0,
            };
        }
    }
    if pairs > 0.0 { above / pairs } else { 0.5 }
}

/// Of an area, by Hanley and McNeil (1982).
fn standard_error(area: f64, yes: usize, no: usize) -> f64 {
    let (yes, no) = (yes as f64, no as f64);
    let q1 = area / (2.0 - area);
    let q2 = 2.0 * area * area / (1.0 + area);
    let variance =
        area * (1.0 - area) + (yes - 1.0) * (q1 - area * area) + (no - 1.0) * (q2 - area * area);
    (variance / (yes * no)).max(0.0).sqrt()
}
