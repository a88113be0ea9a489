//! What is known of a partition held, and how far that is acknowledged.

use std::collections::HashMap;
use std::time::Instant;

use backbone::message::{Alert, Assessment, Signal};
use tracing::{info, warn};

use crate::checkpoint::{Checkpoints, Position};
use crate::edit::Edited;
use crate::state::State;

/// What is known of a partition held.
#[derive(Debug)]
pub(super) struct Partition {
    pub(super) state: State,
    /// Results the brokers have not acknowledged yet, by offset: sent again when the batch comes
    /// again, for the state has taken these posts in already.
    pub(super) unacknowledged: HashMap<i64, (Assessment, Vec<Alert>)>,
    /// Alerts that the passing of time raised and the brokers have not acknowledged yet.
    pub(super) overdue: Vec<Alert>,
    /// Signals that the brokers have not acknowledged yet.
    pub(super) signals: Vec<Signal>,
    /// What came of an edit and the brokers have not acknowledged yet.
    pub(super) edited: Edited,
    /// How far what was written to the partition is part of the state.
    pub(super) position: Position,
    /// Posts since the last checkpoint.
    pub(super) posts_since: usize,
    /// Digest of what was erased and is in the state no more.
    pub(super) forgotten: String,
}

impl Partition {
    pub(super) fn new(state: State, position: Position, forgotten: String) -> Self {
        Self {
            state,
            unacknowledged: HashMap::new(),
            overdue: Vec::new(),
            signals: Vec::new(),
            edited: Edited::default(),
            position,
            posts_since: 0,
            forgotten,
        }
    }

    /// Whether something that it holds is not acknowledged yet.
    pub(super) fn is_pending(&self) -> bool {
        !self.unacknowledged.is_empty()
            || !self.overdue.is_empty()
            || !self.signals.is_empty()
            || self.edited != Edited::default()
    }

    /// The assessment at an offset is part of the state, and acknowledged.
    pub(super) fn holds(&mut self, offset: i64, post: &str) {
        self.posts_since += 1;
        if offset > self.position.assessment {
            self.position.assessment = offset;
            post.clone_into(&mut self.position.post);
        }
    }

    /// The alert at an offset is part of the state, and acknowledged.
    pub(super) fn holds_alert(&mut self, offset: i64) {
        self.position.next_alert = self.position.next_alert.max(offset + 1);
    }

    /// The signal at an offset is part of the state, and acknowledged.
    pub(super) fn holds_signal(&mut self, offset: i64) {
        self.position.next_signal = self.position.next_signal.max(offset + 1);
    }

    /// Writes a checkpoint where it is time for one and all that the state holds is acknowledged.
    pub(super) fn keep(
        &mut self,
        number: i32,
        checkpoints: &Checkpoints,
        due: impl FnOnce(usize, usize) -> bool,
    ) {
        if self.is_pending() || !due(self.posts_since, self.state.window.posts()) {
            return;
        }
        self.posts_since = 0;
        let begun = Instant::now();
        let write = || checkpoints.write(number, &self.state, &self.position, &self.forgotten);
        match tokio::task::block_in_place(write) {
            Ok(()) => info!(
                partition = number,
                events = self.state.window.len(),
                milliseconds = begun.elapsed().as_millis() as u64,
                "checkpoint written"
            ),
            Err(error) => {
                warn!(partition = number, error = %format!("{error:#}"), "no checkpoint written");
            }
        }
    }
}
