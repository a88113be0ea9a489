//! Routing: which units a matter belongs to, by place and subject (属地管理、谁主管谁负责).
//!
//! The tree of `routing.toml` is walked depth first. The first rule that matches decides, after its own
//! sub-rules; a rule that says `continue` only adds its assisting units, and the walk goes on. Where no
//! rule names a lead, the unit in charge of the subject leads and the unit of the place assists; with
//! only one of them, it leads; with neither, the duty office does.

use std::path::Path;

use backbone::message::Alert;
use backbone::region::{Region, SUBJECTS, Unit, UnitKind};
use backbone::settings::{SettingsError, load};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

const BY_BOTH: &str = "by-place-and-subject";
const BY_PLACE: &str = "by-place";
const BY_SUBJECT: &str = "by-subject";

/// The contents of `routing.toml`.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Tree {
    /// The root: its lead holds where no rule names one.
    pub route: Rule,
}

/// A rule, and the rules below it.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Rule {
    /// What the rule is for, in words; shown to the duty officer as the reason.
    #[serde(default)]
    pub comment: String,
    /// Which matters it takes; all where empty.
    #[serde(default, rename = "match")]
    pub matches: Match,
    /// Who leads: a unit's code, `by-place`, `by-subject` or `by-place-and-subject`; undecided where empty.
    #[serde(default)]
    pub lead: String,
    /// Who assists: units' codes, `by-place` or `by-subject`.
    #[serde(default)]
    pub assist: Vec<String>,
    /// Whether the walk goes on after this rule.
    #[serde(default, rename = "continue")]
    pub goes_on: bool,
    /// Rules tried before this one decides.
    #[serde(default)]
    pub routes: Vec<Self>,
}

/// Conditions that must all hold; an empty one always does.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Match {
    /// One of these subjects.
    #[serde(default)]
    pub subject: Vec<String>,
    /// One of these places, or a place within them.
    #[serde(default)]
    pub place: Vec<String>,
    /// One of these levels.
    #[serde(default)]
    pub level: Vec<u8>,
    /// One of these words in the event's title or gist.
    #[serde(default)]
    pub words: Vec<String>,
}

/// Who gets a matter, and why.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Routed {
    /// Code of the lead unit.
    pub lead: String,
    /// Codes of the assisting units.
    pub assists: Vec<String>,
    /// The reasons, in the duty team's words.
    pub because: Vec<String>,
}

/// A region's routing.
#[derive(Debug, Clone)]
pub struct Routing {
    region: Region,
    tree: Tree,
}

impl Routing {
    /// Reads a region's folder and checks that its rules name units, places and subjects that exist.
    ///
    /// # Errors
    /// Names the file, the rule at fault and the remedy.
    pub fn load(folder: &Path) -> Result<Self, SettingsError> {
        let region = Region::load(folder)?;
        let tree = load(&folder.join("routing.toml"), |tree: &Tree| {
            check(&tree.route, "route", &region)
        })?;
        Ok(Self { region, tree })
    }

    /// The region it is for.
    #[must_use]
    pub fn region(&self) -> &Region {
        &self.region
    }

    /// Who gets the matter of an alert.
    #[must_use]
    pub fn route(&self, alert: &Alert) -> Routed {
        let mut routed = Routed::default();
        self.walk(&self.tree.route, alert, &mut routed);
        if routed.lead.is_empty() {
            self.name_lead(BY_BOTH, alert, &mut routed);
        }
        let lead = routed.lead.clone();
        routed.assists.retain(|code| *code != lead);
        routed
    }

    /// Whether the rule decided.
    fn walk(&self, rule: &Rule, alert: &Alert, routed: &mut Routed) -> bool {
        if !self.matches(&rule.matches, alert) {
            return false;
        }
        if rule
            .routes
            .iter()
            .any(|below| self.walk(below, alert, routed))
        {
            return true;
        }
        if !rule.comment.is_empty() {
            routed.because.push(rule.comment.clone());
        }
        if !rule.lead.is_empty() {
            self.name_lead(&rule.lead, alert, routed);
        }
        for code in &rule.assist {
            let unit = match code.as_str() {
                BY_PLACE => self.of_place(alert).map(|(unit, _)| unit),
                BY_SUBJECT => self.of_subject(alert).map(|(unit, _)| unit),
                code => self.region.unit(code),
            };
            if let Some(unit) = unit {
                push_once(&mut routed.assists, &unit.code);
            }
        }
        !rule.goes_on
    }

    fn name_lead(&self, lead: &str, alert: &Alert, routed: &mut Routed) {
        let mut found: Vec<(&Unit, String)> = match self.region.unit(lead) {
            // A rule that names its lead decides who assists, too.
            Some(unit) => vec![(unit, "路由规则指定".to_owned())],
            None => {
                let by_subject = (lead != BY_PLACE).then(|| self.of_subject(alert)).flatten();
                let by_place = (lead != BY_SUBJECT).then(|| self.of_place(alert)).flatten();
                by_subject.into_iter().chain(by_place).collect()
            }
        };
        if found.is_empty() {
            let office = self.region.units.iter().find(|unit| unit.duty_office);
            found.extend(office.map(|unit| (unit, "没有找到主管单位和属地单位".to_owned())));
        }
        for (index, (unit, reason)) in found.into_iter().enumerate() {
            if index == 0 {
                routed.lead.clone_from(&unit.code);
                routed.because.push(format!("{}牵头：{reason}", unit.name));
            } else {
                push_once(&mut routed.assists, &unit.code);
                routed.because.push(format!("{}协办：{reason}", unit.name));
            }
        }
    }

