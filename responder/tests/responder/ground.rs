//! What the stories stand on: files that ship with the project, its example of an alert, the clock on the wall, patience.

use std::path::{Path, PathBuf};
use std::time::Duration;

use backbone::message::{self, Alert};
use jiff::Timestamp;
use responder::calendar::{Calendar, Settings};

/// Longer than anything here takes.
pub(crate) const PATIENCE: Duration = Duration::from_secs(180);

pub(crate) fn project() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// The example of an alert of level Ⅲ, of a region.
pub(crate) fn yellow(region: &str) -> Alert {
    let example = std::fs::read(project().join("backbone/examples/alerts/v1/yellow.json")).unwrap();
    let mut alert: Alert = message::decode(&example).unwrap();
    region.clone_into(&mut alert.region);
    alert
}

/// The holidays that ship.
pub(crate) fn calendar() -> Calendar {
    Calendar::load(&Settings {
        holidays: project().join("deploy/config/holidays.toml"),
        ..Settings::default()
    })
    .unwrap()
}

/// A moment by the clock on the office's wall.
pub(crate) fn at(local: &str) -> Timestamp {
    format!("{}+08", local.replace(' ', "T")).parse().unwrap()
}
