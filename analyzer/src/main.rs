//! The analyzer's program.

use std::collections::BTreeMap;
use std::io::{BufWriter, Write, stdin};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use analyzer::pipeline::Pipeline;
use analyzer::settings::Settings;
use analyzer::{app, check, evaluate, explain, region, replay, score, train};
use backbone::dead_letters;
use backbone::region::Region;
use backbone::service::{self, Output};
use backbone::settings::Problems;
use clap::{Parser, Subcommand};
use mimalloc::MiMalloc;

// Posts are many small pieces of memory; the system's allocator takes a quarter of the analyzer's time for them.
#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

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
    /// Assesses a text and says why; or one text a line.
    Score(score::Arguments),
    /// Trains the models from labelled texts, prints how good they are on texts held out, and writes them.
    Train(train::Arguments),
    /// Prints accuracy, macro-F1, the confusion table and the calibration error on labelled texts.
    Evaluate(evaluate::Arguments),
    /// Explains how grave an event is: the terms of the formula, what is behind each, and what was alerted.
    Risk(explain::Arguments),
    /// Runs past posts, of a file or the archive, through the chain and writes the events they make, the gravest first.
    Replay(replay::Arguments),
    /// Drafts the gazetteer of a county (`region.toml`) from lists of places, for its people to check.
    Region(region::Arguments),
    /// Lists or replays dead letters.
    #[command(subcommand)]
    DeadLetters(dead_letters::Command),
}

/// The pipeline of the settings, and the code of the region asked for: `folder`, its region.toml, or the
/// first one configured.
fn pipeline(config: &Path, folder: Option<&Path>) -> anyhow::Result<(Pipeline, String)> {
    let settings = Settings::load(config)?;
    let first = settings.regions.first().map(PathBuf::as_path);
    let folder = folder.or(first).unwrap_or(Path::new("."));
    let folder = if folder.is_file() {
        folder.parent().unwrap_or(Path::new("."))
    } else {
        folder
    };
    let region = Region::load(folder)?;
    let code = region.code().to_owned();
    let regions = BTreeMap::from([(code.clone(), region)]);
    let pipeline = Pipeline::new(&regions, &settings.model, &settings.events, &settings.risk)?;
    Ok((pipeline.with_trends(&settings.trends), code))
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
            let mut problems = Problems::default();
            check::config(&arguments.config, &mut problems);
            problems.tell(&mut Output)?;
            let file = arguments.config.display();
            Ok(writeln!(Output, "{file} is in order")?)
        }
        Some(Command::Score(score)) => {
            let (pipeline, region) = pipeline(&arguments.config, score.region())?;
            let mut out = BufWriter::new(Output);
            score::run(&pipeline, &region, score, &mut stdin().lock(), &mut out)?;
            Ok(out.flush()?)
        }
        Some(Command::Train(train)) => train::run(train, &mut Output),
        Some(Command::Evaluate(evaluate)) => {
            let (pipeline, region) = pipeline(&arguments.config, evaluate.region())?;
            evaluate::run(&pipeline, &region, evaluate, &mut Output)
        }
        Some(Command::Risk(risk)) => {
            let settings = settings(&arguments)?;
            let regions = Region::load_all(&settings.regions)?;
            let pipeline =
                Pipeline::new(&regions, &settings.model, &settings.events, &settings.risk)?;
            explain::run(&pipeline, &settings, risk, &mut Output).await
        }
        Some(Command::Replay(replay)) => {
            let (pipeline, region) = pipeline(&arguments.config, replay.region())?;
            let archive = settings(&arguments)?.clickhouse;
            replay::run(&pipeline, &region, &archive, replay, &mut Output).await
        }
        Some(Command::Region(region)) => region::run(region, &mut Output),
        Some(Command::DeadLetters(command)) => {
            dead_letters::run(&settings(&arguments)?.kafka, command, &mut Output).await
        }
    }
}
