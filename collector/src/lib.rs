//! The collector: reads public sources, politely, masks personal data and publishes posts.

pub mod app;
pub mod check;
pub mod extract;
pub mod fetch;
#[cfg(test)]
mod fuzz;
pub mod health;
pub mod item;
pub mod metrics;
pub mod pause;
pub mod publish;
pub mod quiet;
pub mod schedule;
pub mod settings;
pub mod share;
pub mod source;
pub mod state;
