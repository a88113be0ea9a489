//! Intake: alerts from Kafka become cases, and what is told of the sources is kept.

use std::collections::BTreeMap;
use std::sync::Arc;

use backbone::kafka::{Handler, NotNow, Received, Rejected};
use backbone::message::{Alert, Message, SourceHealth};
use backbone::region::Region;
use jiff::Timestamp;

use crate::case::{Cases, Taken};
use crate::metrics::Metrics;
use crate::routing::Routing;
use crate::source::Sources;

/// Alerts taken in by one transaction: each is written to the disk once, and who works on cases waits no longer than one takes.
/// Their rows are below 16 KB a table: what is more goes to PostgreSQL in two pieces, and sqlx 0.9.0 keeps the second back until the
/// first is acknowledged, 40 ms later (its issue 4335).
const TOGETHER: usize = 10;

/// Handles alerts.
#[derive(Debug)]
pub struct Intake {
    cases: Cases,
    routings: Arc<BTreeMap<String, Routing>>,
    metrics: Metrics,
}

impl Intake {
    /// Opens cases in the given store.
    #[must_use]
    pub fn new(cases: Cases, routings: Arc<BTreeMap<String, Routing>>, metrics: Metrics) -> Self {
        Self {
            cases,
            routings,
            metrics,
        }
    }
}

impl Intake {
    fn tell(&self, alert: &Alert, taken: Taken, now: Timestamp) {
        let outcome = match taken {
            Taken::Opened => "opened",
            Taken::Raised => "raised",
            Taken::Updated => "updated",
            Taken::Known => "known",
        };
        self.metrics
            .alerts_total
            .with_label_values(&[outcome])
            .inc();
        if taken == Taken::Opened {
            let latency = now.duration_since(alert.published_at);
            self.metrics
                .publication_to_case_seconds
                .observe(latency.as_secs_f64().max(0.0));
        }
    }
}

impl Handler for Intake {
    type Message = Alert;

    async fn handle(&mut self, batch: &[Received<Alert>]) -> Result<Vec<Rejected>, NotNow> {
        let mut rejected = Vec::new();
        let mut routed = Vec::new();
        for received in batch {
            let alert = &received.message;
            match self.routings.get(&alert.region) {
                Some(routing) => routed.push((alert, routing.route(alert))),
                None => rejected.push(not_served(received)),
            }
        }
        for together in routed.chunks(TOGETHER) {
            let now = Timestamp::now();
            let alerts: Vec<_> = together
                .iter()
                .map(|(alert, routed)| (*alert, routed))
                .collect();
            let taken = self.cases.take_all(&alerts, now).await;
            for ((alert, _), taken) in alerts.iter().zip(taken.map_err(NotNow::because)?) {
                self.tell(alert, taken, now);
            }
        }
        Ok(rejected)
    }
}

/// Handles what is told of the sources.
#[derive(Debug)]
pub struct SourceIntake {
    sources: Sources,
    regions: Arc<BTreeMap<String, Region>>,
}

impl SourceIntake {
    /// Keeps what is told of the sources of the given regions.
    #[must_use]
    pub fn new(sources: Sources, regions: Arc<BTreeMap<String, Region>>) -> Self {
        Self { sources, regions }
    }
}

impl Handler for SourceIntake {
    type Message = SourceHealth;

    async fn handle(&mut self, batch: &[Received<SourceHealth>]) -> Result<Vec<Rejected>, NotNow> {
        let mut rejected = Vec::new();
        for received in batch {
            let health = &received.message;
            if !self.regions.contains_key(&health.region) {
                rejected.push(not_served(received));
                continue;
            }
            self.sources
                .take(health, Timestamp::now())
                .await
                .map_err(NotNow::because)?;
        }
        Ok(rejected)
    }
}

fn not_served<M: Message>(received: &Received<M>) -> Rejected {
    Rejected {
        partition: received.partition,
        offset: received.offset,
        reason: format!(
            "region `{}` is not served; add its folder to `regions` and replay",
            received.message.region()
        ),
    }
}
