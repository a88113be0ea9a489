//! The analyzer's settings.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use backbone::region::SUBJECTS;
use backbone::settings::{
    ClickHouse, Kafka, Operations, Problems, Secret, SettingsError, beside, check_regions,
    check_web, faultless, load,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The analyzer's settings, from `analyzer.toml`.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    /// Folders of the regions served, relative to this file.
    pub regions: Vec<PathBuf>,
    /// Folder of the trained models, relative to this file.
    pub model: PathBuf,
    /// Folder for the checkpoints of the events, relative to this file and made where missing, so that a start takes seconds
    /// however many posts the window holds; none are kept where absent.
    #[serde(default)]
    pub checkpoints: Option<PathBuf>,
    /// Kafka.
    pub kafka: Kafka,
    /// ClickHouse.
    pub clickhouse: ClickHouse,
    /// The port for operators.
    pub operations: Operations,
    /// How long the archive keeps what.
    #[serde(default)]
    pub archive: Archive,
    /// How posts become events.
    #[serde(default)]
    pub events: Events,
    /// How grave an event is.
    #[serde(default)]
    pub risk: Risk,
    /// When there are more posts than usual, and problems in common.
    #[serde(default)]
    pub trends: Trends,
    /// Whom to ask about posts that the models are unsure of; nobody where absent.
    #[serde(default)]
    pub second_opinion: Option<SecondOpinion>,
}

/// How long the archive keeps what, in days; 0 keeps it for good. What is counted by hour for charts names nobody and is
/// always kept.
#[derive(Debug, Clone, Copy, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Archive {
    /// Posts with what was found in them, from the day each was collected: an old export that was read lately stays.
    pub keep_posts_days: u32,
    /// Alerts, from the day each was raised or brought up to date.
    pub keep_alerts_days: u32,
    /// Moves of cases.
    pub keep_case_events_days: u32,
}

impl Default for Archive {
    fn default() -> Self {
        Self {
            keep_posts_days: 1_095,
            keep_alerts_days: 3_650,
            keep_case_events_days: 3_650,
        }
    }
}

/// An OpenAI-compatible endpoint that is asked about posts the models are unsure of.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SecondOpinion {
    /// Address of its chat completions, such as `https://llm.example.gov.cn/v1/chat/completions`.
    pub url: String,
    /// The model to ask.
    pub model: String,
    /// Its key, sent as a bearer token; none where neither variable nor file is set.
    #[serde(default)]
    pub key: Secret,
    /// A post is asked about when the sentiment's confidence, or the appeal's or subject's probability, is below this.
    #[serde(default = "default_below")]
    pub below: f64,
    /// Seconds to wait for an answer, 1 to 120.
    #[serde(default = "default_timeout_seconds")]
    pub timeout_seconds: u64,
    /// Questions a day, at most.
    #[serde(default = "default_per_day")]
    pub per_day: u32,
}

fn default_below() -> f64 {
    0.6
}

fn default_timeout_seconds() -> u64 {
    10
}

fn default_per_day() -> u32 {
    500
}

/// How posts become events.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Events {
    /// Longest time between a post and the event it joins, in days; at most 45, as long as
    /// assessments are kept.
    pub window_days: u32,
    /// Least similarity of a post and the event it joins, see the documentation of module `event`.
    pub least_similarity: f64,
    /// Most events remembered per partition, about 2 kB each; those that grew least lately are let go beyond it.
    pub most_events: usize,
}

impl Default for Events {
    fn default() -> Self {
        Self {
            window_days: 45,
            least_similarity: 0.19,
            most_events: 1_000_000,
        }
    }
}

/// The risk formula's numbers, see the documentation of module `risk`.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Risk {
    /// Weights of the terms; they add up to 1.
    pub weights: Weights,
    /// Scores from which an event is of level Ⅰ, Ⅱ, Ⅲ and Ⅳ, falling.
    pub thresholds: [f64; 4],
    /// Sensitivity of each subject, in `[0, 1]`.
    pub sensitivity: BTreeMap<String, f64>,
    /// Alerts of level Ⅳ that ring by themselves in a region and hour; those beyond are told of by one digest alert.
    pub most_alerts_an_hour: u32,
}

impl Default for Risk {
    fn default() -> Self {
        Self {
            weights: Weights::default(),
            thresholds: [0.75, 0.52, 0.35, 0.10],
            most_alerts_an_hour: 60,
            sensitivity: SUBJECTS
                .into_iter()
                .zip([
                    0.5, 0.6, 0.4, 0.6, 0.6, 0.5, 0.7, 0.5, 0.6, 0.6, 0.8, 0.4, 0.6, 0.9,
                ])
                .map(|(subject, sensitivity)| (subject.to_owned(), sensitivity))
                .collect(),
        }
    }
}

