//! The regions served: their routings, held against the other settings.

use std::collections::BTreeMap;

use backbone::region::code_taken;
use backbone::settings::{Flaw, Problems, SettingsError, faultless};

use crate::notify::channel::{Channel, check_reach};
use crate::paper::schedule;
use crate::routing::{Routing, Texts};
use crate::settings::Settings;

/// The routings of the regions served, by region code.
///
/// # Errors
/// When a region's files are at fault, or two regions have the same code.
pub fn load(settings: &Settings) -> Result<BTreeMap<String, Routing>, SettingsError> {
    faultless(|problems| Some(read(settings, problems)))
}

/// As [`load`], of those that can be read; what is wrong is added to the problems.
pub fn read(settings: &Settings, problems: &mut Problems) -> BTreeMap<String, Routing> {
    let mut routings = BTreeMap::new();
    let mut are_all_read = true;
    for folder in &settings.regions {
        let Some(routing) = Routing::read(folder, problems) else {
            are_all_read = false;
            continue;
        };
        let flaws = check_contacts(&routing, &settings.channel);
        problems.note(&folder.join(Texts::UNITS), flaws);
        let code = routing.region().code().to_owned();
        if routings.insert(code.clone(), routing).is_some() {
            problems.note(&folder.join(Texts::REGION), [code_taken(&code)]);
        }
    }
    if are_all_read {
        let flaws = schedule::check(&settings.reports, routings.keys());
        problems.note(&settings.file, flaws);
    }
    routings
}

/// Which contacts of a region's units have no channel that reaches them.
pub(crate) fn check_contacts(routing: &Routing, channels: &[Channel]) -> Vec<Flaw> {
    let mut flaws = Vec::new();
    for (number, unit) in routing.region().units.iter().enumerate() {
        for (index, contact) in unit.contact.iter().enumerate() {
            let unreached = contact
                .reach
                .iter()
                .map(|reach| check_reach(reach, channels));
            flaws.extend(unreached.filter_map(Result::err).map(|problem| {
                Flaw::new(
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
                )
                .of(format!("unit[{number}].contact[{index}]"))
            }));
        }
    }
    flaws
}
