//! The responder's program.

use std::io::{BufRead, Write, stdin, stdout};
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Context;
use backbone::message::{self, Alert};
use backbone::{dead_letters, service};
use clap::{Parser, Subcommand};
use jiff::Timestamp;
use responder::account::{Accounts, NewUser};
use responder::case::Role;
use responder::correction::Corrections;
use responder::settings::Settings;
use responder::store::Store;
use responder::{app, knowledge, reply};

/// Makes a case of each event that reached a level, gets it to the units responsible, and serves the
/// console. Without a command it runs until stopped.
#[derive(Parser)]
#[command(
    version,
    after_help = "Examples:
  responder --config deploy/config/responder.toml                 runs until Ctrl-C
  responder --config deploy/config/responder.toml check-config    says what is wrong with settings, units or routing
  responder --config deploy/config/responder.toml route backbone/examples/alerts/v1/yellow.json
  printf '%s\\n' \"$PASSWORD\" | responder --config … user add zhang --display-name 张三 --role duty-officer

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
    /// Checks the settings, the units and the routing, and says what is wrong. Exit code 2 on a problem.
    CheckConfig,
    /// Says who would get the matter of an alert, and why.
    Route {
        /// File with one alert message as JSON.
        file: PathBuf,
    },
    /// Checks a draft against the posts it answers: points without an answer, what is missing, what should not be said.
    ReplyCheck(reply::command::Arguments),
    /// The knowledge base: questions that people ask again and again, and what the units answer.
    Knowledge(knowledge::command::Arguments),
    /// Accounts of the console.
    #[command(subcommand)]
    User(User),
    /// Prints what duty officers corrected, a line of JSON each, for `analyzer train --corrections`.
    Corrections,
    /// Lists or replays dead letters.
    #[command(subcommand)]
    DeadLetters(dead_letters::Command),
}

#[derive(Subcommand)]
enum User {
    /// Adds an account; the password is read from the first line of standard input.
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

fn role(name: &str) -> Result<Role, String> {
    Role::ACCOUNTS
        .into_iter()
        .find(|role| role.name() == name)
        .ok_or_else(|| {
            let known = Role::ACCOUNTS.map(Role::name).join(", ");
            format!("known roles are {known}")
        })
}

#[tokio::main]
async fn main() -> ExitCode {
    service::exit_code(run(Arguments::parse()).await)
}

async fn run(arguments: Arguments) -> anyhow::Result<()> {
    service::start_logs();
    let settings = Settings::load(&arguments.config)?;
    match arguments.command {
        None => app::run(settings, service::stop_on_signal()?).await,
        Some(Command::CheckConfig) => {
            for routing in app::load_routings(&settings)?.values() {
                reply::Rules::load(&routing.region().gazetteer.rules)?;
            }
            settings.kafka.client_config()?;
            writeln!(stdout(), "{} is in order", arguments.config.display())?;
            Ok(())
        }
        Some(Command::ReplyCheck(asked)) => {
            reply::command::run(&asked, &settings.regions, &mut stdout())
        }
        Some(Command::Knowledge(asked)) => {
            let store = Store::open(&settings.store.place()?).await?;
            knowledge::command::run(&asked, &settings, &store, Timestamp::now(), &mut stdout())
                .await
        }
        Some(Command::Route { file }) => route(&settings, &file),
        Some(Command::Corrections) => {
            let corrections = Corrections::new(Store::open(&settings.store.place()?).await?);
            corrections.write(&mut stdout()).await
        }
        Some(Command::User(User::Add {
            name,
            display_name,
            role,
            region,
            unit,
        })) => {
            let mut password = String::new();
            stdin().lock().read_line(&mut password)?;
            let password = password.trim_end_matches(['\r', '\n']).to_owned();
            let known = app::load_routings(&settings)?;
            if role.of_unit()
                && known
                    .get(&region)
                    .and_then(|routing| routing.region().unit(&unit))
                    .is_none()
            {
                anyhow::bail!("there is no unit `{unit}` in region `{region}`; see its units.toml");
            }
            let accounts = Accounts::new(
                Store::open(&settings.store.place()?).await?,
                settings.console.session_hours,
            );
            let user = NewUser {
                name,
                display_name,
                role,
                region,
                unit,
                password,
            };
            accounts.add(&user, Timestamp::now()).await?;
            writeln!(stdout(), "account `{}` added", user.name)?;
            Ok(())
        }
        Some(Command::DeadLetters(command)) => {
            dead_letters::run(&settings.kafka, &command, &mut stdout()).await
        }
    }
}

fn route(settings: &Settings, file: &std::path::Path) -> anyhow::Result<()> {
    let payload = std::fs::read(file).with_context(|| format!("cannot read {}", file.display()))?;
    let alert: Alert = message::decode(&payload).with_context(|| file.display().to_string())?;
    let routings = app::load_routings(settings)?;
    let routing = routings.get(&alert.region).with_context(|| {
        format!(
            "region `{}` is not served; add its folder to `regions`",
            alert.region
        )
    })?;
    let routed = routing.route(&alert);
    let name = |code: &String| {
        let unit = routing.region().unit(code);
        unit.map_or_else(|| code.clone(), |unit| format!("{} ({code})", unit.name))
    };
    let mut out = stdout();
    writeln!(out, "lead     {}", name(&routed.lead))?;
    for code in &routed.assists {
        writeln!(out, "assists  {}", name(code))?;
    }
    for reason in &routed.because {
        writeln!(out, "because  {reason}")?;
    }
    Ok(())
}
