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
use responder::app;
use responder::case::Role;
use responder::correction::Corrections;
use responder::notify::trial;
use responder::settings::Settings;
use responder::store::Store;

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
        .ok_or_else(|| "known roles are administrator, duty-officer, leader and unit".to_owned())
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
    let settings = Settings::load(&arguments.config)?;
    match arguments.command {
        None => app::run(settings, service::stop_on_signal()?).await,
        Some(Command::CheckConfig) => {
            app::load_routings(&settings)?;
            settings.kafka.client_config()?;
            writeln!(stdout(), "{} is in order", arguments.config.display())?;
            Ok(())
        }
        Some(Command::Route { file }) => route(&settings, &file),
        Some(Command::NotifyTest {
            contact,
            region,
            unit,
        }) => notify_test(&settings, &contact, &region, unit.as_deref()).await,
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
            if role == Role::Unit
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

async fn notify_test(
    settings: &Settings,
    name: &str,
    region: &str,
    unit: Option<&str>,
) -> anyhow::Result<()> {
    let routings = app::load_routings(settings)?;
    let routing = routings
        .get(region)
        .with_context(|| format!("region `{region}` is not served; add its folder to `regions`"))?;
    let (_, contact) = trial::contact(routing.region(), unit, name)?;
    trial::run(
        contact,
        &settings.channel,
        &settings.console.public_url,
        &mut stdout(),
        Timestamp::now(),
    )
    .await
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
