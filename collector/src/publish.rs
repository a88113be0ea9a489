//! Publishing: items become posts, masked; the brokers acknowledge them; only then they are remembered.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use backbone::erased::Erased;
use backbone::id;
use backbone::kafka::{Producer, SendError};
use backbone::mask::mask;
use backbone::message::{Certainty, Post, Reactions, SourceHealth, TEXT_LIMIT, TITLE_LIMIT};
use backbone::topics::{POSTS, SOURCE_HEALTH};
use futures::future::try_join_all;
use jiff::Timestamp;
use thiserror::Error;
use tracing::{debug, warn};
use url::Url;

use crate::extract::address;
use crate::extract::author::AuthorKey;
use crate::extract::text;
use crate::item::{Item, Origin};
use crate::metrics::Metrics;
use crate::state::{Cursor, Sent, State, StateError};

/// Where posts go.
pub trait Outlet: Send + Sync + std::fmt::Debug {
    /// Takes posts; they are safe when this returns.
    fn send<'a>(
        &'a self,
        posts: &'a [Post],
    ) -> Pin<Box<dyn Future<Output = Result<(), SendError>> + Send + 'a>>;

    /// Takes how a source is. What is lost here is told again after the next round.
    fn tell<'a>(
        &'a self,
        health: &'a SourceHealth,
    ) -> Pin<Box<dyn Future<Output = Result<(), SendError>> + Send + 'a>>;

    /// Looks at an item and the post made of it, before it is sent.
    fn look(&self, _item: &Item, _post: &Post) {}
}

impl Outlet for Producer {
    fn send<'a>(
        &'a self,
        posts: &'a [Post],
    ) -> Pin<Box<dyn Future<Output = Result<(), SendError>> + Send + 'a>> {
        Box::pin(async move {
            try_join_all(posts.iter().map(|post| Self::send(self, &POSTS, post)))
                .await
                .map(|_| ())
        })
    }

    fn tell<'a>(
        &'a self,
        health: &'a SourceHealth,
    ) -> Pin<Box<dyn Future<Output = Result<(), SendError>> + Send + 'a>> {
        Box::pin(Self::send(self, &SOURCE_HEALTH, health))
    }
}

