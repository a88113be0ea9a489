//! Merging an event into another and splitting one: the form, what will happen, and that it is done. What an officer says
//! goes to the analyzer; the archive, and so the pages, follow in a moment.

use std::sync::Arc;

use askama::Template;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use backbone::message::Change;
use backbone::topics::ASSESSMENTS;
use clickhouse::Row;
use jiff::Timestamp;
use serde::Deserialize;

use super::Console;
use super::access::{DUTY, SignedIn};
use super::archive::{self, OF_EVENTS, Times, Unavailable, of_events};
use super::fields::Fields;
use super::page::{Frame, archive_unavailable, render, render_as};
use super::problem::Problem;
use super::show;
use crate::account::User;
use crate::case::StoreError;
use crate::event_edit::{self, EditError, Known, RECENT, TITLE_LIMIT};

/// Posts that may be ticked: the newest.
const TICKS: u32 = 200;
/// Events offered that are like one, and that are the newest.
const LIKE: u32 = 12;
const NEWEST: u32 = 8;
/// Posts among which the newest events are looked for.
const NEWEST_POSTS: u32 = 5_000;

/// An event as the archive has it, for one who edits it.
#[derive(Debug, Clone, Row, Deserialize)]
struct Facts {
    id: String,
    named: String,
    county: String,
    posts: u64,
    voices: u64,
    first_at: i64,
    newest_at: i64,
    /// The subject of its newest post.
    about: String,
    named_places: Vec<String>,
}

impl Facts {
    fn times(&self) -> Times {
        Times {
            first: self.first_at,
            last: self.newest_at,
        }
    }
}

const FACTS: &str = "event_id AS id, argMin(event_title, published_at) AS named, any(region) AS county, count() AS posts, \
    uniqExact(author) AS voices, min(published_at) AS first_at, max(published_at) AS newest_at, \
    toString(argMax(subject, published_at)) AS about, groupUniqArrayArray(places) AS named_places";

/// The events of those ids, in their order, by their posts of some time.
async fn facts(
    console: &Console,
    events: &[&str],
    times: Times,
) -> Result<Vec<Facts>, Unavailable> {
    let query = format!("SELECT ?fields FROM (SELECT {FACTS} FROM {OF_EVENTS} GROUP BY event_id)");
    let query = of_events(console.archive.query(&query), events, times);
    let mut found: Vec<Facts> = archive::all(query).await?;
    found.sort_by_key(|one| events.iter().position(|event| *event == one.id));
    Ok(found)
}

/// An event by all its posts, and since when its region's are held.
async fn fact(console: &Console, event: &str) -> Result<Option<(Facts, i64)>, Unavailable> {
    let Some(event) = facts(console, &[event], Times::ALL).await?.pop() else {
        return Ok(None);
    };
    let since = held_since(console, &event.county).await?;
    Ok(Some((event, since)))
}

/// Before this the analyzer holds a region's events no more; it measures ages on the posts' own times.
async fn held_since(console: &Console, region: &str) -> Result<i64, Unavailable> {
    let query = console.archive.query(
        "SELECT toUnixTimestamp64Milli(least(published_at, now64(3, 'UTC'))) - {days:Int64} * 86400000 FROM assessments \
         WHERE region = {region:String} ORDER BY region DESC, published_at DESC LIMIT 1",
    );
    let query = query
        .param("days", ASSESSMENTS.retention_days)
        .param("region", region);
    Ok(archive::all(query).await?.pop().unwrap_or_default())
}

