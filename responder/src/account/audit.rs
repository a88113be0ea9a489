//! The audit: what was read and done, by whom, when. It is only added to, and its lines are a chain: the hash of a line
//! is over the hash of the line before and its own contents, so that a line that was changed or removed is seen.

use jiff::Timestamp;
use serde::Serialize;
use sha2::{Digest, Sha256};
use sqlx::any::AnyRow;
use sqlx::{AnyConnection, Row};

use super::{AccountError, Accounts, timestamp};
use crate::store::Conditions;

/// Lines read at a time.
const BATCH: u32 = 1_000;

/// One line of the audit.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Entry {
    /// Its number, from 1.
    pub number: i64,
    /// When.
    pub at: Timestamp,
    /// The account; empty for the responder itself and for commands.
    pub user: String,
    /// What was done, such as `read-case` or `dispatch`.
    pub action: String,
    /// To what: a case's id, an account's name.
    pub subject: String,
    /// The id of the API token it was done with; empty where it was done in the console.
    pub via: String,
    /// The chain up to this line; empty for lines from before there was a chain.
    pub hash: String,
}

/// A line to write.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Line<'a> {
    pub(crate) user: &'a str,
    pub(crate) action: &'a str,
    pub(crate) subject: &'a str,
    pub(crate) via: &'a str,
}

/// Which lines are asked for, the oldest first.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Span {
    /// Only those with a greater number.
    pub after: i64,
    /// Only those with a smaller number.
    pub before: Option<i64>,
    /// Only those at this time or later.
    pub from: Option<Timestamp>,
    /// Only those before this time.
    pub to: Option<Timestamp>,
}

/// Which lines are looked for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Wanted {
    /// Only by this account; by all where empty.
    pub user: String,
    /// Only this action; all where empty.
    pub action: String,
    /// Only about this: a case's id, an account's name; all where empty.
    pub subject: String,
    /// Only at this time or later.
    pub from: Option<Timestamp>,
    /// Only before this time.
    pub to: Option<Timestamp>,
}

impl Wanted {
    fn conditions(&self) -> Result<Conditions, sqlx::Error> {
        let mut conditions = Conditions::default();
        for (column, value) in [
            ("account", &self.user),
            ("action", &self.action),
            ("subject", &self.subject),
        ] {
            if !value.is_empty() {
                conditions.add(&format!("{column} = {{}}"), value.clone())?;
            }
        }
        if let Some(from) = self.from {
            conditions.add("at >= {}", from.as_millisecond())?;
        }
        if let Some(to) = self.to {
            conditions.add("at < {}", to.as_millisecond())?;
        }
        Ok(conditions)
    }
}

/// How lines are written into a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// A table with a head, for spreadsheets.
    Csv,
    /// A JSON object a line.
    Jsonl,
}

impl Format {
    /// All formats.
    pub const ALL: [Self; 2] = [Self::Csv, Self::Jsonl];

    /// Its name.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Csv => "csv",
            Self::Jsonl => "jsonl",
        }
    }

    /// Writes lines; the first of a file come with its head.
    ///
    /// # Errors
    /// When a line cannot be written.
    pub fn write(self, lines: &[Entry], first: bool) -> anyhow::Result<Vec<u8>> {
        let mut text = Vec::new();
        match self {
            Self::Csv => {
                let mut table = csv::WriterBuilder::new()
                    .has_headers(false)
                    .from_writer(&mut text);
                if first {
                    table.write_record([
                        "number", "at", "user", "action", "subject", "via", "hash",
                    ])?;
                }
                for line in lines {
                    table.serialize(line)?;
                }
                table.flush()?;
            }
            Self::Jsonl => {
                for line in lines {
                    serde_json::to_writer(&mut text, line)?;
                    text.push(b'\n');
                }
            }
        }
        Ok(text)
    }
}

