//! The responder as an office uses it: cases from alert to answer, on each kind of store; its channels, papers, console and API.

#![allow(
    clippy::unwrap_used,
    clippy::string_slice,
    clippy::expect_used,
    reason = "a test that cannot go on fails"
)]

mod accounts;
mod administration;
mod api;
mod api_nouns;
mod attachments;
mod calendar;
mod case;
mod channels;
mod clocks;
mod commitment;
mod endpoint;
mod event_edit;
mod ground;
mod identity;
mod knowledge;
mod live;
mod office;
mod paper;
mod reply;
mod retention;
mod roster;
mod routing;
mod saved_search;
mod served;
mod source;
mod source_edit;
mod store;
mod stores;
