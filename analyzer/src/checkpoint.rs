//! Checkpoints: what is known of a partition, in a file, so that whoever is given the partition again reads only what
//! came since.
//!
//! A checkpoint is a shortcut and never the truth, which is in the partitions of `assessments`, `alerts` and `signals`. It says how far
//! it has read them and by which chain it was made; one that is of another chain, damaged, or of other logs is passed over, and
//! the state is rebuilt from the window's beginning. It is written anew when the posts since the last one are
//! ten thousand and a twentieth of all the window holds, so the cost of writing is the same for each post however
//! many there are.

use std::fs::File;
use std::io::{BufReader, BufWriter, Write as _};
use std::path::{Path, PathBuf};

use anyhow::{Context, ensure};
use serde::{Deserialize, Serialize};

use crate::state::State;

/// The arrangement of the file; one more whenever a type of the state changes.
const ARRANGEMENT: u32 = 3;
/// Posts between two checkpoints, at least.
const LEAST_POSTS: usize = 10_000;
/// The part of the window's posts between two checkpoints, at least.
const PART: usize = 20;
/// How hard the file is compressed: little, since writing holds up the partition.
const COMPRESSION: i32 = 1;

/// The folder of the checkpoints, one file a partition.
#[derive(Debug, Clone)]
pub struct Checkpoints {
    folder: PathBuf,
    chain: String,
}

/// How far the logs of a partition are read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Position {
    /// Offset of the last assessment read; -1 before the first.
    pub assessment: i64,
    /// Id of its post, by which the log is known again.
    pub post: String,
    /// Offset of the next alert.
    pub next_alert: i64,
    /// Offset of the next signal.
    pub next_signal: i64,
}

impl Default for Position {
    fn default() -> Self {
        Self {
            assessment: -1,
            post: String::new(),
            next_alert: 0,
            next_signal: 0,
        }
    }
}

#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Heading {
    arrangement: u32,
    chain: String,
    position: Position,
    /// Digest of what was erased and is not in the state.
    forgotten: String,
}

impl Checkpoints {
    /// Checkpoints of a chain, told by the versions of its models and its settings, in a folder, which is made where missing.
    ///
    /// # Errors
    /// When the folder cannot be made.
    pub fn new(folder: &Path, chain: String) -> anyhow::Result<Self> {
        std::fs::create_dir_all(folder).with_context(|| {
            format!(
                "cannot make {}; mend its rights or correct `checkpoints`",
                folder.display()
            )
        })?;
        Ok(Self {
            folder: folder.to_owned(),
            chain,
        })
    }

    /// Whether it is time for one.
    #[must_use]
    pub fn due(posts_since: usize, posts_in_window: usize) -> bool {
        posts_since >= LEAST_POSTS.max(posts_in_window / PART)
    }

    /// Writes the checkpoint of a partition in place of the one before; `forgotten` is the digest of what was erased.
    ///
    /// # Errors
    /// When the file cannot be written; the one before is still there.
    pub fn write(
        &self,
        partition: i32,
        state: &State,
        position: &Position,
        forgotten: &str,
    ) -> anyhow::Result<()> {
        let path = self.path(partition);
        let aside = path.with_extension("part");
        let file =
            File::create(&aside).with_context(|| format!("cannot write {}", aside.display()))?;
        let mut packed = zstd::Encoder::new(BufWriter::new(file), COMPRESSION)?;
        packed.include_checksum(true)?;
        let heading = Heading {
            arrangement: ARRANGEMENT,
            chain: self.chain.clone(),
            position: position.clone(),
            forgotten: forgotten.to_owned(),
        };
        let mut packed = BufWriter::new(packed);
        rmp_serde::encode::write(&mut packed, &heading)?;
        rmp_serde::encode::write(&mut packed, state)?;
        let packed = packed.into_inner().map_err(|error| error.into_error())?;
        let mut file = packed.finish()?;
        file.flush()?;
        file.get_ref().sync_all()?;
        std::fs::rename(&aside, &path)
            .with_context(|| format!("cannot put {} in place", path.display()))
    }

    /// Reads the checkpoint of a partition, with the digest of what was erased when it was made; nothing where there is none.
    ///
    /// # Errors
    /// When there is one that does not fit or cannot be read.
    pub fn read(&self, partition: i32) -> anyhow::Result<Option<(State, Position, String)>> {
        let path = self.path(partition);
        let file = match File::open(&path) {
            Ok(file) => file,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            Err(error) => {
                return Err(error).with_context(|| format!("cannot read {}", path.display()));
            }
        };
        let mut packed = BufReader::new(zstd::Decoder::new(file)?);
        let heading: Heading = rmp_serde::from_read(&mut packed)?;
        ensure!(
            heading.arrangement == ARRANGEMENT && heading.chain == self.chain,
            "{} was made by another version, other models or other settings",
            path.display()
        );
        let state = rmp_serde::from_read(&mut packed)
            .with_context(|| format!("{} is damaged", path.display()))?;
        // The checksum stands at the end.
        ensure!(
            std::io::copy(&mut packed, &mut std::io::sink())? == 0,
            "{} has more than it should",
            path.display()
        );
        Ok(Some((state, heading.position, heading.forgotten)))
    }

    fn path(&self, partition: i32) -> PathBuf {
        self.folder.join(format!("events-{partition}.checkpoint"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::Window;

    fn position() -> Position {
        Position {
            assessment: 41,
            post: "p".to_owned(),
            next_alert: 7,
            next_signal: 0,
        }
    }

    #[test]
    fn a_checkpoint_fits_its_chain_and_is_whole_or_refused() {
        let folder = tempfile::tempdir().unwrap();
        let of = |chain: &str| Checkpoints::new(folder.path(), chain.to_owned()).unwrap();
        let state = State::new(Window::new(45, 10, 0.2));
        assert!(of("a").read(3).unwrap().is_none());
        of("a").write(3, &state, &position(), "").unwrap();
        of("a").write(3, &state, &position(), "").unwrap();
        assert_eq!(of("a").read(3).unwrap().unwrap().1, position());
        assert!(of("a").read(2).unwrap().is_none());
        assert!(of("b").read(3).is_err());
        let path = of("a").path(3);
        let bytes = std::fs::read(&path).unwrap();
        for cut in 1..bytes.len() {
            std::fs::write(&path, &bytes[..cut]).unwrap();
            assert!(of("a").read(3).is_err(), "{cut} of {} bytes", bytes.len());
        }
        let mut turned = bytes.clone();
        let middle = turned.len() / 2;
        turned[middle] ^= 0x10;
        std::fs::write(&path, &turned).unwrap();
        assert!(of("a").read(3).is_err());
    }

    #[test]
    fn writing_costs_each_post_the_same() {
        assert!(!Checkpoints::due(9_999, 0));
        assert!(Checkpoints::due(10_000, 10_000));
        assert!(!Checkpoints::due(40_000, 1_000_000));
        assert!(Checkpoints::due(50_000, 1_000_000));
    }
}
