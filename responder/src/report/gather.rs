//! Gathers the facts of a period.

use std::collections::BTreeMap;
use std::sync::Arc;

use backbone::id;
use jiff::civil::Date;
use jiff::{SignedDuration, Timestamp};

use super::facts::{
    Before, Bounded, CommitmentFacts, Course, EventCase, EventFacts, Facts, Method, Number, Peak,
    Point, Ranked, SignalFacts, Usual,
};
use super::suggestion::suggestions;
use super::timely::units;
use super::view::grouped;
use super::{Desk, MakeError};
use crate::calendar::{at_minute, day_of};
use crate::case::{Actor, Case};
use crate::commitment;
use crate::console::archive::Unavailable;
use crate::console::archive::period::{self, Came, EventOfPeriod, View};
use crate::console::archive::trends::{Days, Scope, covered, date_of};
use crate::console::signals;
use crate::trend::{
    Aspect, Counts, Day, Mean, Movement, Period, Share, Step, Verdict, by_bin, by_week, change,
    difference, dispersion, in_all, movements, negative_dispersion,
};

/// Events told of one by one.
const EVENTS: u32 = 8;
/// Signals told of.
const SIGNALS: u32 = 6;
/// Periods before the one before, of which the usual is the mean.
const USUAL: u32 = 8;
/// Fewest whole periods from which something is usual.
const FEWEST_USUAL: u32 = 4;
/// Fewest posts of the period before from which a change is told.
pub(super) const FEWEST_BEFORE: u64 = 10;
/// Longest period that is told by day.
const BY_DAY: u32 = 62;
/// Rows of a ranking.
const RANKED: usize = 10;
/// Days ahead that commitments are looked for.
const AHEAD: i64 = 7;

impl From<Unavailable> for MakeError {
    fn from(_: Unavailable) -> Self {
        Self::Archive
    }
}

/// Gathers them. What was done about the matters is as it stood when the period was over.
pub(super) async fn facts(desk: &Desk<'_>, period: Period) -> Result<Facts, MakeError> {
    let region = desk.routing.region();
    let code = region.code();
    let client = &desk.archive;
    let before = period.before();
    let usual_from = Period::until(period.to, period.days() * (USUAL + 1)).from;
    let known = covered(client, code, period.to).await?;
    let scope = Scope {
        region: code.to_owned(),
        ..Scope::default()
    };
    let all = Period {
        from: usual_from,
        to: period.to,
    };
    let earlier = Period::until(before.to, 28.max(period.days()));
    let (days, read) = (Days::default(), [all]);
    let (days, (events, events_in_all), came, came_before, models, signals) = tokio::try_join!(
        days.read(client, &scope, &read),
        period::events(client, code, period, EVENTS),
        period::came(client, code, period),
        period::came(client, code, earlier),
        period::models(client, code, period),
        period::signals(client, code, period, SIGNALS),
    )?;
    let ids: Vec<&str> = events.iter().map(|event| event.event.as_str()).collect();
    let views = period::views(client, code, period, &ids).await?;
    let links = Links { desk, period };
    let counts = in_all(of(&days), period);
    let phi = negative_dispersion(of(&days), all);
    let ranked = |aspect| rank(&links, &days, aspect, period, phi, counts.posts);
    let mut told = Vec::new();
    for event in &events {
        told.push(tell(&links, event, &views).await?);
    }
    let (begin, end) = desk.moments(period)?;
    let tracked = desk.cases.tracked(begin, end).await?;
    let (units, cases) = units(desk, &tracked, end, links.of("/cases", &[]));
    let commitments = commitments(desk, &links, end, AHEAD).await?;
    let subjects = ranked(Aspect::Subject);
    let whole_before = known.is_some_and(|known| known.from <= before.from);
    let mut facts = Facts {
        issuer: super::issuer(desk),
        region: region.gazetteer.name.clone(),
        from: period.from,
        to: period.to,
        days: period.days(),
        this: if period.days() == 7 {
            "本周"
        } else {
            "本期"
        },
        last: if period.days() == 7 {
            "上周"
        } else {
            "上期"
        },
        posts: links.posts(counts.posts, &[]),
        negative: links.posts(counts.negative, &[("sentiment", "negative")]),
        positive: links.posts(counts.positive, &[("sentiment", "positive")]),
        negative_share: Share::of(counts.negative, counts.posts, phi).map(bounded_share),
        mean: mean(counts, phi),
        before: whole_before.then(|| told_before(&links, &days, period, phi)),
        usual: usual(&days, period, known.map(|known| known.from)),
        peak: peak(&links, &days, period),
        subjects,
        places: ranked(Aspect::Place),
        sources: ranked(Aspect::Source),
        appeals: ranked(Aspect::Appeal),
        course: course(&days, period, phi),
        events_in_all: Number {
            value: events_in_all as f64,
            link: links.of("/events", &[]),
        },
        events: told,
        signals: (signals.into_iter())
            .map(|found| SignalFacts {
                kind: signals::word(&found.kind),
                title: found.title,
                lasts: found.lasts,
            })
            .collect(),
        cases,
        units,
        commitments,
        suggestions: Vec::new(),
        watch: Vec::new(),
        method: Method {
            collected: came.iter().map(|source| source.posts).sum(),
            silent: silent(&came, &came_before, earlier),
            sources: came,
            models,
            covered_from: known.map(|known| known.from),
            covered_to: known.map(|known| known.to),
        },
    };
    facts.watch = super::suggestion::watch(&facts);
    facts.suggestions = suggestions(&facts, region);
    Ok(facts)
}

