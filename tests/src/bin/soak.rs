//! The failure tests at length; see `tests/soak/run`.

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use clap::Parser;
use wensheng_tests::soak::{Measure, Scale, Trouble, soak};

/// Failure tests on the real engines.
#[derive(Debug, Parser)]
struct Arguments {
    /// Programs killed at random, of all six.
    #[arg(long, default_value_t = 100)]
    kills: u32,
    /// How long ClickHouse is away.
    #[arg(long, default_value_t = 60)]
    minutes: u64,
    /// How long hosts are cut off from each other, and clocks are off.
    #[arg(long, default_value_t = 60)]
    apart_seconds: u64,
    /// How often instances leave and come back.
    #[arg(long, default_value_t = 6)]
    rounds: u32,
    /// Posts a second.
    #[arg(long, default_value_t = 24)]
    rate: u64,
    /// What everything random is drawn from.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Folder with `collector`, `analyzer` and `responder` of an older build, for the upgrade.
    #[arg(long)]
    old: Option<PathBuf>,
    /// Only these troubles; all where it is absent.
    #[arg(long, value_delimiter = ',')]
    only: Vec<Trouble>,
}

#[tokio::main]
async fn main() -> anyhow::Result<ExitCode> {
    let arguments = Arguments::parse();
    let troubles = match arguments.only.as_slice() {
        [] => Trouble::ALL.to_vec(),
        only => only.to_vec(),
    };
    let measure = Measure {
        kills: arguments.kills,
        away: Duration::from_secs(arguments.minutes * 60),
        apart: Duration::from_secs(arguments.apart_seconds),
        rounds: arguments.rounds,
    };
    let scale = Scale {
        rate: arguments.rate,
        seed: arguments.seed,
    };
    Ok(
        match soak(&troubles, &measure, &scale, arguments.old).await? {
            true => ExitCode::SUCCESS,
            false => ExitCode::FAILURE,
        },
    )
}
