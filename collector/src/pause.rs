//! Which sources are paused: what officers decided in the console, read from its topic from the beginning at each start and
//! followed from there, so that a pause needs no place in the collector's own state. Until it is known nothing is read.

use std::collections::HashMap;

use backbone::kafka::{Producer, follow_whole};
use backbone::message::SourceEdit;
use backbone::service::Readiness;
use backbone::settings::Kafka;
use backbone::topics::SOURCE_EDITS;
use jiff::Timestamp;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;
use tracing::info;

/// The name under which readiness lists it, and by which dead letters say who refused them.
const READER: &str = "collector source edits";

/// The newest decision on a source: when, and whether it is paused by it.
type Decided = (Timestamp, bool);

/// What officers decided of the sources. Clones share it.
#[derive(Debug, Clone, Default)]
pub struct Pauses {
    /// By the sources' ids; nothing until it is known.
    decided: watch::Sender<Option<HashMap<String, Decided>>>,
}

impl Pauses {
    /// Learns what was decided; from then on it is known. The newest of a source holds, whatever comes when.
    pub fn learn(&self, edits: impl IntoIterator<Item = SourceEdit>) {
        self.decided.send_modify(|decided| {
            let decided = decided.get_or_insert_default();
            for edit in edits {
                let known = decided.get(&edit.source_id);
                if known.is_none_or(|(at, _)| edit.at > *at) {
                    info!(
                        source = edit.source,
                        paused = edit.paused,
                        "an officer decided"
                    );
                    decided.insert(edit.source_id, (edit.at, edit.paused));
                }
            }
        });
    }

    /// Whether a source is paused; nothing while that is not known.
    #[must_use]
    pub fn is_paused(&self, source: &str) -> Option<bool> {
        of(self.decided.borrow().as_ref(), source)
    }

    /// Returns once it is known which sources are paused.
    pub async fn known(&self) {
        let mut decided = self.decided.subscribe();
        // The sender is in `self`: it is not dropped meanwhile.
        drop(decided.wait_for(Option::is_some).await);
    }

    /// Returns once it is known that a source is paused, or that it is not.
    pub async fn until(&self, source: &str, paused: bool) {
        let mut decided = self.decided.subscribe();
        let is_so = |decided: &Option<_>| of(decided.as_ref(), source) == Some(paused);
        drop(decided.wait_for(is_so).await);
    }
}

fn of(decided: Option<&HashMap<String, Decided>>, source: &str) -> Option<bool> {
    Some(decided?.get(source).is_some_and(|(_, paused)| *paused))
}

/// Reads what was decided so far, waiting for brokers that are down, and follows what is decided from then on, until `stop`.
/// While the brokers are away, what is known holds.
pub fn follow<'a>(
    kafka: &'a Kafka,
    producer: &'a Producer,
    pauses: &'a Pauses,
    readiness: &'a Readiness,
    stop: &'a CancellationToken,
) -> impl Future<Output = ()> + Send + 'a {
    let learn = |edits: Vec<SourceEdit>| pauses.learn(edits);
    let following = follow_whole(kafka, &SOURCE_EDITS, READER, producer, readiness, learn);
    async move {
        stop.run_until_cancelled(following).await;
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use tokio::time::timeout;

    use super::*;

    fn edit(source: &str, paused: bool, second: i64) -> SourceEdit {
        SourceEdit {
            id: format!("{source}{second}"),
            region: "990101".to_owned(),
            source: source.to_owned(),
            source_id: source.to_owned(),
            paused,
            role: "duty-officer".to_owned(),
            at: Timestamp::from_second(second).unwrap(),
        }
    }

    #[tokio::test]
    async fn the_newest_decision_holds_once_it_is_known() {
        let pauses = Pauses::default();
        assert_eq!(pauses.is_paused("a"), None, "nothing is known yet");
        pauses.learn([]);
        assert_eq!(pauses.is_paused("a"), Some(false));
        pauses.learn([edit("a", true, 1), edit("b", true, 1), edit("b", false, 2)]);
        pauses.learn([edit("a", false, 0), edit("b", true, 1)]);
        let known = ["a", "b", "c"].map(|source| pauses.is_paused(source));
        assert_eq!(known, [Some(true), Some(false), Some(false)]);
    }

    #[tokio::test]
    async fn who_waits_for_a_decision_hears_of_it() {
        let pauses = Pauses::default();
        let waiting = {
            let pauses = pauses.clone();
            tokio::spawn(async move { pauses.until("a", true).await })
        };
        pauses.learn([edit("b", true, 1)]);
        pauses.learn([edit("a", true, 1)]);
        timeout(Duration::from_secs(10), waiting)
            .await
            .expect("it is heard of")
            .unwrap();
    }
}
