//! Posts as they come (实时动态): the newest as a page, and those that follow as a stream of server-sent events.

mod line;

use std::collections::VecDeque;
use std::convert::Infallible;
use std::sync::Arc;

use askama::Template;
use axum::body::{Body, Bytes};
use axum::extract::{Path, State};
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE, RETRY_AFTER};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use backbone::clickhouse::rows::AssessmentRow;
use backbone::region::SUBJECTS;
use jiff::Timestamp;
use tokio::time::{Instant, Interval, MissedTickBehavior, interval_at, sleep_until};
use url::form_urlencoded::{Serializer, byte_serialize};

use super::Console;
use super::access::SignedIn;
use super::archive::{self, Filter, Unavailable};
use super::fields::{Choice, Fields};
use super::page::{Frame, render};
use super::posts::{self, Select};
use super::problem::Problem;
use super::routes::{DUTY, may_open};
use super::show;
use crate::live::{Fresh, News, Refused, Viewer, Wanted};
use line::{Fragment, LiveLine};

/// Posts that the page begins with.
const SHOWN: u32 = 30;
/// Seconds after which the page is loaded again where no script runs.
const REFRESH: u32 = 60;
/// The path of the page.
const PATH: &str = "/live";
/// Milliseconds after which a browser whose stream ended comes back.
const COME_BACK: u32 = 2_000;

#[derive(Template)]
#[template(path = "live.html")]
struct LivePage {
    frame: Frame,
    lines: Vec<LiveLine>,
    /// Where the stream is, with the filters and from where it goes on.
    stream: String,
    /// The page with its filters, where a form without script comes back to.
    back: String,
    may_judge: bool,
    /// The selects of a correction, for those who may correct.
    selects: Vec<Select>,
    unavailable: bool,
    wanted: Wanted,
    sentiments: Vec<Choice>,
    subjects: Vec<Choice>,
    sources: Vec<Choice>,
}

fn wanted(fields: &Fields) -> Wanted {
    let of = |name: &str| fields.get(name).to_owned();
    Wanted {
        sentiment: of("sentiment"),
        subject: of("subject"),
        place: of("place"),
        source: of("source"),
        all: fields.get("all") == "1",
    }
}

/// An address with the filters that are set.
fn address(path: &str, wanted: &Wanted, after: &str) -> String {
    let mut query = Serializer::new(String::new());
    for (name, value) in [
        ("sentiment", wanted.sentiment.as_str()),
        ("subject", &wanted.subject),
        ("place", &wanted.place),
        ("source", &wanted.source),
        ("all", if wanted.all { "1" } else { "" }),
        ("after", after),
    ] {
        if !value.is_empty() {
            query.append_pair(name, value);
        }
    }
    match query.finish() {
        query if query.is_empty() => path.to_owned(),
        query => format!("{path}?{query}"),
    }
}

/// The page: what came lately to this responder, and before that what the archive has.
pub(super) async fn page(
    State(console): State<Arc<Console>>,
    signed_in: SignedIn,
    fields: Fields,
) -> Result<Response, Problem> {
    let mut frame = Frame::new(&console, &signed_in, PATH, "实时动态");
    frame.no_script_refresh = REFRESH;
    let wanted = wanted(&fields);
    let (recent, last) = console.live.recent(&wanted, SHOWN as usize);
    let (archived, sources) = tokio::join!(
        archived(&console, &wanted),
        archive::sources(&console.archive)
    );
    let unavailable = archived.is_err();
    let mut rows: Vec<AssessmentRow> = recent.iter().map(|post| post.row()).collect();
    for row in archived.unwrap_or_default() {
        if rows.len() < SHOWN as usize && !rows.iter().any(|known| known.post_id == row.post_id) {
            rows.push(row);
        }
    }
    let may_judge = DUTY.contains(&signed_in.user.role);
    render(&LivePage {
        frame,
        lines: with_verdicts(&console, &rows).await?,
        stream: address("/live/stream", &wanted, &last),
        back: address(PATH, &wanted, ""),
        may_judge,
        selects: if may_judge {
            posts::selects_of_any(&console)
        } else {
            Vec::new()
        },
        unavailable,
        sentiments: ["negative", "neutral", "positive"]
            .into_iter()
            .map(|label| Choice::new(label, show::sentiment(label), &wanted.sentiment))
            .collect(),
        subjects: Choice::plain(SUBJECTS, &wanted.subject),
        sources: Choice::plain(sources.unwrap_or_default(), &wanted.source),
        wanted,
    })
}

/// The newest posts of the archive.
async fn archived(console: &Console, wanted: &Wanted) -> Result<Vec<AssessmentRow>, Unavailable> {
    let filter = Filter {
        sentiment: wanted.sentiment.clone(),
        subject: wanted.subject.clone(),
        place: wanted.place.clone(),
        source: wanted.source.clone(),
        all: wanted.all,
        limit: SHOWN,
        ..Filter::default()
    };
    let regions: Vec<&str> = console.regions.keys().map(String::as_str).collect();
    let (rows, _) = archive::posts(&console.archive, &regions, &filter).await?;
    archive::with_marks(&console.archive, rows).await
}

