//! Responsible: whose matter a post is, by duty and by place (谁主管谁负责、属地管理).

use backbone::message::{Place, Responsible, Role, Subject};
use backbone::region::{Region, Unit, UnitKind};

use crate::stage::lexicon::{Found, Sense};
use crate::stage::relevance::Relevance;

/// What speaks for a unit: a duty's word by its characters, the subject, its second level, its name.
const PER_CHARACTER: f64 = 0.75;
const SUBJECT: f64 = 1.5;
const SECOND: f64 = 2.0;
const NAMED: f64 = 1.0;
/// In a text of more characters than this a word counts less, in proportion: more is said by the way.
const SHORT: f64 = 40.0;
/// The subject of how offices serve people, and what speaks for the office that is named then.
const SERVICE: (&str, f64) = ("政务服务", 5.0);
/// A second department assists when this share of the lead's reasons, and at least so much, speaks for it.
const ASSISTS: (f64, f64) = (0.6, 2.0);
/// What follows on a word that says where a matter is, not what it is: 小学门口, 医院旁边.
const BESIDE: [&str; 16] = [
    "门口", "大门", "门前", "门外", "附近", "旁", "对面", "隔壁", "周边", "周围", "边上", "后面",
    "前面", "楼下", "路口", "路段",
];
/// Words told in a reason, at most.
const WORDS: usize = 3;

/// A unit with what speaks for it.
struct Candidate<'a> {
    unit: &'a Unit,
    weight: f64,
    words: Vec<&'a str>,
    subject: Option<&'a str>,
    named: bool,
}

/// A unit's word in the cleaned text, for the evidence: bytes and the unit's code.
pub type UnitWord = (usize, usize, String);

/// The units responsible, the lead first, and the words that decided: the department whose duties the
/// words and the subject name leads, the unit of the place assists; without one the unit of the place leads;
/// without either the duty office.
#[must_use]
pub fn responsible(
    region: &Region,
    text: &str,
    found: &[Found],
    subject: &Subject,
    relevance: &Relevance,
) -> (Vec<Responsible>, Vec<UnitWord>) {
    let mut candidates = candidates(region, text, found, subject, relevance);
    candidates.sort_by(|one, other| other.weight.total_cmp(&one.weight));
    let mut responsible: Vec<Responsible> = Vec::new();
    let mut decided: Vec<&str> = Vec::new();
    let mut lead_weight = 0.0;
    for candidate in candidates.iter().take(2) {
        let role = if responsible.is_empty() {
            lead_weight = candidate.weight;
            Role::Lead
        } else if candidate.weight >= ASSISTS.0 * lead_weight && candidate.weight >= ASSISTS.1 {
            Role::Assist
        } else {
            break;
        };
        decided.push(&candidate.unit.code);
        responsible.push(entry(candidate.unit, role, candidate.reason()));
    }
    if let Some((unit, place)) = of_place(region, &relevance.places)
        && !responsible.iter().any(|known| known.code == unit.code)
    {
        let role = if responsible.is_empty() {
            Role::Lead
        } else {
            Role::Assist
        };
        responsible.push(entry(unit, role, format!("事发地{place}")));
    }
    if responsible.is_empty() {
        let office = region.units.iter().find(|unit| unit.duty_office);
        responsible.extend(
            office.map(|unit| entry(unit, Role::Lead, "没有找到主管单位和属地单位".to_owned())),
        );
    }
    let words = found
        .iter()
        .filter_map(|word| match word.sense {
            Sense::Duty(index) | Sense::Unit(index) => {
                let unit = region.units.get(index as usize)?;
                decided
                    .contains(&unit.code.as_str())
                    .then(|| (word.start, word.end, unit.code.clone()))
            }
            _ => None,
        })
        .take(2 * WORDS)
        .collect();
    (responsible, words)
}

