//! What a report asks to watch, and what it suggests: each by a rule, each with the numbers it rests on.

use backbone::region::Region;

use super::facts::{Facts, Suggestion, Watched};

/// Things to watch, and suggestions, at most.
const MOST: usize = 6;
/// A rise that is spoken of.
const RISE: f64 = 0.2;
/// Voices from which a matter without an answer is spoken of.
const VOICES: u64 = 5;

/// What may come next, by what was found: matters that grow or wait, signals that last, commitments that fall due.
pub(super) fn watch(facts: &Facts) -> Vec<Watched> {
    let mut watched = Vec::new();
    for event in &facts.events {
        let answered = event.case.as_ref().is_some_and(|case| case.answered);
        let stand = if event.case.is_some() {
            "尚未答复"
        } else {
            "尚未立案"
        };
        if !answered && event.level.is_some_and(|level| level <= 2) {
            watched.push(Watched {
                what: event.title.clone(),
                link: event.link.clone(),
                why: format!(
                    "达{}级，{}人反映，{stand}",
                    numeral(event.level),
                    event.voices
                ),
            });
        } else if event.last == facts.to && event.peak == facts.to && event.peak_posts >= 3 {
            watched.push(Watched {
                what: event.title.clone(),
                link: event.link.clone(),
                why: format!("最后一日{}帖，仍在增多", event.peak_posts),
            });
        }
    }
    for signal in facts.signals.iter().filter(|signal| signal.lasts) {
        watched.push(Watched {
            what: signal.title.clone(),
            link: String::new(),
            why: format!("{}，仍在持续", signal.kind),
        });
    }
    for one in facts.commitments.iter().filter(|one| !one.broken) {
        watched.push(Watched {
            what: one.what.clone(),
            link: one.link.clone(),
            why: format!("{}承诺{}前兑现", one.unit, report::wording::day(one.due)),
        });
    }
    watched.truncate(MOST);
    watched
}

/// What the numbers suggest.
pub(super) fn suggestions(facts: &Facts, region: &Region) -> Vec<Suggestion> {
    let mut suggested = Vec::new();
    for subject in facts.subjects.iter().filter(|one| one.verdict == "up") {
        let Some(change) = subject.change.filter(|change| *change >= RISE) else {
            continue;
        };
        let unit = region.in_charge(&subject.name).unwrap_or("责任单位");
        suggested.push(Suggestion {
            text: format!(
                "{}类诉求{}{}件，较{}增加{}，超出偶然波动。建议{unit}梳理集中反映的问题，提出整改措施。",
                subject.name,
                facts.this,
                report::wording::number(subject.posts.value, 0),
                facts.last,
                report::wording::percent(change, 1),
            ),
            link: subject.posts.link.clone(),
        });
    }
    for event in &facts.events {
        let answered = event.case.as_ref().is_some_and(|case| case.answered);
        if !answered && event.voices >= VOICES {
            let state = match &event.case {
                Some(case) => format!("案件处于“{}”", case.state),
                None => "尚未立案".to_owned(),
            };
            suggested.push(Suggestion {
                text: format!(
                    "“{}”有{}人反映，{state}。建议尽快核实并公开回应。",
                    event.title, event.voices
                ),
                link: event.link.clone(),
            });
        }
    }
    for unit in &facts.units {
        let late = unit.all.all - unit.all.in_time;
        if late > 0 {
            suggested.push(Suggestion {
                text: format!(
                    "{}{}到期时限{}项，逾期{late}项。建议督促补办并说明原因。",
                    unit.name, facts.this, unit.all.all
                ),
                link: String::new(),
            });
        }
    }
    for one in facts.commitments.iter().filter(|one| one.broken) {
        suggested.push(Suggestion {
            text: format!(
                "{}承诺的“{}”应于{}前兑现，仍未登记。建议核实并向来信人说明。",
                one.unit,
                one.what,
                report::wording::day(one.due)
            ),
            link: one.link.clone(),
        });
    }
    suggested.truncate(MOST);
    suggested
}

fn numeral(level: Option<u8>) -> &'static str {
    (level.and_then(|level| report::wording::level(u64::from(level)))).unwrap_or("")
}
