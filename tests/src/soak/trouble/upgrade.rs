//! The office runs on an older build; the first place gets the new one while the second still has the old, and both work for a while; then the
//! second gets it, too.

use super::Outcome;
use crate::soak::scene::{By, PROCESSES, Scene};

/// Posts that go all the way between two steps, and moves.
const MEANWHILE: u64 = 100;

pub(super) async fn make(scene: &mut Scene) -> anyhow::Result<Outcome> {
    if !(scene.by.values()).any(|by| matches!(by, By::Build(_))) {
        return Ok(Outcome::LeftOut("no older build: --old DIR".to_owned()));
    }
    scene.archived(MEANWHILE).await?;
    for place in 0..2 {
        for process in PROCESSES {
            scene.start_by((process, place), None);
        }
        for process in PROCESSES {
            scene.ready((process, place)).await?;
        }
        scene.archived(MEANWHILE).await?;
        scene.moved(10).await?;
    }
    Ok(Outcome::Made(6))
}