/// What became of the chain.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// Every line is there as it was written.
    Whole {
        /// How many lines there are.
        lines: u64,
        /// The chain up to the last line.
        hash: String,
    },
    /// A line is not as it was written, or one before it is missing.
    Broken {
        /// Number of the first line that does not fit.
        number: i64,
        /// What does not fit.
        why: &'static str,
    },
}

/// Writes a line in the transaction of what it tells, as the last thing of that transaction: until it ends, others
/// who write a line wait. Gives its number.
pub(crate) async fn append(
    connection: &mut AnyConnection,
    line: Line<'_>,
    now: Timestamp,
) -> Result<i64, sqlx::Error> {
    let (number, mut before): (i64, String) =
        sqlx::query_as("UPDATE audit_head SET number = number + 1 RETURNING number, hash")
            .fetch_one(&mut *connection)
            .await?;
    if before.is_empty() && number > 1 {
        before = of_lines_without_hash(connection).await?;
    }
    let entry = Entry {
        number,
        at: now,
        user: line.user.to_owned(),
        action: line.action.to_owned(),
        subject: line.subject.to_owned(),
        via: line.via.to_owned(),
        hash: String::new(),
    };
    let hash = chained(&before, &entry);
    sqlx::query(
        "INSERT INTO audit (number, at, account, action, subject, via, hash) VALUES ($1, $2, $3, $4, $5, $6, $7)",
    )
    .bind(number)
    .bind(now.as_millisecond())
    .bind(line.user)
    .bind(line.action)
    .bind(line.subject)
    .bind(line.via)
    .bind(&hash)
    .execute(&mut *connection)
    .await?;
    sqlx::query("UPDATE audit_head SET hash = $1")
        .bind(&hash)
        .execute(connection)
        .await?;
    Ok(number)
}

/// The chain up to a line: SHA-256 over the chain before it and what it says, as a JSON array.
fn chained(before: &str, entry: &Entry) -> String {
    let said = serde_json::json!([
        before,
        entry.number,
        entry.at.as_millisecond(),
        entry.user,
        entry.action,
        entry.subject,
        entry.via
    ]);
    hex::encode(Sha256::digest(said.to_string().as_bytes()))
}

/// The chain over the lines from before there was one.
async fn of_lines_without_hash(connection: &mut AnyConnection) -> Result<String, sqlx::Error> {
    let (mut hash, mut after) = (String::new(), 0_i64);
    loop {
        let rows = sqlx::query("SELECT * FROM audit WHERE number > $1 ORDER BY number LIMIT $2")
            .bind(after)
            .bind(i64::from(BATCH))
            .fetch_all(&mut *connection)
            .await?;
        for row in &rows {
            let entry = read_entry(row)?;
            hash = chained(&hash, &entry);
            after = entry.number;
        }
        if rows.len() < BATCH as usize {
            return Ok(hash);
        }
    }
}

