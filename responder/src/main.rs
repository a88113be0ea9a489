//! The responder's program.

use std::collections::BTreeMap;
use std::io::{Write, stdin};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::Context;
use backbone::dead_letters;
use backbone::message::{self, Alert};
use backbone::service::{self, Output};
use backbone::settings::Problems;
use clap::{Parser, Subcommand};
use jiff::Timestamp;
use mimalloc::MiMalloc;
use responder::account::{Accounts, command};
use responder::calendar::Calendar;
use responder::case::{Cases, Timing};
use responder::correction::Corrections;
use responder::notify::trial;
use responder::roster::{self, Roster};
use responder::routing::{Moment, Open, Routing, Silences};
use responder::settings::Settings;
use responder::store::{self, Store};
use responder::{app, check, erasure, held, knowledge, regions, reply, report};

// Alerts and cases are many small pieces of memory, as posts are in the analyzer.
#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

/// Makes a case of each event that reached a level, gets it to the units responsible, and serves the
/// console. Without a command it runs until stopped.
#[derive(Parser)]
#[command(
    version,
    after_help = "Examples:
  responder --config deploy/config/responder.toml                 runs until Ctrl-C
  responder --config deploy/config/responder.toml check-config    says what is wrong with settings, units or routing
  responder --config deploy/config/responder.toml route backbone/examples/alerts/v1/yellow.json
  responder --config … notify-test 值班室 --region 360921         sends a test message by each channel of a contact
  responder --config deploy/config/responder.toml roster import deploy/sample/roster.csv --region 990101
  printf '%s\\n' \"$PASSWORD\" | responder --config … user add zhang --display-name 张三 --role duty-officer
  responder --config … token add zhang --label 大屏 --scope cases:read        prints a token for the API, this once
  responder --config … report weekly --region 360921 --from 2026-11-16 --to 2026-11-22 --out reports --format docx,pdf
  responder --config … audit verify                               says whether a line of the audit was changed or removed

Environment: WENSHENG_ADMIN_PASSWORD (the first administrator's password), RUST_LOG (what is logged),
WENSHENG_LOG_FORMAT=json, and the variables that the settings name for secrets."
)]
struct Arguments {
    /// Settings file.
    #[arg(long, default_value = "deploy/config/responder.toml", global = true)]
    config: PathBuf,
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Subcommand)]
enum Command {
    /// Checks the settings, the units, the routing, the calendar and the roster, and says what is wrong. Exit code 2 on a problem;
    /// what is not wrong but will be missed is a warning.
    CheckConfig,
    /// Says who would get the matter of an alert now, and why: every rule tried, who is told by which channel, and what holds
    /// the notices back. Silences and the alerts of open cases are those of the store, where there is one.
    Route {
        /// File with one alert message as JSON.
        file: PathBuf,
        /// As JSON.
        #[arg(long)]
        json: bool,
    },
    /// Sends a test message by each way to reach a contact and says which worked. Exit code 1 where none did.
    NotifyTest {
        /// Name of the contact in units.toml.
        contact: String,
        /// Code of the region.
        #[arg(long)]
        region: String,
        /// Code of the contact's unit, where several units have one of that name.
        #[arg(long)]
        unit: Option<String>,
    },
    /// Who is on duty when.
    #[command(subcommand)]
    Roster(roster::command::Command),
    /// Checks a draft against the posts it answers: points without an answer, what is missing, what should not be said.
    ReplyCheck(reply::command::Arguments),
    /// The knowledge base: questions that people ask again and again, and what the units answer.
    Knowledge(knowledge::command::Arguments),
    /// Reports.
    Report(report::command::Arguments),
    /// Accounts of the console.
    #[command(subcommand)]
    User(command::User),
    /// Tokens with which programs use the API.
    #[command(subcommand)]
    Token(command::Token),
    /// The audit of what was read and done.
    #[command(subcommand)]
    Audit(command::Audit),
    /// Has a post erased on request, wherever its words are.
    Erase(erasure::command::Erase),
    /// Prints how far erasures are, and of one what was found where.
    Erasure {
        /// The post's id; all erasures where it is absent.
        post: Option<String>,
    },
    /// Prints all that is held of one post, as JSON, and writes that into the audit.
    Held {
        /// The post's id or its address.
        post: String,
    },
    /// Prints what duty officers corrected, a line of JSON each, for `analyzer train --corrections`.
    Corrections,
    /// Writes the whole store into a file, while the responder runs.
    Backup {
        /// File to write; it must not exist.
        file: PathBuf,
    },
    /// Reads a backup into a place where there is no store yet.
    Restore {
        /// File that `backup` wrote.
        file: PathBuf,
    },
    /// Lists or replays dead letters.
    #[command(subcommand)]
    DeadLetters(dead_letters::Command),
}

