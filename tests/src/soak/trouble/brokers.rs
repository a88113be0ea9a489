//! One of the three brokers is killed: the office goes on with two. Then all three are, and come back.

use super::Outcome;
use crate::soak::scene::Scene;

/// Posts that go all the way between two steps.
const MEANWHILE: u64 = 40;

pub(super) async fn make(scene: &mut Scene) -> anyhow::Result<Outcome> {
    scene.broker.kill(2);
    scene.archived(MEANWHILE).await?;
    scene.broker.start_again(&[2]);
    scene.archived(MEANWHILE).await?;
    for node in 1..=3 {
        scene.broker.kill(node);
    }
    scene.broker.start_again(&[1, 2, 3]);
    scene.archived(MEANWHILE).await?;
    Ok(Outcome::Made(4))
}
