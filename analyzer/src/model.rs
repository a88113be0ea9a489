//! Linear models over hashed character n-grams and signs, as `analyzer train` makes them.
//!
//! A text's features are its characters and pairs of neighbouring characters, each weighted by
//! (1 + ln count) · idf, from the third time on no more, and hashed to [`BUCKETS`] places; the vector is scaled to length 1. A class's
//! score is its dot product with the class's weights, kept as 8-bit integers with one scale per class,
//! plus the weights of the [signs](crate::stage::signs) found, plus a bias. The scores times the model's sharpness,
//! which training fits so that they are right as often as they say (temperature scaling, Guo et al. 2017), become
//! [probabilities]. The idf is folded into the weights; files are in the safetensors format.
//!
//! All models of a folder are kept side by side, one slot of [`LANES`] bytes per place, so that a text is read
//! once for all of them and each place costs one access to memory.

use std::collections::HashMap;
use std::ops::Range;
use std::path::{Path, PathBuf};

use safetensors::tensor::{Dtype, SafeTensors, TensorView};
use thiserror::Error;
use xxhash_rust::xxh3::xxh3_64;

use crate::stage::segment::Words;
use crate::stage::signs::{SIGNS, Signs};

/// Hashed features of a model.
pub const BUCKETS: usize = 1 << 18;

/// Bytes of a slot: the weights of all machines of all models, then the place's idf.
pub const LANES: usize = 32;
const IDF: usize = LANES - 1;
/// What an idf of one step is worth in a slot.
const IDF_STEP: f32 = 0.04;

/// What a model tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Task {
    /// The first-level subject.
    Subject,
    /// The feeling towards government.
    Sentiment,
    /// What the writer wants.
    Appeal,
}

impl Task {
    /// All tasks.
    pub const ALL: [Self; 3] = [Self::Subject, Self::Sentiment, Self::Appeal];

    /// The name of its model's file, without the ending.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Subject => "subject",
            Self::Sentiment => "sentiment",
            Self::Appeal => "appeal",
        }
    }

    /// The labels it tells apart, in the order of its classes.
    #[must_use]
    pub fn labels(self) -> &'static [&'static str] {
        match self {
            Self::Subject => &backbone::region::SUBJECTS,
            Self::Sentiment => &["negative", "neutral", "positive"],
            Self::Appeal => &backbone::message::APPEALS,
        }
    }

    /// Whether two sets of machines tell its labels: how people feel about government is one question, put to texts that
    /// speak of an office or a public service, and how they feel at all another, put to the rest.
    #[must_use]
    pub fn is_twofold(self) -> bool {
        self == Self::Sentiment
    }

    /// How many machines tell its labels: one for each, or two and one more, above 0 where the first set is to be asked.
    #[must_use]
    pub fn machines(self) -> usize {
        let labels = self.labels().len();
        if self.is_twofold() {
            2 * labels + 1
        } else {
            labels
        }
    }
}

/// A model's file is not what is expected.
#[derive(Debug, Error)]
#[error("{path}: {problem}", path = path.display())]
pub struct ModelError {
    path: PathBuf,
    problem: String,
}

impl ModelError {
    fn new(path: &Path, problem: impl ToString) -> Self {
        Self {
            path: path.to_owned(),
            problem: problem.to_string(),
        }
    }
}

/// The place of a character (`second` is 0) or of a pair of neighbours.
#[inline]
fn place(first: char, second: u32) -> u32 {
    let pair = u64::from(u32::from(first)) << 21 | u64::from(second);
    // Multiplicative hashing (Knuth, vol. 3, 6.4) with 2^64 / φ.
    (pair.wrapping_add(1).wrapping_mul(0x9e37_79b9_7f4a_7c15) >> (64 - 18)) as u32
}

/// A character with the places of it and of the pair that ends with it.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Character {
    /// The byte after it.
    end: usize,
    alone: u32,
    /// Absent after white space, which takes part in nothing.
    pair: Option<u32>,
    /// The pair's idf, in steps.
    rarity: u8,
}

fn characters(text: &str) -> Vec<Character> {
    let mut characters = Vec::with_capacity(text.len() / 3);
    let mut before: Option<char> = None;
    for (start, character) in text.char_indices() {
        if character.is_whitespace() {
            before = None;
            continue;
        }
        characters.push(Character {
            end: start + character.len_utf8(),
            alone: place(character, 0),
            pair: before.map(|first| place(first, u32::from(character))),
            rarity: 0,
        });
        before = Some(character);
    }
    characters
}

