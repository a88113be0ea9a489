//! What is wrong with a region's routing, and what is not wrong but leaves someone unheard.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use backbone::region::{Region, SUBJECTS};
use backbone::settings::Flaw;
use serde::Deserialize;

use super::explain::carries;
use super::rule::{BY_BOTH, BY_PLACE, BY_SUBJECT, Rule, Tree};
use super::{Routing, Texts};
use crate::deadline::Term;

/// Units named in a warning.
const NAMED: usize = 8;

/// Where the rules name what there is not, and which can never be reached.
pub(super) fn tree(tree: &Tree, region: &Region) -> Vec<Flaw> {
    let mut flaws = Vec::new();
    let mut times = BTreeSet::new();
    for time in &tree.time {
        flaws.extend(time.check());
        if !times.insert(time.name.as_str()) {
            flaws.push(Flaw::new(
                format!("the time `{}` is listed twice; remove one", time.name),
                format!("时段“{}”重复，请去掉一个", time.name),
            ));
        }
    }
    for (index, inhibition) in tree.inhibit.iter().enumerate() {
        let at = format!("inhibit[{index}]");
        flaws.extend(inhibition.source.check(&format!("{at}.source"), region));
        flaws.extend(inhibition.target.check(&format!("{at}.target"), region));
        if inhibition.source.is_empty() || inhibition.target.is_empty() {
            flaws.push(Flaw::new(
                format!(
                    "`{at}` would hold back by any alert, or any alert back; give `source` and `target` conditions"
                ),
                format!("{at} 对任何预警都会抑制或被抑制，请写明 source 和 target 的条件"),
            ));
        }
        if inhibition.equal.is_empty() {
            flaws.push(Flaw::new(
                format!(
                    "`{at}.equal` is empty, so that matters that have nothing in common hold each other back; name what must be alike, such as [\"place\", \"subject\"]"
                ),
                format!(
                    "{at}.equal 为空，毫不相干的事项会互相抑制，请写明须相同的内容，如 [\"place\", \"subject\"]"
                ),
            ));
        }
    }
    rule(&tree.route, "route", region, &times, &mut flaws);
    flaws
}

fn rule(rule: &Rule, at: &str, region: &Region, times: &BTreeSet<&str>, flaws: &mut Vec<Flaw>) {
    units(rule, at, region, flaws);
    flaws.extend(rule.matches.check(&format!("{at}.match"), region));
    for (field, term) in [("group_wait", rule.group_wait), ("repeat", rule.repeat)] {
        if let Err(problem) = term.map_or(Ok(()), Term::check) {
            flaws.push(Flaw::new(
                format!("`{at}.{field}`: {problem}"),
                format!("{at}.{field} 的时长不对：分钟、小时、天只写一个，1以上，十年以内"),
            ));
        }
    }
    if rule.group_by.as_ref().is_some_and(Vec::is_empty) {
        flaws.push(Flaw::new(
            format!(
                "`{at}.group_by` is empty; name what its alerts are gathered by, or leave it out"
            ),
            format!("{at}.group_by 为空，请写明按什么合并，或去掉这一项"),
        ));
    }
    for (field, names) in [
        ("mute_times", &rule.mute_times),
        ("active_times", &rule.active_times),
    ] {
        let unknown = |name: &&String| !times.contains(name.as_str());
        if let Some(name) = names.iter().flatten().find(unknown) {
            flaws.push(Flaw::new(
                format!(
                    "`{at}.{field}` names the time `{name}`, which there is not; add a [[time]] of that name or correct it"
                ),
                format!("{at}.{field} 所写的时段“{name}”没有列出，请添加该名称的 [[time]] 或更正"),
            ));
        }
    }
    let decides = !rule.lead.is_empty() || !rule.assist.is_empty() || !rule.routes.is_empty();
    if !decides {
        flaws.push(Flaw::new(
            format!(
                "`{at}` sends its matters to no one; give it a `lead`, an `assist` or `routes`"
            ),
            format!("{at} 没有把事项交给任何单位，请写明 lead、assist 或 routes"),
        ));
    }
    let own = rule.group_by.is_some()
        || rule.group_wait.is_some()
        || rule.repeat.is_some()
        || rule.mute_times.is_some()
        || rule.active_times.is_some();
    if rule.goes_on && (!rule.lead.is_empty() || own) {
        let (what, told) = if rule.lead.is_empty() {
            ("says when it is told of", "规定了通知时间")
        } else {
            ("has a `lead`", "写了 lead")
        };
        flaws.push(Flaw::new(
            format!("`{at}` {what} and says `continue`; a rule that goes on can only add `assist`"),
            format!("{at} {told}，又写了 continue：继续往下的规则只能添加 assist"),
        ));
    }
    for (index, below) in rule.routes.iter().enumerate() {
        let at_below = format!("{at}.routes[{index}]");
        flaws.extend(unreachable(rule, index, below, at, region));
        self::rule(below, &at_below, region, times, flaws);
    }
}

