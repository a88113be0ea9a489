//! What every answer should have: a unit, a basis, a contact, a date, a next step, a greeting, thanks.

use regex::Regex;

use super::rules::Rules;
use super::sentence::{BASIS, CONTACT, DATE, Draft};
use super::{Element, Finding, Kind};

/// Where a greeting stands at the latest, in characters.
const GREETED_BY: usize = 80;
/// Characters of an office's name before the word that tells it.
const LONGEST_OFFICE: usize = 8;

/// What the draft has, each where it stands first.
pub(super) fn elements(draft: &Draft<'_>, units: &[&str], rules: &Rules) -> Vec<Element> {
    let pattern = |pattern: &Regex| {
        let found = pattern.find(draft.body())?;
        Some((found.start(), found.end()))
    };
    let found = [
        (Kind::Unit, unit(draft.body(), units, rules)),
        (Kind::Basis, pattern(&BASIS)),
        (Kind::Contact, pattern(&CONTACT)),
        (Kind::Date, pattern(&DATE)),
        (Kind::NextStep, first(draft.body(), &rules.next_step)),
        (
            Kind::Greeting,
            first(draft.body(), &rules.greeting).filter(|(start, _)| {
                let before = draft.text.get(..*start).unwrap_or_default();
                before.chars().count() < GREETED_BY
            }),
        ),
        (Kind::Thanks, first(draft.body(), &rules.thanks)),
    ];
    found
        .into_iter()
        .filter_map(|(kind, at)| {
            let (start, end) = at?;
            Some(Element {
                kind,
                at: draft.words(start, end),
            })
        })
        .collect()
}

/// What it lacks of these.
pub(super) fn findings(draft: &Draft<'_>, elements: &[Element], rules: &Rules) -> Vec<Finding> {
    let asked = [
        Kind::Unit,
        Kind::Basis,
        Kind::Contact,
        Kind::Date,
        Kind::NextStep,
        Kind::Greeting,
        Kind::Thanks,
    ];
    let finding = |kind: Kind, at| {
        let (severity, advice) = rules.advice(kind);
        Finding {
            kind,
            severity,
            at,
            point: None,
            advice: advice.to_owned(),
        }
    };
    let has = |kind: &Kind| elements.iter().any(|element| element.kind == *kind);
    let mut findings: Vec<Finding> = (asked.into_iter())
        .filter(|kind| !has(kind))
        .map(|kind| finding(kind, None))
        .collect();
    // 你好 greets and is no way to address anyone.
    let familiar = draft.text.match_indices('你').find(|(at, _)| {
        let after = draft.text.get(*at..).unwrap_or_default();
        !after.starts_with("你好")
    });
    if let Some((at, word)) = familiar {
        let words = draft.words(at, at + word.len());
        findings.push(finding(Kind::Address, Some(words)));
    }
    findings
}

fn first(text: &str, words: &[String]) -> Option<(usize, usize)> {
    let found = words.iter().filter_map(|word| {
        let start = text.find(word.as_str())?;
        Some((start, start + word.len()))
    });
    found.min()
}

/// A unit of the region, or what is named as offices are.
fn unit(text: &str, units: &[&str], rules: &Rules) -> Option<(usize, usize)> {
    let known = units.iter().filter(|name| name.chars().count() > 1);
    let known = known.filter_map(|name| {
        let start = text.find(name)?;
        Some((start, start + name.len()))
    });
    let offices = rules.offices.iter().flat_map(|word| {
        text.match_indices(word.as_str()).filter_map(|(at, word)| {
            let before = text.get(..at)?;
            let last = before.chars().next_back()?;
            let named = is_han(last) && !rules.no_office_before.contains(last);
            let name: usize = (before.chars().rev())
                .take(LONGEST_OFFICE)
                .take_while(|one| is_han(*one))
                .map(char::len_utf8)
                .sum();
            named.then_some((at - name, at + word.len()))
        })
    });
    known.min().or_else(|| offices.min())
}

pub(super) fn is_han(character: char) -> bool {
    ('\u{4e00}'..='\u{9fff}').contains(&character)
}
