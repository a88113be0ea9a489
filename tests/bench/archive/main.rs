//! Measures the archive: `archive drain` how fast a backlog goes from Kafka to ClickHouse, `archive search` how long the
//! console takes to search a year of posts. `tests/bench/archive/run` tells how it is called.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::print_stdout,
    reason = "a benchmark that cannot go on fails, and prints what it measured"
)]

mod drain;
mod pages;
mod reports;
mod search;
mod texts;

use std::collections::BTreeMap;

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let mut arguments = std::env::args().skip(1);
    let what = arguments.next().unwrap_or_default();
    let mut options = BTreeMap::new();
    while let (Some(name), Some(value)) = (arguments.next(), arguments.next()) {
        options.insert(name.trim_start_matches("--").to_owned(), value);
    }
    match what.as_str() {
        "drain" => drain::measure(&options).await,
        "search" => search::measure(&options).await,
        "report" => reports::measure(&options).await,
        _ => anyhow::bail!(
            "usage: archive drain|search|report [--OPTION VALUE]…; see tests/bench/archive/run"
        ),
    }
}

/// An option's value, or what stands for it.
fn option<T: std::str::FromStr>(options: &BTreeMap<String, String>, name: &str, otherwise: T) -> T {
    match options.get(name) {
        Some(value) => value.parse().ok().expect("an option of the right kind"),
        None => otherwise,
    }
}