/// The idf of what training has not met: about that of what it met twice.
const UNMET: f32 = 10.0;

/// What a feature counts that occurs once, twice, and more often: 1 + ln of it.
const OFTEN: [f32; 3] = [1.0, 1.693_147_2, 2.098_612_3];

/// How much the square of a feature grows with its first, second and third time.
const SQUARES: [f32; 3] = [
    1.0,
    OFTEN[1] * OFTEN[1] - 1.0,
    OFTEN[2] * OFTEN[2] - OFTEN[1] * OFTEN[1],
];

/// A text's features: places, each once, with what its number counts.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Features(pub Vec<(u32, f32)>);

impl Features {
    /// The features of a cleaned text.
    #[must_use]
    pub fn of(text: &str) -> Self {
        let mut places: Vec<u32> = characters(text)
            .iter()
            .flat_map(|character| std::iter::once(character.alone).chain(character.pair))
            .collect();
        places.sort_unstable();
        Self(
            places
                .chunk_by(|one, other| one == other)
                .filter_map(|same| {
                    let often = OFTEN[same.len().min(OFTEN.len()) - 1];
                    same.first().map(|place| (*place, often))
                })
                .collect(),
        )
    }
}

/// How much a place tells: its inverse document frequency, in steps.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rarity(Vec<u8>);

impl Rarity {
    /// Of the places of many texts: ln((1 + texts) / (1 + texts with the place)) + 1.
    #[must_use]
    pub fn of<'a>(texts: impl IntoIterator<Item = &'a Features>) -> Self {
        let mut with = vec![0_u32; BUCKETS];
        let mut all = 0_u32;
        for features in texts {
            all += 1;
            for (place, _) in &features.0 {
                with[*place as usize] += 1;
            }
        }
        let idf = |count: u32| (f64::from(1 + all) / f64::from(1 + count)).ln() + 1.0;
        Self(
            with.into_iter()
                // What occurs once tells nothing that another text could confirm.
                .map(|count| if count < 2 { 0.0 } else { idf(count) })
                .map(|idf| (idf / f64::from(IDF_STEP)).round().min(255.0) as u8)
                .collect(),
        )
    }

    /// The idf of a place.
    #[must_use]
    pub fn idf(&self, place: u32) -> f32 {
        self.0
            .get(place as usize)
            .map_or(0.0, |steps| f32::from(*steps) * IDF_STEP)
    }
}

/// The name of a file's note of what its model is for.
const PURPOSE: &str = "purpose";

/// What a model of a task is for: the labels it tells apart, and the signs it reads.
fn purpose(task: Task) -> String {
    format!("{}; {}", task.labels().join(" "), SIGNS.join(" "))
}

/// A trained model, as in its file.
#[derive(Debug, Clone, PartialEq)]
pub struct Model {
    /// Feature by feature, the machines side by side; with the idf folded in.
    weights: Vec<i8>,
    scales: Vec<f32>,
    /// Sign by sign, the machines side by side.
    signs: Vec<f32>,
    biases: Vec<f32>,
    sharpness: f32,
    rarity: Rarity,
}

impl Model {
    /// Rounds trained weights to 8 bits. `weights` and `signs` have the machines side by side; the idf is
    /// folded into the weights here.
    #[must_use]
    pub fn round(
        task: Task,
        weights: &[f32],
        signs: &[f32],
        biases: &[f32],
        sharpness: f32,
        rarity: &Rarity,
    ) -> Self {
        let machines = task.machines();
        let folded: Vec<f32> = weights
            .chunks(machines)
            .zip(0..)
            .flat_map(|(of_place, place)| {
                let idf = rarity.idf(place);
                of_place.iter().map(move |weight| weight * idf)
            })
            .collect();
        let scales: Vec<f32> = (0..machines)
            .map(|machine| {
                let mut sizes: Vec<f32> = folded
                    .iter()
                    .skip(machine)
                    .step_by(machines)
                    .map(|weight| weight.abs())
                    .collect();
                sizes.sort_unstable_by(f32::total_cmp);
                // A few weights stand out; cut to the 64th largest, the others keep their places.
                let largest = sizes.get(sizes.len().saturating_sub(64)).copied();
                let largest = largest.filter(|size| *size > 0.0);
                let largest = largest.or(sizes.last().copied());
                (largest.unwrap_or_default() / 127.0).max(f32::MIN_POSITIVE)
            })
            .collect();
        let rounded = folded
            .iter()
            .zip(scales.iter().cycle())
            .map(|(weight, scale)| (weight / scale).round().clamp(-127.0, 127.0) as i8)
            .collect();
        Self {
            weights: rounded,
            scales,
            signs: signs.to_vec(),
            biases: biases.to_vec(),
            sharpness,
            rarity: rarity.clone(),
        }
    }

