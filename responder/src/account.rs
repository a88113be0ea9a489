//! Accounts of the console: who may sign in, as what, their sessions, and the audit.

mod audit;
mod password;
mod session;

use std::sync::Arc;

use jiff::Timestamp;
use sqlx::Row;
use sqlx::any::AnyRow;
use thiserror::Error;

pub use audit::Entry;
pub use session::Session;
pub(crate) use session::secret;

use crate::case::{Actor, Role};
use crate::store::Store;
use password::{Attempts, Hasher};

/// Fewest characters of a password.
pub const SHORTEST_PASSWORD: usize = 10;
/// Most characters of a password.
pub const LONGEST_PASSWORD: usize = 200;

/// An account that may sign in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct User {
    /// The name to sign in with.
    pub name: String,
    /// The name on pages.
    pub display_name: String,
    /// What it may do.
    pub role: Role,
    /// Region code of a unit's account; empty for the office's accounts.
    pub region: String,
    /// Unit code of a unit's account; empty for the office's accounts.
    pub unit: String,
    /// Whether it may sign in.
    pub active: bool,
    /// When it was added.
    pub created_at: Timestamp,
}

impl User {
    /// The account as it acts on cases.
    #[must_use]
    pub fn actor(&self) -> Actor {
        Actor {
            name: self.name.clone(),
            role: self.role,
            region: self.region.clone(),
            unit: self.unit.clone(),
        }
    }
}

/// An account to add.
#[derive(Clone, PartialEq, Eq)]
pub struct NewUser {
    /// The name to sign in with: ASCII letters, digits, `-`, `_` and `.`, at most 40.
    pub name: String,
    /// The name on pages, at most 40 characters.
    pub display_name: String,
    /// What it may do.
    pub role: Role,
    /// Region code; for a unit's account only.
    pub region: String,
    /// Unit code; for a unit's account only.
    pub unit: String,
    /// The password, [`SHORTEST_PASSWORD`] characters or more.
    pub password: String,
}

/// What was asked of the accounts was not done. The text is for the person who asked.
#[derive(Debug, Error)]
pub enum AccountError {
    /// The name cannot be an account's.
    #[error("账号名只能用英文字母、数字和 - _ . ，1至40个字符")]
    Name,
    /// The display name is missing or too long.
    #[error("请填写姓名或岗位，40字以内")]
    DisplayName,
    /// The name is another account's.
    #[error("账号名已被使用，请换一个")]
    Taken,
    /// The password is too short or too long.
    #[error("密码至少{SHORTEST_PASSWORD}个字符，最多{LONGEST_PASSWORD}个字符")]
    Password,
    /// An account of a unit names no unit, or one of the office names one.
    #[error("单位负责人和联络员须选定一个单位，其他角色不选单位")]
    Unit,
    /// The system itself has no account.
    #[error("不能添加这种角色的账号")]
    Role,
    /// There is no such account.
    #[error("没有这个账号")]
    Unknown,
    /// Nobody could manage accounts any more.
    #[error("这是最后一个可用的管理员账号，不能停用")]
    LastAdministrator,
    /// Too many wrong passwords.
    #[error("密码输入错误次数过多，请5分钟后再试")]
    TooMany,
    /// The password could not be hashed.
    #[error("密码处理失败，请稍后再试")]
    Hash,
    /// The store failed.
    #[error("账号库暂时不可用，请稍后再试")]
    Store(#[from] sqlx::Error),
}

/// The accounts.
#[derive(Debug, Clone)]
pub struct Accounts {
    store: Store,
    session_hours: u32,
    hasher: Hasher,
    attempts: Arc<Attempts>,
}

impl Accounts {
    /// The accounts of an opened store.
    #[must_use]
    pub fn new(store: Store, session_hours: u32) -> Self {
        Self {
            store,
            session_hours,
            hasher: Hasher::default(),
            attempts: Arc::default(),
        }
    }

    /// Whether there is no account yet.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn is_empty(&self) -> Result<bool, AccountError> {
        let users: i64 = sqlx::query_scalar("SELECT count(*) FROM users")
            .fetch_one(self.store.pool())
            .await?;
        Ok(users == 0)
    }

    /// Adds an account. Whether the unit exists is for the caller to know.
    ///
    /// # Errors
    /// Says what is wrong with it.
    pub async fn add(&self, user: &NewUser, now: Timestamp) -> Result<(), AccountError> {
        check(user)?;
        let hash = self.hasher.hash(user.password.clone()).await?;
        let added = sqlx::query(
            "INSERT INTO users (name, display_name, role, region, unit, password, active, created_at) \
             VALUES ($1, $2, $3, $4, $5, $6, 1, $7) ON CONFLICT DO NOTHING",
        )
        .bind(&user.name)
        .bind(user.display_name.trim())
        .bind(user.role.name())
        .bind(&user.region)
        .bind(&user.unit)
        .bind(hash)
        .bind(now.as_millisecond())
        .execute(self.store.pool())
        .await?;
        if added.rows_affected() == 0 {
            Err(AccountError::Taken)
        } else {
            Ok(())
        }
    }

