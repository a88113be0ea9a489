//! Disks are full for a while: that of the second place, with the collector's state and the analyzer's checkpoints, a broker's, PostgreSQL's and
//! ClickHouse's. A small file system in memory is mounted there and filled.

use std::path::Path;

use anyhow::Context;

use super::Outcome;
use crate::Shutdown;
use crate::disk::SmallDisk;
use crate::soak::scene::{Scene, Seat};

/// Who keeps something on the disk of the second place.
const SEATS: [Seat; 2] = [("collector", 1), ("analyzer", 1)];
/// The broker whose disk it is.
const BROKER: u32 = 2;
/// Posts taken meanwhile.
const MEANWHILE: usize = 100;
/// What the system says when a disk is full.
const NO_SPACE: &str = "No space left on device";

pub(super) async fn make(scene: &mut Scene) -> anyhow::Result<Outcome> {
    if !of_programs(scene).await? {
        return Ok(Outcome::LeftOut("nothing can be mounted".to_owned()));
    }
    of_a_broker(scene).await?;
    of_postgres(scene).await?;
    of_clickhouse(scene).await?;
    Ok(Outcome::Made(SEATS.len() as u64 + 3))
}

/// Whether it could be made.
async fn of_programs(scene: &mut Scene) -> anyhow::Result<bool> {
    let folder = scene.office(1).folder().to_owned();
    for seat in SEATS {
        scene.stop(seat);
    }
    let disk = SmallDisk::over(&folder.join("disk"))?;
    for seat in SEATS {
        scene.start_again(seat);
    }
    let Some(disk) = disk else {
        return Ok(false);
    };
    for seat in SEATS {
        scene.ready(seat).await?;
    }
    scene.taken(MEANWHILE).await?;
    disk.fill()?;
    scene.taken(MEANWHILE).await?;
    let log = scene.office(1).log("collector");
    noticed(scene, &log, "disk is full").await?;
    disk.free()?;
    // What could not be noted is read and published again.
    scene.taken(MEANWHILE).await?;
    for seat in SEATS {
        scene.stop(seat);
    }
    disk.take_away()?;
    for seat in SEATS {
        scene.start_again(seat);
    }
    Ok(true)
}

/// The broker ends, and the office goes on with two.
async fn of_a_broker(scene: &mut Scene) -> anyhow::Result<()> {
    let folder = scene.broker.folder().to_owned();
    scene.broker.kill(BROKER);
    let disk = mounted(&folder.join(format!("log-{BROKER}")))?;
    scene.broker.start_again(&[BROKER]);
    scene.archived(MEANWHILE as u64).await?;
    disk.fill()?;
    let ended = async |scene: &mut Scene| scene.broker.has_ended(BROKER);
    scene.until("the broker to end", ended).await?;
    scene.archived(MEANWHILE as u64).await?;
    disk.free()?;
    scene.broker.start_again(&[BROKER]);
    scene.archived(MEANWHILE as u64).await?;
    scene.broker.kill(BROKER);
    disk.take_away()?;
    scene.broker.start_again(&[BROKER]);
    Ok(())
}

/// Posts go on, moves wait.
async fn of_postgres(scene: &mut Scene) -> anyhow::Result<()> {
    let folder = scene.postgres.folder();
    scene.postgres.down(Shutdown::Fast);
    let disk = mounted(&folder.join("data"))?;
    scene.postgres.up();
    scene.moved(5).await?;
    disk.fill()?;
    noticed(scene, &folder.join("log"), NO_SPACE).await?;
    scene.taken(MEANWHILE).await?;
    disk.free()?;
    // It may have ended.
    scene.postgres.down(Shutdown::Immediate);
    scene.postgres.up();
    scene.moved(5).await?;
    scene.postgres.down(Shutdown::Fast);
    disk.take_away()?;
    scene.postgres.up();
    scene.moved(5).await
}

/// The archive waits, all else goes on.
async fn of_clickhouse(scene: &mut Scene) -> anyhow::Result<()> {
    let (folder, office) = (scene.clickhouse.folder().to_owned(), scene.office(0));
    let log = office.log("analyzer");
    scene.clickhouse.kill();
    let disk = mounted(&folder)?;
    scene.clickhouse.start_again();
    scene.archived(MEANWHILE as u64).await?;
    disk.fill()?;
    noticed(scene, &log, "NOT_ENOUGH_SPACE").await?;
    scene.taken(MEANWHILE).await?;
    scene.moved(5).await?;
    disk.free()?;
    // What it was merging may have been left empty: that is set aside at the start.
    scene.clickhouse.kill();
    scene.clickhouse.start_again();
    scene.archived(MEANWHILE as u64).await?;
    scene.clickhouse.kill();
    disk.take_away()?;
    scene.clickhouse.start_again();
    scene.archived(MEANWHILE as u64).await
}

/// Waits until a log says something.
async fn noticed(scene: &mut Scene, log: &Path, what: &str) -> anyhow::Result<()> {
    let said = format!("{} to say that {what}", log.display());
    scene
        .until(&said, async |_| {
            std::fs::read(log).is_ok_and(|log| String::from_utf8_lossy(&log).contains(what))
        })
        .await
}

fn mounted(folder: &Path) -> anyhow::Result<SmallDisk> {
    SmallDisk::over(folder)?.context("nothing can be mounted any more")
}
