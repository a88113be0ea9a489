//! Marks: a post's text with the words that decided the findings.

use backbone::message::{Evidence, FindingKind, Part};

/// A piece of a line: words that decided something, or what stands between them.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Piece {
    pub(super) text: String,
    /// The name of what the words decided, for the style; empty between them.
    pub(super) finding: &'static str,
    /// What they decided, to be read by people.
    pub(super) says: String,
}

/// What a word decided, by what matters most to the reader where it decided several things; keywords are listed, not
/// marked.
const ORDER: [(FindingKind, &str, &str); 7] = [
    (FindingKind::Intensity, "intensity", "伤害与紧急"),
    (FindingKind::Place, "place", "地点"),
    (FindingKind::Sentiment, "sentiment", "情感"),
    (FindingKind::Subject, "subject", "事项"),
    (FindingKind::Appeal, "appeal", "诉求"),
    (FindingKind::Unit, "unit", "责任单位"),
    (FindingKind::Relevance, "relevance", "涉及本地"),
];

/// The kinds of marks with their titles, for the legend.
pub(super) fn legend() -> impl Iterator<Item = (&'static str, &'static str)> {
    ORDER.into_iter().map(|(_, name, title)| (name, title))
}

/// The lines of a part of a post, in pieces. `name` gives the name of a unit's code.
pub(super) fn lines(
    text: &str,
    part: Part,
    evidence: &[Evidence],
    name: impl Fn(&str) -> String,
) -> Vec<Vec<Piece>> {
    let length = text.chars().count();
    // For each character the place in the order of what it decided.
    let mut marked: Vec<Option<(usize, &Evidence)>> = vec![None; length];
    for found in evidence.iter().filter(|found| found.part == part) {
        let Some(rank) = ORDER.iter().position(|(kind, ..)| *kind == found.finding) else {
            continue;
        };
        let (start, end) = (found.start as usize, found.end as usize);
        for mark in marked.iter_mut().take(end).skip(start) {
            if mark.is_none_or(|(known, _)| rank < known) {
                *mark = Some((rank, found));
            }
        }
    }
    let mut lines = vec![Vec::new()];
    let mut before: Option<(usize, u32)> = None;
    for (character, mark) in text.chars().zip(marked) {
        if character == '\n' {
            lines.push(Vec::new());
            before = None;
            continue;
        }
        let key = mark.map(|(rank, found)| (rank, found.start));
        let Some(line) = lines.last_mut() else {
            continue;
        };
        if line.is_empty() || key != before {
            line.push(mark.map_or_else(Piece::default, |(rank, found)| piece(rank, found, &name)));
        }
        if let Some(piece) = line.last_mut() {
            piece.text.push(character);
        }
        before = key;
    }
    lines
}

fn piece(rank: usize, found: &Evidence, name: impl Fn(&str) -> String) -> Piece {
    let Some((kind, finding, title)) = ORDER.get(rank) else {
        return Piece::default();
    };
    let detail = match kind {
        FindingKind::Unit => name(&found.detail),
        _ => found.detail.clone(),
    };
    let says = if detail.is_empty() {
        (*title).to_owned()
    } else {
        format!("{title}：{detail}")
    };
    Piece {
        text: String::new(),
        finding,
        says,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_marked_where_they_stand_by_what_matters_most() {
        let found = |finding, start, end| Evidence {
            finding,
            word: String::new(),
            detail: "甲".to_owned(),
            part: Part::Text,
            start,
            end,
        };
        let evidence = [
            found(FindingKind::Relevance, 0, 3),
            found(FindingKind::Place, 0, 3),
            found(FindingKind::Intensity, 7, 9),
            found(FindingKind::Keyword, 3, 5),
            found(FindingKind::Subject, 90, 95),
        ];
        let lines = lines("冯川镇路灯\n有摔伤", Part::Text, &evidence, str::to_owned);
        let shown: Vec<Vec<(&str, &str, &str)>> = lines
            .iter()
            .map(|line| {
                line.iter()
                    .map(|piece| (piece.text.as_str(), piece.finding, piece.says.as_str()))
                    .collect()
            })
            .collect();
        assert_eq!(
            shown,
            [
                vec![("冯川镇", "place", "地点：甲"), ("路灯", "", "")],
                vec![("有", "", ""), ("摔伤", "intensity", "伤害与紧急：甲")],
            ]
        );
    }
}
