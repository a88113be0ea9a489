//! Sending: lists of contacts, and a notice for each in the transaction of the move, so that whoever is on the list is told
//! once, whatever breaks off in the middle.

use std::collections::BTreeSet;

use backbone::id;
use backbone::region::{Contact, Region};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use sqlx::Row;
use sqlx::any::AnyRow;
use tracing::warn;
use url::Url;

use super::store::{json, read_json, write_down};
use super::{Action, Paper, PaperError, Papers, Printed};
use crate::account::{Line, append};
use crate::case::{Actor, Role, StoreError};
use crate::notify::{self, Addressee, Body, Kind, Notice, PaperBody};
use crate::store::Store;

/// Longest name of a list, in characters.
pub const LONGEST_NAME: usize = 30;
/// Most lists of a region.
pub const MOST_LISTS: usize = 50;
/// Most contacts of a list.
pub const MOST_NAMED: usize = 200;
/// Most bytes of what goes along with a mail.
const MOST_ATTACHED: u64 = 10 * 1024 * 1024;
/// What goes along with a mail, the first before the second where both are too much.
const ATTACHED: [&str; 2] = ["docx", "pdf"];
/// Those who keep lists.
const KEEPERS: [Role; 2] = [Role::Administrator, Role::DutyOfficer];

/// A contact of a unit.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Named {
    /// Code of the unit.
    pub unit: String,
    /// The contact's name.
    pub contact: String,
}

impl Named {
    /// The contact, where the region still has it.
    #[must_use]
    pub fn find<'a>(&self, region: &'a Region) -> Option<&'a Contact> {
        let unit = region.unit(&self.unit)?;
        unit.contact
            .iter()
            .find(|contact| contact.name == self.contact)
    }
}

/// A list of contacts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct List {
    /// Its id.
    pub id: String,
    /// Code of its region.
    pub region: String,
    /// Its name.
    pub name: String,
    /// Who is on it.
    pub addressees: Vec<Named>,
    /// Who changed it last.
    pub changed_by: String,
    /// When.
    pub changed_at: Timestamp,
}

/// The lists of a store.
#[derive(Debug, Clone)]
pub struct Lists {
    store: Store,
}

impl Lists {
    /// The lists of an opened store.
    #[must_use]
    pub fn new(store: Store) -> Self {
        Self { store }
    }

    /// Keeps a list of a region; one of the same name has these contacts from now on.
    ///
    /// # Errors
    /// When the role may not, the name or the contacts will not do, or the store fails.
    pub async fn keep(
        &self,
        region: &Region,
        name: &str,
        addressees: &[Named],
        actor: &Actor,
        now: Timestamp,
    ) -> Result<(), PaperError> {
        if !KEEPERS.contains(&actor.role) {
            return Err(PaperError::NotAllowed);
        }
        let name = name.trim();
        if name.is_empty() {
            return Err(PaperError::Missing("名单名称"));
        }
        if name.chars().count() > LONGEST_NAME {
            return Err(PaperError::TooLong("名单名称", LONGEST_NAME));
        }
        let known: BTreeSet<&Named> = (addressees.iter())
            .filter(|named| named.find(region).is_some())
            .collect();
        if known.is_empty() {
            return Err(PaperError::Missing("至少一位联系人"));
        }
        if known.len() > MOST_NAMED {
            return Err(PaperError::TooMany("名单中的联系人", MOST_NAMED));
        }
        let code = region.code();
        let id = id::of("paper-list", &[code, name]);
        let mut transaction = self.store.begin().await?;
        let kept = sqlx::query(
            "INSERT INTO paper_lists (id, region, name, addressees, changed_by, changed_at) \
             SELECT CAST($1 AS TEXT), CAST($2 AS TEXT), CAST($3 AS TEXT), CAST($4 AS TEXT), CAST($5 AS TEXT), CAST($6 AS BIGINT) \
             WHERE (SELECT COUNT(*) FROM paper_lists WHERE region = $2 AND id <> $1) < $7 \
             ON CONFLICT (id) DO UPDATE SET addressees = excluded.addressees, changed_by = excluded.changed_by, \
             changed_at = excluded.changed_at",
        )
        .bind(&id)
        .bind(code)
        .bind(name)
        .bind(json(&known)?)
        .bind(&actor.name)
        .bind(now.as_millisecond())
        .bind(i64::try_from(MOST_LISTS).unwrap_or(i64::MAX))
        .execute(&mut *transaction)
        .await?;
        if kept.rows_affected() == 0 {
            return Err(PaperError::TooMany("名单", MOST_LISTS));
        }
        let line = Line {
            user: &actor.name,
            action: "change-report-list",
            subject: &id,
            via: &actor.via,
        };
        append(&mut transaction, line, now).await?;
        transaction.commit().await?;
        Ok(())
    }

    /// Deletes a list.
    ///
    /// # Errors
    /// When the role may not, there is none, or the store fails.
    pub async fn delete(&self, id: &str, actor: &Actor, now: Timestamp) -> Result<(), PaperError> {
        if !KEEPERS.contains(&actor.role) {
            return Err(PaperError::NotAllowed);
        }
        let mut transaction = self.store.begin().await?;
        let deleted = sqlx::query("DELETE FROM paper_lists WHERE id = $1")
            .bind(id)
            .execute(&mut *transaction)
            .await?;
        if deleted.rows_affected() == 0 {
            return Err(PaperError::NoList);
        }
        let line = Line {
            user: &actor.name,
            action: "delete-report-list",
            subject: id,
            via: &actor.via,
        };
        append(&mut transaction, line, now).await?;
        transaction.commit().await?;
        Ok(())
    }

