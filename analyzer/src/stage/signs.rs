//! Signs: what the cues of opinion in a text amount to, once negation, contrast, questions and irony are
//! read. The models weigh them beside the words themselves; training finds the weights.

use crate::rules::{CUES, Cue};
use crate::stage::lexicon::{Found, SecondSubject, Sense};

/// The names of the signs, in the order of [`Signs::values`]. They are kept in the models' files.
pub const SIGNS: [&str; 66] = [
    "praise",
    "praise-denied",
    "praise-denied-twice",
    "thanks",
    "thanks-denied",
    "formula",
    "solved",
    "solved-denied",
    "blame",
    "blame-denied",
    "blame-denied-twice",
    "trouble",
    "trouble-denied",
    "strong",
    "weak",
    "contrast",
    "praise-after-contrast",
    "blame-after-contrast",
    "praise-after-concession",
    "blame-after-concession",
    "sarcasm",
    "sarcasm-with-praise",
    "again-with-praise",
    "quote",
    "praise-quoted",
    "blame-quoted",
    "question",
    "reproach",
    "question-without-blame",
    "suggestion",
    "plea",
    "report",
    "complaint",
    "notice",
    "again",
    "comparison",
    "first-good",
    "first-bad",
    "last-good",
    "last-bad",
    "more-good",
    "more-bad",
    "no-feeling",
    "begins-with-question",
    "begins-with-suggestion",
    "begins-with-report",
    "begins-with-complaint",
    "begins-with-plea",
    "begins-with-thanks",
    "ends-with-question",
    "exclamation",
    "thanks-for-solved",
    "城乡建设",
    "环境保护",
    "交通运输",
    "教育文体",
    "劳动和社会保障",
    "商贸旅游",
    "卫生计生",
    "农业农村",
    "民政",
    "公安交管",
    "征地拆迁",
    "政务服务",
    "市场监管",
    "应急管理",
];

/// Where the signs begin that count the words of each first-level subject.
pub const SUBJECT_SIGNS: usize = SIGNS.len() - backbone::region::SUBJECTS.len();

/// The signs of a text, each in `[0, 1]`.
#[derive(Debug, Clone, PartialEq)]
pub struct Signs([f32; SIGNS.len()]);

impl Default for Signs {
    fn default() -> Self {
        Self([0.0; SIGNS.len()])
    }
}

/// Characters before a word in which a negation turns it.
const REACH: usize = 5;
/// Bytes of the beginning in which a wish is announced.
const BEGINNING: usize = 60;

impl Signs {
    /// The signs' values, in the order of [`SIGNS`].
    #[must_use]
    pub fn values(&self) -> &[f32] {
        &self.0
    }