/// Events that one may be merged into, of those that are held: those most like it, then the newest.
async fn others(
    console: &Console,
    event: &Facts,
    since: i64,
) -> Result<(Vec<Facts>, Vec<Facts>), Unavailable> {
    #[derive(Debug, Row, Deserialize)]
    struct Found {
        event: String,
    }
    const HELD: &str = "region = {region:String} AND published_at > fromUnixTimestamp64Milli({since:Int64}, 'UTC') \
        AND relevant AND event_id NOT IN ('', {event:String})";
    let ask = async |query: String| {
        let query = console.archive.query(&query);
        let query = query
            .param("region", &event.county)
            .param("since", since)
            .param("event", &event.id)
            .param("title", &event.named)
            .param("subject", &event.about)
            .param("places", &event.named_places);
        archive::all::<Found>(query).await
    };
    let like = ask(format!(
        "SELECT event_id AS event FROM assessments WHERE {HELD} AND subject = {{subject:String}} \
         AND (empty({{places:Array(String)}}) OR empty(places) OR hasAny(places, {{places:Array(String)}})) \
         GROUP BY event ORDER BY min(ngramDistanceUTF8(event_title, {{title:String}}) \
         - 0.2 * hasAny(places, {{places:Array(String)}})), event LIMIT {LIKE}"
    ));
    let newest = ask(format!(
        "SELECT event FROM (SELECT event_id AS event, published_at FROM assessments WHERE {HELD} \
         ORDER BY region DESC, published_at DESC LIMIT {NEWEST_POSTS}) \
         GROUP BY event ORDER BY max(published_at) DESC, event LIMIT {}",
        LIKE + NEWEST
    ));
    let (like, newest) = tokio::try_join!(like, newest)?;
    let mut events: Vec<&str> = Vec::new();
    for found in like.iter().chain(&newest) {
        if !events.contains(&found.event.as_str()) {
            events.push(&found.event);
        }
    }
    let facts = facts(console, &events, Times::since(since + 1)).await?;
    let (like, mut newest): (Vec<_>, Vec<_>) =
        (facts.into_iter()).partition(|one| like.iter().any(|found| found.event == one.id));
    newest.truncate(NEWEST as usize);
    Ok((like, newest))
}

/// Whether a page offers someone to edit events.
pub(super) fn may_edit(user: &User) -> bool {
    DUTY.contains(&user.role)
}

/// An event that may be chosen.
struct Candidate {
    id: String,
    title: String,
    says: String,
    chosen: bool,
}

/// A post that may be ticked.
struct Tick {
    id: String,
    title: String,
    says: String,
    ticked: bool,
}