impl Accounts {
    /// Writes a line about what was done in the console.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn audit(
        &self,
        user: &str,
        action: &str,
        subject: &str,
        now: Timestamp,
    ) -> Result<(), AccountError> {
        self.audit_via("", user, action, subject, now).await?;
        Ok(())
    }

    /// Writes a line about what was done with an API token, and gives its number.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn audit_via(
        &self,
        via: &str,
        user: &str,
        action: &str,
        subject: &str,
        now: Timestamp,
    ) -> Result<i64, AccountError> {
        let line = Line {
            user,
            action,
            subject,
            via,
        };
        let mut transaction = self.store.begin().await?;
        let number = append(&mut transaction, line, now).await?;
        transaction.commit().await?;
        Ok(number)
    }

    /// The newest lines, the newest first.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn audit_log(&self, limit: u32) -> Result<Vec<Entry>, AccountError> {
        let rows = sqlx::query("SELECT * FROM audit ORDER BY number DESC LIMIT $1")
            .bind(i64::from(limit))
            .fetch_all(self.store.pool())
            .await?;
        Ok(rows.iter().map(read_entry).collect::<Result<_, _>>()?)
    }

    /// The lines looked for, the newest first, and whether there are more after them.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn audit_search(
        &self,
        wanted: &Wanted,
        offset: u32,
        limit: u32,
    ) -> Result<(Vec<Entry>, bool), AccountError> {
        let end = format!(
            "ORDER BY number DESC LIMIT {} OFFSET {offset}",
            u64::from(limit) + 1
        );
        let (statement, values) = wanted.conditions()?.into_query("SELECT * FROM audit", &end);
        let rows = sqlx::query_with(statement, values)
            .fetch_all(self.store.pool())
            .await?;
        let mut lines: Vec<Entry> = rows.iter().map(read_entry).collect::<Result<_, _>>()?;
        let more = lines.len() > limit as usize;
        lines.truncate(limit as usize);
        Ok((lines, more))
    }

    /// Lines of a span, the oldest first, at most the given number and 1,000.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn audit_lines(&self, span: Span, limit: u32) -> Result<Vec<Entry>, AccountError> {
        let mut conditions = Conditions::default();
        conditions.add("number > {}", span.after)?;
        if let Some(before) = span.before {
            conditions.add("number < {}", before)?;
        }
        if let Some(from) = span.from {
            conditions.add("at >= {}", from.as_millisecond())?;
        }
        if let Some(to) = span.to {
            conditions.add("at < {}", to.as_millisecond())?;
        }
        let end = format!("ORDER BY number LIMIT {}", limit.min(BATCH));
        let (statement, values) = conditions.into_query("SELECT * FROM audit", &end);
        let rows = sqlx::query_with(statement, values)
            .fetch_all(self.store.pool())
            .await?;
        Ok(rows.iter().map(read_entry).collect::<Result<_, _>>()?)
    }

    /// Reads the whole chain and says whether it holds.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn verify_audit(&self) -> Result<Verdict, AccountError> {
        let (mut last, mut hash, mut lines) = (0, String::new(), 0_u64);
        let mut chained_yet = false;
        loop {
            let span = Span {
                after: last,
                ..Span::default()
            };
            let batch = self.audit_lines(span, BATCH).await?;
            for entry in &batch {
                let broken = |why| Verdict::Broken {
                    number: entry.number,
                    why,
                };
                hash = chained(&hash, entry);
                if entry.hash.is_empty() && chained_yet {
                    return Ok(broken("it has no hash"));
                }
                if !entry.hash.is_empty() {
                    if chained_yet && entry.number != last + 1 {
                        return Ok(broken("a line before it is missing"));
                    }
                    chained_yet = true;
                    if entry.hash != hash {
                        return Ok(broken(
                            "its hash does not fit; it or a line before it was changed",
                        ));
                    }
                }
                last = entry.number;
                lines += 1;
            }
            if batch.len() < BATCH as usize {
                break;
            }
        }
        // The head is read before the newest number, so that a line that is written meanwhile does not look missing.
        let head: i64 = sqlx::query_scalar("SELECT number FROM audit_head")
            .fetch_one(self.store.pool())
            .await?;
        let newest: Option<i64> = sqlx::query_scalar("SELECT max(number) FROM audit")
            .fetch_one(self.store.pool())
            .await?;
        if newest.unwrap_or(0) < head {
            return Ok(Verdict::Broken {
                number: head,
                why: "the last line that was written is missing",
            });
        }
        Ok(Verdict::Whole { lines, hash })
    }
}

fn read_entry(row: &AnyRow) -> Result<Entry, sqlx::Error> {
    Ok(Entry {
        number: row.try_get("number")?,
        at: timestamp(row, "at")?,
        user: row.try_get("account")?,
        action: row.try_get("action")?,
        subject: row.try_get("subject")?,
        via: row.try_get("via")?,
        hash: row.try_get("hash")?,
    })
}
