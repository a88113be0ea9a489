//! Silences: which notices are held back, by whom and why; making one, and ending it before its time.

use std::sync::Arc;

use askama::Template;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use backbone::message::APPEALS;
use backbone::region::SUBJECTS;
use jiff::Timestamp;

use super::access::SignedIn;
use super::fields::{Choice, Fields};
use super::page::{Frame, render_as};
use super::problem::Problem;
use super::routes::OFFICERS;
use super::{Console, place, show};
use crate::clock::local;
use crate::routing::{Match, NewSilence, Silence, SilenceError};

/// Silences shown that are over: the newest.
const OVER_SHOWN: usize = 30;
/// Longest reason, in characters.
const LONGEST_REASON: usize = 500;
/// Most values of a condition, and characters of one.
const MOST: (usize, usize) = (50, 100);

struct SilenceLine {
    id: String,
    conditions: Vec<String>,
    reason: String,
    author: String,
    made_at: String,
    from: String,
    until: String,
    /// How long it still holds, or until it begins.
    left: String,
    /// When it was ended before its time, and by whom.
    ended: String,
    ended_by: String,
}

impl SilenceLine {
    fn new(silence: Silence, now: Timestamp) -> Self {
        let (ended, ended_by) = match silence.expired {
            Some((at, by)) => (show::time(at), by),
            None => (String::new(), String::new()),
        };
        let left = if silence.from > now {
            format!("{}后开始", show::span(silence.from.duration_since(now)))
        } else {
            show::until(silence.until, now)
        };
        Self {
            conditions: silence.matches.told(),
            id: silence.id,
            reason: silence.reason,
            author: silence.author,
            made_at: show::time(silence.made_at),
            from: show::time(silence.from),
            until: show::time(silence.until),
            left,
            ended,
            ended_by,
        }
    }
}

#[derive(Template)]
#[template(path = "silences.html")]
struct SilencesPage {
    frame: Frame,
    code: String,
    regions: Vec<Choice>,
    /// Those that hold notices back, or will.
    active: Vec<SilenceLine>,
    over: Vec<SilenceLine>,
    may_change: bool,
    typed: Typed,
    subjects: Vec<Choice>,
    appeals: Vec<Choice>,
    levels: Vec<Choice>,
    places: Vec<String>,
    problem: String,
    done: &'static str,
}

/// What was typed into the form.
#[derive(Default)]
struct Typed {
    place: String,
    source: String,
    words: String,
    from: String,
    until: String,
    reason: String,
}

/// The silences.
pub(super) async fn list(
    State(console): State<Arc<Console>>,
    signed_in: SignedIn,
    fields: Fields,
) -> Result<Response, Problem> {
    let done = match fields.get("done") {
        "added" => "静默已设置。案件照常建立，只是不发通知。",
        "ended" => "静默已解除，此后的通知照常发出。",
        _ => "",
    };
    page(&console, &signed_in, &fields, String::new(), done).await
}

/// Makes one.
pub(super) async fn add(
    State(console): State<Arc<Console>>,
    signed_in: SignedIn,
    fields: Fields,
) -> Result<Response, Problem> {
    let now = Timestamp::now();
    let region = place::region(&console, &signed_in, &fields)?;
    let name = &signed_in.user.name;
    let made = match asked(&fields, region.code(), name, now) {
        Ok(new) => console.silences.add(&new, region, now).await,
        Err(wrong) => return page(&console, &signed_in, &fields, wrong, "").await,
    };
    match made {
        Ok(silence) => {
            (console.accounts)
                .audit(name, "add-silence", &silence.id, now)
                .await?;
            Ok(back(region.code(), "added"))
        }
        Err(SilenceError::Store(error)) => Err(error.into()),
        Err(SilenceError::Condition(_)) => {
            let wrong = "条件有误：请填写地名表中的地名，词语和来源不要留空。".to_owned();
            page(&console, &signed_in, &fields, wrong, "").await
        }
        Err(refused) => page(&console, &signed_in, &fields, format!("{refused}。"), "").await,
    }
}

/// Ends one.
pub(super) async fn end(
    State(console): State<Arc<Console>>,
    signed_in: SignedIn,
    fields: Fields,
) -> Result<Response, Problem> {
    let now = Timestamp::now();
    let region = place::region(&console, &signed_in, &fields)?;
    let (name, id) = (&signed_in.user.name, fields.get("id"));
    match (console.silences)
        .expire(region.code(), id, name, now)
        .await
    {
        Ok(()) => {
            console.accounts.audit(name, "end-silence", id, now).await?;
            Ok(back(region.code(), "ended"))
        }
        Err(SilenceError::Store(error)) => Err(error.into()),
        Err(refused) => page(&console, &signed_in, &fields, format!("{refused}。"), "").await,
    }
}

