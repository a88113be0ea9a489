//! Routing: the tree as it stands, and a tester that shows the path of a matter through it and who would be told.

use std::sync::Arc;

use askama::Template;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use backbone::message::{APPEALS, SourceKind};
use backbone::region::{ContactRole, Region, SUBJECTS};
use jiff::Timestamp;

use super::access::SignedIn;
use super::fields::{Choice, Fields};
use super::page::{Frame, render_as};
use super::problem::Problem;
use super::units::warnings;
use super::{Console, place, show};
use crate::clock::local;
use crate::roster::{Post, Shift};
use crate::routing::{Explained, Label, Moment, Outcome, Placed, Probe, Routing, Step, Told};

/// Longest text of a matter, in characters.
const LONGEST: usize = 500;

/// A rule of the tree, with what came of it where a matter was tried.
struct RuleLine {
    at: String,
    depth: usize,
    comment: String,
    conditions: Vec<String>,
    gives: Vec<String>,
    sends: Vec<String>,
    goes_on: bool,
    tried: Option<Tried>,
}

struct Tried {
    /// Whether the matter went this way.
    on: bool,
    outcome: &'static str,
    why: String,
}

impl RuleLine {
    fn new(placed: &Placed<'_>, region: &Region, steps: &[Step]) -> Self {
        let Placed { at, depth, rule } = placed;
        let step = steps.iter().find(|step| step.rule == *at);
        Self {
            at: at.clone(),
            depth: (*depth).min(4),
            comment: rule.comment.clone(),
            conditions: rule.matches.told(),
            gives: rule.gives(region),
            sends: rule.sends(),
            goes_on: rule.goes_on,
            tried: step.map(|step| Tried {
                on: step.outcome != Outcome::Passed,
                outcome: step.outcome.told(),
                why: step.why.clone(),
            }),
        }
    }
}

/// Where a matter would go.
struct Answer {
    told: Vec<ToldLine>,
    because: Vec<String>,
    holds: Vec<String>,
    /// Who of the duty office hears of it first.
    duty: Vec<String>,
    /// What there is to say of these.
    duty_note: &'static str,
    gathered: String,
    due: String,
    again: String,
    /// The names of the rules that it went through, the last of which decided.
    path: Vec<String>,
}

struct ToldLine {
    unit: String,
    code: String,
    part: &'static str,
    people: String,
    channel: String,
}

/// What was filled in.
struct Asked {
    text: String,
    place: String,
    source: String,
    at: String,
}

#[derive(Template)]
#[template(path = "routing.html")]
struct RoutingPage {
    frame: Frame,
    region: String,
    region_code: String,
    regions: Vec<Choice>,
    asked: Asked,
    subjects: Vec<Choice>,
    appeals: Vec<Choice>,
    levels: Vec<Choice>,
    kinds: Vec<Choice>,
    /// Names to choose the place from.
    places: Vec<String>,
    problem: String,
    answer: Option<Answer>,
    rules: Vec<RuleLine>,
    inhibitions: Vec<(String, String, String, String)>,
    times: Vec<(String, String)>,
    file: String,
    warnings: Vec<String>,
}

/// The page; with `test`, what becomes of the matter described.
pub(super) async fn show(
    State(console): State<Arc<Console>>,
    signed_in: SignedIn,
    fields: Fields,
) -> Result<Response, Problem> {
    let now = Timestamp::now();
    let region = place::region(&console, &signed_in, &fields)?;
    let routing = console.routings.get(region.code());
    let routing = routing.ok_or(Problem::NotFound)?;
    let mut problem = String::new();
    let mut explained = None;
    if !fields.get("test").is_empty() {
        match read(&fields, region, now) {
            Ok((probe, at)) => explained = Some(explain(&console, routing, &probe, at).await?),
            Err(wrong) => problem = format!("{wrong}。"),
        }
    }
    let steps = explained.as_ref().map_or(&[][..], |(said, _)| &said.steps);
    let page = RoutingPage {
        region: region.gazetteer.name.clone(),
        region_code: region.code().to_owned(),
        regions: place::regions(&console, &signed_in, region),
        asked: Asked {
            text: fields.get("text").to_owned(),
            place: fields.get("place").to_owned(),
            source: fields.get("source").to_owned(),
            at: fields.get("at").to_owned(),
        },
        subjects: subjects(routing, fields.get("subject")),
        appeals: Choice::plain(APPEALS, fields.get("appeal")),
        levels: (1..=4)
            .map(|number: u8| {
                let level = show::level(number);
                let chosen = match fields.get("level") {
                    "" => "3",
                    chosen => chosen,
                };
                let title = format!("{} {}", level.numeral, level.word);
                Choice::new(number.to_string(), title, chosen)
            })
            .collect(),
        kinds: ["board", "feed", "import", "official"]
            .into_iter()
            .map(|kind| Choice::new(kind, show::kind(kind), fields.get("kind")))
            .collect(),
        places: (region.gazetteer.place.iter())
            .map(|place| place.name.clone())
            .collect(),
        rules: (routing.rules().iter())
            .map(|placed| RuleLine::new(placed, region, steps))
            .collect(),
        inhibitions: (routing.inhibitions().iter())
            .map(|rule| {
                let all = |told: Vec<String>| told.join("；");
                let alike: Vec<&str> = rule.equal.iter().map(|label| label.title()).collect();
                (
                    rule.comment.clone(),
                    all(rule.source.told()),
                    all(rule.target.told()),
                    alike.join("、"),
                )
            })
            .collect(),
        times: (routing.times().iter())
            .map(|time| (time.name.clone(), time.told()))
            .collect(),
        file: format!("{}/routing.toml", region.code()),
        warnings: warnings(routing),
        answer: explained.map(|(said, duty)| answer(said, &duty, routing)),
        frame: Frame::new(&console, &signed_in, "/routing", "分派"),
        problem,
    };
    let status = if page.problem.is_empty() {
        StatusCode::OK
    } else {
        StatusCode::UNPROCESSABLE_ENTITY
    };
    render_as(status, &page)
}

