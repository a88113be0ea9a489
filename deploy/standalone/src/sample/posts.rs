//! The posts of a sample, divided among its sources.

use std::path::Path;

use anyhow::Context;
use serde::{Deserialize, Serialize};

/// A post as the file of posts has it.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Post {
    /// Its id on the board.
    pub id: String,
    /// Who wrote: a code already.
    pub user: String,
    /// Title.
    pub title: String,
    /// When, as written there.
    pub time: String,
    /// Text.
    pub text: String,
    /// Votes against it.
    #[serde(default)]
    pub oppose: u32,
    /// Votes for it.
    #[serde(default)]
    pub like: u32,
}

/// The posts by source.
#[derive(Debug, Clone)]
pub struct Posts {
    /// The newest, at most 60.
    pub feed: Vec<Post>,
    /// Those before, at most 300.
    pub board: Vec<Post>,
    /// All before those.
    pub export: Vec<Post>,
}

impl Posts {
    /// Reads and divides a file of posts: a seventh of a small one goes to the feed, a third to the board.
    ///
    /// # Errors
    /// Names the file and the line that does not fit.
    pub fn read(path: &Path) -> anyhow::Result<Self> {
        let text = std::fs::read_to_string(path)
            .with_context(|| format!("cannot read {}", path.display()))?;
        let mut posts: Vec<Post> = Vec::new();
        for (index, line) in text.lines().enumerate() {
            let post = serde_json::from_str(line)
                .with_context(|| format!("{}:{}", path.display(), index + 1))?;
            posts.push(post);
        }
        posts.sort_by(|one, other| one.time.cmp(&other.time));
        let feed = (posts.len() / 7).min(60);
        let board = (posts.len() / 3).min(300);
        let feed = posts.split_off(posts.len() - feed);
        let board = posts.split_off(posts.len() - board);
        Ok(Self {
            feed,
            board,
            export: posts,
        })
    }

    /// How many there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.feed.len() + self.board.len() + self.export.len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Name of the export's file.
    #[must_use]
    pub fn export_name(&self) -> &'static str {
        "export.jsonl"
    }

    /// Writes the export, where it is not there yet.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn write_export(&self, folder: &Path) -> anyhow::Result<()> {
        let path = folder.join(self.export_name());
        if path.exists() {
            return Ok(());
        }
        let mut text = String::new();
        for post in &self.export {
            text.push_str(&serde_json::to_string(post)?);
            text.push('\n');
        }
        // Written aside and moved, so that half a file is never taken for the whole.
        let aside = path.with_extension("part");
        std::fs::write(&aside, text)?;
        std::fs::rename(&aside, &path).with_context(|| format!("cannot write {}", path.display()))
    }
}
