//! The chain, on one screen: clean → segment → relevance → subject → sentiment → intensity →
//! event → risk → alert. Pure: the time comes in, nothing goes out.

use std::collections::BTreeMap;
use std::path::Path;

use backbone::id;
use backbone::message::{Alert, Assessment, EventMembership, Post};
use backbone::region::Region;
use jiff::Timestamp;

use crate::event::Window;
use crate::model::Features;
use crate::risk;
use crate::settings::{Events, Risk};
use crate::stage::clean::clean;
use crate::stage::intensity::Intensity;
use crate::stage::opinion::Opinion;
use crate::stage::relevance::Gazetteer;
use crate::stage::segment::Segmenter;

/// All that is needed to assess posts.
#[derive(Debug)]
pub struct Pipeline {
    gazetteers: BTreeMap<String, Gazetteer>,
    segmenter: Segmenter,
    opinion: Opinion,
    intensity: Intensity,
    events: Events,
    risk: Risk,
    model: String,
}

impl Pipeline {
    /// For the given regions, with the models of a folder.
    ///
    /// # Errors
    /// When a model is missing or does not fit.
    pub fn new(
        regions: &BTreeMap<String, Region>,
        model: &Path,
        events: &Events,
        risk: &Risk,
    ) -> anyhow::Result<Self> {
        let opinion = Opinion::load(model)?;
        let mut gazetteers = BTreeMap::new();
        for (code, region) in regions {
            gazetteers.insert(code.clone(), Gazetteer::new(region)?);
        }
        Ok(Self {
            gazetteers,
            segmenter: Segmenter::new(regions.values()),
            model: opinion.version(),
            opinion,
            intensity: Intensity::new()?,
            events: events.clone(),
            risk: risk.clone(),
        })
    }

    /// Whether a region is served.
    #[must_use]
    pub fn serves(&self, region: &str) -> bool {
        self.gazetteers.contains_key(region)
    }

    /// An empty window for a partition.
    #[must_use]
    pub fn window(&self) -> Window {
        Window::new(
            self.events.window_days,
            self.events.most_events,
            self.events.least_similarity,
        )
    }

    /// Assesses a post and puts it into its event; gives the alert when the event reached a new level.
    pub fn assess(
        &self,
        post: Post,
        window: &mut Window,
        now: Timestamp,
    ) -> (Assessment, Option<Alert>) {
        let text = clean(&post.title, &post.text);
        let mut assessment = self.read(post, &text, now);
        if !assessment.relevant {
            return (assessment, None);
        }
        let joined = window.join(&assessment, &text);
        let alert = if joined.again {
            None
        } else {
            self.alert(&assessment, &joined.event, window, now)
        };
        assessment.event = Some(EventMembership {
            level: window.event(&joined.event).and_then(|event| event.level),
            id: joined.event,
            title: joined.title,
            similarity: joined.similarity,
        });
        (assessment, alert)
    }

    /// Puts back into its event a post that was assessed before.
    pub fn restore(&self, assessment: &Assessment, window: &mut Window) {
        window.restore(
            assessment,
            &clean(&assessment.post.title, &assessment.post.text),
        );
    }

    /// Everything about a post but its event.
    fn read(&self, post: Post, text: &str, now: Timestamp) -> Assessment {
        let words = self.segmenter.words(text);
        let relevance = self
            .gazetteers
            .get(&post.region)
            .map(|gazetteer| gazetteer.read(text, &words, post.kind))
            .unwrap_or_default();
        let features = Features::of(text);
        Assessment {
            subject: relevance
                .relevant
                .then(|| self.opinion.subject(&features, &words)),
            sentiment: self.opinion.sentiment(&features, &words, post.kind),
            intensity: self.intensity.words(text),
            relevant: relevance.relevant,
            relevant_because: relevance.because,
            places: relevance.places,
            event: None,
            model: self.model.clone(),
            assessed_at: now,
            post,
        }
    }

    fn alert(
        &self,
        assessment: &Assessment,
        event: &str,
        window: &mut Window,
        now: Timestamp,
    ) -> Option<Alert> {
        let known = window.event(event)?;
        let assessed = risk::assess(&self.risk, known);
        let level = assessed.level?;
        if known.level.is_some_and(|before| before <= level) {
            return None;
        }
        let alert = Alert {
            id: id::of_alert(event, level),
            region: assessment.post.region.clone(),
            level,
            score: assessed.score,
            terms: assessed.terms,
            event: known.summary(),
            published_at: assessment.post.published_at,
            raised_at: now,
        };
        window.reached(event, level);
        Some(alert)
    }
}