/// The matter that a form describes, and when it comes.
fn read(fields: &Fields, region: &Region, now: Timestamp) -> Result<(Probe, Timestamp), String> {
    let text = fields.get("text");
    if text.chars().count() > LONGEST {
        return Err(format!("事由请控制在{LONGEST}字以内"));
    }
    let at = match fields.get("at") {
        "" => now,
        at => local(at).ok_or("时间请按“2026-10-01 08:30”的格式填写")?,
    };
    let probe = Probe {
        text: text.to_owned(),
        subject: fields.get("subject").to_owned(),
        place: fields.get("place").to_owned(),
        appeal: fields.get("appeal").to_owned(),
        level: fields.get("level").parse().unwrap_or(0),
        source: fields.get("source").to_owned(),
        kind: SourceKind::named(fields.get("kind")),
    };
    probe.check(region)?;
    Ok((probe, at))
}

/// The same explanation as `responder route` gives, with who is on duty then.
async fn explain(
    console: &Console,
    routing: &Routing,
    probe: &Probe,
    at: Timestamp,
) -> Result<(Explained, Vec<Shift>), Problem> {
    let region = routing.region();
    let alert = probe.alert(region, at);
    let silences = console.silences.list(region.code()).await?;
    let open = (console.cases)
        .open_alerts(region.code(), |alert| routing.inhibits(alert))
        .await?;
    let open = routing.open(open);
    let moment = Moment {
        now: at,
        calendar: &console.calendar,
        silences: &silences,
        open: &open,
    };
    let duty = console.roster.on_duty(region.code(), at).await?;
    Ok((routing.explain(&alert, &moment), duty))
}

fn answer(said: Explained, duty: &[Shift], routing: &Routing) -> Answer {
    let region = routing.region();
    let office = region.units.iter().find(|unit| unit.duty_office);
    let officers: Vec<String> = office
        .into_iter()
        .flat_map(|unit| unit.contacts_as(ContactRole::DutyOfficer))
        .map(|contact| contact.name.clone())
        .collect();
    let on_duty: Vec<String> = (duty.iter())
        .filter(|shift| shift.post == Post::DutyOfficer && officers.contains(&shift.who))
        .map(|shift| shift.who.clone())
        .collect();
    let (duty, duty_note) = match (on_duty.is_empty(), officers.is_empty()) {
        (false, _) => (on_duty, "值班表上此时的值班员"),
        (true, false) => (officers, "值班表上此时无人，通知全部值班员"),
        (true, true) => (Vec::new(), "单位文件中没有值班员，待研判时只在工作台显示"),
    };
    let comments = routing.rules();
    let path = (said.steps.iter())
        .filter(|step| step.outcome != Outcome::Passed)
        .map(|step| {
            let known = comments.iter().position(|placed| placed.at == step.rule);
            match (known, step.comment.as_str()) {
                (Some(0), "") => "总规则".to_owned(),
                (_, "") => step.rule.clone(),
                (_, comment) => comment.to_owned(),
            }
        })
        .collect();
    let by: Vec<&str> = (said.grouping.by.iter())
        .map(|label: &Label| label.title())
        .collect();
    Answer {
        told: said
            .told
            .iter()
            .map(|told| told_line(told, region))
            .collect(),
        because: said.because,
        holds: said.holds.iter().map(|hold| hold.told()).collect(),
        duty,
        duty_note,
        gathered: if by.is_empty() {
            "同一事件".to_owned()
        } else {
            format!("同一{}", by.join("、"))
        },
        due: said.due.map(show::time).unwrap_or_default(),
        again: said.again.map(show::time).unwrap_or_default(),
        path,
    }
}

fn told_line(told: &Told, region: &Region) -> ToldLine {
    let unit = region.unit(&told.unit);
    let people: Vec<String> = unit
        .map(|unit| unit.first_contacts())
        .unwrap_or_default()
        .into_iter()
        .map(|contact| format!("{} {}", contact.role.title(), contact.name))
        .collect();
    ToldLine {
        unit: told.name.clone(),
        code: told.unit.clone(),
        part: if told.lead { "牵头" } else { "协办" },
        people: people.join("、"),
        channel: told.channel.clone().unwrap_or_default(),
    }
}

/// The subjects to choose from: all, and the parts that the rules tell apart.
fn subjects(routing: &Routing, chosen: &str) -> Vec<Choice> {
    let parts: Vec<String> = (routing.rules().iter())
        .flat_map(|placed| placed.rule.matches.subject.clone())
        .chain((routing.region().units.iter()).flat_map(|unit| unit.subjects.clone()))
        .filter(|subject| subject.contains('/'))
        .collect();
    let mut names: Vec<String> = Vec::new();
    for subject in SUBJECTS {
        names.push(subject.to_owned());
        for part in &parts {
            let of_subject = (part.split_once('/')).is_some_and(|(whole, _)| whole == subject);
            if of_subject && !names.contains(part) {
                names.push(part.clone());
            }
        }
    }
    Choice::plain(names, chosen)
}