fn units(rule: &Rule, at: &str, region: &Region, flaws: &mut Vec<Flaw>) {
    let leads = [BY_BOTH, BY_PLACE, BY_SUBJECT, ""];
    let named = |code: &str| region.unit(code).is_some();
    if !leads.contains(&rule.lead.as_str()) && !named(&rule.lead) {
        flaws.push(Flaw::new(
            format!(
                "`{at}.lead` names the unit `{}`, which units.toml does not have; add it there or correct the code",
                rule.lead
            ),
            format!(
                "{at}.lead 所写的单位 {} 不在 units.toml 中，请添加或更正",
                rule.lead
            ),
        ));
    }
    for code in &rule.assist {
        if ![BY_PLACE, BY_SUBJECT].contains(&code.as_str()) && !named(code) {
            flaws.push(Flaw::new(
                format!(
                    "`{at}.assist` names the unit `{code}`, which units.toml does not have; add it there or correct the code"
                ),
                format!("{at}.assist 所写的单位 {code} 不在 units.toml 中，请添加或更正"),
            ));
        }
    }
}

/// Why no matter can come to a rule: a rule before it takes all, or the rule above keeps all away.
fn unreachable(above: &Rule, index: usize, rule: &Rule, at: &str, region: &Region) -> Option<Flaw> {
    let before = (above.routes.iter().take(index).enumerate())
        .find(|(_, earlier)| !earlier.goes_on && earlier.matches.covers(&rule.matches, region));
    if let Some((earlier, _)) = before {
        return Some(Flaw::new(
            format!(
                "`{at}.routes[{index}]` is never reached: `{at}.routes[{earlier}]` before it takes all that it takes; put it before that, or narrow that"
            ),
            format!(
                "{at}.routes[{index}] 永远用不到：前面的 {at}.routes[{earlier}] 已全部接走，请移到它之前，或缩小它的条件"
            ),
        ));
    }
    if above.matches.excludes(&rule.matches) {
        return Some(Flaw::new(
            format!(
                "`{at}.routes[{index}]` is never reached: no matter fits its `match` and that of `{at}` above it; correct one of them"
            ),
            format!(
                "{at}.routes[{index}] 永远用不到：没有事项同时符合它和上层 {at} 的条件，请更正其一"
            ),
        ));
    }
    None
}

/// What is not wrong in a region's files, but leaves someone unheard.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Warning {
    /// Units, by code and name, for which no one is told.
    Unheard(Vec<(String, String)>),
    /// Subjects that no unit is in charge of.
    NoOneInCharge(Vec<String>),
    /// A part of a subject that the rules do not tell apart: the subject, and the unit's code that names it; none where a
    /// rule of the routing does.
    NoSuchPart(String, Option<String>),
}

impl Warning {
    /// The file that is warned of.
    #[must_use]
    pub fn file(&self) -> &'static str {
        match self {
            Self::Unheard(_) | Self::NoOneInCharge(_) | Self::NoSuchPart(_, Some(_)) => {
                Texts::UNITS
            }
            Self::NoSuchPart(_, None) => Texts::ROUTING,
        }
    }

    /// As the console says it.
    #[must_use]
    pub fn told(&self) -> String {
        let file = self.file();
        match self {
            Self::Unheard(units) => format!(
                "{file}：{}个单位没有可通知的联系人（{}），请为其添加 [[unit.contact]]。",
                units.len(),
                some(units.iter().map(|(_, name)| name.as_str()), "、")
            ),
            Self::NoOneInCharge(subjects) => format!(
                "{file}：没有单位主管{}。此类事项按文字和地点找单位，找不到的由值班室处理；请写入有关单位的 subjects。",
                subjects.join("、")
            ),
            Self::NoSuchPart(subject, Some(unit)) => format!(
                "{file}：单位 {unit} 的事项“{subject}”在 subjects.toml 中没有，不会有这类帖文，请更正。"
            ),
            Self::NoSuchPart(subject, None) => format!(
                "{file}：有规则以“{subject}”为条件，subjects.toml 中没有这个事项，不会有这类帖文，请更正。"
            ),
        }
    }
}

