//! What is not wrong with the settings but will be missed: shown by `check-config`.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};

use crate::calendar::{Calendar, day_of};
use crate::roster::{Post, Roster};
use crate::routing::Routing;
use crate::settings::Settings;
use crate::store::Store;

/// The calendar is told of so long before it ends.
const CALENDAR_AHEAD: SignedDuration = SignedDuration::from_hours(60 * 24);
/// The roster is looked at for so long.
const ROSTER_AHEAD: SignedDuration = SignedDuration::from_hours(7 * 24);

/// A line for each thing, with the file and the remedy.
#[must_use]
pub async fn warnings(
    settings: &Settings,
    routings: &BTreeMap<String, Routing>,
    calendar: &Calendar,
    now: Timestamp,
) -> Vec<String> {
    let mut warnings: Vec<String> = (routings.values())
        .flat_map(|routing| {
            let warned = routing.warnings().into_iter();
            warned.map(|warning| {
                let file = routing.folder().join(warning.file());
                format!("{}: {warning}", file.display())
            })
        })
        .collect();
    warnings.extend(of_calendar(settings, calendar, now));
    match of_roster(settings, routings, now).await {
        Ok(gaps) => warnings.extend(gaps),
        Err(error) => warnings.push(format!(
            "the roster cannot be looked at ({error:#}); start the responder once, then check again"
        )),
    }
    warnings
}

/// That the calendar is about to end.
fn of_calendar(settings: &Settings, calendar: &Calendar, now: Timestamp) -> Option<String> {
    let file = settings.calendar.holidays.display();
    let Some(last) = calendar.official_until() else {
        return Some(format!(
            "{file}: no year follows an official notice; add one with the days of the notice"
        ));
    };
    (day_of(now + CALENDAR_AHEAD) > last).then(|| {
        format!(
            "{file}: the official days end on {last}; add the next year when the notice of the General Office of the State Council is out (October to December)"
        )
    })
}

/// The gaps in the rosters; none of a store that is not there yet.
async fn of_roster(
    settings: &Settings,
    routings: &BTreeMap<String, Routing>,
    now: Timestamp,
) -> anyhow::Result<Vec<String>> {
    let Some(store) = Store::look(&settings.store.place()?).await? else {
        return Ok(Vec::new());
    };
    let roster = Roster::new(store.clone());
    let mut warnings = Vec::new();
    for region in routings.keys() {
        let gaps = roster.gaps(region, now, now + ROSTER_AHEAD).await?;
        for post in Post::ALL {
            let of_post = gaps.iter().filter(|gap| gap.post == post);
            if let Some(first) = of_post.clone().next() {
                warnings.push(format!(
                    "roster of {region}: {}, the first of {} such times within seven days; add shifts by `responder roster import`",
                    first.told(),
                    of_post.count()
                ));
            }
        }
    }
    store.close().await;
    Ok(warnings)
}
