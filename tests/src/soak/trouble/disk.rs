//! The disk of the second place, with the collector's state and the analyzer's checkpoints, is full for a while: a small file system in memory
//! is mounted there and filled.

use std::fs::File;
use std::io::{ErrorKind, Write as _};
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, ensure};

use super::Outcome;
use crate::soak::scene::{Scene, Seat};

/// Who keeps something there.
const SEATS: [Seat; 2] = [("collector", 1), ("analyzer", 1)];
/// Posts taken meanwhile.
const MEANWHILE: usize = 100;

/// A mounted file system; unmounted when dropped.
struct Mounted(PathBuf);

impl Drop for Mounted {
    fn drop(&mut self) {
        // Whoever still has a file open there keeps it until it ends.
        drop(Command::new("umount").arg("--lazy").arg(&self.0).status());
    }
}

pub(super) async fn make(scene: &mut Scene) -> anyhow::Result<Outcome> {
    let disk = scene.office(1).folder().join("disk");
    let aside = scene.office(1).folder().join("disk-before");
    for seat in SEATS {
        scene.stop(seat);
    }
    let mounted = swap(&disk, &aside)?;
    for seat in SEATS {
        scene.start_again(seat);
    }
    let Some(mounted) = mounted else {
        return Ok(Outcome::LeftOut("nothing can be mounted".to_owned()));
    };
    for seat in SEATS {
        scene.ready(seat).await?;
    }
    scene.taken(MEANWHILE).await?;
    let filler = disk.join("filler");
    fill(&filler)?;
    scene.taken(MEANWHILE).await?;
    let told = std::fs::read_to_string(scene.office(1).folder().join("collector.log"))?;
    ensure!(
        told.contains("disk is full"),
        "the collector did not notice that its disk was full"
    );
    std::fs::remove_file(&filler)?;
    // What could not be noted is read and published again.
    scene.taken(MEANWHILE).await?;
    for seat in SEATS {
        scene.stop(seat);
    }
    copy(&disk, &aside)?;
    drop(mounted);
    copy(&aside, &disk)?;
    for seat in SEATS {
        scene.start_again(seat);
    }
    Ok(Outcome::Made(SEATS.len() as u64))
}

/// Mounts a small file system over a folder, with what the folder held; nothing where that is not allowed.
fn swap(disk: &Path, aside: &Path) -> anyhow::Result<Option<Mounted>> {
    std::fs::create_dir_all(aside)?;
    copy(disk, aside)?;
    let mount = ["-t", "tmpfs", "-o", "size=64m", "none"];
    let mounted = Command::new("mount").args(mount).arg(disk).output();
    if !mounted.is_ok_and(|output| output.status.success()) {
        return Ok(None);
    }
    let mounted = Mounted(disk.to_owned());
    copy(aside, disk)?;
    Ok(Some(mounted))
}

fn copy(from: &Path, to: &Path) -> anyhow::Result<()> {
    let source = from.join(".");
    let copied = Command::new("cp").arg("-a").arg(source).arg(to).status();
    ensure!(copied?.success(), "{} cannot be copied", from.display());
    Ok(())
}

/// Writes a file until there is no room left.
fn fill(filler: &Path) -> anyhow::Result<()> {
    let mut file = File::create(filler).context("a file to fill the disk with")?;
    // Large pieces first, then the last bytes.
    for piece in [vec![0_u8; 65_536], vec![0_u8; 1]] {
        loop {
            match file.write_all(&piece) {
                Ok(()) => {}
                Err(error) if error.kind() == ErrorKind::StorageFull => break,
                Err(error) => return Err(error.into()),
            }
        }
    }
    Ok(())
}
