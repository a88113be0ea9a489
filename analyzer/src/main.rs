//! The analyzer's program.

use std::io::{Write, stdout};
use std::path::PathBuf;
use std::process::ExitCode;

use analyzer::pipeline::Pipeline;
use analyzer::settings::Settings;
use analyzer::{app, evaluate, region, train};
use backbone::message::SourceKind;
use backbone::region::Region;
use backbone::{dead_letters, service};
use clap::{Parser, Subcommand};

/// Reads posts, finds what they are about, how their writers feel and the events behind them, and
/// raises an alert when an event reaches a level. Without a command it runs until stopped.
#[derive(Parser)]
#[command(
    version,
    after_help = "Examples:
  analyzer --config deploy/config/analyzer.toml                 runs until Ctrl-C
  analyzer --config deploy/config/analyzer.toml check-config    says what is wrong with the settings
  analyzer --config deploy/config/analyzer.toml score \"冯川镇垃圾没人管\"
  analyzer --config deploy/config/analyzer.toml dead-letters list --topic posts

Environment: RUST_LOG (what is logged), WENSHENG_LOG_FORMAT=json, and the variables that the settings
name for secrets."
)]
struct Arguments {
    /// Settings file.
    #[arg(long, default_value = "deploy/config/analyzer.toml", global = true)]
    config: PathBuf,
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Subcommand)]
enum Command {
    /// Checks the settings, the regions and the models, and says what is wrong. Exit code 2 on a problem.
    CheckConfig,
    /// Assesses one text and explains the result.
    Score {
        /// The text, as a citizen would write it.
        text: String,
        /// Code of the region it is read for; the first one configured where absent.
        #[arg(long)]
        region: Option<String>,
        /// Where it would have been found.
        #[arg(long, value_parser = kind, default_value = "board")]
        kind: SourceKind,
    },
    /// Trains the models from labelled texts, prints how good they are on texts held out, and writes them.
    Train(train::Arguments),
    /// Prints accuracy, macro-F1 and the confusion table of a model on labelled texts.
    Evaluate(evaluate::Arguments),
    /// Drafts the gazetteer of a county (`region.toml`) from lists of places, for its people to check.
    Region(region::Arguments),
    /// Lists or replays dead letters.
    #[command(subcommand)]
    DeadLetters(dead_letters::Command),
}

fn kind(name: &str) -> Result<SourceKind, String> {
    [
        SourceKind::Board,
        SourceKind::Feed,
        SourceKind::Import,
        SourceKind::Official,
    ]
    .into_iter()
    .find(|kind| kind.name() == name)
    .ok_or_else(|| "known kinds are board, feed, import and official".to_owned())
}

#[tokio::main]
async fn main() -> ExitCode {
    service::exit_code(run(Arguments::parse()).await)
}

async fn run(arguments: Arguments) -> anyhow::Result<()> {
    service::start_logs();
    let settings = |arguments: &Arguments| Settings::load(&arguments.config);
    match &arguments.command {
        None => app::run(settings(&arguments)?, service::stop_on_signal()?).await,
        Some(Command::CheckConfig) => {
            let settings = settings(&arguments)?;
            let regions = Region::load_all(&settings.regions)?;
            Pipeline::new(&regions, &settings.model, &settings.events, &settings.risk)?;
            settings.kafka.client_config()?;
            writeln!(stdout(), "{} is in order", arguments.config.display())?;
            Ok(())
        }
        Some(Command::Score { text, region, kind }) => evaluate::explain(
            &settings(&arguments)?,
            text,
            region.as_deref(),
            *kind,
            &mut stdout(),
        ),
        Some(Command::Train(train)) => train::run(train, &mut stdout()),
        Some(Command::Evaluate(evaluate)) => {
            evaluate::run(&settings(&arguments)?.model, evaluate, &mut stdout())
        }
        Some(Command::Region(region)) => region::run(region, &mut stdout()),
        Some(Command::DeadLetters(command)) => {
            dead_letters::run(&settings(&arguments)?.kafka, command, &mut stdout()).await
        }
    }
}
