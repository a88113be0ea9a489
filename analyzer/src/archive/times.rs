//! The times that posts are archived under. A post's time stands in the key of its row, and the collector that sent it keeps it. Where it was worked out from
//! words such as `3小时前`, a post that comes once more by another collector has another time; what is archived, or comes first, counts.

use backbone::clickhouse::rows::{OfMessage, Times};
use backbone::kafka::{Received, Unread};
use clickhouse::error::Error;
use clickhouse::{Client, Row};
use serde::Deserialize;

/// Posts asked for at once.
const ASKED: usize = 1_000;

/// When a post was published, in milliseconds since 1970.
#[derive(Debug, Row, Deserialize)]
struct Archived {
    post_id: String,
    first_at: i64,
}

/// The times of a batch's posts whose time was worked out.
///
/// # Errors
/// When ClickHouse does not answer.
pub(super) async fn known<R: OfMessage>(
    client: &Client,
    batch: &[Received<Unread>],
) -> Result<Times, Error> {
    let mut times = Times::new();
    let worked_out = (batch.iter()).filter_map(|received| R::worked_out(&received.message.0));
    for post in worked_out {
        times.entry(post.post).or_insert(post.published_at);
    }
    let posts: Vec<String> = times.keys().cloned().collect();
    for some in posts.chunks(ASKED) {
        let archived = client
            .query(
                "SELECT post_id, min(published_at) AS first_at FROM assessments \
                 WHERE post_id IN {posts:Array(String)} GROUP BY post_id",
            )
            .param("posts", some)
            .fetch_all::<Archived>()
            .await?;
        times.extend((archived.into_iter()).map(|post| (post.post_id, post.first_at)));
    }
    Ok(times)
}