    /// The model's name, which changes with what it says: its task and a digest of its weights.
    #[must_use]
    pub fn version(&self, task: Task) -> String {
        let others = [&self.scales, &self.signs, &self.biases];
        let numbers = others.into_iter().flatten().chain([&self.sharpness]);
        let bytes: Vec<u8> = (self.weights.iter())
            .map(|weight| weight.cast_unsigned())
            .chain(numbers.flat_map(|number| number.to_le_bytes()))
            .collect();
        format!("{}-{:08x}", task.name(), xxh3_64(&bytes) >> 32)
    }

    /// The file of a task's model in a folder.
    #[must_use]
    pub fn path(folder: &Path, task: Task) -> PathBuf {
        folder.join(format!("{}.safetensors", task.name()))
    }

    /// Reads a model's file.
    ///
    /// # Errors
    /// When it is missing or not a model of this task.
    pub fn load(folder: &Path, task: Task) -> Result<Self, ModelError> {
        let path = Self::path(folder, task);
        let error = |problem: String| ModelError::new(&path, problem);
        let bytes = std::fs::read(&path).map_err(|problem| {
            error(format!(
                "{problem}; make the models with `analyzer train` or correct `model`"
            ))
        })?;
        let (_, header) =
            SafeTensors::read_metadata(&bytes).map_err(|problem| error(problem.to_string()))?;
        let metadata = header.metadata().clone().unwrap_or_default();
        if metadata.get(PURPOSE) != Some(&purpose(task)) {
            return Err(error(
                "was trained for other labels or signs; train it anew".to_owned(),
            ));
        }
        let tensors =
            SafeTensors::deserialize(&bytes).map_err(|problem| error(problem.to_string()))?;
        let machines = task.machines();
        let tensor = |name: &str, dtype: Dtype, length: usize| match tensors.tensor(name) {
            Ok(tensor)
                if tensor.dtype() == dtype
                    && tensor.shape().iter().product::<usize>() == length =>
            {
                Ok(tensor.data().to_vec())
            }
            _ => Err(error(format!(
                "has no tensor `{name}` of {length} numbers of type {dtype:?}; train it anew"
            ))),
        };
        let floats = |name: &str, length: usize| {
            let bytes = tensor(name, Dtype::F32, length)?;
            let (numbers, _) = bytes.as_chunks::<4>();
            Ok(numbers
                .iter()
                .map(|number| f32::from_le_bytes(*number))
                .collect::<Vec<f32>>())
        };
        Ok(Self {
            weights: tensor("weights", Dtype::I8, machines * BUCKETS)?
                .into_iter()
                .map(u8::cast_signed)
                .collect(),
            scales: floats("scales", machines)?,
            signs: floats("signs", machines * SIGNS.len())?,
            biases: floats("biases", machines)?,
            sharpness: floats("sharpness", 1)?.first().copied().unwrap_or(1.0),
            rarity: Rarity(tensor("idf", Dtype::U8, BUCKETS)?),
        })
    }

