//! The chain, on one screen: clean → segment → find words → relevance → subject, sentiment, appeal →
//! responsible units → intensity → keywords → event → risk → alert. Pure: the time comes in, nothing goes out.

use std::collections::BTreeMap;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use backbone::id;
use backbone::message::{Alert, Assessment, EventMembership, Evidence, FindingKind, Post, Signal};
use backbone::region::Region;
use jiff::Timestamp;

use crate::event::{Event, Telling, Window};
use crate::model::{Models, Task, Told};
use crate::risk::{self, Assessed};
use crate::rules::Rules;
use crate::settings::{Events, Risk, Trends};
use crate::stage::clean::Cleaned;
use crate::stage::intensity::Intensity;
use crate::stage::lexicon::Lexicon;
use crate::stage::reasons::reasons;
use crate::stage::relevance::Names;
use crate::stage::segment::Segmenter;
use crate::stage::signs::Signs;
use crate::stage::{appeal, keywords, responsible, sentiment, subject};
use crate::state::State;

/// Words that explain a finding of the models, at most.
const EXPLAINING_WORDS: usize = 3;

/// What is known of a region.
#[derive(Debug)]
struct Known {
    region: Region,
    names: Names,
    lexicon: Lexicon,
    intensity: Arc<Intensity>,
}

/// All that is needed to assess posts.
#[derive(Debug)]
pub struct Pipeline {
    regions: BTreeMap<String, Known>,
    segmenter: Segmenter,
    models: Models,
    events: Events,
    risk: Risk,
    trends: Trends,
    version: String,
}

impl Pipeline {
    /// For the given regions, with the models of a folder.
    ///
    /// # Errors
    /// When a model or a region's rules are missing or do not fit.
    pub fn new(
        regions: &BTreeMap<String, Region>,
        model: &Path,
        events: &Events,
        risk: &Risk,
    ) -> anyhow::Result<Self> {
        let models = Models::load(model)?;
        let mut rules: BTreeMap<PathBuf, (Rules, Arc<Intensity>)> = BTreeMap::new();
        let mut known = BTreeMap::new();
        for (code, region) in regions {
            let folder = &region.gazetteer.rules;
            if !rules.contains_key(folder) {
                let read = Rules::load(folder)?;
                let intensity = Arc::new(Intensity::new(&read));
                rules.insert(folder.clone(), (read, intensity));
            }
            let Some((rules, intensity)) = rules.get(folder) else {
                continue;
            };
            known.insert(
                code.clone(),
                Known {
                    names: Names::new(region),
                    lexicon: Lexicon::new(Some(region), rules)?,
                    intensity: Arc::clone(intensity),
                    region: region.clone(),
                },
            );
        }
        Ok(Self {
            regions: known,
            segmenter: Segmenter::new(regions.values()),
            version: models.version(),
            models,
            events: events.clone(),
            risk: risk.clone(),
            trends: Trends::default(),
        })
    }

    /// With other numbers for bursts and common problems.
    #[must_use]
    pub fn with_trends(self, trends: &Trends) -> Self {
        Self {
            trends: trends.clone(),
            ..self
        }
    }

    /// The codes of a region's units; none where it is not served.
    pub fn units(&self, region: &str) -> impl Iterator<Item = &str> {
        let known = self.regions.get(region).into_iter();
        known.flat_map(|known| known.region.units.iter().map(|unit| unit.code.as_str()))
    }

    /// Whether a region is served.
    #[must_use]
    pub fn serves(&self, region: &str) -> bool {
        self.regions.contains_key(region)
    }

    /// The analyzer's version and the models', as assessments name them.
    #[must_use]
    pub fn version(&self) -> &str {
        &self.version
    }

    /// Longest time between a post and the event it joins, in days.
    #[must_use]
    pub fn window_days(&self) -> u32 {
        self.events.window_days
    }