#[derive(Template)]
#[template(path = "event-edit.html")]
struct EditPage {
    frame: Frame,
    id: String,
    title: String,
    problem: String,
    groups: Vec<(&'static str, Vec<Candidate>)>,
    /// The id that was typed.
    other: String,
    ticks: Vec<Tick>,
    /// How many posts are older than those that may be ticked.
    older: u64,
    new_title: String,
    limit: usize,
}

#[derive(Template)]
#[template(path = "event-confirm.html")]
struct ConfirmPage {
    frame: Frame,
    id: String,
    title: String,
    /// What is about to be done: 并入 or 拆分.
    what: &'static str,
    says: Vec<String>,
    action: String,
    hidden: Vec<(&'static str, String)>,
}

/// The form.
pub(super) async fn form(
    State(console): State<Arc<Console>>,
    signed_in: SignedIn,
    Path(id): Path<String>,
) -> Result<Response, Problem> {
    page(&console, &signed_in, &id, &Fields::default(), None).await
}

async fn page(
    console: &Console,
    signed_in: &SignedIn,
    id: &str,
    fields: &Fields,
    refused: Option<EditError>,
) -> Result<Response, Problem> {
    let frame = Frame::new(console, signed_in, "/events", "并入或拆分事件");
    let asking = async {
        let Some((event, since)) = fact(console, id).await? else {
            return Ok(None);
        };
        let (others, posts) = tokio::try_join!(
            others(console, &event, since),
            archive::posts_of_event(&console.archive, id, event.times(), 0, TICKS)
        )?;
        Ok::<_, Unavailable>(Some((event, others, posts)))
    };
    let Ok(found) = asking.await else {
        return archive_unavailable(frame);
    };
    let (event, (like, newest), (posts, total)) = found.ok_or(Problem::NotFound)?;
    let chosen = fields.get("into");
    let candidates = |facts: Vec<Facts>| -> Vec<Candidate> {
        let candidate = |other: Facts| Candidate {
            says: format!(
                "近{}天{}帖 {}人，最近 {}",
                ASSESSMENTS.retention_days,
                other.posts,
                other.voices,
                show::time_of(other.newest_at)
            ),
            chosen: other.id == chosen,
            title: show::excerpt(&other.named, 60),
            id: other.id,
        };
        facts.into_iter().map(candidate).collect()
    };
    let mut groups = vec![
        ("相近的事件", candidates(like)),
        ("近期的事件", candidates(newest)),
    ];
    groups.retain(|(_, candidates)| !candidates.is_empty());
    let ticked = fields.all("posts");
    let page = EditPage {
        frame,
        id: event.id,
        title: show::excerpt(&event.named, 60),
        problem: refused
            .as_ref()
            .map(|refused| format!("{refused}。"))
            .unwrap_or_default(),
        groups,
        other: fields.get("other").to_owned(),
        older: total.saturating_sub(posts.len() as u64),
        ticks: (posts.into_iter())
            .map(|row| Tick {
                ticked: ticked.contains(&row.post_id),
                says: format!(
                    "{}　{} {}",
                    show::excerpt(&row.text, 60),
                    show::time_of(row.published_at),
                    row.source
                ),
                title: match row.title.trim() {
                    "" => show::excerpt(&row.text, 40),
                    title => show::excerpt(title, 60),
                },
                id: row.post_id,
            })
            .collect(),
        new_title: fields.get("title").to_owned(),
        limit: TITLE_LIMIT,
    };
    match refused {
        Some(_) => render_as(StatusCode::UNPROCESSABLE_ENTITY, &page),
        None => render(&page),
    }
}

async fn known(
    console: &Console,
    (facts, since): (Facts, i64),
    now: Timestamp,
) -> Result<Known, StoreError> {
    let merged = console.edits.merged(&facts.id).await?;
    Ok(Known {
        merged: merged.is_some_and(|(_, at)| now.duration_since(at) < RECENT),
        current: facts.newest_at > since,
        title: show::excerpt(&facts.named, 60),
        region: facts.county,
        posts: facts.posts,
        id: facts.id,
    })
}

/// The id in what was typed, which may be the address of the event's page.
fn typed_id(typed: &str) -> &str {
    let path = typed.trim().split(['?', '#']).next().unwrap_or_default();
    path.trim_end_matches('/')
        .rsplit('/')
        .next()
        .unwrap_or_default()
}

/// Merges the event into another, once that is confirmed.
pub(super) async fn merge(
    State(console): State<Arc<Console>>,
    signed_in: SignedIn,
    Path(id): Path<String>,
    fields: Fields,
) -> Result<Response, Problem> {
    let now = Timestamp::now();
    let typed = typed_id(fields.get("other"));
    let chosen = if typed.is_empty() {
        fields.get("into")
    } else {
        typed
    };
    let frame = Frame::new(&console, &signed_in, "/events", "并入事件");
    let asking = async {
        let from = fact(&console, &id).await?;
        Ok::<_, Unavailable>((from, fact(&console, chosen).await?))
    };
    let Ok((from, into)) = asking.await else {
        return archive_unavailable(frame);
    };
    let from = known(&console, from.ok_or(Problem::NotFound)?, now).await?;
    let into = match into {
        Some(facts) => Some(known(&console, facts, now).await?),
        None => None,
    };
    let change = match chosen {
        "" => Err(EditError::NothingChosen),
        _ => event_edit::merge(&from, into.as_ref()),
    };
    let (change, into) = match (change, into) {
        (Ok(change), Some(into)) => (change, into),
        (Err(refused), _) => return page(&console, &signed_in, &id, &fields, Some(refused)).await,
        (Ok(_), None) => return Err(Problem::NotFound),
    };
    if fields.get("confirmed") != "1" {
        return render(&ConfirmPage {
            frame,
            what: "并入",
            says: vec![
                format!(
                    "“{}”的{}条帖文将全部归入“{}”。",
                    from.title, from.posts, into.title
                ),
                "此后与两者相近的新帖文都归入后者；前者不再单独存在，也不再预警。".to_owned(),
                "合并后的事件重新评估风险，如达到更高级别，将按新的级别预警一次。".to_owned(),
            ],
            action: format!("/events/{id}/merge"),
            hidden: vec![("into", into.id)],
            title: from.title,
            id,
        });
    }
    let titles = (from.title.as_str(), into.title.as_str());
    let actor = signed_in.user.actor();
    let made = console
        .edits
        .make(&from.region, change, titles, &actor, now)
        .await?;
    Ok(Redirect::to(&format!("/events/{}?done=merge", made.target())).into_response())
}

/// Makes an event of its own of some posts of the event, once that is confirmed.
pub(super) async fn split(
    State(console): State<Arc<Console>>,
    signed_in: SignedIn,
    Path(id): Path<String>,
    fields: Fields,
) -> Result<Response, Problem> {
    let now = Timestamp::now();
    let frame = Frame::new(&console, &signed_in, "/events", "拆分事件");
    let asking = async {
        let Some(event) = fact(&console, &id).await? else {
            return Ok(None);
        };
        let times = event.0.times();
        let posts = archive::posts_of_event(&console.archive, &id, times, 0, TICKS).await?;
        Ok::<_, Unavailable>(Some((event, posts)))
    };
    let Ok(found) = asking.await else {
        return archive_unavailable(frame);
    };
    let (event, (rows, _)) = found.ok_or(Problem::NotFound)?;
    let event = known(&console, event, now).await?;
    let there: Vec<String> = rows.iter().map(|row| row.post_id.clone()).collect();
    let title = fields.get("title");
    let change = event_edit::split(&event, &there, &fields.all("posts"), title);
    let change = match change {
        Ok(change) => change,
        Err(refused) => return page(&console, &signed_in, &id, &fields, Some(refused)).await,
    };
    let Change::Split { posts, title, .. } = &change else {
        return Err(Problem::NotFound);
    };
    let first = rows
        .iter()
        .filter(|row| posts.contains(&row.post_id))
        .min_by_key(|row| row.published_at);
    let named = title.clone().unwrap_or_else(|| {
        let title = first.map(|row| match row.title.trim() {
            "" => row.text.as_str(),
            title => title,
        });
        show::excerpt(title.unwrap_or_default(), 40)
    });
    if fields.get("confirmed") != "1" {
        let mut hidden: Vec<(&'static str, String)> =
            posts.iter().map(|post| ("posts", post.clone())).collect();
        hidden.extend(title.clone().map(|title| ("title", title)));
        return render(&ConfirmPage {
            frame,
            what: "拆分",
            says: vec![
                format!(
                    "将从“{}”的{}条帖文中拆出{}条，成为新事件“{named}”。",
                    event.title,
                    event.posts,
                    posts.len()
                ),
                "此后的新帖文与哪个事件更相近，就归入哪个事件。".to_owned(),
                "新事件单独评估风险，达到预警级别的，将另行预警并立案；原事件已有的预警不撤回。"
                    .to_owned(),
            ],
            action: format!("/events/{id}/split"),
            hidden,
            title: event.title,
            id,
        });
    }
    let titles = (event.title.as_str(), named.as_str());
    let actor = signed_in.user.actor();
    let made = console
        .edits
        .make(&event.region, change.clone(), titles, &actor, now)
        .await?;
    Ok(Redirect::to(&format!("/events/{id}?done=split&new={}", made.target())).into_response())
}

/// A line of an event's page on an edit of it.
pub(super) struct EditLine {
    pub(super) before: String,
    /// The other event; empty where it has no page any more.
    pub(super) other: String,
    pub(super) title: String,
    pub(super) after: &'static str,
    pub(super) at: String,
    pub(super) officer: String,
}

/// What was said of an event, the newest first.
pub(super) async fn lines(console: &Console, event: &str) -> Result<Vec<EditLine>, Problem> {
    let made = console.edits.of(event).await?;
    let lines = made.into_iter().map(|made| {
        let (source, target) = (made.edit.source().to_owned(), made.edit.target());
        let (before, title, after, other) = match (&made.edit.change, source == event) {
            (Change::Merge { .. }, true) => {
                ("本事件并入“".to_owned(), made.target_title, "”", target)
            }
            (Change::Merge { .. }, false) => (
                "“".to_owned(),
                made.source_title,
                "”并入本事件",
                String::new(),
            ),
            (Change::Split { posts, .. }, true) => {
                let before = format!("拆出{}条帖文，另成事件“", posts.len());
                (before, made.target_title, "”", target)
            }
            (Change::Split { .. }, false) => {
                ("本事件由“".to_owned(), made.source_title, "”拆出", source)
            }
        };
        EditLine {
            before,
            other,
            title,
            after,
            at: show::time(made.edit.at),
            officer: made.officer,
        }
    });
    Ok(lines.collect())
}

#[derive(Template)]
#[template(path = "event-pending.html")]
struct PendingPage {
    frame: Frame,
}

/// What is shown of an event that the archive does not have: the one it was merged into, or that it is on its way.
pub(super) async fn instead(
    console: &Console,
    mut frame: Frame,
    event: &str,
    now: Timestamp,
) -> Result<Response, Problem> {
    if let Some((into, _)) = console.edits.merged(event).await?
        && fact(console, &into)
            .await
            .is_ok_and(|facts| facts.is_some())
    {
        return Ok(Redirect::to(&format!("/events/{into}")).into_response());
    }
    let made = console.edits.of(event).await?;
    let on_its_way = |made: &event_edit::Made| {
        made.edit.target() == event && now.duration_since(made.edit.at) < RECENT
    };
    if made.iter().any(on_its_way) {
        frame.refresh = 5;
        return render(&PendingPage { frame });
    }
    Err(Problem::NotFound)
}