    /// Writes the model's file.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn save(&self, folder: &Path, task: Task) -> Result<(), ModelError> {
        let path = Self::path(folder, task);
        let error = |problem: String| ModelError::new(&path, problem);
        let weights: Vec<u8> = self
            .weights
            .iter()
            .map(|weight| weight.cast_unsigned())
            .collect();
        let bytes = |numbers: &[f32]| -> Vec<u8> {
            numbers
                .iter()
                .flat_map(|number| number.to_le_bytes())
                .collect()
        };
        let (scales, biases) = (bytes(&self.scales), bytes(&self.biases));
        let (signs, sharpness) = (bytes(&self.signs), bytes(&[self.sharpness]));
        let machines = task.machines();
        let view = |dtype, shape, data| {
            TensorView::new(dtype, shape, data).map_err(|problem| error(problem.to_string()))
        };
        let tensors = [
            ("biases", view(Dtype::F32, vec![machines], &biases)?),
            ("idf", view(Dtype::U8, vec![BUCKETS], &self.rarity.0)?),
            ("scales", view(Dtype::F32, vec![machines], &scales)?),
            ("sharpness", view(Dtype::F32, vec![1], &sharpness)?),
            (
                "signs",
                view(Dtype::F32, vec![SIGNS.len(), machines], &signs)?,
            ),
            (
                "weights",
                view(Dtype::I8, vec![BUCKETS, machines], &weights)?,
            ),
        ];
        // One entry only: several would be written in any order.
        let metadata = HashMap::from([(PURPOSE.to_owned(), purpose(task))]);
        safetensors::serialize_to_file(tensors, Some(metadata), &path)
            .map_err(|problem| error(problem.to_string()))
    }
}

#[derive(Debug, Clone, Copy)]
#[repr(align(32))]
struct Slot([i8; LANES]);

/// What of a model is not in the slots.
#[derive(Debug, Clone)]
struct Head {
    task: Task,
    version: String,
    lanes: Range<usize>,
    scales: Vec<f32>,
    signs: Vec<f32>,
    biases: Vec<f32>,
    sharpness: f32,
}

impl Head {
    /// What some machines say of a text.
    fn scores(&self, machines: Range<usize>, reading: &Reading, signs: &Signs) -> Vec<f32> {
        let length = reading.length.max(f32::MIN_POSITIVE);
        let sums = reading.sums.iter().skip(self.lanes.start);
        let words = sums.zip(&self.scales).zip(&self.biases);
        let mut scores: Vec<f32> = (words.skip(machines.start).take(machines.len()))
            .map(|((sum, scale), bias)| sum * scale / length + bias)
            .collect();
        let rows = self.signs.chunks(self.lanes.len());
        for (value, row) in signs.values().iter().zip(rows) {
            if *value != 0.0 {
                for (score, weight) in scores.iter_mut().zip(row.iter().skip(machines.start)) {
                    *score += value * weight;
                }
            }
        }
        scores
    }

    /// The machines that a text is to be judged by.
    fn asked(&self, reading: &Reading, signs: &Signs) -> Range<usize> {
        let labels = self.task.labels().len();
        let last = self.lanes.len() - 1;
        let chosen = !self.task.is_twofold()
            || self
                .scores(last..last + 1, reading, signs)
                .iter()
                .all(|score| *score > 0.0);
        let first = if chosen { 0 } else { labels };
        first..first + labels
    }
}

/// Adds the weights of a slot. By itself, so that the compiler makes it a few wide instructions.
#[inline(never)]
fn add(sums: &mut [i16; LANES], slot: &[i8; LANES]) {
    for lane in 0..LANES {
        sums[lane] += i16::from(slot[lane]);
    }
}

/// Several models over the same features, side by side.
#[derive(Debug, Clone)]
pub struct Models {
    slots: Vec<Slot>,
    heads: Vec<Head>,
}

/// What the models read in a text.
#[derive(Debug, Clone, PartialEq)]
pub struct Reading {
    sums: [f32; LANES],
    length: f32,
    characters: Vec<Character>,
}

/// How often each place of a text was seen so far, up to the length of [`OFTEN`]: a table by place with room enough that one
/// is found or missed at once, and no larger, so that it stays in the nearest memory.
struct Seen {
    /// A place plus one and its count in each; 0 for none.
    slots: Vec<u32>,
    mask: usize,
}

impl Seen {
    /// Room for so many places.
    fn of(places: usize) -> Self {
        let slots = (2 * places).next_power_of_two().max(2);
        Self {
            slots: vec![0; slots],
            mask: slots - 1,
        }
    }

    /// Counts a place and says how often it was there before.
    #[inline]
    fn count(&mut self, place: u32) -> usize {
        let mut at = place as usize;
        loop {
            let slot = &mut self.slots[at & self.mask];
            if *slot == 0 {
                *slot = (place + 1) << 2 | 1;
                return 0;
            }
            if *slot >> 2 == place + 1 {
                let before = *slot & 3;
                if before < 3 {
                    *slot += 1;
                }
                return before as usize;
            }
            at += 1;
        }
    }
}

