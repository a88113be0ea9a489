//! Posts as they come, for those who watch them in the console. Each responder looks at the topic of assessments for
//! itself, keeps the newest in memory and hands them to its viewers over a bounded channel. Nobody here is waited for: a
//! slow viewer misses some and is told how many; the archive has them all.

mod reader;
mod verdicts;

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Duration;

use axum::body::Bytes;
use backbone::clickhouse::rows::AssessmentRow;
use backbone::kafka::Received;
use backbone::message::Assessment;
use tokio::sync::broadcast;
use tokio_util::sync::CancellationToken;

pub use reader::read;
pub use verdicts::tell_verdicts;

use crate::metrics::Metrics;

/// Newest posts kept in memory.
const KEPT: usize = 256;
/// Batches that a viewer may be behind.
const BEHIND: usize = 64;
/// Posts that a viewer is shown at once; nobody reads more.
const AT_ONCE: usize = 20;

/// How many streams there may be, and how long each lasts.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Of one session.
    pub per_session: usize,
    /// In all.
    pub in_all: usize,
    /// After this a stream ends, and the browser comes back.
    pub lasting: Duration,
    /// How often a stream without posts shows that it is alive, and asks whether its session still is.
    pub beat: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            per_session: 4,
            in_all: 500,
            lasting: Duration::from_secs(600),
            beat: Duration::from_secs(15),
        }
    }
}

/// A post that came.
pub struct Fresh {
    /// Its place in what this responder saw come, from 1.
    number: u64,
    /// Its place in the topic, which is the same for every responder.
    pub id: String,
    /// The post, but for who wrote it.
    assessment: Assessment,
    /// What viewers are sent of it; made once, by the first who needs it.
    shown: OnceLock<Bytes>,
}

// The post's text is no matter for logs.
impl fmt::Debug for Fresh {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        (formatter.debug_struct("Fresh").field("id", &self.id)).finish_non_exhaustive()
    }
}

impl Fresh {
    /// The post as the archive will have it, but for who wrote it.
    #[must_use]
    pub fn row(&self) -> AssessmentRow {
        AssessmentRow::from(&self.assessment)
    }

    fn post_id(&self) -> &str {
        &self.assessment.post.id
    }

    /// What viewers are sent.
    pub(crate) fn shown(&self, make: impl FnOnce(&Self) -> Bytes) -> Bytes {
        self.shown.get_or_init(|| make(self)).clone()
    }
}

/// Which posts a viewer wants to see. Empty is all.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Wanted {
    /// Sentiment of the post.
    pub sentiment: String,
    /// Subject of the post.
    pub subject: String,
    /// A place that the post names.
    pub place: String,
    /// Source of the post.
    pub source: String,
    /// Posts that do not concern the region too.
    pub all: bool,
}

impl Wanted {
    /// Whether a post is among them.
    #[must_use]
    pub fn fits(&self, found: &Assessment) -> bool {
        let same = |wanted: &String, found: &str| wanted.is_empty() || wanted == found;
        let subject = found.subject.as_ref().map_or("", |subject| &subject.name);
        (self.all || found.relevant)
            && same(&self.sentiment, found.sentiment.label.name())
            && same(&self.subject, subject)
            && same(&self.source, &found.post.source)
            && (self.place.is_empty() || found.places.iter().any(|place| place.name == self.place))
    }
}

/// What a viewer is told next.
#[derive(Debug, Default)]
pub struct News {
    /// Posts that the viewer wants, the oldest first.
    pub posts: Vec<Arc<Fresh>>,
    /// How many came besides that the viewer is not shown.
    pub skipped: u64,
    /// Ids of posts of which an officer said something, or took it back.
    pub judged: Vec<String>,
}

impl News {
    /// Of posts in order those that are wanted, and no more than can be read.
    fn of(posts: impl Iterator<Item = Arc<Fresh>>, wanted: &Wanted, most: usize) -> Self {
        let mut posts: Vec<_> = posts.filter(|post| wanted.fits(&post.assessment)).collect();
        let skipped = posts.len().saturating_sub(most);
        posts.drain(..skipped);
        Self {
            posts,
            skipped: skipped as u64,
            judged: Vec::new(),
        }
    }
}

