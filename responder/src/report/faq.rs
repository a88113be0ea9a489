//! 政策咨询问答候选: the questions that people asked again and again, for the knowledge base.

use report::{Figures, Table};
use serde::Serialize;

use super::cell::{cited, column, linked, number, text};
use super::facts::Number;
use super::gather::{Links, case_of};
use super::view::{nameless, opening};
use super::{Desk, Kind, Made, MakeError, finish, subtitle};
use crate::case::Case;
use crate::console::archive::period::{self, Question};
use crate::knowledge::{Asked, Frequent, KNOWN, Knowledge, Status, frequent};
use crate::trend::Period;

/// Matters that are looked through.
const QUESTIONS: u32 = 2_000;
/// Posts from which a question counts as asked again and again.
const POSTS: u64 = 2;
/// Questions that are told of.
const TOLD: usize = 20;
/// Matters of one question whose cases are looked up.
const CASES: usize = 10;

#[derive(Debug, Serialize)]
struct Facts {
    region: String,
    period: Period,
    /// Matters of which most posts ask something, and their posts.
    matters: usize,
    posts: Number,
    /// Questions asked again and again.
    questions_in_all: usize,
    questions: Vec<Told>,
    known: usize,
    answered: usize,
}

#[derive(Debug, Serialize)]
struct Told {
    question: String,
    link: String,
    matters: usize,
    posts: Number,
    voices: u64,
    subject: String,
    /// Absent where none is in charge of the subject.
    unit: Option<String>,
    /// The beginning of the reply that was published.
    answer: Option<String>,
    answer_link: String,
    /// The question of the knowledge base that is most like it.
    known: Option<Known>,
}

#[derive(Debug, Serialize)]
struct Known {
    question: String,
    link: String,
    status: &'static str,
    approved: bool,
}

pub(super) async fn make(desk: &Desk<'_>, period: Period) -> Result<Made, MakeError> {
    let facts = gather(desk, period).await?;
    let figures = Figures {
        tables: vec![questions(&facts)],
        charts: Vec::new(),
    };
    let title = format!("{}政策咨询问答候选", facts.region);
    finish(
        desk,
        Kind::Faq,
        title,
        &subtitle(period),
        period.to,
        &facts,
        figures,
    )
}

async fn gather(desk: &Desk<'_>, period: Period) -> Result<Facts, MakeError> {
    let region = desk.routing.region();
    let links = Links { desk, period };
    let found = period::questions(&desk.archive, region.code(), period, QUESTIONS).await?;
    let asked: Vec<Asked> = (found.iter())
        .map(|question| Asked {
            question: question.title.clone(),
            reply: String::new(),
            subject: question.about.clone(),
            unit: String::new(),
            case: question.event.clone(),
        })
        .collect();
    let posts: u64 = found.iter().map(|question| question.posts).sum();
    let mut groups: Vec<(Frequent, Vec<&Question>)> = (frequent(&asked, 1).into_iter())
        .map(|group| {
            let ids: Vec<&String> = std::iter::once(&group.asked.case)
                .chain(&group.others)
                .collect();
            let members = found
                .iter()
                .filter(|one| ids.contains(&&one.event))
                .collect();
            (group, members)
        })
        .collect();
    let sum = |members: &[&Question]| members.iter().map(|one| one.posts).sum::<u64>();
    groups.retain(|(_, members)| sum(members) >= POSTS);
    groups.sort_by(|one, other| {
        (sum(&other.1).cmp(&sum(&one.1))).then_with(|| one.0.asked.case.cmp(&other.0.asked.case))
    });
    let questions_in_all = groups.len();
    let mut questions = Vec::new();
    for (group, members) in groups.into_iter().take(TOLD) {
        questions.push(tell(&links, &group, &members).await?);
    }
    Ok(Facts {
        region: region.gazetteer.name.clone(),
        period,
        matters: found.len(),
        posts: links.posts(posts, &[("appeal", "咨询")]),
        questions_in_all,
        known: questions.iter().filter(|one| one.known.is_some()).count(),
        answered: questions.iter().filter(|one| one.answer.is_some()).count(),
        questions,
    })
}

async fn tell(
    links: &Links<'_>,
    group: &Frequent,
    members: &[&Question],
) -> Result<Told, MakeError> {
    let desk = links.desk;
    let region = desk.routing.region();
    let (_, end) = desk.moments(links.period)?;
    let mut answered: Option<Case> = None;
    let mut lead = String::new();
    for member in members.iter().take(CASES) {
        let Some(case) = case_of(desk, &member.event).await? else {
            continue;
        };
        if lead.is_empty() {
            case.lead().clone_into(&mut lead);
        }
        if case.answered_at.is_some_and(|at| at < end) && !case.reply.is_empty() {
            answered = Some(case);
            break;
        }
    }
    if let Some(case) = &answered {
        case.lead().clone_into(&mut lead);
    }
    let subject = &group.asked.subject;
    let mut titles =
        std::iter::once(&group.asked.question).chain(members.iter().map(|member| &member.title));
    let question = titles
        .find(|title| nameless(title))
        .unwrap_or(&group.asked.question);
    let knowledge = Knowledge::new(desk.cases.store().clone());
    let like = knowledge.search(region.code(), question, None, 1).await?;
    let known = (like.into_iter())
        .find(|hit| hit.score >= KNOWN)
        .map(|hit| Known {
            link: links.of(&format!("/knowledge/{}", hit.entry.id), &[]),
            status: hit.entry.status.title(),
            approved: hit.entry.status == Status::Approved,
            question: hit.entry.content.question,
        });
    let link = links.of(&format!("/events/{}", group.asked.case), &[]);
    Ok(Told {
        question: backbone::mask::mask(question),
        matters: members.len(),
        posts: Number {
            value: members.iter().map(|member| member.posts).sum::<u64>() as f64,
            link: link.clone(),
        },
        link,
        voices: members.iter().map(|member| member.voices).sum(),
        unit: if lead.is_empty() {
            region.in_charge(subject).map(ToOwned::to_owned)
        } else {
            Some(region.unit_name(&lead).to_owned())
        },
        subject: if subject.is_empty() {
            "其他".to_owned()
        } else {
            subject.clone()
        },
        answer_link: (answered.as_ref()).map_or_else(String::new, |case| {
            links.of(&format!("/cases/{}", case.id), &[])
        }),
        answer: answered.map(|case| opening(&case.reply)),
        known,
    })
}

fn questions(facts: &Facts) -> Table {
    Table {
        name: "questions".to_owned(),
        title: "反复咨询的问题".to_owned(),
        columns: vec![
            column("问题", false),
            column("帖文", true),
            column("人次", true),
            column("责任单位", false),
            column("答复", false),
            column("问答库", false),
        ],
        rows: (facts.questions.iter())
            .map(|one| {
                vec![
                    linked(&one.question, &one.link),
                    cited(&one.posts),
                    number(one.voices as f64),
                    text(one.unit.as_deref().unwrap_or("待定")),
                    text(if one.answer.is_some() { "有" } else { "无" }),
                    text(one.known.as_ref().map_or("没有", |known| known.status)),
                ]
            })
            .collect(),
    }
}