impl Desk<'_> {
    /// When a period begins, and when it ends or, where it is not over, how far it has come.
    pub(super) fn moments(&self, period: Period) -> Result<(Timestamp, Timestamp), MakeError> {
        let begin = at_minute(period.from, 0);
        let end = (period.to.tomorrow().ok()).and_then(|after| at_minute(after, 0));
        (begin.zip(end))
            .filter(|(begin, _)| *begin <= self.now)
            .map(|(begin, end)| (begin, end.min(self.now)))
            .ok_or(MakeError::Time)
    }
}

pub(super) fn of(days: &[Arc<Day>]) -> impl Iterator<Item = &Day> + Clone {
    days.iter().map(AsRef::as_ref)
}

pub(super) fn bounded_share(share: Share) -> Bounded {
    Bounded {
        value: share.value,
        low: share.interval.low,
        high: share.interval.high,
    }
}

pub(super) fn mean(counts: Counts, phi: f64) -> Option<Bounded> {
    Mean::of(counts.positive, counts.negative, counts.posts, phi).map(|mean| Bounded {
        value: mean.value,
        low: mean.interval.low,
        high: mean.interval.high,
    })
}

/// Where the numbers of a report lead.
pub(super) struct Links<'a> {
    pub(super) desk: &'a Desk<'a>,
    pub(super) period: Period,
}

impl Links<'_> {
    /// A page of the console.
    pub(super) fn of(&self, path: &str, fields: &[(&str, &str)]) -> String {
        let mut url = self.desk.public_url.clone();
        url.set_path(path);
        if !fields.is_empty() {
            url.query_pairs_mut().extend_pairs(fields);
        }
        url.into()
    }

    /// Posts of the period, and those that they are.
    pub(super) fn posts(&self, posts: u64, fields: &[(&str, &str)]) -> Number {
        self.posts_of(posts, self.period, fields)
    }

    pub(super) fn posts_of(&self, posts: u64, period: Period, fields: &[(&str, &str)]) -> Number {
        let (from, to) = (period.from.to_string(), period.to.to_string());
        let mut all = vec![("from", from.as_str()), ("to", to.as_str())];
        all.extend(fields);
        Number {
            value: posts as f64,
            link: self.of("/posts", &all),
        }
    }
}

pub(super) fn word(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Up => "up",
        Verdict::Down => "down",
        Verdict::Unclear => "unclear",
        Verdict::TooFew => "too-few",
    }
}

