//! Which report is wanted.

use backbone::id;
use jiff::ToSpan;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use crate::trend::Period;

/// A kind of report.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// The trend report of a week, or of any other period.
    Weekly,
    /// The brief of a day.
    Daily,
    /// The special report of an event.
    Event,
    /// How the units did.
    Scorecard,
    /// Questions for the knowledge base.
    Faq,
    /// What to publish before it is asked for.
    Demand,
    /// The public view of a policy, before and after.
    Policy,
}

impl Kind {
    /// All kinds.
    pub const ALL: [Self; 7] = [
        Self::Daily,
        Self::Weekly,
        Self::Scorecard,
        Self::Event,
        Self::Policy,
        Self::Faq,
        Self::Demand,
    ];

    /// Its name in commands, addresses and files.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Weekly => "weekly",
            Self::Daily => "daily",
            Self::Event => "event",
            Self::Scorecard => "scorecard",
            Self::Faq => "faq",
            Self::Demand => "demand",
            Self::Policy => "policy",
        }
    }

    /// What the office calls it.
    #[must_use]
    pub const fn title(self) -> &'static str {
        match self {
            Self::Weekly => "舆情周报",
            Self::Daily => "每日舆情",
            Self::Event => "舆情专报",
            Self::Scorecard => "月度考核",
            Self::Faq => "政策咨询问答候选",
            Self::Demand => "主动公开建议",
            Self::Policy => "政策执行效果",
        }
    }

    /// The kind of that name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.name() == name)
    }
}

/// A report that is wanted, by what it is about.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "lowercase")]
pub enum Wanted {
    /// The trend report of a period.
    Weekly(Period),
    /// The brief of a day: the last of these days.
    Daily(Period),
    /// The special report of an event, up to the end of a day.
    Event {
        /// Id of the event.
        event: String,
        /// The last day that is told of.
        to: Date,
    },
    /// How the units did with the cases of a period.
    Scorecard(Period),
    /// The questions of a period.
    Faq(Period),
    /// What was wanted most in a period.
    Demand(Period),
    /// The public view of a policy.
    Policy(Policy),
}

/// A policy, and which posts are of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Policy {
    /// What it is called in the report.
    pub name: String,
    /// The first day that it holds.
    pub day: Date,
    /// How many days before, and from that day on, are compared; whole weeks of them.
    pub days: u32,
    /// Only posts of this subject; all where empty.
    #[serde(default)]
    pub subject: String,
    /// Only posts that name this place; all where empty.
    #[serde(default)]
    pub place: String,
    /// Only posts with all of these words, between spaces; all where empty.
    #[serde(default)]
    pub words: String,
}

impl Policy {
    /// The days before and after, as many as are asked for.
    #[must_use]
    pub fn period(&self) -> Period {
        let days = i64::from(self.days);
        Period {
            from: self.day.saturating_sub(days.days()),
            to: self.day.saturating_add((days - 1).max(0).days()),
        }
    }
}

impl Wanted {
    /// Its kind.
    #[must_use]
    pub const fn kind(&self) -> Kind {
        match self {
            Self::Weekly(_) => Kind::Weekly,
            Self::Daily(_) => Kind::Daily,
            Self::Event { .. } => Kind::Event,
            Self::Scorecard(_) => Kind::Scorecard,
            Self::Faq(_) => Kind::Faq,
            Self::Demand(_) => Kind::Demand,
            Self::Policy(_) => Kind::Policy,
        }
    }

    /// The days that it is about; of an event, the last of them.
    #[must_use]
    pub fn period(&self) -> Period {
        match self {
            Self::Weekly(period)
            | Self::Scorecard(period)
            | Self::Faq(period)
            | Self::Demand(period) => *period,
            Self::Daily(period) => Period::until(period.to, 1),
            Self::Event { to, .. } => Period::until(*to, 1),
            Self::Policy(policy) => policy.period(),
        }
    }

    /// How its files are called, without what the form adds: the same report, the same name.
    #[must_use]
    pub fn stem(&self, region: &str) -> String {
        let kind = self.kind().name();
        let short = |id: String| id.chars().take(8).collect::<String>();
        match self {
            Self::Daily(period) => format!("{kind}-{region}-{}", period.to),
            Self::Event { event, to } => {
                format!("{kind}-{region}-{}-{to}", short(id::of("event", &[event])))
            }
            Self::Policy(policy) => {
                let Policy {
                    name,
                    day,
                    days,
                    subject,
                    place,
                    words,
                } = policy;
                let of = short(id::of("policy", &[name, subject, place, words]));
                format!("{kind}-{region}-{day}-{days}-{of}")
            }
            Self::Weekly(_) | Self::Scorecard(_) | Self::Faq(_) | Self::Demand(_) => {
                let Period { from, to } = self.period();
                format!("{kind}-{region}-{from}-{to}")
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_wanted_is_kept_as_it_was_asked_for() {
        for json in [
            r#"{"kind":"daily","from":"2026-11-22","to":"2026-11-22"}"#,
            r#"{"kind":"event","event":"e1","to":"2026-11-22"}"#,
            r#"{"kind":"policy","name":"限行","day":"2026-11-01","days":28,"subject":"交通运输","place":"","words":""}"#,
        ] {
            let wanted: Wanted = serde_json::from_str(json).unwrap();
            assert_eq!(serde_json::to_string(&wanted).unwrap(), json);
            assert_eq!(Kind::named(wanted.kind().name()), Some(wanted.kind()));
            assert!(wanted.stem("360921").is_ascii());
        }
        let short: Wanted =
            serde_json::from_str(r#"{"kind":"policy","name":"限行","day":"2026-11-01","days":28}"#)
                .unwrap();
        assert_eq!(short.period().days(), 56);
        assert_eq!(short.period().to.to_string(), "2026-11-28");
    }
}