#[tokio::main]
async fn main() -> ExitCode {
    match run(Arguments::parse()).await {
        Err(error) if error.is::<trial::NotReached>() => ExitCode::FAILURE,
        ended => service::exit_code(ended),
    }
}

async fn run(arguments: Arguments) -> anyhow::Result<()> {
    service::start_logs();
    let settings = || Settings::load(&arguments.config);
    match arguments.command {
        None => app::run(settings()?, service::stop_on_signal()?).await,
        Some(Command::CheckConfig) => {
            let mut problems = Problems::default();
            let now = Timestamp::now();
            let warnings = check::config(&arguments.config, now, &mut problems).await;
            for warning in warnings {
                writeln!(Output, "warning: {warning}")?;
            }
            problems.tell(&mut Output)?;
            let file = arguments.config.display();
            Ok(writeln!(Output, "{file} is in order")?)
        }
        Some(Command::NotifyTest {
            contact,
            region,
            unit,
        }) => notify_test(&settings()?, &contact, &region, unit.as_deref()).await,
        Some(Command::Route { file, json }) => route(&settings()?, &file, json).await,
        Some(Command::Roster(command)) => roster(&settings()?, &command).await,
        Some(Command::ReplyCheck(asked)) => {
            reply::command::run(&asked, &settings()?.regions, &mut Output)
        }
        Some(Command::Knowledge(asked)) => {
            let settings = settings()?;
            let store = Store::existing(&settings.store.place()?).await?;
            knowledge::command::run(&asked, &settings, &store, Timestamp::now(), &mut Output).await
        }
        Some(Command::Report(asked)) => report(&settings()?, &asked).await,
        Some(Command::Erase(asked)) => {
            let settings = settings()?;
            let store = Store::existing(&settings.store.place()?).await?;
            let accounts = Accounts::new(store.clone(), settings.console.session_limits());
            let archive = backbone::clickhouse::client(&settings.clickhouse)?;
            let now = Timestamp::now();
            erasure::command::erase(&asked, &store, &accounts, &archive, now, &mut Output).await
        }
        Some(Command::Held { post }) => {
            let settings = settings()?;
            let store = Store::existing(&settings.store.place()?).await?;
            let accounts = Accounts::new(store.clone(), settings.console.session_limits());
            let archive = backbone::clickhouse::client(&settings.clickhouse)?;
            let now = Timestamp::now();
            let held = held::held(&store, &archive, &post, now).await?;
            let held = held.with_context(|| format!("nothing is held of `{post}`"))?;
            accounts.audit("", "read-held", &held.post, now).await?;
            serde_json::to_writer_pretty(Output, &held)?;
            writeln!(Output)?;
            Ok(())
        }
        Some(Command::Erasure { post }) => {
            let settings = settings()?;
            let store = Store::existing(&settings.store.place()?).await?;
            erasure::command::show(&store, post.as_deref(), &mut Output).await
        }
        Some(Command::Corrections) => {
            let corrections = Corrections::new(Store::existing(&settings()?.store.place()?).await?);
            corrections.write(&mut Output).await
        }
        Some(Command::User(command)) => {
            command::user(&settings()?, command, stdin(), &mut Output).await
        }
        Some(Command::Backup { file }) => {
            store::backup(&settings()?.store.place()?, &file).await?;
            writeln!(Output, "the store is in {}", file.display())?;
            Ok(())
        }
        Some(Command::Restore { file }) => {
            store::restore(&settings()?.store.place()?, &file).await?;
            writeln!(Output, "the store is back from {}", file.display())?;
            Ok(())
        }
        Some(Command::Token(command)) => command::token(&settings()?, command, &mut Output).await,
        Some(Command::Audit(command)) => command::audit(&settings()?, command, &mut Output).await,
        Some(Command::DeadLetters(command)) => {
            dead_letters::run(&settings()?.kafka, &command, &mut Output).await
        }
    }
}

