//! How many cases there are, as the overview and the API show them.

use jiff::Timestamp;

use super::{Actor, Cases, Counts, Query, State, StoreError};

/// How many cases an actor may see.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Figures {
    /// Waiting for the duty officer's judgement.
    pub pending: u64,
    /// Dispatched, and not signed for.
    pub unsigned: u64,
    /// Answered by the unit, and waiting for review.
    pub review: u64,
    /// Not at their end.
    pub open: u64,
    /// Not at their end, of level Ⅰ or Ⅱ.
    pub grave: u64,
    /// Something is due within two hours, and nothing is missing yet.
    pub soon: u64,
    /// Something due is missing.
    pub late: u64,
    /// By state, in the order of a case's life.
    pub states: Vec<OfState>,
}

/// How many cases are in a state.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OfState {
    /// The state.
    pub state: State,
    /// Of level Ⅰ, Ⅱ, Ⅲ and Ⅳ.
    pub levels: [u64; 4],
}

impl OfState {
    /// Of all levels.
    #[must_use]
    pub fn total(&self) -> u64 {
        self.levels.iter().sum()
    }
}

impl Cases {
    /// Counts the cases that an actor may see.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn figures(&self, actor: &Actor, now: Timestamp) -> Result<Figures, StoreError> {
        let counts = self.counts(actor).await?;
        let of = |wanted: &dyn Fn(&Counts) -> bool| -> u64 {
            counts
                .iter()
                .filter(|count| wanted(count))
                .map(|count| count.cases)
                .sum()
        };
        let states = State::ALL.into_iter().map(|state| OfState {
            state,
            levels: [1, 2, 3, 4].map(|level| of(&|c| c.state == state && c.level == level)),
        });
        let number_of = async |query: Query| {
            let query = Query { limit: 1, ..query };
            Ok::<_, StoreError>(self.list(&query, actor).await?.total)
        };
        Ok(Figures {
            pending: of(&|count| count.state == State::Pending),
            unsigned: of(&|count| count.state == State::Dispatched),
            review: of(&|count| count.state == State::Review),
            open: of(&|count| count.state.open()),
            grave: of(&|count| count.state.open() && count.level <= 2),
            soon: number_of(Query::due_soon(now)).await?,
            late: number_of(Query::late(now)).await?,
            states: states.collect(),
        })
    }
}
