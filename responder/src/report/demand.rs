//! 主动公开建议: what people ask and complain of most, by subject and place, and what of it has no published answer yet.

use std::collections::{BTreeMap, BTreeSet};

use report::{Chart, ChartKind, Figures, Series, Shape, Table};
use serde::Serialize;

use super::cell::{cited, column, number, percent, text};
use super::facts::Number;
use super::gather::{FEWEST_BEFORE, Links, word};
use super::view::nameless;
use super::{Desk, Kind, Made, MakeError, finish, subtitle};
use crate::case::Actor;
use crate::console::archive::ASKING;
use crate::console::archive::period::{self, Demand, Matter};
use crate::console::archive::trends::{covered, date_of};
use crate::knowledge::{KNOWN, Knowledge, Status};
use crate::trend::{Counted, Movement, Period, Step, Verdict, movements};

/// Subjects with places that are told of.
const TOLD: usize = 12;
/// Matters told of each.
const MATTERS: u32 = 3;
/// Posts from which a subject at a place is in high demand.
const POSTS: u64 = 3;
/// Answered cases that are looked through: the newest.
const ANSWERED: u32 = 1_000;
/// Between a subject and a place.
const AT: char = '\u{1f}';

#[derive(Debug, Serialize)]
struct Facts {
    region: String,
    period: Period,
    posts: Number,
    /// Whether the archive has all of the period before, and enough posts of it to compare with.
    compared: bool,
    demands_in_all: usize,
    demands: Vec<Told>,
    open: usize,
    subjects: Vec<Subject>,
}

/// A subject at a place.
#[derive(Debug, Serialize)]
struct Told {
    subject: String,
    /// Absent where the posts name none.
    place: Option<String>,
    posts: Number,
    before: u64,
    change: Option<f64>,
    verdict: &'static str,
    negative_share: f64,
    unit: String,
    matters: Vec<MatterFacts>,
    /// Published replies to cases of it.
    replies: usize,
    /// Whether no matter of it has an answer that was published.
    open: bool,
}

#[derive(Debug, Serialize)]
struct MatterFacts {
    title: String,
    link: String,
    posts: u64,
    voices: u64,
    /// The entry of the knowledge base that answers it, or the case that was answered; none where nothing was published.
    answer: Option<&'static str>,
}

#[derive(Debug, Serialize)]
struct Subject {
    name: String,
    posts: Number,
    share: f64,
    /// Entries of the knowledge base that were published.
    entries: usize,
}

pub(super) async fn make(desk: &Desk<'_>, period: Period) -> Result<Made, MakeError> {
    let facts = gather(desk, period).await?;
    let figures = Figures {
        tables: vec![demands(&facts), subjects(&facts)],
        charts: vec![drawn(&facts)],
    };
    let title = format!("{}高频事项主动公开建议", facts.region);
    finish(
        desk,
        Kind::Demand,
        title,
        &subtitle(period),
        period.to,
        &facts,
        figures,
    )
}

async fn gather(desk: &Desk<'_>, period: Period) -> Result<Facts, MakeError> {
    let region = desk.routing.region();
    let (client, code) = (&desk.archive, region.code());
    let before = period.before();
    let links = Links { desk, period };
    let (known, now, earlier, matters) = tokio::try_join!(
        covered(client, code, period.to),
        period::demands(client, code, period),
        period::demands(client, code, before),
        period::matters(client, code, period, MATTERS),
    )?;
    let posts_before: u64 = earlier.iter().map(|one| one.posts).sum();
    let compared =
        posts_before >= FEWEST_BEFORE && known.is_some_and(|known| known.from <= before.from);
    let mut counted = weekly(&now, period, false);
    counted.extend(weekly(&earlier, before, true));
    let moved: Vec<Movement> = (movements(&counted, period, before, None, 1.0).into_iter())
        .filter(|movement| movement.posts >= POSTS)
        .collect();
    let answers = Answers::of(desk, period).await?;
    let mut demands = Vec::new();
    for movement in moved.iter().take(TOLD) {
        demands.push(tell(&links, movement, compared, &matters, &answers).await?);
    }
    let mut by_subject: BTreeMap<&str, u64> = BTreeMap::new();
    for one in &now {
        *by_subject.entry(&one.subject).or_default() += one.posts;
    }
    let posts: u64 = by_subject.values().sum();
    let mut subjects: Vec<Subject> = (by_subject.into_iter())
        .map(|(name, own)| Subject {
            entries: answers.entries.get(name).copied().unwrap_or(0),
            share: own as f64 / posts as f64,
            posts: links.posts(own, &[("subject", name), ("appeal", ASKING)]),
            name: name.to_owned(),
        })
        .collect();
    subjects.sort_by(|one, other| other.posts.value.total_cmp(&one.posts.value));
    Ok(Facts {
        region: region.gazetteer.name.clone(),
        period,
        posts: links.posts(posts, &[("appeal", ASKING)]),
        compared,
        demands_in_all: moved.len(),
        open: demands.iter().filter(|one| one.open).count(),
        demands,
        subjects,
    })
}

