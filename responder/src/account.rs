//! Accounts: who may sign in, as what, their sessions, the tokens of programs, and the audit.

mod audit;
pub mod command;
mod identity;
mod password;
mod rules;
mod session;
mod token;
mod tries;

use std::net::IpAddr;

use jiff::{SignedDuration, Timestamp};
use sqlx::Row;
use sqlx::any::AnyRow;
use thiserror::Error;

pub use audit::{Entry, Format, Span, Verdict, Wanted};
pub(crate) use audit::{Line, append};
pub use identity::{Begun, Provider};
pub use rules::{LONGEST_PASSWORD, SHORTEST_PASSWORD};
pub(crate) use session::secret;
pub use session::{Known, Listed, Origin, Session, browser};
pub use token::{Bearer, MOST_TOKEN_DAYS, NewToken, Scope, Token};

use crate::case::{Actor, Role};
use crate::store::Store;
use password::Hasher;

/// Passwords that an account does not take again: the one it has, and those before.
const REMEMBERED_PASSWORDS: usize = 5;

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
    /// Whether its password must be changed before anything else.
    pub must_change: bool,
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
            via: String::new(),
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
    /// Whether the password must be changed at the first sign-in, since it is not its owner's own.
    pub must_change: bool,
}

/// What of an account is changed; what is absent stays.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Change {
    /// The name on pages.
    pub display_name: Option<String>,
    /// What it may do, with region and unit of a unit's account.
    pub capacity: Option<(Role, String, String)>,
    /// Whether it may sign in.
    pub active: Option<bool>,
}

/// How long a session lasts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// After its beginning.
    pub absolute: SignedDuration,
    /// After it was last used.
    pub idle: SignedDuration,
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
    /// The password holds the account's name.
    #[error("密码不能包含账号名，请换一个")]
    PasswordOfName,
    /// The password is one that is tried first.
    #[error("密码过于常见，容易被猜到，请换一个（可用一句自己记得住的话）")]
    PasswordCommon,
    /// The password is one that the account had.
    #[error("不能使用最近{REMEMBERED_PASSWORDS}次用过的密码，请换一个")]
    PasswordUsed,
    /// The account was changed meanwhile.
    #[error("账号刚刚被修改，请刷新后再操作")]
    Stale,
    /// A token's label is missing or too long.
    #[error("请填写令牌用途，60字以内")]
    TokenLabel,
    /// A token is to be good for too long or not at all.
    #[error("令牌有效期为1至{MOST_TOKEN_DAYS}天")]
    TokenDays,
    /// A token is to be for nothing.
    #[error("请至少选择一项令牌权限")]
    TokenScopes,
    /// There is no such token, or it was revoked.
    #[error("没有这个令牌，或已被吊销")]
    UnknownToken,
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
    #[error("这是最后一个可用的管理员账号，不能停用或改为其他角色")]
    LastAdministrator,
    /// Too many wrong passwords; the minutes to wait.
    #[error("密码输入错误次数过多，请{0}分钟后再试")]
    TooMany(i64),
    /// The password could not be hashed.
    #[error("密码处理失败，请稍后再试")]
    Hash,
    /// The store failed.
    #[error("账号库暂时不可用，请稍后再试")]
    Store(#[from] sqlx::Error),
}

impl AccountError {
    /// Whether it is for the person who asked to put right, and not a failure.
    #[must_use]
    pub fn refused(&self) -> bool {
        !matches!(
            self,
            Self::Store(_) | Self::Hash | Self::Unknown | Self::UnknownToken
        )
    }
}

/// The accounts.
#[derive(Debug, Clone)]
pub struct Accounts {
    store: Store,
    limits: Limits,
    hasher: Hasher,
}

