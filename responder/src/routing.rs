//! Routing: which units a matter belongs to, by place and subject (属地管理、谁主管谁负责), and when they are told.
//!
//! The tree of `routing.toml` is walked depth first. The first rule that matches decides, after its own
//! sub-rules; a rule that says `continue` only adds its assisting units, and the walk goes on. Where no
//! rule names a lead, the unit in charge of the subject leads and the unit of the place assists; with
//! only one of them, it leads; with neither, the duty office does. Nothing is dropped: what holds notices
//! back ([`Hold`]) keeps no case from being opened.

mod check;
mod duties;
mod explain;
mod group;
mod hold;
mod matching;
mod probe;
mod responsible;
mod rule;
mod silence;
mod step;
mod tree;
mod window;

use std::path::{Path, PathBuf};

use backbone::message::Alert;
use backbone::region::{Region, Unit};
use backbone::settings::{Problems, SettingsError, faultless, parse, read};

pub use check::Warning;
pub use explain::{Explained, Told};
pub use group::{Group, Grouping, Label};
pub use hold::{Hold, Moment, Open};
pub use matching::Match;
pub use probe::Probe;
pub use rule::{Inhibition, Rule, Tree};
pub use silence::{NewSilence, Silence, SilenceError, Silences};
pub use step::{Outcome, Step};
pub use tree::Placed;
pub use window::{DayOfWeek, Window, Windows};

use duties::Duties;
use responsible::{of_place, of_subject};
use rule::{BY_BOTH, BY_PLACE, BY_SUBJECT, Inherited};

/// Who gets a matter, and why.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Routed {
    /// Code of the lead unit.
    pub lead: String,
    /// Codes of the assisting units.
    pub assists: Vec<String>,
    /// The reasons, in the duty team's words.
    pub because: Vec<String>,
    /// Every rule tried, in order.
    pub steps: Vec<Step>,
    /// How its notices are gathered and sent again.
    pub grouping: Grouping,
    /// When they go out.
    pub windows: Windows,
}

/// What the files of a region's folder say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Texts {
    /// `region.toml`: its names and places.
    pub region: String,
    /// `units.toml`: who is there and what for.
    pub units: String,
    /// `routing.toml`: who gets what.
    pub routing: String,
}

impl Texts {
    /// Name of the first.
    pub const REGION: &'static str = "region.toml";
    /// Name of the second.
    pub const UNITS: &'static str = "units.toml";
    /// Name of the third.
    pub const ROUTING: &'static str = "routing.toml";
}

/// A region's routing.
#[derive(Debug, Clone)]
pub struct Routing {
    region: Region,
    duties: Duties,
    folder: PathBuf,
    root: Rule,
    inhibit: Vec<Inhibition>,
    times: Vec<Window>,
}

impl Routing {
    /// Reads a region's folder and checks that its rules name units, places and subjects that exist, and that each can be
    /// reached.
    ///
    /// # Errors
    /// Names the file, the rule at fault and the remedy.
    pub fn load(folder: &Path) -> Result<Self, SettingsError> {
        faultless(|problems| Self::read(folder, problems))
    }

    /// As [`Routing::load`], going on where something is wrong, which is added to the problems.
    pub fn read(folder: &Path, problems: &mut Problems) -> Option<Self> {
        let mut text = |name: &str| problems.take(read(&folder.join(name)));
        let (region, units, routing) = (
            text(Texts::REGION),
            text(Texts::UNITS),
            text(Texts::ROUTING),
        );
        let texts = Texts {
            region: region?,
            units: units?,
            routing: routing?,
        };
        Self::parse(folder, &texts, problems)
    }

    /// As [`Routing::read`], of the texts that the files of a folder have, or are to have.
    pub fn parse(folder: &Path, texts: &Texts, problems: &mut Problems) -> Option<Self> {
        let region = Region::parse(folder, &texts.region, &texts.units, problems);
        let check = |tree: &Tree| {
            (region.as_ref()).map_or_else(Vec::new, |region| check::tree(tree, region))
        };
        let tree = parse(
            &folder.join(Texts::ROUTING),
            &texts.routing,
            check,
            problems,
        );
        let (region, tree) = (region?, tree?);
        let duties = Duties::new(&region)
            .map_err(|flaw| problems.note_in(&folder.join(Texts::UNITS), &texts.units, [flaw]))
            .ok()?;
        Some(Self {
            duties,
            region,
            folder: folder.to_owned(),
            root: tree.route,
            inhibit: tree.inhibit,
            times: tree.time,
        })
    }

