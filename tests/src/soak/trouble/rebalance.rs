//! Instances leave in order and come back, one place and then the other: partitions change hands under load.

use super::Outcome;
use crate::soak::scene::{PROCESSES, Scene};

/// Posts that go all the way between two steps.
const MEANWHILE: u64 = 40;

pub(super) async fn make(scene: &mut Scene, rounds: u32) -> anyhow::Result<Outcome> {
    for round in 0..rounds {
        let place = round as usize % 2;
        for process in PROCESSES {
            scene.stop((process, place));
        }
        scene.archived(MEANWHILE).await?;
        scene.moved(3).await?;
        for process in PROCESSES {
            scene.start_again((process, place));
        }
        for process in PROCESSES {
            scene.ready((process, place)).await?;
        }
        scene.archived(MEANWHILE).await?;
    }
    Ok(Outcome::Made(u64::from(rounds) * 3))
}
