//! The units responsible by place and by subject (属地管理、谁主管谁负责).

use backbone::message::Alert;
use backbone::region::{Region, Unit};

use super::duties::Duties;
use super::matching::subjects_of;
use super::text_of;

/// The unit whose word the matter uses, the longest word first; else the one in charge of the part of its subject, or
/// of the whole.
pub(super) fn of_subject<'a>(
    region: &'a Region,
    duties: &Duties,
    alert: &Alert,
) -> Option<(&'a Unit, String)> {
    let subjects = subjects_of(alert);
    let in_charge = |unit: &Unit| (subjects.iter()).any(|subject| unit.subjects.contains(subject));
    let by_word = duties
        .found_in(&text_of(alert))
        .flat_map(|word| word.units.iter().map(move |index| (*index, word)))
        .filter_map(|(index, word)| Some((index, region.units.get(index)?, word)))
        .max_by_key(|(index, unit, word)| (word.text.chars().count(), in_charge(unit), *index))
        .map(|(_, unit, word)| (unit, format!("事由含“{}”", word.text)));
    by_word.or_else(|| {
        subjects.iter().rev().find_map(|subject| {
            (region.units.iter())
                .find(|unit| unit.subjects.contains(subject))
                .map(|unit| (unit, format!("主管{subject}")))
        })
    })
}

/// The unit of the smallest place named for which there is one.
pub(super) fn of_place<'a>(region: &'a Region, alert: &Alert) -> Option<(&'a Unit, String)> {
    alert
        .event
        .places
        .iter()
        .flat_map(|place| region.place_and_around(&place.name))
        .find_map(|place| {
            region
                .units
                .iter()
                .find(|unit| unit.places.contains(&place.name))
                .map(|unit| (unit, format!("事发地{}", place.name)))
        })
}