    /// What is known of a partition before its first post.
    #[must_use]
    pub fn state(&self) -> State {
        State::new(Window::new(
            self.events.window_days,
            self.events.most_events,
            self.events.least_similarity,
        ))
    }

    /// Assesses a post and puts it into its event; gives the alerts that are due by it. A post of a region that is not
    /// served is assessed as concerning none.
    pub fn assess(
        &self,
        post: Post,
        state: &mut State,
        now: Timestamp,
    ) -> (Assessment, Vec<Alert>) {
        let cleaned = Cleaned::of(&post.title, &post.text);
        let assessment = self.read(post, &cleaned, now);
        if !assessment.relevant {
            return (assessment, Vec::new());
        }
        self.place(assessment, &cleaned, state, now)
    }

    /// The same for a post that is known to concern the region, whatever it says.
    pub fn assess_as_relevant(
        &self,
        post: Post,
        state: &mut State,
        now: Timestamp,
    ) -> (Assessment, Vec<Alert>) {
        let cleaned = Cleaned::of(&post.title, &post.text);
        let mut assessment = self.read(post, &cleaned, now);
        assessment.relevant = true;
        self.place(assessment, &cleaned, state, now)
    }

    fn place(
        &self,
        mut assessment: Assessment,
        cleaned: &Cleaned,
        state: &mut State,
        now: Timestamp,
    ) -> (Assessment, Vec<Alert>) {
        let tell = |text: &str| self.models.pairs(text);
        let body = assessment.post.text.clone();
        let known = state.window.knows(&assessment.post.id);
        let joined = (state.window).join(&assessment, &Telling::of(&cleaned.text, &body, &tell));
        let alerts = if joined.changed {
            self.weigh(&joined.event, assessment.post.published_at, state, now)
        } else {
            Vec::new()
        };
        if let Some(event) = state.window.event(&joined.event) {
            assessment.event = Some(EventMembership {
                level: event.alerted().level(),
                title: event.title().to_owned(),
                id: joined.event,
                similarity: joined.similarity,
                edit: joined.edit,
            });
        }
        if !known {
            state.trends.hear(&self.trends, &assessment, now);
        }
        (assessment, alerts)
    }

    /// Puts back into its event a post that was assessed before; `written` is where that assessment stands in its partition.
    pub fn restore(&self, assessment: &Assessment, written: i64, state: &mut State) {
        let post = &assessment.post;
        let cleaned = Cleaned::of(&post.title, &post.text);
        let tell = |text: &str| self.models.pairs(text);
        let telling = Telling::of(&cleaned.text, &post.text, &tell);
        let known = state.window.knows(&post.id);
        state.window.restore(assessment, written, &telling);
        if !known {
            state.trends.restore(&self.trends, assessment);
        }
    }

    /// Says of every event when it must be looked at again, after all were put back.
    pub fn settle(&self, state: &mut State, now: Timestamp) {
        let again: Vec<(String, Option<Timestamp>)> = state
            .window
            .events()
            .filter_map(|event| Some((event.id().to_owned(), self.risk(event, now)?.graver_at)))
            .collect();
        for (event, at) in again {
            state.window.look_again(&event, at);
        }
    }

    /// The signals that are due, by posts and by the time that passed.
    pub fn signals(&self, state: &mut State) -> Vec<Signal> {
        let mut signals = state.trends.take();
        for event in signals.iter_mut().flat_map(|signal| &mut signal.events) {
            if let Some(known) = state.window.event(&event.id) {
                known.title().clone_into(&mut event.title);
            }
        }
        signals
    }

    /// The alerts that are due by now because nobody answered.
    pub fn look_again(&self, state: &mut State, now: Timestamp) -> Vec<Alert> {
        state.trends.pass(&self.trends, now);
        let mut alerts = Vec::new();
        while let Some(event) = state.window.due(now) {
            let newest = state.window.event(&event).map(Event::last_at);
            alerts.extend(self.weigh(&event, newest.unwrap_or(now), state, now));
        }
        alerts
    }

