//! Erasing from the command line, and the proof.

use std::io::Write;

use anyhow::{Context, bail};
use clap::Args;
use clickhouse::Client;
use jiff::Timestamp;

use super::{Erasures, Known, Looked};
use crate::account::Accounts;
use crate::case::{Actor, Role};
use crate::clock::time as shown;
use crate::store::Store;

/// Which post is erased, and why.
#[derive(Debug, Args)]
pub struct Erase {
    /// The post's id, as its page and the exports have it.
    post: String,
    /// Why, and on which ground; kept with the proof.
    #[arg(long)]
    reason: String,
    /// The account of who decided: an administrator or a leader.
    #[arg(long)]
    by: Option<String>,
}

/// Has a post erased; a responder that runs does it.
///
/// # Errors
/// Says why that cannot be.
pub async fn erase(
    asked: &Erase,
    store: &Store,
    accounts: &Accounts,
    archive: &Client,
    now: Timestamp,
    out: &mut impl Write,
) -> anyhow::Result<()> {
    let actor = match &asked.by {
        Some(name) => {
            let users = accounts.list().await?;
            let user = users.iter().find(|user| user.name == *name);
            user.with_context(|| format!("no account `{name}`"))?
                .actor()
        }
        None => Actor {
            name: String::new(),
            role: Role::Administrator,
            ..Actor::system()
        },
    };
    let erasures = Erasures::new(store.clone());
    erasures
        .begin(archive, &asked.post, &asked.reason, &actor, now)
        .await?;
    writeln!(
        out,
        "the erasure of {} is begun; `responder erasure {}` shows how far it is",
        asked.post, asked.post
    )?;
    Ok(())
}

/// Prints how far the erasure of a post is, place by place; all erasures where none is named.
///
/// # Errors
/// When there is no such erasure, or the store fails.
pub async fn show(store: &Store, post: Option<&str>, out: &mut impl Write) -> anyhow::Result<()> {
    let erasures = Erasures::new(store.clone());
    let Some(post) = post else {
        let (all, total) = erasures.list(0, 1_000).await?;
        for known in &all {
            writeln!(out, "{}", line(known))?;
        }
        writeln!(out, "{total} erasures")?;
        return Ok(());
    };
    let Some(known) = erasures.get(post).await? else {
        bail!("no erasure of `{post}`");
    };
    writeln!(out, "{}", line(&known))?;
    writeln!(out, "found before\tfound after\tlooked at\tgone by\tplace")?;
    for Looked { found, until, at } in erasures.places(post).await? {
        let until = until.map_or_else(|| "-".to_owned(), shown);
        let (before, after, at) = (found.before, found.after, shown(at));
        writeln!(out, "{before}\t{after}\t{at}\t{until}\t{}", found.place)?;
    }
    Ok(())
}

fn line(known: &Known) -> String {
    format!(
        "{}\t{}\t{}",
        known.post,
        shown(known.at),
        known.state.name()
    )
}
