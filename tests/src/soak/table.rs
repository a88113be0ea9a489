//! The table that is printed: what was put in, what was broken, what came of it.

use std::fmt;
use std::time::Duration;

use crate::soak::trouble::Outcome;

/// A line: one trouble.
#[derive(Debug)]
pub(crate) struct Line {
    /// The trouble.
    pub(crate) title: &'static str,
    /// What came of it.
    pub(crate) outcome: Outcome,
    /// Posts handed over while it lasted.
    pub(crate) posts: usize,
    /// Moves of cases confirmed.
    pub(crate) moves: usize,
    /// Programs that ended by themselves and were started again.
    pub(crate) ended: u64,
    /// What was found lost.
    pub(crate) lost: usize,
    /// What was found twice, or without a sender.
    pub(crate) doubled: usize,
    /// How long it lasted.
    pub(crate) lasted: Duration,
    /// From its end until everything had gone all the way.
    pub(crate) caught_up: Duration,
}

/// The heading and the lines, as Markdown.
pub(crate) struct Table<'a>(pub(crate) &'a [Line]);

impl fmt::Display for Table<'_> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            out,
            "| trouble | posts in | moves | failures made | ended by themselves | lost | doubled | seconds | caught up after |"
        )?;
        writeln!(out, "|---|---:|---:|---:|---:|---:|---:|---:|---:|")?;
        for line in self.0 {
            let made = match &line.outcome {
                Outcome::Made(failures) => failures.to_string(),
                Outcome::LeftOut(why) => {
                    writeln!(out, "| {} | left out: {why} |||||||", line.title)?;
                    continue;
                }
            };
            writeln!(
                out,
                "| {} | {} | {} | {made} | {} | {} | {} | {} | {:.1} s |",
                line.title,
                line.posts,
                line.moves,
                line.ended,
                line.lost,
                line.doubled,
                line.lasted.as_secs(),
                line.caught_up.as_secs_f64()
            )?;
        }
        let sum = |of: fn(&Line) -> usize| self.0.iter().map(of).sum::<usize>();
        let failures = |line: &Line| match line.outcome {
            Outcome::Made(failures) => failures as usize,
            Outcome::LeftOut(_) => 0,
        };
        writeln!(
            out,
            "| **all** | {} | {} | {} | {} | {} | {} | {} | |",
            sum(|line| line.posts),
            sum(|line| line.moves),
            sum(failures),
            sum(|line| line.ended as usize),
            sum(|line| line.lost),
            sum(|line| line.doubled),
            sum(|line| line.lasted.as_secs() as usize),
        )
    }
}