impl Accounts {
    /// The accounts of an opened store.
    #[must_use]
    pub fn new(store: Store, limits: Limits) -> Self {
        Self {
            store,
            limits,
            hasher: Hasher::default(),
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
            "INSERT INTO users (name, display_name, role, region, unit, password, active, created_at, must_change) \
             VALUES ($1, $2, $3, $4, $5, $6, 1, $7, $8) ON CONFLICT DO NOTHING",
        )
        .bind(&user.name)
        .bind(user.display_name.trim())
        .bind(user.role.name())
        .bind(&user.region)
        .bind(&user.unit)
        .bind(hash)
        .bind(now.as_millisecond())
        .bind(i64::from(user.must_change))
        .execute(self.store.pool())
        .await?;
        if added.rows_affected() == 0 {
            Err(AccountError::Taken)
        } else {
            Ok(())
        }
    }

    /// Sets a password and ends the account's sessions. One that is not its owner's own must be changed at the next
    /// sign-in.
    ///
    /// # Errors
    /// When the password is not good, or there is no such account.
    pub async fn set_password(
        &self,
        name: &str,
        password: &str,
        must_change: bool,
        now: Timestamp,
    ) -> Result<(), AccountError> {
        rules::check(name, password)?;
        let current: Option<String> =
            sqlx::query_scalar("SELECT password FROM users WHERE name = $1")
                .bind(name)
                .fetch_optional(self.store.pool())
                .await?;
        let current = current.ok_or(AccountError::Unknown)?;
        let before: Vec<String> = sqlx::query_scalar(
            "SELECT password FROM passwords_before WHERE account = $1 ORDER BY at DESC",
        )
        .bind(name)
        .fetch_all(self.store.pool())
        .await?;
        for known in std::iter::once(&current).chain(&before) {
            if self.matches(password, Some(known)).await? {
                return Err(AccountError::PasswordUsed);
            }
        }
        let hash = self.hasher.hash(password.to_owned()).await?;
        let mut transaction = self.store.begin().await?;
        let set = sqlx::query(
            "UPDATE users SET password = $1, must_change = $2 WHERE name = $3 AND password = $4",
        )
        .bind(hash)
        .bind(i64::from(must_change))
        .bind(name)
        .bind(&current)
        .execute(&mut *transaction)
        .await?;
        if set.rows_affected() == 0 {
            return Err(AccountError::Stale);
        }
        sqlx::query(
            "INSERT INTO passwords_before (account, password, at) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING",
        )
        .bind(name)
        .bind(&current)
        .bind(now.as_millisecond())
        .execute(&mut *transaction)
        .await?;
        for known in before.iter().skip(REMEMBERED_PASSWORDS - 2) {
            sqlx::query("DELETE FROM passwords_before WHERE account = $1 AND password = $2")
                .bind(name)
                .bind(known)
                .execute(&mut *transaction)
                .await?;
        }
        session::end_all(&mut transaction, name).await?;
        transaction.commit().await?;
        tries::forget(&self.store, name).await
    }

