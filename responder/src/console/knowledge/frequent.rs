//! What is asked again and again: questions that the knowledge base may want.

use std::sync::Arc;

use askama::Template;
use axum::extract::State;
use axum::response::Response;

use crate::console::access::SignedIn;
use crate::console::fields::{Choice, Fields};
use crate::console::page::{Frame, render};
use crate::console::problem::Problem;
use crate::console::routes::MOVERS;
use crate::console::{Console, place, show};
use crate::knowledge::{KNOWN, asked, frequent};

/// Answered cases that are looked through: the newest.
const CASES: u32 = 1_000;
/// How often a question was asked at least.
const TIMES: usize = 2;
/// Questions that are shown.
const MOST: usize = 50;

struct FrequentLine {
    question: String,
    times: usize,
    subject: String,
    unit: String,
    answer: String,
    case: String,
    /// The question of the knowledge base that is most like it, with its id.
    known: Option<(String, String)>,
}

#[derive(Template)]
#[template(path = "knowledge-frequent.html")]
struct FrequentPage {
    frame: Frame,
    regions: Vec<Choice>,
    cases: u32,
    questions: Vec<FrequentLine>,
    may_write: bool,
}

/// The questions, the most asked first.
pub(in crate::console) async fn list(
    State(console): State<Arc<Console>>,
    signed_in: SignedIn,
    fields: Fields,
) -> Result<Response, Problem> {
    let region = place::region(&console, &signed_in, &fields)?;
    let answered = asked(&console.cases, region.code(), CASES).await?;
    let found = tokio::task::spawn_blocking(move || frequent(&answered, TIMES)).await;
    let mut questions = Vec::new();
    for one in found.map_err(|_| Problem::Broken)?.into_iter().take(MOST) {
        let question = one.asked.question;
        let like = (console.knowledge)
            .search(region.code(), &question, None, 1)
            .await?;
        let known = like.into_iter().find(|hit| hit.score >= KNOWN);
        questions.push(FrequentLine {
            times: one.times,
            subject: one.asked.subject,
            unit: (console.unit_name(region.code(), &one.asked.unit)).to_owned(),
            answer: show::excerpt(&one.asked.reply, 120),
            case: one.asked.case,
            known: known.map(|hit| (hit.entry.id, hit.entry.content.question)),
            question,
        });
    }
    render(&FrequentPage {
        frame: Frame::new(&console, &signed_in, "/knowledge", "常见问题"),
        regions: place::regions(&console, &signed_in, region),
        cases: CASES,
        may_write: MOVERS.contains(&signed_in.user.role),
        questions,
    })
}
