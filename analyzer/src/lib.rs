//! The analyzer: reads posts, tells which concern the region, what they are about and how their
//! writers feel, finds the events behind them, and raises an alert when an event reaches a level.
//!
//! [`pipeline`] is the whole chain; everything in it is pure. [`assess`] and [`archive`] join it to
//! Kafka and ClickHouse.

pub mod app;
pub mod archive;
pub mod assess;
pub mod check;
pub mod checkpoint;
pub mod edit;
pub mod evaluate;
pub mod event;
pub mod explain;
pub mod flood;
pub mod metrics;
pub mod model;
pub mod pipeline;
pub mod region;
pub mod replay;
pub mod risk;
pub mod rules;
pub mod score;
pub mod second_opinion;
pub mod settings;
pub mod stage;
pub mod state;
pub mod train;
pub mod trend;
