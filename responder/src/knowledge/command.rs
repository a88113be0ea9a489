//! `responder knowledge`: the knowledge base on the command line.

use std::io::Write;
use std::path::PathBuf;

use anyhow::Context;
use backbone::region::Region;
use clap::{Args, Subcommand};
use jiff::Timestamp;

use super::{
    Asked, Content, Entry, Knowledge, KnowledgeError, Query, Status, asked, frequent, page,
};
use crate::account::Accounts;
use crate::case::{Actor, Cases, Timing};
use crate::reply::command::served;
use crate::settings::Settings;
use crate::store::Store;

/// Entries that are listed or shown, and cases that are looked through, at most.
const MOST: u32 = 10_000;

/// The knowledge base 政策咨询问答库.
#[derive(Debug, Args)]
pub struct Arguments {
    /// Code of the region; the first that is served where absent.
    #[arg(long, global = true)]
    region: Option<String>,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Proposes an entry.
    Add {
        /// The question, as people ask it.
        #[arg(long)]
        question: String,
        /// The answer.
        #[arg(long)]
        answer: String,
        /// Its first-level subject, such as 劳动和社会保障.
        #[arg(long)]
        subject: String,
        /// Code of the unit that stands for it.
        #[arg(long)]
        unit: String,
        /// The law, regulation or document it rests on.
        #[arg(long, default_value = "")]
        basis: String,
        /// Name of the account that writes it.
        #[arg(long = "as")]
        account: String,
    },
    /// Lists entries.
    List {
        /// Only these: proposed, approved or retired.
        #[arg(long, value_parser = status)]
        status: Option<Status>,
        /// Only this unit's.
        #[arg(long, default_value = "")]
        unit: String,
    },
    /// Finds entries that are like a text; retired ones are not found.
    Search {
        /// What is looked for.
        text: String,
        /// Most to give.
        #[arg(long, default_value_t = 10)]
        limit: usize,
    },
    /// Prints what was asked again and again in answered cases; with an account, proposes it.
    Propose {
        /// How often a question was asked at least.
        #[arg(long, default_value_t = 3)]
        times: usize,
        /// Name of the account that proposes.
        #[arg(long = "as")]
        account: Option<String>,
    },
    /// Approves a proposed entry.
    Approve {
        /// Its id.
        id: String,
        /// Name of an account of the unit that stands for it.
        #[arg(long = "as")]
        account: String,
    },
    /// Retires an entry.
    Retire {
        /// Its id.
        id: String,
        /// Name of the account.
        #[arg(long = "as")]
        account: String,
    },
    /// Writes the approved entries as one web page that needs nothing else.
    Export {
        /// File to write.
        #[arg(long)]
        out: PathBuf,
    },
    /// Proposes the entries of a CSV file with the columns question, answer, subject, unit, and, if wanted, basis and source.
    Import {
        /// The file, in UTF-8.
        file: PathBuf,
        /// Name of the account that writes them.
        #[arg(long = "as")]
        account: String,
    },
}

fn status(name: &str) -> Result<Status, String> {
    Status::named(name).ok_or_else(|| "it is proposed, approved or retired".to_owned())
}

