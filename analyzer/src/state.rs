//! All that is known of a partition: a function of what was written to it, in order.

use backbone::message::{Alert, Signal};
use serde::{Deserialize, Serialize};

use crate::event::Window;
use crate::flood::Flood;
use crate::trend::Trends;

/// What the chain remembers between the posts of a partition.
#[derive(Debug, Serialize, Deserialize)]
pub struct State {
    /// Its events.
    pub window: Window,
    /// What was raised in the present hour.
    pub flood: Flood,
    /// What is usual, and what is more than that.
    pub trends: Trends,
}

impl State {
    /// Nothing yet.
    #[must_use]
    pub fn new(window: Window) -> Self {
        Self {
            window,
            flood: Flood::default(),
            trends: Trends::default(),
        }
    }

    /// Takes note of an alert that was raised before.
    pub fn restore_alert(&mut self, alert: &Alert) {
        self.window.alerted(alert);
        self.flood.restore(alert);
    }

    /// Takes note of a signal that was raised before.
    pub fn restore_signal(&mut self, signal: &Signal) {
        self.trends.told(signal);
    }
}
