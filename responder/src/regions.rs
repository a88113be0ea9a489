//! The regions served: their routings, held against the other settings.

use std::collections::BTreeMap;

use backbone::settings::{Flaw, SettingsError};

use crate::notify::channel::{Channel, check_reach};
use crate::paper::schedule;
use crate::routing::{Routing, Texts};
use crate::settings::Settings;

/// The routings of the regions served, by region code.
///
/// # Errors
/// When a region's files are at fault, or two regions have the same code.
pub fn load(settings: &Settings) -> anyhow::Result<BTreeMap<String, Routing>> {
    let mut routings = BTreeMap::new();
    for folder in &settings.regions {
        let routing = Routing::load(folder)?;
        check_contacts(&routing, &settings.channel)?;
        let code = routing.region().code().to_owned();
        if routings.insert(code.clone(), routing).is_some() {
            anyhow::bail!(
                "{}: code `{code}` is that of another region too; give each its own",
                folder.join("region.toml").display()
            );
        }
    }
    schedule::check(&settings.reports, routings.keys()).map_err(anyhow::Error::msg)?;
    Ok(routings)
}

/// Whether the contacts of a region's units are reached by channels that there are.
///
/// # Errors
/// Names the contact at fault and the remedy.
pub(crate) fn check_contacts(routing: &Routing, channels: &[Channel]) -> Result<(), SettingsError> {
    for unit in &routing.region().units {
        for contact in &unit.contact {
            for reach in &contact.reach {
                check_reach(reach, channels).map_err(|problem| SettingsError::Invalid {
                    path: routing.folder().join(Texts::UNITS),
                    problem: Flaw::new(
                        format!(
                            "contact `{}` of unit `{}`: {problem}",
                            contact.name, unit.code
                        ),
                        format!(
                            "单位 {} 的联系人“{}”：{}",
                            unit.code,
                            contact.name,
                            problem.told()
                        ),
                    ),
                })?;
            }
        }
    }
    Ok(())
}
