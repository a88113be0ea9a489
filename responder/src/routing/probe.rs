//! A matter made up, to see where one like it would go.

use backbone::message::{APPEALS, Alert, Count, EventSummary, Place, Sentiments, SourceKind};
use backbone::region::{Region, SUBJECTS};
use jiff::Timestamp;

/// What of a matter decides where it goes.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Probe {
    /// Its text, as an event's title and gist have it.
    pub text: String,
    /// Its subject: a whole one (环境保护) or a part of one (环境保护/噪声污染); none where empty.
    pub subject: String,
    /// The place it is about; none where empty.
    pub place: String,
    /// What its writer wants; unknown where empty.
    pub appeal: String,
    /// Its level.
    pub level: u8,
    /// Name of its source; none where empty.
    pub source: String,
    /// Kind of its source.
    pub kind: Option<SourceKind>,
}

impl Probe {
    /// Whether it names only what there is.
    ///
    /// # Errors
    /// Says what there is not, for the person who asked.
    pub fn check(&self, region: &Region) -> Result<(), String> {
        let (whole, _) = (self.subject.split_once('/')).unwrap_or((&self.subject, ""));
        if !whole.is_empty() && !SUBJECTS.contains(&whole) {
            return Err(format!("没有“{}”这个事项类别", self.subject));
        }
        let known = |name: &str| {
            region
                .gazetteer
                .place
                .iter()
                .any(|place| place.name == name)
        };
        if !self.place.is_empty() && !known(&self.place) {
            return Err(format!(
                "地名表里没有“{}”，请填写地名表中的全名",
                self.place
            ));
        }
        if !self.appeal.is_empty() && !APPEALS.contains(&self.appeal.as_str()) {
            return Err(format!("没有“{}”这种诉求", self.appeal));
        }
        if !(1..=4).contains(&self.level) {
            return Err("请选择级别".to_owned());
        }
        Ok(())
    }

    /// The alert of such a matter.
    #[must_use]
    pub fn alert(&self, region: &Region, at: Timestamp) -> Alert {
        let one = |name: &str| Count {
            name: name.to_owned(),
            posts: 1,
        };
        let some = |name: &str| -> Vec<Count> {
            (!name.is_empty()).then(|| one(name)).into_iter().collect()
        };
        let (whole, part) = match self.subject.split_once('/') {
            Some((whole, _)) => (whole, self.subject.as_str()),
            None => (self.subject.as_str(), ""),
        };
        let place = (region.gazetteer.place.iter()).find(|place| place.name == self.place);
        Alert {
            id: "probe".to_owned(),
            region: region.code().to_owned(),
            level: self.level,
            score: 0.0,
            terms: Vec::new(),
            event: EventSummary {
                id: "probe".to_owned(),
                title: self.text.clone(),
                gist: String::new(),
                posts: 1,
                revisions: 0,
                post_ids: Vec::new(),
                voices: 1,
                sources: (!self.source.is_empty())
                    .then(|| self.source.clone())
                    .into_iter()
                    .collect(),
                source_kinds: self.kind.into_iter().collect(),
                sentiment: 0.0,
                sentiments: Sentiments::default(),
                appeals: some(&self.appeal),
                subject: whole.to_owned(),
                subjects: some(whole),
                parts: some(part),
                places: place
                    .map(|place| Place {
                        name: place.name.clone(),
                        kind: place.kind.clone(),
                        within: place.within.clone(),
                    })
                    .into_iter()
                    .collect(),
                first_at: at,
                last_at: at,
                days: Vec::new(),
                key_dates: Vec::new(),
                answered_at: None,
                recurrence: None,
            },
            published_at: at,
            raised_at: at,
            update: 0,
            digest: None,
        }
    }
}
