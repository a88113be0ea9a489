//! What a source yields, and what of the source goes with it.

use backbone::message::SourceKind;
use jiff::Timestamp;

use crate::extract::article::Found;
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
    /// Posts published before are remembered, but not sent.
    pub since: Option<Timestamp>,
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
    /// When it was officially answered; nothing while no answer is shown.
    pub answered: Option<Timestamp>,
    /// Votes for it.
    pub likes: u32,
    /// Votes against it.
    pub opposes: u32,
    /// How its fields were found, for those who set a source up.
    pub how: How,
}

/// How the fields of an item were found.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct How(Vec<(&'static str, String)>);

impl How {
    /// Notes how a field was found, if it was.
    pub fn note<T>(&mut self, field: &'static str, found: Option<&Found<T>>) {
        if let Some(found) = found {
            self.0.push((field, found.how.clone()));
        }
    }

    /// The same, with the place of a field; an empty one is none.
    #[must_use]
    pub fn at(mut self, field: &'static str, place: &str) -> Self {
        if !place.is_empty() {
            self.0.push((field, format!("at `{place}`")));
        }
        self
    }

    /// How a field was found; empty where that is not told.
    #[must_use]
    pub fn of(&self, field: &str) -> &str {
        let found = self.0.iter().find(|(name, _)| *name == field);
        found.map_or("", |(_, how)| how)
    }
}