/// The posts by week, as movements are told from.
fn weekly(found: &[Demand], period: Period, before: bool) -> Vec<Counted> {
    let mut weeks: BTreeMap<(String, usize), (u64, u64)> = BTreeMap::new();
    for one in found {
        let number = date_of(one.day).and_then(|day| period.number(day, Step::Week));
        if let Some(number) = number {
            let week = period.bins_of(Step::Week) - 1 - number;
            let name = format!("{}{AT}{}", one.subject, one.place);
            let (posts, negative) = weeks.entry((name, week)).or_default();
            *posts += one.posts;
            *negative += one.negative;
        }
    }
    (weeks.into_iter())
        .map(|((name, week), (posts, negative))| Counted {
            name,
            before,
            week,
            posts,
            negative,
        })
        .collect()
}

/// What was published.
struct Answers {
    knowledge: Knowledge,
    /// Published entries by subject.
    entries: BTreeMap<String, usize>,
    /// Events whose case was answered.
    events: BTreeSet<String>,
    /// Subjects and places of the cases that were answered in the period or before.
    replies: Vec<(String, BTreeSet<String>)>,
}

impl Answers {
    async fn of(desk: &Desk<'_>, period: Period) -> Result<Self, MakeError> {
        let code = desk.routing.region().code();
        let (_, end) = desk.moments(period)?;
        let knowledge = Knowledge::new(desk.cases.store().clone());
        let query = crate::knowledge::Query {
            region: code.to_owned(),
            status: Some(Status::Approved),
            limit: 10_000,
            ..crate::knowledge::Query::default()
        };
        let mut entries: BTreeMap<String, usize> = BTreeMap::new();
        for entry in knowledge.list(&query).await? {
            *entries.entry(entry.content.subject).or_default() += 1;
        }
        let mut cases = desk
            .cases
            .answered(code, &Actor::system(), ANSWERED)
            .await?;
        cases.retain(|case| case.answered_at.is_some_and(|at| at < end) && !case.reply.is_empty());
        Ok(Self {
            knowledge,
            entries,
            events: cases
                .iter()
                .map(|case| case.alert.event.id.clone())
                .collect(),
            replies: (cases.iter())
                .map(|case| {
                    let event = &case.alert.event;
                    let subject = event.subject.split('/').next().unwrap_or_default();
                    let places = event.places.iter().map(|place| place.name.clone());
                    (subject.to_owned(), places.collect())
                })
                .collect(),
        })
    }

    /// What was published of a matter.
    async fn to(&self, region: &str, matter: &Matter) -> Result<Option<&'static str>, MakeError> {
        if self.events.contains(&matter.event) {
            return Ok(Some("已答复"));
        }
        let like = (self.knowledge)
            .search(region, &matter.title, Some(Status::Approved), 1)
            .await?;
        Ok(like
            .iter()
            .any(|hit| hit.score >= KNOWN)
            .then_some("问答库已有"))
    }
}

