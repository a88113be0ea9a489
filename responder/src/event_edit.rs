//! Edits of events: a duty officer finds that two are one matter, or that one is two. The analyzer moves the posts; here an
//! edit is checked, kept, put into the outbox and noted in the audit, all in one transaction.

use backbone::id;
use backbone::message::{Change, EventEdit, decode, encode};
use backbone::topics::EVENT_EDITS;
use jiff::{SignedDuration, Timestamp};
use sqlx::Row;
use sqlx::any::AnyRow;
use thiserror::Error;

use crate::account::{Line, append};
use crate::case::{Actor, StoreError};
use crate::outbox;
use crate::store::Store;

/// Longest title of an event that is split off, in characters.
pub const TITLE_LIMIT: usize = 60;
/// Within this time the same edit again is a form sent twice, and an event that was merged is still on its way.
pub const RECENT: SignedDuration = SignedDuration::from_mins(10);

/// An edit that cannot be made. The text is for the officer.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum EditError {
    /// An event into itself.
    #[error("不能将事件并入其自身，请选择另一事件")]
    Same,
    /// No event was chosen.
    #[error("请选择要并入的事件，或填写其编号")]
    NothingChosen,
    /// There is no event of that id.
    #[error("没有找到要并入的事件，请核对编号")]
    Unknown,
    /// The events are of two regions.
    #[error("两个事件不在同一地区，不能合并")]
    OtherRegion,
    /// The analyzer holds the event no more.
    #[error("“{0}”距今已久，不再参与研判，不能并入或拆分")]
    Old(String),
    /// The event was merged a moment ago.
    #[error("“{0}”刚刚已并入其他事件，请稍后刷新再操作")]
    Merged(String),
    /// No post was ticked.
    #[error("请至少勾选一条帖文")]
    NoPosts,
    /// Every post was ticked.
    #[error("不能拆出全部帖文，请至少保留一条在原事件中")]
    AllPosts,
    /// A post ticked is not of the event any more.
    #[error("所勾选的帖文有的已不在本事件中，请刷新后重新勾选")]
    Gone,
    /// The title is too long.
    #[error("新事件的标题过长，请控制在60字以内")]
    TitleTooLong,
}

/// What is known of an event that is to be changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Known {
    /// Its id.
    pub id: String,
    /// Its title.
    pub title: String,
    /// Code of its region.
    pub region: String,
    /// How many posts it has.
    pub posts: u64,
    /// Whether the analyzer holds it still.
    pub current: bool,
    /// Whether it was merged into another within [`RECENT`].
    pub merged: bool,
}

impl Known {
    fn check(&self) -> Result<(), EditError> {
        if !self.current {
            return Err(EditError::Old(self.title.clone()));
        }
        if self.merged {
            return Err(EditError::Merged(self.title.clone()));
        }
        Ok(())
    }
}

/// The change that puts the posts of `from` into another event.
///
/// # Errors
/// Says why that cannot be.
pub fn merge(from: &Known, into: &Known) -> Result<Change, EditError> {
    if from.id == into.id {
        return Err(EditError::Same);
    }
    if from.region != into.region {
        return Err(EditError::OtherRegion);
    }
    from.check()?;
    into.check()?;
    Ok(Change::Merge {
        from: from.id.clone(),
        into: into.id.clone(),
    })
}

/// The change that makes an event of its own of some posts; `there` are those that may be ticked.
///
/// # Errors
/// Says why that cannot be.
pub fn split(
    event: &Known,
    there: &[String],
    ticked: &[String],
    title: &str,
) -> Result<Change, EditError> {
    event.check()?;
    let mut posts = ticked.to_vec();
    posts.sort_unstable();
    posts.dedup();
    if posts.is_empty() {
        return Err(EditError::NoPosts);
    }
    if posts.iter().any(|post| !there.contains(post)) {
        return Err(EditError::Gone);
    }
    if posts.len() as u64 >= event.posts {
        return Err(EditError::AllPosts);
    }
    let title = title.trim();
    if title.chars().count() > TITLE_LIMIT {
        return Err(EditError::TitleTooLong);
    }
    Ok(Change::Split {
        event: event.id.clone(),
        posts,
        title: (!title.is_empty()).then(|| title.to_owned()),
    })
}

/// An edit that was made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Made {
    /// The edit.
    pub edit: EventEdit,
    /// The title of the event that posts leave.
    pub source_title: String,
    /// The title of the event that posts join.
    pub target_title: String,
    /// The officer's name to sign in with.
    pub officer: String,
}

