//! The analyzer as programs and people use it: posts in, assessments, events and alerts out.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test that cannot go on fails"
)]

mod any_text;
mod edits;
mod events;
mod ground;
mod pipeline;
mod reading;
mod replay;
mod second_opinion;
mod trends;
