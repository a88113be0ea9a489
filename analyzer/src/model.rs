//! Linear models over hashed character n-grams, as `analyzer train` makes them.
//!
//! A text's features are its character 1- to 3-grams, each counted as 1 + ln(count), hashed to
//! [`BUCKETS`] places and scaled to length 1. A class's score is the dot product with its weights,
//! kept as 8-bit integers with one scale per class, plus its bias; probabilities are the softmax of
//! the scores. The file is in the safetensors format.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use safetensors::tensor::{Dtype, SafeTensors, TensorView};
use thiserror::Error;
use xxhash_rust::xxh3::xxh3_64;

/// Hashed features of a model.
pub const BUCKETS: usize = 1 << 18;

/// Longest n-gram, in characters.
const LONGEST: usize = 3;

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

/// A text's features: places and values, each place once.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Features(pub Vec<(u32, f32)>);

impl Features {
    /// The features of a cleaned text.
    #[must_use]
    pub fn of(text: &str) -> Self {
        let mut places: Vec<u32> = Vec::with_capacity(text.len());
        for_each_ngram(text, |place| places.push(place));
        places.sort_unstable();
        let mut features: Vec<(u32, f32)> = places
            .chunk_by(|one, other| one == other)
            .filter_map(|same| {
                same.first()
                    .map(|place| (*place, 1.0 + (same.len() as f32).ln()))
            })
            .collect();
        let length = features
            .iter()
            .map(|(_, value)| value * value)
            .sum::<f32>()
            .sqrt();
        if length > 0.0 {
            for (_, value) in &mut features {
                *value /= length;
            }
        }
        Self(features)
    }
}

fn for_each_ngram(text: &str, mut each: impl FnMut(u32)) {
    let bytes = text.as_bytes();
    let starts: Vec<usize> = text
        .char_indices()
        .filter(|(_, c)| !c.is_whitespace())
        .map(|(start, _)| start)
        .collect();
    for (index, start) in starts.iter().enumerate() {
        let mut end = *start;
        for next in starts.iter().skip(index).take(LONGEST) {
            if *next != end {
                // White space lies between: an n-gram does not reach across it.
                break;
            }
            end += text
                .get(*next..)
                .and_then(|rest| rest.chars().next())
                .map_or(0, char::len_utf8);
            if let Some(ngram) = bytes.get(*start..end) {
                each((xxh3_64(ngram) % BUCKETS as u64) as u32);
            }
        }
    }
}

/// A trained model.
#[derive(Debug, Clone, PartialEq)]
pub struct LinearModel {
    path: PathBuf,
    version: String,
    labels: Vec<String>,
    /// Feature by feature, the classes side by side.
    weights: Vec<i8>,
    scales: Vec<f32>,
    biases: Vec<f32>,
}

impl LinearModel {
    /// Rounds trained weights, feature by feature with the classes side by side, to 8 bits.
    #[must_use]
    pub fn round(version: &str, labels: &[&str], weights: &[f32], biases: &[f32]) -> Self {
        let classes = labels.len();
        let scales: Vec<f32> = (0..classes)
            .map(|class| {
                let largest = weights
                    .iter()
                    .skip(class)
                    .step_by(classes)
                    .fold(0.0_f32, |largest, weight| largest.max(weight.abs()));
                (largest / 127.0).max(f32::MIN_POSITIVE)
            })
            .collect();
        let rounded = weights
            .iter()
            .zip(scales.iter().cycle())
            .map(|(weight, scale)| (weight / scale).round() as i8)
            .collect();
        Self {
            path: PathBuf::new(),
            version: version.to_owned(),
            labels: labels.iter().map(|label| (*label).to_owned()).collect(),
            weights: rounded,
            scales,
            biases: biases.to_vec(),
        }
    }

    /// Reads a model's file.
    ///
    /// # Errors
    /// When it is missing or not a model of this kind.
    pub fn load(path: &Path) -> Result<Self, ModelError> {
        let error = |problem: String| ModelError::new(path, problem);
        let bytes = std::fs::read(path).map_err(|problem| {
            error(format!(
                "{problem}; make the models with `analyzer train` or correct `model`"
            ))
        })?;
        let (_, header) =
            SafeTensors::read_metadata(&bytes).map_err(|problem| error(problem.to_string()))?;
        let metadata = header.metadata().clone().unwrap_or_default();
        let named = |name: &str| {
            metadata
                .get(name)
                .cloned()
                .ok_or_else(|| error(format!("has no `{name}` in its metadata")))
        };
        let tensors =
            SafeTensors::deserialize(&bytes).map_err(|problem| error(problem.to_string()))?;
        let tensor = |name: &str, dtype: Dtype| match tensors.tensor(name) {
            Ok(tensor) if tensor.dtype() == dtype => Ok(tensor.data().to_vec()),
            _ => Err(error(format!("has no tensor `{name}` of type {dtype:?}"))),
        };
        let floats = |bytes: Vec<u8>| -> Vec<f32> {
            let (numbers, _) = bytes.as_chunks::<4>();
            numbers
                .iter()
                .map(|number| f32::from_le_bytes(*number))
                .collect()
        };
        let model = Self {
            path: path.to_owned(),
            version: named("version")?,
            labels: named("labels")?.split(' ').map(str::to_owned).collect(),
            weights: tensor("weights", Dtype::I8)?
                .into_iter()
                .map(u8::cast_signed)
                .collect(),
            scales: floats(tensor("scales", Dtype::F32)?),
            biases: floats(tensor("biases", Dtype::F32)?),
        };
        let classes = model.labels.len();
        if model.weights.len() != classes * BUCKETS
            || model.scales.len() != classes
            || model.biases.len() != classes
        {
            return Err(error(format!("its tensors do not have {classes} classes")));
        }
        Ok(model)
    }