    /// Sets a password and ends the account's sessions.
    ///
    /// # Errors
    /// When the password is too short or there is no such account.
    pub async fn set_password(&self, name: &str, password: &str) -> Result<(), AccountError> {
        check_password(password)?;
        let hash = self.hasher.hash(password.to_owned()).await?;
        let mut transaction = self.store.begin().await?;
        let set = sqlx::query("UPDATE users SET password = $1 WHERE name = $2")
            .bind(hash)
            .bind(name)
            .execute(&mut *transaction)
            .await?;
        if set.rows_affected() == 0 {
            return Err(AccountError::Unknown);
        }
        session::end_all(&mut transaction, name).await?;
        transaction.commit().await?;
        self.attempts.forget(name);
        Ok(())
    }

    /// Lets an account sign in, or ends its sessions and does not let it in any more.
    ///
    /// # Errors
    /// When there is no such account, or it is the last active administrator's.
    pub async fn set_active(&self, name: &str, active: bool) -> Result<(), AccountError> {
        let mut transaction = self.store.begin().await?;
        let set = sqlx::query("UPDATE users SET active = $1 WHERE name = $2")
            .bind(i64::from(active))
            .bind(name)
            .execute(&mut *transaction)
            .await?;
        if set.rows_affected() == 0 {
            return Err(AccountError::Unknown);
        }
        let administrators: i64 = sqlx::query_scalar(
            "SELECT count(*) FROM users WHERE active = 1 AND role = 'administrator'",
        )
        .fetch_one(&mut *transaction)
        .await?;
        if administrators == 0 {
            return Err(AccountError::LastAdministrator);
        }
        if !active {
            session::end_all(&mut transaction, name).await?;
        }
        transaction.commit().await?;
        Ok(())
    }

    /// All accounts, the active first, by name.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn list(&self) -> Result<Vec<User>, AccountError> {
        let rows = sqlx::query("SELECT * FROM users ORDER BY active DESC, name")
            .fetch_all(self.store.pool())
            .await?;
        rows.iter().map(read).collect()
    }

    /// The active account of that name, if the password is its own. Takes as long where there is none,
    /// so that the time does not tell which names exist.
    ///
    /// # Errors
    /// After ten wrong passwords for a name, until five minutes have passed.
    pub async fn verify(
        &self,
        name: &str,
        password: &str,
        now: Timestamp,
    ) -> Result<Option<User>, AccountError> {
        if self.attempts.refused(name, now) {
            return Err(AccountError::TooMany);
        }
        let row = sqlx::query("SELECT * FROM users WHERE name = $1 AND active = 1")
            .bind(name)
            .fetch_optional(self.store.pool())
            .await?;
        let hash = row
            .as_ref()
            .map(|row| row.try_get::<String, _>("password"))
            .transpose()?;
        if self.hasher.matches(password.to_owned(), hash).await? {
            self.attempts.forget(name);
            return row.as_ref().map(read).transpose();
        }
        self.attempts.failed(name, now);
        Ok(None)
    }
}

fn check(user: &NewUser) -> Result<(), AccountError> {
    let plain = |letter: char| letter.is_ascii_alphanumeric() || matches!(letter, '-' | '_' | '.');
    if user.name.is_empty() || user.name.len() > 40 || !user.name.chars().all(plain) {
        return Err(AccountError::Name);
    }
    if !(1..=40).contains(&user.display_name.trim().chars().count()) {
        return Err(AccountError::DisplayName);
    }
    if user.role == Role::System {
        return Err(AccountError::Role);
    }
    let named = (!user.region.is_empty(), !user.unit.is_empty());
    if named != (user.role.of_unit(), user.role.of_unit()) {
        return Err(AccountError::Unit);
    }
    check_password(&user.password)
}

fn check_password(password: &str) -> Result<(), AccountError> {
    if (SHORTEST_PASSWORD..=LONGEST_PASSWORD).contains(&password.chars().count()) {
        return Ok(());
    }
    Err(AccountError::Password)
}

fn read(row: &AnyRow) -> Result<User, AccountError> {
    let role = Role::named(row.try_get("role")?).ok_or_else(|| {
        sqlx::Error::Decode("unknown role; was it written by a newer version?".into())
    })?;
    let created_at = Timestamp::from_millisecond(row.try_get("created_at")?)
        .map_err(|error| sqlx::Error::Decode(error.into()))?;
    Ok(User {
        name: row.try_get("name")?,
        display_name: row.try_get("display_name")?,
        role,
        region: row.try_get("region")?,
        unit: row.try_get("unit")?,
        active: row.try_get::<i64, _>("active")? != 0,
        created_at,
    })
}