/// Why posts were not published; sent again they have the same ids.
#[derive(Debug, Error)]
pub enum PublishError {
    /// The brokers did not acknowledge them.
    #[error(transparent)]
    Send(#[from] SendError),
    /// The collector's own state failed.
    #[error(transparent)]
    State(#[from] StateError),
}

/// Publishes what sources find. Clones share everything.
#[derive(Debug, Clone)]
pub struct Publisher {
    outlet: Arc<dyn Outlet>,
    state: State,
    author_key: AuthorKey,
    metrics: Metrics,
    erased: Erased,
}

/// Addresses whose posts were never sent.
#[derive(Debug)]
pub struct Unseen {
    /// Those to be asked for, in that order.
    pub due: Vec<Url>,
    /// How many rest, because they yielded nothing.
    pub resting: usize,
}

/// What is remembered instead of the hash of the words of a post that was erased.
const ERASED: &str = "erased";

impl Publisher {
    /// To the given outlet; nothing was erased.
    #[must_use]
    pub fn new(
        outlet: Arc<dyn Outlet>,
        state: State,
        author_key: AuthorKey,
        metrics: Metrics,
    ) -> Self {
        Self {
            outlet,
            state,
            author_key,
            metrics,
            erased: Erased::nothing(),
        }
    }

    /// The same, which publishes nothing that was erased on request.
    #[must_use]
    pub fn without(self, erased: Erased) -> Self {
        Self { erased, ..self }
    }

    /// Whether it is known what was erased; nothing may be published before.
    #[must_use]
    pub fn knows_erased(&self) -> bool {
        self.erased.is_known()
    }

    /// Tells how a source is. What the brokers do not take is told again after the next round.
    pub async fn tell(&self, health: &SourceHealth) {
        if let Err(error) = self.outlet.tell(health).await {
            debug!(source = health.source, %error, "how the source is was not told");
        }
    }

    /// What was sent before.
    #[must_use]
    pub fn state(&self) -> &State {
        &self.state
    }

    /// The metrics.
    #[must_use]
    pub fn metrics(&self) -> &Metrics {
        &self.metrics
    }

    /// Sends those items that are new, whose words have changed or that were answered, and remembers them with the cursor.
    /// Tells how many were sent.
    ///
    /// # Errors
    /// When the brokers do not acknowledge, or the state fails; sent again they have the same ids.
    pub async fn publish(
        &self,
        origin: Origin<'_>,
        items: Vec<Item>,
        cursor: Option<&Cursor>,
        now: Timestamp,
    ) -> Result<u64, PublishError> {
        let (mut posts, mut sent) = (Vec::new(), Vec::new());
        let found: Vec<(Item, Post)> = items
            .into_iter()
            .map(|item| {
                let post = self.post(origin, &item, now);
                (item, post)
            })
            .collect();
        let ids: Vec<String> = found.iter().map(|(_, post)| post.id.clone()).collect();
        let mut known = self.state.sent(&ids).await?;
        for (item, post) in found {
            let is_erased = self.erased.has(&post.id);
            let hash = match &post.answered_at {
                _ if is_erased => ERASED.to_owned(),
                None => id::of("words", &[&post.title, &post.text]),
                Some(at) => id::of("words", &[&post.title, &post.text, &at.to_string()]),
            };
            // The same post may come twice at once: a pinned one, or a row corrected further down.
            let before = known.get(&post.id);
            let revision = match before {
                Some(before) if before.hash == hash => continue,
                Some(before) => before.revision + 1,
                None => 1,
            };
            // A post changed by its writer was published when it was: its time stays, worked out from an age or told.
            let published_at = before
                .and_then(|before| before.published_at)
                .unwrap_or(post.published_at);
            let is_sent = origin.since.is_none_or(|since| published_at >= since);
            let now_sent = Sent {
                post: post.id.clone(),
                hash,
                revision,
                published_at: Some(published_at),
            };
            known.insert(post.id.clone(), now_sent.clone());
            sent.push(now_sent);
            if is_erased {
                continue;
            }
            let certainty = if published_at == post.published_at {
                post.certainty
            } else {
                Certainty::Guessed
            };
            let post = Post {
                revision,
                published_at,
                certainty,
                ..post
            };
            self.outlet.look(&item, &post);
            if is_sent {
                posts.push(post);
            }
        }
        if sent.is_empty() && cursor.is_none() {
            return Ok(0);
        }
        // A time that was worked out, or is ours, would be another one when a crash has the post sent again; the archive
        // would have both.
        let undated: Vec<_> = (posts.iter())
            .filter(|post| post.revision == 1)
            .filter(|post| post.certainty.is_worked_out() || post.published_at == now)
            .map(|post| (post.id.as_str(), post.published_at))
            .collect();
        if !undated.is_empty() {
            self.state.date(origin.name, &undated).await?;
        }
        if !posts.is_empty() {
            self.outlet.send(&posts).await?;
        }
        let lag = posts
            .iter()
            .filter(|post| post.certainty == Certainty::Exact)
            .max_by_key(|post| post.published_at)
            .and_then(|post| u64::try_from(now.duration_since(post.published_at).as_secs()).ok());
        let count = posts.len() as u64;
        (self.state)
            .remember(origin.name, &sent, count, lag, cursor, now)
            .await?;
        if let Some(lag) = lag {
            let gauge = &self.metrics.source_lag_seconds;
            let lag = i64::try_from(lag).unwrap_or(i64::MAX);
            gauge.with_label_values(&[origin.name]).set(lag);
        }
        self.metrics
            .posts_total
            .with_label_values(&[origin.name])
            .inc_by(count);
        Ok(count)
    }

    /// Refuses a row, an entry or a page: told with its place, not with its content, and what a reader quotes of that is masked.
    ///
    /// # Errors
    /// When the state fails.
    pub async fn refuse(&self, source: &str, place: &str, problem: &str) -> Result<(), StateError> {
        let (place, problem) = (mask(place), mask(problem));
        warn!(source, place, problem, "refused");
        self.metrics
            .parse_failures_total
            .with_label_values(&[source])
            .inc();
        self.state
            .refused(source, &format!("{place}: {problem}"))
            .await
    }

    /// Those of the addresses whose posts were never sent: first those that were never asked for, in their order, then those
    /// that were in vain, the longest ago first; but for those that still rest. `way` is how their pages are read.
    ///
    /// # Errors
    /// When the state fails.
    pub async fn unseen(
        &self,
        source: &str,
        way: &str,
        urls: Vec<Url>,
        now: Timestamp,
    ) -> Result<Unseen, StateError> {
        let id = |url: &Url| id::of_post(source, &address::identity(url.as_str()), "");
        let ids: Vec<String> = urls.iter().map(id).collect();
        let known = self.state.sent(&ids).await?;
        let mut due: Vec<Url> = urls
            .into_iter()
            .zip(ids)
            .filter(|(_, id)| known.get(id).is_none_or(|sent| sent.revision == 0))
            .map(|(url, _)| url)
            .collect();
        let (unseen, asked) = (due.len(), self.state.asked(source, way, &due, now).await?);
        due.retain(|url| {
            asked
                .get(url.as_str())
                .is_none_or(|asked| asked.again_at <= now)
        });
        due.sort_by_key(|url| asked.get(url.as_str()).map(|asked| asked.at));
        let resting = unseen - due.len();
        Ok(Unseen { due, resting })
    }

    /// The post as the analyzer gets it: masked, cut to its limits, its author a keyed hash.
    fn post(&self, origin: Origin<'_>, item: &Item, now: Timestamp) -> Post {
        // Nothing is published before it is written: where a time is to come, a date is another one.
        let (published_at, certainty) = match item.published.and_then(|told| told.by(now)) {
            Some(told) => (told.at, told.certainty),
            None => (now, Certainty::Collected),
        };
        Post {
            id: id::of_post(origin.name, &address::identity(&item.url), &item.id),
            revision: 1,
            region: origin.region.to_owned(),
            source: origin.name.to_owned(),
            kind: origin.kind,
            title: as_sent(&item.title, TITLE_LIMIT),
            text: as_sent(&item.text, TEXT_LIMIT),
            author: self.author_key.hash(origin.name, &item.author),
            url: item.url.clone(),
            published_at,
            certainty,
            collected_at: now,
            reactions: Reactions {
                likes: item.likes,
                opposes: item.opposes,
            },
            answered_at: item.answered.filter(|at| *at <= now),
        }
    }
}

/// Characters of a number or an address that is masked, at most: an address of mail has 254 (RFC 5321).
const LONGEST_MASKED: usize = 256;

/// Words as they are sent: what is not seen taken out, masked, cut to their limit. Masking is slow, so what is far behind the
/// limit is cut first, and what that cut may have gone through comes off after it.
fn as_sent(words: &str, limit: usize) -> String {
    let words = text::visible(words);
    let mut letters = words.trim().chars();
    let masked = mask(
        &letters
            .by_ref()
            .take(limit + LONGEST_MASKED)
            .collect::<String>(),
    );
    let cut_through = match letters.next() {
        Some(_) => LONGEST_MASKED,
        None => 0,
    };
    let whole = masked.chars().count().saturating_sub(cut_through);
    masked.chars().take(whole.min(limit)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_text_is_cut_and_no_number_is_left_at_the_cut() {
        let number = "13812345612";
        for before in 80..120 {
            let text = format!("{}{number}{}", "灯".repeat(before), "坏了".repeat(500));
            let sent = as_sent(&text, 100);
            let masked: String = mask(&text).chars().take(100).collect();
            assert_eq!(sent, masked, "behind {before} characters");
        }
        // Of what is masked to less than it was the cut comes near the limit.
        let addresses = "zhangsanfeng@example.test，".repeat(100);
        let sent = as_sent(&addresses, 600);
        assert!(
            sent.chars().count() <= 600 && !sent.contains("zh"),
            "{sent}"
        );
        assert_eq!(as_sent(" 路灯坏了 ", 3), "路灯坏");
    }
}
