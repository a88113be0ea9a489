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
use super::access::SignedIn;
use super::archive::{self, OfEvents, Times, Unavailable};
use super::fields::{Fields, typed_id};
use super::page::{Frame, archive_unavailable, render, render_as};
use super::problem::Problem;
use super::routes::DUTY;
use super::show;
use crate::account::User;
use crate::case::{Actor, StoreError};
use crate::event_edit::{self, EditError, Known, Made, RECENT, TITLE_LIMIT};

/// Posts that may be split off: the newest.
pub(crate) const MOST_POSTS: u32 = 200;
/// Events offered that are like one, and that are the newest.
const LIKE: u32 = 12;
const NEWEST: u32 = 8;
/// Posts among which events that are like one are looked for: the newest. A large county's of the time that is held.
const LIKE_POSTS: u32 = 50_000;
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
    fn posts(&self) -> OfEvents<'_> {
        OfEvents::all([self.id.as_str()]).within(Times {
            first: self.first_at,
            last: self.newest_at,
        })
    }
}

const FACTS: &str = "event_id AS id, argMin(event_title, published_at) AS named, any(region) AS county, count() AS posts, \
    uniqExact(author) AS voices, min(published_at) AS first_at, max(published_at) AS newest_at, \
    toString(argMax(subject, published_at)) AS about, groupUniqArrayArray(places) AS named_places";

/// Events by their posts.
async fn facts(console: &Console, of: &OfEvents<'_>) -> Result<Vec<Facts>, Unavailable> {
    let query = format!("SELECT ?fields FROM (SELECT {FACTS} FROM {of} GROUP BY event_id)");
    archive::all(of.put(console.archive.query(&query))).await
}

