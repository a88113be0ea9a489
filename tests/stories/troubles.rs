//! Troubles for an office under load, in short; `tests/soak/run` makes all of them at length, with the same code.

use std::time::Duration;

use wensheng_tests::soak::{Measure, Scale, Trouble, soak};

#[tokio::test(flavor = "multi_thread")]
async fn troubles_in_short_lose_and_double_nothing() {
    let troubles = [
        Trouble::Poison,
        Trouble::Kills,
        Trouble::Brokers,
        Trouble::Postgres,
    ];
    let measure = Measure {
        kills: 8,
        away: Duration::ZERO,
        apart: Duration::ZERO,
        rounds: 0,
    };
    let scale = Scale { rate: 16, seed: 1 };
    assert!(soak(&troubles, &measure, &scale, None).await.unwrap());
}