    /// Reads the cues found in a cleaned text.
    #[must_use]
    pub fn read(text: &str, found: &[Found], seconds: &[SecondSubject]) -> Self {
        let cues = Cues::of(found);
        let breaks = breaks(text);
        let clause = |at: usize| breaks.partition_point(|end| *end <= at);
        let mut counts = Counts::default();
        let contrasts: Vec<usize> = cues.of_kind(Cue::Contrast).map(|cue| cue.start).collect();
        let concessions: Vec<usize> = cues.of_kind(Cue::Concession).map(|cue| cue.start).collect();
        let negations: Vec<&Marked> = cues.of_kind(Cue::Negation).collect();
        let formulas: Vec<&Marked> = cues.of_kind(Cue::Formula).collect();
        // The feeling of each clause that has one, in order.
        let mut felt: Vec<(usize, f32)> = Vec::new();
        let mut good = 0.0_f32;
        let mut bad = 0.0_f32;
        for cue in &cues.0 {
            if let Some(sign) = cue.kind.sign() {
                counts.add(sign);
            }
            let Some(is_good) = cue.kind.feels() else {
                continue;
            };
            if formulas
                .iter()
                .any(|formula| formula.start <= cue.start && cue.end <= formula.end)
            {
                continue;
            }
            let own = clause(cue.start);
            let turned = negations
                .iter()
                .filter(|negation| {
                    negation.end <= cue.start
                        && clause(negation.start) == own
                        && text
                            .get(negation.end..cue.start)
                            .is_some_and(|between| between.chars().count() <= REACH)
                })
                .count();
            counts.add_turned(cue.kind, turned);
            let means_good = is_good != (turned % 2 == 1);
            let weight = match (cue.kind, turned) {
                (Cue::Thanks | Cue::Trouble, 0) => 0.6,
                (_, 0) => 1.0,
                (_, 1) => 0.7,
                _ => 0.9,
            };
            let after = |marks: &[usize]| {
                marks
                    .iter()
                    .any(|mark| *mark <= cue.start && clause(cue.start) - clause(*mark) <= 1)
            };
            if after(&contrasts) {
                counts.add(if means_good {
                    const { sign("praise-after-contrast") }
                } else {
                    const { sign("blame-after-contrast") }
                });
            }
            if after(&concessions) {
                counts.add(if means_good {
                    const { sign("praise-after-concession") }
                } else {
                    const { sign("blame-after-concession") }
                });
            }
            if quoted(text, cue.start) {
                counts.add(if means_good {
                    const { sign("praise-quoted") }
                } else {
                    const { sign("blame-quoted") }
                });
                continue;
            }
            if means_good {
                good += weight;
            } else {
                bad += weight;
            }
            let feeling = if means_good { weight } else { -weight };
            match felt.last_mut() {
                Some((of, sum)) if *of == own => *sum += feeling,
                _ => felt.push((own, feeling)),
            }
        }
        for word in found {
            if let Sense::Subject(index) = word.sense
                && let Some(second) = seconds.get(usize::from(index))
            {
                counts.0.0[SUBJECT_SIGNS + second.first] += 1.0;
            }
        }
        let mut signs = counts.signs();
        signs.set(const { sign("no-feeling") }, good + bad == 0.0);
        signs.set(const { sign("more-good") }, good > bad);
        signs.set(const { sign("more-bad") }, bad > good);
        let side = |clause: Option<&(usize, f32)>| clause.map_or(0.0, |(_, sum)| *sum);
        let (first, last) = (side(felt.first()), side(felt.last()));
        signs.set(const { sign("first-good") }, first > 0.0);
        signs.set(const { sign("first-bad") }, first < 0.0);
        signs.set(const { sign("last-good") }, last > 0.0);
        signs.set(const { sign("last-bad") }, last < 0.0);
        signs.set(
            const { sign("sarcasm-with-praise") },
            signs.0[const { sign("sarcasm") }] > 0.0 && good > 0.0,
        );
        signs.set(
            const { sign("again-with-praise") },
            signs.0[const { sign("again") }] > 0.0 && good > 0.0,
        );
        signs.set(
            const { sign("question-without-blame") },
            signs.0[const { sign("question") }] > 0.0
                && signs.0[const { sign("reproach") }] == 0.0
                && bad == 0.0,
        );
        signs.set(
            const { sign("thanks-for-solved") },
            signs.0[const { sign("thanks") }] > 0.0 && signs.0[const { sign("solved") }] > 0.0,
        );
        for (sign, kind) in [
            (const { sign("begins-with-question") }, Cue::Question),
            (const { sign("begins-with-suggestion") }, Cue::Suggestion),
            (const { sign("begins-with-report") }, Cue::Report),
            (const { sign("begins-with-complaint") }, Cue::Complaint),
            (const { sign("begins-with-plea") }, Cue::Plea),
            (const { sign("begins-with-thanks") }, Cue::Thanks),
        ] {
            signs.set(sign, cues.of_kind(kind).any(|cue| cue.start < BEGINNING));
        }
        signs.set(
            const { sign("ends-with-question") },
            text.trim_end().ends_with(['？', '?']),
        );
        signs.set(const { sign("exclamation") }, text.contains(['！', '!']));
        signs
    }

    fn set(&mut self, sign: usize, holds: bool) {
        self.0[sign] = f32::from(u8::from(holds));
    }
}

/// Where a sign stands in [`SIGNS`]; found when this is compiled.
const fn sign(name: &str) -> usize {
    let mut index = 0;
    while index < SIGNS.len() {
        if equal(SIGNS[index].as_bytes(), name.as_bytes()) {
            return index;
        }
        index += 1;
    }
    panic!("no such sign")
}

