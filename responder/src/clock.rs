//! Times as people in China read them.

use jiff::civil::DateTime;
use jiff::{Timestamp, tz};

/// China has kept one time, eight hours ahead of UTC and without summer time, since 1992.
pub(crate) const CHINA: tz::Offset = tz::Offset::constant(8);

/// A time for people: `2026-11-23 16:03`.
pub(crate) fn time(at: Timestamp) -> String {
    CHINA.to_datetime(at).strftime("%Y-%m-%d %H:%M").to_string()
}

/// A time of the clock in China, as a form gives it: `2026-11-23T16:03`, or with a space.
pub(crate) fn local(text: &str) -> Option<Timestamp> {
    let at: DateTime = text.trim().parse().ok()?;
    CHINA.to_timestamp(at).ok()
}
