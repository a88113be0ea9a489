//! Why a channel did not take a message, and whether to try it again. Channels say no more than that; what follows
//! from it is the carrier's.

use jiff::SignedDuration;

/// Longest problem that is kept, in characters.
const LONGEST: usize = 200;

/// Why a message was not taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// What is wrong and, where it is known, what to do. Names no secret and no recipient.
    pub problem: String,
    /// Whether it may be taken later.
    pub again: Again,
    /// The service's own code, where it gave one.
    pub code: Option<i64>,
}

/// Whether a message that was not taken may be taken later.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Again {
    /// The same message will never be taken so.
    Never,
    /// What is wrong may pass: the service is down, slow, or not to be understood.
    Later,
    /// The service takes no more messages for so long.
    After(SignedDuration),
}

impl Refusal {
    /// A message that will not be taken.
    pub(super) fn never(problem: impl Into<String>) -> Self {
        Self::new(problem.into(), Again::Never)
    }

    /// A message that may be taken later.
    pub(super) fn later(problem: impl Into<String>) -> Self {
        Self::new(problem.into(), Again::Later)
    }

    /// A service that is asked too often.
    pub(super) fn after(wait: SignedDuration, problem: impl Into<String>) -> Self {
        Self::new(problem.into(), Again::After(wait))
    }

    fn new(problem: String, again: Again) -> Self {
        Self {
            problem,
            again,
            code: None,
        }
    }

    /// The same with the service's own code.
    pub(super) fn coded(mut self, code: i64) -> Self {
        self.code = Some(code);
        self
    }

    /// The same without the given words, which may be secrets or recipients that a service repeats, on one line.
    pub(super) fn without<'a>(mut self, words: impl IntoIterator<Item = &'a str>) -> Self {
        for word in words {
            if !word.is_empty() {
                self.problem = self.problem.replace(word, "…");
            }
        }
        let one_line = self
            .problem
            .split_whitespace()
            .collect::<Vec<_>>()
            .join(" ");
        self.problem = one_line.chars().take(LONGEST).collect();
        self
    }
}