    /// The folder that it was read from.
    #[must_use]
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// The region it is for.
    #[must_use]
    pub fn region(&self) -> &Region {
        &self.region
    }

    /// What is not wrong but leaves someone unheard.
    #[must_use]
    pub fn warnings(&self) -> Vec<Warning> {
        check::warnings(self)
    }

    /// Who gets the matter of an alert.
    #[must_use]
    pub fn route(&self, alert: &Alert) -> Routed {
        let mut routed = Routed::default();
        self.walk(
            &self.root,
            "route",
            &Inherited::default(),
            alert,
            &mut routed,
        );
        if routed.lead.is_empty() {
            self.name_lead(BY_BOTH, alert, &mut routed);
        }
        let lead = routed.lead.clone();
        routed.assists.retain(|code| *code != lead);
        routed
    }

    /// Whether the rule decided.
    fn walk(
        &self,
        rule: &Rule,
        at: &str,
        above: &Inherited,
        alert: &Alert,
        routed: &mut Routed,
    ) -> bool {
        let taken = rule.matches.takes(alert, &self.region);
        let number = routed.steps.len();
        routed.steps.push(Step {
            rule: at.to_owned(),
            comment: rule.comment.clone(),
            outcome: Outcome::Passed,
            why: taken.clone().unwrap_or_else(|why| why),
        });
        if taken.is_err() {
            return false;
        }
        let own = above.below(rule);
        let decided = rule.routes.iter().enumerate().any(|(index, below)| {
            let at = format!("{at}.routes[{index}]");
            self.walk(below, &at, &own, alert, routed)
        });
        let outcome = match (decided, rule.goes_on) {
            (true, _) => Outcome::DecidedBelow,
            (false, true) => Outcome::Added,
            (false, false) => Outcome::Decided,
        };
        if let Some(step) = routed.steps.get_mut(number) {
            step.outcome = outcome;
        }
        if decided {
            return true;
        }
        self.apply(rule, alert, routed);
        if !rule.goes_on {
            routed.grouping = own.grouping(at);
            routed.windows = own.windows(&self.times);
        }
        !rule.goes_on
    }

    /// Does what a rule says that took the matter.
    fn apply(&self, rule: &Rule, alert: &Alert, routed: &mut Routed) {
        if !rule.comment.is_empty() {
            routed.because.push(rule.comment.clone());
        }
        if !rule.lead.is_empty() {
            self.name_lead(&rule.lead, alert, routed);
        }
        for code in &rule.assist {
            let unit = match code.as_str() {
                BY_PLACE => of_place(&self.region, alert).map(|(unit, _)| unit),
                BY_SUBJECT => of_subject(&self.region, &self.duties, alert).map(|(unit, _)| unit),
                code => self.region.unit(code),
            };
            if let Some(unit) = unit {
                push_once(&mut routed.assists, &unit.code);
            }
        }
    }

    fn name_lead(&self, lead: &str, alert: &Alert, routed: &mut Routed) {
        let mut found: Vec<(&Unit, String)> = match self.region.unit(lead) {
            // A rule that names its lead decides who assists, too.
            Some(unit) => vec![(unit, "路由规则指定".to_owned())],
            None => {
                let subject =
                    (lead != BY_PLACE).then(|| of_subject(&self.region, &self.duties, alert));
                let place = (lead != BY_SUBJECT).then(|| of_place(&self.region, alert));
                subject
                    .flatten()
                    .into_iter()
                    .chain(place.flatten())
                    .collect()
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
}

fn text_of(alert: &Alert) -> String {
    format!("{}\n{}", alert.event.title, alert.event.gist)
}

fn push_once(codes: &mut Vec<String>, code: &str) {
    if !codes.iter().any(|known| known == code) {
        codes.push(code.to_owned());
    }
}
