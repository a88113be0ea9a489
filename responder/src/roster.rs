//! The roster (值班表): who of the duty office is on duty when, the swaps made, and the gaps.

pub mod command;
mod fault;
mod file;
mod gap;
mod store;

use std::collections::BTreeSet;

use backbone::region::Region;
use jiff::Timestamp;
use serde::Serialize;

pub use fault::{Fault, Unreadable};
pub use file::{FileError, RowProblem, read, read_bytes};
pub use gap::{Gap, gaps};
pub use store::{Imported, Roster, Swap, SwapError};

/// A post that someone holds while on duty.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Post {
    /// 值班员: judges what comes in, dispatches it, urges.
    DutyOfficer,
    /// 带班领导: hears of what the duty officer cannot move.
    DutyLeader,
    /// 分管领导: hears of what no one else moved.
    OfficeLeader,
}

impl Post {
    /// All posts, in the order in which they are turned to.
    pub const ALL: [Self; 3] = [Self::DutyOfficer, Self::DutyLeader, Self::OfficeLeader];

    /// The name in the store and in files.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::DutyOfficer => "duty-officer",
            Self::DutyLeader => "duty-leader",
            Self::OfficeLeader => "office-leader",
        }
    }

    /// The name on pages and in files.
    #[must_use]
    pub fn title(self) -> &'static str {
        match self {
            Self::DutyOfficer => "值班员",
            Self::DutyLeader => "带班领导",
            Self::OfficeLeader => "分管领导",
        }
    }

    /// The post of that name or title.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL
            .into_iter()
            .find(|post| post.name() == name || post.title() == name)
    }
}

/// A shift as a file puts it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Planned {
    /// The post.
    pub post: Post,
    /// Who has it: the name of a contact of the duty office.
    pub who: String,
    /// Its begin.
    pub from: Timestamp,
    /// Its end.
    pub until: Timestamp,
}

/// A shift on the roster.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Shift {
    /// Its id.
    pub id: String,
    /// Code of the region.
    pub region: String,
    /// The post.
    pub post: Post,
    /// Who was put down for it.
    pub planned: String,
    /// Who has it now, after swaps.
    pub who: String,
    /// Its begin.
    pub from: Timestamp,
    /// Its end.
    pub until: Timestamp,
}

/// The names that may stand on a region's roster: those of the duty office's people; any where it is empty.
#[must_use]
pub fn known_names(region: &Region) -> BTreeSet<String> {
    (region.units.iter())
        .filter(|unit| unit.duty_office)
        .flat_map(|unit| &unit.contact)
        .filter(|contact| contact.role.of_duty_office())
        .map(|contact| contact.name.clone())
        .collect()
}
