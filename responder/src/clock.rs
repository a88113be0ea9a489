//! Times as people in China read them.

use jiff::{Timestamp, tz};

/// China has kept one time, eight hours ahead of UTC and without summer time, since 1992.
pub(crate) const CHINA: tz::Offset = tz::Offset::constant(8);

/// A time for people: `2026-11-23 16:03`.
pub(crate) fn time(at: Timestamp) -> String {
    CHINA.to_datetime(at).strftime("%Y-%m-%d %H:%M").to_string()
}
