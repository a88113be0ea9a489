//! The clock of the second place is two hours ahead, then two hours behind: a small library, loaded before the others, tells the programs a wall
//! clock that is off. They are killed so, and come back with the right time.

use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, ensure};
use jiff::Timestamp;

use super::Outcome;
use crate::soak::scene::{By, PROCESSES, Scene};

/// How far it is off, in seconds.
const OFF: [i64; 2] = [7_200, -7_200];
/// Posts that go all the way with each.
const MEANWHILE: u64 = 100;

pub(super) async fn make(scene: &mut Scene, apart: Duration) -> anyhow::Result<Outcome> {
    let folder = tempfile::tempdir()?;
    let library = folder.path().join("clock.so");
    let source = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("src/soak/trouble/clock.c");
    let mut compiler = Command::new("cc");
    compiler.args(["-shared", "-fPIC", "-O2", "-o"]);
    compiler.arg(&library).arg(source).arg("-ldl");
    if !compiler
        .output()
        .is_ok_and(|output| output.status.success())
    {
        return Ok(Outcome::LeftOut("no compiler of C".to_owned()));
    }
    for seconds in OFF {
        for process in PROCESSES {
            let by = By::Clock(library.clone(), seconds);
            scene.start_by((process, 1), Some(by));
        }
        for process in PROCESSES {
            scene.ready((process, 1)).await?;
        }
        ensure!(
            is_off(scene, seconds)?,
            "the clock is as before; is the library loaded?"
        );
        scene.archived(MEANWHILE).await?;
        scene.moved(10).await?;
        scene.pass(apart).await?;
        for process in PROCESSES {
            scene.kill((process, 1));
        }
        scene.by.retain(|(_, number), _| *number != 1);
        for process in PROCESSES {
            scene.start_again((process, 1));
            scene.ready((process, 1)).await?;
        }
        scene.archived(MEANWHILE).await?;
    }
    Ok(Outcome::Made(OFF.len() as u64))
}

/// Whether the log says so.
fn is_off(scene: &Scene, seconds: i64) -> anyhow::Result<bool> {
    let log = std::fs::read_to_string(scene.office(1).log("collector"))?;
    let told = (log.lines().rev())
        .find_map(|line| line.split_whitespace().next()?.parse::<Timestamp>().ok())
        .context("a line of the log")?;
    let by = told.duration_since(Timestamp::now()).as_secs();
    Ok((by - seconds).abs() < 600)
}
