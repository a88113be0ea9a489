//! The check of a draft against the posts of a case's event, with what the knowledge base and answered cases have for it.

use std::collections::BTreeMap;

use super::Console;
use super::archive::{self, OfEvents};
use crate::case::{Actor, Case, StoreError};
use crate::knowledge::{Entry, KnowledgeError, Status};
use crate::reply::draft::{Drafted, Drafter, NoDraft};
use crate::reply::suggest::{Answered, Suggestion, suggest};
use crate::reply::{Check, Point, Post};

/// Posts that a draft is checked against, at most: the newest.
const POSTS: u32 = 30;
/// Characters of these that are read, about: a check must not keep others waiting.
const CHARACTERS: usize = 20_000;
/// Entries of the knowledge base that are looked at for a point.
const ENTRIES: usize = 3;
/// Answered cases that are looked at, at most: the newest.
const CASES: u32 = 200;

/// What a draft was checked against.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Against {
    /// The posts of the event.
    Posts,
    /// The title and the gist of the event: the archive does not answer, or has none of its posts.
    Gist,
}

impl Against {
    /// Both.
    pub(crate) const ALL: [Self; 2] = [Self::Posts, Self::Gist];

    /// Its name.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Posts => "posts",
            Self::Gist => "gist",
        }
    }
}

/// What there is to say of a draft that answers a case.
#[derive(Debug, Clone)]
pub(crate) struct Checked {
    /// What it was checked against.
    pub(crate) against: Against,
    /// What the check found.
    pub(crate) check: Check,
    /// What may be used for its points.
    pub(crate) suggestions: Vec<Suggestion>,
}

/// Checks a draft that answers a case, for an account that may see the case; nothing where the case's region is not
/// served.
pub(crate) async fn of_case(
    console: &Console,
    case: &Case,
    draft: &str,
    actor: &Actor,
) -> Result<Option<Checked>, StoreError> {
    let Some(region) = console.regions.get(&case.region) else {
        return Ok(None);
    };
    let (against, posts) = posts(console, case).await?;
    let Some(check) = console.replies.check(region, &posts, draft) else {
        return Ok(None);
    };
    let suggestions = suggestions(console, case, &check, actor).await?;
    Ok(Some(Checked {
        against,
        check,
        suggestions,
    }))
}

/// Has a language model draft an answer to the posts of a case, from what is suggested for their points.
pub(crate) async fn draft(
    console: &Console,
    drafter: &Drafter,
    case: &Case,
    actor: &Actor,
) -> Result<Result<Drafted, NoDraft>, StoreError> {
    let (_, posts) = posts(console, case).await?;
    let check = (console.regions.get(&case.region))
        .and_then(|region| console.replies.check(region, &posts, ""));
    let suggestions = match check {
        Some(check) => suggestions(console, case, &check, actor).await?,
        None => Vec::new(),
    };
    Ok(drafter.draft(&posts, &suggestions).await)
}

/// What may be used for the points of a case. What is suggested of other cases, the account may see too.
async fn suggestions(
    console: &Console,
    case: &Case,
    check: &Check,
    actor: &Actor,
) -> Result<Vec<Suggestion>, StoreError> {
    let entries = entries(console, &case.region, &check.points).await?;
    let answered = (console.cases)
        .answered(&case.region, actor, CASES)
        .await?
        .into_iter()
        .filter(|other| other.id != case.id)
        .map(|other| Answered {
            matter: format!("{} {}", other.alert.event.title, other.alert.event.gist),
            case: other.id,
            reply: other.reply,
        })
        .collect::<Vec<_>>();
    Ok(suggest(&check.points, &entries, &answered))
}

async fn posts(console: &Console, case: &Case) -> Result<(Against, Vec<Post>), StoreError> {
    let event = &case.alert.event;
    let holder = console.edits.holder(&event.id).await?;
    let of = OfEvents::all([holder.as_str()]);
    let found = archive::posts_of_events(&console.archive, &of, POSTS).await;
    let rows = found.map_or_else(|_| Vec::new(), |(rows, _)| rows);
    let mut characters = 0;
    let posts: Vec<Post> = (rows.into_iter())
        .take_while(|row| {
            let enough = characters >= CHARACTERS;
            characters += row.text.chars().count();
            !enough
        })
        .map(|row| Post {
            title: row.title,
            text: row.text,
        })
        .collect();
    if posts.is_empty() {
        let post = Post {
            title: event.title.clone(),
            text: event.gist.clone(),
        };
        return Ok((Against::Gist, vec![post]));
    }
    Ok((Against::Posts, posts))
}

/// The approved entries that are most like the points.
async fn entries(
    console: &Console,
    region: &str,
    points: &[Point],
) -> Result<Vec<Entry>, StoreError> {
    let mut entries = BTreeMap::new();
    for point in points {
        let words = &point.at.words;
        let found = (console.knowledge)
            .search(region, words, Some(Status::Approved), ENTRIES)
            .await;
        let hits = found.map_err(|error| match error {
            KnowledgeError::Store(error) => error.into(),
            _ => StoreError::Unknown { what: "entry" },
        })?;
        entries.extend((hits.into_iter()).map(|hit| (hit.entry.id.clone(), hit.entry)));
    }
    Ok(entries.into_values().collect())
}
