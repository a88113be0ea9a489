//! What holds the notices of a case back: a silence, a graver alert, the time of day. The case is opened all the same.

use backbone::message::Alert;
use jiff::Timestamp;
use serde::Serialize;

use super::group::Label;
use super::silence::Silence;
use super::{Routed, Routing};
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
    /// The silences of the region.
    pub silences: &'a [Silence],
    /// The alerts of the region's open cases.
    pub open: &'a [Alert],
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
    /// All that holds the notices of an alert back now; they go out where it is nothing.
    #[must_use]
    pub fn holds(&self, alert: &Alert, routed: &Routed, moment: &Moment<'_>) -> Vec<Hold> {
        let silenced = moment
            .silences
            .iter()
            .filter(|silence| silence.is_active(moment.now))
            .filter(|silence| silence.region == alert.region)
            .filter(|silence| silence.matches.takes(alert, &self.region).is_ok())
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

    /// The first alert that holds this one back.
    fn inhibited(&self, alert: &Alert, routed: &Routed, open: &[Alert]) -> Option<Hold> {
        open.iter()
            .filter(|other| other.id != alert.id && other.region == alert.region)
            .find_map(|other| {
                let reason = self.why_inhibited(alert, routed, other)?;
                Some(Hold::Alert {
                    alert: other.id.clone(),
                    title: other.event.title.clone(),
                    level: other.level,
                    reason,
                })
            })
    }

    fn why_inhibited(&self, alert: &Alert, routed: &Routed, other: &Alert) -> Option<String> {
        if other.event.id == alert.event.id {
            return (other.level < alert.level).then(|| "同一事件已有更高级别预警".to_owned());
        }
        let takes =
            |matches: &super::Match, alert: &Alert| matches.takes(alert, &self.region).is_ok();
        self.inhibit
            .iter()
            .find(|rule| {
                takes(&rule.target, alert)
                    && takes(&rule.source, other)
                    // Two that hold each other back would both go untold.
                    && !(takes(&rule.source, alert) && takes(&rule.target, other))
                    && rule.equal.iter().all(|label| {
                        let lead = match label {
                            Label::Lead => self.route(other).lead,
                            _ => String::new(),
                        };
                        let value = label.of(alert, &routed.lead);
                        !value.is_empty() && value == label.of(other, &lead)
                    })
            })
            .map(|rule| {
                if rule.comment.is_empty() {
                    "按抑制规则".to_owned()
                } else {
                    rule.comment.clone()
                }
            })
    }
}