fn back(region: &str, done: &str) -> Response {
    Redirect::to(&format!("/silences?region={region}&done={done}")).into_response()
}

/// The silence that a form asks for.
fn asked(
    fields: &Fields,
    region: &str,
    author: &str,
    now: Timestamp,
) -> Result<NewSilence, String> {
    let time = |name: &str, what: &str| match fields.get(name) {
        "" => Ok(None),
        text => local(text)
            .map(Some)
            .ok_or_else(|| format!("{what}请按“2026-10-01 08:30”的格式填写。")),
    };
    let from = time("from", "开始时间")?.unwrap_or(now);
    let until = time("until", "结束时间")?.ok_or("请填写结束时间。")?;
    let reason = fields.get("reason");
    if reason.chars().count() > LONGEST_REASON {
        return Err(format!("理由请控制在{LONGEST_REASON}字以内。"));
    }
    let chosen = |name: &str| -> Vec<String> {
        let values = fields.all(name).into_iter();
        values.filter(|value| !value.is_empty()).collect()
    };
    let matches = Match {
        region: Vec::new(),
        subject: chosen("subject"),
        place: listed(fields.get("place"))?,
        appeal: chosen("appeal"),
        level: (chosen("level").iter())
            .filter_map(|level| level.parse().ok())
            .collect(),
        source: listed(fields.get("source"))?,
        words: listed(fields.get("words"))?,
    };
    Ok(NewSilence {
        region: region.to_owned(),
        author: author.to_owned(),
        reason: reason.to_owned(),
        matches,
        from,
        until,
    })
}

/// The values of a list that someone typed.
fn listed(text: &str) -> Result<Vec<String>, String> {
    let values: Vec<String> = text
        .split(['、', '，', ',', ';', '；', '\n'])
        .map(|value| value.trim().to_owned())
        .filter(|value| !value.is_empty())
        .collect();
    let (most, longest) = MOST;
    if values.len() > most || values.iter().any(|value| value.chars().count() > longest) {
        return Err(format!("每个条件最多{most}项，每项最多{longest}字。"));
    }
    Ok(values)
}

async fn page(
    console: &Console,
    signed_in: &SignedIn,
    fields: &Fields,
    problem: String,
    done: &'static str,
) -> Result<Response, Problem> {
    let now = Timestamp::now();
    let region = place::region(console, signed_in, fields)?;
    let all = console.silences.list(region.code()).await?;
    let (active, over): (Vec<_>, Vec<_>) =
        (all.into_iter()).partition(|silence| silence.expired.is_none() && silence.until > now);
    let line = |silence| SilenceLine::new(silence, now);
    let levels = fields.all("level");
    let typed = |name: &str| fields.get(name).to_owned();
    let page = SilencesPage {
        code: region.code().to_owned(),
        regions: place::regions(console, signed_in, region),
        active: active.into_iter().map(line).collect(),
        over: over.into_iter().take(OVER_SHOWN).map(line).collect(),
        may_change: OFFICERS.contains(&signed_in.user.role),
        typed: Typed {
            place: typed("place"),
            source: typed("source"),
            words: typed("words"),
            from: typed("from"),
            until: typed("until"),
            reason: typed("reason"),
        },
        subjects: Choice::plain(SUBJECTS, fields.get("subject")),
        appeals: Choice::plain(APPEALS, fields.get("appeal")),
        levels: (1..=4_u8)
            .map(|number| {
                let value = number.to_string();
                let chosen = levels.contains(&value);
                let chosen = if chosen { value.clone() } else { String::new() };
                Choice::new(value, show::level(number).numeral, &chosen)
            })
            .collect(),
        places: (region.gazetteer.place.iter())
            .map(|place| place.name.clone())
            .collect(),
        done,
        frame: Frame::new(console, signed_in, "/silences", "静默"),
        problem,
    };
    let status = if page.problem.is_empty() {
        StatusCode::OK
    } else {
        StatusCode::UNPROCESSABLE_ENTITY
    };
    render_as(status, &page)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_are_read_as_people_write_them() {
        assert_eq!(
            listed("停水、 断水，水压\n").unwrap(),
            ["停水", "断水", "水压"]
        );
        assert!(listed("").unwrap().is_empty());
        assert!(listed(&"长".repeat(101)).is_err());
    }
}