/// Why there is no stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refused {
    /// The session has as many as it may have.
    OfSession,
    /// There are as many as there may be.
    InAll,
}

/// The posts as they come. Clones share them.
#[derive(Debug, Clone)]
pub struct Live {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    limits: Limits,
    metrics: Metrics,
    stop: CancellationToken,
    channel: broadcast::Sender<Arc<[Arc<Fresh>]>>,
    judged: broadcast::Sender<Arc<[String]>>,
    recent: Mutex<VecDeque<Arc<Fresh>>>,
    /// Streams of each session.
    streams: Mutex<BTreeMap<String, usize>>,
}

impl Live {
    /// Nothing has come yet; streams end with `stop`.
    #[must_use]
    pub fn new(limits: Limits, metrics: Metrics, stop: CancellationToken) -> Self {
        let (channel, _) = broadcast::channel(BEHIND);
        let (judged, _) = broadcast::channel(BEHIND);
        Self {
            shared: Arc::new(Shared {
                limits,
                metrics,
                stop,
                channel,
                judged,
                recent: Mutex::default(),
                streams: Mutex::default(),
            }),
        }
    }

    /// The limits of streams.
    pub(crate) fn limits(&self) -> &Limits {
        &self.shared.limits
    }

    /// Ends when the responder stops.
    pub(crate) async fn stopped(&self) {
        self.shared.stop.cancelled().await;
    }

    /// Hands posts that came to the viewers, and waits for none of them.
    pub fn publish(&self, received: impl IntoIterator<Item = Received<Assessment>>) {
        let mut recent = held(&self.shared.recent);
        let before = recent.back().map_or(0, |post| post.number);
        let mut batch: Vec<Arc<Fresh>> = Vec::new();
        for mut received in received {
            received.message.post.author = None;
            let mut fresh = Fresh {
                number: before + 1 + batch.len() as u64,
                id: format!("{}-{}", received.partition, received.offset),
                assessment: received.message,
                shown: OnceLock::new(),
            };
            // A post that an officer put into another event did not come anew.
            let moved = fresh.assessment.event.as_ref();
            if moved.is_some_and(|event| event.edit.is_some()) {
                let same = |known: &&mut Arc<Fresh>| known.post_id() == fresh.post_id();
                if let Some(known) = recent.iter_mut().rev().find(same) {
                    (fresh.number, fresh.id) = (known.number, known.id.clone());
                    *known = Arc::new(fresh);
                }
                continue;
            }
            batch.push(Arc::new(fresh));
        }
        let batch: Arc<[Arc<Fresh>]> = batch.into();
        recent.extend(batch.iter().map(Arc::clone));
        let over = recent.len().saturating_sub(KEPT);
        recent.drain(..over);
        // Where nobody watches there is nobody to send to.
        drop(self.shared.channel.send(batch));
    }

    /// Tells the viewers that officers judged some posts, or took that back.
    fn tell_judged(&self, posts: Vec<String>) {
        drop(self.shared.judged.send(posts.into()));
    }

    /// Ids of the posts that came lately.
    fn posts_of_late(&self) -> BTreeSet<String> {
        let recent = held(&self.shared.recent);
        (recent.iter().map(|post| post.post_id().to_owned())).collect()
    }

    /// Forgets posts that were erased.
    fn forget(&self, posts: &[String]) {
        held(&self.shared.recent)
            .retain(|post| !posts.iter().any(|erased| erased == post.post_id()));
    }

    /// A post that came lately.
    #[must_use]
    pub fn post(&self, post_id: &str) -> Option<AssessmentRow> {
        let recent = held(&self.shared.recent);
        let mut newest_first = recent.iter().rev();
        let found = newest_first.find(|post| post.post_id() == post_id);
        found.map(|post| post.row())
    }

    /// The wanted posts that came lately, the newest first, each as it is now, and the id of the last that came.
    #[must_use]
    pub fn recent(&self, wanted: &Wanted, most: usize) -> (Vec<Arc<Fresh>>, String) {
        let recent = held(&self.shared.recent);
        let last = recent
            .back()
            .map_or_else(String::new, |post| post.id.clone());
        let mut posts: Vec<Arc<Fresh>> = Vec::new();
        for post in recent.iter().rev() {
            let is_there = |shown: &Arc<Fresh>| shown.post_id() == post.post_id();
            if posts.len() < most && wanted.fits(&post.assessment) && !posts.iter().any(is_there) {
                posts.push(Arc::clone(post));
            }
        }
        (posts, last)
    }

