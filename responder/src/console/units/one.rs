//! One unit: what it answers for, whom it is told by, what it has to do and how it kept its time.

use std::sync::Arc;

use askama::Template;
use axum::extract::{Path, State};
use axum::response::Response;
use backbone::mask::mask;
use jiff::{SignedDuration, Timestamp};

use super::kind;
use crate::case::{Query, Role, State as Stage};
use crate::console::access::SignedIn;
use crate::console::page::{Frame, render};
use crate::console::problem::Problem;
use crate::console::show::CaseLine;
use crate::console::{Console, show};
use crate::notify::{self, State as Sent};
use crate::routing::{Routing, Warning};

/// Cases and notices that are shown.
const SHOWN: u32 = 20;
/// Days over which it is said how it kept its time.
const DAYS: i64 = 90;

struct ContactLine {
    role: &'static str,
    name: String,
    /// By what channel, and to whom there.
    reach: Vec<(String, String)>,
}

struct NoticeLine {
    at: String,
    what: &'static str,
    contact: String,
    channel: String,
    state: &'static str,
    failed: bool,
    problem: String,
    case: String,
}

#[derive(Template)]
#[template(path = "unit.html")]
struct UnitPage {
    frame: Frame,
    region: String,
    region_code: String,
    code: String,
    name: String,
    kind: &'static str,
    /// What it is called, who is above it, when it works, as titles and values.
    facts: Vec<(&'static str, String)>,
    contacts: Vec<ContactLine>,
    /// What of `check-config` is about it.
    warnings: Vec<String>,
    open: u64,
    cases: Vec<CaseLine>,
    days: i64,
    answered: i64,
    in_time: i64,
    percent: u64,
    notices: Vec<NoticeLine>,
}

/// The page.
pub(in crate::console) async fn show(
    State(console): State<Arc<Console>>,
    signed_in: SignedIn,
    Path((region, code)): Path<(String, String)>,
) -> Result<Response, Problem> {
    let now = Timestamp::now();
    let region = console.regions.get(&region).ok_or(Problem::NotFound)?;
    let unit = region.unit(&code).ok_or(Problem::NotFound)?;
    let query = Query {
        region: region.code().to_owned(),
        unit: unit.code.clone(),
        states: vec![
            Stage::Dispatched,
            Stage::Signed,
            Stage::Handling,
            Stage::Review,
        ],
        limit: SHOWN,
        ..Query::default()
    };
    let actor = signed_in.user.actor();
    let cases = console.cases.list(&query, &actor).await?;
    let since = now - SignedDuration::from_hours(24 * DAYS);
    let (answered, in_time) = (console.cases)
        .timeliness(region.code(), &unit.code, since)
        .await?;
    let notices = notify::of_unit(&console.store, region.code(), &unit.code, SHOWN).await?;
    let whole = |number: i64| u64::try_from(number).unwrap_or(0);
    let parent = (unit.parent.as_deref())
        .map(|code| console.unit_name(region.code(), code).to_owned())
        .unwrap_or_default();
    let facts = [
        ("代码", unit.code.clone()),
        ("简称", unit.short.join("、")),
        ("上级", parent),
        (
            "工作时间",
            (unit.hours.as_ref()).map_or_else(|| "按统一设置".to_owned(), ToString::to_string),
        ),
        ("主管事项", unit.subjects.join("、")),
        ("属地", unit.places.join("、")),
        ("识别词语", unit.words.join("、")),
    ];
    // Where people are reached is the administrator's to see; for others numbers and mailboxes are masked.
    let plain = signed_in.user.role == Role::Administrator;
    let unheard = unit
        .contact
        .is_empty()
        .then(|| "没有联系人：派来的事项不会有人收到通知".to_owned());
    let warnings = console.routings.get(region.code()).map(Routing::warnings);
    let of_unit = |warning: &Warning| match warning {
        Warning::NoSuchPart(_, of) => of.as_ref() == Some(&unit.code),
        Warning::Unheard(_) | Warning::NoOneInCharge(_) => false,
    };
    let page = UnitPage {
        region: region.gazetteer.name.clone(),
        region_code: region.code().to_owned(),
        code: unit.code.clone(),
        name: unit.name.clone(),
        kind: kind(unit.kind),
        facts: (facts.into_iter())
            .filter(|(_, value)| !value.is_empty())
            .collect(),
        contacts: (unit.contact.iter())
            .map(|contact| ContactLine {
                role: contact.role.title(),
                name: contact.name.clone(),
                reach: (contact.reach.iter())
                    .map(|reach| {
                        let to = if plain {
                            reach.to.clone()
                        } else {
                            mask(&reach.to)
                        };
                        (reach.channel.clone(), to)
                    })
                    .collect(),
            })
            .collect(),
        warnings: (unheard.into_iter())
            .chain((warnings.into_iter().flatten().filter(of_unit)).map(|warning| warning.told()))
            .collect(),
        open: cases.total,
        cases: (cases.cases.iter())
            .map(|case| CaseLine::new(&console, case, now))
            .collect(),
        days: DAYS,
        answered,
        in_time,
        percent: show::percent(whole(in_time), whole(answered)),
        notices: notices
            .into_iter()
            .map(|notice| NoticeLine {
                at: show::time(notice.updated_at),
                what: notice.body.kind().title(),
                contact: notice.addressee.contact.clone(),
                channel: notice.channel().to_owned(),
                state: notice.state.title(),
                failed: notice.state == Sent::Failed,
                problem: mask(&notice.problem),
                case: notice.about,
            })
            .collect(),
        frame: Frame::new(&console, &signed_in, "/units", unit.name.clone()),
    };
    render(&page)
}