fn told_before(links: &Links<'_>, days: &[Arc<Day>], period: Period, phi: f64) -> Before {
    let before = period.before();
    let (now, then) = (in_all(of(days), period), in_all(of(days), before));
    // How much counts vary from one such period to the next, by all that came before.
    let periods: Vec<u64> = (1..=USUAL)
        .map(|number| in_all(of(days), back(period, number)).posts)
        .collect();
    let spread = dispersion([periods.as_slice()]);
    let length = f64::from(period.days());
    let moved = change(now.posts, length, then.posts, length, spread.unwrap_or(1.0));
    let verdict = match moved {
        Some(moved) if spread.is_some() && then.posts >= FEWEST_BEFORE => {
            Verdict::of(moved.interval, 1.0)
        }
        _ => Verdict::TooFew,
    };
    let shares =
        Share::of(now.negative, now.posts, phi).zip(Share::of(then.negative, then.posts, phi));
    let negative_verdict = shares.map_or(Verdict::TooFew, |(now, then)| {
        Verdict::of(difference(now, then), 0.0)
    });
    Before {
        from: before.from,
        to: before.to,
        posts: links.posts_of(then.posts, before, &[]),
        change: (then.posts >= FEWEST_BEFORE).then(|| now.posts as f64 / then.posts as f64 - 1.0),
        verdict: word(verdict),
        negative_share: Share::of(then.negative, then.posts, phi).map(|share| share.value),
        negative_verdict: word(negative_verdict),
    }
}

/// A period as long, so many before.
fn back(period: Period, number: u32) -> Period {
    (0..number).fold(period, |period, _| period.before())
}

fn usual(days: &[Arc<Day>], period: Period, first: Option<Date>) -> Option<Usual> {
    let first = first?;
    let counted: Vec<u64> = (1..=USUAL)
        .map(|number| back(period, number))
        .take_while(|earlier| earlier.from >= first)
        .map(|earlier| in_all(of(days), earlier).posts)
        .collect();
    let periods = u32::try_from(counted.len()).ok()?;
    let mean = counted.iter().sum::<u64>() as f64 / f64::from(periods.max(1));
    (periods >= FEWEST_USUAL && mean > 0.0).then(|| Usual {
        posts: mean,
        periods,
        change: in_all(of(days), period).posts as f64 / mean - 1.0,
    })
}

fn peak(links: &Links<'_>, days: &[Arc<Day>], period: Period) -> Option<Peak> {
    let within = of(days).filter(|day| period.holds(day.date) && day.all.posts > 0);
    let day = within.max_by_key(|day| (day.all.posts, std::cmp::Reverse(day.date)))?;
    let only = Period {
        from: day.date,
        to: day.date,
    };
    Some(Peak {
        day: day.date,
        posts: links.posts_of(day.all.posts, only, &[]),
    })
}

fn rank(
    links: &Links<'_>,
    days: &[Arc<Day>],
    aspect: Aspect,
    period: Period,
    phi: f64,
    posts: u64,
) -> Vec<Ranked> {
    let field = match aspect {
        Aspect::Subject => "subject",
        Aspect::Source => "source",
        Aspect::Appeal => "appeal",
        Aspect::Place => "place",
    };
    let before = period.before();
    let counted = by_week(of(days), aspect, period, before);
    // A week by itself does not tell how much weeks vary: those before it do.
    let history = Period::until(before.to, 7 * USUAL);
    let mut weeks: BTreeMap<String, Vec<u64>> = BTreeMap::new();
    for count in by_week(of(days), aspect, history, history.before()) {
        let row = weeks
            .entry(count.name)
            .or_insert_with(|| vec![0; USUAL as usize]);
        if let Some(week) = row.get_mut(count.week).filter(|_| !count.before) {
            *week += count.posts;
        }
    }
    let spread = dispersion(weeks.values().map(Vec::as_slice));
    let row = |movement: Movement| Ranked {
        rank: movement.rank,
        moved: (movement.rank_before).map(|before| before as i64 - movement.rank as i64),
        posts: links.posts(movement.posts, &[(field, movement.name.as_str())]),
        before: movement.before,
        share: movement.posts as f64 / posts.max(1) as f64,
        change: (movement.change)
            .filter(|_| movement.before >= FEWEST_BEFORE)
            .map(|change| change.ratio - 1.0),
        verdict: word(if movement.before < FEWEST_BEFORE {
            Verdict::TooFew
        } else {
            movement.verdict
        }),
        negative_share: movement.negative_share.map(|share| share.value),
        name: movement.name,
    };
    (movements(&counted, period, before, spread, phi).into_iter())
        .filter(|movement| movement.posts > 0)
        .take(RANKED)
        .map(row)
        .collect()
}

