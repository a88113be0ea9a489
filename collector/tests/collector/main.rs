//! The collector as it reads: a site on loopback and files on one side, posts kept in memory on the other.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test that cannot go on fails"
)]

mod api;
mod app;
mod board;
mod desk;
mod erased;
mod feed;
mod fetch;
mod health;
mod import;
mod layouts;
mod pause;
mod push;
mod scale;
mod site;
mod sitemap;