const fn equal(one: &[u8], other: &[u8]) -> bool {
    if one.len() != other.len() {
        return false;
    }
    let mut index = 0;
    while index < one.len() {
        if one[index] != other[index] {
            return false;
        }
        index += 1;
    }
    true
}

#[derive(Debug, Clone, Copy)]
struct Marked {
    kind: Cue,
    start: usize,
    end: usize,
}

/// The cues of a text, of each kind none inside another, from left to right.
struct Cues(Vec<Marked>);

impl Cues {
    fn of(found: &[Found]) -> Self {
        let mut ends = [0_usize; CUES];
        let mut cues = Vec::new();
        for word in found {
            if let Sense::Cue(kind) = word.sense
                && word.start >= ends[kind as usize]
            {
                ends[kind as usize] = word.end;
                cues.push(Marked {
                    kind,
                    start: word.start,
                    end: word.end,
                });
            }
        }
        Self(cues)
    }

    fn of_kind(&self, kind: Cue) -> impl Iterator<Item = &Marked> {
        self.0.iter().filter(move |cue| cue.kind == kind)
    }
}

impl Cue {
    /// The sign that counts the cue; none for those that only turn others.
    fn sign(self) -> Option<usize> {
        Some(match self {
            Self::Formula => const { sign("formula") },
            Self::Strong => const { sign("strong") },
            Self::Weak => const { sign("weak") },
            Self::Contrast => const { sign("contrast") },
            Self::Sarcasm => const { sign("sarcasm") },
            Self::Quote => const { sign("quote") },
            Self::Question => const { sign("question") },
            Self::Reproach => const { sign("reproach") },
            Self::Suggestion => const { sign("suggestion") },
            Self::Plea => const { sign("plea") },
            Self::Report => const { sign("report") },
            Self::Complaint => const { sign("complaint") },
            Self::Notice => const { sign("notice") },
            Self::Again => const { sign("again") },
            Self::Comparison => const { sign("comparison") },
            _ => return None,
        })
    }
}

#[derive(Default)]
struct Counts(Signs);

impl Counts {
    fn add(&mut self, sign: usize) {
        self.0.0[sign] += 1.0;
    }

    fn add_turned(&mut self, kind: Cue, turned: usize) {
        self.add(match (kind, turned) {
            (Cue::Praise, 0) => const { sign("praise") },
            (Cue::Praise, 1) => const { sign("praise-denied") },
            (Cue::Praise, _) => const { sign("praise-denied-twice") },
            (Cue::Thanks, 0) => const { sign("thanks") },
            (Cue::Thanks, _) => const { sign("thanks-denied") },
            (Cue::Solved, 0) => const { sign("solved") },
            (Cue::Solved, _) => const { sign("solved-denied") },
            (Cue::Blame, 0) => const { sign("blame") },
            (Cue::Blame, 1) => const { sign("blame-denied") },
            (Cue::Blame, _) => const { sign("blame-denied-twice") },
            (Cue::Trouble, 0) => const { sign("trouble") },
            _ => const { sign("trouble-denied") },
        });
    }

    /// Counts as values in `[0, 1]`: the first of a kind counts most.
    fn signs(mut self) -> Signs {
        for value in self.0.0.iter_mut().filter(|value| **value > 0.0) {
            *value = (1.0 + *value).log2().min(3.0) / 3.0;
        }
        self.0
    }
}

/// Where the clauses end.
fn breaks(text: &str) -> Vec<usize> {
    let ends = |c: char| {
        matches!(
            c,
            '。' | '！'
                | '？'
                | '；'
                | '，'
                | '!'
                | '?'
                | ';'
                | ','
                | '\n'
                | ' '
                | '…'
                | '：'
                | ':'
        )
    };
    (text.char_indices())
        .filter(|(_, character)| ends(*character))
        .map(|(at, _)| at)
        .collect()
}

/// Whether a byte stands between quotation marks that are open there for at most 40 characters.
fn quoted(text: &str, at: usize) -> bool {
    let Some(before) = text.get(..at) else {
        return false;
    };
    for character in before.chars().rev().take(40) {
        match character {
            '“' | '「' | '‘' => return true,
            '”' | '」' | '’' | '。' => return false,
            _ => {}
        }
    }
    false
}
