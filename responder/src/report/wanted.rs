//! Which report is wanted.

use serde::{Deserialize, Serialize};

use crate::trend::Period;

/// A kind of report.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// The trend report of a week, or of any other period.
    Weekly,
}

impl Kind {
    /// All kinds.
    pub const ALL: [Self; 1] = [Self::Weekly];

    /// Its name in commands, addresses and files.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Weekly => "weekly",
        }
    }

    /// What the office calls it.
    #[must_use]
    pub const fn title(self) -> &'static str {
        match self {
            Self::Weekly => "舆情周报",
        }
    }

    /// The kind of that name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.name() == name)
    }
}

/// A report that is wanted, by what it is about.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "lowercase")]
pub enum Wanted {
    /// The trend report of a period.
    Weekly(Period),
}

impl Wanted {
    /// Its kind.
    #[must_use]
    pub const fn kind(&self) -> Kind {
        match self {
            Self::Weekly(_) => Kind::Weekly,
        }
    }

    /// The days that it is about.
    #[must_use]
    pub const fn period(&self) -> Period {
        match self {
            Self::Weekly(period) => *period,
        }
    }

    /// How its files are called, without what the form adds: the same report, the same name.
    #[must_use]
    pub fn stem(&self, region: &str) -> String {
        let Period { from, to } = self.period();
        format!("{}-{region}-{from}-{to}", self.kind().name())
    }
}
