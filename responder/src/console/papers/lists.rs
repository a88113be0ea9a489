//! The lists of those whom reports go to.

use std::collections::BTreeMap;
use std::sync::Arc;

use askama::Template;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use backbone::region::Region;
use jiff::Timestamp;

use super::{PLACE, said};
use crate::console::access::SignedIn;
use crate::console::fields::{Choice, Fields};
use crate::console::page::{Frame, render_as};
use crate::console::problem::Problem;
use crate::console::routes::DUTY;
use crate::console::{Console, place, show};
use crate::paper::send::LONGEST_NAME;
use crate::paper::{List, Named};

/// A list as the page shows it.
struct Line {
    id: String,
    name: String,
    names: Vec<String>,
    changed: (String, String),
}

/// A unit with those of its contacts who may be on a list.
struct Group {
    title: String,
    contacts: Vec<Choice>,
}

#[derive(Template)]
#[template(path = "paper-lists.html")]
struct ListsPage {
    frame: Frame,
    code: String,
    regions: Vec<Choice>,
    lists: Vec<Line>,
    groups: Vec<Group>,
    may_change: bool,
    name: String,
    longest: usize,
    problem: String,
    done: &'static str,
}

/// The lists of a region; with `list` the form has who is on that one.
pub(in crate::console) async fn list(
    State(console): State<Arc<Console>>,
    signed_in: SignedIn,
    fields: Fields,
) -> Result<Response, Problem> {
    let region = place::region(&console, &signed_in, &fields)?;
    let done = match fields.get("done") {
        "kept" => "名单已保存。",
        "deleted" => "名单已删除。",
        _ => "",
    };
    let lists = console.lists.of(region.code()).await?;
    let chosen = lists.iter().find(|list| list.id == fields.get("list"));
    let typed = Typed {
        name: chosen.map(|list| list.name.clone()).unwrap_or_default(),
        named: chosen
            .map(|list| list.addressees.clone())
            .unwrap_or_default(),
        status: StatusCode::OK,
        problem: String::new(),
    };
    page(&console, &signed_in, region, &lists, typed, done)
}

/// Keeps a list.
pub(in crate::console) async fn keep(
    State(console): State<Arc<Console>>,
    signed_in: SignedIn,
    fields: Fields,
) -> Result<Response, Problem> {
    let region = place::region(&console, &signed_in, &fields)?;
    let named: Vec<Named> = (fields.all("contact").iter())
        .filter_map(|value| {
            let (unit, contact) = value.split_once('/')?;
            Some(Named {
                unit: unit.to_owned(),
                contact: contact.to_owned(),
            })
        })
        .collect();
    let (actor, now, name) = (signed_in.user.actor(), Timestamp::now(), fields.get("name"));
    match console.lists.keep(region, name, &named, &actor, now).await {
        Ok(()) => Ok(to(region, "kept")),
        Err(refused) => {
            let (status, problem) = said(refused)?;
            let typed = Typed {
                name: name.to_owned(),
                named,
                status,
                problem,
            };
            let lists = console.lists.of(region.code()).await?;
            page(&console, &signed_in, region, &lists, typed, "")
        }
    }
}

/// Deletes a list.
pub(in crate::console) async fn delete(
    State(console): State<Arc<Console>>,
    signed_in: SignedIn,
    Path(id): Path<String>,
    fields: Fields,
) -> Result<Response, Problem> {
    let region = place::region(&console, &signed_in, &fields)?;
    let (actor, now) = (signed_in.user.actor(), Timestamp::now());
    match console.lists.delete(&id, &actor, now).await {
        Ok(()) => Ok(to(region, "deleted")),
        Err(refused) => {
            said(refused)?;
            Err(Problem::NotFound)
        }
    }
}

fn to(region: &Region, done: &str) -> Response {
    let address = format!("/reports/lists?region={}&done={done}", region.code());
    Redirect::to(&address).into_response()
}

/// What stands in the form.
struct Typed {
    name: String,
    named: Vec<Named>,
    status: StatusCode,
    problem: String,
}

fn page(
    console: &Console,
    signed_in: &SignedIn,
    region: &Region,
    lists: &[List],
    typed: Typed,
    done: &'static str,
) -> Result<Response, Problem> {
    let mut groups: BTreeMap<&str, Group> = BTreeMap::new();
    for unit in &region.units {
        // Who cannot be told is on no list.
        for contact in unit
            .contact
            .iter()
            .filter(|contact| !contact.reach.is_empty())
        {
            let group = groups.entry(&unit.code).or_insert_with(|| Group {
                title: unit.name.clone(),
                contacts: Vec::new(),
            });
            let named = Named {
                unit: unit.code.clone(),
                contact: contact.name.clone(),
            };
            group.contacts.push(Choice {
                value: format!("{}/{}", named.unit, named.contact),
                title: format!("{}（{}）", contact.name, contact.role.title()),
                chosen: typed.named.contains(&named),
            });
        }
    }
    let line = |list: &List| Line {
        id: list.id.clone(),
        name: list.name.clone(),
        names: (list.addressees.iter())
            .map(|named| {
                let unit = console.unit_name(&list.region, &named.unit);
                let known = named.find(region).is_some();
                let gone = if known {
                    ""
                } else {
                    "（已不是联系人）"
                };
                format!("{unit} {}{gone}", named.contact)
            })
            .collect(),
        changed: (list.changed_by.clone(), show::time(list.changed_at)),
    };
    let page = ListsPage {
        frame: Frame::new(console, signed_in, PLACE, "报告送阅名单"),
        code: region.code().to_owned(),
        regions: place::regions(console, signed_in, region),
        lists: lists.iter().map(line).collect(),
        groups: groups.into_values().collect(),
        may_change: DUTY.contains(&signed_in.user.role),
        name: typed.name,
        longest: LONGEST_NAME,
        problem: typed.problem,
        done,
    };
    render_as(typed.status, &page)
}
