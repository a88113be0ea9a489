//! Tokens with which programs use the API: made by an administrator for an account, shown once, kept as their SHA-256.
//! A token may do what its scopes name and its account's role may do, whichever is less.

use jiff::{SignedDuration, Timestamp};
use sqlx::Row;
use sqlx::any::AnyRow;

use super::session::{digest, secret};
use super::{AccountError, Accounts, User, read, timestamp};

/// How a token begins, so that one that slipped into a file is found.
const PREFIX: &str = "wensheng_";
/// Most days that a token is good for.
pub const MOST_TOKEN_DAYS: u32 = 366;
/// That a token is used is written this often.
const USED_EVERY: SignedDuration = SignedDuration::from_secs(60);

/// What a token may be used for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Scope {
    /// To read cases, their moves, notices and counts.
    CasesRead,
    /// To move cases, and to open one of an event.
    CasesMove,
    /// To search and read posts.
    PostsRead,
    /// To read events and their edits.
    EventsRead,
    /// To merge and split events.
    EventsWrite,
    /// To read silences.
    SilencesRead,
    /// To make and end silences.
    SilencesWrite,
    /// To read the roster.
    RosterRead,
    /// To swap shifts.
    RosterWrite,
    /// To read the knowledge base.
    KnowledgeRead,
    /// To propose, approve and retire entries of the knowledge base.
    KnowledgeWrite,
    /// To read commitments.
    CommitmentsRead,
    /// To add, keep and withdraw commitments.
    CommitmentsWrite,
    /// To read and export reports.
    ReportsRead,
    /// To read units.
    UnitsRead,
    /// To read how the sources are.
    SourcesRead,
    /// To pause sources and have them read again.
    SourcesWrite,
    /// To read which posts were erased, and the proof.
    ErasuresRead,
    /// To have posts erased.
    ErasuresWrite,
    /// To read accounts.
    AccountsRead,
    /// To read and export the audit.
    AuditRead,
}

impl Scope {
    /// All scopes.
    pub const ALL: [Self; 21] = [
        Self::CasesRead,
        Self::CasesMove,
        Self::PostsRead,
        Self::EventsRead,
        Self::EventsWrite,
        Self::SilencesRead,
        Self::SilencesWrite,
        Self::RosterRead,
        Self::RosterWrite,
        Self::KnowledgeRead,
        Self::KnowledgeWrite,
        Self::CommitmentsRead,
        Self::CommitmentsWrite,
        Self::ReportsRead,
        Self::UnitsRead,
        Self::SourcesRead,
        Self::SourcesWrite,
        Self::ErasuresRead,
        Self::ErasuresWrite,
        Self::AccountsRead,
        Self::AuditRead,
    ];

    /// Its name.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::CasesRead => "cases:read",
            Self::CasesMove => "cases:move",
            Self::PostsRead => "posts:read",
            Self::EventsRead => "events:read",
            Self::EventsWrite => "events:write",
            Self::SilencesRead => "silences:read",
            Self::SilencesWrite => "silences:write",
            Self::RosterRead => "roster:read",
            Self::RosterWrite => "roster:write",
            Self::KnowledgeRead => "knowledge:read",
            Self::KnowledgeWrite => "knowledge:write",
            Self::CommitmentsRead => "commitments:read",
            Self::CommitmentsWrite => "commitments:write",
            Self::ReportsRead => "reports:read",
            Self::UnitsRead => "units:read",
            Self::SourcesRead => "sources:read",
            Self::SourcesWrite => "sources:write",
            Self::ErasuresRead => "erasures:read",
            Self::ErasuresWrite => "erasures:write",
            Self::AccountsRead => "accounts:read",
            Self::AuditRead => "audit:read",
        }
    }

    /// The scope of that name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|scope| scope.name() == name)
    }
}

/// A token to make.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewToken {
    /// Name of the account it acts for.
    pub account: String,
    /// What it is for, at most 60 characters.
    pub label: String,
    /// What it may be used for, one at least.
    pub scopes: Vec<Scope>,
    /// Days that it is good for, 1 to [`MOST_TOKEN_DAYS`].
    pub days: u32,
}

/// A token as it is listed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Token {
    /// What it is called.
    pub id: String,
    /// Name of the account it acts for.
    pub account: String,
    /// What it is for.
    pub label: String,
    /// What it may be used for.
    pub scopes: Vec<Scope>,
    /// Name of the account that made it; empty where that was done by a command.
    pub made_by: String,
    /// When it was made.
    pub created_at: Timestamp,
    /// Until when it is good.
    pub expires_at: Timestamp,
    /// When it was last used, within a minute.
    pub used_at: Option<Timestamp>,
    /// When it was revoked.
    pub revoked_at: Option<Timestamp>,
}

/// Who shows a token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bearer {
    /// The account it acts for.
    pub user: User,
    /// What it may be used for.
    pub scopes: Vec<Scope>,
    /// What the token is called.
    pub id: String,
}

