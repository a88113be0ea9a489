//! Erasure on request (个人信息保护法 §47): a post's words are taken out of everything that holds them, and it is shown that they
//! are. That it was said stays counted.
//!
//! The message [`backbone::message::Erasure`] tells the other processes, which keep it for good: the collector sends the post no
//! more, the analyzer forgets it, its archiver writes nothing of it. Here the [`Eraser`] takes it out of the archive and the
//! store, looks again after a while for what was under way, and writes down of each place what was found. It knows the words by
//! salted hashes ([`Needles`]), which go when the last topic has let its copy go.

mod archive;
pub mod command;
mod eraser;
pub mod needles;
mod papers;
mod places;
mod topics;

use backbone::erased::{ERASED_TITLE, Erased};
use backbone::id;
use backbone::message::{self, ErasedFrom, Erasure};
use backbone::topics::ERASURES;
use clickhouse::Client;
use jiff::Timestamp;
use sqlx::Row;
use sqlx::any::AnyRow;
use thiserror::Error;

pub use eraser::Eraser;
pub use needles::Needles;
pub use papers::{Was, quoting, were};
pub use topics::copies_in;

use crate::account::{Line, append, secret};
use crate::case::{Actor, Role, StoreError};
use crate::outbox;
use crate::store::{Store, parameters};

/// The statement that reads erasures without their needles, of which each has thousands.
macro_rules! known_of {
    ($which:literal) => {
        concat!("SELECT post, region, reason, officer, at, state, events, looks, looked_at FROM erasures", $which)
    };
}

/// Longest reason, in characters.
pub const REASON_LIMIT: usize = 500;
/// Those who may erase.
pub const ERASERS: [Role; 2] = [Role::Administrator, Role::Leader];

/// How far an erasure is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// The words are being taken out.
    Erasing,
    /// They are nowhere but in topics, which let them go by themselves.
    Erased,
    /// They are nowhere.
    Complete,
}

impl State {
    const ALL: [Self; 3] = [Self::Erasing, Self::Erased, Self::Complete];

    /// The name in the store.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Erasing => "erasing",
            Self::Erased => "erased",
            Self::Complete => "complete",
        }
    }

    /// The name on pages.
    #[must_use]
    pub const fn title(self) -> &'static str {
        match self {
            Self::Erasing => "正在删除",
            Self::Erased => "已删除，消息记录待到期",
            Self::Complete => "删除完毕",
        }
    }

    fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.name() == name)
    }
}

/// What was found at a place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    /// The place.
    pub place: String,
    /// How often it was there.
    pub before: u64,
    /// How often it still is.
    pub after: u64,
}

impl Found {
    fn at(place: &str) -> Self {
        Self {
            place: place.to_owned(),
            before: 0,
            after: 0,
        }
    }
}

/// A place that was looked through.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Looked {
    /// What was found there.
    pub found: Found,
    /// When what cannot be taken out one by one is gone by itself, at the latest; none where it is taken out.
    pub until: Option<Timestamp>,
    /// When it was looked through last.
    pub at: Timestamp,
}

/// An erasure of a post.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Known {
    /// The post's id.
    pub post: String,
    /// Code of its region.
    pub region: String,
    /// Why it was erased.
    pub reason: String,
    /// The account that erased it; empty for a command.
    pub officer: String,
    /// When.
    pub at: Timestamp,
    /// How far it is.
    pub state: State,
    /// The events that it was in.
    pub events: Vec<ErasedFrom>,
    /// How often it was looked for.
    pub looks: i64,
    /// When it was looked for last; none before the first time.
    pub looked_at: Option<Timestamp>,
}

/// A post is not erased. The text is for who asked.
#[derive(Debug, Error)]
pub enum ErasureError {
    /// The role may not.
    #[error("只有管理员和分管领导可以办理删除")]
    NotAllowed,
    /// Nothing is known of the post.
    #[error("没有找到这条帖文，请核对编号")]
    Unknown,
    /// No reason is given.
    #[error("请填写删除的原因和依据")]
    NoReason,
    /// The reason is too long.
    #[error("原因过长，请控制在{REASON_LIMIT}字以内")]
    ReasonTooLong,
    /// It is erased already.
    #[error("该帖文已经登记删除，无需重复操作")]
    Known,
    /// ClickHouse does not answer, and what the post says must be known to find it.
    #[error("舆情库暂时不可用，请稍后再办理删除")]
    Unavailable,
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl From<sqlx::Error> for ErasureError {
    fn from(error: sqlx::Error) -> Self {
        Self::Store(error.into())
    }
}

/// The erasures of a store.
#[derive(Debug, Clone)]
pub struct Erasures {
    store: Store,
}

impl Erasures {
    /// The erasures of an opened store.
    #[must_use]
    pub fn new(store: Store) -> Self {
        Self { store }
    }

