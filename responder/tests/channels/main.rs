//! Notices on their way: what channels send, what services answer, and what the carrier makes of it.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test that cannot go on fails"
)]

#[path = "../stores/mod.rs"]
mod stores;

mod carrying;
mod composing;
mod mail;
mod mail_server;
mod matter;
mod robots;
mod service;
mod settings;
mod webhooks;
mod words;