async fn tell(
    links: &Links<'_>,
    movement: &Movement,
    compared: bool,
    matters: &[Matter],
    answers: &Answers,
) -> Result<Told, MakeError> {
    let region = links.desk.routing.region();
    let (subject, place) = movement.name.split_once(AT).unwrap_or((&movement.name, ""));
    let mut told = Vec::new();
    for matter in (matters.iter()).filter(|one| one.about == subject && one.at_place == place) {
        let answer = answers.to(region.code(), matter).await?;
        if nameless(&matter.title) || answer.is_none() {
            told.push(MatterFacts {
                title: backbone::mask::mask(&matter.title),
                link: links.of(&format!("/events/{}", matter.event), &[]),
                posts: matter.posts,
                voices: matter.voices,
                answer,
            });
        }
    }
    let mut fields = vec![("subject", subject), ("appeal", ASKING)];
    if !place.is_empty() {
        fields.push(("place", place));
    }
    let change = (movement.change).filter(|_| compared && movement.before >= FEWEST_BEFORE);
    Ok(Told {
        posts: links.posts(movement.posts, &fields),
        before: movement.before,
        verdict: word(if change.is_some() {
            movement.verdict
        } else {
            Verdict::TooFew
        }),
        change: change.map(|change| change.ratio - 1.0),
        negative_share: movement.negative as f64 / movement.posts.max(1) as f64,
        unit: region.in_charge(subject).unwrap_or("责任单位").to_owned(),
        replies: (answers.replies.iter())
            .filter(|(of, places)| of == subject && (place.is_empty() || places.contains(place)))
            .count(),
        open: told.iter().all(|matter| matter.answer.is_none()),
        matters: told,
        place: (!place.is_empty()).then(|| place.to_owned()),
        subject: subject.to_owned(),
    })
}

fn named(told: &Told) -> String {
    match &told.place {
        Some(place) => format!("{}（{place}）", told.subject),
        None => told.subject.clone(),
    }
}

fn demands(facts: &Facts) -> Table {
    let moved = |told: &Told| {
        if !facts.compared {
            return "—".to_owned();
        }
        let Some(change) = told.change else {
            return if told.before == 0 {
                "新出现"
            } else {
                "件数过少"
            }
            .to_owned();
        };
        let words = match told.verdict {
            "up" => "上升",
            "down" => "下降",
            "unclear" => "不显著",
            _ => "件数过少",
        };
        format!("{}% {words}", report::wording::signed(change * 100.0, 1))
    };
    Table {
        name: "demands".to_owned(),
        title: "高频事项".to_owned(),
        columns: vec![
            column("事项（地点）", false),
            column("本期（帖）", true),
            column("上期（帖）", true),
            column("变化", false),
            column("负面占比", true),
            column("已答复（件）", true),
            column("答案", false),
        ],
        rows: (facts.demands.iter())
            .map(|told| {
                vec![
                    text(named(told)),
                    cited(&told.posts),
                    if facts.compared {
                        number(told.before as f64)
                    } else {
                        text("—")
                    },
                    text(moved(told)),
                    percent(Some(told.negative_share)),
                    number(told.replies as f64),
                    text(if told.open { "没有" } else { "有" }),
                ]
            })
            .collect(),
    }
}

fn subjects(facts: &Facts) -> Table {
    Table {
        name: "subjects".to_owned(),
        title: "咨询、投诉和求助按事项".to_owned(),
        columns: vec![
            column("事项", false),
            column("帖文", true),
            column("占比", true),
            column("已发布问答（条）", true),
        ],
        rows: (facts.subjects.iter())
            .map(|subject| {
                vec![
                    text(&subject.name),
                    cited(&subject.posts),
                    percent(Some(subject.share)),
                    number(subject.entries as f64),
                ]
            })
            .collect(),
    }
}

fn drawn(facts: &Facts) -> Chart {
    let series = |name: &str, of: fn(&Told) -> f64| Series {
        name: name.to_owned(),
        shape: Shape::Bars,
        values: facts.demands.iter().map(|told| Some(of(told))).collect(),
        between: Vec::new(),
    };
    let mut all = vec![series("本期", |told| told.posts.value)];
    if facts.compared {
        all.push(series("上期", |told| told.before as f64));
    }
    Chart {
        name: "demands".to_owned(),
        title: "图1 高频事项".to_owned(),
        words: (facts.demands.first()).map_or_else(
            || "没有高频事项".to_owned(),
            |most| {
                let posts = report::wording::number(most.posts.value, 0);
                format!("最多的是{}，{posts}帖", named(most))
            },
        ),
        unit: "帖".to_owned(),
        kind: ChartKind::Ranked {
            items: facts.demands.iter().map(named).collect(),
        },
        series: all,
        marks: Vec::new(),
    }
}