/// Runs the command.
///
/// # Errors
/// When the store, a file or the account says no.
pub async fn run(
    arguments: &Arguments,
    settings: &Settings,
    store: &Store,
    now: Timestamp,
    out: &mut impl Write,
) -> anyhow::Result<()> {
    let region = served(&settings.regions, arguments.region.as_deref())?;
    let knowledge = Knowledge::new(store.clone());
    let accounts = Accounts::new(store.clone(), settings.console.session_limits());
    match &arguments.command {
        Command::Add {
            question,
            answer,
            subject,
            unit,
            basis,
            account,
        } => {
            let content = Content {
                question: question.clone(),
                answer: answer.clone(),
                subject: subject.clone(),
                unit: unit.clone(),
                basis: basis.clone(),
                source: String::new(),
            };
            let actor = actor(&accounts, account).await?;
            let entry = knowledge.propose(&region, &content, &actor, now).await?;
            writeln!(out, "{}", entry.id)?;
        }
        Command::List { status, unit } => {
            let query = Query {
                region: region.code().to_owned(),
                status: *status,
                unit: unit.clone(),
                limit: MOST,
                ..Query::default()
            };
            for entry in knowledge.list(&query).await? {
                line(&entry, out)?;
            }
        }
        Command::Search { text, limit } => {
            for hit in knowledge.search(region.code(), text, None, *limit).await? {
                write!(out, "{:.2}  ", hit.score)?;
                line(&hit.entry, out)?;
            }
        }
        Command::Propose { times, account } => {
            let actor = match account {
                Some(account) => Some(actor(&accounts, account).await?),
                None => None,
            };
            let cases = Cases::new(store.clone(), Timing::default());
            let asked = asked(&cases, region.code(), MOST).await?;
            for found in frequent(&asked, *times) {
                let case = &found.asked.case;
                writeln!(
                    out,
                    "{}次  {}（案件{case}）",
                    found.times, found.asked.question
                )?;
                if let Some(actor) = &actor {
                    propose(&knowledge, &region, found.asked, actor, now, out).await?;
                }
            }
        }
        Command::Approve { id, account } => {
            let actor = actor(&accounts, account).await?;
            let version = version(&knowledge, &region, id).await?;
            knowledge.approve(id, version, &actor, now).await?;
        }
        Command::Retire { id, account } => {
            let actor = actor(&accounts, account).await?;
            let version = version(&knowledge, &region, id).await?;
            knowledge.retire(id, version, &actor, now).await?;
        }
        Command::Export { out: file } => {
            let query = Query {
                region: region.code().to_owned(),
                status: Some(Status::Approved),
                limit: MOST,
                ..Query::default()
            };
            let approved = knowledge.list(&query).await?;
            std::fs::write(file, page(&region, &approved, now)?)
                .with_context(|| format!("cannot write {}", file.display()))?;
            writeln!(out, "{} entries in {}", approved.len(), file.display())?;
        }
        Command::Import { file, account } => {
            let actor = actor(&accounts, account).await?;
            let mut reader = csv::Reader::from_path(file)
                .with_context(|| format!("cannot read {}", file.display()))?;
            for (row, content) in reader.deserialize().enumerate() {
                let place = || format!("{}, row {}", file.display(), row + 2);
                let content: Content = content.with_context(place)?;
                match knowledge.propose(&region, &content, &actor, now).await {
                    Ok(entry) => writeln!(out, "{}", entry.id)?,
                    Err(KnowledgeError::Known) => writeln!(out, "已有：{}", content.question)?,
                    Err(error) => return Err(error).with_context(place),
                }
            }
        }
    }
    Ok(())
}

fn line(entry: &Entry, out: &mut impl Write) -> std::io::Result<()> {
    let Content {
        question,
        unit,
        subject,
        ..
    } = &entry.content;
    let status = entry.status.title();
    writeln!(out, "{}  {status}  {subject}  {unit}  {question}", entry.id)
}

async fn actor(accounts: &Accounts, name: &str) -> anyhow::Result<Actor> {
    let known = accounts.list().await?;
    let account = (known.iter()).find(|user| user.name == name && user.active);
    account.map(crate::account::User::actor).with_context(|| {
        format!("there is no active account `{name}`; `responder user add` makes one")
    })
}

async fn version(knowledge: &Knowledge, region: &Region, id: &str) -> anyhow::Result<i64> {
    let entry = knowledge.get(id).await?;
    let entry = entry.filter(|entry| entry.region == region.code());
    Ok(entry.ok_or(KnowledgeError::NotFound)?.version)
}

async fn propose(
    knowledge: &Knowledge,
    region: &Region,
    asked: Asked,
    actor: &Actor,
    now: Timestamp,
    out: &mut impl Write,
) -> anyhow::Result<()> {
    let content = Content {
        question: asked.question,
        answer: asked.reply,
        subject: asked.subject,
        unit: asked.unit,
        basis: String::new(),
        source: asked.case,
    };
    match knowledge.propose(region, &content, actor, now).await {
        Ok(entry) => writeln!(out, "  已提出：{}", entry.id)?,
        Err(KnowledgeError::Store(error)) => return Err(error.into()),
        Err(refused) => writeln!(out, "  未提出：{refused}")?,
    }
    Ok(())
}
