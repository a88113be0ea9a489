//! Units: the directory, with how many cases each has.

use std::sync::Arc;

use askama::Template;
use axum::extract::State;
use axum::response::Response;
use backbone::region::UnitKind;
use jiff::Timestamp;

use super::Console;
use super::access::SignedIn;
use super::page::{Frame, render};
use super::problem::Problem;
use crate::case::{Query, State as Stage};

struct UnitLine {
    code: String,
    name: String,
    kind: &'static str,
    answers_for: String,
    contacts: String,
    open: usize,
    late: usize,
}

struct RegionUnits {
    name: String,
    units: Vec<UnitLine>,
}

#[derive(Template)]
#[template(path = "units.html")]
struct UnitsPage {
    frame: Frame,
    regions: Vec<RegionUnits>,
}

/// The directory.
pub(super) async fn list(
    State(console): State<Arc<Console>>,
    signed_in: SignedIn,
) -> Result<Response, Problem> {
    let now = Timestamp::now();
    let actor = signed_in.user.actor();
    let mut regions = Vec::new();
    for region in console.regions.values() {
        let mut units = Vec::new();
        for unit in &region.units {
            let query = Query {
                region: region.code().to_owned(),
                unit: unit.code.clone(),
                states: vec![
                    Stage::Dispatched,
                    Stage::Signed,
                    Stage::Handling,
                    Stage::Review,
                ],
                limit: 200,
                ..Query::default()
            };
            let cases = console.cases.list(&query, &actor).await?.cases;
            let parts = [unit.subjects.join("、"), unit.places.join("、")];
            units.push(UnitLine {
                code: unit.code.clone(),
                name: unit.name.clone(),
                kind: match unit.kind {
                    UnitKind::Department => "部门",
                    UnitKind::Place => "属地",
                    UnitKind::Office => "办公室",
                },
                answers_for: parts
                    .into_iter()
                    .filter(|part| !part.is_empty())
                    .collect::<Vec<_>>()
                    .join("；"),
                contacts: (unit.contact.iter())
                    .map(|contact| format!("{} {}", contact.role.title(), contact.name))
                    .collect::<Vec<_>>()
                    .join("、"),
                open: cases.len(),
                late: cases.iter().filter(|case| case.overdue(now)).count(),
            });
        }
        regions.push(RegionUnits {
            name: region.gazetteer.name.clone(),
            units,
        });
    }
    render(&UnitsPage {
        frame: Frame::new(&console, &signed_in, "/units", "单位"),
        regions,
    })
}
