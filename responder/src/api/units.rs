//! Units: the directory of each region.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use backbone::region::{Unit, UnitKind};
use serde::Serialize;
use utoipa::ToSchema;

use super::access::Caller;
use super::asked::Asked;
use super::problem::Problem;
use crate::console::Console;

/// A unit.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Unit)]
pub(super) struct UnitView {
    /// Code of its region.
    region: String,
    code: String,
    name: String,
    /// Short names, as people write them.
    short: Vec<String>,
    /// `department` (subjects), `place` or `office`.
    kind: &'static str,
    /// The subjects it is in charge of.
    subjects: Vec<String>,
    /// The places it answers for.
    places: Vec<String>,
    /// Whether it gets what no other unit answers for.
    duty_office: bool,
}

impl UnitView {
    fn new(region: &str, unit: &Unit) -> Self {
        Self {
            region: region.to_owned(),
            code: unit.code.clone(),
            name: unit.name.clone(),
            short: unit.short.clone(),
            kind: match unit.kind {
                UnitKind::Department => "department",
                UnitKind::Place => "place",
                UnitKind::Office => "office",
            },
            subjects: unit.subjects.clone(),
            places: unit.places.clone(),
            duty_office: unit.duty_office,
        }
    }
}

/// The units of all regions served.
#[utoipa::path(get, path = "/units", tag = "units", responses((status = 200, description = "The units", body = Vec<UnitView>)))]
pub(super) async fn list(
    State(console): State<Arc<Console>>,
    _: Caller,
    asked: Asked,
) -> Result<Json<Vec<UnitView>>, Problem> {
    asked.only(&[])?;
    let units = console
        .regions
        .values()
        .flat_map(|region| (region.units.iter()).map(|unit| UnitView::new(region.code(), unit)));
    Ok(Json(units.collect()))
}