    /// Begins to watch for a session: first what came after the post of id `after`, or the newest where that is not known
    /// here any more.
    ///
    /// # Errors
    /// When there are too many streams.
    pub fn watch(
        &self,
        session: &str,
        wanted: Wanted,
        after: &str,
    ) -> Result<(Viewer, News), Refused> {
        let place = self.place(session)?;
        let recent = held(&self.shared.recent);
        let receiver = self.shared.channel.subscribe();
        let judged = self.shared.judged.subscribe();
        let known = recent.iter().position(|post| post.id == after);
        let missed = recent.iter().skip(known.map_or(0, |at| at + 1));
        let mut first = News::of(missed.map(Arc::clone), &wanted, AT_ONCE);
        if known.is_none() {
            // It is not known since when anything was missed.
            first.skipped = 0;
        }
        let next = recent.back().map_or(1, |post| post.number + 1);
        drop(recent);
        let viewer = Viewer {
            receiver,
            judged,
            wanted,
            next,
            place,
        };
        viewer.count(&first);
        Ok((viewer, first))
    }

    fn place(&self, session: &str) -> Result<Place, Refused> {
        let mut streams = held(&self.shared.streams);
        if streams.values().sum::<usize>() >= self.shared.limits.in_all {
            return Err(Refused::InAll);
        }
        let of_session = streams.entry(session.to_owned()).or_default();
        if *of_session >= self.shared.limits.per_session {
            return Err(Refused::OfSession);
        }
        *of_session += 1;
        self.shared.metrics.live_viewers.inc();
        Ok(Place {
            shared: Arc::clone(&self.shared),
            session: session.to_owned(),
        })
    }
}

/// A place among the streams, given back when dropped.
#[derive(Debug)]
struct Place {
    shared: Arc<Shared>,
    session: String,
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut streams = held(&self.shared.streams);
        if let Some(of_session) = streams.get_mut(&self.session) {
            *of_session -= 1;
            if *of_session == 0 {
                streams.remove(&self.session);
            }
        }
        self.shared.metrics.live_viewers.dec();
    }
}

/// Someone who watches.
#[derive(Debug)]
pub struct Viewer {
    receiver: broadcast::Receiver<Arc<[Arc<Fresh>]>>,
    judged: broadcast::Receiver<Arc<[String]>>,
    wanted: Wanted,
    /// The number of the post that should come next.
    next: u64,
    place: Place,
}

impl Viewer {
    /// What came since, once there is something to tell.
    pub async fn next(&mut self) -> News {
        use broadcast::error::RecvError::{Closed, Lagged};
        loop {
            let received = tokio::select! {
                received = self.receiver.recv() => received,
                judged = self.judged.recv() => match judged {
                    Ok(posts) => {
                        let judged = posts.to_vec();
                        return News { judged, ..News::default() };
                    }
                    // What is missed is seen when the page is opened again.
                    Err(Lagged(_)) => continue,
                    Err(Closed) => std::future::pending().await,
                },
            };
            let batch = match received {
                Ok(batch) => batch,
                // How many that were, the numbers tell.
                Err(Lagged(_)) => continue,
                // The viewer's own place keeps the channel open.
                Err(Closed) => std::future::pending().await,
            };
            let first = batch.first().map_or(self.next, |post| post.number);
            let mut news = News::of(batch.iter().map(Arc::clone), &self.wanted, AT_ONCE);
            news.skipped += first.saturating_sub(self.next);
            self.next = batch.last().map_or(self.next, |post| post.number + 1);
            if !news.posts.is_empty() || news.skipped > 0 {
                self.count(&news);
                return news;
            }
        }
    }

    fn count(&self, news: &News) {
        let skipped = &self.place.shared.metrics.live_posts_skipped_total;
        skipped.inc_by(news.skipped);
    }
}

fn held<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
