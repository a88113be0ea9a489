//! The tree as it stands, rule by rule, in the duty team's words.

use backbone::message::SourceKind;
use backbone::region::Region;

use super::Routing;
use super::group::Label;
use super::matching::Match;
use super::rule::{BY_BOTH, BY_PLACE, BY_SUBJECT, Inhibition, Rule};
use super::window::{DayOfWeek, Window};
use crate::level::level;

/// A rule with where it stands.
#[derive(Debug, Clone)]
pub struct Placed<'a> {
    /// Its place in `routing.toml`, as in [`super::Step`].
    pub at: String,
    /// How many rules are above it.
    pub depth: usize,
    /// The rule.
    pub rule: &'a Rule,
}

impl Routing {
    /// All rules, in the order in which they are tried.
    #[must_use]
    pub fn rules(&self) -> Vec<Placed<'_>> {
        let mut rules = Vec::new();
        place(&self.root, "route".to_owned(), 0, &mut rules);
        rules
    }

    /// What holds notices back beyond a graver alert of the same event.
    #[must_use]
    pub fn inhibitions(&self) -> &[Inhibition] {
        &self.inhibit
    }

    /// The times that rules name.
    #[must_use]
    pub fn times(&self) -> &[Window] {
        &self.times
    }
}

fn place<'a>(rule: &'a Rule, at: String, depth: usize, rules: &mut Vec<Placed<'a>>) {
    rules.push(Placed {
        at: at.clone(),
        depth,
        rule,
    });
    for (index, below) in rule.routes.iter().enumerate() {
        place(below, format!("{at}.routes[{index}]"), depth + 1, rules);
    }
}

impl Rule {
    /// Who gets what it takes: `牵头：…`, `协办：…`; nothing where it decides neither.
    #[must_use]
    pub fn gives(&self, region: &Region) -> Vec<String> {
        let name = |code: &str| match code {
            BY_PLACE => "属地单位".to_owned(),
            BY_SUBJECT => "主管单位".to_owned(),
            BY_BOTH => "主管单位牵头、属地单位协办".to_owned(),
            code => (region.unit(code))
                .map_or(code, |unit| &unit.name)
                .to_owned(),
        };
        let lead = match self.lead.as_str() {
            "" => None,
            BY_BOTH => Some(name(BY_BOTH)),
            lead => Some(format!("牵头：{}", name(lead))),
        };
        let assist: Vec<String> = self.assist.iter().map(|code| name(code)).collect();
        let assist = (!assist.is_empty()).then(|| format!("协办：{}", assist.join("、")));
        lead.into_iter().chain(assist).collect()
    }

    /// How its notices go out, where it says so itself.
    #[must_use]
    pub fn sends(&self) -> Vec<String> {
        let mut said = Vec::new();
        if let Some(by) = &self.group_by {
            let by: Vec<&str> = by.iter().map(|label| label.title()).collect();
            said.push(format!("按{}合并", by.join("、")));
        }
        if let Some(wait) = self.group_wait {
            said.push(format!("等候{}", wait.told()));
        }
        if let Some(repeat) = self.repeat {
            said.push(format!("未签收每{}重发", repeat.told()));
        }
        let times = |names: &[String]| names.join("、");
        if let Some(names) = (self.mute_times.as_deref()).filter(|names| !names.is_empty()) {
            said.push(format!("{}不发", times(names)));
        }
        if let Some(names) = (self.active_times.as_deref()).filter(|names| !names.is_empty()) {
            said.push(format!("只在{}发", times(names)));
        }
        said
    }
}

impl Match {
    /// Its conditions; none where it takes all.
    #[must_use]
    pub fn told(&self) -> Vec<String> {
        let levels: Vec<String> = (self.level.iter())
            .map(|number| level(*number).numeral.to_owned())
            .collect();
        let sources: Vec<String> = self.source.iter().map(|name| source(name)).collect();
        let conditions = [
            ("区域", &self.region),
            ("级别", &levels),
            ("事项", &self.subject),
            ("地点", &self.place),
            ("诉求", &self.appeal),
            ("来源", &sources),
            ("事由含", &self.words),
        ];
        (conditions.into_iter())
            .filter(|(_, values)| !values.is_empty())
            .map(|(what, values)| format!("{what}：{}", values.join("、")))
            .collect()
    }
}

/// A source by its name, or all of a kind.
fn source(name: &str) -> String {
    match SourceKind::named(name) {
        Some(SourceKind::Board) => "留言板类".to_owned(),
        Some(SourceKind::Feed) => "订阅类".to_owned(),
        Some(SourceKind::Import) => "导入类".to_owned(),
        Some(SourceKind::Official) => "官方发布类".to_owned(),
        None => name.to_owned(),
    }
}

impl Label {
    /// The same in words.
    #[must_use]
    pub fn title(self) -> &'static str {
        match self {
            Self::Event => "事件",
            Self::Region => "区域",
            Self::Subject => "事项",
            Self::Place => "地点",
            Self::Lead => "牵头单位",
            Self::Level => "级别",
            Self::Source => "来源",
        }
    }
}

impl Window {
    /// When it is, in words.
    #[must_use]
    pub fn told(&self) -> String {
        let days: Vec<&str> = self.weekdays.iter().map(|day| day.title()).collect();
        let parts = [
            (!days.is_empty()).then(|| days.join("、")),
            self.workdays
                .map(|work| if work { "工作日" } else { "非工作日" }.to_owned()),
            self.hours.as_ref().map(|hours| hours.to_string()),
        ];
        parts.into_iter().flatten().collect::<Vec<_>>().join(" ")
    }
}

impl DayOfWeek {
    /// Its name.
    #[must_use]
    pub fn title(self) -> &'static str {
        match self {
            Self::Monday => "星期一",
            Self::Tuesday => "星期二",
            Self::Wednesday => "星期三",
            Self::Thursday => "星期四",
            Self::Friday => "星期五",
            Self::Saturday => "星期六",
            Self::Sunday => "星期日",
        }
    }
}