fn course(days: &[Arc<Day>], period: Period, phi: f64) -> Course {
    let (step, name) = if period.days() <= BY_DAY {
        (Step::Day, "day")
    } else {
        (Step::Week, "week")
    };
    let counts = by_bin(of(days), period, step);
    Course {
        step: name,
        points: (period.bins(step).iter().zip(counts))
            .map(|(bin, counts)| Point {
                from: bin.from,
                posts: counts.posts,
                negative: counts.negative,
                mean: mean(counts, phi),
            })
            .collect(),
    }
}

pub(super) async fn tell(
    links: &Links<'_>,
    event: &EventOfPeriod,
    views: &[View],
) -> Result<EventFacts, MakeError> {
    let day = |at: i64| day_of(Timestamp::from_millisecond(at).unwrap_or_default());
    let found = case_of(links.desk, &event.event).await?;
    let case = found.map(|case| told_case(links, &case));
    let page = format!("/events/{}", event.event);
    Ok(EventFacts {
        title: event.title.clone(),
        link: links.of(&page, &[]),
        level: (event.gravest > 0).then_some(event.gravest),
        posts: Number {
            value: event.posts as f64,
            link: links.of(&page, &[]),
        },
        voices: event.voices,
        negative_share: event.negative as f64 / event.posts.max(1) as f64,
        first: day(event.first_at),
        last: day(event.last_at),
        peak: date_of(event.peak).unwrap_or(links.period.to),
        peak_posts: event.peak_posts,
        sources: event.found_in.clone(),
        subject: event.subjects.first().cloned(),
        places: event.named_places.clone(),
        views: grouped(event, views),
        case,
        id: event.event.clone(),
    })
}

/// The case of an event; none where none was opened.
pub(super) async fn case_of(desk: &Desk<'_>, event: &str) -> Result<Option<Case>, MakeError> {
    let case = id::of_case(event);
    Ok(desk.cases.get(&case, &Actor::system()).await?)
}

pub(super) fn told_case(links: &Links<'_>, case: &Case) -> EventCase {
    EventCase {
        link: links.of(&format!("/cases/{}", case.id), &[]),
        state: case.state.title(),
        answered: case.answered_at.is_some(),
        late: case.answered_at.is_some_and(|at| at > case.respond_by),
        units: (case.parts.iter())
            .map(|part| links.desk.routing.region().unit_name(&part.unit).to_owned())
            .collect(),
        reply: (!case.reply.is_empty() && case.answered_at.is_some())
            .then(|| super::view::opening(&case.reply)),
    }
}

pub(super) async fn commitments(
    desk: &Desk<'_>,
    links: &Links<'_>,
    end: Timestamp,
    ahead: i64,
) -> Result<Vec<CommitmentFacts>, MakeError> {
    let mut told = Vec::new();
    for state in [commitment::State::Broken, commitment::State::Open] {
        let query = commitment::Query {
            region: desk.routing.region().code().to_owned(),
            state: Some(state),
            limit: 200,
            ..commitment::Query::default()
        };
        for one in desk.commitments.list(&query).await? {
            let broken = one.due_at < end;
            if one.added_at < end
                && (broken || one.due_at < end + SignedDuration::from_hours(24 * ahead))
            {
                told.push(CommitmentFacts {
                    due: one.due(),
                    unit: desk.routing.region().unit_name(&one.unit).to_owned(),
                    link: links.of(&format!("/cases/{}", one.case_id), &[]),
                    what: one.what,
                    broken,
                    kept: false,
                });
            }
        }
    }
    told.sort_by_key(|one| one.due);
    Ok(told)
}

/// Sources from which something came on half of the days before at least, and nothing in the period.
pub(super) fn silent(now: &[Came], before: &[Came], earlier: Period) -> Vec<String> {
    (before.iter())
        .filter(|source| source.days * 2 >= u64::from(earlier.days()))
        .filter(|source| now.iter().all(|other| other.source != source.source))
        .map(|source| source.source.clone())
        .collect()
}
