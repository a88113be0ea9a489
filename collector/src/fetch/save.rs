//! Keeps what was fetched in a folder, as it came, for those who set a source up.

use std::io;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU32, Ordering};

use url::Url;

/// Longest part of a file's name that is made of its address, in characters.
const LONGEST: usize = 80;

/// A folder that takes pages.
#[derive(Debug)]
pub(super) struct Folder {
    path: PathBuf,
    pages: AtomicU32,
}

impl Folder {
    /// Of a path; made where missing.
    pub(super) fn new(path: PathBuf) -> io::Result<Self> {
        std::fs::create_dir_all(&path)?;
        let pages = AtomicU32::new(0);
        Ok(Self { path, pages })
    }

    /// Keeps a page, under its number and address.
    pub(super) fn take(&self, url: &Url, bytes: &[u8]) -> io::Result<()> {
        let number = self.pages.fetch_add(1, Ordering::Relaxed) + 1;
        let address = format!("{}{}", url.host_str().unwrap_or_default(), url.path());
        let name: String = address
            .chars()
            .map(|c| {
                if c.is_ascii_alphanumeric() || c == '.' {
                    c
                } else {
                    '-'
                }
            })
            .take(LONGEST)
            .collect();
        std::fs::write(self.path.join(format!("{number:03}-{name}")), bytes)
    }
}
