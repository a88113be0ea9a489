//! The collector's program.

use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;

use backbone::service::{self, Output};
use backbone::settings::Problems;
use clap::{Parser, Subcommand};
use collector::check::Look;
use collector::settings::Settings;
use collector::{app, check};

/// Reads public sources, politely, masks personal data and publishes posts. Without a command it runs
/// until stopped.
#[derive(Parser)]
#[command(
    version,
    after_help = "Examples:
  collector --config deploy/config/collector.toml                 runs until Ctrl-C
  collector --config deploy/config/collector.toml check-config    says what is wrong with settings or sources
  collector --config deploy/config/collector.toml check deploy/config/sources.d/message-board.toml
  collector --config deploy/config/collector.toml sources

Environment: RUST_LOG (what is logged), WENSHENG_LOG_FORMAT=json, and the variables that the settings
name for secrets."
)]
struct Arguments {
    /// Settings file.
    #[arg(long, default_value = "deploy/config/collector.toml", global = true)]
    config: PathBuf,
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Subcommand)]
enum Command {
    /// Checks the settings and all sources, and says all that is wrong. Exit code 2 on a problem.
    CheckConfig,
    /// Reads the sources of a file once and prints what they would publish: every field, what it was found
    /// by, and what is missing. Sends nothing. Exit code 2 when a post lacks what it must have.
    Check {
        /// The sources' file.
        file: PathBuf,
        /// Only the source of that name.
        #[arg(long)]
        source: Option<String>,
        /// Folder that every page is kept in as it came, with whatever personal data is on it.
        #[arg(long)]
        save: Option<PathBuf>,
    },
    /// Prints a table of the sources: how each is, when it was last read, what it yielded, its last problem.
    Sources,
}

#[tokio::main]
async fn main() -> ExitCode {
    service::exit_code(run(Arguments::parse()).await)
}

async fn run(arguments: Arguments) -> anyhow::Result<()> {
    service::start_logs();
    let settings = || Settings::load(&arguments.config);
    match arguments.command {
        None => app::run(settings()?, service::stop_on_signal()?).await,
        Some(Command::CheckConfig) => {
            let mut problems = Problems::default();
            let sources = check::config(&arguments.config, &mut problems).await;
            problems.tell(&mut Output)?;
            let file = arguments.config.display();
            Ok(writeln!(
                Output,
                "{file} is in order, and {sources} sources"
            )?)
        }
        Some(Command::Check { file, source, save }) => {
            let look = Look { file, source, save };
            check::run(&settings()?, &look, &mut Output).await
        }
        Some(Command::Sources) => check::sources(&settings()?, &mut Output).await,
    }
}
