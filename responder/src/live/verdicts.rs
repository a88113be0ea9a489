//! Looks at what officers said of the posts that came lately, and tells who watches what has changed. The store is asked, not
//! the page that was used, so that viewers of each responder are told.

use std::collections::BTreeMap;
use std::time::Duration;

use tokio::time::{MissedTickBehavior, interval};
use tokio_util::sync::CancellationToken;
use tracing::warn;

use super::Live;
use crate::correction::{Corrections, Kept};
use crate::erasure::Erasures;

/// Tells verdicts as they change, and forgets what was erased, looking so often, until `stop`.
pub async fn tell_verdicts(
    live: Live,
    corrections: Corrections,
    erasures: Erasures,
    every: Duration,
    stop: CancellationToken,
) {
    let mut looks = interval(every);
    looks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut known: BTreeMap<String, Kept> = BTreeMap::new();
    loop {
        tokio::select! {
            () = stop.cancelled() => return,
            _ = looks.tick() => {}
        }
        let posts = live.posts_of_late();
        let ids: Vec<&str> = posts.iter().map(String::as_str).collect();
        match erasures.among(&ids).await {
            Ok(erased) if erased.is_empty() => {}
            Ok(erased) => live.forget(&erased),
            Err(error) => warn!(%error, "what was erased cannot be read now"),
        }
        let kept = match corrections.of_all(&ids).await {
            Ok(kept) => kept,
            Err(error) => {
                warn!(%error, "verdicts cannot be read now");
                continue;
            }
        };
        let now: BTreeMap<String, Kept> = (kept.into_iter())
            .map(|kept| (kept.correction.post_id.clone(), kept))
            .collect();
        let changed: Vec<String> = (posts.into_iter())
            .filter(|post| known.get(post) != now.get(post))
            .collect();
        known = now;
        if !changed.is_empty() {
            live.tell_judged(changed);
        }
    }
}