/// Weights of the terms of risk.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Weights {
    /// Of the subject's sensitivity.
    pub subject: f64,
    /// Of negative sentiment.
    pub sentiment: f64,
    /// Of words of harm and urgency.
    pub intensity: f64,
    /// Of the number of distinct voices.
    pub voices: f64,
    /// Of the number of sources and places, or of votes.
    pub spread: f64,
    /// Of the number of posts in a day.
    pub speed: f64,
    /// Of the time without an official answer.
    pub silence: f64,
    /// What an official answer takes from the score; not one of those that add up to 1.
    pub answer: f64,
}

impl Default for Weights {
    fn default() -> Self {
        Self {
            subject: 0.05,
            sentiment: 0.10,
            intensity: 0.20,
            voices: 0.35,
            spread: 0.10,
            speed: 0.05,
            silence: 0.15,
            answer: 0.20,
        }
    }
}

/// When there are more posts than usual, and problems in common; see the documentation of module `trend`.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Trends {
    /// Weeks with posts that must have been seen before anything is said.
    pub least_weeks: u32,
    /// Weeks after which a week weighs half.
    pub half_life_weeks: f64,
    /// Weeks that the share of the hour of the day weighs against the hour of the week.
    pub prior_weeks: f64,
    /// How much more the counts vary than by chance: variance / mean, above 1.
    pub dispersion: f64,
    /// Chance of as many or more by which a count is a burst.
    pub burst_tail: f64,
    /// Fewest people heard in a burst.
    pub burst_least: u32,
    /// Largest part of a burst that one event may be: beyond, the event's alerts tell of it.
    pub burst_largest: f64,
    /// By how many times a burst has more than usual, at least.
    pub burst_ratio: f64,
    /// Hours without more than usual after which a burst is over, at most 36.
    pub burst_over_hours: u32,
    /// Days within which events have a problem in common.
    pub common_days: u32,
    /// Chance of as many or more places, or subjects, by which a problem is told.
    pub common_tail: f64,
    /// Fewest places in which a subject is a common problem.
    pub least_places: u32,
    /// Fewest subjects by which a place is told.
    pub least_subjects: u32,
    /// Whole weeks over which a rise is looked for, 6 to 13; six are enough where no more are known.
    pub rise_weeks: u32,
    /// Chance of as steep a rise or a steeper one by which it is told.
    pub rise_tail: f64,
    /// Fewest posts in a rise.
    pub rise_least: u32,
    /// By how many times the last two weeks have more than the first two, at least.
    pub rise_ratio: f64,
}

impl Default for Trends {
    fn default() -> Self {
        Self {
            least_weeks: 4,
            half_life_weeks: 8.0,
            prior_weeks: 4.0,
            dispersion: 1.5,
            burst_tail: 1e-4,
            burst_least: 5,
            burst_largest: 0.7,
            burst_ratio: 2.0,
            burst_over_hours: 12,
            common_days: 14,
            common_tail: 1e-3,
            least_places: 5,
            least_subjects: 5,
            rise_weeks: 8,
            rise_tail: 5e-3,
            rise_least: 20,
            rise_ratio: 2.0,
        }
    }
}

impl Trends {
    fn check(&self) -> Vec<String> {
        let ranges = [
            ("least_weeks", self.least_weeks.into(), 2.0, 52.0),
            ("half_life_weeks", self.half_life_weeks, 1.0, 52.0),
            ("prior_weeks", self.prior_weeks, 0.5, 52.0),
            ("dispersion", self.dispersion, 1.01, 10.0),
            ("burst_tail", self.burst_tail, 1e-9, 0.1),
            ("burst_least", self.burst_least.into(), 2.0, 1e6),
            ("burst_largest", self.burst_largest, 0.1, 1.0),
            ("burst_ratio", self.burst_ratio, 1.0, 100.0),
            ("burst_over_hours", self.burst_over_hours.into(), 1.0, 36.0),
            ("common_days", self.common_days.into(), 1.0, 30.0),
            ("common_tail", self.common_tail, 1e-9, 0.1),
            ("least_places", self.least_places.into(), 2.0, 1e3),
            ("least_subjects", self.least_subjects.into(), 2.0, 1e3),
            ("rise_weeks", self.rise_weeks.into(), 6.0, 13.0),
            ("rise_tail", self.rise_tail, 1e-9, 0.1),
            ("rise_least", self.rise_least.into(), 2.0, 1e6),
            ("rise_ratio", self.rise_ratio, 1.0, 100.0),
        ];
        (ranges.into_iter())
            .filter(|(_, value, least, most)| !(least..=most).contains(&value))
            .map(|(name, _, least, most)| format!("`trends.{name}` must be {least} to {most}"))
            .collect()
    }
}

impl Settings {
    /// Reads and checks a settings file.
    ///
    /// # Errors
    /// Names the file, the line or field, and the remedy.
    pub fn load(path: &Path) -> Result<Self, SettingsError> {
        faultless(|problems| Self::read(path, problems))
    }