/// Sums of weights as integers, by how often their places had been seen.
#[derive(Default)]
struct Sums {
    once: [[i16; LANES]; OFTEN.len()],
    all: [f32; LANES],
}

impl Sums {
    /// So many weights fit an integer of 16 bits together.
    const FIT: usize = 255;

    fn carry(&mut self) {
        let mut before = 0.0;
        for (once, often) in self.once.iter_mut().zip(OFTEN) {
            for (sum, part) in self.all.iter_mut().zip(once) {
                *sum += (often - before) * f32::from(std::mem::take(part));
            }
            before = often;
        }
    }
}

impl Models {
    /// Loads the models of a folder.
    ///
    /// # Errors
    /// Names the file that is missing or does not fit, and the remedy.
    pub fn load(folder: &Path) -> Result<Self, ModelError> {
        let mut models = Vec::new();
        for task in Task::ALL {
            models.push((task, Model::load(folder, task)?));
        }
        let rarity = models.first().map(|(_, model)| model.rarity.clone());
        for (task, model) in &models {
            if Some(&model.rarity) != rarity.as_ref() {
                return Err(ModelError::new(
                    &Model::path(folder, *task),
                    "was trained beside other models; train all of the folder together",
                ));
            }
        }
        Ok(Self::side_by_side(models))
    }

    /// Puts models side by side; they must have the same idf.
    #[must_use]
    pub fn side_by_side(models: Vec<(Task, Model)>) -> Self {
        let mut slots = vec![Slot([0; LANES]); BUCKETS];
        let mut heads: Vec<Head> = Vec::new();
        for (task, model) in models {
            let first = heads.last().map_or(0, |head| head.lanes.end);
            let lanes = first..first + task.machines();
            debug_assert!(
                lanes.end <= IDF,
                "the models' machines fill more than a slot"
            );
            for ((slot, weights), steps) in slots
                .iter_mut()
                .zip(model.weights.chunks(lanes.len()))
                .zip(&model.rarity.0)
            {
                slot.0[lanes.clone()].copy_from_slice(weights);
                slot.0[IDF] = steps.cast_signed();
            }
            heads.push(Head {
                task,
                version: model.version(task),
                lanes,
                scales: model.scales,
                signs: model.signs,
                biases: model.biases,
                sharpness: model.sharpness,
            });
        }
        Self { slots, heads }
    }

    /// The analyzer's version and the models', for messages.
    #[must_use]
    pub fn version(&self) -> String {
        let mut version = env!("CARGO_PKG_VERSION").to_owned();
        for head in &self.heads {
            version.push('/');
            version.push_str(&head.version);
        }
        version
    }

    /// Reads a cleaned text for all models at once.
    #[must_use]
    pub fn read(&self, text: &str) -> Reading {
        let mut characters = characters(text);
        let mut seen = Seen::of(2 * characters.len());
        let mut sums = Sums::default();
        let mut squares = 0.0_f32;
        let mut places: Vec<(u32, usize)> = Vec::with_capacity(Sums::FIT);
        let mut rarities: Vec<u8> = Vec::with_capacity(Sums::FIT);
        for chunk in characters.chunks_mut(Sums::FIT / 2) {
            for character in chunk.iter() {
                places.push((character.alone, seen.count(character.alone)));
                if let Some(pair) = character.pair {
                    places.push((pair, seen.count(pair)));
                }
            }
            // Nothing but this byte of each, so that many slots are fetched from memory at once.
            rarities.extend(places.iter().map(|(place, _)| self.steps(*place)));
            for ((place, before), steps) in places.iter().zip(&rarities) {
                // What training has not met has no weights.
                if *steps > 0
                    && let Some(Slot(slot)) = self.slots.get(*place as usize)
                    && let Some(once) = sums.once.get_mut(*before)
                {
                    add(once, slot);
                    let steps = u16::from(*steps);
                    squares += SQUARES[*before] * f32::from(steps * steps);
                }
            }
            for character in chunk {
                character.rarity = character.pair.map_or(0, |pair| self.steps(pair));
            }
            rarities.clear();
            places.clear();
            sums.carry();
        }
        Reading {
            sums: sums.all,
            length: squares.sqrt() * IDF_STEP,
            characters,
        }
    }