    /// The lists of a region, by name.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn of(&self, region: &str) -> Result<Vec<List>, StoreError> {
        let rows = sqlx::query("SELECT * FROM paper_lists WHERE region = $1 ORDER BY name, id")
            .bind(region)
            .fetch_all(self.store.pool())
            .await?;
        rows.iter().map(list).collect()
    }
}

/// How many of a list are told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Told {
    /// Those who are told now, or were before.
    pub reached: usize,
    /// Those who have no channel, or are no contact any more.
    pub unreached: usize,
}

impl Papers {
    /// Sends a signed paper to a list of its region: who is on it gets one notice of the paper, however often it is sent.
    ///
    /// # Errors
    /// When the role may not, it is not signed, nobody can be reached, others were faster, or the store fails.
    pub async fn send(
        &self,
        id: &str,
        version: i64,
        list: &List,
        (region, public_url): (&Region, &Url),
        actor: &Actor,
        now: Timestamp,
    ) -> Result<Told, PaperError> {
        let paper = self.get(id).await?.ok_or(PaperError::NotFound)?;
        Action::Send.check(actor.role, paper.state)?;
        if list.region != paper.region || region.code() != paper.region {
            return Err(PaperError::NoList);
        }
        let notices: Vec<Notice> = (list.addressees.iter())
            .filter_map(|named| notice(&paper, named, named.find(region)?, public_url, now))
            .collect();
        let told = Told {
            reached: notices.len(),
            unreached: list.addressees.len() - notices.len(),
        };
        if notices.is_empty() {
            return Err(PaperError::NobodyReached);
        }
        let mut transaction = self.store.begin().await?;
        // Safe: the states are this program's own words.
        let statement = sqlx::AssertSqlSafe(format!(
            "UPDATE papers SET state = $1, version = version + 1 WHERE id = $2 AND version = $3 AND state IN ({})",
            Action::Send.leads_from()
        ));
        let sent = sqlx::query(statement)
            .bind(Action::Send.to().name())
            .bind(id)
            .bind(version)
            .execute(&mut *transaction)
            .await?;
        if sent.rows_affected() == 0 {
            return Err(PaperError::Stale);
        }
        for notice in &notices {
            notify::queue(&mut transaction, notice, now).await?;
        }
        let note = format!("{}（{}人）", list.name, told.reached);
        let of = version + 1;
        write_down(&mut transaction, id, of, Action::Send, actor, &note, now).await?;
        transaction.commit().await?;
        Ok(told)
    }
}

/// The notice of a paper to a contact; none where there is no way to reach them.
fn notice(
    paper: &Paper,
    named: &Named,
    contact: &Contact,
    public_url: &Url,
    now: Timestamp,
) -> Option<Notice> {
    let id = id::of("notice", &["paper", &paper.id, &named.unit, &named.contact]);
    let link = public_url.join(&format!("reports/{}", paper.id)).ok()?;
    let addressee = Addressee {
        region: paper.region.clone(),
        unit: named.unit.clone(),
        contact: named.contact.clone(),
    };
    let body = Body::Paper(PaperBody {
        id: id.clone(),
        kind: Kind::Paper,
        action: Kind::Paper.title().to_owned(),
        paper: paper.id.clone(),
        title: paper.title.clone(),
        number: paper.number.clone(),
        from: paper.period.from.to_string(),
        to: paper.period.to.to_string(),
        link: link.to_string(),
    });
    Notice::queued(id, &paper.id, addressee, &contact.reach, now, body)
}

/// What goes along with a mail that tells of a signed paper, so far as it is not too much.
pub(crate) async fn attached(store: &Store, id: &str) -> Result<Vec<Printed>, StoreError> {
    let papers = Papers::new(store.clone());
    let mut left = MOST_ATTACHED;
    let kept = papers.kept(id).await?;
    let mut attached = Vec::new();
    for file in ATTACHED {
        let fits = kept
            .iter()
            .find(|kept| kept.file == file && kept.size <= left);
        if let Some(kept) = fits {
            left -= kept.size;
            match papers.signed(id, file).await {
                Ok(signed) => attached.extend(signed),
                // What is not what was signed goes to nobody; the notice goes without it.
                Err(StoreError::Unknown { what }) => warn!(paper = id, file, what, "not attached"),
                Err(error) => return Err(error),
            }
        }
    }
    Ok(attached)
}

fn list(row: &AnyRow) -> Result<List, StoreError> {
    let addressees: String = row.try_get("addressees")?;
    Ok(List {
        id: row.try_get("id")?,
        region: row.try_get("region")?,
        name: row.try_get("name")?,
        addressees: read_json(&addressees)?,
        changed_by: row.try_get("changed_by")?,
        changed_at: Timestamp::from_millisecond(row.try_get("changed_at")?)
            .map_err(|_| StoreError::Unknown { what: "time" })?,
    })
}
