//! Files that belong to a case: pictures of the site, documents, tables. What a file is, its own bytes say, not its name.

use backbone::id;
use jiff::Timestamp;
use sha2::{Digest, Sha256};
use sqlx::Row;
use sqlx::any::AnyRow;
use thiserror::Error;

use super::{Action, Actor, Case, Cases, Deed, MoveError, StoreError};
use crate::notify;

/// Most bytes of a file.
pub const LARGEST: usize = 10 * 1024 * 1024;
/// Most files of a case.
pub const MOST: usize = 30;
/// Most characters of a file's name.
const LONGEST_NAME: usize = 100;

/// The kinds of files taken: type, and the endings that names of it have.
const KINDS: [(&str, &[&str]); 9] = [
    ("application/pdf", &["pdf"]),
    ("image/jpeg", &["jpg", "jpeg"]),
    ("image/png", &["png"]),
    ("application/msword", &["doc", "wps"]),
    (
        "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
        &["docx"],
    ),
    ("application/vnd.ms-excel", &["xls", "et"]),
    (
        "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
        &["xlsx"],
    ),
    ("audio/mpeg", &["mp3"]),
    ("video/mp4", &["mp4"]),
];

/// A file as it is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attachment {
    /// Its id.
    pub id: String,
    /// Its name, without folders.
    pub name: String,
    /// Its media type, from its bytes.
    pub kind: String,
    /// Its size in bytes.
    pub size: u64,
    /// Its SHA-256 in hexadecimal digits.
    pub sha256: String,
    /// The account that added it.
    pub actor: String,
    /// When.
    pub at: Timestamp,
}

/// A file to add.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewAttachment {
    /// The name that it has with its owner.
    pub name: String,
    /// What is in it.
    pub content: Vec<u8>,
}

/// What became of a file that was added.
#[derive(Debug, Clone, PartialEq)]
pub struct Attached {
    /// Its id.
    pub id: String,
    /// The case as it is now.
    pub case: Case,
}

/// A file was not added. The text is for the person who tried.
#[derive(Debug, Error)]
pub enum AttachmentError {
    /// There is nothing in it.
    #[error("文件是空的")]
    Empty,
    /// It is too large.
    #[error("文件过大，单个文件不超过{}MB", LARGEST / 1024 / 1024)]
    TooLarge,
    /// The case has as many as it may.
    #[error("附件过多，每个案件不超过{MOST}个")]
    TooMany,
    /// It is none of the kinds taken, or its name says that it is another.
    #[error("文件类型不符：可上传 PDF、JPG、PNG、Word、Excel、MP3、MP4，且扩展名须与内容一致")]
    Kind,
    /// Its name cannot be kept.
    #[error("文件名为空或超过{LONGEST_NAME}字")]
    Name,
    /// The case may not be moved so.
    #[error(transparent)]
    Move(#[from] MoveError),
}

impl From<sqlx::Error> for AttachmentError {
    fn from(error: sqlx::Error) -> Self {
        Self::Move(error.into())
    }
}

impl NewAttachment {
    /// The name without folders, and the media type.
    fn check(&self) -> Result<(String, &'static str), AttachmentError> {
        let name = self.name.rsplit(['/', '\\']).next().unwrap_or_default();
        let name: String = name.chars().filter(|letter| !letter.is_control()).collect();
        let name = name.trim();
        if name.is_empty() || name.chars().count() > LONGEST_NAME {
            return Err(AttachmentError::Name);
        }
        if self.content.is_empty() {
            return Err(AttachmentError::Empty);
        }
        if self.content.len() > LARGEST {
            return Err(AttachmentError::TooLarge);
        }
        let found = infer::get(&self.content).ok_or(AttachmentError::Kind)?;
        let ending = name.rsplit('.').next().unwrap_or_default().to_lowercase();
        let (kind, _) = (KINDS.iter())
            .find(|(kind, endings)| {
                *kind == found.mime_type() && endings.contains(&ending.as_str())
            })
            .ok_or(AttachmentError::Kind)?;
        Ok((name.to_owned(), kind))
    }
}

impl Cases {
    /// Adds a file to a case, with a move that says so. The same bytes under the same name again are the file that is there.
    ///
    /// # Errors
    /// When the file is not taken or the actor may not add to the case; nothing is changed then.
    pub async fn attach(
        &self,
        case: &str,
        file: &NewAttachment,
        actor: &Actor,
        notices: &notify::Composer,
        now: Timestamp,
    ) -> Result<Attached, AttachmentError> {
        let (name, kind) = file.check()?;
        let sha256 = hex::encode(Sha256::digest(&file.content));
        let id = id::of("attachment", &[case, &name, &sha256]);
        let mut transaction = self.store.begin().await.map_err(MoveError::from)?;
        let known = (self.find_in(&mut transaction, case, actor).await)
            .map_err(MoveError::from)?
            .ok_or(MoveError::NotFound)?;
        let added = sqlx::query(
            "INSERT INTO attachments (id, case_id, name, type, size, sha256, content, actor, at) \
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) ON CONFLICT DO NOTHING",
        )
        .bind(&id)
        .bind(case)
        .bind(&name)
        .bind(kind)
        .bind(i64::try_from(file.content.len()).unwrap_or(i64::MAX))
        .bind(&sha256)
        .bind(&file.content)
        .bind(&actor.name)
        .bind(now.as_millisecond())
        .execute(&mut *transaction)
        .await?;
        if added.rows_affected() == 0 {
            return Ok(Attached { id, case: known });
        }
        let files: i64 = sqlx::query_scalar("SELECT count(*) FROM attachments WHERE case_id = $1")
            .bind(case)
            .fetch_one(&mut *transaction)
            .await?;
        if files > MOST as i64 {
            return Err(AttachmentError::TooMany);
        }
        let deed = Deed::plain(Action::Attach, known.version, &name);
        let case = self
            .perform_in(&mut transaction, case, &deed, actor, notices, now)
            .await?;
        transaction.commit().await?;
        Ok(Attached { id, case })
    }

    /// The files of a case, the oldest first.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn attachments(&self, case: &str) -> Result<Vec<Attachment>, StoreError> {
        let rows = sqlx::query(
            "SELECT id, name, type, size, sha256, actor, at FROM attachments WHERE case_id = $1 ORDER BY at, id",
        )
        .bind(case)
        .fetch_all(self.store.pool())
        .await?;
        rows.iter().map(read).collect()
    }

    /// A file of a case and what is in it; who may see the case may see its files.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn attachment(
        &self,
        case: &str,
        id: &str,
    ) -> Result<Option<(Attachment, Vec<u8>)>, StoreError> {
        let row = sqlx::query("SELECT * FROM attachments WHERE case_id = $1 AND id = $2")
            .bind(case)
            .bind(id)
            .fetch_optional(self.store.pool())
            .await?;
        row.map(|row| Ok((read(&row)?, row.try_get("content")?)))
            .transpose()
    }
}

fn read(row: &AnyRow) -> Result<Attachment, StoreError> {
    Ok(Attachment {
        id: row.try_get("id")?,
        name: row.try_get("name")?,
        kind: row.try_get("type")?,
        size: u64::try_from(row.try_get::<i64, _>("size")?).unwrap_or(0),
        sha256: row.try_get("sha256")?,
        actor: row.try_get("actor")?,
        at: Timestamp::from_millisecond(row.try_get("at")?)
            .map_err(|_| StoreError::Unknown { what: "time" })?,
    })
}
