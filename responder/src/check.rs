//! What is wrong with the settings and all that they lead to, and what is not wrong but will be missed: told by `check-config`.

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::Context;
use backbone::clickhouse;
use backbone::settings::Problems;
use jiff::{SignedDuration, Timestamp};

use crate::calendar::{Calendar, day_of};
use crate::notify::channel::Line;
use crate::regions;
use crate::reply::Rules;
use crate::roster::{Post, Roster};
use crate::routing::Routing;
use crate::settings::Settings;
use crate::store::Store;

/// The calendar is told of so long before it ends.
const CALENDAR_AHEAD: SignedDuration = SignedDuration::from_hours(60 * 24);
/// The roster is looked at for so long.
const ROSTER_AHEAD: SignedDuration = SignedDuration::from_hours(7 * 24);

/// Checks a settings file, and the regions, calendar, rules, certificates, fonts and secrets that it names: adds every problem, and gives
/// what is not wrong but will be missed, a line each with the file and the remedy.
pub async fn config(path: &Path, now: Timestamp, problems: &mut Problems) -> Vec<String> {
    let Some(settings) = Settings::read(path, problems) else {
        return Vec::new();
    };
    problems.tried(path, settings.store.place());
    problems.tried(path, settings.kafka.client_config());
    problems.tried(path, clickhouse::client(&settings.clickhouse));
    if let Some(certificate) = &settings.console.tls {
        let read = certificate.read().await.map(drop);
        problems.tried(path, read.context("`console.tls`"));
    }
    if let Some(identity) = &settings.console.identity {
        let secret = &identity.client_secret;
        problems.tried(path, secret.check("console.identity.client_secret"));
    }
    for (field, help) in [
        ("draft_help.key", &settings.draft_help),
        ("report_help.key", &settings.report_help),
    ] {
        if let Some(help) = help {
            problems.tried(path, help.key.check(field));
        }
    }
    for channel in &settings.channel {
        problems.tried(path, Line::open(channel));
    }
    for folder in &settings.fonts {
        let read = std::fs::read_dir(folder);
        problems.tried(
            path,
            read.with_context(|| format!("`fonts`: {}", folder.display())),
        );
    }
    let routings = regions::read(&settings, problems);
    for routing in routings.values() {
        problems.take(Rules::load(&routing.region().gazetteer.rules));
    }
    match problems.take(Calendar::load(&settings.calendar)) {
        Some(calendar) => warnings(&settings, &routings, &calendar, now).await,
        None => Vec::new(),
    }
}

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

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn all_that_would_keep_it_from_working_is_told_at_once_with_its_line() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("responder.toml");
        let secret = "{ env = \"WENSHENG_NOT_SET_ANYWHERE\" }";
        let text = format!(
            "regions = [\"nowhere\"]\nfonts = [\"no-fonts\"]\n[store]\nfile = \"s.sqlite\"\n[kafka]\nbrokers = \"127.0.0.1:9\"\n\
             [clickhouse]\nurl = \"127.0.0.1:9\"\n[operations]\nlisten = \"127.0.0.1:0\"\n\
             [console]\nlisten = \"127.0.0.1:0\"\npublic_url = \"ftp://127.0.0.1\"\nsession_hours = 0\n\
             tls = {{ certificate = \"none.pem\", key = \"none.pem\" }}\n\
             [draft_help]\nurl = \"http://127.0.0.1:9\"\nmodel = \"m\"\nkey = {secret}\ntimeout_seconds = 0\n\
             [administrator]\nreach = [{{ channel = \"letter\" }}]\n\
             [[channel]]\nname = \"group\"\nkind = \"wecom-robot\"\nkey = {secret}\nattempts = 0\n\
             [[channel]]\nname = \"group\"\nkind = \"webhook\"\nurl = \"http://127.0.0.1:9\"\n"
        );
        std::fs::write(&path, text).unwrap();
        let (mut problems, mut told) = (Problems::default(), Vec::new());
        config(&path, Timestamp::UNIX_EPOCH, &mut problems).await;
        problems.tell(&mut told).unwrap_err();
        let told = String::from_utf8(told).unwrap();
        let begins = [
            "responder.toml:8: `clickhouse.url`",
            "responder.toml:13: `console.public_url` must begin with https:// or http://",
            "responder.toml:14: `console.session_hours` must be 1 to 8784",
            "responder.toml:20: `draft_help.timeout_seconds` must be 1 to 120",
            "responder.toml:22: `administrator.reach`: the channel `letter` is not in the settings",
            "responder.toml:27: channel \"group\": `attempts` and `per_minute` must be 1 or more",
            "responder.toml:28: channel `group` is listed twice",
            "responder.toml:15: `console.tls`: cannot serve with the certificate",
            "responder.toml:19: `draft_help.key` is not set",
            "responder.toml:23: `channel.group.key` is not set",
            "responder.toml:2: `fonts`: ",
            "nowhere/region.toml",
            "nowhere/units.toml",
            "nowhere/routing.toml",
            "holidays.toml: cannot be read",
        ];
        for (line, begin) in told.lines().zip(begins) {
            assert!(line.contains(begin), "{begin}: {told}");
        }
        assert_eq!(told.lines().count(), begins.len(), "{told}");
    }
}