fn entry(unit: &Unit, role: Role, reason: String) -> Responsible {
    Responsible {
        code: unit.code.clone(),
        name: unit.name.clone(),
        role,
        reason,
    }
}

/// The departments that something speaks for.
fn candidates<'a>(
    region: &'a Region,
    text: &'a str,
    found: &[Found],
    subject: &'a Subject,
    relevance: &Relevance,
) -> Vec<Candidate<'a>> {
    let mut candidates: Vec<Candidate<'_>> = region
        .units
        .iter()
        .map(|unit| Candidate {
            unit,
            weight: 0.0,
            words: Vec::new(),
            subject: None,
            named: false,
        })
        .collect();
    let whole = subject.name.as_str();
    let part = format!("{whole}/{}", subject.second);
    let serves = whole == SERVICE.0;
    // The 医院 of 人民医院 says where, not what, as that of 医院旁边.
    let says_where = |word: &Found| {
        let after = text.get(word.end..).unwrap_or_default();
        let after = after.strip_prefix('的').unwrap_or(after);
        BESIDE.iter().any(|beside| after.starts_with(beside))
            || (relevance.mentions.iter()).any(|mention| {
                mention.is_place && mention.start <= word.start && word.end <= mention.end
            })
    };
    let departments = (candidates.iter_mut()).filter(|one| one.unit.kind != UnitKind::Place);
    for candidate in departments {
        if candidate.unit.subjects.contains(&part) {
            candidate.weight += SUBJECT * subject.probability + SECOND;
            candidate.subject = Some(&subject.second);
        } else if candidate.unit.subjects.iter().any(|known| known == whole) {
            candidate.weight += SUBJECT * subject.probability;
            candidate.subject = Some(whole);
        }
    }
    let share = (SHORT / text.chars().count().max(1) as f64).min(1.0);
    for word in found {
        let (index, named) = match word.sense {
            Sense::Duty(_) if says_where(word) => continue,
            Sense::Duty(index) => (index, false),
            Sense::Unit(index) => (index, true),
            _ => continue,
        };
        let Some(code) = region.units.get(index as usize).map(|unit| &unit.code) else {
            continue;
        };
        let Some(written) = text.get(word.start..word.end) else {
            continue;
        };
        let Some(candidate) = candidates
            .iter_mut()
            .find(|candidate| &candidate.unit.code == code)
        else {
            continue;
        };
        if named {
            if !candidate.named {
                candidate.named = true;
                candidate.weight += if serves { SERVICE.1 } else { NAMED };
            }
        } else if !candidate.words.iter().any(|known| known.contains(written)) {
            candidate.weight += share * PER_CHARACTER * written.chars().count() as f64;
            candidate.words.push(written);
        }
    }
    // The unit of a place leads by its name only where it is about itself.
    let counts = |one: &Candidate<'_>| one.unit.kind != UnitKind::Place || (serves && one.named);
    candidates.retain(|candidate| candidate.weight > 0.0 && counts(candidate));
    candidates
}

impl Candidate<'_> {
    fn reason(&self) -> String {
        let mut reasons = Vec::new();
        if !self.words.is_empty() {
            let words: Vec<String> = self
                .words
                .iter()
                .take(WORDS)
                .map(|word| format!("“{word}”"))
                .collect();
            reasons.push(format!("事由含{}", words.concat()));
        }
        if let Some(subject) = self.subject {
            reasons.push(format!("主管{subject}"));
        }
        if self.named {
            reasons.push("帖中点名".to_owned());
        }
        reasons.join("；")
    }
}

/// The unit of the smallest place named for which there is one.
fn of_place<'a>(region: &'a Region, places: &[Place]) -> Option<(&'a Unit, String)> {
    places
        .iter()
        .flat_map(|place| region.place_and_around(&place.name))
        .find_map(|place| {
            region
                .units
                .iter()
                .find(|unit| unit.kind == UnitKind::Place && unit.places.contains(&place.name))
                .map(|unit| (unit, place.name.clone()))
        })
}
