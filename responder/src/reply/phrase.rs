//! What no answer should say: personal data and names, empty phrases, blame, the language of offices, sentences too long to read.

use backbone::mask;

use super::element::is_han;
use super::rules::{Rules, holds};
use super::sentence::Draft;
use super::{Finding, Kind, Severity, Words};

/// Fewest characters of what an answer says beside greeting and thanks.
const SHORTEST_ANSWER: usize = 12;

/// What is marked in the draft.
pub(super) fn findings(draft: &Draft<'_>, rules: &Rules) -> Vec<Finding> {
    let mut findings = Vec::new();
    phrases(draft, rules, &mut findings);
    only_empty(draft, rules, &mut findings);
    let mut mark = |kind: Kind, at: Words, more: &str| {
        let (severity, advice) = rules.advice(kind);
        findings.push(Finding {
            kind,
            severity,
            at: Some(at),
            point: None,
            advice: format!("{advice}{more}"),
        });
    };
    for said in &draft.said {
        if said.sentence.length() > rules.longest_sentence {
            mark(Kind::LongSentence, said.sentence.words(), "");
        }
    }
    for (word, plain) in &rules.officialese {
        for (at, word) in draft.text.match_indices(word.as_str()) {
            let words = draft.words(at, at + word.len());
            mark(Kind::Officialese, words, &format!("“{plain}”"));
        }
    }
    for number in mask::marks(draft.text) {
        let words = draft.words(number.start, number.end);
        let office = |host: &String| words.words.ends_with(host.as_str());
        if !rules.office_mail.iter().any(office) {
            mark(Kind::Personal, words, "");
        }
    }
    for (start, end) in names(draft.text, rules) {
        mark(Kind::Name, draft.words(start, end), "");
    }
    findings
}

fn phrases(draft: &Draft<'_>, rules: &Rules, findings: &mut Vec<Finding>) {
    for list in &rules.phrases {
        let mut found: Vec<(usize, usize)> = (list.words.iter())
            .flat_map(|word| draft.text.match_indices(word.as_str()))
            .map(|(at, word)| (at, at + word.len()))
            .collect();
        found.sort_by_key(|(start, end)| (*start, std::cmp::Reverse(*end)));
        let mut told = 0;
        for (start, end) in found {
            if start >= told {
                told = end;
                findings.push(Finding {
                    kind: list.kind,
                    severity: list.severity,
                    at: Some(draft.words(start, end)),
                    point: None,
                    advice: list.advice.clone(),
                });
            }
        }
    }
}

/// Where no sentence says anything, the empty phrase is the whole answer, which is graver; and so is hardly any answer.
fn only_empty(draft: &Draft<'_>, rules: &Rules, findings: &mut Vec<Finding>) {
    let (severity, advice) = rules.advice(Kind::OnlyEmpty);
    let said: usize = draft.telling().map(|said| said.sentence.length()).sum();
    let reasoned =
        |text: &str| super::sentence::has_substance(text, rules) || holds(text, &rules.reason);
    let tells = draft.telling().any(|said| reasoned(said.sentence.text));
    let empty = |finding: &&mut Finding| finding.kind == Kind::Empty;
    match findings.iter_mut().find(empty) {
        Some(finding) if !tells => {
            finding.kind = Kind::OnlyEmpty;
            finding.severity = severity;
            finding.advice = advice.to_owned();
        }
        None if said < SHORTEST_ANSWER => findings.push(Finding {
            kind: Kind::OnlyEmpty,
            severity: Severity::Must,
            at: Some(draft.words(0, draft.text.len())),
            point: None,
            advice: advice.to_owned(),
        }),
        _ => {}
    }
}

/// Where names of persons stand, in bytes: surname, one or two characters and a title (李某某 is no name), or a name behind a word for
/// who wrote.
fn names(text: &str, rules: &Rules) -> Vec<(usize, usize)> {
    let names = &rules.names;
    let is_name = |name: &[char]| {
        let (surname, given) = match name {
            [first, second, given @ ..]
                if (names.compound.iter()).any(|known| known.chars().eq([*first, *second])) =>
            {
                (true, given)
            }
            [surname, given @ ..] => (names.surnames.contains(*surname), given),
            [] => (false, name),
        };
        surname
            && (1..=2).contains(&given.len())
            && !given.iter().any(|one| names.never_in_names.contains(*one))
    };
    let mut found = Vec::new();
    for title in &names.titles {
        for (at, title) in text.match_indices(title.as_str()) {
            let before = text.get(..at).unwrap_or_default();
            let mut run: Vec<char> = (before.chars().rev())
                .take(4)
                .take_while(|one| is_han(*one))
                .collect();
            run.reverse();
            let longest = (2..=run.len())
                .rev()
                .filter_map(|length| run.get(run.len() - length..))
                .find(|name| is_name(name));
            if let Some(name) = longest {
                let bytes: usize = name.iter().map(|one| one.len_utf8()).sum();
                found.push((at - bytes, at + title.len()));
            }
        }
    }
    for writer in &names.writers {
        for (at, writer) in text.match_indices(writer.as_str()) {
            let from = at + writer.len();
            let after: Vec<char> = text
                .get(from..)
                .unwrap_or_default()
                .chars()
                .take(2)
                .collect();
            if is_name(&after) {
                let bytes: usize = after.iter().map(|one| one.len_utf8()).sum();
                found.push((from, from + bytes));
            }
        }
    }
    found.sort_unstable();
    found.dedup_by_key(|(start, _)| *start);
    found
}
