//! Looks at the topic of assessments and tells what comes.

use std::time::Duration;

use backbone::kafka::Newest;
use backbone::message::Assessment;
use backbone::settings::Kafka;
use backbone::topics::ASSESSMENTS;
use tokio::time::{Instant, timeout_at};
use tokio_util::sync::CancellationToken;
use tracing::warn;

use super::Live;

/// How long posts are gathered, so that many at once are one message to each viewer.
const GATHERED: Duration = Duration::from_millis(200);
/// Most that are gathered.
const MOST: usize = 200;
/// Wait before brokers that did not answer are asked again.
const AGAIN: Duration = Duration::from_secs(2);

/// Tells the posts that come of the regions served, until `stop`. Brokers that do not answer are asked again: whoever watches sees nothing
/// new meanwhile, and nothing else depends on it.
pub async fn read(
    kafka: Kafka,
    live: Live,
    is_served: impl Fn(&str) -> bool,
    stop: CancellationToken,
) {
    let reading = async {
        let newest = loop {
            match Newest::<Assessment>::new(&kafka, &ASSESSMENTS).await {
                Ok(newest) => break newest,
                Err(error) => {
                    warn!(%error, "live posts cannot be read yet");
                    tokio::time::sleep(AGAIN).await;
                }
            }
        };
        loop {
            let mut batch = vec![newest.next().await];
            let until = Instant::now() + GATHERED;
            while batch.len() < MOST
                && let Ok(received) = timeout_at(until, newest.next()).await
            {
                batch.push(received);
            }
            batch.retain(|received| is_served(&received.message.post.region));
            if !batch.is_empty() {
                live.publish(batch);
            }
        }
    };
    tokio::select! {
        () = stop.cancelled() => {}
        never = reading => never,
    }
}
