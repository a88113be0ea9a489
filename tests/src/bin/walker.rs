//! Eight users who move the cases of a store at random until this program is killed. It is a program of its own so that it
//! can be: `walker PLACE BEGUN SEED`, where PLACE is a file or a PostgreSQL address and BEGUN the time at which the walk began.

use std::path::PathBuf;

use anyhow::Context;
use futures::future::try_join_all;
use responder::store::Place;
use wensheng_tests::walk::Walk;

/// Users at once.
const USERS: u64 = 8;

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let mut arguments = std::env::args().skip(1);
    let mut next = || arguments.next().context("walker PLACE BEGUN SEED");
    let place = next()?;
    let place = match place.parse() {
        Ok(url) => Place::Postgres(url),
        Err(_) => Place::File(PathBuf::from(place)),
    };
    let walk = Walk::open(&place, next()?.parse()?).await?;
    let seed: u64 = next()?.parse()?;
    try_join_all((0..USERS).map(|user| walk.user(seed * USERS + user))).await?;
    Ok(())
}
