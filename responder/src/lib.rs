//! The responder: makes a case of each event that reached a level, gets it to the units responsible,
//! follows it until the people are answered, and serves the console.

pub mod account;
pub mod api;
pub mod app;
pub mod calendar;
pub mod case;
pub mod check;
mod clock;
pub mod commitment;
pub mod console;
pub mod correction;
pub mod deadline;
pub mod erasure;
pub mod event_edit;
pub mod held;
pub mod intake;
pub mod knowledge;
mod level;
pub mod likeness;
pub mod live;
pub mod metrics;
pub mod notify;
pub mod outbox;
pub mod paper;
pub mod reply;
pub mod report;
pub mod retention;
pub mod roster;
pub mod routing;
pub mod saved_search;
pub mod settings;
pub mod source;
pub mod source_edit;
pub mod store;
pub mod trend;
pub mod watch;