/// An event by all its posts, and since when its region's are held.
async fn fact(console: &Console, event: &str) -> Result<Option<(Facts, i64)>, Unavailable> {
    let Some(event) = facts(console, &OfEvents::all([event])).await?.pop() else {
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
        "SELECT event FROM (SELECT event_id AS event, argMin(event_title, published_at) AS named, \
            max(hasAny(places, {{places:Array(String)}})) AS shared FROM assessments WHERE {HELD} AND published_at >= ( \
                SELECT min(published_at) FROM (SELECT published_at FROM assessments WHERE region = {{region:String}} \
                    ORDER BY region DESC, published_at DESC LIMIT {LIKE_POSTS})) \
            AND subject = {{subject:String}} \
            AND (empty({{places:Array(String)}}) OR empty(places) OR hasAny(places, {{places:Array(String)}})) GROUP BY event) \
         ORDER BY ngramDistanceUTF8(named, {{title:String}}) - 0.2 * shared, event LIMIT {LIKE}"
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
    let of = OfEvents::all(events.iter().copied()).within(Times::since(since + 1));
    let mut facts = facts(console, &of).await?;
    facts.sort_by_key(|one| events.iter().position(|event| *event == one.id));
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
        let of = event.posts();
        let (others, posts) = tokio::try_join!(
            others(console, &event, since),
            archive::posts_of_events(&console.archive, &of, MOST_POSTS)
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

/// Why an edit is not made.
#[derive(Debug)]
pub(crate) enum NotMade {
    /// There is no such event.
    NotFound,
    /// It cannot be.
    Refused(EditError),
    /// ClickHouse does not answer.
    Archive,
    /// The store fails.
    Store(StoreError),
}

impl From<Unavailable> for NotMade {
    fn from(_: Unavailable) -> Self {
        Self::Archive
    }
}

impl From<EditError> for NotMade {
    fn from(error: EditError) -> Self {
        Self::Refused(error)
    }
}

impl From<StoreError> for NotMade {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

/// An edit that can be made.
#[derive(Debug)]
pub(crate) struct Draft {
    /// The event that posts leave.
    from: Known,
    change: Change,
    /// Title of the event that they join.
    joined: String,
}

impl Draft {
    /// How many posts it moves.
    fn moved(&self) -> u64 {
        match &self.change {
            Change::Merge { .. } => self.from.posts,
            Change::Split { posts, .. } => posts.len() as u64,
        }
    }

    /// Makes it.
    pub(crate) async fn make(
        self,
        console: &Console,
        actor: &Actor,
        now: Timestamp,
    ) -> Result<Made, StoreError> {
        let Self {
            from,
            change,
            joined,
        } = self;
        let titles = (from.title.as_str(), joined.as_str());
        let edit = (console.edits)
            .make(&from.region, change, titles, actor, now)
            .await?;
        Ok(Made {
            edit,
            source_title: from.title,
            target_title: joined,
            officer: actor.name.clone(),
        })
    }
}

/// The merge of an event into another.
pub(crate) async fn merging(
    console: &Console,
    event: &str,
    into: &str,
    now: Timestamp,
) -> Result<Draft, NotMade> {
    let from = fact(console, event).await?.ok_or(NotMade::NotFound)?;
    let from = known(console, from, now).await?;
    if into.is_empty() {
        return Err(EditError::NothingChosen.into());
    }
    let into = fact(console, into).await?.ok_or(EditError::Unknown)?;
    let into = known(console, into, now).await?;
    Ok(Draft {
        change: event_edit::merge(&from, &into)?,
        joined: into.title,
        from,
    })
}

/// The split that makes an event of its own of some posts of one; its title is theirs where none is given.
pub(crate) async fn splitting(
    console: &Console,
    event: &str,
    posts: &[String],
    title: &str,
    now: Timestamp,
) -> Result<Draft, NotMade> {
    let facts = fact(console, event).await?.ok_or(NotMade::NotFound)?;
    let (event, _) = &facts;
    let (rows, _) = archive::posts_of_events(&console.archive, &event.posts(), MOST_POSTS).await?;
    let from = known(console, facts, now).await?;
    let there: Vec<String> = rows.iter().map(|row| row.post_id.clone()).collect();
    let change = event_edit::split(&from, &there, posts, title)?;
    let first = rows
        .iter()
        .filter(|row| posts.contains(&row.post_id))
        .min_by_key(|row| row.published_at);
    let joined = match (title.trim(), first) {
        ("", Some(first)) => match first.title.trim() {
            "" => show::excerpt(&first.text, 40),
            title => show::excerpt(title, 40),
        },
        (title, _) => title.to_owned(),
    };
    Ok(Draft {
        from,
        change,
        joined,
    })
}

/// The page that says why an edit is not made.
async fn not_made(
    console: &Console,
    signed_in: &SignedIn,
    (id, fields): (&str, &Fields),
    frame: Frame,
    why: NotMade,
) -> Result<Response, Problem> {
    match why {
        NotMade::NotFound => Err(Problem::NotFound),
        NotMade::Refused(refused) => page(console, signed_in, id, fields, Some(refused)).await,
        NotMade::Archive => archive_unavailable(frame),
        NotMade::Store(error) => Err(error.into()),
    }
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
    let draft = match merging(&console, &id, chosen, now).await {
        Ok(draft) => draft,
        Err(why) => return not_made(&console, &signed_in, (&id, &fields), frame, why).await,
    };
    if fields.get("confirmed") != "1" {
        let count = draft.moved();
        let Draft { from, joined, .. } = draft;
        return render(&ConfirmPage {
            frame,
            what: "并入",
            says: vec![
                format!("“{}”的{count}条帖文将全部归入“{joined}”。", from.title),
                "此后与两者相近的新帖文都归入后者；前者不再单独存在，也不再预警。".to_owned(),
                "合并后的事件重新评估风险，如达到更高级别，将按新的级别预警一次。".to_owned(),
            ],
            action: format!("/events/{id}/merge"),
            hidden: vec![("into", chosen.to_owned())],
            title: from.title,
            id,
        });
    }
    let made = draft.make(&console, &signed_in.user.actor(), now).await?;
    Ok(Redirect::to(&format!("/events/{}?done=merge", made.edit.target())).into_response())
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
    let (posts, title) = (fields.all("posts"), fields.get("title").trim());
    let draft = match splitting(&console, &id, &posts, title, now).await {
        Ok(draft) => draft,
        Err(why) => return not_made(&console, &signed_in, (&id, &fields), frame, why).await,
    };
    if fields.get("confirmed") != "1" {
        let count = draft.moved();
        let Draft { from, joined, .. } = draft;
        let mut hidden: Vec<(&'static str, String)> =
            posts.into_iter().map(|post| ("posts", post)).collect();
        if !title.is_empty() {
            hidden.push(("title", title.to_owned()));
        }
        return render(&ConfirmPage {
            frame,
            what: "拆分",
            says: vec![
                format!(
                    "将从“{}”的{}条帖文中拆出{count}条，成为新事件“{joined}”。",
                    from.title, from.posts
                ),
                "此后的新帖文与哪个事件更相近，就归入哪个事件。".to_owned(),
                "新事件单独评估风险，达到预警级别的，将另行预警并立案；原事件已有的预警不撤回。"
                    .to_owned(),
            ],
            action: format!("/events/{id}/split"),
            hidden,
            title: from.title,
            id,
        });
    }
    let made = draft.make(&console, &signed_in.user.actor(), now).await?;
    let new = made.edit.target();
    Ok(Redirect::to(&format!("/events/{id}?done=split&new={new}")).into_response())
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
    let on_its_way =
        |made: &Made| made.edit.target() == event && now.duration_since(made.edit.at) < RECENT;
    if made.iter().any(on_its_way) {
        frame.refresh = 5;
        return render(&PendingPage { frame });
    }
    Err(Problem::NotFound)
}
