//! Deadlines by level, in calendar hours.
//!
//! Answering within 24 or 48 hours and first information within 5 hours are 国办发〔2016〕61号 and the
//! implementation rules of 2016; the times to sign are the project's own defaults.

use jiff::{SignedDuration, Timestamp};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Deadlines by level, Ⅰ to Ⅳ.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Deadlines {
    /// Minutes from dispatch until the lead unit must sign for the case.
    pub sign_minutes: [u32; 4],
    /// Hours from the opening until first information must go out, for Ⅰ and Ⅱ.
    pub first_information_hours: [u32; 2],
    /// Hours from the opening until the people must be answered.
    pub response_hours: [u32; 4],
    /// Hours that an extension adds.
    pub extension_hours: u32,
    /// Hours from a unit's asking until the office decides on more time.
    pub decision_hours: u32,
    /// Hours from a reply until it is reviewed.
    pub review_hours: [u32; 4],
    /// Hours from the closing until the writers are asked whether it helped.
    pub follow_up_hours: u32,
}

impl Default for Deadlines {
    fn default() -> Self {
        Self {
            sign_minutes: [30, 60, 120, 240],
            first_information_hours: [5, 5],
            response_hours: [24, 24, 48, 48],
            extension_hours: 24,
            decision_hours: 4,
            review_hours: [2, 2, 8, 8],
            follow_up_hours: 168,
        }
    }
}

impl Deadlines {
    /// Until when a case dispatched now must be signed for.
    #[must_use]
    pub fn sign(&self, level: u8, now: Timestamp) -> Timestamp {
        now + SignedDuration::from_mins(of_level(&self.sign_minutes, level).unwrap_or(240))
    }

    /// Until when first information on a case opened now must go out; none for Ⅲ and Ⅳ.
    #[must_use]
    pub fn first_information(&self, level: u8, now: Timestamp) -> Option<Timestamp> {
        of_level(&self.first_information_hours, level)
            .map(|hours| now + SignedDuration::from_hours(hours))
    }

    /// Until when the people must be answered on a case opened now.
    #[must_use]
    pub fn response(&self, level: u8, now: Timestamp) -> Timestamp {
        now + SignedDuration::from_hours(of_level(&self.response_hours, level).unwrap_or(48))
    }

    /// Until when the office says whether there is more time, asked now.
    #[must_use]
    pub fn extension(&self, _level: u8, now: Timestamp) -> Timestamp {
        now + SignedDuration::from_hours(i64::from(self.decision_hours))
    }

    /// Until when a reply of now is reviewed.
    #[must_use]
    pub fn review(&self, level: u8, now: Timestamp) -> Timestamp {
        now + SignedDuration::from_hours(of_level(&self.review_hours, level).unwrap_or(8))
    }

    /// Until when the writers are asked whether what was closed now helped.
    #[must_use]
    pub fn follow_up(&self, _level: u8, now: Timestamp) -> Timestamp {
        now + SignedDuration::from_hours(i64::from(self.follow_up_hours))
    }

    /// A deadline extended now: from the deadline, or from now where it has passed.
    #[must_use]
    pub fn extended(&self, due: Timestamp, now: Timestamp) -> Timestamp {
        due.max(now) + SignedDuration::from_hours(i64::from(self.extension_hours))
    }
}

fn of_level(values: &[u32], level: u8) -> Option<i64> {
    values
        .get(usize::from(level.max(1)) - 1)
        .map(|value| i64::from(*value))
}
