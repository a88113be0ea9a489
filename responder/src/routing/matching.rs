//! Which matters a rule, an inhibition or a silence takes, and why it takes one or not.

use backbone::message::{APPEALS, Alert};
use backbone::region::{Region, SUBJECTS};
use backbone::settings::Flaw;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::text_of;
use crate::level::level;

/// Conditions that must all hold; an empty one always does.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Match {
    /// One of these regions, by code.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub region: Vec<String>,
    /// One of these subjects: a whole one (环境保护) or a part of one (环境保护/噪声污染).
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub subject: Vec<String>,
    /// One of these places, or a place within them.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub place: Vec<String>,
    /// What most of the writers want is one of these: 咨询, 求助, 投诉, 建议, 表扬, 举报, 陈述.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub appeal: Vec<String>,
    /// One of these levels.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub level: Vec<u8>,
    /// One of these sources, by name, or a source of one of these kinds: board, feed, import, official.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub source: Vec<String>,
    /// One of these words in the event's title or gist.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub words: Vec<String>,
}

impl Match {
    /// Whether it sets no condition.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// Whether it takes a matter, and the reasons in the duty team's words: all conditions that hold, or the first
    /// that does not.
    pub(super) fn takes(&self, alert: &Alert, region: &Region) -> Result<String, String> {
        let mut reasons = Vec::new();
        for condition in [
            one_of("区域", &self.region, || vec![alert.region.clone()]),
            self.level(alert),
            one_of("事项", &self.subject, || subjects_of(alert)),
            one_of("事发地", &self.place, || places_of(alert, region)),
            one_of("诉求", &self.appeal, || {
                alert
                    .event
                    .appeals
                    .first()
                    .map(|appeal| appeal.name.clone())
                    .into_iter()
                    .collect()
            }),
            one_of("来源", &self.source, || {
                let kinds = alert
                    .event
                    .source_kinds
                    .iter()
                    .map(|kind| kind.name().to_owned());
                alert.event.sources.iter().cloned().chain(kinds).collect()
            }),
            self.words(alert),
        ] {
            reasons.extend(condition?);
        }
        if reasons.is_empty() {
            reasons.push("不设条件".to_owned());
        }
        Ok(reasons.join("；"))
    }

    fn level(&self, alert: &Alert) -> Result<Option<String>, String> {
        let numeral = |number: u8| level(number).numeral.to_owned();
        let wanted: Vec<String> = self.level.iter().copied().map(numeral).collect();
        one_of("级别", &wanted, || vec![numeral(alert.level)])
    }

    fn words(&self, alert: &Alert) -> Result<Option<String>, String> {
        if self.words.is_empty() {
            return Ok(None);
        }
        let text = text_of(alert);
        match self.words.iter().find(|word| text.contains(word.as_str())) {
            Some(word) => Ok(Some(format!("事由含“{word}”"))),
            None => Err(format!("事由不含{}", listed(&self.words))),
        }
    }

    /// Whether it takes all that another takes, so that nothing is left for the other after it.
    pub(super) fn covers(&self, other: &Self, region: &Region) -> bool {
        let within = |mine: &[String], theirs: &[String], one: &dyn Fn(&str, &str) -> bool| {
            mine.is_empty()
                || (!theirs.is_empty()
                    && theirs
                        .iter()
                        .all(|their| mine.iter().any(|my| one(my, their))))
        };
        let same = |my: &str, their: &str| my == their;
        let around = |my: &str, their: &str| {
            region
                .place_and_around(their)
                .iter()
                .any(|place| place.name == my)
        };
        within(&self.region, &other.region, &same)
            && within(&self.subject, &other.subject, &|my, their| {
                my == their || Some(my) == their.split_once('/').map(|(whole, _)| whole)
            })
            && within(&self.place, &other.place, &around)
            && within(&self.appeal, &other.appeal, &same)
            && (self.level.is_empty()
                || (!other.level.is_empty()
                    && other.level.iter().all(|level| self.level.contains(level))))
            && within(&self.source, &other.source, &same)
            // A text that has 拖欠工资 in it has 拖欠 in it.
            && within(&self.words, &other.words, &|my, their| their.contains(my))
    }

    /// Whether no matter can be taken by both, by what an alert has only one of.
    pub(super) fn excludes(&self, other: &Self) -> bool {
        let apart = |mine: &[String], theirs: &[String]| {
            !mine.is_empty() && !theirs.is_empty() && !mine.iter().any(|my| theirs.contains(my))
        };
        let whole = |subjects: &[String]| -> Vec<String> {
            let first = |subject: &String| subject.split('/').next().unwrap_or_default().to_owned();
            subjects.iter().map(first).collect()
        };
        apart(&self.region, &other.region)
            || apart(&whole(&self.subject), &whole(&other.subject))
            || apart(&self.appeal, &other.appeal)
            || (!self.level.is_empty()
                && !other.level.is_empty()
                && !self.level.iter().any(|level| other.level.contains(level)))
    }