    /// How grave an event is; nothing when its region is not served.
    #[must_use]
    pub fn risk(&self, event: &Event, now: Timestamp) -> Option<Assessed> {
        let intensity = &self.regions.get(event.region())?.intensity;
        Some(risk::assess(&self.risk, intensity, event, now))
    }

    /// Everything about a post but its event.
    #[must_use]
    pub fn read(&self, post: Post, cleaned: &Cleaned, now: Timestamp) -> Assessment {
        let mut assessment = Assessment::unread(post, &self.version, now);
        let Some(known) = self.regions.get(&assessment.post.region) else {
            return assessment;
        };
        let text = cleaned.text.as_str();
        let mut words = self.segmenter.words(text);
        let found = known.lexicon.find(cleaned);
        let relevance = known.names.read(&mut words, &found, assessment.post.kind);
        let signs = Signs::read(text, &found, &known.lexicon.seconds);
        let reading = self.models.read(text);
        let of = |task| self.models.probabilities(task, &reading, &signs, |_| true);
        let mut evidence = Findings::new(cleaned);

        let feelings = of(Task::Sentiment);
        let (feels, feeling) = sentiment::sentiment(&feelings);
        let silence = sentiment::silence(assessment.post.kind, relevance.elsewhere);
        assessment.sentiment = silence.map_or(feeling, sentiment::silent);
        let wishes = appeal::of_kind(of(Task::Appeal), assessment.post.kind);
        let (wants, mut wish) = appeal::appeal(&wishes);
        let subjects = of(Task::Subject);
        let (class, mut matter) = subject::subject(&subjects, text, &found, &known.lexicon.seconds);
        assessment.subjects = subject::shares(&subjects);
        let told = [
            Told::by(Task::Sentiment, feels, &feelings),
            Told::by(Task::Appeal, wants, &wishes),
            Told::by(Task::Subject, class, &subjects),
        ];
        let named: Vec<Range<usize>> = (relevance.mentions.iter())
            .map(|mention| mention.start..mention.end)
            .collect();
        let silent = |told: &Told| told.task == Task::Sentiment && silence.is_some();
        let mut said: Vec<(Told, Vec<Range<usize>>)> = (told.into_iter())
            .filter(|told| !silent(told))
            .map(|told| {
                let words = reasons(&told, &found, &known.lexicon.seconds, EXPLAINING_WORDS);
                (told, words)
            })
            .collect();
        // The models are asked only where the rules have too few words.
        let too_few = |words: &[Range<usize>]| words.len() < EXPLAINING_WORDS;
        let asked: Vec<Told> = (said.iter())
            .filter(|(_, words)| too_few(words))
            .map(|(told, _)| *told)
            .collect();
        let explained = self
            .models
            .explain(&asked, &reading, &signs, &words, EXPLAINING_WORDS);
        let wanting = said.iter_mut().filter(|(_, words)| too_few(words));
        for ((_, said), ranges) in wanting.zip(explained) {
            for range in ranges {
                let apart =
                    |known: &Range<usize>| range.end <= known.start || known.end <= range.start;
                if too_few(said) && said.iter().chain(&named).all(apart) {
                    said.push(range);
                }
            }
        }
        for (told, ranges) in said {
            let (kind, because) = match told.task {
                Task::Sentiment => (FindingKind::Sentiment, &mut assessment.sentiment.because),
                Task::Appeal => (FindingKind::Appeal, &mut wish.because),
                Task::Subject => (FindingKind::Subject, &mut matter.because),
            };
            for range in ranges {
                if let Some(word) = evidence.add(kind, range, "")
                    && !because.contains(&word)
                {
                    because.push(word);
                }
            }
        }
        for mention in &relevance.mentions {
            let range = mention.start..mention.end;
            if mention.is_place {
                evidence.add(FindingKind::Place, range.clone(), &mention.detail);
            }
            evidence.add(FindingKind::Relevance, range, &mention.detail);
        }
        for (word, said, kind) in known.intensity.read(&mut words, &found) {
            evidence.add(FindingKind::Intensity, word.start..word.end, &kind.name);
            assessment.intensity.push(said.to_owned());
        }
        if relevance.relevant {
            let (units, reasons) =
                responsible::responsible(&known.region, text, &found, &matter, &relevance);
            for (start, end, unit) in reasons {
                evidence.add(FindingKind::Unit, start..end, &unit);
            }
            assessment.units = units;
        }
        for range in keywords::keywords(&reading, &words, &found, &named) {
            assessment
                .keywords
                .extend(evidence.add(FindingKind::Keyword, range, ""));
        }
        assessment.relevant = relevance.relevant;
        assessment.relevant_because = relevance.because;
        assessment.places = relevance.places;
        assessment.subject = Some(matter);
        assessment.appeal = Some(wish);
        assessment.evidence = evidence.list;
        assessment
    }

