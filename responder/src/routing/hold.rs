//! What holds the notices of a case back: a silence, a graver alert, the time of day. The case is opened all the same.

use std::collections::BTreeMap;

use backbone::message::Alert;
use jiff::Timestamp;
use serde::Serialize;

use super::group::Label;
use super::rule::Inhibition;
use super::silence::Silence;
use super::{Match, Routed, Routing};
use crate::calendar::Calendar;
use crate::clock;
use crate::level;

/// What is known when notices are about to go out.
#[derive(Debug, Clone, Copy)]
pub struct Moment<'a> {
    /// The time.
    pub now: Timestamp,
    /// The working calendar.
    pub calendar: &'a Calendar,
    /// The silences; those of other regions hold nothing back.
    pub silences: &'a [Silence],
    /// The alerts of the region's open cases, as [`Routing::open`] has sorted them.
    pub open: &'a Open,
}

/// Alerts of open cases by what they can hold back, so that those that an alert is not alike to are not looked at for it.
#[derive(Debug, Default)]
pub struct Open {
    by_event: BTreeMap<String, Vec<Alert>>,
    /// For each inhibition what its source takes, by the values that both must have.
    by_rule: Vec<BTreeMap<Vec<String>, Vec<Alert>>>,
}

/// Why notices are held back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "by", rename_all = "kebab-case")]
pub enum Hold {
    /// A duty officer's silence.
    Silence {
        /// Its id.
        silence: String,
        /// Who made it.
        author: String,
        /// Why.
        reason: String,
        /// Its end.
        until: Timestamp,
    },
    /// Another alert.
    Alert {
        /// Its id.
        alert: String,
        /// The title of its event.
        title: String,
        /// Its level.
        level: u8,
        /// Why it holds this one back.
        reason: String,
    },
    /// The time.
    Time {
        /// The name of the time.
        time: String,
        /// Its end, where one is near.
        until: Option<Timestamp>,
    },
}

impl Hold {
    /// The same in the duty team's words.
    #[must_use]
    pub fn told(&self) -> String {
        match self {
            Self::Silence {
                author,
                reason,
                until,
                ..
            } => format!("{author}设置静默至{}：{reason}", clock::time(*until)),
            Self::Alert {
                title,
                level,
                reason,
                ..
            } => format!(
                "被{}预警“{title}”抑制：{reason}",
                level::level(*level).numeral
            ),
            Self::Time {
                time,
                until: Some(until),
            } => format!("{time}时段不发，{}起发出", clock::time(*until)),
            Self::Time { time, until: None } => format!("{time}时段不发"),
        }
    }
}

impl Routing {
    /// Whether an alert can hold back those of other events, by some rule.
    #[must_use]
    pub fn inhibits(&self, alert: &Alert) -> bool {
        (self.inhibit.iter()).any(|rule| self.takes(&rule.source, alert))
    }

    /// Whether those of other events can hold an alert back, by some rule.
    #[must_use]
    pub fn inhibitable(&self, alert: &Alert) -> bool {
        (self.inhibit.iter()).any(|rule| self.takes(&rule.target, alert))
    }

    /// All that holds the notices of an alert back now; they go out where it is nothing.
    #[must_use]
    pub fn holds(&self, alert: &Alert, routed: &Routed, moment: &Moment<'_>) -> Vec<Hold> {
        let silenced = moment
            .silences
            .iter()
            .filter(|silence| silence.is_active(moment.now))
            .filter(|silence| silence.region == alert.region)
            .filter(|silence| self.takes(&silence.matches, alert))
            .map(|silence| Hold::Silence {
                silence: silence.id.clone(),
                author: silence.author.clone(),
                reason: silence.reason.clone(),
                until: silence.until,
            });
        let timed = (routed.windows.held(moment.now, moment.calendar))
            .map(|(time, until)| Hold::Time { time, until });
        silenced
            .chain(self.inhibited(alert, routed, moment.open))
            .chain(timed)
            .collect()
    }

    /// Alerts of the region's open cases, sorted by what they can hold back.
    #[must_use]
    pub fn open(&self, alerts: Vec<Alert>) -> Open {
        let by_rule = self.inhibit.iter().map(|rule| {
            let mut alike: BTreeMap<Vec<String>, Vec<Alert>> = BTreeMap::new();
            for alert in &alerts {
                if self.takes(&rule.source, alert)
                    && let Some(values) = self.alike(rule, alert, || self.route(alert).lead)
                {
                    alike.entry(values).or_default().push(alert.clone());
                }
            }
            alike
        });
        let by_rule = by_rule.collect();
        let mut by_event: BTreeMap<String, Vec<Alert>> = BTreeMap::new();
        for alert in alerts {
            let event = alert.event.id.clone();
            by_event.entry(event).or_default().push(alert);
        }
        Open { by_event, by_rule }
    }

    /// The first alert that holds this one back: a graver one of its event, else one by the rules.
    fn inhibited(&self, alert: &Alert, routed: &Routed, open: &Open) -> Option<Hold> {
        let graver = (open.by_event.get(&alert.event.id).into_iter().flatten())
            .find(|other| other.level < alert.level)
            .map(|other| (other, "同一事件已有更高级别预警"));
        let (other, reason) = graver.or_else(|| {
            (self.inhibit.iter().zip(&open.by_rule)).find_map(|(rule, alike)| {
                let other = self.inhibiting(rule, alike, alert, routed)?;
                let reason = match rule.comment.as_str() {
                    "" => "按抑制规则",
                    comment => comment,
                };
                Some((other, reason))
            })
        })?;
        Some(Hold::Alert {
            alert: other.id.clone(),
            title: other.event.title.clone(),
            level: other.level,
            reason: reason.to_owned(),
        })
    }

    /// The first alert that holds this one back by a rule.
    fn inhibiting<'a>(
        &self,
        rule: &Inhibition,
        alike: &'a BTreeMap<Vec<String>, Vec<Alert>>,
        alert: &Alert,
        routed: &Routed,
    ) -> Option<&'a Alert> {
        if !self.takes(&rule.target, alert) {
            return None;
        }
        let values = self.alike(rule, alert, || routed.lead.clone())?;
        // Two that hold each other back would both go untold.
        let source_too = self.takes(&rule.source, alert);
        (alike.get(&values)?.iter()).find(|other| {
            other.event.id != alert.event.id && !(source_too && self.takes(&rule.target, other))
        })
    }

    fn takes(&self, matches: &Match, alert: &Alert) -> bool {
        matches.takes(alert, &self.region).is_ok()
    }

    /// What an alert has for all that a rule wants alike; none where it lacks one.
    fn alike(
        &self,
        rule: &Inhibition,
        alert: &Alert,
        lead: impl Fn() -> String,
    ) -> Option<Vec<String>> {
        let value = |label: &Label| {
            let lead = match label {
                Label::Lead => lead(),
                _ => String::new(),
            };
            Some(label.of(alert, &lead)).filter(|value| !value.is_empty())
        };
        rule.equal.iter().map(value).collect()
    }
}