impl Accounts {
    /// Makes a token, and gives its secret, which is kept nowhere.
    ///
    /// # Errors
    /// Says what is wrong with it.
    pub async fn add_token(
        &self,
        token: &NewToken,
        made_by: &str,
        now: Timestamp,
    ) -> Result<(Token, String), AccountError> {
        if !(1..=60).contains(&token.label.trim().chars().count()) {
            return Err(AccountError::TokenLabel);
        }
        if !(1..=MOST_TOKEN_DAYS).contains(&token.days) {
            return Err(AccountError::TokenDays);
        }
        let mut scopes = token.scopes.clone();
        scopes.sort_unstable();
        scopes.dedup();
        if scopes.is_empty() {
            return Err(AccountError::TokenScopes);
        }
        let made = Token {
            id: hex::encode(rand::random::<[u8; 8]>()),
            account: token.account.clone(),
            label: token.label.trim().to_owned(),
            scopes,
            made_by: made_by.to_owned(),
            created_at: now,
            expires_at: now + SignedDuration::from_hours(24 * i64::from(token.days)),
            used_at: None,
            revoked_at: None,
        };
        let shown = format!("{PREFIX}{}", secret());
        let names: Vec<&str> = made.scopes.iter().map(|scope| scope.name()).collect();
        let added = sqlx::query(
            "INSERT INTO api_tokens (id, token, account, label, scopes, made_by, created_at, expires_at) \
             SELECT $1, $2, name, $4, $5, $6, $7, $8 FROM users WHERE name = $3",
        )
        .bind(&made.id)
        .bind(digest(&shown))
        .bind(&made.account)
        .bind(&made.label)
        .bind(names.join(" "))
        .bind(&made.made_by)
        .bind(now.as_millisecond())
        .bind(made.expires_at.as_millisecond())
        .execute(self.store.pool())
        .await?;
        if added.rows_affected() == 0 {
            return Err(AccountError::Unknown);
        }
        Ok((made, shown))
    }

    /// All tokens, the newest first.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn tokens(&self) -> Result<Vec<Token>, AccountError> {
        let rows = sqlx::query("SELECT * FROM api_tokens ORDER BY created_at DESC, id")
            .fetch_all(self.store.pool())
            .await?;
        rows.iter().map(read_token).collect()
    }

    /// Revokes a token.
    ///
    /// # Errors
    /// When there is no such token, or it was revoked before.
    pub async fn revoke_token(&self, id: &str, now: Timestamp) -> Result<(), AccountError> {
        let revoked = sqlx::query(
            "UPDATE api_tokens SET revoked_at = $1 WHERE id = $2 AND revoked_at IS NULL",
        )
        .bind(now.as_millisecond())
        .bind(id)
        .execute(self.store.pool())
        .await?;
        if revoked.rows_affected() == 0 {
            return Err(AccountError::UnknownToken);
        }
        Ok(())
    }

    /// Who shows this secret; none when it is no token's, or of one that has expired, was revoked, or is of an
    /// account that is no longer active.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn bearer(
        &self,
        shown: &str,
        now: Timestamp,
    ) -> Result<Option<Bearer>, AccountError> {
        let row = sqlx::query(
            "SELECT users.*, api_tokens.id, api_tokens.scopes, api_tokens.used_at \
             FROM api_tokens JOIN users ON users.name = api_tokens.account \
             WHERE api_tokens.token = $1 AND api_tokens.expires_at > $2 AND api_tokens.revoked_at IS NULL \
             AND users.active = 1",
        )
        .bind(digest(shown))
        .bind(now.as_millisecond())
        .fetch_optional(self.store.pool())
        .await?;
        let Some(row) = row else {
            return Ok(None);
        };
        let bearer = Bearer {
            user: read(&row)?,
            scopes: read_scopes(&row)?,
            id: row.try_get("id")?,
        };
        let used_at: Option<i64> = row.try_get("used_at")?;
        let due = (now - USED_EVERY).as_millisecond();
        if used_at.is_none_or(|used_at| used_at <= due) {
            sqlx::query("UPDATE api_tokens SET used_at = $1 WHERE id = $2")
                .bind(now.as_millisecond())
                .bind(&bearer.id)
                .execute(self.store.pool())
                .await?;
        }
        Ok(Some(bearer))
    }
}

fn read_scopes(row: &AnyRow) -> Result<Vec<Scope>, AccountError> {
    let scopes: String = row.try_get("scopes")?;
    // A scope that this version does not know allows nothing.
    Ok(scopes.split(' ').filter_map(Scope::named).collect())
}

fn read_token(row: &AnyRow) -> Result<Token, AccountError> {
    let maybe = |column| -> Result<Option<Timestamp>, AccountError> {
        match row.try_get::<Option<i64>, _>(column)? {
            None => Ok(None),
            Some(_) => Ok(Some(timestamp(row, column)?)),
        }
    };
    Ok(Token {
        id: row.try_get("id")?,
        account: row.try_get("account")?,
        label: row.try_get("label")?,
        scopes: read_scopes(row)?,
        made_by: row.try_get("made_by")?,
        created_at: timestamp(row, "created_at")?,
        expires_at: timestamp(row, "expires_at")?,
        used_at: maybe("used_at")?,
        revoked_at: maybe("revoked_at")?,
    })
}