    /// The idf of a place, in steps; 0 of what training has not met.
    #[inline]
    fn steps(&self, place: u32) -> u8 {
        let slot = self.slots.get(place as usize);
        slot.map_or(0, |Slot(slot)| slot[IDF].cast_unsigned())
    }

    fn head(&self, task: Task) -> Option<&Head> {
        self.heads.iter().find(|head| head.task == task)
    }

    /// The probability of each class of a task; 0 of those that are not `asked` for.
    #[must_use]
    pub fn probabilities(
        &self,
        task: Task,
        reading: &Reading,
        signs: &Signs,
        asked: impl Fn(usize) -> bool,
    ) -> Vec<f64> {
        let Some(head) = self.head(task) else {
            return Vec::new();
        };
        let machines = head.asked(reading, signs);
        let scores = head.scores(machines, reading, signs);
        let mut values: Vec<f64> = scores.into_iter().map(f64::from).collect();
        for (class, value) in values.iter_mut().enumerate() {
            if asked(class) {
                *value *= f64::from(head.sharpness);
            } else {
                *value = f64::NEG_INFINITY;
            }
        }
        probabilities(values)
    }

    /// The words that speak most for one class of each task against its rival, at most `count` of each, as
    /// ranges of bytes of the text read, the most telling first.
    #[must_use]
    pub fn explain(
        &self,
        told: &[Told],
        reading: &Reading,
        signs: &Signs,
        words: &Words<'_>,
        count: usize,
    ) -> Vec<Vec<Range<usize>>> {
        let mut spoken: Vec<(usize, usize, i32, Highest<6>)> = told
            .iter()
            .filter_map(|told| {
                let head = self.head(told.task)?;
                let first = head.asked(reading, signs).start;
                let (own, rival) = (first + told.class, first + told.rival);
                // What a step of the rival's weights is worth in steps of 1/256 of the class's own.
                let worth = (256.0 * head.scales.get(rival)? / head.scales.get(own)?) as i32;
                let lane = head.lanes.start;
                Some((lane + own, lane + rival, worth, Highest::default()))
            })
            .collect();
        for character in &reading.characters {
            let Some(Slot(slot)) = character
                .pair
                .and_then(|pair| self.slots.get(pair as usize))
            else {
                continue;
            };
            for (own, rival, worth, highest) in &mut spoken {
                let speaks = 256 * i32::from(slot[*own]) - *worth * i32::from(slot[*rival]);
                highest.add(speaks, character.end);
            }
        }
        spoken
            .into_iter()
            .map(|(_, _, _, highest)| highest.words(words).take(count).collect())
            .collect()
    }

    /// The pairs of neighbouring letters and digits of a text as they come, with what each tells: its idf beyond the least;
    /// one that training has not met tells most.
    #[must_use]
    pub fn pairs(&self, text: &str) -> Vec<(u32, f32)> {
        let mut before = None;
        let mut pairs = Vec::with_capacity(text.len() / 3);
        // Most are ideographs, which the tables of Unicode take longest to find.
        let tells = |c: &char| matches!(c, '\u{4e00}'..='\u{9fff}') || c.is_alphanumeric();
        for character in text.chars().filter(tells) {
            if let Some(first) = before.replace(character) {
                let place = place(first, u32::from(character));
                let idf = match self.steps(place) {
                    0 => UNMET,
                    steps => f32::from(steps) * IDF_STEP,
                };
                pairs.push((place, (idf - 1.0).max(0.0)));
            }
        }
        pairs
    }

    /// The words of the rarest pairs of characters, none within a name, as ranges of bytes of the text read, the rarest
    /// first.
    pub fn rarest<'a>(
        reading: &Reading,
        words: &'a Words<'_>,
        names: &[Range<usize>],
        least: f32,
    ) -> impl Iterator<Item = Range<usize>> + use<'a> {
        let least = (least / IDF_STEP) as u8;
        let named = |end: usize| names.iter().any(|name| name.start < end && end <= name.end);
        let mut highest = Highest::<16>::default();
        for character in &reading.characters {
            if character.rarity >= least && !named(character.end) {
                highest.add(i32::from(character.rarity), character.end);
            }
        }
        highest.words(words)
    }
}

/// A class that was told, and the one it was told from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Told {
    /// The task.
    pub task: Task,
    /// The class told.
    pub class: usize,
    /// The next probable class.
    pub rival: usize,
}

