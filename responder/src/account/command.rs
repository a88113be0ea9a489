//! Accounts, tokens and the audit from the command line.

use std::io::{BufRead, Read, Write};

use anyhow::{Context, bail};
use clap::Subcommand;
use jiff::Timestamp;

use super::{Accounts, Format, NewToken, NewUser, Scope, Span, Verdict};
use crate::case::Role;
use crate::regions;
use crate::settings::Settings;
use crate::store::Store;

/// Accounts of the console.
#[derive(Debug, Subcommand)]
pub enum User {
    /// Adds an account; the password is read from the first line of standard input, and must be changed at the first sign-in.
    Add {
        /// Name to sign in with: letters, digits, `-`, `_` and `.`.
        name: String,
        /// Name shown on pages.
        #[arg(long)]
        display_name: String,
        /// What the account may do.
        #[arg(long, value_parser = role)]
        role: Role,
        /// Code of the region of a unit's account.
        #[arg(long, default_value = "")]
        region: String,
        /// Code of the unit of a unit's account.
        #[arg(long, default_value = "")]
        unit: String,
    },
}

/// Tokens with which programs use the API.
#[derive(Debug, Subcommand)]
pub enum Token {
    /// Makes a token and prints its secret, this once.
    Add {
        /// Name of the account it acts for; it may do no more than the account's role.
        account: String,
        /// What it is for.
        #[arg(long)]
        label: String,
        /// What it may be used for; may be given several times.
        #[arg(long, required = true, value_parser = scope)]
        scope: Vec<Scope>,
        /// Days that it is good for, at most 366.
        #[arg(long, default_value_t = 90)]
        days: u32,
    },
    /// Lists the tokens, without their secrets.
    List,
    /// Revokes a token.
    Revoke {
        /// Its id, from the list.
        id: String,
    },
}

/// The audit of what was read and done.
#[derive(Debug, Subcommand)]
pub enum Audit {
    /// Prints its lines, the oldest first.
    Export {
        /// Only at this time or later, such as 2026-11-23T00:00:00+08:00.
        #[arg(long)]
        from: Option<Timestamp>,
        /// Only before this time.
        #[arg(long)]
        to: Option<Timestamp>,
        /// `csv` or `jsonl`.
        #[arg(long, default_value = "csv", value_parser = format)]
        format: Format,
    },
    /// Says whether a line was changed or removed. Exit code 1 where that is so.
    Verify,
}

fn role(name: &str) -> Result<Role, String> {
    let known = Role::ACCOUNTS.map(Role::name).join(", ");
    (Role::ACCOUNTS.into_iter())
        .find(|role| role.name() == name)
        .ok_or_else(|| format!("known roles are {known}"))
}

fn scope(name: &str) -> Result<Scope, String> {
    let known = Scope::ALL.map(Scope::name).join(", ");
    Scope::named(name).ok_or_else(|| format!("known scopes are {known}"))
}

fn format(name: &str) -> Result<Format, String> {
    (Format::ALL.into_iter())
        .find(|format| format.name() == name)
        .ok_or_else(|| "known formats are csv and jsonl".to_owned())
}

async fn open(settings: &Settings) -> anyhow::Result<Accounts> {
    let store = Store::existing(&settings.store.place()?).await?;
    Ok(Accounts::new(store, settings.console.session_limits()))
}

/// Runs a command of accounts.
///
/// # Errors
/// Says why it was not done.
pub async fn user(
    settings: &Settings,
    command: User,
    input: impl Read,
    out: &mut impl Write,
) -> anyhow::Result<()> {
    let User::Add {
        name,
        display_name,
        role,
        region,
        unit,
    } = command;
    let mut password = String::new();
    std::io::BufReader::new(input).read_line(&mut password)?;
    let password = password.trim_end_matches(['\r', '\n']).to_owned();
    let known = regions::load(settings)?;
    let known = known.get(&region);
    if role.of_unit()
        && known
            .and_then(|routing| routing.region().unit(&unit))
            .is_none()
    {
        bail!("there is no unit `{unit}` in region `{region}`; see its units.toml");
    }
    let user = NewUser {
        name,
        display_name,
        role,
        region,
        unit,
        password,
        must_change: true,
    };
    let accounts = open(settings).await?;
    let now = Timestamp::now();
    accounts.add(&user, now).await?;
    accounts.audit("", "add-user", &user.name, now).await?;
    writeln!(out, "account `{}` added", user.name)?;
    Ok(())
}

/// Runs a command of tokens.
///
/// # Errors
/// Says why it was not done.
pub async fn token(
    settings: &Settings,
    command: Token,
    out: &mut impl Write,
) -> anyhow::Result<()> {
    let accounts = open(settings).await?;
    let now = Timestamp::now();
    match command {
        Token::Add {
            account,
            label,
            scope,
            days,
        } => {
            let token = NewToken {
                account,
                label,
                scopes: scope,
                days,
            };
            let made = accounts.add_token(&token, "", now).await;
            let (token, secret) =
                made.with_context(|| format!("no token for `{}`", token.account))?;
            accounts.audit("", "add-token", &token.id, now).await?;
            writeln!(out, "{secret}")?;
        }
        Token::List => {
            for token in accounts.tokens().await? {
                let scopes: Vec<_> = token.scopes.iter().map(|scope| scope.name()).collect();
                let state = match (token.revoked_at, token.expires_at <= now) {
                    (Some(_), _) => "revoked",
                    (None, true) => "expired",
                    (None, false) => "good",
                };
                let used = token
                    .used_at
                    .map_or_else(|| "never".to_owned(), |at| at.to_string());
                writeln!(
                    out,
                    "{}  {state}  {}  {}  until {}  used {used}  {}",
                    token.id,
                    token.account,
                    scopes.join(","),
                    token.expires_at,
                    token.label
                )?;
            }
        }
        Token::Revoke { id } => {
            accounts.revoke_token(&id, now).await?;
            accounts.audit("", "revoke-token", &id, now).await?;
            writeln!(out, "token {id} is good no more")?;
        }
    }
    Ok(())
}

/// Runs a command of the audit.
///
/// # Errors
/// When the audit cannot be read, or it is not whole.
pub async fn audit(
    settings: &Settings,
    command: Audit,
    out: &mut impl Write,
) -> anyhow::Result<()> {
    let accounts = open(settings).await?;
    match command {
        Audit::Export { from, to, format } => {
            let mut span = Span {
                from,
                to,
                ..Span::default()
            };
            let mut first = true;
            loop {
                let lines = accounts.audit_lines(span, u32::MAX).await?;
                out.write_all(&format.write(&lines, first)?)?;
                let Some(last) = lines.last() else {
                    return Ok(());
                };
                span.after = last.number;
                first = false;
            }
        }
        Audit::Verify => match accounts.verify_audit().await? {
            Verdict::Whole { lines, hash } => {
                writeln!(out, "{lines} lines, whole; the last hash is {hash}")?;
                Ok(())
            }
            Verdict::Broken { number, why } => {
                bail!("the audit is not whole: line {number}: {why}")
            }
        },
    }
}