    /// The unit whose word the matter uses, the longest word first; else the one in charge of its subject.
    fn of_subject(&self, alert: &Alert) -> Option<(&Unit, String)> {
        let text = text_of(alert);
        let by_word = self
            .region
            .units
            .iter()
            .filter(|unit| unit.kind != UnitKind::Place)
            .flat_map(|unit| unit.words.iter().map(move |word| (unit, word)))
            .filter(|(_, word)| text.contains(word.as_str()))
            .max_by_key(|(unit, word)| {
                (
                    word.chars().count(),
                    unit.subjects.contains(&alert.event.subject),
                )
            })
            .map(|(unit, word)| (unit, format!("事由含“{word}”")));
        by_word.or_else(|| {
            self.region
                .units
                .iter()
                .find(|unit| unit.subjects.contains(&alert.event.subject))
                .map(|unit| (unit, format!("主管{}", alert.event.subject)))
        })
    }

    /// The unit of the smallest place named for which there is one.
    fn of_place(&self, alert: &Alert) -> Option<(&Unit, String)> {
        alert
            .event
            .places
            .iter()
            .flat_map(|place| self.region.place_and_around(&place.name))
            .find_map(|place| {
                self.region
                    .units
                    .iter()
                    .find(|unit| unit.places.contains(&place.name))
                    .map(|unit| (unit, format!("事发地{}", place.name)))
            })
    }

    fn matches(&self, wanted: &Match, alert: &Alert) -> bool {
        let event = &alert.event;
        let text = text_of(alert);
        let in_place = |name: &String| {
            event.places.iter().any(|place| {
                self.region
                    .place_and_around(&place.name)
                    .iter()
                    .any(|around| &around.name == name)
            })
        };
        (wanted.subject.is_empty() || wanted.subject.contains(&event.subject))
            && (wanted.level.is_empty() || wanted.level.contains(&alert.level))
            && (wanted.words.is_empty()
                || wanted.words.iter().any(|word| text.contains(word.as_str())))
            && (wanted.place.is_empty() || wanted.place.iter().any(in_place))
    }
}

fn check(rule: &Rule, at: &str, region: &Region) -> Result<(), String> {
    let leads = [BY_BOTH, BY_PLACE, BY_SUBJECT, ""];
    let named = |code: &str| region.unit(code).is_some();
    if !leads.contains(&rule.lead.as_str()) && !named(&rule.lead) {
        return Err(format!(
            "`{at}.lead` names the unit `{}`, which units.toml does not have; add it there or correct the code",
            rule.lead
        ));
    }
    for code in &rule.assist {
        if ![BY_PLACE, BY_SUBJECT].contains(&code.as_str()) && !named(code) {
            return Err(format!(
                "`{at}.assist` names the unit `{code}`, which units.toml does not have; add it there or correct the code"
            ));
        }
    }
    if let Some(subject) = rule
        .matches
        .subject
        .iter()
        .find(|subject| !SUBJECTS.contains(&subject.as_str()))
    {
        return Err(format!(
            "`{at}.match.subject` has the unknown subject `{subject}`; known are {}",
            SUBJECTS.join(" ")
        ));
    }
    let places = &region.gazetteer.place;
    if let Some(name) = rule
        .matches
        .place
        .iter()
        .find(|name| !places.iter().any(|place| &place.name == *name))
    {
        return Err(format!(
            "`{at}.match.place` names `{name}`, which region.toml does not have; add it there or correct the name"
        ));
    }
    if let Some(level) = rule
        .matches
        .level
        .iter()
        .find(|level| !(1..=4).contains(*level))
    {
        return Err(format!("`{at}.match.level` has {level}; levels are 1 to 4"));
    }
    let decides = !rule.lead.is_empty() || !rule.assist.is_empty() || !rule.routes.is_empty();
    if !decides {
        return Err(format!(
            "`{at}` sends its matters to no one; give it a `lead`, an `assist` or `routes`"
        ));
    }
    if rule.goes_on && !rule.lead.is_empty() {
        return Err(format!(
            "`{at}` has a `lead` and says `continue`; a rule that goes on can only add `assist`"
        ));
    }
    for (index, below) in rule.routes.iter().enumerate() {
        check(below, &format!("{at}.routes[{index}]"), region)?;
    }
    Ok(())
}

fn text_of(alert: &Alert) -> String {
    format!("{}\n{}", alert.event.title, alert.event.gist)
}

fn push_once(codes: &mut Vec<String>, code: &str) {
    if !codes.iter().any(|known| known == code) {
        codes.push(code.to_owned());
    }
}