impl Told {
    /// The class told by the probabilities, and its rival.
    #[must_use]
    pub fn by(task: Task, class: usize, probabilities: &[f64]) -> Self {
        let rival = (0..probabilities.len())
            .filter(|other| *other != class)
            .max_by(|one, other| probabilities[*one].total_cmp(&probabilities[*other]));
        Self {
            task,
            class,
            rival: rival.unwrap_or(class),
        }
    }
}

/// The pairs of characters with the highest scores above 0, the highest first and of equals the first, each by the
/// byte after it; more of them than words are asked for, since several may be in one word and others in none.
struct Highest<const KEPT: usize>([(i32, usize); KEPT]);

impl<const KEPT: usize> Default for Highest<KEPT> {
    fn default() -> Self {
        Self([(0, 0); KEPT])
    }
}

impl<const KEPT: usize> Highest<KEPT> {
    #[inline]
    fn add(&mut self, score: i32, byte: usize) {
        if score > self.0[KEPT - 1].0 {
            let at = self.0.partition_point(|(known, _)| *known >= score);
            self.0[at..].rotate_right(1);
            self.0[at] = (score, byte);
        }
    }

    /// The words that hold the pairs, each once, looked up as they are asked for.
    fn words<'a>(self, words: &'a Words<'_>) -> impl Iterator<Item = Range<usize>> + use<'a, KEPT> {
        let written = |range: &Range<usize>| words.text().get(range.clone());
        let mut ranges: Vec<Range<usize>> = Vec::with_capacity(KEPT);
        let pairs = self.0.into_iter().take_while(|(score, _)| *score > 0);
        pairs.filter_map(move |(_, end)| {
            let range = words.holding(end)?;
            let known = ranges.iter().any(|known| {
                let overlap = known.start < range.end && range.start < known.end;
                overlap || written(known) == written(&range)
            });
            if known {
                return None;
            }
            ranges.push(range.clone());
            Some(range)
        })
    }
}

/// Scores as probabilities. The first class has what it would have against the second alone, since the others, which
/// nobody would take it for, say little about whether it is right: so the sure answers are told better from the
/// doubtful ones than by the softmax of all. The others share the rest as the softmax has it.
#[must_use]
pub fn probabilities(scores: Vec<f64>) -> Vec<f64> {
    let mut shares = softmax(scores);
    let (first, most) = most(&shares);
    let others = || shares.iter().enumerate().filter(|(at, _)| *at != first);
    let second = others().map(|(_, share)| *share).fold(0.0, f64::max);
    let rest: f64 = others().map(|(_, share)| *share).sum();
    let sure = most / (most + second);
    for (at, share) in shares.iter_mut().enumerate() {
        *share = if at == first {
            sure
        } else {
            *share * (1.0 - sure) / rest.max(f64::MIN_POSITIVE)
        };
    }
    shares
}

fn softmax(mut scores: Vec<f64>) -> Vec<f64> {
    let largest = scores.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    for score in &mut scores {
        *score = (*score - largest).exp();
    }
    let sum: f64 = scores.iter().sum();
    for score in &mut scores {
        *score /= sum;
    }
    scores
}

