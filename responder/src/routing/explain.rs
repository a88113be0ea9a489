//! Who would be told of an alert now, and why: for `responder route`.

use std::collections::BTreeSet;
use std::io::{self, Write};

use backbone::message::Alert;
use backbone::region::Unit;
use jiff::Timestamp;
use serde::Serialize;

use super::Routing;
use super::group::{Group, Grouping};
use super::hold::{Hold, Moment};
use super::step::Step;
use crate::clock;
use crate::level::level;

/// All that routing says of an alert.
#[derive(Debug, Clone, Serialize)]
pub struct Explained {
    /// The alert's id.
    pub alert: String,
    /// Its level.
    pub level: u8,
    /// Title of its event.
    pub title: String,
    /// Every rule tried, in order.
    pub steps: Vec<Step>,
    /// Who would be told, the lead first.
    pub told: Vec<Told>,
    /// The reasons.
    pub because: Vec<String>,
    /// What holds the notices back; they go out where it is nothing.
    pub holds: Vec<Hold>,
    /// How they are gathered and sent again.
    pub grouping: Grouping,
    /// The group it belongs to.
    pub group: String,
    /// When the notice of a group that begins with it is due, were nothing holding it back.
    pub due: Option<Timestamp>,
    /// When it is sent again, were it not signed for.
    pub again: Option<Timestamp>,
}

/// A unit that would be told.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Told {
    /// Its code.
    pub unit: String,
    /// Its name.
    pub name: String,
    /// Whether it leads.
    pub lead: bool,
    /// The channel that carries it first, or several with commas between; none where it is seen on the console only.
    pub channel: Option<String>,
}

/// What carries a unit's notices, in the first place; none where they are seen on the console only.
pub(super) fn carries(unit: &Unit) -> Option<String> {
    let first = unit.first_contacts();
    let channels: BTreeSet<&str> = first
        .iter()
        .filter_map(|contact| contact.reach.first())
        .map(|reach| reach.channel.as_str())
        .collect();
    let channels: Vec<&str> = channels.into_iter().collect();
    (!channels.is_empty()).then(|| channels.join(", "))
}

impl Routing {
    /// Who would be told of an alert now, and why.
    #[must_use]
    pub fn explain(&self, alert: &Alert, moment: &Moment<'_>) -> Explained {
        let routed = self.route(alert);
        let told = std::iter::once(&routed.lead)
            .chain(&routed.assists)
            .filter_map(|code| self.region.unit(code))
            .map(|unit| Told {
                unit: unit.code.clone(),
                name: unit.name.clone(),
                lead: unit.code == routed.lead,
                channel: carries(unit),
            })
            .collect();
        let due = |group: Group| routed.grouping.due(&group, moment.calendar);
        let first = due(Group {
            untold_since: Some(moment.now),
            ..Group::default()
        });
        let again = due(Group {
            told_at: first,
            unsigned: true,
            ..Group::default()
        });
        Explained {
            alert: alert.id.clone(),
            level: alert.level,
            title: alert.event.title.clone(),
            told,
            holds: self.holds(alert, &routed, moment),
            group: routed.grouping.key(alert, &routed.lead),
            due: first,
            again,
            steps: routed.steps,
            because: routed.because,
            grouping: routed.grouping,
        }
    }
}

impl Explained {
    /// Writes it for people.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn write(&self, out: &mut dyn Write) -> io::Result<()> {
        writeln!(out, "alert    {} {}", level(self.level).numeral, self.title)?;
        for step in &self.steps {
            let depth = step.rule.matches('.').count();
            writeln!(
                out,
                "rule     {}{}  {}：{}",
                "  ".repeat(depth),
                step.rule,
                step.outcome.told(),
                step.why
            )?;
        }
        for told in &self.told {
            let part = if told.lead { "lead   " } else { "assists" };
            let channel = told.channel.as_deref().unwrap_or("console only");
            writeln!(out, "{part}  {} ({})  {channel}", told.name, told.unit)?;
        }
        for reason in &self.because {
            writeln!(out, "because  {reason}")?;
        }
        writeln!(out, "group    {}", self.group)?;
        for hold in &self.holds {
            writeln!(out, "held     {}", hold.told())?;
        }
        if self.holds.is_empty() {
            let due = self.due.map(clock::time).unwrap_or_default();
            writeln!(out, "told     {due}")?;
        }
        if let Some(again) = self.again {
            writeln!(out, "again    {} while not signed for", clock::time(again))?;
        }
        Ok(())
    }
}
