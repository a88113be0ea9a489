//! Days on duty, told with the real programs and the real engines. Needs the programs built: `cargo build --release --workspace`.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test that cannot go on fails"
)]

mod apart;
mod archive;
mod checkpoint;
mod console;
mod edits;
mod encrypted;
mod full_disk;
mod kafka_habits;
mod life_of_a_post;
mod paper;
mod privacy;
mod report;
mod search;
mod sources;
mod trends;
mod troubles;
mod walks;
