//! What two or more of Wensheng's processes need: messages and topics, Kafka, ClickHouse,
//! settings, metrics, and the start and stop of a service. No analysis, routing or site logic.

pub mod clickhouse;
pub mod dead_letters;
pub mod erased;
pub mod id;
pub mod kafka;
pub mod language_model;
pub mod mask;
pub mod message;
pub mod metrics;
pub mod region;
pub mod serve;
pub mod service;
pub mod settings;
pub mod tls;
pub mod topics;
