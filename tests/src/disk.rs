//! A small disk that can be filled and freed.

use std::fs::File;
use std::io::{ErrorKind, Write as _};
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, ensure};

/// A file system in memory over a folder, with what the folder held; unmounted when dropped.
#[derive(Debug)]
pub struct SmallDisk {
    folder: PathBuf,
}

impl SmallDisk {
    /// Mounts it over a folder; nothing where that is not allowed.
    ///
    /// # Errors
    /// When what the folder holds cannot be copied.
    pub fn over(folder: &Path) -> anyhow::Result<Option<Self>> {
        let held = tempfile::tempdir()?;
        copy(folder, held.path())?;
        let mount = ["-t", "tmpfs", "-o", "size=3g", "none"];
        let mounted = Command::new("mount").args(mount).arg(folder).output();
        if !mounted.is_ok_and(|output| output.status.success()) {
            return Ok(None);
        }
        let disk = Self {
            folder: folder.to_owned(),
        };
        copy(held.path(), folder)?;
        Ok(Some(disk))
    }

    fn filler(&self) -> PathBuf {
        self.folder.join("filler")
    }

    /// Writes a file until there is no room left.
    ///
    /// # Errors
    /// When it cannot be written for another reason.
    pub fn fill(&self) -> anyhow::Result<()> {
        let mut file = File::create(self.filler()).context("a file to fill the disk with")?;
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

    /// Makes room again.
    ///
    /// # Errors
    /// When it was not filled.
    pub fn free(&self) -> anyhow::Result<()> {
        std::fs::remove_file(self.filler()).context("the file that filled the disk")
    }

    /// Puts what it holds where the folder was before.
    ///
    /// # Errors
    /// When it cannot be copied.
    pub fn take_away(self) -> anyhow::Result<()> {
        let (folder, held) = (self.folder.clone(), tempfile::tempdir()?);
        copy(&folder, held.path())?;
        drop(self);
        for old in std::fs::read_dir(&folder)? {
            let old = old?.path();
            match old.is_dir() {
                true => std::fs::remove_dir_all(old)?,
                false => std::fs::remove_file(old)?,
            }
        }
        copy(held.path(), &folder)
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        // Whoever still has a file open there keeps it until it ends.
        drop(
            Command::new("umount")
                .arg("--lazy")
                .arg(&self.folder)
                .status(),
        );
    }
}

fn copy(from: &Path, to: &Path) -> anyhow::Result<()> {
    let source = from.join(".");
    let copied = Command::new("cp").arg("-a").arg(source).arg(to).status();
    ensure!(copied?.success(), "{} cannot be copied", from.display());
    Ok(())
}
