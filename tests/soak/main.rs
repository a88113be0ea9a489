//! Failure tests on the real engines: an office under load, one trouble after the other, and after each the account: every post that was
//! acknowledged is in the archive once, every alert was raised once and has its case, every move is there once, what cannot be read was put aside,
//! and nothing else. `tests/soak/run` makes the troubles at length; this program's test makes some of them in short, with the same code.

#![allow(
    clippy::expect_used,
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a test whose engines do not start fails, and prints what it found"
)]

mod account;
mod desk;
mod facts;
mod load;
mod scene;
mod table;
mod trouble;

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use account::{Finding, draw_up};
use clap::Parser;
use scene::{Scale, Scene};
use table::{Line, Table};
use tokio::time::Instant;
use trouble::{Measure, Outcome, Trouble};

/// Findings that are told one by one.
const TOLD: usize = 20;
/// Accounts that are drawn up before what is missing counts as lost: what comes with time may be under way.
const LOOKS: u32 = 3;

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
    let lines = soak(&troubles, &measure, &scale, arguments.old).await?;
    Ok(
        match lines.iter().all(|line| line.lost + line.doubled == 0) {
            true => ExitCode::SUCCESS,
            false => ExitCode::FAILURE,
        },
    )
}

/// Makes the troubles, prints the table, and gives its lines.
async fn soak(
    troubles: &[Trouble],
    measure: &Measure,
    scale: &Scale,
    old: Option<PathBuf>,
) -> anyhow::Result<Vec<Line>> {
    println!("seed {}, {} posts a second", scale.seed, scale.rate);
    let mut scene = Scene::start(scale, old).await?;
    let made = make(&mut scene, troubles, measure).await;
    let balances = made.as_ref().is_ok_and(|lines| {
        let off = |line: &Line| line.lost + line.doubled > 0;
        !lines.iter().any(off)
    });
    if !balances {
        println!(
            "the programs' logs are kept: {}",
            scene.keep_logs()?.display()
        );
    }
    let lines = made?;
    println!("{}", Table(&lines));
    Ok(lines)
}

async fn make(
    scene: &mut Scene,
    troubles: &[Trouble],
    measure: &Measure,
) -> anyhow::Result<Vec<Line>> {
    let mut lines = Vec::new();
    let mut known = BTreeSet::new();
    scene.archived(20).await?;
    scene.moved(2).await?;
    for trouble in troubles {
        let (posts, moves, ended) = (scene.load.count(), scene.desk.count(), scene.ended);
        let begun = Instant::now();
        println!("{}", trouble.title());
        let outcome = trouble.make(scene, measure).await?;
        let lasted = begun.elapsed();
        let quiet = scene.quiet().await?;
        let (posts, moves) = (scene.load.count() - posts, scene.desk.count() - moves);
        let mended = Instant::now();
        let (found, caught_up) = settle_up(scene, mended).await?;
        drop(quiet);
        let new: Vec<Finding> = found.difference(&known).cloned().collect();
        for finding in new.iter().take(TOLD) {
            println!("  {finding}");
        }
        let lost = (new.iter()).filter(|finding| matches!(finding, Finding::Lost(_)));
        let lost = lost.count();
        let line = Line {
            title: trouble.title(),
            outcome,
            posts,
            moves,
            ended: scene.ended - ended,
            lost,
            doubled: new.len() - lost,
            lasted,
            caught_up,
        };
        if let Outcome::Made(failures) = line.outcome {
            println!(
                "  {failures} failures, {posts} posts and {moves} moves; {} lost, {} too many; caught up after {:.1} s",
                line.lost,
                line.doubled,
                caught_up.as_secs_f64()
            );
        }
        known.extend(new);
        lines.push(line);
    }
    Ok(lines)
}

/// Waits until all has gone its way and draws up the account; says how long that took.
async fn settle_up(
    scene: &mut Scene,
    mended: Instant,
) -> anyhow::Result<(BTreeSet<Finding>, Duration)> {
    let mut found = BTreeSet::new();
    let mut caught_up = Duration::ZERO;
    for _ in 0..LOOKS {
        scene
            .until("everything to go its way", async |scene| {
                scene.caught_up().await.unwrap_or(false)
            })
            .await?;
        caught_up = mended.elapsed();
        found = draw_up(&scene.facts().await?);
        if found.is_empty() {
            break;
        }
    }
    Ok((found, caught_up))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(flavor = "multi_thread")]
    async fn troubles_in_short_lose_and_double_nothing() {
        let troubles = [
            Trouble::Poison,
            Trouble::Kills,
            Trouble::Brokers,
            Trouble::Postgres,
        ];
        let measure = Measure {
            kills: 8,
            away: Duration::ZERO,
            apart: Duration::ZERO,
            rounds: 0,
        };
        let scale = Scale { rate: 16, seed: 1 };
        let lines = soak(&troubles, &measure, &scale, None).await.unwrap();
        assert!(lines.iter().all(|line| line.lost + line.doubled == 0));
    }
}