/// Lines with what officers said of the posts already.
async fn with_verdicts(
    console: &Console,
    rows: &[AssessmentRow],
) -> Result<Vec<LiveLine>, Problem> {
    let ids: Vec<&str> = rows.iter().map(|row| row.post_id.as_str()).collect();
    let kept = console.corrections.of_all(&ids).await?;
    let lines = rows.iter().map(|row| {
        let of_post = kept
            .iter()
            .find(|kept| kept.correction.post_id == row.post_id);
        let verdict = of_post.map(|kept| posts::verdict(console, row, kept));
        LiveLine::new(console, row, verdict.unwrap_or_default())
    });
    Ok(lines.collect())
}

/// One line, as it is after an officer said something of the post.
pub(super) async fn one(
    State(console): State<Arc<Console>>,
    _: SignedIn,
    Path(id): Path<String>,
) -> Result<Response, Problem> {
    let found = posts::find(&console, &id).await;
    let row = found.ok().flatten().ok_or(Problem::NotFound)?;
    let lines = with_verdicts(&console, &[row]).await?;
    let line = lines.into_iter().next().ok_or(Problem::NotFound)?;
    render(&Fragment { line })
}

/// The stream.
pub(super) async fn stream(
    State(console): State<Arc<Console>>,
    signed_in: SignedIn,
    headers: HeaderMap,
    fields: Fields,
) -> Response {
    // A browser that comes back says what it saw last.
    let last = headers.get("last-event-id");
    let last = last.and_then(|last| last.to_str().ok());
    let after = last.unwrap_or_else(|| fields.get("after"));
    let watched = (console.live).watch(&signed_in.session, wanted(&fields), after);
    let (viewer, first) = match watched {
        Ok(watched) => watched,
        Err(refused) => {
            let (status, says) = match refused {
                Refused::OfSession => (
                    StatusCode::TOO_MANY_REQUESTS,
                    "本次登录打开的实时页面过多，请关闭一些。",
                ),
                Refused::InAll => (
                    StatusCode::SERVICE_UNAVAILABLE,
                    "实时动态的观看人数已满，请稍后再来。",
                ),
            };
            return (status, [(RETRY_AFTER, "30")], says).into_response();
        }
    };
    let limits = console.live.limits();
    let (now, beat) = (Instant::now(), limits.beat);
    let mut beats = interval_at(now + beat, beat);
    beats.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut watching = Watching {
        viewer,
        beats,
        ends: now + limits.lasting,
        sent: VecDeque::from([Bytes::from(format!("retry: {COME_BACK}\n\n"))]),
        signed_in,
        console,
    };
    watching.tell(first);
    let frames = futures::stream::unfold(watching, |mut watching| async move {
        let frame = watching.next().await?;
        Some((Ok::<_, Infallible>(frame), watching))
    });
    let headers = [
        (CONTENT_TYPE, "text/event-stream"),
        (CACHE_CONTROL, "no-store"),
    ];
    // What a proxy gathers does not come as it happens.
    let unbuffered = [("x-accel-buffering", "no")];
    (headers, unbuffered, Body::from_stream(frames)).into_response()
}

/// A stream that is open.
struct Watching {
    viewer: Viewer,
    beats: Interval,
    ends: Instant,
    /// Frames that are to go out.
    sent: VecDeque<Bytes>,
    signed_in: SignedIn,
    console: Arc<Console>,
}

impl Watching {
    /// The next frame; nothing when the stream ends.
    async fn next(&mut self) -> Option<Bytes> {
        loop {
            if let Some(frame) = self.sent.pop_front() {
                return Some(frame);
            }
            tokio::select! {
                () = self.console.live.stopped() => return None,
                () = sleep_until(self.ends) => return None,
                _ = self.beats.tick() => {
                    if !self.may_go_on().await {
                        return None;
                    }
                    // A comment: it shows that the connection is there.
                    return Some(Bytes::from_static(b":\n\n"));
                }
                news = self.viewer.next() => self.tell(news),
            }
        }
    }

    fn tell(&mut self, news: News) {
        if news.skipped > 0 {
            let skipped = format!("event: skipped\ndata: {}\n\n", news.skipped);
            self.sent.push_back(skipped.into());
        }
        for post in news.posts {
            self.sent
                .push_back(post.shown(|post| frame(&self.console, post)));
        }
        for post in news.judged {
            let post: String = byte_serialize(post.as_bytes()).collect();
            let judged = format!("event: verdict\ndata: {post}\n\n");
            self.sent.push_back(judged.into());
        }
    }

    /// Whether the session still is, of someone who may see posts. A store that does not answer ends nobody's stream.
    async fn may_go_on(&self) -> bool {
        let SignedIn { user, session, .. } = &self.signed_in;
        let lasting = self
            .console
            .accounts
            .lasting(&user.name, session, Timestamp::now());
        match lasting.await {
            Ok(user) => user.is_some_and(|user| may_open(user.role, PATH)),
            Err(_) => true,
        }
    }
}

/// The event that tells of a post.
fn frame(console: &Console, post: &Fresh) -> Bytes {
    let line = LiveLine::new(console, &post.row(), String::new());
    let html = Fragment { line }.render().unwrap_or_default();
    let mut frame = format!("id: {}\nevent: post\n", post.id);
    // To a browser each of the two ends a line.
    for line in html.split(['\n', '\r']) {
        frame.push_str("data: ");
        frame.push_str(line);
        frame.push('\n');
    }
    frame.push('\n');
    frame.into()
}
