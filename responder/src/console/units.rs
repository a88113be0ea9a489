//! Units: the directory with how many cases each has, one unit, and the files of a region that say who is there.

mod files;
mod one;

use std::collections::BTreeMap;
use std::sync::Arc;

use askama::Template;
use axum::extract::State;
use axum::response::Response;
use backbone::region::{Unit, UnitKind};
use jiff::Timestamp;

use super::Console;
use super::access::SignedIn;
use super::fields::Choice;
use super::page::{Frame, render};
use super::problem::Problem;
use crate::case::Role;
use crate::routing::{Routing, Warning};

pub(super) use files::{check, show as files};
pub(super) use one::show as one;

struct UnitLine {
    code: String,
    name: String,
    kind: &'static str,
    answers_for: String,
    contacts: String,
    open: i64,
    late: i64,
}

struct RegionUnits {
    code: String,
    name: String,
    units: Vec<UnitLine>,
    /// What `check-config` warns of.
    warnings: Vec<String>,
}

#[derive(Template)]
#[template(path = "units.html")]
struct UnitsPage {
    frame: Frame,
    regions: Vec<RegionUnits>,
    may_edit: bool,
}

/// The directory.
pub(super) async fn list(
    State(console): State<Arc<Console>>,
    signed_in: SignedIn,
) -> Result<Response, Problem> {
    let now = Timestamp::now();
    let mut regions = Vec::new();
    for region in console.regions.values() {
        let loads = console.cases.loads(region.code(), now).await?;
        let loads: BTreeMap<&str, (i64, i64)> = (loads.iter())
            .map(|(unit, open, late)| (unit.as_str(), (*open, *late)))
            .collect();
        let line = |unit: &Unit| {
            let (open, late) = loads.get(unit.code.as_str()).copied().unwrap_or_default();
            let parts = [unit.subjects.join("、"), unit.places.join("、")];
            UnitLine {
                code: unit.code.clone(),
                name: unit.name.clone(),
                kind: kind(unit.kind),
                answers_for: parts
                    .into_iter()
                    .filter(|part| !part.is_empty())
                    .collect::<Vec<_>>()
                    .join("；"),
                contacts: (unit.contact.iter())
                    .map(|contact| format!("{} {}", contact.role.title(), contact.name))
                    .collect::<Vec<_>>()
                    .join("、"),
                open,
                late,
            }
        };
        regions.push(RegionUnits {
            code: region.code().to_owned(),
            name: region.gazetteer.name.clone(),
            units: region.units.iter().map(line).collect(),
            warnings: (console.routings.get(region.code()))
                .map(warnings)
                .unwrap_or_default(),
        });
    }
    render(&UnitsPage {
        may_edit: signed_in.user.role == Role::Administrator,
        frame: Frame::new(&console, &signed_in, "/units", "单位"),
        regions,
    })
}

/// What `check-config` warns of in a region's files.
pub(super) fn warnings(routing: &Routing) -> Vec<String> {
    routing.warnings().iter().map(Warning::told).collect()
}

/// The word for what a unit answers for.
fn kind(kind: UnitKind) -> &'static str {
    match kind {
        UnitKind::Department => "部门",
        UnitKind::Place => "属地",
        UnitKind::Office => "办公室",
    }
}

/// The units of all regions to choose from, as `region/code`.
pub(super) fn choices(console: &Console, chosen: &str) -> Vec<Choice> {
    let several = console.regions.len() > 1;
    console
        .regions
        .values()
        .flat_map(|region| region.units.iter().map(move |unit| (region, unit)))
        .map(|(region, unit)| {
            let title = if several {
                format!("{} · {}", region.gazetteer.name, unit.name)
            } else {
                unit.name.clone()
            };
            Choice::new(format!("{}/{}", region.code(), unit.code), title, chosen)
        })
        .collect()
}