    /// What the model of a task says of a text that would be read for a region: the probability of each label
    /// that is `asked` for. Nothing when the region is not served.
    #[must_use]
    pub fn probabilities(
        &self,
        task: Task,
        region: &str,
        text: &str,
        asked: impl Fn(usize) -> bool,
    ) -> Option<Vec<f64>> {
        let lexicon = &self.regions.get(region)?.lexicon;
        let cleaned = Cleaned::of("", text);
        let signs = Signs::read(&cleaned.text, &lexicon.find(&cleaned), &lexicon.seconds);
        let reading = self.models.read(&cleaned.text);
        Some(self.models.probabilities(task, &reading, &signs, asked))
    }

    /// Weighs an event and gives the alerts that are due: one for each level it reaches, brought up to date when there is
    /// more to tell, and the digest of a flood.
    pub(crate) fn weigh(
        &self,
        event: &str,
        published_at: Timestamp,
        state: &mut State,
        now: Timestamp,
    ) -> Vec<Alert> {
        let Some(known) = state.window.event(event) else {
            return Vec::new();
        };
        let Some(assessed) = self.risk(known, now) else {
            return Vec::new();
        };
        let told = known.alerted();
        let reached = match (told.level(), assessed.level) {
            (None, Some(level)) => Some((level, 0)),
            (Some(before), Some(level)) if level < before => Some((level, 0)),
            (Some(before), _) if known.has_news() => Some((before, told.update + 1)),
            _ => None,
        };
        let Some((level, update)) = reached else {
            state.window.look_again(event, assessed.graver_at);
            return Vec::new();
        };
        let mut alert = Alert {
            id: id::of_alert(event, level),
            region: known.region().to_owned(),
            level,
            score: assessed.score,
            terms: assessed.terms,
            event: known.summary(),
            published_at,
            raised_at: now,
            update,
            digest: None,
        };
        state.window.alerted(&alert);
        state.window.look_again(event, assessed.graver_at);
        let digest = state.flood.take(&mut alert, self.risk.most_alerts_an_hour);
        std::iter::once(alert).chain(digest).collect()
    }
}

/// Collects where the deciding words stand in the post as shown.
struct Findings<'a> {
    cleaned: &'a Cleaned,
    list: Vec<Evidence>,
}

impl<'a> Findings<'a> {
    fn new(cleaned: &'a Cleaned) -> Self {
        Self {
            cleaned,
            list: Vec::new(),
        }
    }

    /// Adds a word by its bytes in the cleaned text and gives it back.
    fn add(&mut self, finding: FindingKind, range: Range<usize>, detail: &str) -> Option<String> {
        let word = self.cleaned.text.get(range.clone())?.to_owned();
        let (part, start, end) = self.cleaned.origin(range.start, range.end)?;
        self.list.push(Evidence {
            finding,
            word: word.clone(),
            detail: detail.to_owned(),
            part,
            start,
            end,
        });
        Some(word)
    }
}
