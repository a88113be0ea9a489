//! ClickHouse is killed and away for a long time: the archive waits, everything else goes on.

use std::time::Duration;

use super::Outcome;
use crate::soak::scene::Scene;

pub(super) async fn make(scene: &mut Scene, away: Duration) -> anyhow::Result<Outcome> {
    scene.clickhouse.kill();
    let moves = scene.desk.count();
    scene.pass(away).await?;
    anyhow::ensure!(
        scene.desk.count() > moves,
        "no case was moved while ClickHouse was away"
    );
    scene.clickhouse.start_again();
    scene.archived(1).await?;
    Ok(Outcome::Made(1))
}
