//! Any of the programs is killed at random, in the middle of its work: not before it has done some since the last kill.

use rand::RngExt;
use rand::seq::IndexedRandom;

use super::Outcome;
use crate::soak::scene::{Scene, Seat, seats};

pub(super) async fn make(scene: &mut Scene, kills: u32) -> anyhow::Result<Outcome> {
    let all: Vec<Seat> = seats().collect();
    for number in 0..kills {
        // Each in turn first, so that few kills reach each program, too.
        let seat = match all.get(number as usize) {
            Some(seat) => *seat,
            None => *all.choose(&mut scene.random).unwrap_or(&all[0]),
        };
        let work = scene.random.random_range(1..20);
        match seat.0 {
            "collector" => scene.taken(work).await?,
            "analyzer" => scene.archived(work as u64).await?,
            _ => scene.moved(1 + work / 5).await?,
        }
        scene.kill(seat);
        scene.start_again(seat);
    }
    Ok(Outcome::Made(u64::from(kills)))
}