/// The most probable class and its probability.
#[must_use]
pub fn most(probabilities: &[f64]) -> (usize, f64) {
    probabilities
        .iter()
        .copied()
        .enumerate()
        .max_by(|one, other| one.1.total_cmp(&other.1))
        .unwrap_or((0, 0.0))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stage::segment::Segmenter;

    fn model() -> Model {
        let features = ["停水", "小区"].map(Features::of);
        let rarity = Rarity::of(&[features.clone(), features].concat());
        let machines = Task::Sentiment.machines();
        let mut weights = vec![0.0; BUCKETS * machines];
        for (place, _) in Features::of("停水").0 {
            weights[place as usize * machines] = 2.0;
        }
        // Where no letter is known, the second set is asked, which says positive.
        for (place, _) in Features::of("小区").0 {
            weights[place as usize * machines + machines - 1] = 2.0;
        }
        let biases = [0.0, 0.5, 0.0, 0.0, 0.0, 0.5, -0.1];
        let signs = vec![0.0; SIGNS.len() * machines];
        Model::round(Task::Sentiment, &weights, &signs, &biases, 2.0, &rarity)
    }

    #[test]
    fn a_model_is_written_the_same_every_time() {
        let file = || {
            let folder = tempfile::tempdir().unwrap();
            model().save(folder.path(), Task::Sentiment).unwrap();
            std::fs::read(Model::path(folder.path(), Task::Sentiment)).unwrap()
        };
        let first = file();
        assert!((0..8).all(|_| file() == first));
    }

    #[test]
    fn features_do_not_cross_white_space_and_count_what_comes_again() {
        assert_eq!(Features::of("停水 停水").0.len(), 3, "停, 水, 停水");
        assert!(
            Features::of("停水 停水")
                .0
                .iter()
                .all(|(_, often)| *often > 1.6)
        );
        assert!(Features::of("").0.is_empty());
    }

    #[test]
    fn a_model_says_the_same_after_it_was_written_and_read() {
        let folder = tempfile::tempdir().unwrap();
        let model = model();
        model.save(folder.path(), Task::Sentiment).unwrap();
        let read = Model::load(folder.path(), Task::Sentiment).unwrap();
        assert_eq!(read, model);
        let models = Models::side_by_side(vec![(Task::Sentiment, read)]);
        let reading = models.read("小区停水");
        let probabilities =
            models.probabilities(Task::Sentiment, &reading, &Signs::default(), |_| true);
        assert!(probabilities[0] > 0.5, "{probabilities:?}");
        let told = [Told::by(Task::Sentiment, 0, &probabilities)];
        let segmenter = Segmenter::new([]);
        let words = segmenter.words("小区停水");
        let explained = models.explain(&told, &reading, &Signs::default(), &words, 5);
        assert_eq!(explained[0].as_slice(), std::slice::from_ref(&(6..12)));
        assert!(Model::load(folder.path(), Task::Appeal).is_err());
    }

    #[test]
    fn a_text_is_judged_by_the_set_that_it_calls_for() {
        let models = Models::side_by_side(vec![(Task::Sentiment, model())]);
        let said = |text: &str| {
            let reading = models.read(text);
            let all = |_| true;
            most(&models.probabilities(Task::Sentiment, &reading, &Signs::default(), all)).0
        };
        assert_eq!(said("小区停水"), 0, "of the first set");
        assert_eq!(said("停水"), 2, "of the second");
    }

    #[test]
    fn reading_weighs_features_as_training_does() {
        let text = "停水停水，小区又停水了，停水没人管 停水";
        let models = Models::side_by_side(vec![(Task::Sentiment, model())]);
        let reading = models.read(text);
        let (mut sum, mut squares) = (0.0, 0.0);
        for (place, often) in Features::of(text).0 {
            let Slot(slot) = models.slots[place as usize];
            sum += often * f32::from(slot[0]);
            squares += (often * f32::from(slot[IDF].cast_unsigned()) * IDF_STEP).powi(2);
        }
        assert!(sum > 0.0 && (reading.sums[0] - sum).abs() < 1e-3 * sum);
        assert!((reading.length - squares.sqrt()).abs() < 1e-3);
    }

    #[test]
    fn the_first_class_is_as_sure_as_its_lead_over_the_second() {
        let led_by = |lead: f64, third: f64| probabilities(vec![third, 1.0 + lead, 1.0]);
        let near = |one: f64, other: f64| (one - other).abs() < 1e-9;
        let narrow = led_by(0.2, -1.0);
        assert!(near(narrow.iter().sum(), 1.0) && narrow[1] > narrow[2] && narrow[2] > narrow[0]);
        assert!(
            near(narrow[1], led_by(0.2, 0.9)[1]),
            "a third changes nothing"
        );
        assert!(narrow[1] < led_by(2.0, -1.0)[1]);
        assert_eq!(probabilities(vec![0.3]), [1.0]);
        let unasked = probabilities(vec![f64::NEG_INFINITY, 2.0, f64::NEG_INFINITY]);
        assert_eq!(unasked, [0.0, 1.0, 0.0]);
    }

    #[test]
    fn a_missing_model_is_named_with_the_remedy() {
        let said = Model::load(Path::new("/none"), Task::Subject)
            .unwrap_err()
            .to_string();
        assert!(
            said.starts_with("/none/subject.safetensors") && said.contains("analyzer train"),
            "{said}"
        );
    }
}
