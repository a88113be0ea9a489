//! What the collector counts.

backbone::metrics! {
    /// The collector's metrics.
    pub struct Metrics("wensheng_collector") {
        /// Posts published, by source.
        posts_total: IntCounterVec["source"],
        /// Pages asked for, by source and outcome: read, unchanged, failed.
        fetches_total: IntCounterVec["source", "outcome"],
        /// Rows, entries and pages refused, by source.
        parse_failures_total: IntCounterVec["source"],
        /// Rounds of reading a source, by source and outcome: read, failed.
        rounds_total: IntCounterVec["source", "outcome"],
        /// 1 while a source's last round succeeded, by source.
        source_up: IntGaugeVec["source"],
        /// 1 for the condition a source is in, 0 for the others, by source and condition: well, failing,
        /// changed, quiet, faulty.
        source_condition: IntGaugeVec["source", "condition"],
        /// Seconds from the publication of a source's last post to its collection, by source.
        source_lag_seconds: IntGaugeVec["source"],
        /// Time of a source's last success, in seconds since 1970, by source.
        source_last_success_seconds: IntGaugeVec["source"],
    }
}