    /// Writes the model's file.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn save(&self, path: &Path) -> Result<(), ModelError> {
        let error = |problem: String| ModelError::new(path, problem);
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
        let classes = self.labels.len();
        let view = |dtype, shape, data| {
            TensorView::new(dtype, shape, data).map_err(|problem| error(problem.to_string()))
        };
        let tensors = [
            ("biases", view(Dtype::F32, vec![classes], &biases)?),
            ("scales", view(Dtype::F32, vec![classes], &scales)?),
            (
                "weights",
                view(Dtype::I8, vec![BUCKETS, classes], &weights)?,
            ),
        ];
        let metadata = HashMap::from([
            ("labels".to_owned(), self.labels.join(" ")),
            ("version".to_owned(), self.version.clone()),
        ]);
        safetensors::serialize_to_file(tensors, Some(metadata), path)
            .map_err(|problem| error(problem.to_string()))
    }

    /// Its name and version, such as `subject-1`.
    #[must_use]
    pub fn version(&self) -> &str {
        &self.version
    }

    /// A class's label.
    #[must_use]
    pub fn label(&self, class: usize) -> &str {
        self.labels.get(class).map_or("", String::as_str)
    }

    /// # Errors
    /// When the model's labels are others.
    pub fn require_labels(&self, labels: &[&str]) -> Result<(), ModelError> {
        if self.labels == labels {
            return Ok(());
        }
        Err(ModelError::new(
            &self.path,
            format!(
                "has the labels {}, not {}",
                self.labels.join(" "),
                labels.join(" ")
            ),
        ))
    }

    /// The probability of each class.
    #[must_use]
    pub fn probabilities(&self, features: &Features) -> Vec<f64> {
        let classes = self.labels.len();
        let mut sums = vec![0.0_f32; classes];
        for (place, value) in &features.0 {
            let start = *place as usize * classes;
            let weights = self.weights.get(start..start + classes).unwrap_or_default();
            for (sum, weight) in sums.iter_mut().zip(weights) {
                *sum += value * f32::from(*weight);
            }
        }
        let scores = sums
            .iter()
            .zip(&self.scales)
            .zip(&self.biases)
            .map(|((sum, scale), bias)| f64::from(sum * scale + bias));
        softmax(scores.collect())
    }

    /// The words that speak most for a class against the others, at most `count`.
    #[must_use]
    pub fn explain(&self, class: usize, words: &[&str], count: usize) -> Vec<String> {
        let mut scored: Vec<(f32, &str)> = Vec::new();
        for word in words {
            if word.chars().count() < 2 || scored.iter().any(|(_, known)| known == word) {
                continue;
            }
            let mut score = 0.0;
            for_each_ngram(word, |place| score += self.margin(class, place));
            if score > 0.0 {
                scored.push((score, word));
            }
        }
        scored.sort_by(|one, other| other.0.total_cmp(&one.0));
        scored
            .into_iter()
            .take(count)
            .map(|(_, word)| word.to_owned())
            .collect()
    }

    /// How much a feature speaks for a class: its weight less the mean of the other classes'.
    fn margin(&self, class: usize, place: u32) -> f32 {
        let classes = self.labels.len();
        let start = place as usize * classes;
        let weights = self.weights.get(start..start + classes).unwrap_or_default();
        let mut own = 0.0;
        let mut others = 0.0;
        for (index, (weight, scale)) in weights.iter().zip(&self.scales).enumerate() {
            let weight = f32::from(*weight) * scale;
            if index == class {
                own = weight;
            } else {
                others += weight;
            }
        }
        own - others / (classes.max(2) - 1) as f32
    }
}

/// Scores as probabilities.
#[must_use]
pub fn softmax(mut scores: Vec<f64>) -> Vec<f64> {
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn features_have_length_one_and_do_not_cross_white_space() {
        let features = Features::of("停水 停水");
        let length: f32 = features.0.iter().map(|(_, value)| value * value).sum();
        assert!((length - 1.0).abs() < 1e-5);
        assert_eq!(features.0.len(), 3, "停, 水, 停水");
        assert!(Features::of("").0.is_empty());
    }

    #[test]
    fn a_model_says_the_same_after_it_was_written_and_read() {
        let mut weights = vec![0.0; BUCKETS * 2];
        for_each_ngram("停水", |place| {
            if let Some(weight) = weights.get_mut(place as usize * 2) {
                *weight = 2.0;
            }
        });
        let model = LinearModel::round("test-1", &["bad", "good"], &weights, &[0.0, 0.5]);
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("m.safetensors");
        model.save(&path).unwrap();
        let read = LinearModel::load(&path).unwrap();
        let features = Features::of("小区停水");
        assert_eq!(
            read.probabilities(&features),
            model.probabilities(&features)
        );
        assert!(read.probabilities(&features)[0] > 0.5);
        assert_eq!(read.explain(0, &["小区", "停水"], 5), ["停水"]);
        assert!(read.require_labels(&["good"]).is_err());
    }

    #[test]
    fn a_missing_model_is_named_with_the_remedy() {
        let said = LinearModel::load(Path::new("/none/m.safetensors"))
            .unwrap_err()
            .to_string();
        assert!(
            said.starts_with("/none/m.safetensors") && said.contains("analyzer train"),
            "{said}"
        );
    }
}