/// The edits of a store.
#[derive(Debug, Clone)]
pub struct EventEdits {
    store: Store,
}

impl EventEdits {
    /// The edits of an opened store.
    #[must_use]
    pub fn new(store: Store) -> Self {
        Self { store }
    }

    /// Makes an edit that was found good; the titles are for those who look back. The same change of the same officer within
    /// [`RECENT`] is the edit that was made then.
    ///
    /// # Errors
    /// When the store fails; nothing is changed then.
    pub async fn make(
        &self,
        region: &str,
        change: Change,
        titles: (&str, &str),
        actor: &Actor,
        now: Timestamp,
    ) -> Result<EventEdit, StoreError> {
        let mut transaction = self.store.begin().await?;
        let said =
            serde_json::to_string(&change).map_err(|error| sqlx::Error::Encode(error.into()))?;
        let edit = EventEdit {
            id: id::of("event-edit", &[region, &said, &now.to_string()]),
            region: region.to_owned(),
            change,
            role: actor.role.name().to_owned(),
            at: now,
        };
        let before = sqlx::query(
            "SELECT * FROM event_edits WHERE source = $1 AND officer = $2 AND at > $3 ORDER BY at DESC",
        )
        .bind(edit.source())
        .bind(&actor.name)
        .bind((now - RECENT).as_millisecond())
        .fetch_all(&mut *transaction)
        .await?;
        for row in &before {
            let made = read(row)?.edit;
            if made.change == edit.change {
                return Ok(made);
            }
        }
        let message = encode(&edit).map_err(|error| sqlx::Error::Encode(error.into()))?;
        let message = String::from_utf8_lossy(&message).into_owned();
        sqlx::query("INSERT INTO event_edits (id, source, target, source_title, target_title, message, officer, at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)")
            .bind(&edit.id)
            .bind(edit.source())
            .bind(edit.target())
            .bind(titles.0)
            .bind(titles.1)
            .bind(&message)
            .bind(&actor.name)
            .bind(now.as_millisecond())
            .execute(&mut *transaction)
            .await?;
        outbox::put(&mut transaction, &EVENT_EDITS, &[&message]).await?;
        let line = Line {
            user: &actor.name,
            action: &format!("{}-event", edit.change.kind()),
            subject: &format!("{} → {}", edit.source(), edit.target()),
            via: &actor.via,
        };
        append(&mut transaction, line, now).await?;
        transaction.commit().await?;
        Ok(edit)
    }

    /// The edits by which posts left or joined an event, the newest first.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn of(&self, event: &str) -> Result<Vec<Made>, StoreError> {
        let rows = sqlx::query(
            "SELECT * FROM event_edits WHERE source = $1 OR target = $1 ORDER BY at DESC, id LIMIT 50",
        )
        .bind(event)
        .fetch_all(self.store.pool())
        .await?;
        rows.iter().map(read).collect()
    }

    /// The event into which one was merged last, and when; nothing where it was not.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn merged(&self, event: &str) -> Result<Option<(String, Timestamp)>, StoreError> {
        let made = self.of(event).await?.into_iter().map(|made| made.edit);
        let mut merged =
            made.filter(|edit| matches!(&edit.change, Change::Merge { from, .. } if from == event));
        Ok(merged.next().map(|edit| (edit.target(), edit.at)))
    }

    /// The event that has the posts of one now: itself, or that into which it was merged, however often.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn holder(&self, event: &str) -> Result<String, StoreError> {
        let mut passed = vec![event.to_owned()];
        let mut holder = event.to_owned();
        while let Some((into, _)) = self.merged(&holder).await? {
            if passed.contains(&into) {
                break;
            }
            passed.push(into.clone());
            holder = into;
        }
        Ok(holder)
    }

    /// An event and those that were merged into it, however often, itself first.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn held_by(&self, event: &str) -> Result<Vec<String>, StoreError> {
        let mut held = vec![event.to_owned()];
        let mut next = 0;
        while let Some(into) = held.get(next).cloned() {
            for made in self.of(&into).await? {
                if let Change::Merge { from, .. } = made.edit.change
                    && !held.contains(&from)
                {
                    held.push(from);
                }
            }
            next += 1;
        }
        Ok(held)
    }
}

fn read(row: &AnyRow) -> Result<Made, StoreError> {
    let edit = decode(row.try_get::<&str, _>("message")?.as_bytes());
    Ok(Made {
        edit: edit.map_err(|_| StoreError::Unknown { what: "event edit" })?,
        source_title: row.try_get("source_title")?,
        target_title: row.try_get("target_title")?,
        officer: row.try_get("officer")?,
    })
}
