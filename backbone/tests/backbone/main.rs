//! What the programs say to each other: messages of this release, and of those before.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod compatibility;
mod messages;