async fn report(settings: &Settings, asked: &report::command::Arguments) -> anyhow::Result<()> {
    let routings = regions::load(settings)?;
    let routing = served(&routings, asked.region())?;
    let store = Store::existing(&settings.store.place()?).await?;
    let timing = Timing {
        deadlines: settings.deadlines.clone(),
        calendar: Calendar::load(&settings.calendar)?,
        escalation: settings.escalation.clone(),
    };
    let cases = Cases::new(store.clone(), timing);
    let now = Timestamp::now();
    report::command::run(settings, cases, routing, &store, asked, now, &mut Output).await
}

async fn notify_test(
    settings: &Settings,
    name: &str,
    region: &str,
    unit: Option<&str>,
) -> anyhow::Result<()> {
    let routings = regions::load(settings)?;
    let routing = served(&routings, region)?;
    let (_, contact) = trial::contact(routing.region(), unit, name)?;
    trial::run(
        contact,
        &settings.channel,
        &settings.console.public_url,
        &mut Output,
        Timestamp::now(),
    )
    .await
}

async fn route(settings: &Settings, file: &Path, json: bool) -> anyhow::Result<()> {
    let payload = std::fs::read(file).with_context(|| format!("cannot read {}", file.display()))?;
    let alert: Alert = message::decode(&payload).with_context(|| file.display().to_string())?;
    let routings = regions::load(settings)?;
    let routing = served(&routings, &alert.region)?;
    let calendar = Calendar::load(&settings.calendar)?;
    let now = Timestamp::now();
    let (mut silences, mut open) = (Vec::new(), Open::default());
    if let Some(store) = Store::look(&settings.store.place()?).await? {
        silences = Silences::new(store.clone())
            .active(&[&alert.region], now)
            .await?;
        let cases = Cases::new(store.clone(), Timing::default());
        open = routing.open(cases.open_alerts(&alert.region, |_| true).await?);
        store.close().await;
    }
    let explained = routing.explain(
        &alert,
        &Moment {
            now,
            calendar: &calendar,
            silences: &silences,
            open: &open,
        },
    );
    let mut out = Output;
    if json {
        serde_json::to_writer_pretty(&mut out, &explained)?;
        writeln!(out)?;
    } else {
        explained.write(&mut out)?;
    }
    Ok(())
}

async fn roster(settings: &Settings, command: &roster::command::Command) -> anyhow::Result<()> {
    let routings = regions::load(settings)?;
    let region = served(&routings, command.region())?.region();
    let calendar = Calendar::load(&settings.calendar)?;
    let roster = Roster::new(Store::existing(&settings.store.place()?).await?);
    let known = roster::known_names(region);
    let now = Timestamp::now();
    roster::command::run(command, &roster, &calendar, &known, now, &mut Output).await
}

fn served<'a>(
    routings: &'a BTreeMap<String, Routing>,
    region: &str,
) -> anyhow::Result<&'a Routing> {
    routings
        .get(region)
        .with_context(|| format!("region `{region}` is not served; add its folder to `regions`"))
}
