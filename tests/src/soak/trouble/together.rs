//! One trouble comes while another lasts: ClickHouse is away, so the readers of the archive wait; meanwhile they get the partitions of those who
//! leave and give them back, a broker and PostgreSQL are lost, and a responder is killed. All come back in no order that helps.

use crate::Shutdown;

use super::Outcome;
use crate::soak::scene::{PROCESSES, Scene};

/// Posts taken between two steps, and posts that go all the way at the end.
const MEANWHILE: usize = 40;

pub(super) async fn make(scene: &mut Scene) -> anyhow::Result<Outcome> {
    scene.clickhouse.kill();
    scene.taken(MEANWHILE).await?;
    for process in PROCESSES {
        scene.stop((process, 0));
    }
    scene.taken(MEANWHILE).await?;
    scene.broker.kill(2);
    scene.postgres.down(Shutdown::Immediate);
    scene.taken(MEANWHILE).await?;
    scene.kill(("responder", 1));
    for process in PROCESSES {
        scene.start_again((process, 0));
    }
    scene.start_again(("responder", 1));
    scene.taken(MEANWHILE).await?;
    scene.postgres.up();
    scene.clickhouse.start_again();
    scene.broker.start_again(&[2]);
    for process in PROCESSES {
        scene.ready((process, 0)).await?;
    }
    scene.archived(MEANWHILE as u64).await?;
    scene.moved(5).await?;
    Ok(Outcome::Made(7))
}
