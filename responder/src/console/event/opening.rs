//! A case opened by an officer: what the archive knows of the event, as an alert would tell it.

use backbone::id;
use backbone::mask::mask;
use backbone::message::{Alert, EventSummary, KeyDate, Place, Sentiments, SourceKind, Turn};
use backbone::region::Region;
use clickhouse::Row;
use jiff::Timestamp;
use serde::Deserialize;

use crate::case::{Actor, StoreError};
use crate::console::archive::{self, EventRow, Unavailable};
use crate::console::fields::Choice;
use crate::console::show;
use crate::console::{Console, NotMade};
use crate::level::level;

/// Longest reason, in characters.
pub(crate) const LONGEST_NOTE: usize = 500;
/// Length of the gist, in characters.
const GIST: usize = 120;

/// The levels a case may be opened at, the least one first.
pub(super) fn levels(chosen: &str) -> Vec<Choice> {
    let choice = |number: u8| {
        let level = level(number);
        let title = format!("{} {}", level.numeral, level.word);
        Choice::new(number.to_string(), title, chosen)
    };
    (1..=4).rev().map(choice).collect()
}

/// What the posts of an event tell besides its row.
#[derive(Debug, Row, Deserialize)]
struct Told {
    ids: Vec<String>,
    kinds: Vec<String>,
    negative: u32,
    neutral: u32,
    positive: u32,
    first_text: String,
}

const TOLD: &str = "arrayReverse(arrayMap(one -> one.2, arraySlice(arrayReverseSort(groupArray((published_at, post_id))), 1, 100))) AS ids, \
    groupUniqArray(10)(toString(kind)) AS kinds, \
    toUInt32(countIf(sentiment = 'negative')) AS negative, toUInt32(countIf(sentiment = 'neutral')) AS neutral, \
    toUInt32(countIf(sentiment = 'positive')) AS positive, argMin(text, published_at) AS first_text";

/// Opens a case of an event, at a level and for a reason: its id, and whether it was opened now. An alert or another officer may
/// have been faster: the case is there then.
pub(crate) async fn open_case(
    console: &Console,
    event: &str,
    (level, note): (u8, &str),
    actor: &Actor,
    now: Timestamp,
) -> Result<(String, bool), NotMade> {
    let alert = alert(console, event, level, now).await?;
    let alert = alert.ok_or(NotMade::NotFound)?;
    let routing = console.routings.get(&alert.region);
    let routed = routing.ok_or(NotMade::NotFound)?.route(&alert);
    let opened = (console.cases)
        .open_for(&alert, &routed, actor, note, now)
        .await;
    match opened {
        Ok(opened) => Ok((id::of_case(event), opened)),
        Err(StoreError::Raced) => Ok((id::of_case(event), false)),
        Err(error) => Err(error.into()),
    }
}

/// What an alert at that level would tell of an event; its score is 0, as no formula found it. None where there is no such
/// event, or it is of a region that is not served.
async fn alert(
    console: &Console,
    event: &str,
    level: u8,
    now: Timestamp,
) -> Result<Option<Alert>, Unavailable> {
    let Some(row) = archive::event(&console.archive, event).await? else {
        return Ok(None);
    };
    let Some(region) = console.regions.get(&row.county) else {
        return Ok(None);
    };
    let of = row.posts();
    let query = (console.archive).query(&format!("SELECT {TOLD} FROM {of}"));
    let told: Vec<Told> = archive::all(of.put(query)).await?;
    Ok(told
        .into_iter()
        .next()
        .map(|told| tell(region, row, told, level, now)))
}

fn tell(region: &Region, row: EventRow, told: Told, level: u8, now: Timestamp) -> Alert {
    let time = |at| Timestamp::from_millisecond(at).unwrap_or(now);
    let (first_at, last_at) = (time(row.first_at), time(row.last_at));
    let places = (row.named_places.iter())
        .filter_map(|name| region.place_and_around(name).first().copied())
        .map(|place| Place {
            name: place.name.clone(),
            kind: place.kind.clone(),
            within: place.within.clone(),
        });
    Alert {
        id: id::of_alert(&row.event, level),
        region: row.county,
        level,
        score: 0.0,
        terms: Vec::new(),
        event: EventSummary {
            title: row.named,
            gist: show::excerpt(&mask(&told.first_text), GIST),
            posts: u32::try_from(row.posts).unwrap_or(u32::MAX),
            revisions: 0,
            post_ids: told.ids,
            voices: u32::try_from(row.voices).unwrap_or(u32::MAX),
            sources: row.found_in,
            source_kinds: (told.kinds.iter())
                .filter_map(|kind| SourceKind::named(kind))
                .collect(),
            sentiment: row.mean_sentiment,
            sentiments: Sentiments {
                negative: told.negative,
                neutral: told.neutral,
                positive: told.positive,
            },
            appeals: Vec::new(),
            subject: row.subjects.into_iter().next().unwrap_or_default(),
            subjects: Vec::new(),
            parts: Vec::new(),
            places: places.collect(),
            first_at,
            last_at,
            days: Vec::new(),
            key_dates: vec![
                KeyDate {
                    what: Turn::First,
                    at: first_at,
                },
                KeyDate {
                    what: Turn::Newest,
                    at: last_at,
                },
            ],
            answered_at: None,
            recurrence: None,
            id: row.event,
        },
        published_at: last_at,
        raised_at: now,
        update: 0,
        digest: None,
    }
}
