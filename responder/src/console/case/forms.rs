//! The moves that may be made, each a form.

use backbone::region::UnitKind;

use super::Typed;
use crate::case::{Action, Actor, Case, Query, Rule, State, allowed};
use crate::console::fields::Choice;
use crate::console::problem::Problem;
use crate::console::{Console, show};

/// What a unit does from the link in a message.
const THUMB: [Action; 4] = [Action::Sign, Action::Report, Action::Reply, Action::Return];

/// Most cases offered to merge into.
const MERGEABLE: u32 = 100;

/// A move that may be made.
pub(super) struct Form {
    pub(super) action: &'static str,
    pub(super) title: &'static str,
    /// What must be written; empty where nothing must.
    pub(super) note: &'static str,
    pub(super) dispatch: bool,
    /// Whether another case is to be chosen.
    pub(super) merge: bool,
    /// Whether a unit may be proposed.
    pub(super) propose: bool,
    /// What is to be chosen.
    pub(super) choices: Vec<Choice>,
    /// Whether what is written is checked as a reply.
    pub(super) reply: bool,
    /// What was typed already.
    pub(super) typed: String,
    /// Whether it is one of those that a unit makes with one thumb on the phone.
    pub(super) thumb: bool,
    /// The most usual next move, shown first and strongest.
    pub(super) first: bool,
}

pub(super) struct UnitChoice {
    pub(super) code: String,
    pub(super) name: String,
    pub(super) lead: bool,
    pub(super) assists: bool,
}

pub(super) struct UnitGroup {
    pub(super) title: &'static str,
    pub(super) units: Vec<UnitChoice>,
}

/// The open cases of the region that a case may be merged into, where the actor may do that.
pub(super) async fn mergeable(
    console: &Console,
    case: &Case,
    actor: &Actor,
    typed: Option<&Typed>,
) -> Result<Vec<Choice>, Problem> {
    if !(allowed(case, actor).iter()).any(|rule| rule.action == Action::Merge) {
        return Ok(Vec::new());
    }
    let query = Query {
        region: case.region.clone(),
        states: State::ALL
            .into_iter()
            .filter(|state| state.open())
            .collect(),
        limit: MERGEABLE,
        ..Query::default()
    };
    let page = console.cases.list(&query, actor).await?;
    Ok((page.cases.iter())
        .filter(|other| other.id != case.id)
        .map(|other| {
            let chosen = typed.map_or("", |typed| typed.deed.into.as_str());
            Choice::new(other.id.clone(), show::case_title(other), chosen)
        })
        .collect())
}

pub(super) fn forms(case: &Case, actor: &Actor, typed: Option<&Typed>) -> Vec<Form> {
    let form = |(index, rule): (usize, &'static Rule)| Form {
        action: rule.action.name(),
        title: rule.action.title(),
        note: rule.note,
        dispatch: matches!(rule.action, Action::Dispatch | Action::Redispatch),
        merge: rule.action == Action::Merge,
        reply: rule.action == Action::Reply,
        propose: rule.action == Action::Return && actor.unit == case.lead(),
        choices: Choice::plain(
            rule.choices.iter().copied(),
            typed.map_or("", |typed| typed.deed.choice.as_str()),
        ),
        typed: typed
            .filter(|typed| typed.deed.action == rule.action)
            .map(|typed| typed.deed.note.clone())
            .unwrap_or_default(),
        thumb: actor.role.of_unit() && THUMB.contains(&rule.action),
        first: index == 0,
    };
    allowed(case, actor)
        .into_iter()
        // A file has a form of its own.
        .filter(|rule| rule.action != Action::Attach)
        .enumerate()
        .map(form)
        .collect()
}

pub(super) fn groups(console: &Console, case: &Case, typed: Option<&Typed>) -> Vec<UnitGroup> {
    let Some(region) = console.regions.get(&case.region) else {
        return Vec::new();
    };
    let (lead, assists) = match typed {
        Some(typed) if matches!(typed.deed.action, Action::Dispatch | Action::Redispatch) => {
            (typed.deed.lead.as_str(), typed.deed.assists.clone())
        }
        _ => (
            case.lead(),
            (case.assisting().iter())
                .map(|part| part.unit.clone())
                .collect(),
        ),
    };
    [
        ("县直部门", UnitKind::Department),
        ("属地单位", UnitKind::Place),
        ("办公室", UnitKind::Office),
    ]
    .into_iter()
    .map(|(title, kind)| UnitGroup {
        title,
        units: region
            .units
            .iter()
            .filter(|unit| unit.kind == kind)
            .map(|unit| UnitChoice {
                code: unit.code.clone(),
                name: unit.name.clone(),
                lead: unit.code == lead,
                assists: assists.contains(&unit.code),
            })
            .collect(),
    })
    .collect()
}
