//! Floods: when many small events come at once they are told of by one digest alert an hour, so that the grave ones are seen.
//! Each still has an alert of its own that opens its case; it only does not ring.

use std::collections::BTreeMap;

use backbone::id;
use backbone::message::{Alert, EventSummary, Sentiments};
use jiff::tz::offset;
use jiff::{Timestamp, Unit};
use serde::{Deserialize, Serialize};

/// The level that is gathered; graver ones always ring by themselves.
const GATHERED: u8 = 4;
/// Titles told in a digest.
const TITLES: usize = 5;

/// What was raised in the present hour, by region.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Flood(BTreeMap<String, Hour>);

#[derive(Debug, Clone, Serialize, Deserialize)]
struct Hour {
    begins: Timestamp,
    raised: u32,
    gathered: u32,
    /// How many the digest told of when it was last sent.
    told: u32,
    update: u32,
    score: f64,
    titles: Vec<String>,
}

impl Hour {
    fn new(begins: Timestamp) -> Self {
        Self {
            begins,
            raised: 0,
            gathered: 0,
            told: 0,
            update: 0,
            score: 0.0,
            titles: Vec::new(),
        }
    }
}

impl Flood {
    /// Takes note of an alert about to be raised. Beyond `most` an hour it is marked as gathered, and the digest alert that
    /// tells of it comes back when it is due: for the first, and whenever their number has doubled.
    pub fn take(&mut self, alert: &mut Alert, most: u32) -> Option<Alert> {
        if alert.level != GATHERED || alert.update > 0 {
            return None;
        }
        let begins = hour_of(alert.raised_at);
        let hour = self.hour(&alert.region, begins);
        hour.raised += 1;
        if hour.raised <= most {
            return None;
        }
        let id = id::of("digest", &[&alert.region, &begins.to_string()]);
        alert.digest = Some(id.clone());
        hour.gather(alert);
        if hour.gathered < hour.told * 2 {
            return None;
        }
        let digest = hour.digest(&id, alert);
        hour.told = hour.gathered;
        hour.update += 1;
        Some(digest)
    }

    /// Takes note of an alert that was raised before.
    pub fn restore(&mut self, alert: &Alert) {
        let begins = hour_of(alert.raised_at);
        if alert.event.id == id::of("digest", &[&alert.region, &begins.to_string()]) {
            let hour = self.hour(&alert.region, begins);
            hour.told = hour.told.max(alert.event.posts);
            hour.update = hour.update.max(alert.update + 1);
        } else if alert.level == GATHERED && alert.update == 0 {
            let hour = self.hour(&alert.region, begins);
            hour.raised += 1;
            if alert.digest.is_some() {
                hour.gather(alert);
            }
        }
    }

    fn hour(&mut self, region: &str, begins: Timestamp) -> &mut Hour {
        let hour = self
            .0
            .entry(region.to_owned())
            .or_insert_with(|| Hour::new(begins));
        if hour.begins < begins {
            *hour = Hour::new(begins);
        }
        hour
    }
}

impl Hour {
    fn gather(&mut self, alert: &Alert) {
        self.gathered += 1;
        self.score = self.score.max(alert.score);
        if self.titles.len() < TITLES {
            self.titles.push(alert.event.title.clone());
        }
    }

    fn digest(&self, id: &str, last: &Alert) -> Alert {
        let local = offset(8).to_datetime(self.begins);
        let title = format!(
            "{}月{}日{}时一般事件集中出现，{}件合并提醒",
            local.month(),
            local.day(),
            local.hour(),
            self.gathered
        );
        Alert {
            id: id::of_alert(id, GATHERED),
            region: last.region.clone(),
            level: GATHERED,
            score: self.score,
            terms: Vec::new(),
            event: EventSummary {
                id: id.to_owned(),
                title,
                gist: format!("{}\n各件已分别立案，请逐件研判", self.titles.join("；")),
                posts: self.gathered,
                revisions: 0,
                post_ids: Vec::new(),
                voices: self.gathered,
                sources: Vec::new(),
                source_kinds: Vec::new(),
                sentiment: last.event.sentiment,
                sentiments: Sentiments::default(),
                appeals: Vec::new(),
                subject: String::new(),
                subjects: Vec::new(),
                parts: Vec::new(),
                places: Vec::new(),
                first_at: self.begins,
                last_at: last.raised_at,
                days: Vec::new(),
                key_dates: Vec::new(),
                answered_at: None,
                recurrence: None,
            },
            published_at: last.published_at,
            raised_at: last.raised_at,
            update: self.update,
            digest: None,
        }
    }
}

fn hour_of(at: Timestamp) -> Timestamp {
    at.round(
        jiff::TimestampRound::new()
            .smallest(Unit::Hour)
            .mode(jiff::RoundMode::Floor),
    )
    .unwrap_or(at)
}
