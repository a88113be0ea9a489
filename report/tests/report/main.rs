//! Papers as code builds them and an office opens them.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test that cannot go on fails"
)]

mod forms;
mod office;
mod paper;