    /// Changes an account. Where it may do something else now, or sign in no more, its sessions end.
    ///
    /// # Errors
    /// When there is no such account, what is to be is wrong, or it is the last active administrator's.
    pub async fn change(&self, name: &str, change: &Change) -> Result<User, AccountError> {
        let mut transaction = self.store.begin().await?;
        // Two administrators who each take the other's leave at once: the second waits for the first.
        sqlx::query("UPDATE users SET active = active WHERE role = 'administrator'")
            .execute(&mut *transaction)
            .await?;
        let row = sqlx::query("SELECT * FROM users WHERE name = $1")
            .bind(name)
            .fetch_optional(&mut *transaction)
            .await?;
        let before = read(row.as_ref().ok_or(AccountError::Unknown)?)?;
        let mut after = before.clone();
        if let Some(display_name) = &change.display_name {
            check_display_name(display_name)?;
            display_name.trim().clone_into(&mut after.display_name);
        }
        if let Some((role, region, unit)) = &change.capacity {
            check_capacity(*role, region, unit)?;
            after.role = *role;
            after.region.clone_from(region);
            after.unit.clone_from(unit);
        }
        after.active = change.active.unwrap_or(before.active);
        let set = sqlx::query(
            "UPDATE users SET display_name = $1, role = $2, region = $3, unit = $4, active = $5 \
             WHERE name = $6 AND display_name = $7 AND role = $8 AND unit = $9 AND active = $10",
        )
        .bind(&after.display_name)
        .bind(after.role.name())
        .bind(&after.region)
        .bind(&after.unit)
        .bind(i64::from(after.active))
        .bind(name)
        .bind(&before.display_name)
        .bind(before.role.name())
        .bind(&before.unit)
        .bind(i64::from(before.active))
        .execute(&mut *transaction)
        .await?;
        if set.rows_affected() == 0 {
            return Err(AccountError::Stale);
        }
        let administrators: i64 = sqlx::query_scalar(
            "SELECT count(*) FROM users WHERE active = 1 AND role = 'administrator'",
        )
        .fetch_one(&mut *transaction)
        .await?;
        if administrators == 0 {
            return Err(AccountError::LastAdministrator);
        }
        let moved =
            (after.role, &after.region, &after.unit) != (before.role, &before.region, &before.unit);
        if moved || !after.active {
            session::end_all(&mut transaction, name).await?;
        }
        transaction.commit().await?;
        Ok(after)
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
    /// After some wrong passwords for a name, or from an address, until a wait has passed that grows with each.
    pub async fn verify(
        &self,
        name: &str,
        password: &str,
        address: Option<IpAddr>,
        now: Timestamp,
    ) -> Result<Option<User>, AccountError> {
        let tried = tries::begin(&self.store, name, address, now).await?;
        let row = sqlx::query("SELECT * FROM users WHERE name = $1 AND active = 1")
            .bind(name)
            .fetch_optional(self.store.pool())
            .await?;
        let hash = row
            .as_ref()
            .map(|row| row.try_get::<String, _>("password"))
            .transpose()?;
        if self.matches(password, hash.as_ref()).await? {
            tries::succeeded(&self.store, &tried).await?;
            return row.as_ref().map(read).transpose();
        }
        Ok(None)
    }

    async fn matches(&self, password: &str, hash: Option<&String>) -> Result<bool, AccountError> {
        self.hasher
            .matches(password.to_owned(), hash.cloned())
            .await
    }
}

fn check(user: &NewUser) -> Result<(), AccountError> {
    let plain = |letter: char| letter.is_ascii_alphanumeric() || matches!(letter, '-' | '_' | '.');
    if user.name.is_empty() || user.name.len() > 40 || !user.name.chars().all(plain) {
        return Err(AccountError::Name);
    }
    check_display_name(&user.display_name)?;
    check_capacity(user.role, &user.region, &user.unit)?;
    rules::check(&user.name, &user.password)
}

fn check_display_name(name: &str) -> Result<(), AccountError> {
    if (1..=40).contains(&name.trim().chars().count()) {
        return Ok(());
    }
    Err(AccountError::DisplayName)
}

fn check_capacity(role: Role, region: &str, unit: &str) -> Result<(), AccountError> {
    if role == Role::System {
        return Err(AccountError::Role);
    }
    if (!region.is_empty(), !unit.is_empty()) != (role.of_unit(), role.of_unit()) {
        return Err(AccountError::Unit);
    }
    Ok(())
}

fn timestamp(row: &AnyRow, column: &str) -> Result<Timestamp, sqlx::Error> {
    Timestamp::from_millisecond(row.try_get(column)?)
        .map_err(|error| sqlx::Error::Decode(error.into()))
}

fn read(row: &AnyRow) -> Result<User, AccountError> {
    let role = Role::named(row.try_get("role")?).ok_or_else(|| {
        sqlx::Error::Decode("unknown role; was it written by a newer version?".into())
    })?;
    Ok(User {
        name: row.try_get("name")?,
        display_name: row.try_get("display_name")?,
        role,
        region: row.try_get("region")?,
        unit: row.try_get("unit")?,
        active: row.try_get::<i64, _>("active")? != 0,
        must_change: row.try_get::<i64, _>("must_change")? != 0,
        created_at: timestamp(row, "created_at")?,
    })
}
