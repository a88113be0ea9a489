//! PostgreSQL is stopped under load, in order and at once, and is away for a while each time: posts go on, moves wait.

use crate::Shutdown;

use super::Outcome;
use crate::soak::scene::Scene;

/// Posts taken while it is away.
const MEANWHILE: usize = 40;

pub(super) async fn make(scene: &mut Scene) -> anyhow::Result<Outcome> {
    for how in [Shutdown::Fast, Shutdown::Immediate] {
        scene.moved(5).await?;
        scene.postgres.down(how);
        scene.taken(MEANWHILE).await?;
        scene.postgres.up();
        scene.moved(5).await?;
    }
    Ok(Outcome::Made(2))
}
