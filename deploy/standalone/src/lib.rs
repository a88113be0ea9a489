//! Wensheng on one machine: the three processes unchanged in one program, beside an embedded
//! Kafka-compatible broker and an embedded ClickHouse, each a child program.

pub mod app;
pub mod clickhouse;
pub mod engine;
pub mod sample;