    /// Has a post erased: from now on it is known to be, and the eraser begins. The line of the audit and the message come with
    /// it.
    ///
    /// # Errors
    /// Says why that cannot be; nothing is changed then.
    pub async fn begin(
        &self,
        archive: &Client,
        post: &str,
        reason: &str,
        actor: &Actor,
        now: Timestamp,
    ) -> Result<(), ErasureError> {
        if !ERASERS.contains(&actor.role) {
            return Err(ErasureError::NotAllowed);
        }
        let reason = reason.trim();
        if reason.is_empty() {
            return Err(ErasureError::NoReason);
        }
        if reason.chars().count() > REASON_LIMIT {
            return Err(ErasureError::ReasonTooLong);
        }
        if self.get(post).await?.is_some() {
            return Err(ErasureError::Known);
        }
        let asked = archive::rows(archive, post).await;
        let rows = asked.map_err(|_| ErasureError::Unavailable)?;
        let region = (rows.first()).ok_or(ErasureError::Unknown)?.region.clone();
        let mut ids: Vec<String> = rows.iter().map(|row| row.event_id.clone()).collect();
        ids.retain(|id| !id.is_empty());
        ids.sort_unstable();
        ids.dedup();
        let known = archive::events(archive, &ids).await;
        let known = known.map_err(|_| ErasureError::Unavailable)?;
        let (mut events, mut titles) = (Vec::new(), Vec::new());
        for event in ids {
            let known = known.iter().find(|known| known.event == event);
            let own = known.filter(|known| rows.iter().any(|row| row.says(&known.named)));
            titles.extend(own.map(|own| own.named.clone()));
            let title = own.map(|own| match own.posts {
                0 | 1 => ERASED_TITLE.to_owned(),
                _ => format!("{}{}（原标题已依申请删除）", own.town, own.matter),
            });
            events.push(ErasedFrom { event, title });
        }
        let said = rows.iter().flat_map(|row| [&*row.title, &*row.text]);
        let named = (rows.iter().map(|row| &*row.title)).chain(titles.iter().map(String::as_str));
        let named = named.filter(|title| *title != ERASED_TITLE);
        let needles = Needles::of(&secret(), said, named);

        let json = |error: serde_json::Error| sqlx::Error::Encode(error.into());
        let mut transaction = self.store.begin().await?;
        let begun = sqlx::query(
            "INSERT INTO erasures (post, region, reason, officer, at, state, events, needles, looks, looked_at, due_at) \
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, 0, 0, $5) ON CONFLICT (post) DO NOTHING",
        )
        .bind(post)
        .bind(&region)
        .bind(reason)
        .bind(&actor.name)
        .bind(now.as_millisecond())
        .bind(State::Erasing.name())
        .bind(serde_json::to_string(&events).map_err(json)?)
        .bind(serde_json::to_string(&needles).map_err(json)?)
        .execute(&mut *transaction)
        .await?;
        if begun.rows_affected() == 0 {
            return Err(ErasureError::Known);
        }
        let message = Erasure {
            id: id::of_erasure(post),
            region,
            post: post.to_owned(),
            events,
            role: actor.role.name().to_owned(),
            at: now,
        };
        let message = message::encode(&message).map_err(json)?;
        outbox::put(
            &mut transaction,
            &ERASURES,
            &[&String::from_utf8_lossy(&message)],
        )
        .await?;
        let line = Line {
            user: &actor.name,
            action: "erase-post",
            subject: post,
            via: &actor.via,
        };
        append(&mut transaction, line, now).await?;
        transaction.commit().await?;
        Ok(())
    }