    /// As [`Settings::load`], going on where a value is wrong, which is added to the problems.
    pub fn read(path: &Path, problems: &mut Problems) -> Option<Self> {
        let mut settings = load(path, Self::check, problems)?;
        settings.model = beside(path, &settings.model);
        settings.kafka = settings.kafka.beside(path);
        settings.clickhouse = settings.clickhouse.beside(path);
        settings.checkpoints = (settings.checkpoints).map(|folder| beside(path, &folder));
        if let Some(asked) = &mut settings.second_opinion {
            asked.key.put_beside(path);
        }
        for region in &mut settings.regions {
            *region = beside(path, region);
        }
        Some(settings)
    }

    fn check(&self) -> Vec<String> {
        let mut flaws: Vec<String> = check_regions(&self.regions).into_iter().collect();
        flaws.extend(self.kafka.check().iter().map(ToString::to_string));
        flaws.extend(self.clickhouse.check());
        let mut range = |field: &str, value: f64, least: f64, most: f64| {
            if !(least..=most).contains(&value) {
                flaws.push(format!("`{field}` must be {least} to {most}"));
            }
        };
        range(
            "events.window_days",
            self.events.window_days.into(),
            1.0,
            45.0,
        );
        range(
            "events.least_similarity",
            self.events.least_similarity,
            0.1,
            1.0,
        );
        for threshold in self.risk.thresholds {
            range("risk.thresholds", threshold, 0.0, 1.0);
        }
        for (subject, sensitivity) in &self.risk.sensitivity {
            range(
                &format!("risk.sensitivity.{subject}"),
                *sensitivity,
                0.0,
                1.0,
            );
        }
        if let Some(asked) = &self.second_opinion {
            range("second_opinion.below", asked.below, 0.0, 1.0);
            let seconds = u32::try_from(asked.timeout_seconds).unwrap_or(u32::MAX);
            range("second_opinion.timeout_seconds", seconds.into(), 1.0, 120.0);
            flaws.extend(check_web("second_opinion.url", &asked.url));
        }
        if self.events.most_events == 0 {
            flaws.push("`events.most_events` must be 1 or more".to_owned());
        }
        // ClickHouse counts days from 1970 in 32 bits of seconds.
        let archive = &self.archive;
        for (field, days) in [
            ("keep_posts_days", archive.keep_posts_days),
            ("keep_alerts_days", archive.keep_alerts_days),
            ("keep_case_events_days", archive.keep_case_events_days),
        ] {
            if days > 25_000 || (1..45).contains(&days) {
                flaws.push(format!(
                    "`archive.{field}` must be 0, or 45 (as long as the longest event window) to 25000"
                ));
            }
        }
        let thresholds = self.risk.thresholds;
        if !thresholds.is_sorted_by(|higher, lower| higher > lower) {
            flaws.push("`risk.thresholds` must fall from Ⅰ to Ⅳ".to_owned());
        }
        let weights = &self.risk.weights;
        let adding = [
            weights.subject,
            weights.sentiment,
            weights.intensity,
            weights.voices,
            weights.spread,
            weights.speed,
            weights.silence,
        ];
        let sum: f64 = adding.iter().sum();
        if (sum - 1.0).abs() > 1e-6 {
            flaws.push(format!(
                "`risk.weights` add up to {sum} without `answer`, not to 1; change one of them"
            ));
        }
        let is_share = |weight: &f64| (0.0..=1.0).contains(weight);
        if !adding.iter().chain([&weights.answer]).all(is_share) {
            flaws.push("each of `risk.weights` must be 0 to 1".to_owned());
        }
        let known = |subject: &&String| SUBJECTS.contains(&subject.as_str());
        for subject in self
            .risk
            .sensitivity
            .keys()
            .filter(|subject| !known(subject))
        {
            flaws.push(format!(
                "`risk.sensitivity` has the unknown subject `{subject}`; known are {}",
                SUBJECTS.join(" ")
            ));
        }
        flaws.extend(self.trends.check());
        flaws
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_with_secrets_are_relative_to_the_settings_file() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("analyzer.toml");
        let secret = "{ file = \"secret\" }";
        let text = format!(
            "regions = [\"region\"]\nmodel = \"model\"\n[kafka]\nbrokers = \"127.0.0.1:9\"\n\
             [clickhouse]\nurl = \"http://127.0.0.1:9\"\npassword = {secret}\n[operations]\nlisten = \"127.0.0.1:0\"\n\
             [second_opinion]\nurl = \"http://127.0.0.1:9\"\nmodel = \"m\"\nkey = {secret}\n"
        );
        std::fs::write(&path, &text).unwrap();
        let settings = format!("{:?}", Settings::load(&path).unwrap());
        let beside = format!("{:?}", folder.path().join("secret"));
        assert_eq!(settings.matches(&beside).count(), 2, "{settings}");
    }

    #[test]
    fn the_settings_that_ship_show_every_field() {
        let shipped = include_str!("../../deploy/config/analyzer.toml");
        assert_eq!(
            backbone::settings::fields_not_shown::<Settings>(shipped),
            Vec::<String>::new()
        );
    }

    #[test]
    fn every_field_is_documented() {
        assert_eq!(
            backbone::settings::undocumented_fields::<Settings>(),
            Vec::<String>::new()
        );
    }
}
