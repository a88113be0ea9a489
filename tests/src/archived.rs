//! An archive that posts are put into as the archiver puts them.

use std::time::{Duration, Instant};

use analyzer::archive::{Archiver, Kept};
use analyzer::metrics::Metrics;
use backbone::clickhouse::rows::AssessmentRow;
use backbone::kafka::{Handler, Received, Unread};
use backbone::message::{self, Assessment};
use backbone::settings::ClickHouse;
use prometheus::Registry;

use crate::{PATIENCE, Store, number};

/// A running ClickHouse with the project's tables, and its archiver.
#[derive(Debug)]
pub struct Archived {
    /// ClickHouse.
    pub store: Store,
    archiver: Archiver<AssessmentRow>,
}

impl Archived {
    /// Starts it.
    ///
    /// # Panics
    /// When it does not start.
    pub async fn start() -> Self {
        let store = Store::start();
        let archive = settings(&store);
        backbone::clickhouse::migrate(&archive)
            .await
            .expect("the tables");
        let kept = Kept {
            column: "collected_at",
            days: 0,
        };
        let metrics = Metrics::new(&Registry::new()).expect("metrics");
        let archiver = Archiver::<AssessmentRow>::new(&archive, kept, metrics)
            .expect("an archiver")
            .counting_hours();
        Self { store, archiver }
    }

    /// What asks it.
    ///
    /// # Panics
    /// When there is none.
    #[must_use]
    pub fn client(&self) -> clickhouse::Client {
        backbone::clickhouse::client(&settings(&self.store)).expect("a client")
    }

    /// Archives posts, and waits until their hours are counted.
    ///
    /// # Panics
    /// When they are not taken.
    pub async fn archive(&mut self, assessments: &[Assessment]) {
        let batch: Vec<Received<Unread>> = (assessments.iter())
            .map(|assessment| Received {
                message: Unread(message::encode(assessment).expect("a message")),
                partition: 0,
                offset: 0,
            })
            .collect();
        let refused = self.archiver.handle(&batch).await.expect("ClickHouse");
        assert_eq!(refused, []);
        let end = Instant::now() + PATIENCE;
        let marked = "SELECT countIf(touched >= counted) FROM \
            (SELECT max(touched_at) AS touched, max(counted_at) AS counted FROM hour_marks GROUP BY region, hour)";
        while number(&self.store.url, marked).await != Some(0) {
            assert!(Instant::now() < end, "waited in vain for the counts");
            self.archiver.idle().await.expect("ClickHouse");
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }
}

fn settings(store: &Store) -> ClickHouse {
    serde_json::from_value(serde_json::json!({ "url": store.url })).expect("settings")
}
