//! Messages that nobody can read, in every topic, between good ones: each must be put aside, and nothing else.

use std::collections::BTreeSet;
use std::time::Duration;

use anyhow::anyhow;
use backbone::topics;
use rdkafka::producer::{FutureProducer, FutureRecord};

use super::Outcome;
use crate::soak::scene::Scene;

pub(super) async fn make(scene: &mut Scene) -> anyhow::Result<Outcome> {
    let producer: FutureProducer = scene.kafka.client_config()?.create()?;
    let deep = "[".repeat(100_000);
    let poison: [&[u8]; 6] = [
        b"",
        b"{not json",
        b"{\"schema\": \"post\", \"version\": 99, \"id\": \"x\"}",
        b"{\"schema\": \"nothing\", \"version\": 1}",
        b"\xff\xfe\x00\xd8",
        deep.as_bytes(),
    ];
    let mut places = BTreeSet::new();
    for topic in &topics::ALL {
        for payload in poison {
            let record = FutureRecord::<str, [u8]>::to(topic.name);
            let record = record.key("990102").payload(payload);
            let sent = producer.send(record, Duration::from_secs(60)).await;
            let sent = sent.map_err(|(error, _)| anyhow!("poison was not taken: {error}"))?;
            places.insert(format!(
                "{}[{}]@{}",
                topic.name, sent.partition, sent.offset
            ));
        }
    }
    let made = places.len() as u64;
    scene.poison.extend(places);
    scene.archived(40).await?;
    Ok(Outcome::Made(made))
}