    /// The erasure of a post.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn get(&self, post: &str) -> Result<Option<Known>, StoreError> {
        let row = sqlx::query(known_of!(" WHERE post = $1"))
            .bind(post)
            .fetch_optional(self.store.pool())
            .await?;
        row.as_ref().map(known).transpose()
    }

    /// The erasures, the newest first.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn list(&self, offset: u32, limit: u32) -> Result<(Vec<Known>, u64), StoreError> {
        let rows = sqlx::query(known_of!(" ORDER BY at DESC, post LIMIT $1 OFFSET $2"))
            .bind(i64::from(limit))
            .bind(i64::from(offset))
            .fetch_all(self.store.pool())
            .await?;
        let total: i64 = sqlx::query_scalar("SELECT count(*) FROM erasures")
            .fetch_one(self.store.pool())
            .await?;
        let erasures: Result<Vec<Known>, StoreError> = rows.iter().map(known).collect();
        Ok((erasures?, u64::try_from(total).unwrap_or(0)))
    }

    /// What was found of a post, place by place.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn places(&self, post: &str) -> Result<Vec<Looked>, StoreError> {
        let rows =
            sqlx::query("SELECT * FROM erasure_places WHERE post = $1 ORDER BY until, place")
                .bind(post)
                .fetch_all(self.store.pool())
                .await?;
        rows.iter()
            .map(|row| {
                let count = |column: &str| -> Result<u64, sqlx::Error> {
                    Ok(u64::try_from(row.try_get::<i64, _>(column)?).unwrap_or(0))
                };
                Ok(Looked {
                    found: Found {
                        place: row.try_get("place")?,
                        before: count("found_before")?,
                        after: count("found_after")?,
                    },
                    until: time(row.try_get("until")?),
                    at: time(row.try_get("looked_at")?).unwrap_or_default(),
                })
            })
            .collect()
    }

    /// Those of some posts that were erased.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn among(&self, posts: &[&str]) -> Result<Vec<String>, StoreError> {
        if posts.is_empty() {
            return Ok(Vec::new());
        }
        // Safe: numbers of parameters.
        let statement = sqlx::AssertSqlSafe(format!(
            "SELECT post FROM erasures WHERE post IN ({})",
            parameters(posts.len())
        ));
        let query = (posts.iter()).fold(sqlx::query_scalar(statement), |query, post| {
            query.bind((*post).to_owned())
        });
        Ok(query.fetch_all(self.store.pool()).await?)
    }

    /// All that was erased, as the other processes know it.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn erased(&self) -> Result<Erased, StoreError> {
        let rows = sqlx::query(known_of!(""))
            .fetch_all(self.store.pool())
            .await?;
        let erasures: Result<Vec<Erasure>, StoreError> = (rows.iter())
            .map(|row| {
                let known = known(row)?;
                Ok(Erasure {
                    id: id::of_erasure(&known.post),
                    region: known.region,
                    post: known.post,
                    events: known.events,
                    role: String::new(),
                    at: known.at,
                })
            })
            .collect();
        let erased = Erased::nothing();
        erased.learn(erasures?);
        Ok(erased)
    }
}

impl archive::PostRow {
    /// Whether some words are the post's.
    fn says(&self, words: &str) -> bool {
        let plain =
            |text: &str| -> String { text.chars().filter(|c| !c.is_whitespace()).collect() };
        let words = plain(words);
        !words.is_empty()
            && (plain(&self.title).contains(&words) || plain(&self.text).contains(&words))
    }
}

fn known(row: &AnyRow) -> Result<Known, StoreError> {
    let unknown = |what| StoreError::Unknown { what };
    Ok(Known {
        post: row.try_get("post")?,
        region: row.try_get("region")?,
        reason: row.try_get("reason")?,
        officer: row.try_get("officer")?,
        at: time(row.try_get("at")?).ok_or(unknown("time of an erasure"))?,
        state: State::named(row.try_get("state")?).ok_or(unknown("state of an erasure"))?,
        events: serde_json::from_str(row.try_get("events")?)
            .map_err(|_| unknown("event of an erasure"))?,
        looks: row.try_get("looks")?,
        looked_at: time(row.try_get("looked_at")?),
    })
}

fn time(at: i64) -> Option<Timestamp> {
    (at > 0)
        .then(|| Timestamp::from_millisecond(at).ok())
        .flatten()
}
