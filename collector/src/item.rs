//! What a source yields, and what of the source goes with it.

use backbone::message::SourceKind;

use crate::extract::time::Told;

/// What of a source goes into its posts.
#[derive(Debug, Clone, Copy)]
pub struct Origin<'a> {
    /// Name of the source.
    pub name: &'a str,
    /// Code of the region that it is about.
    pub region: &'a str,
    /// What kind of place it is.
    pub kind: SourceKind,
}

/// A post as it was found, not masked yet. It does not leave the collector so.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Item {
    /// Its id at the source; empty where its address is all it is known by.
    pub id: String,
    /// Its canonical address; empty where it has none.
    pub url: String,
    /// Title.
    pub title: String,
    /// Text.
    pub text: String,
    /// Who wrote, as written there; hashed before it leaves.
    pub author: String,
    /// When it was published; nothing where that is not told.
    pub published: Option<Told>,
    /// Votes for it.
    pub likes: u32,
    /// Votes against it.
    pub opposes: u32,
}