    /// What it names that there is not: the field within `at` and the remedy.
    #[must_use]
    pub fn check(&self, at: &str, region: &Region) -> Vec<Flaw> {
        let mut flaws = Vec::new();
        if let Some(code) = self.region.iter().find(|code| *code != region.code()) {
            flaws.push(Flaw::new(
                format!(
                    "`{at}.region` has `{code}`, and this folder is of `{}`; correct it or leave it out",
                    region.code()
                ),
                format!(
                    "{at}.region 写的是 {code}，而本目录是 {}，请更正或去掉",
                    region.code()
                ),
            ));
        }
        let first = |subject: &str| subject.split('/').next().unwrap_or_default().to_owned();
        let unknown = |subject: &&String| !SUBJECTS.contains(&first(subject).as_str());
        if let Some(subject) = self.subject.iter().find(unknown) {
            flaws.push(Flaw::new(
                format!(
                    "`{at}.subject` has the unknown subject `{subject}`; known are {}",
                    SUBJECTS.join(" ")
                ),
                format!(
                    "{at}.subject 的事项“{subject}”不认识，可用：{}",
                    SUBJECTS.join(" ")
                ),
            ));
        }
        let places = &region.gazetteer.place;
        let unknown = |name: &&String| !places.iter().any(|place| &place.name == *name);
        if let Some(name) = self.place.iter().find(unknown) {
            flaws.push(Flaw::new(
                format!(
                    "`{at}.place` names `{name}`, which region.toml does not have; add it there or correct the name"
                ),
                format!("{at}.place 的“{name}”不在 region.toml 中，请添加或更正"),
            ));
        }
        let unknown = |appeal: &&String| !APPEALS.contains(&appeal.as_str());
        if let Some(appeal) = self.appeal.iter().find(unknown) {
            flaws.push(Flaw::new(
                format!(
                    "`{at}.appeal` has the unknown appeal `{appeal}`; known are {}",
                    APPEALS.join(" ")
                ),
                format!(
                    "{at}.appeal 的诉求“{appeal}”不认识，可用：{}",
                    APPEALS.join(" ")
                ),
            ));
        }
        if let Some(level) = self.level.iter().find(|level| !(1..=4).contains(*level)) {
            flaws.push(Flaw::new(
                format!("`{at}.level` has {level}; levels are 1 to 4"),
                format!("{at}.level 写的是 {level}，级别为1至4"),
            ));
        }
        if self
            .words
            .iter()
            .chain(&self.source)
            .any(|word| word.trim().is_empty())
        {
            flaws.push(Flaw::new(
                format!("`{at}` has an empty word or source, which says nothing; take it away"),
                format!("{at} 有空的词或来源，请去掉"),
            ));
        }
        flaws
    }
}

/// Whether a matter has one of what is wanted; nothing is said where nothing is.
fn one_of(
    what: &str,
    wanted: &[String],
    has: impl FnOnce() -> Vec<String>,
) -> Result<Option<String>, String> {
    if wanted.is_empty() {
        return Ok(None);
    }
    let has = has();
    match wanted.iter().find(|wanted| has.contains(wanted)) {
        Some(found) => Ok(Some(format!("{what}为{found}"))),
        None if has.is_empty() => Err(format!("{what}不明，要{}", listed(wanted))),
        None => Err(format!("{what}为{}，要{}", has.join("、"), listed(wanted))),
    }
}

/// The main subject, and the part of it that most posts are about.
pub(super) fn subjects_of(alert: &Alert) -> Vec<String> {
    let event = &alert.event;
    if event.subject.is_empty() {
        return Vec::new();
    }
    let of_subject = |part: &str| {
        part.split_once('/')
            .is_some_and(|(whole, _)| whole == event.subject)
    };
    let part = event.parts.iter().find(|part| of_subject(&part.name));
    std::iter::once(event.subject.clone())
        .chain(part.map(|part| part.name.clone()))
        .collect()
}

fn places_of(alert: &Alert, region: &Region) -> Vec<String> {
    let mut names = Vec::new();
    for place in &alert.event.places {
        let around = region.place_and_around(&place.name);
        for name in around.iter().map(|place| &place.name) {
            if !names.contains(name) {
                names.push(name.clone());
            }
        }
    }
    names
}

fn listed(wanted: &[String]) -> String {
    /// Words told of one rule: the whole list is in its file.
    const MOST: usize = 6;
    let mut text = (wanted.iter().take(MOST).map(String::as_str))
        .collect::<Vec<_>>()
        .join("、");
    if wanted.len() > MOST {
        text.push('等');
    }
    text
}
