//! What the analyzer counts.

use backbone::metrics::FROM_PUBLICATION;

backbone::metrics! {
    /// The analyzer's metrics.
    pub struct Metrics("wensheng_analyzer") {
        /// Posts assessed, by region and whether they concern it.
        posts_total: IntCounterVec["region", "relevant"],
        /// Seconds the assessment of a batch took, without Kafka.
        assess_seconds: Histogram,
        /// Alerts raised, by region and level.
        alerts_total: IntCounterVec["region", "level"],
        /// Bursts and common problems found, by region and kind.
        signals_total: IntCounterVec["region", "kind"],
        /// Seconds from the publication of the post that raised an alert to the alert.
        publication_to_alert_seconds: Histogram in FROM_PUBLICATION,
        /// Edits of events by duty officers, by kind and whether they moved posts.
        edits_total: IntCounterVec["kind", "outcome"],
        /// Events in the windows of the partitions held.
        window_events: IntGaugeVec["partition"],
        /// Posts read to know the events of a partition when it was last assigned: those since its checkpoint.
        rebuilt_posts: IntGaugeVec["partition"],
        /// Posts the models were unsure of, by what came of asking for a second opinion.
        second_opinions_total: IntCounterVec["outcome"],
        /// Rows archived to ClickHouse, by table.
        archived_rows_total: IntCounterVec["table"],
        /// Batches that ClickHouse did not take, by table.
        archive_failures_total: IntCounterVec["table"],
    }
}
