//! The post in ClickHouse: what is known of it there, and taking it out. A post that its writer changed has a row for each time
//! until a merge; all of them lose their words.

use backbone::erased::{ERASED_TITLE, LATE};
use backbone::message::ErasedFrom;
use clickhouse::error::Error;
use clickhouse::{Client, Row};
use jiff::Timestamp;
use serde::Deserialize;

use super::Found;

/// A row of a post.
#[derive(Debug, Clone, Row, Deserialize)]
pub(super) struct PostRow {
    pub(super) region: String,
    pub(super) title: String,
    pub(super) text: String,
    pub(super) event_id: String,
}

/// Every row of a post, the newest first.
pub(super) async fn rows(archive: &Client, post: &str) -> Result<Vec<PostRow>, Error> {
    archive
        .query(
            "SELECT ?fields FROM assessments WHERE post_id = {post:String} ORDER BY version DESC LIMIT 1000",
        )
        .param("post", post)
        .fetch_all()
        .await
}

/// An event of a post as its posts tell it.
#[derive(Debug, Clone, Row, Deserialize)]
pub(super) struct EventRow {
    pub(super) event: String,
    pub(super) named: String,
    pub(super) posts: u64,
    pub(super) matter: String,
    pub(super) town: String,
}

/// The events of some ids.
pub(super) async fn events(archive: &Client, events: &[String]) -> Result<Vec<EventRow>, Error> {
    archive
        .query(
            "SELECT ?fields FROM (SELECT event_id AS event, argMin(event_title, published_at) AS named, count() AS posts, \
             CAST(arrayElement(topKIf(1)(if(subject_second != '', toString(subject_second), toString(subject)), subject != ''), 1), \
             'String') AS matter, CAST(arrayElement(topKArray(1)(places), 1), 'String') AS town \
             FROM assessments FINAL WHERE event_id IN {events:Array(String)} GROUP BY event_id)",
        )
        .param("events", events)
        .fetch_all()
        .await
}

/// A change of a table, with what it looks for.
struct Change {
    place: &'static str,
    table: &'static str,
    set: &'static str,
    of: &'static str,
}

const CHANGES: [Change; 5] = [
    Change {
        place: "舆情库：帖文（assessments）",
        table: "assessments",
        set: "title = {gone:String}, text = '', url = '', author = '', relevant_because = [], subject_because = [], \
              sentiment_because = [], appeal_because = [], keywords = [], evidence = '[]'",
        of: "post_id = {post:String} AND (text != '' OR url != '' OR author != '' OR title != {gone:String})",
    },
    Change {
        place: "舆情库：事件名称（assessments）",
        table: "assessments",
        set: "event_title = {named:String}",
        of: "event_id = {event:String} AND event_title != {named:String} AND {named:String} != ''",
    },
    Change {
        place: "舆情库：预警事由（alerts）",
        table: "alerts",
        set: "title = {named:String}",
        of: "event_id = {event:String} AND title != {named:String} AND {named:String} != ''",
    },
    Change {
        place: "舆情库：预警摘要（alerts）",
        table: "alerts",
        set: "gist = ''",
        of: "event_id = {event:String} AND gist != '' AND raised_at < fromUnixTimestamp64Milli({late:Int64})",
    },
    Change {
        place: "舆情库：态势提示（signals）",
        table: "signals",
        set: "event_titles = arrayMap((title, event) -> if(event = {event:String}, {named:String}, title), event_titles, events)",
        of: "{named:String} != '' AND arrayExists((title, event) -> event = {event:String} AND title != {named:String}, \
             event_titles, events)",
    },
];

/// Takes a post out; what was found before and is found after, by place.
pub(super) async fn erase(
    archive: &Client,
    post: &str,
    events: &[ErasedFrom],
    at: Timestamp,
) -> Result<Vec<Found>, Error> {
    let late = (at + LATE).as_millisecond();
    let nothing = ErasedFrom {
        event: String::new(),
        title: None,
    };
    let mut all = Vec::new();
    for change in &CHANGES {
        let once = change.of.contains("{post:String}");
        let events: Vec<&ErasedFrom> = if once {
            vec![&nothing]
        } else {
            events.iter().collect()
        };
        let mut found = Found::at(change.place);
        for event in events {
            let put = |statement: &str| {
                archive
                    .query(statement)
                    .param("post", post)
                    .param("gone", ERASED_TITLE)
                    .param("event", &event.event)
                    .param("named", event.title.as_deref().unwrap_or_default())
                    .param("late", late)
            };
            let count = format!("SELECT count() FROM {} WHERE {}", change.table, change.of);
            let before: u64 = put(&count).fetch_one().await?;
            if before > 0 {
                let (table, set, of) = (change.table, change.set, change.of);
                put(&format!(
                    "ALTER TABLE {table} UPDATE {set} WHERE {of} SETTINGS mutations_sync = 2"
                ))
                .execute()
                .await?;
            }
            found.before += before;
            found.after += put(&count).fetch_one::<u64>().await?;
        }
        all.push(found);
    }
    Ok(all)
}

/// Parts of tables from before a time that were put out of use and are still on the disk: ClickHouse removes them by itself,
/// some minutes later.
pub(super) async fn old_parts(archive: &Client, since: Timestamp) -> Result<u64, Error> {
    archive
        .query(
            "SELECT count() FROM system.parts WHERE database = currentDatabase() AND NOT active \
             AND table IN ('assessments', 'alerts', 'signals') \
             AND modification_time <= toDateTime(fromUnixTimestamp64Milli({since:Int64}))",
        )
        .param("since", since.as_millisecond())
        .fetch_one()
        .await
}