impl fmt::Display for Warning {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unheard(units) => write!(
                formatter,
                "no one is told of the matters of {} units ({}); give each a [[unit.contact]]",
                units.len(),
                some(units.iter().map(|(code, _)| code.as_str()), ", ")
            ),
            Self::NoOneInCharge(subjects) => write!(
                formatter,
                "no unit is in charge of {}; such matters go by their words and places, else to the duty office: add them to `subjects` of a unit",
                subjects.join(", ")
            ),
            Self::NoSuchPart(subject, unit) => {
                match unit {
                    Some(unit) => write!(formatter, "unit `{unit}`")?,
                    None => formatter.write_str("a `match`")?,
                }
                write!(
                    formatter,
                    " has the subject `{subject}`, which subjects.toml does not have, so that no matter has it; correct it"
                )
            }
        }
    }
}

/// What leaves someone unheard.
pub(super) fn warnings(routing: &Routing) -> Vec<Warning> {
    let region = &routing.region;
    let mut warnings = Vec::new();
    let unheard: Vec<(String, String)> = (region.units.iter())
        .filter(|unit| carries(unit).is_none())
        .map(|unit| (unit.code.clone(), unit.name.clone()))
        .collect();
    if !unheard.is_empty() {
        warnings.push(Warning::Unheard(unheard));
    }
    let in_charge: BTreeSet<&str> = (region.units.iter())
        .flat_map(|unit| unit.subjects.iter().map(String::as_str))
        .collect();
    let left: Vec<String> = (SUBJECTS.into_iter())
        .filter(|subject| !in_charge.contains(subject))
        .map(str::to_owned)
        .collect();
    if !left.is_empty() {
        warnings.push(Warning::NoOneInCharge(left));
    }
    if let Some(known) = parts(region) {
        let of_units = (region.units.iter())
            .flat_map(|unit| (unit.subjects.iter()).map(|subject| (subject, Some(&unit.code))));
        let mut of_rules = Vec::new();
        subjects_of(&routing.root, &mut of_rules);
        let named = of_units.chain(of_rules.into_iter().map(|subject| (subject, None)));
        warnings.extend(
            named
                .filter(|(subject, _)| subject.contains('/') && !known.contains(*subject))
                .map(|(subject, unit)| Warning::NoSuchPart(subject.clone(), unit.cloned())),
        );
    }
    warnings
}

fn subjects_of<'a>(rule: &'a Rule, subjects: &mut Vec<&'a String>) {
    subjects.extend(&rule.matches.subject);
    for below in &rule.routes {
        subjects_of(below, subjects);
    }
}

/// The parts of subjects that the region's rules tell apart; none where the rules are elsewhere.
fn parts(region: &Region) -> Option<BTreeSet<String>> {
    #[derive(Deserialize)]
    struct Part {
        name: String,
    }
    let text = std::fs::read_to_string(region.gazetteer.rules.join("subjects.toml")).ok()?;
    let subjects: BTreeMap<String, Vec<Part>> = toml::from_str(&text).ok()?;
    let parts = subjects.iter().flat_map(|(whole, parts)| {
        parts
            .iter()
            .map(move |part| format!("{whole}/{}", part.name))
    });
    Some(parts.collect())
}

/// The first of some names.
fn some<'a>(names: impl ExactSizeIterator<Item = &'a str>, between: &str) -> String {
    let more = if names.len() > NAMED {
        format!("{between}…")
    } else {
        String::new()
    };
    let named: Vec<&str> = names.take(NAMED).collect();
    named.join(between) + &more
}
