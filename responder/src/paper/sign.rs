//! Signing. What is signed is written in all forms and kept with what it was made from; from then on no statement of this
//! program changes it, and reading gives back the same bytes.

use jiff::Timestamp;
use report::Form;
use sha2::{Digest, Sha256};
use sqlx::{AnyConnection, Row};

use super::store::{json, write_down};
use super::{Action, Content, Paper, PaperError, Papers, Press, Printed};
use crate::calendar::day_of;
use crate::case::{Actor, Role, StoreError};

/// A file that is kept, without its bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Kept {
    /// Its form, such as `docx`; of a table `subjects.csv`.
    pub file: String,
    /// Its size in bytes.
    pub size: u64,
    /// Its SHA-256 in hexadecimal digits.
    pub sha256: String,
}

impl Papers {
    /// Signs a paper that was submitted: writes its files and keeps them.
    ///
    /// # Errors
    /// When the role may not, the actor edited it and another leader could sign, it cannot be written, others were faster,
    /// or the store fails; nothing is changed then.
    pub async fn approve(
        &self,
        id: &str,
        version: i64,
        press: &Press,
        actor: &Actor,
        now: Timestamp,
    ) -> Result<(), PaperError> {
        let (paper, content) = self.read(id).await?.ok_or(PaperError::NotFound)?;
        Action::Approve.check(actor.role, paper.state)?;
        if paper.version != version {
            return Err(PaperError::Stale);
        }
        if paper.edited_by == actor.name && self.another_signs(&actor.name).await? {
            return Err(PaperError::Own);
        }
        let mut content = content;
        content.cover.date = day_of(now);
        let printed = print(&paper, &content, press, Form::ALL.to_vec()).await?;
        let mut transaction = self.store.begin().await?;
        // Safe: the states are this program's own words.
        let statement = sqlx::AssertSqlSafe(format!(
            "UPDATE papers SET state = $1, cover = $2, approved_by = $3, approved_at = $4, version = version + 1 \
             WHERE id = $5 AND version = $6 AND state IN ({})",
            Action::Approve.leads_from()
        ));
        let approved = sqlx::query(statement)
            .bind(Action::Approve.to().name())
            .bind(json(&content.cover)?)
            .bind(&actor.name)
            .bind(now.as_millisecond())
            .bind(id)
            .bind(version)
            .execute(&mut *transaction)
            .await?;
        if approved.rows_affected() == 0 {
            return Err(PaperError::Stale);
        }
        keep_files(&mut transaction, id, &printed).await?;
        let of = version + 1;
        write_down(&mut transaction, id, of, Action::Approve, actor, "", now).await?;
        transaction.commit().await?;
        Ok(())
    }

    /// Whether there is another leader who could sign.
    async fn another_signs(&self, name: &str) -> Result<bool, StoreError> {
        let others: i64 = sqlx::query_scalar(
            "SELECT count(*) FROM users WHERE active = 1 AND role = $1 AND name <> $2",
        )
        .bind(Role::Leader.name())
        .bind(name)
        .fetch_one(self.store.pool())
        .await?;
        Ok(others > 0)
    }

    /// The files that are kept of a signed paper, by name.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn kept(&self, id: &str) -> Result<Vec<Kept>, StoreError> {
        let rows = sqlx::query(
            "SELECT file, size, sha256 FROM paper_files WHERE paper = $1 ORDER BY file",
        )
        .bind(id)
        .fetch_all(self.store.pool())
        .await?;
        rows.iter()
            .map(|row| {
                Ok(Kept {
                    file: row.try_get("file")?,
                    size: u64::try_from(row.try_get::<i64, _>("size")?).unwrap_or(0),
                    sha256: row.try_get("sha256")?,
                })
            })
            .collect()
    }

    /// A file of a paper: of a signed one the bytes that were signed, else as it would be now. None where there is no such
    /// file, or the paper is not made yet.
    ///
    /// # Errors
    /// When it cannot be written, what is kept is not what was signed, or the store fails.
    pub async fn file(
        &self,
        id: &str,
        file: &str,
        press: &Press,
    ) -> Result<Option<Printed>, PaperError> {
        let Some((paper, content)) = self.read(id).await? else {
            return Ok(None);
        };
        if paper.state.is_signed() {
            return Ok(self.signed(id, file).await?);
        }
        let form = match file.rsplit_once('.') {
            Some((_, "csv")) => Some(Form::Csv),
            Some(_) => None,
            None => Form::named(file).filter(|form| *form != Form::Csv),
        };
        let Some(form) = form else {
            return Ok(None);
        };
        let printed = print(&paper, &content, press, vec![form]).await?;
        Ok(printed.into_iter().find(|printed| printed.file == file))
    }

    /// The bytes that were signed.
    pub(super) async fn signed(&self, id: &str, file: &str) -> Result<Option<Printed>, StoreError> {
        let row = sqlx::query(
            "SELECT file, name, type, sha256, content FROM paper_files WHERE paper = $1 AND file = $2",
        )
        .bind(id)
        .bind(file)
        .fetch_optional(self.store.pool())
        .await?;
        let Some(row) = row else {
            return Ok(None);
        };
        let bytes: Vec<u8> = row.try_get("content")?;
        let sha256: String = row.try_get("sha256")?;
        if hex::encode(Sha256::digest(&bytes)) != sha256 {
            return Err(StoreError::Unknown {
                what: "content of a signed file",
            });
        }
        Ok(Some(Printed {
            file: row.try_get("file")?,
            name: row.try_get("name")?,
            kind: row.try_get("type")?,
            bytes,
        }))
    }
}

/// Keeps the files of a paper that is signed.
pub(crate) async fn keep_files(
    connection: &mut AnyConnection,
    id: &str,
    printed: &[Printed],
) -> Result<(), sqlx::Error> {
    for file in printed {
        sqlx::query(
            "INSERT INTO paper_files (paper, file, name, type, size, sha256, content) VALUES ($1, $2, $3, $4, $5, $6, $7)",
        )
        .bind(id)
        .bind(&file.file)
        .bind(&file.name)
        .bind(&file.kind)
        .bind(i64::try_from(file.bytes.len()).unwrap_or(i64::MAX))
        .bind(file.sha256())
        .bind(&file.bytes)
        .execute(&mut *connection)
        .await?;
    }
    Ok(())
}

/// A paper in some forms.
pub(crate) async fn print(
    paper: &Paper,
    content: &Content,
    press: &Press,
    forms: Vec<Form>,
) -> Result<Vec<Printed>, PaperError> {
    let document =
        (content.document(paper)).map_err(|problem| PaperError::Press(problem.to_string()))?;
    let stem = paper.wanted.stem(&paper.region);
    press.print(document, stem, forms).await
}
