//! Failure tests on the real engines: an office under load, one trouble after the other, and after each the account: every post that was
//! acknowledged is in the archive once, every alert was raised once and has its case, every move is there once, what cannot be read was put aside,
//! and nothing else. `tests/soak/run` makes the troubles at length; a story makes some of them in short, with the same code.

#![allow(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "what was found is read by people"
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
use std::time::Duration;

use futures::future::LocalBoxFuture;
use tokio::time::Instant;

use account::{Finding, draw_up};
pub use scene::Scale;
use scene::Scene;
use table::{Line, Table};
use trouble::Outcome;
pub use trouble::{Measure, Trouble};

/// Findings that are told one by one.
const TOLD: usize = 20;
/// Accounts that are drawn up before what is missing counts as lost: what comes with time may be under way.
const LOOKS: u32 = 3;

/// Makes the troubles and prints the table: whether nothing is lost or doubled. `old` has the programs of an older build.
///
/// # Errors
/// When what should come by itself does not come.
pub fn soak<'a>(
    troubles: &'a [Trouble],
    measure: &'a Measure,
    scale: &'a Scale,
    old: Option<PathBuf>,
) -> LocalBoxFuture<'a, anyhow::Result<bool>> {
    Box::pin(make_all(troubles, measure, scale, old))
}

async fn make_all(
    troubles: &[Trouble],
    measure: &Measure,
    scale: &Scale,
    old: Option<PathBuf>,
) -> anyhow::Result<bool> {
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
    println!("{}", Table(&made?));
    Ok(balances)
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
